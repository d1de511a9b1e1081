import { sql } from "kysely";

export async function up(db) {
  await db.schema.alterTable("orders").addForeignKeyConstraint("orders_user_id_fkey", ["user_id"], "users", ["id"]).execute();
  await db.schema.alterTable("orders").addCheckConstraint("orders_amount_check", sql`amount >= 0`).execute();
  await db.schema.alterTable("orders").alterColumn("user_id", (column) => column.setNotNull()).execute();
}

export async function down(db) {
  await db.schema.alterTable("orders").alterColumn("user_id", (column) => column.dropNotNull()).execute();
  await db.schema.alterTable("orders").dropConstraint("orders_amount_check").execute();
  await db.schema.alterTable("orders").dropConstraint("orders_user_id_fkey").execute();
}
