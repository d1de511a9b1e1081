module.exports = {
  async up(schema, { BIGINT, Op }) {
    await schema.addConstraint("orders", {
      type: "foreign key",
      name: "orders_user_id_fkey",
      fields: ["user_id"],
      references: { table: "users", field: "id" },
    });
    await schema.addConstraint("orders", {
      type: "check",
      name: "orders_amount_check",
      fields: ["amount"],
      where: { amount: { [Op.gte]: 0 } },
    });
    // Sends SET NOT NULL, DROP DEFAULT and the TYPE that the column has in one message.
    await schema.changeColumn("orders", "user_id", { type: BIGINT, allowNull: false });
  },

  async down(schema, { BIGINT }) {
    await schema.changeColumn("orders", "user_id", { type: BIGINT, allowNull: true });
    await schema.removeConstraint("orders", "orders_amount_check");
    await schema.removeConstraint("orders", "orders_user_id_fkey");
  },
};
