exports.Shipments = class {
  name = "Shipments1767225600006";

  async up(runner) {
    await runner.query(`CREATE TABLE shipments (order_id bigint PRIMARY KEY)`);
    await runner.query(`CREATE UNIQUE INDEX orders_amount_key ON orders (amount)`);
  }

  async down(runner) {
    await runner.query(`DROP INDEX orders_amount_key`);
    await runner.query(`DROP TABLE shipments`);
  }
};
