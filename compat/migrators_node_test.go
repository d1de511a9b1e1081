package compat

import (
	"os/exec"
	"strconv"
)

// nodeMigrators are npm packages; testdata/node pins them.
func nodeMigrators() []migrator {
	all := []migrator{
		knex(), sequelize(), typeorm(), drizzle(), nodePgMigrate(), dbMigrate(), mikroORM(), kysely(), postgrator(), graphileMigrate(), dbmate(),
	}
	for i := range all {
		all[i].install = nodePackages
	}
	return all
}

// bulkWrite is what a backfill needs where the tool cannot leave its transaction.
var bulkWrite = []string{"bulk-write"}

// knex runs what is pending in one transaction, unless one of the files opts out.
func knex() migrator {
	return migrator{
		name: "knex", version: "3.3.0", driver: "node-pg",
		transaction: "one for the run; one per migration when one opts out", lock: rowLockOrFail,
		table:   "knex_migrations",
		applied: "SELECT name FROM knex_migrations ORDER BY id",
		up:      newest(nodeProgram("knex"), "migrate:latest"),
		down:    newest(nodeProgram("knex"), "migrate:down"),
		counts:  true,
		always:  true,
	}
}

func sequelize() migrator {
	command := func(action string) func(project, int) *exec.Cmd {
		return func(p project, _ int) *exec.Cmd {
			return p.command(nodeProgram("sequelize-cli"), action, "--url", p.dsn, "--migrations-path", "migrations")
		}
	}
	return migrator{
		name: "sequelize", version: "6.37.8", driver: "node-pg",
		transaction: "none", lock: noLock,
		table:   `"SequelizeMeta"`,
		applied: `SELECT name FROM "SequelizeMeta" ORDER BY name`,
		up:      command("db:migrate"),
		down:    command("db:migrate:undo"),
		counts:  true,
		always:  true,
	}
}

func typeorm() migrator {
	return migrator{
		name: "typeorm", version: "1.1.1", driver: "node-pg",
		transaction: "one per migration (`-t each`)", lock: noLock,
		table:   "migrations",
		applied: "SELECT name FROM migrations ORDER BY id",
		up:      newest(nodeProgram("typeorm"), "migration:run", "-d", "data-source.js", "-t", "each"),
		// Its way back knows no migration without a transaction, only a run without.
		down:   newest(nodeProgram("typeorm"), "migration:revert", "-d", "data-source.js", "-t", "none"),
		counts: true,
	}
}

func drizzle() migrator {
	return migrator{
		name: "drizzle", version: "0.45.4", driver: "node-pg",
		transaction: "one for the run", lock: noLock,
		table:     `drizzle."__drizzle_migrations"`,
		applied:   `SELECT created_at::text FROM drizzle."__drizzle_migrations" ORDER BY created_at`,
		up:        newest(nodeProgram("node"), "migrate.mjs"),
		overrides: bulkWrite,
		always:    true,
	}
}

func nodePgMigrate() migrator {
	return migrator{
		name: "node-pg-migrate", version: "9.0.0", driver: "node-pg",
		transaction: "one for the run", lock: lockOrFail,
		table:   "pgmigrations",
		applied: "SELECT name FROM pgmigrations ORDER BY id",
		up:      newest(nodeProgram("node-pg-migrate"), "up", "-m", "migrations"),
		down:    newest(nodeProgram("node-pg-migrate"), "down", "-m", "migrations"),
		always:  true,
	}
}

func dbMigrate() migrator {
	return migrator{
		name: "db-migrate", version: "0.11.14", driver: "node-pg",
		transaction: "one per migration", lock: noLock,
		table:     "migrations",
		applied:   "SELECT name FROM migrations ORDER BY id",
		up:        newest(nodeProgram("db-migrate"), "up", "-e", "dev"),
		down:      newest(nodeProgram("db-migrate"), "down", "-e", "dev"),
		overrides: bulkWrite,
	}
}

// mikroORM has a savepoint for each migration.
func mikroORM() migrator {
	return migrator{
		name: "mikro-orm", version: "6.4.0", driver: "node-pg",
		transaction: "one for the run, a savepoint per migration", lock: noLock,
		table:     "mikro_orm_migrations",
		applied:   "SELECT name FROM mikro_orm_migrations ORDER BY id",
		up:        newest(nodeProgram("node"), "migrate.js", "up"),
		down:      newest(nodeProgram("node"), "migrate.js", "down"),
		overrides: bulkWrite,
		counts:    true,
	}
}

func kysely() migrator {
	return migrator{
		name: "kysely", version: "0.28.18", driver: "node-pg",
		transaction: "one for the run", lock: waitsForLock,
		table:     "kysely_migration",
		applied:   "SELECT name FROM kysely_migration ORDER BY name",
		up:        newest(nodeProgram("node"), "migrate.mjs", "up"),
		down:      newest(nodeProgram("node"), "migrate.mjs", "down"),
		overrides: bulkWrite,
		counts:    true,
		always:    true,
	}
}

// postgrator sends each file as one Query, in no transaction.
func postgrator() migrator {
	return migrator{
		name: "postgrator", version: "8.0.0", driver: "node-pg",
		transaction: "none; the server's own for a file of several statements", lock: noLock,
		table:   "schemaversion",
		applied: "SELECT version::text FROM schemaversion WHERE version > 0 ORDER BY version",
		up:      newest(nodeProgram("node"), "migrate.mjs", "max"),
		down: func(p project, to int) *exec.Cmd {
			return p.command(nodeProgram("node"), "migrate.mjs", strconv.Itoa(to))
		},
	}
}

// graphileMigrate sends each file as one Query, within a transaction.
func graphileMigrate() migrator {
	return migrator{
		name: "graphile-migrate", version: "1.4.1", driver: "node-pg",
		transaction: "one per migration", lock: lockOrFail,
		table:   "graphile_migrate.migrations",
		applied: "SELECT filename FROM graphile_migrate.migrations ORDER BY filename",
		up:      newest(nodeProgram("graphile-migrate"), "migrate"),
	}
}

// dbmate is a Go program that comes as an npm package, too.
func dbmate() migrator {
	return migrator{
		name: "dbmate", version: "2.36.0", driver: "lib/pq",
		transaction: "one per migration", lock: noLock,
		table:   "schema_migrations",
		applied: "SELECT version FROM schema_migrations ORDER BY version",
		up:      newest(program("node/node_modules/@dbmate/linux-x64/bin/dbmate"), "--migrations-dir", ".", "--no-dump-schema", "migrate"),
		down:    newest(program("node/node_modules/@dbmate/linux-x64/bin/dbmate"), "--migrations-dir", ".", "--no-dump-schema", "rollback"),
		always:  true,
	}
}
