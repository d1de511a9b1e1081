const { Migration } = require("@mikro-orm/migrations");

exports.Migration20260101000006 = class extends Migration {
  async up() {
    this.addSql(`CREATE TABLE shipments (order_id bigint PRIMARY KEY)`);
    this.addSql(`CREATE UNIQUE INDEX orders_amount_key ON orders (amount)`);
  }

  async down() {
    this.addSql(`DROP INDEX orders_amount_key`);
    this.addSql(`DROP TABLE shipments`);
  }
};
