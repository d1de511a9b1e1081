module.exports = {
  async up(schema, { Op }) {
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
    // changeColumn would send SET NOT NULL and a TYPE in one message, and nothing may be altered between SET NOT NULL and its COMMIT.
    await schema.sequelize.query("ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL");
  },

  async down(schema, { BIGINT }) {
    await schema.changeColumn("orders", "user_id", { type: BIGINT, allowNull: true });
    await schema.removeConstraint("orders", "orders_amount_check");
    await schema.removeConstraint("orders", "orders_user_id_fkey");
  },
};
