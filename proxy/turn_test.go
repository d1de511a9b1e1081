package proxy

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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
	execSQL(t, holder, "UPDATE alembic_version SET version_num = '2'; SELECT pg_advisory_unlock_all()")
	refused("another one has changed alembic_version")
	execAll(t, client, look)
	execAll(t, client, change)
}

// The one that has the turn waits for a session that waits for the one that wants it. The server sees no deadlock: this one waits by asking.
func TestTurnOfOneThatWaitsThroughOthers(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	w.configure(t, "exclusive wait")
	holder, between, side := pgtest.Connect(t, w.dsn), pgtest.Connect(t, w.dsn), pgtest.Connect(t, w.dsn)
	execSQL(t, holder, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
	client := w.conn(t, "a")
	execAll(t, client, "SELECT version_num FROM alembic_version")
	execAll(t, client, "SELECT pg_advisory_lock(42)")
	var key int64 = turnKey
	execSQL(t, holder, fmt.Sprintf("SELECT pg_advisory_lock(%d)", key))
	execSQL(t, between, "SELECT pg_advisory_lock(43)")
	ended := make(chan error, 2)
	for conn, lock := range map[*pgx.Conn]int{between: 42, holder: 43} {
		go func() {
			_, err := conn.Exec(t.Context(), fmt.Sprintf("SELECT pg_advisory_lock(%d)", lock))
			ended <- err
		}()
	}
	pgtest.WaitFor(t, side, "SELECT count(*) = 2 FROM pg_locks WHERE pid IN ($1, $2) AND NOT granted", int(between.PgConn().PID()), int(holder.PgConn().PID()))
	if err := execWire(client, "CREATE TABLE t (id int PRIMARY KEY)"); err == nil || !strings.Contains(err.Error(), "cannot wait any longer") {
		t.Errorf("got %v", err)
	}
	execAll(t, client, "SELECT pg_advisory_unlock(42)")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	execSQL(t, between, "SELECT pg_advisory_unlock_all()")
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A login that may not see who does what is not stopped by that: it looks, and it waits for the turn all the same.
func TestTurnOfLoginThatSeesNobody(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	w.configure(t, "exclusive refuse")
	login, direct := pgtest.Role(t, "LOGIN"), pgtest.Connect(t, w.dsn)
	execSQL(t, direct, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); GRANT ALL ON alembic_version TO "+login+
		"; GRANT ALL ON SCHEMA public TO "+login+"; REVOKE EXECUTE ON FUNCTION pg_stat_get_activity(integer) FROM PUBLIC")
	client := w.open(t, "plain", map[string]string{"user": login})
	execAll(t, client, "BEGIN")
	execAll(t, client, "SELECT version_num FROM alembic_version")
	execAll(t, client, "CREATE TABLE t (id int PRIMARY KEY)")
	execAll(t, client, "COMMIT")
}

// Three programs that do as Alembic does, through two proxies, find the same revisions missing in an empty database. Each is at work when the others come, and
// none has to be run again.
func TestThreeAtOnce(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	w.configure(t, "exclusive wait")
	others := w.another(t)
	clients := []*pgconn.PgConn{w.conn(t, "a"), w.conn(t, "b"), others.conn(t, "c")}
	upgrade := func(client *pgconn.PgConn) error {
		ask := func(sql string) (string, error) {
			results, err := client.Exec(context.WithoutCancel(t.Context()), sql).ReadAll()
			if err != nil || len(results) == 0 || len(results[0].Rows) == 0 {
				return "", err
			}
			return string(results[0].Rows[0][0]), nil
		}
		if _, err := ask("BEGIN"); err != nil {
			return err
		}
		version, err := ask("SELECT relname FROM pg_class WHERE pg_table_is_visible(oid) AND relname = 'alembic_version'")
		if err == nil && version != "" {
			version, err = ask("SELECT version_num FROM alembic_version")
		} else if err == nil {
			_, err = ask("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
		}
		if err != nil {
			return err
		}
		steps := []string{
			"CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO alembic_version VALUES ('1')",
			"ALTER TABLE t ADD COLUMN a int", "UPDATE alembic_version SET version_num = '2' WHERE version_num = '1'",
		}
		if version == "2" {
			steps = nil
		}
		for _, sql := range append(steps, "COMMIT") {
			if _, err := ask(sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return client.Close(context.WithoutCancel(t.Context()))
	}
	ended := make(chan error)
	for _, client := range clients {
		go func() { ended <- upgrade(client) }()
	}
	for range clients {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Who looked, or migrates, is waited for no longer once its client has died, whichever proxy it came through: the server keeps all of it.
func TestTurnOfDeadClient(t *testing.T) {
	t.Parallel()
	for name, migrates := range map[string]bool{"looked": false, "migrates": true} {
		t.Run(name, func(t *testing.T) {
			w := newStage(t, Enforce, true, false)
			w.configure(t, "exclusive wait")
			other := w.another(t)
			setup := pgtest.Connect(t, w.dsn)
			execSQL(t, setup, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); INSERT INTO alembic_version VALUES ('1')")
			const look, change = "SELECT version_num FROM alembic_version", "CREATE TABLE t (id int PRIMARY KEY)"
			dead := w.conn(t, "a")
			execAll(t, dead, "BEGIN")
			execAll(t, dead, look)
			if migrates {
				execAll(t, dead, change)
			}
			client := other.conn(t, "b")
			execAll(t, client, "BEGIN")
			looked := make(chan error, 1)
			go func() { looked <- execWire(client, look) }()
			select {
			case <-other.noticed:
			case err := <-looked:
				t.Fatalf("it did not wait: %v", err)
			}
			// The kernel ends the connection of a killed process so when it has not read everything, and in an orderly way otherwise.
			socket := dead.Conn().(*net.TCPConn)
			if err := socket.SetLinger(0); err != nil {
				t.Fatal(err)
			}
			if err := socket.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-looked; err != nil {
				t.Fatal(err)
			}
			execAll(t, client, change)
			execAll(t, client, "COMMIT")
		})
	}
}

// A question for the version table that is prepared once and executed with this name and that is told by the name, in both formats.
func TestAskedByPreparedStatement(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	w.configure(t, "exclusive refuse")
	holder := w.conn(t, "holder")
	execAll(t, holder, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); INSERT INTO alembic_version VALUES ('1')")
	client := w.conn(t, "a")
	for name, sql := range map[string]string{
		"class":  "SELECT c.relname FROM pg_class AS c WHERE c.relname = $1",
		"tables": "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_name = $1::varchar",
	} {
		if _, err := client.Prepare(t.Context(), name, sql, nil); err != nil {
			t.Fatal(err)
		}
		for _, asked := range []string{"pg_type", "alembic_version", "other", "alembic_version"} {
			for _, format := range []int16{0, 1} {
				execAll(t, client, "BEGIN")
				result := client.ExecPrepared(t.Context(), name, [][]byte{[]byte(asked)}, []int16{format}, nil).Read()
				if refused := result.Err != nil && strings.Contains(result.Err.Error(), "one-migration"); refused != (asked == "alembic_version") {
					t.Errorf("%s asks for %s in format %d beside a migration: %v", name, asked, format, result.Err)
				}
				execAll(t, client, "ROLLBACK")
			}
		}
	}
}
