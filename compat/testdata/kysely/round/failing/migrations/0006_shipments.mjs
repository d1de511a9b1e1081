export async function up(db) {
  await db.schema.createTable("shipments").addColumn("order_id", "bigint", (column) => column.primaryKey()).execute();
  // Fails: several orders have the same amount.
  await db.schema.createIndex("orders_amount_key").unique().on("orders").column("amount").execute();
}

export async function down(db) {
  await db.schema.dropIndex("orders_amount_key").execute();
  await db.schema.dropTable("shipments").execute();
}
