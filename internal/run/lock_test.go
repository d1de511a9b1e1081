package run_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

const addColumn = "ALTER TABLE public.t ADD COLUMN extra int"

func alter() rewrite.Step {
	return rewrite.Step{SQL: addColumn, Where: rewrite.InPlace, Budget: true, Client: true}
}

// waitsForLock is true while the backend waits for a lock on a relation.
const waitsForLock = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND locktype = 'relation')"

// sleepsInServer is true while the backend waits on a plan's behalf.
const sleepsInServer = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep')"

func hasColumn(p *place, want string) {
	p.Helper()
	p.is(want, "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'extra')")
}

func TestLockIsTriedUntilTheBlockerEnds(t *testing.T) {
	for _, block := range []bool{false, true} {
		t.Run(fmt.Sprintf("in a transaction %t", block), func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (id int)")
			r := p.runner()
			if _, err := r.Conn.Exec(t.Context(), "SET lock_timeout = '7s'"); err != nil {
				t.Fatal(err)
			}
			if block {
				if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
					t.Fatal(err)
				}
			}
			before := p.settings(r.Conn)
			reader := p.connect()
			p.exec(reader, "BEGIN; SELECT FROM t")
			pid := p.pid(r.Conn)

			done := start(t.Context(), r, alter())
			p.waitFor(waitsForLock, pid)
			p.waitFor(sleepsInServer, pid)
			p.waitFor(waitsForLock, pid)
			p.exec(reader, "COMMIT")
			o := <-done
			if o.err != nil {
				t.Fatal(o.err)
			}
			if o.Tries < 2 || o.Waited <= 0 || o.Tag != "ALTER TABLE" || len(o.Ran) != 1 {
				t.Errorf("got %+v", o.Result)
			}
			if got := p.settings(r.Conn); got != before {
				t.Errorf("settings are\n%s, were\n%s", got, before)
			}
			if block {
				if _, err := r.Conn.Exec(t.Context(), "COMMIT"); err != nil {
					t.Fatal(err)
				}
			}
			hasColumn(p, "true")
			if report := r.Report.(*notices); !report.contain("waiting for the lock of ALTER TABLE public.t") {
				t.Errorf("nobody was told: %q", report.lines)
			}
			if got := p.answer(r.Conn, "SHOW lock_timeout"); got != "7s" {
				t.Errorf("lock_timeout is %s afterwards", got)
			}
		})
	}
}

// Readers must get through while the lock is tried for: no try may be long.
func TestLockIsNeverWaitedForLong(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	r := p.runner()
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	pid := p.pid(r.Conn)
	done := start(t.Context(), r, alter())
	p.waitFor(waitsForLock, pid)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if _, err := p.connect().Exec(ctx, "SELECT FROM t"); err != nil {
		t.Errorf("a reader behind the waiting ALTER: %v", err)
	}
	p.exec(reader, "COMMIT")
	if o := <-done; o.err != nil {
		t.Fatal(o.err)
	}
}

func TestLockBudgetNamesTheBlocker(t *testing.T) {
	// Each try lasts long enough for a busy machine to look who is in the way.
	patient := run.Options{LockBudget: 6 * time.Second, FirstTry: 3 * time.Second, LongestTry: 3 * time.Second}
	for _, test := range []struct {
		name    string
		block   bool
		options run.Options
		tries   string
	}{
		{name: "outside", options: patient},
		{name: "in a transaction", block: true, options: patient},
		{name: "in a transaction with strong locks", block: true, options: run.Options{HoldsStrong: true, LongestTry: 5 * time.Second}, tries: "(1 try)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "CREATE TABLE t (id int)")
			r := p.runner()
			r.Options = test.options
			if test.block {
				if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
					t.Fatal(err)
				}
			}
			reader := p.connect()
			p.exec(reader, "SET application_name = 'report'; BEGIN; SELECT FROM t; SELECT 'the last query'")
			result, err := r.RunStep(t.Context(), alter())
			f := failure(t, err)
			pid := reader.PgConn().PID()
			if f.Code != "55P03" || run.SQLState(err) != "55P03" || !run.Retryable(err) {
				t.Errorf("SQLSTATE %s", f.Code)
			}
			for _, want := range []string{"pgsluice", `AccessExclusiveLock on public.t`, fmt.Sprintf("pid %d (postgres, idle in transaction, transaction open for", pid), test.tries} {
				if !strings.Contains(f.Message, want) {
					t.Errorf("message lacks %q: %s", want, f.Message)
				}
			}
			for _, want := range []string{`application "report"`, "the last query", "may not be the one"} {
				if !strings.Contains(f.Detail, want) {
					t.Errorf("detail lacks %q: %s", want, f.Detail)
				}
			}
			if !strings.Contains(f.Hint, fmt.Sprintf("pg_terminate_backend(%d)", pid)) {
				t.Errorf("hint: %s", f.Hint)
			}
			if len(result.Blockers) != 1 || result.Waited < 300*time.Millisecond {
				t.Errorf("got %+v", result)
			}
			want := byte('I')
			if test.block {
				want = 'E' // as the client is told
			}
			if got := r.Conn.TxStatus(); got != want {
				t.Errorf("status is %c, want %c", got, want)
			}
			hasColumn(p, "false")
		})
	}
}

// Whoever runs the migration may see that somebody is in the way, but not what that somebody does.
func TestQueriesOfOthersStayTheirs(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	alice := pgtest.Role(t, "LOGIN")
	p.exec(p.look, "ALTER TABLE t OWNER TO "+alice)
	r := p.runner()
	r.Conn = p.open(pgtest.Server(t).DSN(alice, p.look.Config().Database))
	r.LockBudget, r.FirstTry, r.LongestTry = 6*time.Second, 3*time.Second, 3*time.Second
	reader := p.connect()
	p.exec(reader, "SET application_name = 'payroll'; BEGIN; SELECT FROM t; SELECT 'salary of the boss'")
	_, err := r.RunStep(t.Context(), alter())
	f := failure(t, err)
	if !strings.Contains(f.Detail, fmt.Sprintf("pid %d (postgres, idle in transaction", reader.PgConn().PID())) {
		t.Errorf("detail does not name the blocker: %s", f.Detail)
	}
	for _, secret := range []string{"salary", "payroll", "insufficient", "may not be the one"} {
		if strings.Contains(f.Message+f.Detail+f.Hint, secret) {
			t.Errorf("%q is told: %s", secret, f.Detail)
		}
	}
}

func TestLockWithoutControlConnection(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	r := p.runner()
	r.Watch, r.Report, r.LockBudget = nil, nil, 300*time.Millisecond
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	_, err := r.RunStep(t.Context(), alter())
	if f := failure(t, err); !strings.Contains(f.Message, "the lock of ALTER TABLE public.t") || f.Detail != "" {
		t.Errorf("got %+v", f)
	}
	p.exec(reader, "COMMIT")
	p.must(r, alter())
	hasColumn(p, "true")
}

// The client's shorter timeouts are kept: none of ours is longer.
func TestTimeoutsOfTheSessionAreKept(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	for _, setting := range []string{"lock_timeout", "statement_timeout"} {
		for _, block := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, in a transaction %t", setting, block), func(t *testing.T) {
				t.Parallel()
				r := p.runner()
				r.HoldsStrong, r.FirstTry, r.LongestTry = true, time.Minute, time.Minute // one try of that, were it not for the session's own
				if _, err := r.Conn.Exec(t.Context(), "SET "+setting+" = '2s'"); err != nil {
					t.Fatal(err)
				}
				if block {
					if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
						t.Fatal(err)
					}
				} else {
					r.LockBudget = time.Millisecond
				}
				sent := &recorder{Conn: r.Conn}
				r.Conn = sent
				_, err := r.RunStep(t.Context(), alter())
				if want := map[string]string{"lock_timeout": "2000", "statement_timeout": "1800"}[setting]; len(sent.timeouts) != 1 || sent.timeouts[0] != want {
					t.Errorf("tried with timeouts %q, want one of %s", sent.timeouts, want)
				}
				if failure(t, err).Code != "55P03" {
					t.Errorf("got %v", err)
				}
				if block {
					if _, err := r.Conn.Exec(t.Context(), "ROLLBACK"); err != nil {
						t.Fatal(err)
					}
				}
				if got := p.answer(r.Conn, "SHOW "+setting); got != "2s" {
					t.Errorf("%s is %s afterwards", setting, got)
				}
			})
		}
	}
}

// A short statement_timeout must not end the pauses, which are ours.
func TestStatementTimeoutBoundsTheWhole(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	r := p.runner()
	p.send(r, "SET statement_timeout = '3s'")
	r.LockBudget = time.Hour
	result, err := r.RunStep(t.Context(), alter())
	if f := failure(t, err); f.Code != "55P03" || result.Tries < 2 {
		t.Errorf("got %v after %d tries and %s", err, result.Tries, result.Waited)
	}
}

func TestReadOnlySessionStaysReadOnly(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	r := p.runner()
	if _, err := r.Conn.Exec(t.Context(), "SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.RunStep(t.Context(), alter()); run.SQLState(err) != "25006" {
		t.Errorf("got %v, want 25006", err)
	}
	hasColumn(p, "false")
}

// An error that is not the lock's is the server's own, at once, and a failed transaction of the client's stays one.
func TestOtherErrorsPass(t *testing.T) {
	for _, block := range []bool{false, true} {
		p := newPlace(t, "CREATE TABLE t (extra int)")
		r := p.runner()
		want := byte('I')
		if block {
			want = 'E'
			if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
				t.Fatal(err)
			}
		}
		result, err := r.RunStep(t.Context(), alter())
		if run.SQLState(err) != "42701" || result.Tries != 1 || r.Conn.TxStatus() != want {
			t.Errorf("got %v after %d tries, status %c", err, result.Tries, r.Conn.TxStatus())
		}
	}
}

// The savepoints of a client are its own, ours of the same name included.
func TestSavepointsOfTheClientAreUntouched(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	r := p.runner()
	for _, sql := range []string{"BEGIN", "SAVEPOINT pgsluice", "CREATE TABLE public.inside (id int)"} {
		if _, err := r.Conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	p.must(r, alter())
	for _, sql := range []string{"ROLLBACK TO SAVEPOINT pgsluice", "COMMIT"} {
		if _, err := r.Conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	hasColumn(p, "false")
}

func TestCancelEndsTheWaitForALock(t *testing.T) {
	for _, block := range []bool{false, true} {
		for name, state := range map[string]string{"in the queue": waitsForLock, "between tries": sleepsInServer} {
			t.Run(fmt.Sprintf("%s, in a transaction %t", name, block), func(t *testing.T) {
				p := newPlace(t, "CREATE TABLE t (id int)")
				r := p.runner()
				want := byte('I')
				if block {
					want = 'E'
					if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
						t.Fatal(err)
					}
				}
				pid := p.pid(r.Conn)
				reader := p.connect()
				p.exec(reader, "BEGIN; SELECT FROM t")
				done := start(t.Context(), r, alter())
				p.waitFor(state, pid)
				if o := p.cancelUntil(pid, done); run.SQLState(o.err) != "57014" {
					t.Errorf("got %v, want 57014", o.err)
				}
				if got := r.Conn.TxStatus(); got != want {
					t.Errorf("status is %c, want %c", got, want)
				}
				if block {
					if _, err := r.Conn.Exec(t.Context(), "ROLLBACK"); err != nil {
						t.Fatal(err)
					}
				}
				if got := p.answer(r.Conn, "SHOW lock_timeout"); got != "0" {
					t.Errorf("lock_timeout is %s afterwards", got)
				}
				p.is("0", advisoryLocks)
			})
		}
	}
}

// A plain autovacuum gives way only to one who waits longer than deadlock_timeout, which no short try does; or to a control login that may
// cancel it.
func TestAutovacuumGivesWay(t *testing.T) {
	for _, mayCancel := range []bool{true, false} {
		t.Run(fmt.Sprintf("cancelled %t", mayCancel), func(t *testing.T) { autovacuumGivesWay(t, mayCancel) })
	}
}

func autovacuumGivesWay(t *testing.T, mayCancel bool) {
	p := newPlace(t, `CREATE TABLE t (id int) WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
		autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);
		INSERT INTO t SELECT generate_series(1, 200000)`)
	p.exec(p.look, "ALTER SYSTEM SET autovacuum_naptime = '1s'")
	p.exec(p.look, "SELECT pg_reload_conf()")
	t.Cleanup(func() {
		for _, sql := range []string{"ALTER SYSTEM RESET autovacuum_naptime", "SELECT pg_reload_conf()"} {
			if _, err := p.look.Exec(context.Background(), sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	})
	p.exec(p.look, "DELETE FROM t WHERE id % 2 = 0")
	p.waitFor(`SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE a.backend_type = 'autovacuum worker' AND l.relation = 't'::regclass AND l.mode = 'ShareUpdateExclusiveLock')`)
	var worker run.Blocker
	if err := p.look.QueryRow(t.Context(), "SELECT pid FROM pg_locks WHERE relation = 't'::regclass AND mode = 'ShareUpdateExclusiveLock'").Scan(&worker.PID); err != nil {
		t.Fatal(err)
	}
	worker.Transaction = "999999/1" // on the table before
	if went, err := p.watch().GiveWay(t.Context(), worker); went || err != nil {
		t.Errorf("a worker that has gone on to another table was cancelled: %t, %v", went, err)
	}
	r := p.runner()
	sent := &recorder{Conn: r.Conn}
	r.Conn, r.LockBudget = sent, 40*time.Second
	if !mayCancel {
		r.Watch = shy{r.Watch}
	}
	result := p.must(r, alter())
	last := sent.timeouts[len(sent.timeouts)-1]
	if !mayCancel && last != "1200" || mayCancel && last == "1200" || !slices.ContainsFunc(result.Blockers, func(b run.Blocker) bool { return b.Autovacuum }) {
		t.Errorf("tried with timeouts %q, and saw %+v", sent.timeouts, result.Blockers)
	}
}

// shy may not cancel anything.
type shy struct{ run.Watch }

func (shy) GiveWay(context.Context, run.Blocker) (bool, error) {
	return false, errors.New("permission denied")
}

// Another try while the transaction in the way goes on would only hold up the others once more.
func TestBlockerIsWaitedForOutsideTheQueue(t *testing.T) {
	for _, block := range []bool{false, true} {
		t.Run(fmt.Sprintf("in a transaction %t", block), func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (id int)")
			r := p.runner()
			sent := &recorder{Conn: r.Conn}
			r.Conn, r.FirstTry, r.LongestTry = sent, 5*time.Second, 5*time.Second // long enough to be looked at
			if block {
				if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
					t.Fatal(err)
				}
			}
			reader := p.connect()
			p.exec(reader, "BEGIN; SELECT FROM t")
			done := start(t.Context(), r, alter())
			for sent.looks.Load() < 5 {
				p.is("1", "SELECT 1")
			}
			p.exec(reader, "COMMIT")
			if o := <-done; o.err != nil || o.Tries != 2 {
				t.Errorf("got %v after %d tries, want the second to do", o.err, o.Tries)
			}
		})
	}
}

// In a pipeline neither BEGIN nor SAVEPOINT may be sent, and after an error nothing at all.
func TestLockInAPipeline(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	r := p.runner()
	sent := &recorder{Conn: r.Conn}
	r.Conn, r.Pipeline = sent, true
	for _, sql := range []string{"SET lock_timeout = '9s'", "BEGIN"} {
		if _, err := r.Conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.RunStep(t.Context(), alter()); failure(t, err).Code != "55P03" || r.Conn.TxStatus() != 'E' {
		t.Errorf("got %v, status %c", err, r.Conn.TxStatus())
	}
	if last := sent.statements[len(sent.statements)-1]; !strings.Contains(last, addColumn) {
		t.Errorf("sent after the error: %s", last)
	}
	if strings.Contains(strings.Join(sent.statements, "\n"), "SAVEPOINT") {
		t.Errorf("sent %q", sent.statements)
	}
	p.exec(reader, "COMMIT")
	for _, sql := range []string{"ROLLBACK", "BEGIN"} {
		if _, err := r.Conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	p.must(r, alter())
	if got := p.answer(r.Conn, "SHOW lock_timeout"); got != "9s" {
		t.Errorf("lock_timeout is %s behind the statement", got)
	}
}

// Autovacuum that prevents wraparound gives way to nobody: a long try would only make others wait.
func TestOnlyPlainAutovacuumIsWaitedForLong(t *testing.T) {
	plain := fixed{{PID: 1, Autovacuum: true}}
	for name, test := range map[string]struct {
		watch    run.Watch
		deadlock string // deadlock_timeout
		longest  string
	}{
		"plain":                     {shy{plain}, "100ms", "120"}, // 1.2 × deadlock_timeout
		"gone by itself":            {plain, "100ms", "500"},
		"longer than the budget":    {shy{plain}, "1h", "500"},
		"to prevent wraparound":     {shy{fixed{{PID: 1, Autovacuum: true, Wraparound: true}}}, "100ms", "500"},
		"beside a long transaction": {shy{fixed{{PID: 1, Autovacuum: true}, {PID: 2}}}, "100ms", "500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "CREATE TABLE t (id int)")
			reader := p.connect()
			p.exec(reader, "BEGIN; SELECT FROM t")
			r := p.runner()
			p.send(r, "SET deadlock_timeout = '"+test.deadlock+"'")
			sent := &recorder{Conn: r.Conn, tries: 6, enough: func() { p.exec(reader, "COMMIT") }}
			r.Conn, r.Watch, r.LockBudget = sent, test.watch, 10*time.Minute
			p.must(r, alter())
			if len(sent.timeouts) < 6 || sent.timeouts[5] != test.longest || test.longest != "120" && slices.Contains(sent.timeouts, "120") {
				t.Errorf("tried with timeouts %q, the sixth is to be %s", sent.timeouts, test.longest)
			}
		})
	}
}

func TestTriesAreAsLongAsTheOptionsSay(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "CREATE TABLE t (id int)")
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	r := p.runner()
	sent := &recorder{Conn: r.Conn, tries: 6, enough: func() { p.exec(reader, "COMMIT") }}
	r.Watch = nil // which would see what to wait for
	r.Conn, r.FirstTry, r.LongestTry, r.LockBudget = sent, 10*time.Millisecond, 30*time.Millisecond, 10*time.Minute
	p.must(r, alter())
	if want := []string{"10", "20", "20", "30", "30", "30"}; len(sent.timeouts) < len(want) || !slices.Equal(sent.timeouts[:len(want)], want) {
		t.Errorf("tried with timeouts %q, want %q", sent.timeouts, want)
	}
}

// fixed is a Watch that always sees the same.
type fixed []run.Blocker

func (f fixed) Contention(context.Context, int) (run.Contention, error) {
	return run.Contention{Blockers: f}, nil
}
func (f fixed) Progress(context.Context, int) (run.Progress, error)      { return run.Progress{}, nil }
func (f fixed) Busy(context.Context, int, uint32) ([]run.Blocker, error) { return nil, nil }
func (f fixed) Old(context.Context, int, uint32, time.Duration) ([]run.Blocker, error) {
	return nil, nil
}
func (f fixed) Yield(context.Context, int, uint32) (bool, error)          { return false, nil }
func (f fixed) Recall(context.Context, int) (bool, error)                 { return false, nil }
func (f fixed) GiveWay(context.Context, run.Blocker) (bool, error)        { return false, nil }
func (f fixed) End(context.Context, int, run.Blocker, bool) (bool, error) { return false, nil }

// recorder notes what is sent.
type recorder struct {
	run.Conn
	statements []string
	timeouts   []string     // of the tries
	looks      atomic.Int64 // whether the blockers have ended
	// enough is called before the try behind so many; 0 is never.
	tries  int
	enough func()
}

func (r *recorder) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	r.statements = append(r.statements, sql)
	if strings.Contains(sql, "set_config('lock_timeout'") {
		r.timeouts = append(r.timeouts, args[0])
	}
	return r.Conn.Exec(ctx, sql, args...)
}

func (r *recorder) Chain(ctx context.Context, sql ...string) ([]string, error) {
	chain := strings.Join(sql, "; ")
	r.statements = append(r.statements, chain)
	if _, set, ok := strings.Cut(chain, "set_config('lock_timeout', '"); ok {
		timeout, _, _ := strings.Cut(set, "'")
		if r.tries > 0 && len(r.timeouts) == r.tries {
			r.enough()
		}
		r.timeouts = append(r.timeouts, timeout)
	}
	return r.Conn.Chain(ctx, sql...)
}

func (r *recorder) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	r.statements = append(r.statements, sql)
	if strings.Contains(sql, "'virtualxid'") {
		r.looks.Add(1)
	}
	return r.Conn.Query(ctx, sql, args...)
}

// What the server refuses in a transaction is tried alone, under the session's own statement_timeout.
func TestLockOfAStatementThatStandsAlone(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	r := p.runner()
	step := rewrite.Step{SQL: "VACUUM (FULL) public.t", Where: rewrite.Alone, Budget: true, Client: true, Table: p.target("t")}
	if _, err := r.Conn.Exec(t.Context(), "SET statement_timeout = '21s'"); err != nil {
		t.Fatal(err)
	}
	before, pid := p.settings(r.Conn), p.pid(r.Conn)
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	done := start(t.Context(), r, step)
	p.waitFor(waitsForLock, pid)
	p.waitFor(sleepsInServer, pid)
	p.exec(reader, "COMMIT")
	if o := <-done; o.err != nil || o.Tag != "VACUUM" {
		t.Errorf("got %+v, %v", o.Result, o.err)
	}
	p.clean(r, before)
}

// The steps behind COMMIT take their locks like any other, with their own timeouts, and end as the client wants.
func TestCancelEndsAStepBehindCommit(t *testing.T) {
	for name, state := range map[string]string{"in the queue": waitsForLock, "between tries": sleepsInServer} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, evil+"CREATE TABLE t (id int)")
			r := p.runner()
			pid := p.pid(r.Conn)
			before := p.hostileSettings(r.Conn)
			if state == waitsForLock { // long enough to be seen
				if _, err := r.Conn.Exec(t.Context(), "SET lock_timeout = '20s'"); err != nil {
					t.Fatal(err)
				}
				before, r.FirstTry, r.LongestTry = p.settings(r.Conn), 10*time.Second, 10*time.Second
			}
			reader := p.connect()
			p.exec(reader, "BEGIN; SELECT FROM t")
			done := start(t.Context(), r, rewrite.Step{SQL: addColumn, Where: rewrite.AfterCommit, Budget: true, Table: p.target("t")})
			p.waitFor(state, pid)
			if o := p.cancelUntil(pid, done); run.SQLState(o.err) != "57014" {
				t.Errorf("got %v, want 57014", o.err)
			}
			p.clean(r, before)
			hasColumn(p, "false")
		})
	}
}

// crowd is a Watch that always sees somebody behind the plan.
type crowd struct{ fixed }

func (c crowd) Contention(context.Context, int) (run.Contention, error) {
	return run.Contention{Blockers: c.fixed, Queue: 1}, nil
}

// Where others wait behind a try the server itself ends it in time: a recall can come late.
func TestTriesAreShortWhereOthersWait(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "CREATE TABLE t (id int)")
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	r := p.runner()
	sent := &recorder{Conn: r.Conn, tries: 6, enough: func() { p.exec(reader, "COMMIT") }}
	r.Conn, r.Watch, r.FirstTry, r.LockBudget = sent, crowd{fixed{{PID: 1}}}, 500*time.Millisecond, 10*time.Minute
	p.must(r, alter())
	// The first may have been over before anybody could look.
	if n := slices.Index(sent.timeouts, "200"); n < 1 || slices.Contains(sent.timeouts[n:], "500") {
		t.Errorf("tried with timeouts %q, want none above lock.max_queue_wait once somebody is there", sent.timeouts)
	}
}

// Where others wait behind the tries, autovacuum that cannot be cancelled otherwise is made to give way by long ones, but seldom: each time for twice as long not.
func TestLongTriesAreSeldomWhereOthersWait(t *testing.T) {
	t.Parallel()
	p := newPlace(t, "CREATE TABLE t (id int)")
	p.exec(p.connect(), "BEGIN; SELECT FROM t")
	r := p.runner()
	p.send(r, "SET deadlock_timeout = '500ms'")
	sent := &recorder{Conn: r.Conn}
	r.Conn, r.Watch = sent, shy{crowd{fixed{{PID: 1, Autovacuum: true}}}}
	r.MaxQueueWait, r.LockBudget = 50*time.Millisecond, 10*time.Second
	if _, err := r.RunStep(t.Context(), alter()); failure(t, err).Code != "55P03" {
		t.Errorf("got %v", err)
	}
	var long, others []string
	for _, timeout := range sent.timeouts {
		if timeout == "600" {
			long = append(long, timeout)
		} else {
			others = append(others, timeout)
		}
	}
	// A twentieth of the budget before the first, and 1, 2 and 4 more behind each.
	if len(long) < 1 || len(long) > 4 || slices.ContainsFunc(others[1:], func(timeout string) bool { return timeout != "50" }) {
		t.Errorf("tried with timeouts %q", sent.timeouts)
	}
}

// From the moment that a lock is taken others wait: the COMMIT comes with the statement, and whatever else is done in the transaction comes before.
func TestLockIsHeldForOneRoundTrip(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int); CREATE TABLE noted (id int)")
	r := p.runner()
	sent := &recorder{Conn: r.Conn}
	r.Conn = sent
	r.Beside = func(ctx context.Context) error {
		_, err := sent.Exec(ctx, "INSERT INTO public.noted VALUES (1)")
		return err
	}
	if o := p.must(r, alter()); o.Tag != "ALTER TABLE" {
		t.Errorf("the tag is %s", o.Tag)
	}
	hasColumn(p, "true")
	p.is("1", "SELECT count(*) FROM noted")
	n := slices.IndexFunc(sent.statements, func(sql string) bool { return strings.Contains(sql, addColumn) })
	if want := addColumn + "; COMMIT"; n != len(sent.statements)-1 && !strings.Contains(sent.statements[n+1], "unlock") || sent.statements[n] != want {
		t.Errorf("sent %q, want %q last", sent.statements, want)
	}
}
