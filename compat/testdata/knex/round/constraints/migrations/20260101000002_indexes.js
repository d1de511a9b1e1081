exports.up = (knex) =>
  knex.schema.alterTable("orders", (table) => {
    table.index("user_id", "orders_user_id_idx");
    table.unique("number", { indexName: "orders_number_key", useConstraint: false });
  });

exports.down = async (knex) => {
  await knex.raw("DROP INDEX orders_number_key");
  await knex.schema.alterTable("orders", (table) => table.dropIndex("user_id", "orders_user_id_idx"));
};
