exports.up = async (knex) => {
  await knex.schema.createTable("shipments", (table) => table.bigInteger("order_id").primary());
  // Fails: several orders have the same amount.
  await knex.schema.alterTable("orders", (table) => table.unique("amount", { indexName: "orders_amount_key" }));
};

exports.down = async (knex) => {
  await knex.schema.alterTable("orders", (table) => table.dropUnique("amount", "orders_amount_key"));
  await knex.schema.dropTable("shipments");
};
