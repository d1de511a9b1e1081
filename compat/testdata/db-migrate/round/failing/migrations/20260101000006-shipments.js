exports.up = async (db) => {
  await db.createTable("shipments", { order_id: { type: "bigint", primaryKey: true } });
  // Fails: several orders have the same amount.
  await db.addIndex("orders", "orders_amount_key", ["amount"], true);
};

exports.down = async (db) => {
  await db.removeIndex("orders", "orders_amount_key");
  await db.dropTable("shipments");
};
