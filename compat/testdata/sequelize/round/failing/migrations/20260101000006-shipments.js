module.exports = {
  async up(schema, { BIGINT }) {
    await schema.createTable("shipments", { order_id: { type: BIGINT, primaryKey: true } });
    // Fails: several orders have the same amount.
    await schema.addIndex("orders", ["amount"], { name: "orders_amount_key", unique: true });
  },

  async down(schema) {
    await schema.removeIndex("orders", "orders_amount_key");
    await schema.dropTable("shipments");
  },
};
