exports.up = async (db) => {
  // Follows SET NOT NULL by the TYPE that the column has.
  await db.changeColumn("orders", "user_id", { type: "bigint", notNull: true });
  await db.addForeignKey("orders", "users", "orders_user_id_fkey", { user_id: "id" }, { onDelete: "RESTRICT", onUpdate: "RESTRICT" });
  await db.runSql("ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0)");
};

exports.down = async (db) => {
  await db.runSql("ALTER TABLE orders DROP CONSTRAINT orders_amount_check");
  await db.removeForeignKey("orders", "orders_user_id_fkey");
  await db.changeColumn("orders", "user_id", { type: "bigint", notNull: false });
};
