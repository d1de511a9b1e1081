exports.Constraints = class {
  name = "Constraints1767225600003";

  async up(runner) {
    await runner.query(`ALTER TABLE orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)`);
    await runner.query(`ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0)`);
    await runner.query(`ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL`);
  }

  async down(runner) {
    await runner.query(`ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL`);
    await runner.query(`ALTER TABLE orders DROP CONSTRAINT orders_amount_check`);
    await runner.query(`ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey`);
  }
};
