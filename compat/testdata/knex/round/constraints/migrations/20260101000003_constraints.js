exports.up = async (knex) => {
  await knex.schema.alterTable("orders", (table) => table.foreign("user_id", "orders_user_id_fkey").references("users.id"));
  await knex.raw("ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0)");
  await knex.schema.alterTable("orders", (table) => table.dropNullable("user_id"));
};

exports.down = async (knex) => {
  await knex.schema.alterTable("orders", (table) => table.setNullable("user_id"));
  await knex.raw("ALTER TABLE orders DROP CONSTRAINT orders_amount_check");
  await knex.schema.alterTable("orders", (table) => table.dropForeign("user_id", "orders_user_id_fkey"));
};
