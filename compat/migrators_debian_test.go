package compat

import (
	"os/exec"
	"path/filepath"
	"strconv"
)

// pythonMigrators are Debian's packages for its own Python.
func pythonMigrators() []migrator {
	return []migrator{alembicRound(), django()}
}

func alembicRound() migrator {
	command := func(p project, args ...string) *exec.Cmd {
		p.dsn = withScheme(p.dsn, "postgresql")
		cmd := p.command("/usr/bin/alembic", append([]string{"-c", filepath.Join(p.dir, "alembic.ini")}, args...)...)
		cmd.Env = append(cmd.Env, "PYTHONDONTWRITEBYTECODE=1")
		return cmd
	}
	return migrator{
		name: "alembic", version: "Debian 12: 1.8.1", driver: "psycopg2",
		transaction: "one for the run", lock: noLock,
		table:   "alembic_version",
		applied: "SELECT to_char(n, 'FM0000') FROM alembic_version, generate_series(1, version_num::integer) AS n ORDER BY n",
		install: debianPackage,
		up:      func(p project, _ int) *exec.Cmd { return command(p, "upgrade", "head") },
		down:    func(p project, _ int) *exec.Cmd { return command(p, "downgrade", "-1") },
		counts:  allRows,
		always:  true,
	}
}

// django records a migration whose SQL it has deferred after the COMMIT, and always so on the way back.
func django() migrator {
	names := []string{"zero", "0001", "0002", "0003", "0004", "0005"}
	command := func(p project, args ...string) *exec.Cmd {
		cmd := p.command("/usr/bin/python3", append([]string{"manage.py", "migrate", "--no-color", "shop"}, args...)...)
		cmd.Env = append(cmd.Env, "PYTHONDONTWRITEBYTECODE=1")
		return cmd
	}
	return migrator{
		name: "django", version: "Debian 12: 3.2.25", driver: "psycopg2",
		transaction: "one per migration", lock: noLock,
		table:   "django_migrations",
		applied: "SELECT app || '.' || name FROM django_migrations ORDER BY id",
		install: debianPackage,
		up:      func(p project, _ int) *exec.Cmd { return command(p) },
		down:    func(p project, to int) *exec.Cmd { return command(p, names[to]) },
		counts:  allRows,
		always:  true,
	}
}

// otherMigrators are Debian's packages for Ruby, Perl and PHP.
func otherMigrators() []migrator {
	return []migrator{rails(), sequel(), sqitch(), laravel()}
}

// rails holds its lock on a second connection.
func rails() migrator {
	return migrator{
		name: "rails", version: "Debian 12: ActiveRecord 6.1.7", driver: "libpq",
		transaction: "one per migration", lock: lockOrFail,
		table:   "schema_migrations",
		applied: "SELECT version FROM schema_migrations ORDER BY version",
		install: debianPackage,
		up:      newest("ruby", "migrate.rb", "up"),
		down:    newest("ruby", "migrate.rb", "down"),
		counts:  allRows,
	}
}

// sequel does all that a migration does to a table in one statement, where it can.
func sequel() migrator {
	command := func(p project, args ...string) *exec.Cmd {
		return p.command("sequel", append([]string{"-m", "migrations", p.dsn}, args...)...)
	}
	return migrator{
		name: "sequel", version: "Debian 12: 5.63.0", driver: "libpq",
		transaction: "one per migration", lock: noLock,
		table:   "schema_migrations",
		applied: "SELECT filename FROM schema_migrations ORDER BY filename",
		install: debianPackage,
		up:      func(p project, _ int) *exec.Cmd { return command(p) },
		down:    func(p project, to int) *exec.Cmd { return command(p, "-M", strconv.Itoa(20260101000000+to)) },
		counts:  allRows,
	}
}

// sqitch keeps its own tables on one connection, and has psql run the scripts on others.
func sqitch() migrator {
	command := func(p project, action string, args ...string) *exec.Cmd {
		cmd := p.command("sqitch", append([]string{action, "--target", "db:" + withScheme(p.dsn, "pg")}, args...)...)
		cmd.Env = append(cmd.Env, "SQITCH_USER_CONFIG=/dev/null", "HOME="+p.dir)
		return cmd
	}
	return migrator{
		name: "sqitch", version: "Debian 12: 1.3.1", driver: "psql and DBD::Pg",
		transaction: "what the script has", lock: lockOrFail,
		table:   "sqitch.changes",
		applied: "SELECT project || ':' || change FROM sqitch.changes ORDER BY committed_at",
		install: debianPackage,
		up:      func(p project, _ int) *exec.Cmd { return command(p, "deploy") },
		down: func(p project, to int) *exec.Cmd {
			if to == 0 {
				return command(p, "revert", "-y")
			}
			return command(p, "revert", "-y", "--to", "@HEAD^")
		},
	}
}

// laravel records a migration after the COMMIT.
func laravel() migrator {
	return migrator{
		name: "laravel", version: "Debian 12: 8.83.26", driver: "PDO",
		transaction: "one per migration", lock: noLock,
		table:   "migrations",
		applied: "SELECT migration FROM migrations ORDER BY id",
		install: debianPackage,
		up:      newest("php", "migrate.php", "up"),
		down:    newest("php", "migrate.php", "down"),
		counts:  allRows,
	}
}
