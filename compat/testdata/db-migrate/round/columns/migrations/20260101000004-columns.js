exports.up = async (db) => {
  await db.removeColumn("orders", "fax");
  await db.renameColumn("orders", "status", "state");
  await db.addColumn("orders", "note", "text");
};

exports.down = async (db) => {
  await db.removeColumn("orders", "note");
  await db.renameColumn("orders", "state", "status");
  await db.addColumn("orders", "fax", "text");
};
