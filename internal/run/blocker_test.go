package run_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
)

// patient is for one try that lasts until it is recalled.
var patient = run.Options{LockBudget: 2 * time.Minute, FirstTry: time.Minute, LongestTry: time.Minute, MaxQueueWait: 100 * time.Millisecond}

// A long try is given up as soon as somebody has waited behind it for max_queue_wait, and goes on for ever while nobody does.
func TestTryIsRecalledForThoseBehindIt(t *testing.T) {
	for _, block := range []bool{false, true} {
		t.Run(fmt.Sprintf("in a transaction %t", block), func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (id int)")
			r := p.runner()
			r.Options = patient
			if block {
				if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
					t.Fatal(err)
				}
			}
			pid := p.pid(r.Conn)
			blocker := p.connect()
			p.exec(blocker, "BEGIN; SELECT FROM t")
			done := start(t.Context(), r, alter())
			p.waitFor(waitsForLock, pid)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if _, err := p.connect().Exec(ctx, "SELECT FROM t"); err != nil {
				t.Fatalf("a reader behind a try of a minute: %v", err)
			}
			p.exec(blocker, "COMMIT")
			o := <-done
			if o.err != nil || o.Tries < 2 {
				t.Errorf("got %v after %d tries", o.err, o.Tries)
			}
			if block {
				if _, err := r.Conn.Exec(t.Context(), "COMMIT"); err != nil {
					t.Fatal(err)
				}
			}
			hasColumn(p, "true")
			if got := p.answer(r.Conn, "SHOW lock_timeout"); got != "0" {
				t.Errorf("lock_timeout is %s afterwards", got)
			}
		})
	}
}

// The client's own cancel is no recall, however many wait behind.
func TestCancelIsNoRecall(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	r := p.runner()
	r.Options = patient
	pid := p.pid(r.Conn)
	p.exec(p.connect(), "BEGIN; SELECT FROM t")
	done := start(t.Context(), r, alter())
	p.waitFor(waitsForLock, pid)
	if o := p.cancelUntil(pid, done); run.SQLState(o.err) != "57014" {
		t.Errorf("got %v, want 57014", o.err)
	}
}

// Who is behind whoever is in the way is named, too: often that is the one to talk to.
func TestChainOfBlockersIsNamed(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int); CREATE TABLE other (id int)")
	r := p.runner()
	r.LockBudget, r.FirstTry, r.LongestTry = 6*time.Second, 3*time.Second, 3*time.Second // long enough to be looked at
	root, middle := p.connect(), p.connect()
	p.exec(root, "BEGIN; LOCK TABLE other")
	p.exec(middle, "BEGIN; SELECT FROM t")
	waited := make(chan error, 1)
	go func() {
		_, err := middle.Exec(context.WithoutCancel(t.Context()), "SELECT FROM other")
		waited <- err
	}()
	p.waitFor(waitsForLock, middle.PgConn().PID())
	result, err := r.RunStep(t.Context(), alter())
	f := failure(t, err)
	for _, want := range []string{
		fmt.Sprintf("Blocked by pid %d (postgres, active", middle.PgConn().PID()),
		fmt.Sprintf("pid %d waits for pid %d (postgres, idle in transaction", middle.PgConn().PID(), root.PgConn().PID()),
	} {
		if !strings.Contains(f.Detail, want) {
			t.Errorf("detail lacks %q: %s", want, f.Detail)
		}
	}
	if len(result.Blockers) != 2 || result.Blockers[0].Mode != "AccessShareLock" || result.Blockers[0].Seen.Query != "SELECT FROM other" {
		t.Errorf("blockers: %+v", result.Blockers)
	}
	p.exec(root, "COMMIT")
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

func TestPreparedTransactionIsNamed(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	p.exec(p.look, "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'it''s forgotten'")
	r := p.runner()
	r.LockBudget, r.FirstTry, r.LongestTry = 6*time.Second, 3*time.Second, 3*time.Second // long enough to be looked at
	result, err := r.RunStep(t.Context(), alter())
	f := failure(t, err)
	if !strings.Contains(f.Message, "blocked by prepared transaction 'it''s forgotten' (postgres, transaction open for") ||
		!strings.Contains(f.Hint, "ROLLBACK PREPARED 'it''s forgotten'") {
		t.Errorf("got %+v", f)
	}
	if len(result.Blockers) != 1 || result.Blockers[0].GID != "it's forgotten" || result.Blockers[0].Mode != "RowExclusiveLock" {
		t.Errorf("blockers: %+v", result.Blockers)
	}
	// A build would wait for it, and begins in vain.
	r.TurnBudget = 300 * time.Millisecond
	_, err = r.RunStep(t.Context(), p.index("t_id", "id"))
	if f := failure(t, err); f.Code != "55P03" || !strings.Contains(f.Message, "prepared transaction") {
		t.Errorf("got %+v", f)
	}
	p.indexes("")
	p.exec(p.look, "ROLLBACK PREPARED 'it''s forgotten'")
}

// What lock.cancel_blockers ends, and what never.
func TestBlockersAreEnded(t *testing.T) {
	ended := func(p *place, conn *pgx.Conn) bool {
		_, err := conn.Exec(p.Context(), "SELECT 1")
		return err != nil
	}
	for _, test := range []struct {
		name  string
		login string // rights of the blocker
		does  string
		same  bool   // the plan has its login, too,
		app   string // and its application_name
		spare bool
	}{
		{name: "reader", does: "BEGIN; SELECT FROM t"},
		{name: "writer of a moment", does: "BEGIN; INSERT INTO t VALUES (1)"},
		{name: "writer since long", does: "BEGIN; INSERT INTO t VALUES (1); SELECT pg_sleep(6)", spare: true},
		{name: "superuser", login: "SUPERUSER", does: "BEGIN; SELECT FROM t", spare: true},
		{name: "may replicate", login: "REPLICATION", does: "BEGIN; SELECT FROM t", spare: true},
		{name: "the same tool", same: true, app: "tool", does: "BEGIN; SELECT FROM t", spare: true},
		{name: "tools without a name", same: true, does: "BEGIN; SELECT FROM t"},
		{name: "has the turn to migrate", does: "SELECT pg_advisory_lock(8099569364512629605); BEGIN; SELECT FROM t", spare: true},
		{name: "the plan's of another", does: "SELECT pg_advisory_lock(1885827948, 0); BEGIN; SELECT FROM t", spare: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "CREATE TABLE t (id int); GRANT ALL ON t TO PUBLIC")
			role := pgtest.Role(t, "LOGIN "+test.login)
			dsn := pgtest.Server(t).DSN(role, p.look.Config().Database)
			blocker := pgtest.Connect(t, dsn)
			p.exec(blocker, fmt.Sprintf("SET application_name = '%s'", test.app))
			r := p.runner()
			if test.same {
				p.exec(p.look, "ALTER TABLE t OWNER TO "+role)
				r.Conn = p.open(dsn)
				if _, err := r.Conn.Exec(t.Context(), fmt.Sprintf("SET application_name = '%s'", test.app)); err != nil {
					t.Fatal(err)
				}
			}
			p.exec(blocker, test.does)
			r.LockBudget, r.FirstTry, r.LongestTry, r.CancelBlockers = 2*time.Minute, 500*time.Millisecond, 500*time.Millisecond, 1
			if test.spare {
				r.LockBudget = 3 * time.Second
			}
			result, err := r.RunStep(t.Context(), alter())
			if test.spare {
				if run.SQLState(err) != "55P03" || ended(p, blocker) {
					t.Errorf("got %v, %+v", err, result.Blockers)
				}
				return
			}
			if err != nil || !ended(p, blocker) || len(result.Blockers) != 1 || result.Blockers[0].Ended != "terminated" {
				t.Errorf("got %v, %+v", err, result.Blockers)
			}
			if result.Tries < 2 {
				t.Errorf("ended after %d tries, one in vain comes first", result.Tries)
			}
			if told := r.Report.(*notices); !told.contain("pgsluice: terminated pid") {
				t.Errorf("nobody was told: %q", told.lines)
			}
		})
	}
}

// A statement is cancelled first: its session goes on.
func TestBlockerIsCanceledBeforeItIsTerminated(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int); GRANT ALL ON t TO PUBLIC")
	blocker := pgtest.Connect(t, pgtest.Server(t).DSN(pgtest.Role(t, "LOGIN"), p.look.Config().Database))
	canceled := make(chan error, 1)
	go func() {
		_, err := blocker.Exec(context.WithoutCancel(t.Context()), "SELECT pg_sleep(600) FROM (SELECT count(*) FROM t) AS u")
		canceled <- err
	}()
	p.waitFor("SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1", blocker.PgConn().PID())
	r := p.runner()
	r.FirstTry, r.LongestTry, r.CancelBlockers = 500*time.Millisecond, 500*time.Millisecond, 1
	result, err := r.RunStep(t.Context(), alter())
	if err != nil || len(result.Blockers) != 1 || result.Blockers[0].Ended != "canceled" {
		t.Errorf("got %v, %+v", err, result.Blockers)
	}
	if err := <-canceled; run.SQLState(err) != "57014" {
		t.Errorf("the blocker ended with %v", err)
	}
	p.exec(blocker, "SELECT 1")
}

// A build that began beside an old transaction would leave everybody with an index that costs and does not serve until that ends.
func TestBuildWaitsForOldTransactions(t *testing.T) {
	for name, sql := range map[string]string{
		"a snapshot": "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1",
		"a writer":   "BEGIN; INSERT INTO t VALUES (1)",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (a int)")
			old, young := p.connect(), p.connect()
			p.exec(old, sql)
			r := p.runner()
			r.OldTransaction = time.Millisecond
			pid := p.pid(r.Conn)
			before := p.settings(r.Conn)
			done := start(t.Context(), r, p.index("t_a", "a"))
			for told := r.Report.(*notices); !told.contain(fmt.Sprintf("waiting for 1 old transaction: pid %d", old.PgConn().PID())); {
				p.waitFor("SELECT true")
			}
			p.waitFor(sleepsInServer, pid)
			p.indexes("")                                                    // nothing was begun
			p.exec(young, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1") // too late to be waited for
			p.exec(old, "COMMIT")
			p.waitFor("SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE pid = $1)", pid)
			p.exec(young, "COMMIT")
			if o := <-done; o.err != nil {
				t.Fatal(o.err)
			}
			p.indexes("t_a")
			p.clean(r, before)

			p.exec(old, sql)
			r.TurnBudget = 300 * time.Millisecond
			result, err := r.RunStep(t.Context(), p.index("t_b", "a"))
			f := failure(t, err)
			if f.Code != "55P03" || !strings.Contains(f.Message, fmt.Sprintf("did not end within 300ms: pid %d (postgres", old.PgConn().PID())) ||
				len(result.Blockers) != 1 {
				t.Errorf("got %+v, blockers %+v", f, result.Blockers)
			}
			p.indexes("t_a")
			p.exec(old, "COMMIT")
		})
	}
}

// A deadlock is retried where nothing was held before, like a lock that was not to be had.
func TestDeadlockIsRetried(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int); CREATE TABLE other (id int)")
	r := p.runner()
	if _, err := r.Conn.Exec(t.Context(), "SET deadlock_timeout = '10ms'"); err != nil {
		t.Fatal(err)
	}
	r.FirstTry, r.LongestTry = time.Minute, time.Minute
	pid := p.pid(r.Conn)
	other, gate := p.connect(), p.connect()
	p.exec(other, "SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE other")
	p.exec(gate, "SELECT pg_advisory_lock(1)")
	step := alter()
	step.SQL = "ALTER TABLE public.t ADD COLUMN extra int"
	step.Then = []string{"SELECT pg_catalog.pg_advisory_lock(1)", "ALTER TABLE public.other ADD COLUMN extra int"}
	done := start(t.Context(), r, step)
	p.waitFor("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND locktype = 'advisory')", pid)
	locked := make(chan error, 1)
	go func() {
		_, err := other.Exec(context.WithoutCancel(t.Context()), "LOCK TABLE t")
		locked <- err
	}()
	p.waitFor(waitsForLock, other.PgConn().PID())
	// The server looks for a deadlock once in each wait: this one begins when the other side waits already.
	p.exec(gate, "SELECT pg_advisory_unlock(1)")
	if err := <-locked; err != nil {
		t.Errorf("the other side of the deadlock: %v", err)
	}
	p.exec(other, "COMMIT")
	if o := <-done; o.err != nil || o.Tries < 2 {
		t.Errorf("got %v after %d tries", o.err, o.Tries)
	}
	hasColumn(p, "true")
}

// stream is a Watch that always sees another transaction in the way.
type stream struct {
	fixed
	met *atomic.Int64
}

func (s stream) Contention(context.Context, int) (run.Contention, error) {
	return run.Contention{Blockers: []run.Blocker{{PID: 1, Transaction: fmt.Sprintf("999999/%d", s.met.Add(1))}}}, nil
}

// In a stream of transactions there is no end to wait for: tries that others can bear follow each other closely, until one meets a gap.
func TestStreamIsTriedAgainAndAgain(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	r := p.runner()
	sent := &recorder{Conn: r.Conn, tries: 8, enough: func() { p.exec(reader, "COMMIT") }}
	r.Conn, r.Watch, r.LockBudget = sent, stream{met: &atomic.Int64{}}, 10*time.Minute
	p.must(r, alter())
	if slices.Contains(sent.timeouts, "500") {
		t.Errorf("tried with timeouts %q, want none of 500", sent.timeouts)
	}
}

// overlap is a Watch that sees one transaction in the way of the first try, and others in that of those behind it.
type overlap struct {
	fixed
	tries  atomic.Int64
	others []run.Blocker
	looked chan struct{}
}

func (o *overlap) Contention(context.Context, int) (run.Contention, error) {
	defer func() { o.looked <- struct{}{} }()
	if o.tries.Load() < 2 {
		return run.Contention{Blockers: o.fixed}, nil
	}
	return run.Contention{Blockers: o.others}, nil
}

// lookedAt is a Conn whose tries do not end in vain before somebody has looked.
type lookedAt struct {
	run.Conn
	by *overlap
}

func (l lookedAt) Chain(ctx context.Context, sql ...string) ([]string, error) {
	l.by.tries.Add(1)
	tags, err := l.Conn.Chain(ctx, sql...)
	if err != nil {
		<-l.by.looked
	}
	return tags, err
}

// In a stream of transactions that overlap the next try is made when one of them has ended, and not while all go on.
func TestStreamIsTriedWhenOneEnds(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int)")
	readers := []*pgx.Conn{p.connect(), p.connect()}
	seen := &overlap{fixed: fixed{{PID: 1, Transaction: "999999/1"}}, looked: make(chan struct{}, 10)}
	for _, reader := range readers {
		p.exec(reader, "BEGIN; SELECT FROM t")
		var b run.Blocker
		if err := reader.QueryRow(t.Context(), "SELECT pid, virtualtransaction FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'virtualxid'").Scan(
			&b.PID, &b.Transaction); err != nil {
			t.Fatal(err)
		}
		seen.others = append(seen.others, b)
	}
	r := p.runner()
	var ended atomic.Bool
	sent := &recorder{Conn: r.Conn, tries: 2, enough: func() {
		if !ended.Load() {
			t.Error("tried while all of them go on")
		}
		p.exec(readers[1], "COMMIT")
	}}
	r.Conn, r.Watch = lookedAt{sent, seen}, seen
	done := start(t.Context(), r, alter())
	for sent.looks.Load() < 8 && len(done) == 0 {
		p.is("1", "SELECT 1")
	}
	ended.Store(true)
	p.exec(readers[0], "COMMIT")
	if o := <-done; o.err != nil || o.Tries != 3 {
		t.Errorf("got %v after %d tries, want the third to do", o.err, o.Tries)
	}
}
