exports.up = async (db) => {
  await db.runSql("UPDATE orders SET note = 'order ' || number WHERE note IS NULL");
};

exports.down = async (db) => {
  await db.runSql("UPDATE orders SET note = NULL WHERE note IS NOT NULL");
};
