exports.up = async (knex) => {
  await knex.schema.alterTable("orders", (table) => table.dropColumn("fax"));
  await knex.schema.alterTable("orders", (table) => table.renameColumn("status", "state"));
  await knex.schema.alterTable("orders", (table) => table.text("note"));
};

exports.down = async (knex) => {
  await knex.schema.alterTable("orders", (table) => table.dropColumn("note"));
  await knex.schema.alterTable("orders", (table) => table.renameColumn("state", "status"));
  await knex.schema.alterTable("orders", (table) => table.text("fax"));
};
