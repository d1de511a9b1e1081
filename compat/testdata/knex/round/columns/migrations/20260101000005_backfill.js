exports.config = { transaction: false };

exports.up = async (knex) => {
  const count = await knex("orders").whereNull("note").update({ note: knex.raw("'order ' || number") });
  console.log(`${count} rows`);
};

exports.down = (knex) => knex("orders").whereNotNull("note").update({ note: null });
