package control_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func open(t *testing.T, dsn string, notice func(string)) *control.Conn {
	t.Helper()
	conn, err := control.Connect(t.Context(), dsn, notice)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func pool(t *testing.T, options control.Options) *control.Pool {
	t.Helper()
	p, err := control.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func borrow(t *testing.T, p *control.Pool, database string) *control.Conn {
	t.Helper()
	conn, err := p.Conn(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func query(t *testing.T, conn *control.Conn, sql string, args ...string) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(rows, ",")
}

func sqlState(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.SQLState()
	}
	return ""
}

func databaseOf(t *testing.T, dsn string) string {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return config.Database
}

func TestConnAnswersText(t *testing.T) {
	conn := open(t, pgtest.Database(t), nil)
	for _, test := range []struct{ sql, want string }{
		{"SELECT i, 'ignored' FROM generate_series(1, 3) i", "1,2,3"},
		{"SELECT NULL::text", ""},
		{"SELECT true", "t"},
		{"SHOW search_path", "pg_catalog, pg_temp"},
		{"SHOW application_name", "pgsluice"},
	} {
		if got := query(t, conn, test.sql); got != test.want {
			t.Errorf("%s: got %q, want %q", test.sql, got, test.want)
		}
	}
	if got := query(t, conn, "SELECT $1::int + $2::int", "40", "2"); got != "42" {
		t.Errorf("parameters: got %q", got)
	}
	if tag, err := conn.Exec(t.Context(), "CREATE TABLE public.t (id int)"); tag != "CREATE TABLE" || err != nil {
		t.Errorf("got tag %q, %v", tag, err)
	}
}

// What others wrote is run on these connections: nothing can be hidden behind a semicolon.
func TestConnTakesOneStatement(t *testing.T) {
	conn := open(t, pgtest.Database(t), nil)
	if _, err := conn.Exec(t.Context(), "SELECT 1; SELECT 2"); sqlState(err) != "42601" {
		t.Errorf("got %v, want a syntax error", err)
	}
}

func TestConnHandsNoticesOver(t *testing.T) {
	var notices []string
	conn := open(t, pgtest.Database(t), func(message string) { notices = append(notices, message) })
	if _, err := conn.Exec(t.Context(), "DROP TABLE IF EXISTS public.missing"); err != nil {
		t.Fatal(err)
	}
	if len(notices) != 1 || !strings.Contains(notices[0], `"missing"`) {
		t.Errorf("got notices %q", notices)
	}
}

func TestInTx(t *testing.T) {
	conn := open(t, pgtest.Database(t), nil)
	if _, err := conn.Exec(t.Context(), "SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SET default_transaction_isolation = 'serializable'"); err != nil {
		t.Fatal(err)
	}
	var inside string
	err := conn.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := conn.Exec(ctx, "CREATE TABLE public.t (id int)"); err != nil {
			return err
		}
		inside = query(t, conn, "SHOW transaction_isolation")
		return nil
	})
	if err != nil || inside != "read committed" || conn.TxStatus() != 'I' {
		t.Fatalf("got %v, isolation %q, status %c", err, inside, conn.TxStatus())
	}

	refused := errors.New("refused")
	err = conn.InTx(t.Context(), func(ctx context.Context) error {
		if _, err := conn.Exec(ctx, "DROP TABLE public.t"); err != nil {
			return err
		}
		return refused
	})
	if !errors.Is(err, refused) || conn.TxStatus() != 'I' {
		t.Fatalf("got %v, status %c", err, conn.TxStatus())
	}
	if got := query(t, conn, "SELECT pg_catalog.to_regclass('public.t') IS NOT NULL"); got != "t" {
		t.Error("the failed transaction dropped the table")
	}

	// A swallowed error must not pass for a commit.
	err = conn.InTx(t.Context(), func(ctx context.Context) error {
		_, _ = conn.Exec(ctx, "SELECT 1 / 0")
		return nil
	})
	if err == nil || conn.TxStatus() != 'I' {
		t.Errorf("a rolled back transaction passed as committed, status %c", conn.TxStatus())
	}
}

func TestDoneContextCancelsOnTheServer(t *testing.T) {
	dsn := pgtest.Database(t)
	conn, watcher := open(t, dsn, nil), pgtest.Connect(t, dsn)
	pid := query(t, conn, "SELECT pg_catalog.pg_backend_pid()")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Query(ctx, "SELECT pg_catalog.pg_sleep(600)")
		ended <- err
	}()
	pgtest.WaitFor(t, watcher, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::text::int AND wait_event = 'PgSleep')", pid)
	cancel()
	if err := <-ended; sqlState(err) != "57014" {
		t.Errorf("got %v, want 57014", err)
	}
	if got := query(t, conn, "SELECT 1"); got != "1" {
		t.Errorf("the connection is spoilt: %q", got)
	}
}

func TestPoolUsesAConnectionAgain(t *testing.T) {
	p := pool(t, control.Options{DSN: pgtest.Database(t)})
	first := borrow(t, p, "")
	p.Release(first)
	if second := borrow(t, p, ""); second != first {
		t.Error("a resting connection was not used")
	} else {
		p.Release(second)
	}
}

func TestPoolDropsWhatTheServerClosed(t *testing.T) {
	dsn := pgtest.Database(t)
	p, watcher := pool(t, control.Options{DSN: dsn}), pgtest.Connect(t, dsn)
	conn := borrow(t, p, "")
	pid := query(t, conn, "SELECT pg_catalog.pg_backend_pid()")
	p.Release(conn)
	pgtest.WaitFor(t, watcher, "SELECT NOT EXISTS (SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::text::int)", pid)
	conn = borrow(t, p, "")
	defer p.Release(conn)
	if got := query(t, conn, "SELECT 1"); got != "1" {
		t.Errorf("got %q", got)
	}
}

// A session left in a transaction would hold locks for nobody.
func TestPoolClosesAnOpenTransaction(t *testing.T) {
	p := pool(t, control.Options{DSN: pgtest.Database(t)})
	conn := borrow(t, p, "")
	if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	p.Release(conn)
	again := borrow(t, p, "")
	defer p.Release(again)
	if again == conn {
		t.Error("the connection in a transaction was lent again")
	}
}

func TestPoolIsBounded(t *testing.T) {
	one, two := pgtest.Database(t), pgtest.Database(t)
	p := pool(t, control.Options{DSN: one, MaxConnections: 1})
	conn := borrow(t, p, "")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Conn(ctx, ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want a wait in vain", err)
	}
	p.Release(conn)
	// The idle one gives way to another database.
	other := borrow(t, p, databaseOf(t, two))
	if got := query(t, other, "SELECT pg_catalog.current_database()"); got != databaseOf(t, two) {
		t.Errorf("got database %q", got)
	}
	p.Release(other)
}

func TestPoolClosesIdleConnections(t *testing.T) {
	dsn := pgtest.Database(t)
	p, watcher := pool(t, control.Options{DSN: dsn, Idle: time.Millisecond}), pgtest.Connect(t, dsn)
	conn := borrow(t, p, "")
	pid := query(t, conn, "SELECT pg_catalog.pg_backend_pid()")
	p.Release(conn)
	pgtest.WaitFor(t, watcher, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1::text::int)", pid)
}

func TestPoolLeavesADatabase(t *testing.T) {
	admin := pgtest.Connect(t, pgtest.Database(t))
	p := pool(t, control.Options{DSN: pgtest.Database(t)})
	exec := func(sql string) {
		t.Helper()
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec("CREATE DATABASE pool_leaves")
	t.Cleanup(func() { _, _ = admin.Exec(context.Background(), "DROP DATABASE IF EXISTS pool_leaves WITH (FORCE)") })

	idle, busy := borrow(t, p, "pool_leaves"), borrow(t, p, "pool_leaves")
	p.Release(idle)
	left := make(chan error, 1)
	go func() { left <- p.CloseDatabase(t.Context(), "pool_leaves") }()
	if got := query(t, busy, "SELECT 1"); got != "1" {
		t.Errorf("a connection in use was cut: %q", got)
	}
	p.Release(busy)
	if err := <-left; err != nil {
		t.Fatal(err)
	}
	exec("DROP DATABASE pool_leaves")

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	own := databaseOf(t, admin.Config().ConnString())
	held := borrow(t, p, own)
	if err := p.CloseDatabase(ctx, own); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the connection in use reported", err)
	}
	p.Release(held)
}

func TestPoolNeverTouchesTemplates(t *testing.T) {
	admin := pgtest.Connect(t, pgtest.Database(t))
	p := pool(t, control.Options{DSN: pgtest.Database(t)})
	if _, err := admin.Exec(t.Context(), "CREATE DATABASE pool_mould IS_TEMPLATE true"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, sql := range []string{"ALTER DATABASE pool_mould IS_TEMPLATE false", "DROP DATABASE pool_mould WITH (FORCE)"} {
			if _, err := admin.Exec(context.Background(), sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	})
	for _, database := range []string{"template1", "template0", "pool_mould", "pool_mould"} {
		if _, err := p.Conn(t.Context(), database); !errors.Is(err, control.ErrTemplate) {
			t.Errorf("%s: got %v", database, err)
		}
	}
}

func TestClosedPoolLendsNothing(t *testing.T) {
	p := pool(t, control.Options{DSN: pgtest.Database(t)})
	p.Release(borrow(t, p, ""))
	p.Close()
	if _, err := p.Conn(t.Context(), ""); err == nil {
		t.Error("a closed pool lent a connection")
	}
}
