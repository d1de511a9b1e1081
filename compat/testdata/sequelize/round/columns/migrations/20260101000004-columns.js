module.exports = {
  async up(schema, { TEXT }) {
    await schema.removeColumn("orders", "fax");
    await schema.renameColumn("orders", "status", "state");
    await schema.addColumn("orders", "note", TEXT);
  },

  async down(schema, { TEXT }) {
    await schema.removeColumn("orders", "note");
    await schema.renameColumn("orders", "state", "status");
    await schema.addColumn("orders", "fax", TEXT);
  },
};
