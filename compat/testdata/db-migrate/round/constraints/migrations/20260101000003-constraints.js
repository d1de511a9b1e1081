exports.up = async (db) => {
  // changeColumn would follow SET NOT NULL by a TYPE, and nothing may be altered between SET NOT NULL and its COMMIT.
  await db.runSql("ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL");
  await db.addForeignKey("orders", "users", "orders_user_id_fkey", { user_id: "id" }, { onDelete: "RESTRICT", onUpdate: "RESTRICT" });
  await db.runSql("ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0)");
};

exports.down = async (db) => {
  await db.runSql("ALTER TABLE orders DROP CONSTRAINT orders_amount_check");
  await db.removeForeignKey("orders", "orders_user_id_fkey");
  await db.changeColumn("orders", "user_id", { type: "bigint", notNull: false });
};
