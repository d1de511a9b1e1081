package proxy

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
)

// A client that prepares for ever is refused when there is no more room, and served again when it has closed something, by the protocol or by SQL.
func TestPreparedStatementsAreBounded(t *testing.T) {
	t.Parallel()
	config, err := pgconn.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	options := sessionOptions(t, Enforce)
	sessions := make(chan *session, 1)
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, func(ctx context.Context, l *link) error {
		s := newSession(&options, l)
		s.mostPrepared, s.untracked = 3, true
		defer func() { sessions <- s }()
		return s.run(ctx)
	})
	config.Host, config.Port, config.Fallbacks = f.tcp.Host, uint16(f.tcp.Port), nil
	client, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	execAll(t, client, "CREATE TABLE t (id int PRIMARY KEY, n int)")
	prepare := func(name, sql, want string) {
		t.Helper()
		if _, err := client.Prepare(t.Context(), name, sql, nil); run.SQLState(err) != want {
			t.Errorf("%s: the client is told %v, want %q", name, err, want)
		}
	}
	change := func(i int) string { return fmt.Sprintf("ALTER TABLE t ADD COLUMN IF NOT EXISTS c%d int", i) }
	for i := range 3 {
		prepare(fmt.Sprint("p", i), change(i), "")
	}
	prepare("p3", change(3), tooMany)
	prepare("harmless", "SELECT 1", "")
	execAll(t, client, "BEGIN")
	prepare("p3", change(3), tooMany)
	execAll(t, client, "ROLLBACK")
	if err := execWire(client, "PREPARE q AS UPDATE t SET n = 1"); run.SQLState(err) != tooMany {
		t.Errorf("by SQL the client is told %v", err)
	}
	if err := client.Deallocate(t.Context(), "p0"); err != nil {
		t.Fatal(err)
	}
	prepare("p3", change(3), "")
	prepare("p4", change(4), tooMany)
	execAll(t, client, "DEALLOCATE p1")
	prepare("p4", change(4), "")
	if result := client.ExecPrepared(t.Context(), "p4", nil, nil, nil).Read(); result.Err != nil {
		t.Error(result.Err)
	}
	for i := range 10 {
		prepare(fmt.Sprint("s", i), "SELECT 1", "")
		prepare(fmt.Sprint("d", i), "DEALLOCATE none", "")
	}
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := <-sessions
	if len(s.prepared) > 3 || len(s.harmless) > 3 || len(s.revealers) > 3 {
		t.Errorf("the session has kept %d, %d and %d statements", len(s.prepared), len(s.harmless), len(s.revealers))
	}
}
