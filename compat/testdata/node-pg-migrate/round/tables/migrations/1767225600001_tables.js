exports.up = (pgm) => {
  pgm.createTable("users", {
    id: { type: "bigint", primaryKey: true, sequenceGenerated: { precedence: "BY DEFAULT" } },
    email: { type: "text", notNull: true },
  });
  pgm.createTable("orders", {
    id: { type: "bigint", primaryKey: true, sequenceGenerated: { precedence: "BY DEFAULT" } },
    user_id: "bigint",
    number: { type: "text", notNull: true },
    status: { type: "text", notNull: true },
    amount: { type: "integer", notNull: true },
    fax: "text",
  });
};

exports.down = (pgm) => {
  pgm.dropTable("orders");
  pgm.dropTable("users");
};
