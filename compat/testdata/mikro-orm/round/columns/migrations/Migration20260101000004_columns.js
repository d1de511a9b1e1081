const { Migration } = require("@mikro-orm/migrations");

exports.Migration20260101000004 = class extends Migration {
  async up() {
    this.addSql(`ALTER TABLE orders DROP COLUMN fax`);
    this.addSql(`ALTER TABLE orders RENAME COLUMN status TO state`);
    this.addSql(`ALTER TABLE orders ADD COLUMN note text`);
  }

  async down() {
    this.addSql(`ALTER TABLE orders DROP COLUMN note`);
    this.addSql(`ALTER TABLE orders RENAME COLUMN state TO status`);
    this.addSql(`ALTER TABLE orders ADD COLUMN fax text`);
  }
};
