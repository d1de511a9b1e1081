package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
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
func holdCommit(t *testing.T, change ...func(*SessionOptions)) *held {
	t.Helper()
	return holdCommitOf(t, nil, change...)
}

// holdCommitOf does so in a transaction with more statements behind the index.
func holdCommitOf(t *testing.T, more []string, change ...func(*SessionOptions)) *held {
	t.Helper()
	h := &held{stage: newStage(t, Enforce, true, false), answer: make(chan error, 1)}
	for _, c := range change {
		options := *h.server.following.Load()
		c(&options)
		h.server.SetSession(options)
	}
	h.side = pgtest.Connect(t, h.dsn)
	execSQL(t, h.side, `CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g; CREATE TABLE version (v text)`)
	locker := pgtest.Connect(t, h.dsn)
	execSQL(t, locker, "SELECT pg_advisory_lock(1885827948, 't'::regclass::oid::int)")
	h.release = func() { execSQL(t, locker, "SELECT pg_advisory_unlock_all()") }

	h.client = h.conn(t, "a")
	for _, sql := range append([]string{"BEGIN", "CREATE UNIQUE INDEX t_a_key ON t (a)", "INSERT INTO version VALUES ('1')"}, more...) {
		if err := execWire(h.client, sql); err != nil {
			t.Fatal(err)
		}
	}
	go func() { h.answer <- execWire(h.client, "COMMIT") }()
	pgtest.WaitFor(t, h.side, "SELECT EXISTS (SELECT FROM pgsluice.promises WHERE state = 'running')")
	return h
}

// Work that somebody gives up while the session is still at what comes before it is never taken for done: its COMMIT says so, and so does the ledger.
func TestPromiseGivenUpDuringCommit(t *testing.T) {
	t.Parallel()
	h := holdCommitOf(t, []string{"CREATE INDEX t_more ON t (a, id)"})
	id, err := strconv.ParseInt(h.one(t, "SELECT max(id)::text FROM pgsluice.promises"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.ledger(t).Void(t.Context(), id, "not needed"); err != nil {
		t.Fatal(err)
	}
	h.release()
	if err := <-h.answer; err != nil {
		t.Errorf("COMMIT: %v", err)
	}
	if notices := fmt.Sprint(h.notices); !strings.Contains(notices,
		"WARNING: pgsluice: the transaction is committed, but CREATE INDEX on public.t is not done whole, and never will be: promise N was given up: not needed") {
		t.Errorf("notices: %s", notices)
	}
	h.is(t, "SELECT string_agg(state, ' ' ORDER BY id) FROM pgsluice.promises", "done void")
	h.is(t, "SELECT string_agg(relname, ' ') FROM pg_class WHERE relname IN ('t_a_key', 't_more')", "t_a_key")
}

// is fails when a query has another answer.
func (h *held) is(t *testing.T, sql, want string) {
	t.Helper()
	if got := h.one(t, sql); got != want {
		t.Errorf("%s: %q, want %q", sql, got, want)
	}
}

// ledger is that of the stage.
func (h *held) ledger(t *testing.T) *revisions.Ledger {
	t.Helper()
	conn, err := control.Connect(t.Context(), h.dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	ledger, err := revisions.Open(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	return ledger
}

// What a crash has left and nobody but its login may finish, a fill for example, is finished as soon as the login changes a schema again, however long
// everybody else is to leave it alone.
func TestLoginFinishesWhatIsLeftToIt(t *testing.T) {
	t.Parallel()
	h := holdCommit(t)
	execSQL(t, h.side, fmt.Sprintf("SELECT pg_terminate_backend(%d)", h.client.PID()))
	<-h.answer
	pgtest.WaitFor(t, h.side, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", int(h.client.PID()))
	ledger, by := h.ledger(t), revisions.Runner{Name: "keeper", PID: 1, BackendStart: 1}
	for _, step := range []func() error{
		func() error {
			claimed, err := ledger.Claim(t.Context(), by, revisions.ClaimOptions{ID: 1, Early: true})
			if err == nil && len(claimed) != 1 {
				err = fmt.Errorf("claimed %d promises", len(claimed))
			}
			return err
		},
		func() error { _, err := ledger.Start(t.Context(), 1, by); return err },
		func() error { return ledger.Postpone(t.Context(), 1, by, "42501", "left to its login", time.Hour) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	h.release()
	if err := execWire(h.conn(t, "b"), "CREATE INDEX version_v ON version (v)"); err != nil {
		t.Fatal(err)
	}
	if notices := fmt.Sprint(h.notices); !strings.Contains(notices, "first CREATE INDEX on public.t is finished, which an earlier transaction of this login has deferred (promise N)") {
		t.Errorf("notices: %s", notices)
	}
	h.is(t, "SELECT state FROM pgsluice.promises WHERE id = 1", "done")
	h.is(t, "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname IN ('t_a_key', 'version_v')", "t_a_key version_v")
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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

// With deferred.on_failure warn the COMMIT is answered as what it is, and what is missing is a warning.
func TestBrokenPromiseThatIsOnlyWarnedOf(t *testing.T) {
	t.Parallel()
	h := holdCommit(t, func(o *SessionOptions) { o.WarnOnFailure = true })
	execSQL(t, h.side, "INSERT INTO t VALUES (1000, 1)")
	h.release()
	if err := <-h.answer; err != nil {
		t.Errorf("COMMIT: %v", err)
	}
	if notices := fmt.Sprint(h.notices); !strings.Contains(notices, "WARNING: pgsluice: the transaction is COMMITTED, but CREATE INDEX on public.t could not be finished") {
		t.Errorf("notices: %s", notices)
	}
	if got := h.one(t, "SELECT state || ' ' || sqlstate FROM pgsluice.promises"); got != "failed 23505" {
		t.Errorf("the promise is %s", got)
	}
}

// A COMMIT whose answer is lost with the server's connection is resolved by the transaction's status: the client is told which.
func TestCommitInFlight(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cutBefore     bool
		code, message string
		rows          string
	}{
		"lost before it arrived": {true, "40000", "the transaction was rolled back", "0"},
		"lost with the answer":   {false, "PS001", "the transaction is COMMITTED", "1"},
	} {
		for _, protocol := range []string{"simple", "extended"} {
			t.Run(name+", "+protocol, func(t *testing.T) {
				w := newStage(t, Enforce, true, false)
				w.server.upstream.options.Addresses = []Address{fragile(t, addressOf(pgtest.Server(t)), test.cutBefore)}
				side := pgtest.Connect(t, w.dsn)
				execSQL(t, side, "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g; CREATE TABLE version (v text)")
				client := w.conn(t, "a")
				for _, sql := range []string{"BEGIN", "CREATE INDEX t_a ON t (a)", "INSERT INTO version VALUES ('1')"} {
					if err := execWire(client, sql); err != nil {
						t.Fatal(err)
					}
				}
				err := execWire(client, "COMMIT")
				if protocol == "extended" {
					err = errors.Join(err, client.ExecParams(t.Context(), "COMMIT", nil, nil, nil, nil).Read().Err)
				}
				var told *pgconn.PgError
				if !errors.As(err, &told) || told.Code != test.code || !strings.Contains(told.Message, test.message) {
					t.Errorf("COMMIT: %v", err)
				}
				for sql, want := range map[string]string{
					"SELECT count(*)::text FROM version":                                   test.rows,
					"SELECT count(*)::text FROM pgsluice.promises WHERE state = 'pending'": test.rows,
					"SELECT count(*)::text FROM pg_class WHERE relname = 't_a'":            "0",
					"SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())": "0",
				} {
					if got := (&held{side: side}).one(t, sql); got != want {
						t.Errorf("%s: %s, want %s", sql, got, want)
					}
				}
			})
		}
	}
}

// fragile is an address from which the server is reached until a COMMIT passes: then the connection breaks, before the server has it or
// before its answer is passed on.
func fragile(t *testing.T, server Address, cutBefore bool) Address {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	carry := func(from, to net.Conn, cut bool, word []byte) {
		defer from.Close()
		defer to.Close()
		for buffer := make([]byte, 64<<10); ; {
			n, err := from.Read(buffer)
			if err != nil || cut && bytes.Contains(buffer[:n], word) {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
	go func() {
		for {
			proxy, err := listener.Accept()
			if err != nil {
				return
			}
			real, err := net.Dial("tcp", server.String())
			if err != nil {
				_ = proxy.Close()
				return
			}
			go carry(proxy, real, cutBefore, []byte("COMMIT\x00"))
			go carry(real, proxy, !cutBefore, []byte("COMMIT\x00"))
		}
	}()
	return Address{Host: "127.0.0.1", Port: listener.Addr().(*net.TCPAddr).Port}
}

// Nothing that a tool sets or resets undoes the protection: others get through while the lock is tried for.
func TestProtectionSurvivesSettings(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	side := pgtest.Connect(t, w.dsn)
	execSQL(t, side, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)")
	for n, setting := range []string{"SET lock_timeout = 0", "RESET ALL", "DISCARD ALL", "RESET lock_timeout", "BEGIN; SET LOCAL lock_timeout = 0", "SELECT set_config('lock_timeout', '0', false)"} {
		t.Run(setting, func(t *testing.T) {
			client := w.conn(t, setting)
			if err := execWire(client, setting); err != nil {
				t.Fatal(err)
			}
			blocker, reader := pgtest.Connect(t, w.dsn), pgtest.Connect(t, w.dsn)
			execSQL(t, blocker, "BEGIN; SELECT FROM t")
			done := make(chan error, 1)
			go func() { done <- execWire(client, fmt.Sprintf("ALTER TABLE t ADD COLUMN c%d int", n)) }()
			pgtest.WaitFor(t, side, "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", int(client.PID()))
			execSQL(t, reader, "SELECT FROM t") // for ever, were the ALTER in front of it for ever
			execSQL(t, blocker, "COMMIT")
			if err := <-done; err != nil {
				t.Error(err)
			}
			if client.TxStatus() == 'T' {
				if err := execWire(client, "COMMIT"); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// Who was in the way is in the trail, with what the control login sees of it, but no literal of anybody's.
func TestBlockersAreRecorded(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	options := *w.server.following.Load()
	options.Lock = run.Options{LockBudget: 6 * time.Second, FirstTry: 3 * time.Second, LongestTry: 3 * time.Second} // long enough to be looked at
	w.server.SetSession(options)
	side := pgtest.Connect(t, w.dsn)
	execSQL(t, side, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)")
	blocker := pgtest.Connect(t, w.dsn)
	execSQL(t, blocker, "SET application_name = 'report'; BEGIN; SELECT FROM t WHERE id::text <> 'the secret'")
	if err := execWire(w.conn(t, "a"), "ALTER TABLE t ADD COLUMN c int"); run.SQLState(err) != "55P03" {
		t.Errorf("got %v", err)
	}
	var entry revisions.Entry
	w.mu.Lock()
	trail := w.trail.String()
	w.mu.Unlock()
	for line := range strings.Lines(trail) { // the last is the result
		entry = revisions.Entry{}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
	}
	if len(entry.Blockers) != 1 || entry.Tries < 1 || entry.Waited == 0 {
		t.Fatalf("recorded: %+v", entry)
	}
	got := entry.Blockers[0]
	got.Age, got.Client = 0, ""
	want := revisions.Blocker{
		PID: int32(blocker.PgConn().PID()), Kind: "idle in transaction", User: "postgres", Application: "report", State: "idle in transaction",
		Lock: "AccessShareLock", Query: got.Query,
	}
	if got != want || !strings.HasSuffix(got.Query, "SELECT FROM t WHERE id::text <> '…'") {
		t.Errorf("recorded\n%+v, want\n%+v", got, want)
	}
	if strings.Contains(trail, "secret") {
		t.Errorf("the trail tells a secret: %s", trail)
	}
}

// A client that waits for an advisory lock waits without a snapshot: a concurrent build beside it is not held up, and gets no deadlock.
func TestAdvisoryLockIsPolled(t *testing.T) {
	t.Parallel()
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
