// What Postgrator's documentation gives as a migration script; the argument is the version to go to, or "max".
import Postgrator from "postgrator";
import pg from "pg";

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
try {
  const postgrator = new Postgrator({
    migrationPattern: "./*.sql",
    driver: "pg",
    execQuery: (query) => client.query(query),
  });
  postgrator.on("migration-finished", ({ action, filename }) => console.log(action, filename));
  await postgrator.migrate(process.argv[2]);
} finally {
  await client.end();
}
