package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// held is a stage on which the COMMIT of a deferred unique index has been sent and waits: another session has the maintenance lock
// of the table, as another proxy's build would.
type held struct {
	*stage
	client  *pgconn.PgConn
	side    *pgx.Conn
	release func()
	answer  chan error
}

// holdCommit defers a unique index and sends COMMIT; it returns when the work has begun to wait.
func holdCommit(t *testing.T) *held {
	t.Helper()
	h := &held{stage: newStage(t, Enforce, true, false), answer: make(chan error, 1)}
	h.side = pgtest.Connect(t, h.dsn)
	execSQL(t, h.side, `CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g; CREATE TABLE version (v text)`)
	locker := pgtest.Connect(t, h.dsn)
	execSQL(t, locker, "SELECT pg_advisory_lock(1885827948, 't'::regclass::oid::int)")
	h.release = func() { execSQL(t, locker, "SELECT pg_advisory_unlock_all()") }

	h.client = h.conn(t, "a")
	for _, sql := range []string{"BEGIN", "CREATE UNIQUE INDEX t_a_key ON t (a)", "INSERT INTO version VALUES ('1')"} {
		if err := execWire(h.client, sql); err != nil {
			t.Fatal(err)
		}
	}
	go func() { h.answer <- execWire(h.client, "COMMIT") }()
	pgtest.WaitFor(t, h.side, "SELECT EXISTS (SELECT FROM pgsluice.promises WHERE state = 'running')")
	return h
}

func execSQL(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func execWire(conn *pgconn.PgConn, sql string) error {
	_, err := conn.Exec(context.Background(), sql).ReadAll()
	return err
}

func (h *held) one(t *testing.T, sql string) string {
	t.Helper()
	var value string
	if err := h.side.QueryRow(t.Context(), sql).Scan(&value); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

// A promise that data of other sessions breaks after the COMMIT is told as what it is: committed, not finished, with the command that
// finishes it, and never with the class of its cause.
func TestBrokenPromise(t *testing.T) {
	h := holdCommit(t)
	execSQL(t, h.side, "INSERT INTO t VALUES (1000, 1)")
	h.release()
	var failed *pgconn.PgError
	if err := <-h.answer; !errors.As(err, &failed) {
		t.Fatalf("COMMIT: %v", err)
	}
	if failed.Code != "PS001" || !strings.Contains(failed.Message, "the transaction is COMMITTED") ||
		!strings.Contains(failed.Message, "pgsluice jobs resume 1") || !strings.Contains(failed.Detail, "23505") {
		t.Errorf("COMMIT failed with %s: %s\n%s", failed.Code, failed.Message, failed.Detail)
	}
	if status := h.client.TxStatus(); status != 'I' {
		t.Errorf("status %c after it", status)
	}
	for sql, want := range map[string]string{
		"SELECT count(*)::text FROM version":                            "1",
		"SELECT count(*)::text FROM pg_class WHERE relname = 't_a_key'": "0",
		"SELECT state || ' ' || sqlstate FROM pgsluice.promises":        "failed 23505",
		"SELECT count(*)::text FROM pgsluice.artifacts":                 "0",
	} {
		if got := h.one(t, sql); got != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}

	// Tools that run again would find their version row and go on: the next schema change is refused with the command.
	err := execWire(h.client, "CREATE TABLE another (id int)")
	if !errors.As(err, &failed) || failed.Code != codeRefused || !strings.Contains(failed.Message, "pgsluice jobs resume 1") {
		t.Errorf("the next schema change: %v", err)
	}
	if err := execWire(h.client, "SELECT 1"); err != nil {
		t.Errorf("a mere query: %v", err)
	}
}

// Ctrl-C during COMMIT ends the wait, not the transaction: it is committed, and the work stays pending.
func TestCancelDuringCommit(t *testing.T) {
	h := holdCommit(t)
	for h.one(t, "SELECT state FROM pgsluice.promises") == "running" {
		// A backend ignores a cancel between two statements: it must find one that waits.
		pgtest.WaitFor(t, h.side, fmt.Sprintf(`SELECT (SELECT state <> 'running' FROM pgsluice.promises) OR EXISTS (
			SELECT FROM pg_stat_activity WHERE pid = %d AND state = 'active' AND query LIKE '%%pg_sleep%%')`, h.client.PID()))
		if err := h.client.CancelRequest(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-h.answer; err != nil {
		t.Errorf("COMMIT: %v", err)
	}
	if notices := fmt.Sprint(h.notices); !strings.Contains(notices, "the transaction is committed, but CREATE INDEX on public.t is not done yet") {
		t.Errorf("notices: %s", notices)
	}
	if got := h.one(t, "SELECT state FROM pgsluice.promises"); got != "pending" {
		t.Errorf("the promise is %s", got)
	}
	h.release()
	if err := execWire(h.client, "SELECT 1"); err != nil {
		t.Errorf("the connection afterwards: %v", err)
	}
}

// A client that vanishes while its COMMIT waits loses nothing: the work is done all the same.
func TestClientDiesDuringCommit(t *testing.T) {
	h := holdCommit(t)
	h.dead.Store(true)
	if err := h.client.Conn().Close(); err != nil {
		t.Fatal(err)
	}
	<-h.answer
	h.release()
	pgtest.WaitFor(t, h.side, "SELECT state = 'done' FROM pgsluice.promises")
	if got := h.one(t, "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 't_a_key'::regclass"); got != "true" {
		t.Errorf("valid: %s", got)
	}
}

// A server connection that dies while the COMMIT waits leaves the promise to whoever resumes it.
func TestServerDiesDuringCommit(t *testing.T) {
	h := holdCommit(t)
	execSQL(t, h.side, fmt.Sprintf("SELECT pg_terminate_backend(%d)", h.client.PID()))
	var told *pgconn.PgError
	if err := <-h.answer; !errors.As(err, &told) || told.Code != "PS001" || !strings.Contains(told.Message, "the transaction is COMMITTED") {
		t.Errorf("COMMIT: %v", err)
	}
	h.release()
	if got := h.one(t, "SELECT count(*)::text FROM version"); got != "1" {
		t.Errorf("%s version rows", got)
	}
	if got := h.one(t, "SELECT count(*)::text FROM pg_class WHERE relname = 't_a_key'"); got != "0" {
		t.Errorf("%s indexes", got)
	}
	if got := h.one(t, "SELECT (state IN ('pending', 'running'))::text FROM pgsluice.promises"); got != "true" {
		t.Errorf("the promise is not open any more")
	}
}

// A client that waits for an advisory lock waits without a snapshot: a concurrent build beside it is not held up, and gets no deadlock.
func TestAdvisoryLockIsPolled(t *testing.T) {
	w := newStage(t, Enforce, true, false)
	side := pgtest.Connect(t, w.dsn)
	execSQL(t, side, "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g")
	first, second := w.conn(t, "first"), w.conn(t, "second")
	if err := execWire(first, "SELECT pg_advisory_lock(7)"); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		got <- second.ExecParams(context.Background(), "SELECT pg_advisory_lock($1)", [][]byte{[]byte("7")}, nil, nil, nil).Read().Err
	}()
	pgtest.WaitFor(t, side, fmt.Sprintf("SELECT query LIKE '%%pg_sleep%%' FROM pg_stat_activity WHERE pid = %d", second.PID()))
	if err := execWire(first, "CREATE INDEX t_a ON t (a)"); err != nil {
		t.Errorf("the build beside the waiter: %v", err)
	}
	if err := execWire(first, "SELECT pg_advisory_unlock(7)"); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Errorf("the waiter: %v", err)
	}
	if granted := (&held{side: side}).one(t, fmt.Sprintf("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = %d", second.PID())); granted != "1" {
		t.Errorf("the waiter holds %s advisory locks", granted)
	}
}
