export async function up(db) {
  await db.schema.createIndex("orders_user_id_idx").on("orders").column("user_id").execute();
  await db.schema.createIndex("orders_number_key").unique().on("orders").column("number").execute();
}

export async function down(db) {
  await db.schema.dropIndex("orders_number_key").execute();
  await db.schema.dropIndex("orders_user_id_idx").execute();
}
