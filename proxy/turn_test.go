package proxy

import (
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// Who has the turn and waits for whoever looks at the versions beside it is not waited for: the look is let through, and what rests on it is refused.
func TestLookBesideOneThatWaitsForIt(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	w.configure(t, "exclusive wait")
	holder := pgtest.Connect(t, w.dsn)
	execSQL(t, holder, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); INSERT INTO alembic_version VALUES ('1')")
	var pid int
	var key int64 = turnKey
	if err := holder.QueryRow(t.Context(), "SELECT pg_backend_pid(), pg_advisory_lock($1)", key).Scan(&pid, nil); err != nil {
		t.Fatal(err)
	}
	client := w.conn(t, "a")
	execAll(t, client, "SELECT pg_advisory_lock(42)")
	locked := make(chan error, 1)
	go func() {
		_, err := holder.Exec(t.Context(), "SELECT pg_advisory_lock(42)")
		locked <- err
	}()
	side := pgtest.Connect(t, w.dsn)
	pgtest.WaitFor(t, side, "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", pid)

	const look, change = "SELECT version_num FROM alembic_version", "CREATE TABLE t (id int PRIMARY KEY)"
	refused := func(why string) {
		t.Helper()
		if err := execWire(client, change); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, want %q", err, why)
		}
	}
	w.configure(t, "exclusive refuse")
	if err := execWire(client, look); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("where nobody waits the look is let through: %v", err)
	}
	w.configure(t, "exclusive wait")
	if err := execWire(client, look); err != nil {
		t.Errorf("the look is refused: %v", err)
	}
	refused("cannot wait any longer")
	execAll(t, client, "SELECT pg_advisory_unlock(42)")
	if err := <-locked; err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(t.Context(), "SELECT pg_advisory_unlock_all()"); err != nil {
		t.Fatal(err)
	}
	refused("another one has run since it looked")
	execAll(t, client, look)
	execAll(t, client, change)
}
