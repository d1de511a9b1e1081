package run_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// undetected is a runner whose session never looks for a deadlock: what ends one is ours.
func (p *place) undetected() run.Runner {
	p.Helper()
	r := p.runner()
	p.send(r, "SET deadlock_timeout = '1h'")
	return r
}

// strong is alter as it is planned: with the table that it locks.
func (p *place) strong() rewrite.Step {
	p.Helper()
	step := alter()
	step.Table = p.target("t")
	return step
}

// inTransaction is a runner whose session is in a transaction that has run the SQL.
func (p *place) inTransaction(sql ...string) run.Runner {
	p.Helper()
	r := p.runner()
	for _, sql := range append([]string{"BEGIN"}, sql...) {
		p.send(r, sql)
	}
	return r
}

func (p *place) send(r run.Runner, sql string) {
	p.Helper()
	if _, err := r.Conn.Exec(p.Context(), sql); err != nil {
		p.Fatalf("%s: %v", sql, err)
	}
}

// buildWaits is true while a concurrent build, or whatever else is like one, waits for transactions to end.
const buildWaits = "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND locktype = 'virtualxid')"

const deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"

// A transaction that wants the lock of a table on which a build of ours waits for it gets that lock, and the build is done behind it: with plain builds
// nobody would have failed.
func TestBuildGivesWay(t *testing.T) {
	const table = "CREATE TABLE t (a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 100) i; CREATE INDEX t_a ON t (a)"
	for _, test := range []struct {
		name    string
		work    func(p *place) rewrite.Step
		indexes string
	}{
		{"CREATE INDEX", func(p *place) rewrite.Step { return p.index("t_b", "b") }, "t_a t_b"},
		{"DROP INDEX", func(p *place) rewrite.Step { return p.dropIndex("t_a") }, ""},
		{"REINDEX", func(p *place) rewrite.Step {
			return rewrite.Step{SQL: "REINDEX TABLE CONCURRENTLY public.t", Where: rewrite.Alone, Rebuild: true, Table: p.target("t")}
		}, "t_a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, table)
			builder := p.undetected()
			kept := &artifacts{}
			builder.Artifacts = kept
			before, pid := p.settings(builder.Conn), p.pid(builder.Conn)
			changer := p.inTransaction("INSERT INTO public.t VALUES (0, 0)")
			done := start(t.Context(), builder, test.work(p))
			p.waitFor(buildWaits, pid)
			p.must(changer, p.strong())
			p.send(changer, "COMMIT")
			if o := <-done; o.err != nil {
				t.Error(o.err)
			}
			p.indexes(test.indexes)
			hasColumn(p, "true")
			p.clean(builder, before)
			p.is("0", deadlocks)
			if !builder.Report.(*notices).contain("stands back for a transaction") {
				t.Errorf("nobody was told: %q", builder.Report.(*notices).lines)
			}
			if len(kept.open) > 0 {
				t.Errorf("artifacts: %+v", kept)
			}
		})
	}
}

// The pauses of a transaction's plan hold a snapshot, for which a build that has begun before waits as for any other.
func TestBuildGivesWayToPauses(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); CREATE TABLE other (a int)")
	builder := p.undetected()
	before, pid := p.settings(builder.Conn), p.pid(builder.Conn)
	writer := p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
	done := start(t.Context(), builder, p.index("t_a", "a"))
	p.waitFor(waitsForWriters, pid)
	changer := p.inTransaction("INSERT INTO public.other VALUES (1)")
	changing := p.pid(changer.Conn)
	changed := start(t.Context(), changer, p.strong())
	p.waitFor(sleepsInServer, changing)
	p.exec(writer, "COMMIT")
	if o := <-changed; o.err != nil {
		t.Error(o.err)
	}
	p.send(changer, "COMMIT")
	if o := <-done; o.err != nil {
		t.Error(o.err)
	}
	p.indexes("t_a")
	hasColumn(p, "true")
	p.clean(builder, before)
	p.is("0", deadlocks)
}

// Whoever does not come through a proxy waits inside the server. The build is ahead of its deadlock detector.
func TestBuildGivesWayToAStranger(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	builder := p.undetected()
	before, pid := p.settings(builder.Conn), p.pid(builder.Conn)
	stranger := p.connect()
	p.exec(stranger, "SET deadlock_timeout = '1h'; BEGIN; INSERT INTO t VALUES (1)")
	done := start(t.Context(), builder, p.index("t_a", "a"))
	p.waitFor(buildWaits, pid)
	p.exec(stranger, addColumn)
	p.exec(stranger, "COMMIT")
	if o := <-done; o.err != nil {
		t.Error(o.err)
	}
	p.indexes("t_a")
	p.clean(builder, before)
}

// A build gives way to so many, so that it is done some day. The next one fails.
func TestBuildGivesWayToSoMany(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	builder := p.undetected()
	before, pid := p.settings(builder.Conn), p.pid(builder.Conn)
	changer := p.inTransaction("INSERT INTO public.t VALUES (1)")
	done := start(t.Context(), builder, p.index("t_a", "a"))
	for n := 1; n <= 5; n++ {
		p.waitFor(buildWaits, pid)
		p.must(changer, p.strong())
		// The next one is there before the build can be done.
		next := p.inTransaction()
		waiting, inserted := p.pid(next.Conn), make(chan error, 1)
		go func() {
			_, err := next.Conn.Exec(context.WithoutCancel(t.Context()), "INSERT INTO public.t VALUES (1)")
			inserted <- err
		}()
		p.waitFor(waitsForLock, waiting)
		p.send(changer, "ROLLBACK")
		if err := <-inserted; err != nil {
			t.Fatal(err)
		}
		changer = next
	}
	p.waitFor(buildWaits, pid)
	changer.LockBudget = 4 * time.Second
	if _, err := changer.RunStep(t.Context(), p.strong()); run.SQLState(err) != "40P01" {
		t.Errorf("the sixth: %v", err)
	}
	p.send(changer, "ROLLBACK")
	if o := <-done; o.err != nil {
		t.Error(o.err)
	}
	p.indexes("t_a")
	p.clean(builder, before)
}

// A build that nobody of ours can call off is in the way for good: the transaction that it waits for fails at once, with the reason, and the build goes on.
func TestDeadlockOfTriesIsSeen(t *testing.T) {
	for _, test := range []struct {
		name    string
		foreign bool
	}{{"a build of somebody else", true}, {"a build of ours without a control connection", false}} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (a int)")
			changer := p.inTransaction("INSERT INTO public.t VALUES (1)")
			changer.LockBudget = 10 * time.Minute
			done := make(chan error, 1)
			var pid int
			if test.foreign {
				foreign := p.connect()
				pid = int(foreign.PgConn().PID())
				p.exec(foreign, "SET deadlock_timeout = '1h'")
				go func() {
					_, err := foreign.Exec(context.WithoutCancel(t.Context()), "CREATE INDEX CONCURRENTLY t_a ON t (a)")
					done <- err
				}()
			} else {
				builder := p.undetected()
				builder.Watch = nil
				pid, changer.LockBudget = p.pid(builder.Conn), 4*time.Second
				step := p.index("t_a", "a")
				go func() {
					_, err := builder.RunStep(context.WithoutCancel(t.Context()), step)
					done <- err
				}()
			}
			p.waitFor(buildWaits, pid)
			_, err := changer.RunStep(t.Context(), p.strong())
			f := failure(t, err)
			if f.Code != "40P01" || !run.Retryable(err) {
				t.Errorf("SQLSTATE %s", f.Code)
			}
			for _, want := range []string{"pgsluice: the lock of ALTER TABLE public.t", fmt.Sprintf("pid %d", pid), "waits for this transaction; roll back, and run it again"} {
				if !strings.Contains(f.Message, want) {
					t.Errorf("message lacks %q: %s", want, f.Message)
				}
			}
			if got := changer.Conn.TxStatus(); got != 'E' {
				t.Errorf("status is %c", got)
			}
			if err := <-done; err != nil { // an aborted transaction is in nobody's way
				t.Errorf("the build: %v", err)
			}
			p.send(changer, "ROLLBACK")
			p.indexes("t_a")
			hasColumn(p, "false")
			p.is("0", advisoryLocks)
		})
	}
}

// So is anybody else who has what a transaction wants and wants what it has: short tries hide that from the server.
func TestDeadlockWithAnotherTransactionIsSeen(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); CREATE TABLE other (a int); INSERT INTO other VALUES (1)")
	changer := p.inTransaction("UPDATE public.other SET a = 2")
	changer.FirstTry, changer.LongestTry, changer.LockBudget = 500*time.Millisecond, 500*time.Millisecond, 10*time.Minute // long enough to be looked at
	other := p.connect()
	p.exec(other, "SET deadlock_timeout = '1h'; BEGIN; SELECT FROM t")
	updated := make(chan error, 1)
	go func() {
		_, err := other.Exec(context.WithoutCancel(t.Context()), "UPDATE other SET a = 3")
		updated <- err
	}()
	p.waitFor("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", other.PgConn().PID())
	_, err := changer.RunStep(t.Context(), p.strong())
	if f := failure(t, err); f.Code != "40P01" || !strings.Contains(f.Message, fmt.Sprintf("pid %d (postgres, active", other.PgConn().PID())) {
		t.Errorf("got %+v", f)
	}
	if err := <-updated; err != nil {
		t.Errorf("the other one: %v", err)
	}
	p.exec(other, "COMMIT")
	p.send(changer, "ROLLBACK")
	hasColumn(p, "false")
}

// sightings is a Conn on which a plan's looks for a cycle are counted, and which says in the server's place what they see, if see is set.
type sightings struct {
	run.Conn
	found chan int // how many each look has found; nil: nobody counts
	see   func(look int) []string
	looks int
}

func (s *sightings) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	rows, err := s.Conn.Query(ctx, sql, args...)
	if err != nil || !strings.Contains(sql, "Who will never end before this session does") {
		return rows, err
	}
	s.looks++
	if s.see != nil {
		rows = s.see(s.looks)
	}
	if s.found != nil {
		s.found <- len(rows)
	}
	return rows, nil
}

// A wait that ends by itself is no deadlock, though it was one in the moment of a look: the server would not have called it so either.
func TestWaitThatEndsIsNoDeadlock(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); CREATE TABLE other (a int); INSERT INTO other VALUES (1)")
	changer := p.inTransaction("UPDATE public.other SET a = 2", "SET deadlock_timeout = '1h'")
	looks := &sightings{Conn: changer.Conn, found: make(chan int)}
	changer.Conn = looks
	changer.FirstTry, changer.LongestTry, changer.LockBudget = 500*time.Millisecond, 500*time.Millisecond, 10*time.Minute // long enough to be looked at
	other := p.connect()
	p.exec(other, "SET deadlock_timeout = '1h'; BEGIN; SELECT FROM t; SAVEPOINT before")
	updated := make(chan error, 1)
	go func() {
		_, err := other.Exec(context.WithoutCancel(t.Context()), "UPDATE other SET a = 3")
		updated <- err
	}()
	p.waitFor("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", other.PgConn().PID())
	done := start(t.Context(), changer, p.strong())
	for seen := 0; seen < 2; { // more than once, but not for as long as the server would wait
		select {
		case found := <-looks.found:
			seen += found
		case o := <-done:
			t.Fatalf("it ended while the other one waited: %v", o.err)
		}
	}
	p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", other.PgConn().PID()))
	if err := <-updated; run.SQLState(err) != "57014" {
		t.Fatalf("the other one: %v", err)
	}
	p.exec(other, "ROLLBACK TO SAVEPOINT before")
	p.exec(other, "COMMIT")
	for o, ended := (outcome{}), false; !ended; {
		select {
		case <-looks.found:
		case o = <-done:
			if ended = true; o.err != nil {
				t.Error(o.err)
			}
		}
	}
	p.send(changer, "COMMIT")
	hasColumn(p, "true")
}

// It is a deadlock only if it is the same transaction each time.
func TestDeadlockIsOfTheSameTransaction(t *testing.T) {
	waiter := func(pid, transaction int) []string {
		return []string{fmt.Sprintf(`{"pid": %d, "transaction": "7/%d", "state": "active"}`, pid, transaction)}
	}
	for name, test := range map[string]struct {
		see  func(look int) []string
		code string
	}{
		"the same":                {func(int) []string { return waiter(1, 1) }, "40P01"},
		"another backend":         {func(look int) []string { return waiter(look, 1) }, "55P03"},
		"another transaction":     {func(look int) []string { return waiter(1, look) }, "55P03"},
		"now and then":            {func(look int) []string { return waiter(1, 1)[look%2:] }, "55P03"},
		"the same beside another": {func(look int) []string { return append(waiter(1, look), waiter(2, 1)...) }, "40P01"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, "CREATE TABLE t (a int)")
			reader := p.connect()
			p.exec(reader, "BEGIN; SELECT FROM t")
			r := p.inTransaction("SET deadlock_timeout = '10ms'")
			looks := &sightings{Conn: r.Conn, see: test.see}
			r.Conn, r.LockBudget = looks, 4*time.Second
			_, err := r.RunStep(t.Context(), p.strong())
			f := failure(t, err)
			if f.Code != test.code || looks.looks < 2 {
				t.Errorf("%s after %d looks, want %s: %s", f.Code, looks.looks, test.code, f.Message)
			}
			if f.Code == "40P01" && name == "the same beside another" && !strings.Contains(f.Message, "pid 2 ") {
				t.Errorf("it names somebody else: %s", f.Message)
			}
		})
	}
}
