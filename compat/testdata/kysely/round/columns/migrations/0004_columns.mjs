export async function up(db) {
  await db.schema.alterTable("orders").dropColumn("fax").execute();
  await db.schema.alterTable("orders").renameColumn("status", "state").execute();
  await db.schema.alterTable("orders").addColumn("note", "text").execute();
}

export async function down(db) {
  await db.schema.alterTable("orders").dropColumn("note").execute();
  await db.schema.alterTable("orders").renameColumn("state", "status").execute();
  await db.schema.alterTable("orders").addColumn("fax", "text").execute();
}
