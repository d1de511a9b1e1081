exports.up = (pgm) => {
  pgm.createIndex("orders", "user_id", { name: "orders_user_id_idx" });
  pgm.createIndex("orders", "number", { name: "orders_number_key", unique: true });
};

exports.down = (pgm) => {
  pgm.dropIndex("orders", "number", { name: "orders_number_key" });
  pgm.dropIndex("orders", "user_id", { name: "orders_user_id_idx" });
};
