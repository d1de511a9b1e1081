import { sql } from "kysely";

export async function up(db) {
  const { numUpdatedRows } = await db
    .updateTable("orders")
    .set({ note: sql`'order ' || number` })
    .where("note", "is", null)
    .executeTakeFirst();
  console.log(`${numUpdatedRows} rows`);
}

export async function down(db) {
  await db.updateTable("orders").set({ note: null }).where("note", "is not", null).execute();
}
