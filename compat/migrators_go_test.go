package compat

import (
	"os/exec"
	"strconv"
)

// goMigrators are built by go install, or with the module of this folder.
func goMigrators() []migrator {
	return []migrator{
		golangMigrateRound("golang-migrate", "postgres", "lib/pq"),
		goose(), tern(), sqlMigrate(), gormigrate(), bun(),
	}
}

// golangMigrateRound sends each file as one Query, in no transaction.
func golangMigrateRound(name, scheme, driver string) migrator {
	command := func(p project, args ...string) *exec.Cmd {
		return p.command(program("migrate"), append([]string{"-path", p.dir, "-database", withScheme(p.dsn, scheme)}, args...)...)
	}
	return migrator{
		name: name, version: "4.20.1", driver: driver,
		transaction: "none; the server's own for a file of several statements", lock: waitsForLock,
		table:   "schema_migrations",
		applied: "SELECT n::text FROM schema_migrations, generate_series(1, version - dirty::integer) AS n ORDER BY n",
		up:      func(p project, _ int) *exec.Cmd { return command(p, "up") },
		down:    func(p project, _ int) *exec.Cmd { return command(p, "down", "1") },
		repair:  func(p project, at int) *exec.Cmd { return command(p, "force", strconv.Itoa(at)) },
		install: debianPackage, // TestMain has built it
		always:  true,
	}
}

func goose() migrator {
	command := func(action string) func(project, int) *exec.Cmd {
		return func(p project, _ int) *exec.Cmd {
			return p.command(program("goose"), "-dir", p.dir, "postgres", p.dsn, action)
		}
	}
	return migrator{
		name: "goose", version: "3.29.0", driver: "pgx",
		transaction: "one per migration", lock: noLock,
		table:   "goose_db_version",
		applied: "SELECT version_id::text FROM goose_db_version WHERE version_id > 0 ORDER BY version_id",
		install: goProgram("github.com/pressly/goose/v3/cmd/goose", "v3.29.0",
			"no_clickhouse no_libsql no_mssql no_mysql no_sqlite3 no_vertica no_ydb no_starrocks"),
		up: command("up"), down: command("down"),
		always: true,
	}
}

// tern sends each file as one Query, within a transaction.
func tern() migrator {
	command := func(p project, to string) *exec.Cmd {
		return p.command(program("tern"), "migrate", "--migrations", p.dir, "--conn-string", p.dsn, "--destination", to)
	}
	return migrator{
		name: "tern", version: "2.3.4", driver: "pgx",
		transaction: "one per migration", lock: waitsForLock,
		table:   "schema_version",
		applied: "SELECT n::text FROM schema_version, generate_series(1, version) AS n ORDER BY n",
		install: goProgram("github.com/jackc/tern/v2", "v2.3.4", ""),
		up:      func(p project, _ int) *exec.Cmd { return command(p, "last") },
		down:    func(p project, _ int) *exec.Cmd { return command(p, "-1") },
		deaf:    true,
		always:  true,
	}
}

func sqlMigrate() migrator {
	return migrator{
		name: "sql-migrate", version: "1.8.1", driver: "lib/pq",
		transaction: "one per migration", lock: noLock,
		table:   "gorp_migrations",
		applied: "SELECT id FROM gorp_migrations ORDER BY id",
		install: goProgram("github.com/rubenv/sql-migrate/sql-migrate", "v1.8.1", ""),
		up:      newest(program("sql-migrate"), "up"),
		down:    newest(program("sql-migrate"), "down"),
		always:  true,
	}
}

// gormigrate is a library: the program in testdata has the migrations in it.
func gormigrate() migrator {
	return migrator{
		name: "gormigrate", version: "2.1.5 with gorm 1.31.1", driver: "pgx",
		transaction: "none", lock: noLock,
		table:   "migrations",
		applied: "SELECT id FROM migrations ORDER BY id",
		install: goModule("gormigrate"),
		up:      func(p project, to int) *exec.Cmd { return p.command(program("gormigrate"), "up", strconv.Itoa(to)) },
		down:    newest(program("gormigrate"), "down"),
		deaf:    true,
		counts:  allRows,
		always:  true,
	}
}

// bun is a library, with a driver of its own.
func bun() migrator {
	return migrator{
		name: "bun", version: "1.3.0", driver: "pgdriver",
		transaction: "one per migration, where its file says `.tx`", lock: rowLockOrFail,
		table:   "bun_migrations",
		applied: "SELECT name FROM bun_migrations ORDER BY id",
		install: goModule("bun"),
		up:      newest(program("bun"), "up"),
		down:    newest(program("bun"), "down"),
		sets:    true,
	}
}
