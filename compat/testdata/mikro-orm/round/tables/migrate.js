// "up" brings the database to the newest migration, "down" takes back the last.
const { MikroORM } = require("@mikro-orm/postgresql");
const { Migrator } = require("@mikro-orm/migrations");

(async () => {
  const orm = await MikroORM.init({
    clientUrl: process.env.DATABASE_URL,
    extensions: [Migrator],
    entities: [],
    discovery: { warnWhenNoEntities: false },
    migrations: { path: "./migrations", glob: "*.js", snapshot: false },
  });
  try {
    const migrator = orm.getMigrator();
    for (const { name } of process.argv[2] === "up" ? await migrator.up() : await migrator.down()) console.log(name);
  } finally {
    await orm.close();
  }
})().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
