module.exports = {
  async up(schema, { BIGINT, INTEGER, TEXT }) {
    const id = { type: BIGINT, primaryKey: true, autoIncrement: true };
    await schema.createTable("users", { id, email: { type: TEXT, allowNull: false } });
    await schema.createTable("orders", {
      id,
      user_id: BIGINT,
      number: { type: TEXT, allowNull: false },
      status: { type: TEXT, allowNull: false },
      amount: { type: INTEGER, allowNull: false },
      fax: TEXT,
    });
  },

  async down(schema) {
    await schema.dropTable("orders");
    await schema.dropTable("users");
  },
};
