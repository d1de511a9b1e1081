package run_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

func TestMain(m *testing.M) {
	pgtest.Main(m, func(o *pgbox.Options) { delete(o.Settings, "autovacuum_naptime") }) // it is one of those that are in the way of a lock
}

var (
	_ run.Conn  = (*control.Conn)(nil)
	_ run.Watch = run.NewWatch(nil)
)

// place is a database with a plan's connection, the control login beside it, and an ordinary session that looks on.
type place struct {
	*testing.T
	dsn  string
	look *pgx.Conn
	pool *control.Pool
}

// newPlace makes the database and runs the SQL in it.
func newPlace(t *testing.T, sql string) *place {
	t.Helper()
	p := &place{T: t, dsn: pgtest.Database(t)}
	p.look = pgtest.Connect(t, p.dsn)
	p.exec(p.look, sql)
	var err error
	if p.pool, err = control.New(control.Options{DSN: p.dsn}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.pool.Close)
	return p
}

func (p *place) exec(conn *pgx.Conn, sql string) {
	p.Helper()
	if _, err := conn.Exec(p.Context(), sql); err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
}

func (p *place) connect() *pgx.Conn { p.Helper(); return pgtest.Connect(p.T, p.dsn) }

// open connects as a plan does; the DSN is the place's when it is "".
func (p *place) open(dsn string) *control.Conn {
	p.Helper()
	if dsn == "" {
		dsn = p.dsn
	}
	conn, err := control.Connect(p.Context(), dsn, nil)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(conn.Close)
	return conn
}

func (p *place) watch() run.Watch {
	return run.NewWatch(func(ctx context.Context) (run.Conn, func(), error) {
		conn, err := p.pool.Conn(ctx, "")
		if err != nil {
			return nil, nil, err
		}
		return conn, func() { p.pool.Release(conn) }, nil
	})
}

// runner runs plans on a connection of its own, watched, and quick to give up.
func (p *place) runner() run.Runner {
	p.Helper()
	return run.Runner{
		Conn: p.open(""), Watch: p.watch(), Report: &notices{},
		Options: run.Options{LockBudget: 20 * time.Second, TurnBudget: 20 * time.Second, NoticeEvery: time.Millisecond, OldTransaction: time.Hour,
			CleanUpBudget: 20 * time.Second},
	}
}

func (p *place) target(table string) rewrite.Target {
	p.Helper()
	var oid uint32
	if err := p.look.QueryRow(p.Context(), "SELECT $1::regclass::oid", table).Scan(&oid); err != nil {
		p.Fatal(err)
	}
	return rewrite.Target{OID: oid, Schema: "public", Name: table}
}

// is asks one value as text.
func (p *place) is(want, sql string, args ...any) {
	p.Helper()
	var got string
	if err := p.look.QueryRow(p.Context(), "SELECT ("+sql+")::text", args...).Scan(&got); err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
	if got != want {
		p.Errorf("%s is %s, want %s", sql, got, want)
	}
}

func (p *place) waitFor(condition string, args ...any) {
	p.Helper()
	pgtest.WaitFor(p.T, p.look, condition, args...)
}

// pid is the backend of a plan's connection.
func (p *place) pid(conn run.Conn) int {
	p.Helper()
	pid, err := strconv.Atoi(p.answer(conn, "SELECT pg_catalog.pg_backend_pid()"))
	if err != nil {
		p.Fatal(err)
	}
	return pid
}

func (p *place) answer(conn run.Conn, sql string) string {
	p.Helper()
	rows, err := conn.Query(context.WithoutCancel(p.Context()), sql)
	if err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(rows, ",")
}

// settings are the settings of a session that plans touch.
func (p *place) settings(conn run.Conn) string {
	p.Helper()
	return p.answer(conn, `SELECT pg_catalog.concat(s, '=', pg_catalog.current_setting(s, true)) FROM pg_catalog.unnest(ARRAY['lock_timeout',
		'statement_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout', 'transaction_timeout',
		'default_transaction_read_only', 'default_transaction_isolation', 'client_connection_check_interval', 'search_path', 'role',
		'DateStyle', 'maintenance_work_mem']::pg_catalog.text[]) AS s`)
}

// advisoryLocks counts the advisory locks in the database.
const advisoryLocks = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

// outcome is how a plan that ran in the background ended.
type outcome struct {
	run.Result
	err error
}

// start runs a step in the background.
func start(ctx context.Context, r run.Runner, step rewrite.Step) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		result, err := r.RunStep(ctx, step)
		done <- outcome{result, err}
	}()
	return done
}

// must runs a step that succeeds.
func (p *place) must(r run.Runner, step rewrite.Step) run.Result {
	p.Helper()
	result, err := r.RunStep(p.Context(), step)
	if err != nil {
		p.Fatalf("%s: %v", step.SQL, err)
	}
	return result
}

// cancelUntil sends cancels to the backend until its plan has ended: one that hits between two statements is lost.
func (p *place) cancelUntil(pid int, done <-chan outcome) outcome {
	p.Helper()
	for {
		select {
		case o := <-done:
			return o
		default:
			p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
		}
	}
}

func failure(t *testing.T, err error) *run.Failure {
	t.Helper()
	var f *run.Failure
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a Failure", err)
	}
	return f
}

// notices collects a Report.
type notices struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{} // has room for one; nil while nobody waits
}

func (n *notices) Notice(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
	select {
	case n.more <- struct{}{}:
	default:
	}
}

// await waits for a line with that text.
func (n *notices) await(t *testing.T, text string) {
	t.Helper()
	more := make(chan struct{}, 1)
	n.mu.Lock()
	n.more = more
	n.mu.Unlock()
	for patience := time.After(2 * time.Minute); !n.contain(text); {
		select {
		case <-more:
		case <-patience:
			t.Fatalf("nobody says %q", text)
		}
	}
}

func (n *notices) contain(text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Contains(strings.Join(n.lines, "\n"), text)
}
