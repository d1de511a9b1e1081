module.exports = {
  async up(schema) {
    await schema.addIndex("orders", ["user_id"], { name: "orders_user_id_idx" });
    await schema.addIndex("orders", ["number"], { name: "orders_number_key", unique: true });
  },

  async down(schema) {
    await schema.removeIndex("orders", "orders_number_key");
    await schema.removeIndex("orders", "orders_user_id_idx");
  },
};
