exports.up = async (knex) => {
  await knex.schema.createTable("users", (table) => {
    table.bigIncrements("id");
    table.text("email").notNullable();
  });
  await knex.schema.createTable("orders", (table) => {
    table.bigIncrements("id");
    table.bigInteger("user_id");
    table.text("number").notNullable();
    table.text("status").notNullable();
    table.integer("amount").notNullable();
    table.text("fax");
  });
};

exports.down = async (knex) => {
  await knex.schema.dropTable("orders");
  await knex.schema.dropTable("users");
};
