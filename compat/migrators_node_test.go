package compat

import (
	"net/url"
	"os/exec"
	"strconv"
)

// nodeMigrators are npm packages; testdata/node pins them.
func nodeMigrators() []migrator {
	all := []migrator{
		knex(), sequelize(), typeorm(), drizzle(), nodePgMigrate(), dbMigrate(), mikroORM(), kysely(), postgrator(), graphileMigrate(), dbmate(),
		liquibase(), prisma(),
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
		counts:  allRows,
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
		counts:  allRows,
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
		counts: allRows,
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
		counts:    allRows,
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
		counts:    allRows,
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

// liquibase is a Java program that comes as an npm package, too. It looks at its table before it takes its lock, and again behind it; its own look may
// come between those of another instance and what that one runs, which is then told to run again.
func liquibase() migrator {
	command := func(action string, args ...string) func(project, int) *exec.Cmd {
		return func(p project, _ int) *exec.Cmd {
			cmd := p.command(program("node/node_modules/liquibase/dist/liquibase/liquibase"),
				append([]string{"--changelog-file=changelog.xml", "--url=" + jdbcURL(p.dsn), action}, args...)...)
			// It is a program of a second, and asks for its lock every ten seconds unless it is told otherwise.
			cmd.Env = append(cmd.Env, "JAVA_OPTS=-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dliquibase.changelogLockPollRate=1")
			return cmd
		}
	}
	return migrator{
		name: "liquibase", version: "4.28.0", driver: "pgJDBC",
		transaction: "one per changeset", lock: waitsForRow,
		table:   "databasechangelog",
		applied: "SELECT filename || '::' || id || '::' || author FROM databasechangelog ORDER BY orderexecuted",
		up:      command("update"),
		down:    command("rollback-count", "--count=1"),
		deaf:    true,
		counts:  "Rows affected: 3002", // with those of its own table
	}
}

// prisma splits a file at its semicolons. Its engine is the one in its package. Without the variables it would download the other ones, of which it uses
// the schema engine to see whether it can connect, and ask for a newer version.
func prisma() migrator {
	migrations := []string{"0001_tables", "0002_indexes", "0003_constraints", "0004_columns", "0005_backfill", "0006_shipments"}
	command := func(p project, args ...string) *exec.Cmd {
		cmd := p.command(nodeProgram("prisma"), append([]string{"migrate"}, args...)...)
		cmd.Env = append(cmd.Env, "PRISMA_QUERY_ENGINE_LIBRARY=/dev/null", "PRISMA_SCHEMA_ENGINE_BINARY=/bin/true", "CHECKPOINT_DISABLE=1")
		return cmd
	}
	return migrator{
		name: "prisma", version: "6.19.3, @prisma/adapter-pg 7.10.1", driver: "node-pg",
		transaction: "none", lock: "waits for it up to 10 s, advisory",
		table:   `"_prisma_migrations"`,
		applied: `SELECT migration_name FROM "_prisma_migrations" WHERE finished_at IS NOT NULL ORDER BY finished_at`,
		up:      func(p project, _ int) *exec.Cmd { return command(p, "deploy") },
		repair:  func(p project, at int) *exec.Cmd { return command(p, "resolve", "--rolled-back", migrations[at]) },
	}
}

// jdbcURL is the DSN as JDBC spells it: the user stands among the parameters.
func jdbcURL(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic(err) // it is one of ours
	}
	query := u.Query()
	query.Set("user", u.User.Username())
	return "jdbc:postgresql://" + u.Host + u.Path + "?" + query.Encode()
}
