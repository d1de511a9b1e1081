const { Migration } = require("@mikro-orm/migrations");

exports.Migration20260101000003 = class extends Migration {
  async up() {
    this.addSql(`ALTER TABLE orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)`);
    this.addSql(`ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0)`);
    this.addSql(`ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL`);
  }

  async down() {
    this.addSql(`ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL`);
    this.addSql(`ALTER TABLE orders DROP CONSTRAINT orders_amount_check`);
    this.addSql(`ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey`);
  }
};
