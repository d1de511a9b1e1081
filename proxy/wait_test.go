package proxy

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
)

// wait is something that the proxy waits for on a client's behalf.
type wait struct {
	name string
	// hold is what another session does first, and keeps.
	hold   string
	change func(*SessionOptions)
	// before is what the client does first, and sql what waits.
	before []string
	sql    string
	// waits is true of the backend $1 while it waits.
	waits string
	// ends are, by how the wait is made to end, the SQLSTATE that the client is told, "" for none, and what state answers then. With lasts the work goes on
	// when its client has gone, as soon as it can.
	ends  map[string][2]string
	state string
	lasts bool
}

const (
	naps   = "SELECT state = 'active' AND wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1"
	builds = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND locktype = 'virtualxid')"

	canceledByClient = "a cancel by another proxy"
	timedOut         = "statement_timeout"
	vanished         = "a client that vanishes"
)

func everyWait() []wait {
	const (
		columns = "SELECT count(*)::text FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c'"
		// An INVALID index is listed, and so removed by whoever looks after the ledger.
		indexes = `SELECT format('%s valid, %s not listed', count(*) FILTER (WHERE indisvalid), count(*) FILTER (WHERE NOT indisvalid
			AND NOT EXISTS (SELECT FROM pgsluice.artifacts WHERE name = indexrelid::regclass::text AND pid = 0)))
			FROM pg_index WHERE indrelid = 't'::regclass AND NOT indisprimary`
		promise = "SELECT state FROM pgsluice.promises ORDER BY id DESC LIMIT 1"
		job     = "SELECT format('%s, %s rows', state, (SELECT count(*) FROM t WHERE a = 0)) FROM pgsluice.jobs ORDER BY id DESC LIMIT 1"
		nothing = "0 valid, 0 not listed"
	)
	maintenance := "SELECT pg_advisory_lock(1885827948, 't'::regclass::oid::int)"
	locked := map[string][2]string{canceledByClient: {"57014", "0"}, timedOut: {"55P03", "0"}, vanished: {"", "0"}}
	unbuilt := map[string][2]string{canceledByClient: {"57014", nothing}, timedOut: {"55P03", nothing}, vanished: {"", nothing}}
	return []wait{
		{name: "tries for a lock", hold: "BEGIN; SELECT FROM t", sql: "ALTER TABLE t ADD COLUMN c int", waits: naps, ends: locked, state: columns},
		{name: "tries for a lock in a transaction", hold: "BEGIN; SELECT FROM t", before: []string{"BEGIN"}, sql: "ALTER TABLE t ADD COLUMN c int", waits: naps,
			ends: locked, state: columns},
		{name: "its turn on a table", hold: maintenance, sql: "ALTER TABLE t ADD COLUMN c int", waits: naps, ends: locked, state: columns},
		{name: "its turn before a build", hold: maintenance, sql: "CREATE INDEX ON t (a)", waits: naps, ends: unbuilt, state: indexes},
		{name: "a quiet table before a build", hold: "BEGIN; LOCK TABLE t IN SHARE MODE", sql: "CREATE INDEX ON t (a)", waits: naps, ends: unbuilt, state: indexes},
		{name: "old transactions before a build", hold: "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM version",
			change: func(o *SessionOptions) { o.Lock.OldTransaction = time.Nanosecond }, sql: "CREATE INDEX ON t (a)", waits: naps, ends: unbuilt, state: indexes},
		{name: "transactions in a build", hold: "BEGIN; INSERT INTO t VALUES (-1, 0)", sql: "CREATE INDEX ON t (a)", waits: builds, lasts: true, state: indexes,
			ends: map[string][2]string{canceledByClient: {"57014", nothing}, vanished: {"", "1 valid, 0 not listed"}}},
		{name: "its turn at COMMIT", hold: maintenance, before: []string{"BEGIN", "CREATE INDEX ON t (a)"}, sql: "COMMIT", waits: naps, lasts: true, state: promise,
			ends: map[string][2]string{canceledByClient: {"", "pending"}, vanished: {"", "done"}}},
		{name: "transactions in a build at COMMIT", hold: "BEGIN; INSERT INTO t VALUES (-1, 0)", before: []string{"BEGIN", "CREATE INDEX ON t (a)"}, sql: "COMMIT",
			waits: builds, lasts: true, state: promise, ends: map[string][2]string{canceledByClient: {"", "pending"}, vanished: {"", "done"}}},
		{name: "an advisory lock", hold: "SELECT pg_advisory_lock(7)", sql: "SELECT pg_advisory_lock(7)", waits: naps, state: "SELECT ''",
			ends: map[string][2]string{canceledByClient: {"57014", ""}, timedOut: {"57014", ""}, vanished: {"", ""}}},
		{name: "an advisory lock in a transaction", hold: "SELECT pg_advisory_lock(7)", before: []string{"BEGIN"}, sql: "SELECT pg_advisory_xact_lock(7)", waits: naps,
			state: "SELECT ''", ends: map[string][2]string{canceledByClient: {"57014", ""}, timedOut: {"57014", ""}, vanished: {"", ""}}},
		{name: "its turn to migrate", hold: fmt.Sprintf("SELECT pg_advisory_lock(%d)", turnKey), change: func(o *SessionOptions) { o.Exclusive = OneWaits },
			sql: "SELECT version_num FROM alembic_version", waits: naps, state: "SELECT ''",
			ends: map[string][2]string{canceledByClient: {"57014", ""}, timedOut: {codeRefused, ""}, vanished: {"", ""}}},
		{name: "a control connection", hold: "SELECT 1", change: func(o *SessionOptions) { o.Control = crowded{} }, sql: "ALTER TABLE t ADD COLUMN c int", waits: naps,
			ends: map[string][2]string{canceledByClient: {"57014", "0"}, timedOut: {"57014", "0"}, vanished: {"", "0"}}, state: columns},
		{name: "a control connection in a transaction", hold: "SELECT 1", change: func(o *SessionOptions) { o.Control = crowded{} }, before: []string{"BEGIN"},
			sql: "ALTER TABLE t ADD COLUMN c int", waits: naps, ends: map[string][2]string{canceledByClient: {"57014", "0"}, timedOut: {"57014", "0"}, vanished: {"", "0"}},
			state: columns},
		{name: "a throttled job", hold: "SELECT 1", change: func(o *SessionOptions) {
			o.Throttle = run.ThrottleOptions{Every: time.Millisecond, Query: "SELECT true"}
		},
			sql: "UPDATE t SET a = 0 WHERE id > 0", waits: naps, state: job,
			ends: map[string][2]string{canceledByClient: {"57014", "void, 0 rows"}, vanished: {"", "stopped, 0 rows"}}},
	}
}

// crowded are control connections all of which are in use.
type crowded struct{}

func (crowded) Conn(ctx context.Context, _ string) (run.Conn, func(), error) {
	<-ctx.Done()
	return nil, nil, context.Cause(ctx)
}

func (crowded) CloseDatabase(context.Context, string) error { return nil }

// Whatever the proxy waits for, it ends as the client ends it: at once, with its own settings, and nothing is lost.
func TestEveryWaitEnds(t *testing.T) {
	t.Parallel()
	for _, wait := range everyWait() {
		t.Run(wait.name, func(t *testing.T) {
			t.Parallel()
			w := newStage(t, Enforce, true, false)
			options := *w.server.following.Load()
			options.Lock = run.Options{OldTransaction: time.Hour, CleanUpBudget: 300 * time.Millisecond}
			if wait.change != nil {
				wait.change(&options)
			}
			w.server.SetSession(options)
			side := pgtest.Connect(t, w.dsn)
			execSQL(t, side, `CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 12000) g; ANALYZE t;
				CREATE TABLE version (v text); INSERT INTO version VALUES ('1'); CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)`)
			for _, end := range []string{canceledByClient, timedOut, vanished} {
				if want, ends := wait.ends[end]; ends {
					t.Run(end, func(t *testing.T) { wait.ended(t, w, side, end, want) })
				}
			}
		})
	}
}

func (wait wait) ended(t *testing.T, w *stage, side *pgx.Conn, end string, want [2]string) {
	const settings = `SELECT string_agg(current_setting(s), ' ') FROM unnest(ARRAY['lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout']) AS s`
	other, client := pgtest.Connect(t, w.dsn), w.conn(t, end)
	pid := int(client.PID())
	execSQL(t, other, wait.hold)
	execAll(t, client, "SET lock_timeout = '7min'; SET statement_timeout = '"+map[bool]string{true: "700ms", false: "8min"}[end == timedOut]+"'")
	before := rowsOf(client.Exec(t.Context(), settings).ReadAll())
	for _, sql := range wait.before {
		execAll(t, client, sql)
	}
	answer := make(chan error, 1)
	go func() { answer <- execWire(client, wait.sql) }()
	var err error
	switch end {
	case canceledByClient:
		elsewhere := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, nil)
		err = wait.cancel(t, side, elsewhere.tcp, client, answer)
	case timedOut:
		err = <-answer
	case vanished:
		pgtest.WaitFor(t, side, wait.waits, pid)
		w.dead.Store(true)
		if err := client.Conn().Close(); err != nil {
			t.Fatal(err)
		}
		<-answer
		<-client.CleanupDone() // the driver sends a cancel in the background
		w.dead.Store(false)
		if wait.lasts {
			execSQL(t, other, "ROLLBACK; SELECT pg_advisory_unlock_all()")
		}
		pgtest.WaitFor(t, side, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid)
	}
	if end != vanished {
		if code := run.SQLState(err); code != want[0] || code == "" && err != nil {
			t.Errorf("the client is told %v, want %q", err, want[0])
		}
		if client.TxStatus() == 'E' {
			execAll(t, client, "ROLLBACK")
		}
		if got := rowsOf(client.Exec(t.Context(), settings).ReadAll()); got != before {
			t.Errorf("settings are %q, were %q", got, before)
		}
		if got := (&held{side: side}).one(t, fmt.Sprintf("SELECT count(*)::text FROM pg_locks WHERE pid = %d AND locktype IN ('advisory', 'relation')", pid)); got != "0" {
			t.Errorf("the session has %s locks", got)
		}
	}
	if got := (&held{side: side}).one(t, wait.state); got != want[1] {
		t.Errorf("there is %q, want %q", got, want[1])
	}
	execSQL(t, other, "ROLLBACK; SELECT pg_advisory_unlock_all()")
}

// cancel sends cancels by way of the address until the client has its answer: a backend hears none between two statements, so that each must find one that waits.
func (wait wait) cancel(t *testing.T, side *pgx.Conn, by Address, client *pgconn.PgConn, answer <-chan error) error {
	t.Helper()
	key := append([]byte{byte(client.PID() >> 24), byte(client.PID() >> 16), byte(client.PID() >> 8), byte(client.PID())}, client.SecretKey()...)
	pgtest.WaitFor(t, side, wait.waits, int(client.PID()))
	for {
		c := dialRaw(t, by)
		c.send(cancelPacket(key))
		c.closed()
		pgtest.WaitFor(t, side, "SELECT (SELECT state <> 'active' FROM pg_stat_activity WHERE pid = $1) OR ("+wait.waits+")", int(client.PID()))
		select {
		case err := <-answer:
			return err
		default:
		}
	}
}

// scarce are control connections all of which are in use while none is true; it tells how the wait for one has ended.
type scarce struct {
	lent
	none  *atomic.Bool
	ended chan error
}

func (s scarce) Conn(ctx context.Context, database string) (run.Conn, func(), error) {
	if !s.none.Load() {
		return s.lent.Conn(ctx, database)
	}
	<-ctx.Done()
	select {
	case s.ended <- ctx.Err():
	default:
	}
	return nil, nil, ctx.Err()
}

// Where others may be waiting for what the transaction has locked, a control connection is not waited for as long as elsewhere: the statement goes on without.
func TestControlConnectionOfWhoIsInTheWay(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"simple", "extended"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newStage(t, Enforce, true, false)
			w.strongQueue = time.Millisecond
			options := *w.server.following.Load()
			none, ended := &atomic.Bool{}, make(chan error, 1)
			options.Control = scarce{options.Control.(lent), none, ended}
			w.server.SetSession(options)
			side, client := pgtest.Connect(t, w.dsn), w.conn(t, "a")
			execSQL(t, side, "CREATE TABLE t (id int PRIMARY KEY)")
			send := func(sql string) {
				t.Helper()
				exec := execWire
				if protocol == "extended" {
					exec = func(client *pgconn.PgConn, sql string) error {
						return client.ExecParams(t.Context(), sql, nil, nil, nil, nil).Read().Err
					}
				}
				err := exec(client, sql)
				if err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
			}
			send("BEGIN")
			send("ALTER TABLE t ADD COLUMN a int")
			none.Store(true)
			send("ALTER TABLE t ADD COLUMN b int")
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the wait ended with %v, want it to be called off", err)
			}
			none.Store(false)
			send("COMMIT")
		})
	}
}
