exports.up = (pgm) => {
  pgm.addConstraint("orders", "orders_user_id_fkey", { foreignKeys: { columns: "user_id", references: "users(id)" } });
  pgm.addConstraint("orders", "orders_amount_check", { check: "amount >= 0" });
  pgm.alterColumn("orders", "user_id", { notNull: true });
};

exports.down = (pgm) => {
  pgm.alterColumn("orders", "user_id", { notNull: false });
  pgm.dropConstraint("orders", "orders_amount_check");
  pgm.dropConstraint("orders", "orders_user_id_fkey");
};
