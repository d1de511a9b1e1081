package run_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// proxy is a runner of a process of its own, on a connection of alice's.
func (h *home) proxy(name string) run.Runner {
	h.Helper()
	ledger, err := revisions.Open(h.Context(), h.open(h.dsnOf(h.control)))
	if err != nil {
		h.Fatal(err)
	}
	r := h.client(h.open(h.dsnOf(h.alice)))
	r.Name, r.Jobs = name, ledger
	return r
}

// Two proxies go on with the same job at once, each with connections of its own: one of them does, no row is changed twice, and the other one says why it
// does not.
func TestTwoProxiesNeverRunTheSameJob(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	for round := 1; round <= 5; round++ {
		first, batches := h.proxy("first"), 0
		first.Gone = func() bool { batches++; return batches > 2 }
		if _, err := first.Run(t.Context(), plan); err == nil {
			t.Fatal("the job does not stop")
		}
		var id int64
		if err := h.look.QueryRow(t.Context(), "SELECT max(id) FROM pgsluice.jobs").Scan(&id); err != nil {
			t.Fatal(err)
		}
		h.is("stopped", fmt.Sprintf("SELECT state FROM pgsluice.jobs WHERE id = %d", id))

		var (
			together sync.WaitGroup
			failed   [2]error
		)
		for i := range failed {
			r := h.proxy(fmt.Sprintf("proxy %d", i))
			together.Go(func() { _, failed[i] = r.ResumeJob(t.Context(), id) })
		}
		together.Wait()
		if (failed[0] == nil) == (failed[1] == nil) {
			t.Errorf("round %d: %v, %v: one of the two does the job", round, failed[0], failed[1])
		}
		h.is("done", fmt.Sprintf("SELECT state FROM pgsluice.jobs WHERE id = %d", id))
		h.is("0", fmt.Sprintf("SELECT count(*) FROM t WHERE n <> %d", round))
	}
}

// The same statement sent through two proxies at once begins one job.
func TestTwoProxiesNeverBeginTheSameJob(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	throttle := &room{}
	throttle.none.Store(true)
	var done []<-chan outcome
	for i := range 2 {
		r := h.proxy(fmt.Sprintf("proxy %d", i))
		r.Throttle = throttle
		done = append(done, h.begin(r, plan))
	}
	// One waits for room, the other one for the first to end.
	h.waitFor("SELECT EXISTS (SELECT FROM pgsluice.jobs WHERE reason = 'there is no room')")
	var ended outcome
	select {
	case ended = <-done[0]:
		done = done[1:]
	case ended = <-done[1]:
		done = done[:1]
	}
	if f := failure(t, ended.err); f.Code != "55006" {
		t.Errorf("%+v", f)
	}
	h.is("1", "SELECT count(*) FROM pgsluice.jobs")
	throttle.none.Store(false)
	if o := <-done[0]; o.err != nil || o.Tag != "UPDATE 20000" {
		t.Errorf("%+v", o)
	}
	h.is("0", "SELECT count(*) FROM t WHERE n <> 1")
}

// Who waits for the session that runs the job, to go on with it, is told when there is nothing left to go on with. It is not done a second time.
func TestJobThatEndsMeanwhile(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 300) g; ANALYZE t")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	throttle := &room{}
	throttle.none.Store(true)
	first, second := h.proxy("first"), h.proxy("second")
	first.Throttle = throttle
	done := h.begin(first, plan)
	h.waitFor("SELECT EXISTS (SELECT FROM pgsluice.jobs WHERE reason = 'there is no room')")
	other := h.begin(second, plan)
	second.Report.(*notices).await(t, "waiting for the session that ran job")
	throttle.none.Store(false)
	if o := <-done; o.err != nil || o.Tag != "UPDATE 300" {
		t.Errorf("%+v", o)
	}
	if f := failure(t, (<-other).err); f.Code != "55006" { // object_in_use
		t.Errorf("%+v", f)
	}
	h.is("300", "SELECT count(*) FROM t WHERE n = 1")
}
