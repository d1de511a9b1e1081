exports.Columns = class {
  name = "Columns1767225600004";

  async up(runner) {
    await runner.query(`ALTER TABLE orders DROP COLUMN fax`);
    await runner.query(`ALTER TABLE orders RENAME COLUMN status TO state`);
    await runner.query(`ALTER TABLE orders ADD COLUMN note text`);
  }

  async down(runner) {
    await runner.query(`ALTER TABLE orders DROP COLUMN note`);
    await runner.query(`ALTER TABLE orders RENAME COLUMN state TO status`);
    await runner.query(`ALTER TABLE orders ADD COLUMN fax text`);
  }
};
