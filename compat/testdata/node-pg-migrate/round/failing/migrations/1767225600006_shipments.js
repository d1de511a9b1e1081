exports.up = (pgm) => {
  pgm.createTable("shipments", { order_id: { type: "bigint", primaryKey: true } });
  // Fails: several orders have the same amount.
  pgm.createIndex("orders", "amount", { name: "orders_amount_key", unique: true });
};

exports.down = (pgm) => {
  pgm.dropIndex("orders", "amount", { name: "orders_amount_key" });
  pgm.dropTable("shipments");
};
