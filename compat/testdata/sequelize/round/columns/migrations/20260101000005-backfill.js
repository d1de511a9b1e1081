module.exports = {
  async up({ sequelize }) {
    const [, { rowCount }] = await sequelize.query("UPDATE orders SET note = 'order ' || number WHERE note IS NULL");
    console.log(`${rowCount} rows`);
  },

  async down({ sequelize }) {
    await sequelize.query("UPDATE orders SET note = NULL WHERE note IS NOT NULL");
  },
};
