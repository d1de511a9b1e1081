package run_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
)

// throttle looks at the place's server as the login does.
func (p *place) throttle(login string, options run.ThrottleOptions) run.Throttle {
	conn := p.open(pgtest.Server(p.T).DSN(login, p.look.Config().Database))
	return run.NewThrottle(func(context.Context) (run.Conn, func(), error) { return conn, func() {}, nil }, options)
}

// Each signal is seen on a real server, while it is there and no longer.
func TestThrottleSeesTheServer(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE room (free bool); INSERT INTO room VALUES (false); INSERT INTO t SELECT generate_series(1, 100000)")
	login := pgtest.Role(t, "LOGIN IN ROLE pg_read_all_stats")
	p.exec(p.look, "GRANT SELECT ON room TO "+login)
	table := p.target("t").OID
	// until looks until the throttle says what is wanted; "" is nothing.
	until := func(t *testing.T, throttle run.Throttle, want string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		for {
			reasons := strings.Join(throttle.Reasons(t.Context(), 0, []uint32{table}), "; ")
			if want == "" && reasons == "" || want != "" && strings.Contains(reasons, want) {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("it says %q, want %q", reasons, want)
			}
		}
	}
	t.Run("lock waiters", func(t *testing.T) {
		throttle := p.throttle(login, run.ThrottleOptions{LockWaiters: 1})
		until(t, throttle, "")
		holder, waiter := p.connect(), p.connect()
		p.exec(holder, "BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE")
		gone := make(chan error, 1)
		go func() {
			_, err := waiter.Exec(t.Context(), "BEGIN; LOCK TABLE t IN SHARE MODE; COMMIT")
			gone <- err
		}()
		until(t, throttle, "waits for the table, pid")
		p.exec(holder, "COMMIT")
		if err := <-gone; err != nil {
			t.Fatal(err)
		}
		until(t, throttle, "")
	})
	t.Run("query", func(t *testing.T) {
		throttle := p.throttle(login, run.ThrottleOptions{Query: "SELECT NOT free FROM public.room"})
		until(t, throttle, "batch.throttle.query answers t")
		p.exec(p.look, "UPDATE room SET free = true")
		until(t, throttle, "")
	})
	t.Run("replica", func(t *testing.T) {
		config, err := pgconn.ParseConfig(p.dsn)
		if err != nil {
			t.Fatal(err)
		}
		config.RuntimeParams["replication"], config.RuntimeParams["application_name"] = "true", "test_replica"
		throttle := p.throttle(login, run.ThrottleOptions{ReplicaLag: time.Second, Replicas: []string{"test_replica"}})
		until(t, throttle, "") // one that was never there is not waited for
		walsender, err := pgconn.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		start := walsender.Exec(t.Context(), "IDENTIFY_SYSTEM")
		rows, err := start.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		walsender.Frontend().SendQuery(&pgproto3.Query{String: "START_REPLICATION PHYSICAL " + string(rows[0].Rows[0][2])})
		if err := walsender.Frontend().Flush(); err != nil {
			t.Fatal(err)
		}
		until(t, throttle, "has replayed nothing yet")
		if err := walsender.Conn().Close(); err != nil {
			t.Fatal(err)
		}
		until(t, throttle, " is gone")
	})
	t.Run("autovacuum", func(t *testing.T) {
		throttle := p.throttle(login, run.ThrottleOptions{Autovacuum: true})
		until(t, throttle, "")
		p.exec(p.look, "DELETE FROM t WHERE id % 2 = 0")
		vacuum := p.connect()
		p.exec(vacuum, "SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = vacuum.Exec(ctx, "VACUUM t")
		}()
		until(t, throttle, "the table is being vacuumed by pid")
		cancel()
		<-ended
		until(t, throttle, "")
	})
	t.Run("active sessions", func(t *testing.T) {
		throttle := p.throttle(login, run.ThrottleOptions{ActiveSessions: 1})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{}, 2)
		for range 2 {
			conn := p.connect()
			go func() {
				_, _ = conn.Exec(ctx, "SELECT pg_sleep(60)")
				ended <- struct{}{}
			}()
		}
		until(t, throttle, "sessions are active, limit 1")
		cancel()
		<-ended
		<-ended
	})
	t.Run("slot and WAL", func(t *testing.T) {
		p.exec(p.look, "SELECT pg_create_physical_replication_slot('pgsluice_test_slot', true)")
		defer p.exec(p.look, "SELECT pg_drop_replication_slot('pgsluice_test_slot')")
		// Limits that are not there are not reached.
		until(t, p.throttle(login, run.ThrottleOptions{SlotRetention: 50, WALRate: 1 << 40, ArchiveBacklog: 1}), "")
		throttle := p.throttle(login, run.ThrottleOptions{WALRate: 1})
		until(t, throttle, "")
		p.exec(p.look, "INSERT INTO t SELECT generate_series(1000001, 1010000)")
		until(t, throttle, "of WAL is written")
	})
}

// room is a Throttle that a test sets.
type room struct{ none atomic.Bool }

func (r *room) Reasons(context.Context, int, []uint32) []string {
	if r.none.Load() {
		return []string{"there is no room"}
	}
	return nil
}

func (r *room) Every() time.Duration { return time.Millisecond }

func (r *room) Signals() []string {
	if r.none.Load() {
		return []string{"room"}
	}
	return nil
}

// A job waits while the server has no room, says so to the client and in the ledger, and goes on.
func TestJobWaitsForRoom(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 3000) g")
	r, throttle := h.client(h.open(h.dsnOf(h.alice))), &room{}
	throttle.none.Store(true)
	counted := &counts{throttled: map[string]time.Duration{}, jobs: map[string]int{}}
	r.Throttle, r.Meter = throttle, counted
	done := h.begin(r, h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t"))
	h.waitFor("SELECT EXISTS (SELECT FROM pgsluice.jobs WHERE reason = 'there is no room')")
	h.is("0", "SELECT count(*) FROM t WHERE n = 1")
	throttle.none.Store(false)
	if o := <-done; o.err != nil || o.Tag != "UPDATE 3000" || o.Waited == 0 {
		t.Errorf("%+v", o)
	}
	for _, line := range []string{"waiting: there is no room", "going on after waiting"} {
		if !r.Report.(*notices).contain(line) {
			t.Errorf("the client does not hear %q", line)
		}
	}
	if counted.rows != 3000 || counted.throttled["room"] == 0 || len(counted.throttled) != 1 || counted.jobs["done"] != 1 || counted.done != 1 {
		t.Errorf("counted %+v", counted)
	}
}

// counts is a Meter of one job.
type counts struct {
	run.Meter          // what a job does not meet is not there
	rows, done, failed int
	throttled          map[string]time.Duration
	jobs               map[string]int
}

func (c *counts) BatchDone(rows int, _ time.Duration)           { c.rows += rows }
func (c *counts) Throttled(signal string, waited time.Duration) { c.throttled[signal] += waited }
func (c *counts) JobEnded(state string)                         { c.jobs[state]++ }
func (c *counts) LockTried(int, time.Duration, bool)            {}
func (c *counts) Building(int, string, float64)                 {}
func (c *counts) StepRun(done bool) {
	if done {
		c.done++
	} else {
		c.failed++
	}
}

// One that has waited too long is stopped, and the same statement goes on with it.
func TestJobWaitsNotForEver(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	r, throttle := h.client(h.open(h.dsnOf(h.alice))), &room{}
	r.Throttle, r.Batch.MaxThrottled = throttle, time.Millisecond
	other := h.connect()
	h.exec(other, "BEGIN; UPDATE t SET id = id WHERE id = 15000")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	done := h.begin(r, plan)
	h.waitFor("SELECT EXISTS (SELECT FROM t WHERE n = 1 AND id > 14000)")
	throttle.none.Store(true)
	h.exec(other, "COMMIT")
	o := <-done
	f := failure(t, o.err)
	if f.Code != "PS005" || !strings.Contains(f.Message, "stopped after waiting") || !strings.Contains(f.Message, "there is no room") ||
		!strings.Contains(f.Hint, fmt.Sprintf("pgsluice jobs resume %d", h.job())) {
		t.Errorf("%+v", f)
	}
	h.is("stopped PS005", "SELECT concat_ws(' ', state, sqlstate) FROM pgsluice.jobs")
	h.finish(plan)
	h.is("0", "SELECT count(*) FROM t WHERE n <> 1")
}

// A job whose client has gone stops at a batch, or goes on.
func TestJobWithoutItsClient(t *testing.T) {
	for _, on := range []bool{false, true} {
		h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
		r := h.client(h.open(h.dsnOf(h.alice)))
		r.Batch.GoOnAlone = on
		batches := 0
		r.Gone = func() bool { batches++; return batches > 2 }
		plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
		_, err := r.Run(t.Context(), plan)
		if on != (err == nil) {
			t.Fatalf("on its own %v: %v", on, err)
		}
		if !on {
			h.is("stopped 08006 2", "SELECT concat_ws(' ', j.state, j.sqlstate, c.batches) FROM pgsluice.jobs j, pgsluice.checkpoints c")
			h.finish(plan)
		}
		h.is("0", "SELECT count(*) FROM t WHERE n <> 1")
	}
}
