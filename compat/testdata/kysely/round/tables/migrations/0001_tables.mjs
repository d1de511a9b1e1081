export async function up(db) {
  await db.schema
    .createTable("users")
    .addColumn("id", "bigint", (column) => column.primaryKey().generatedByDefaultAsIdentity())
    .addColumn("email", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("orders")
    .addColumn("id", "bigint", (column) => column.primaryKey().generatedByDefaultAsIdentity())
    .addColumn("user_id", "bigint")
    .addColumn("number", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("amount", "integer", (column) => column.notNull())
    .addColumn("fax", "text")
    .execute();
}

export async function down(db) {
  await db.schema.dropTable("orders").execute();
  await db.schema.dropTable("users").execute();
}
