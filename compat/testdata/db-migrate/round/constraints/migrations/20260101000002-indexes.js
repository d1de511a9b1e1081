exports.up = async (db) => {
  await db.addIndex("orders", "orders_user_id_idx", ["user_id"]);
  await db.addIndex("orders", "orders_number_key", ["number"], true);
};

exports.down = async (db) => {
  await db.removeIndex("orders", "orders_number_key");
  await db.removeIndex("orders", "orders_user_id_idx");
};
