// What Kysely's documentation gives as a migration script: "up" brings the database to the newest migration, "down" takes back the last.
import { promises as fs } from "node:fs";
import path from "node:path";
import { FileMigrationProvider, Kysely, Migrator, PostgresDialect } from "kysely";
import pg from "pg";

const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: process.env.DATABASE_URL }) }) });
const provider = new FileMigrationProvider({ fs, path, migrationFolder: path.resolve("migrations") });
const migrator = new Migrator({ db, provider });
const { error, results } = process.argv[2] === "up" ? await migrator.migrateToLatest() : await migrator.migrateDown();
for (const { migrationName, direction, status } of results ?? []) console.log(direction, migrationName, status);
if (error) {
  console.error(error);
  process.exitCode = 1;
}
await db.destroy();
