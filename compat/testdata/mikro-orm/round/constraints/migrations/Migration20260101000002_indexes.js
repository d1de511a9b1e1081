const { Migration } = require("@mikro-orm/migrations");

exports.Migration20260101000002 = class extends Migration {
  async up() {
    this.addSql(`CREATE INDEX orders_user_id_idx ON orders (user_id)`);
    this.addSql(`CREATE UNIQUE INDEX orders_number_key ON orders (number)`);
  }

  async down() {
    this.addSql(`DROP INDEX orders_number_key`);
    this.addSql(`DROP INDEX orders_user_id_idx`);
  }
};
