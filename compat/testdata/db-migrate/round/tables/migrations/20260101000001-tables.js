exports.up = async (db) => {
  await db.createTable("users", {
    id: { type: "bigint", primaryKey: true, autoIncrement: true },
    email: { type: "text", notNull: true },
  });
  await db.createTable("orders", {
    id: { type: "bigint", primaryKey: true, autoIncrement: true },
    user_id: "bigint",
    number: { type: "text", notNull: true },
    status: { type: "text", notNull: true },
    amount: { type: "int", notNull: true },
    fax: "text",
  });
};

exports.down = async (db) => {
  await db.dropTable("orders");
  await db.dropTable("users");
};
