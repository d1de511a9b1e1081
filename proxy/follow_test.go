package proxy

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// What was prepared while the emergency door was open is judged when it is executed after the door is closed, and what has been read since is
// not looked up again.
func TestPreparedInModePass(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	execSQL(t, pgtest.Connect(t, w.dsn), "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g")
	conn := w.conn(t, "a")
	prepare := func(name, sql string) {
		t.Helper()
		if _, err := conn.Prepare(t.Context(), name, sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	run := func(name string) string {
		t.Helper()
		err := conn.ExecPrepared(t.Context(), name, nil, nil, nil).Read().Err
		var refused *pgconn.PgError
		if errors.As(err, &refused) {
			return refused.Code
		}
		if err != nil {
			t.Fatal(err)
		}
		return "done"
	}
	const strict = "rule index-not-concurrent block"
	w.configure(t, strict)
	prepare("replaced", "CREATE INDEX ON t (a)")
	w.configure(t, "mode pass")
	prepare("index", "CREATE INDEX ON t (a)")
	prepare("query", "SELECT 1")
	if err := conn.Deallocate(t.Context(), "replaced"); err != nil {
		t.Fatal(err)
	}
	prepare("replaced", "SELECT 2")
	if got := run("index"); got != "done" {
		t.Errorf("in mode pass an index is %s", got)
	}

	w.configure(t, strict)
	for name, want := range map[string]string{"index": codeRefused, "query": "done"} {
		_, err := conn.Exec(t.Context(), "EXECUTE "+name).ReadAll()
		got := "done"
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
			got = refused.Code
		}
		if got != want {
			t.Errorf("EXECUTE %s is %s, want %s", name, got, want)
		}
	}
	prepare("later", "CREATE INDEX ON t (a)")
	prepare("later query", "SELECT 3")
	for range 2 {
		for name, want := range map[string]string{
			"index": codeRefused, "query": "done", "replaced": "done", "later": codeRefused, "later query": "done",
		} {
			if got := run(name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
	if got := conn.TxStatus(); got != 'I' {
		t.Errorf("status %c", got)
	}
}

// Limits on logins change for connections that come from now on.
func TestSetLogins(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}, MaxLogins: 1}, nil)
	waiting := dialRaw(t, f.tcp)
	const refusal = "FATAL 53300 pgsluice refuses the connection: too many others are logging in"
	if got := dialRaw(t, f.tcp).fatal(); got != refusal {
		t.Errorf("got %q, want %q", got, refusal)
	}
	f.SetLogins(time.Minute, 2, 2)
	second := dialRaw(t, f.tcp)
	if got := dialRaw(t, f.tcp).fatal(); got != refusal {
		t.Errorf("over the new limit got %q, want %q", got, refusal)
	}
	f.SetLogins(time.Millisecond, 3, 3)
	dialRaw(t, f.tcp).closed()
	for _, c := range []*rawClient{waiting, second} {
		c.send(startupPacket(version30, "user", "postgres"))
		c.until('Z')
	}
}
