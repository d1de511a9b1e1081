exports.Backfill = class {
  name = "Backfill1767225600005";
  transaction = false;

  async up(runner) {
    const [, count] = await runner.query(`UPDATE orders SET note = 'order ' || number WHERE note IS NULL`);
    console.log(`${count} rows`);
  }

  async down(runner) {
    await runner.query(`UPDATE orders SET note = NULL WHERE note IS NOT NULL`);
  }
};
