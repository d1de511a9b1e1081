exports.Indexes = class {
  name = "Indexes1767225600002";

  async up(runner) {
    await runner.query(`CREATE INDEX orders_user_id_idx ON orders (user_id)`);
    await runner.query(`CREATE UNIQUE INDEX orders_number_key ON orders (number)`);
  }

  async down(runner) {
    await runner.query(`DROP INDEX orders_number_key`);
    await runner.query(`DROP INDEX orders_user_id_idx`);
  }
};
