const { Migration } = require("@mikro-orm/migrations");

exports.Migration20260101000005 = class extends Migration {
  async up() {
    const { affectedRows } = await this.driver.execute(`UPDATE orders SET note = 'order ' || number WHERE note IS NULL`, [], "run", this.ctx);
    console.log(`${affectedRows} rows`);
  }

  async down() {
    this.addSql(`UPDATE orders SET note = NULL WHERE note IS NOT NULL`);
  }
};
