package compat

import (
	"strings"
	"testing"

	migrate "github.com/golang-migrate/migrate/v4/database"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// TestTwoInstances: two instances of golang-migrate start at once, as they do where each replica of an application migrates. One
// waits for the advisory lock of the other, and that wait must not end in a deadlock with the other's concurrent index builds.
func TestTwoInstances(t *testing.T) {
	for _, tool := range tools() {
		if tool.testdata != "golang-migrate" {
			continue // Alembic takes no lock.
		}
		t.Run(tool.name, func(t *testing.T) {
			owner := pgtest.Role(t, "LOGIN")
			expected := newDatabase(t, owner)
			db := newDatabase(t, owner).throughProxy(t)
			series := tool.project(t)
			execute(t, tool.migrate(series, expected.tools, up, "0006")).succeeded(t, "upgrade directly")
			execute(t, tool.migrate(series, db.tools, up, "0001")).succeeded(t, "make the tables")
			db.fill(t, 50_000)

			// The tool takes the name of the database with the slash that is before it in the DSN.
			key, err := migrate.GenerateAdvisoryLockId("/"+db.admin.Config().Database, "public", tool.versions)
			if err != nil {
				t.Fatal(err)
			}
			holder := pgtest.Connect(t, db.direct)
			if _, err := holder.Exec(t.Context(), "SELECT pg_advisory_lock($1::text::bigint)", key); err != nil {
				t.Fatal(err)
			}
			one := start(t, tool.migrate(series, db.tools, up, "0006"))
			two := start(t, tool.migrate(series, db.tools, up, "0006"))
			// What a waiting session says last is the lock, or the nap between two tries.
			pgtest.WaitFor(t, db.admin, `SELECT count(*) = 2 FROM pg_stat_activity
				WHERE usename = $1 AND pid <> $2 AND query ~ 'advisory_lock|pg_sleep'`, owner, holder.PgConn().PID())
			if _, err := holder.Exec(t.Context(), "SELECT pg_advisory_unlock($1::text::bigint)", key); err != nil {
				t.Fatal(err)
			}
			said := one.wait().succeeded(t, "the first instance").output + two.wait().succeeded(t, "the second instance").output

			if applied := strings.Count(said, "/u "); applied != 5 {
				t.Errorf("%d migrations were applied, want 5:\n%s", applied, said)
			}
			db.checkFinished(t)
			db.checkSame(t, expected, tool)
		})
	}
}
