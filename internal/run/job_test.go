package run_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

var _ run.Jobs = (*revisions.Ledger)(nil)

// shared is a Ledger that several jobs of a test use at once.
type shared struct {
	mu     sync.Mutex
	ledger *revisions.Ledger
	// deaf is true when the process is dead: it writes nothing down any more.
	deaf bool
	// done is true when the ledger has it that a job is done.
	done bool
}

func (s *shared) FindJob(ctx context.Context, like revisions.Job) (*revisions.JobRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.FindJob(ctx, like)
}

func (s *shared) EndedJob(ctx context.Context, like revisions.Job) (*revisions.JobRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.EndedJob(ctx, like)
}

func (s *shared) AdoptJob(ctx context.Context, id int64, by revisions.Runner) (revisions.JobRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.AdoptJob(ctx, id, by)
}

func (s *shared) BeginJob(ctx context.Context, job revisions.Job, by revisions.Runner) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.BeginJob(ctx, job, by)
}

func (s *shared) BeatJob(ctx context.Context, id int64, by revisions.Runner, reason string) (revisions.Steering, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.BeatJob(ctx, id, by, reason)
}

func (s *shared) EndJob(ctx context.Context, id int64, by revisions.Runner, outcome revisions.Outcome) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deaf {
		return errors.New("dead")
	}
	err := s.ledger.EndJob(ctx, id, by, outcome)
	s.done = s.done || err == nil && outcome.State == revisions.Done
	return err
}

func (s *shared) NewKey(ctx context.Context) (revisions.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ledger.NewKey(ctx)
}

// bulk is a plan that changes every row of tables of the home, as a recipe makes it.
func (h *home) bulk(before, where string, tables ...string) rewrite.Plan {
	h.Helper()
	plan := rewrite.Plan{Recipe: "bulk-write", Tag: strings.Fields(before)[0], Job: before + where, Asked: before, Table: h.target(tables[0])}
	if len(tables) > 1 {
		tables = tables[1:] // the first is their parent
	}
	for _, table := range tables {
		plan.Steps = append(plan.Steps, rewrite.Step{
			SQL: before + where, Where: rewrite.AfterCommit, Table: h.target(table),
			Batch: &rewrite.Batch{Before: fmt.Sprintf(before, `"public"."`+table+`"`), Where: where, Alias: table, Once: true},
		})
	}
	return plan
}

// client is a runner on a connection of alice's, with small batches.
func (h *home) client(conn run.Conn) run.Runner {
	return run.Runner{
		Conn: conn, Jobs: h.ledger, Report: &notices{},
		Options: run.Options{
			Name: "test", LockBudget: 20 * time.Second, NoticeEvery: time.Millisecond,
			Batch: run.BatchOptions{TargetTime: 10 * time.Second, MaxRows: 500, NoticeEvery: time.Millisecond},
		},
	}
}

func (h *home) finish(plan rewrite.Plan) run.Result {
	h.Helper()
	result, err := h.client(h.open(h.dsnOf(h.alice))).Run(h.Context(), plan)
	if err != nil {
		h.Fatal(err)
	}
	return result
}

var errLost = errors.New("the connection is lost")

// frail is a connection that breaks at a certain round trip of the batches, in one of three ways.
type frail struct {
	run.Conn
	trips int // until it breaks
	way   string
	kill  func()
	kills sync.WaitGroup
	lost  bool
}

func (f *frail) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	if f.lost {
		return "", errLost
	}
	return f.Conn.Exec(ctx, sql, args...)
}

func (f *frail) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	if f.lost {
		return nil, errLost
	}
	return f.Conn.Query(ctx, sql, args...)
}

func (f *frail) Pipeline(ctx context.Context, calls ...run.Call) ([]run.Answer, error) {
	if f.lost {
		return nil, errLost
	}
	if f.trips--; f.trips > 0 {
		return f.Conn.Pipeline(ctx, calls...)
	}
	switch f.way {
	case "killed in the middle":
		f.kills.Go(f.kill)
		if answers, err := f.Conn.Pipeline(ctx, calls...); err == nil {
			return answers, nil // it was faster: the next one fails
		}
	case "answer lost":
		_, _ = f.Conn.Pipeline(ctx, calls...)
		// The backend lives on, as that of a dead proxy does until it notices.
		f.kills.Go(f.kill)
	default:
		f.kill()
		_, _ = f.Conn.Pipeline(ctx, calls...)
	}
	f.lost = true
	return nil, errLost
}

// jobRows is how many rows the tables of jobs have that break again and again: PGSLUICE_TEST_JOB_ROWS=200000 breaks them hundreds of times.
func jobRows(t *testing.T) int {
	rows, given := os.LookupEnv("PGSLUICE_TEST_JOB_ROWS")
	if !given {
		return 15_000
	}
	n, err := strconv.Atoi(rows)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Whatever breaks, and whenever, every row that was there is changed once, while others write to the table.
func TestJobChangesEveryRowOnce(t *testing.T) {
	rows := jobRows(t)
	for name, c := range map[string]struct {
		table  string
		tables []string
		// insert is done by others once the job has begun; "" where nobody must
		insert string
	}{
		"identity": {
			`CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int NOT NULL DEFAULT 0, other int NOT NULL DEFAULT 0, old boolean);
			INSERT INTO t (old) SELECT true FROM generate_series(1, %d)`, []string{"t"}, "INSERT INTO t (old) SELECT false FROM generate_series(1, 10) WHERE EXISTS (SELECT FROM pgsluice.checkpoints)"},
		"composite": {
			`CREATE TABLE t (a text COLLATE "C", b int, n int NOT NULL DEFAULT 0, other int NOT NULL DEFAULT 0, old boolean, PRIMARY KEY (a, b));
			INSERT INTO t SELECT chr(97 + g %% 7), g, 0, 0, true FROM generate_series(1, %d) g`, []string{"t"}, ""},
		"uuid": {
			`CREATE TABLE t (id uuid PRIMARY KEY, n int NOT NULL DEFAULT 0, other int NOT NULL DEFAULT 0, old boolean);
			INSERT INTO t SELECT md5(g::text)::uuid, 0, 0, true FROM generate_series(1, %d) g`, []string{"t"}, ""},
		"partitioned": {
			`CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, r int, n int NOT NULL DEFAULT 0, other int NOT NULL DEFAULT 0, old boolean, PRIMARY KEY (r, id))
			PARTITION BY LIST (r);
			CREATE TABLE t0 PARTITION OF t FOR VALUES IN (0); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t DEFAULT;
			INSERT INTO t (r, old) SELECT g %% 5, true FROM generate_series(1, %d) g`, []string{"t", "t0", "t1", "t2"},
			"INSERT INTO t (r, old) SELECT g % 2, false FROM generate_series(1, 10) g WHERE EXISTS (SELECT FROM pgsluice.checkpoints)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t, true, fmt.Sprintf(c.table, rows)+"; ANALYZE t")
			stop := h.disturb(c.insert)
			plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", c.tables...)
			runs, tag := h.untilDone(plan)
			stop()
			h.is("0", "SELECT count(*) FROM t WHERE old AND n <> 1")
			if c.insert != "" {
				h.is("0", "SELECT count(*) FROM t WHERE NOT old AND n <> 0")
				h.is("true", "SELECT count(*) > 0 FROM t WHERE NOT old")
			}
			h.is("true", "SELECT count(*) > 5000 FROM t WHERE old")
			t.Logf("killed %d times, %s", runs-1, tag)
			if runs < 3 {
				t.Errorf("it broke only %d times", runs-1)
			}
		})
	}
}

// Of a DELETE that breaks every now and then the client hears of every row.
func TestJobDeletesAndCountsEveryRow(t *testing.T) {
	rows := jobRows(t) / 3 * 3
	h := newHome(t, true, fmt.Sprintf(
		"CREATE TABLE t (id int PRIMARY KEY, old boolean, x text); INSERT INTO t SELECT g, g %% 3 > 0, 'x' FROM generate_series(1, %d) g; ANALYZE t", rows))
	runs, tag := h.untilDone(h.bulk("DELETE FROM ONLY %s", "old -- and no more", "t"))
	h.is(strconv.Itoa(rows/3), "SELECT count(*) FROM t")
	h.is("0", "SELECT count(*) FROM t WHERE old")
	t.Logf("killed %d times, %s", runs-1, tag)
	if tag != fmt.Sprintf("DELETE %d", rows/3*2) || runs < 3 {
		t.Errorf("%d runs, %s", runs, tag)
	}
}

// untilDone sends a statement again and again, on connections that break in every way, until it is done.
func (h *home) untilDone(plan rewrite.Plan) (runs int, tag string) {
	h.Helper()
	ways := []string{"killed before", "killed in the middle", "answer lost"}
	seed := rand.Uint64()
	h.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	killer := h.connect()
	var one sync.Mutex
	for ; runs < 200+jobRows(h.T)/50; runs++ {
		conn, err := control.Connect(h.Context(), h.dsnOf(h.alice), nil)
		if err != nil {
			h.Fatal(err)
		}
		pid := h.pid(conn)
		jobs := &shared{ledger: h.ledger}
		way := ways[runs%len(ways)]
		broken := &frail{Conn: conn, trips: 4 + 3*len(plan.Steps) + random.IntN(12), way: way, kill: func() {
			one.Lock()
			defer one.Unlock()
			if _, err := killer.Exec(context.WithoutCancel(h.Context()), "SELECT pg_terminate_backend($1)", pid); err != nil {
				h.Error(err)
			}
		}}
		jobs.deaf = way == "answer lost"
		r := h.client(broken)
		r.Jobs = jobs
		result, err := r.Run(h.Context(), plan)
		broken.kills.Wait()
		conn.Close()
		// A connection may also break between the end of the job and its answer: sent again, the statement would be a new one.
		if err == nil || jobs.done {
			return runs + 1, result.Tag
		}
		if code := run.SQLState(err); code != "" && code != "57P01" && code != "08006" {
			h.Fatalf("%s: %v", way, err)
		}
	}
	h.Fatal("it is never done")
	return 0, ""
}

// disturb writes to the table t from other sessions until stop is called.
func (h *home) disturb(insert string) (stop func()) {
	h.Helper()
	ctx, cancel := context.WithCancel(h.Context())
	var all sync.WaitGroup
	for n, sql := range []string{
		"UPDATE t SET other = other + 1 WHERE ctid = ANY (ARRAY(SELECT ctid FROM t TABLESAMPLE SYSTEM (1) LIMIT 5))",
		"DELETE FROM t WHERE ctid = ANY (ARRAY(SELECT ctid FROM t TABLESAMPLE SYSTEM (1) LIMIT 1))",
		insert,
	} {
		if sql == "" {
			continue
		}
		conn := h.connect()
		all.Go(func() {
			for i := 0; ctx.Err() == nil && (n != 1 || i < 2000); i++ {
				if _, err := conn.Exec(context.WithoutCancel(ctx), sql); err != nil && !strings.Contains(err.Error(), "40P01") {
					h.Error(err)
					return
				}
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// The same statement again begins anew when the job before is done; another one is another job; and nothing of its parameters stays.
func TestJobIsBegunAnewWhenItIsDone(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 3000) g")
	plan := h.bulk("UPDATE ONLY %s SET n = n + $1", "id > $2", "t")
	plan.Steps[0].Batch.Params = []rewrite.Param{{OID: 23, Format: 1, Value: []byte{0, 0, 0, 7}}, {OID: 23, Value: []byte("1000")}}
	for range 2 {
		if result := h.finish(plan); result.Tag != "UPDATE 2000" {
			t.Errorf("tag %s", result.Tag)
		}
	}
	h.is("2000", "SELECT count(*) FROM t WHERE n = 14")
	h.is("2", "SELECT count(*) FROM pgsluice.jobs WHERE state = 'done'")
	h.is("{\"asked\" : \"UPDATE ONLY %s SET n = n + $1\"}", "SELECT max(content::text) FROM pgsluice.jobs")
	h.is("4000", "SELECT sum(changed) FROM pgsluice.checkpoints")
}

// A cancel ends the job at a batch, says what is done and how to go on; the same statement goes on.
func TestCancelKeepsWhatIsDone(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	other := h.connect()
	h.exec(other, "BEGIN; UPDATE t SET id = id WHERE id = 15000")
	r := h.client(h.open(h.dsnOf(h.alice)))
	pid := h.pid(r.Conn)
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	done := h.begin(r, plan)
	h.waitFor("SELECT EXISTS (SELECT FROM t WHERE n = 1 AND id > 14000)")
	o := h.cancelUntil(pid, done)
	f := failure(t, o.err)
	if f.Code != "57014" || !strings.Contains(f.Message, "are done and stay: send the statement again to go on") || !strings.Contains(f.Hint, "pgsluice jobs resume") {
		t.Fatalf("%+v", f)
	}
	h.is("stopped", "SELECT max(state) FROM pgsluice.jobs")
	h.exec(other, "COMMIT")
	if result := h.finish(plan); result.Tag != "UPDATE 20000" {
		t.Errorf("tag %s", result.Tag)
	}
	h.is("0", "SELECT count(*) FROM t WHERE n <> 1")
}

// begin runs a plan in the background.
func (h *home) begin(r run.Runner, plan rewrite.Plan) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		result, err := r.Run(h.Context(), plan)
		done <- outcome{result, err}
	}()
	return done
}

// Nobody but its login goes on with a job, and nobody while somebody does.
func TestJobIsItsLogins(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	broken := &frail{Conn: h.open(h.dsnOf(h.alice)), trips: 12, way: "killed before", kill: func() {
		h.exec(h.look, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+h.alice+"'")
	}}
	if _, err := h.client(broken).Run(t.Context(), plan); err == nil {
		t.Fatal("it did not break")
	}
	id := h.job()
	_, err := h.client(h.open("")).ResumeJob(t.Context(), id)
	if f := failure(t, err); f.Code != "42501" || !strings.Contains(f.Message, "is left to login "+h.alice) {
		t.Errorf("%+v", f)
	}
	h.is("0", "SELECT count(*) FROM t WHERE n > 1")
	if result, err := h.client(h.open(h.dsnOf(h.alice))).ResumeJob(t.Context(), id); err != nil || result.Tag != "UPDATE 20000" {
		t.Errorf("%s, %v", result.Tag, err)
	}
	h.is("20000", "SELECT count(*) FROM t WHERE n = 1")
}

// job is the id of the only job.
func (h *home) job() (id int64) {
	h.Helper()
	if err := h.look.QueryRow(h.Context(), "SELECT id FROM pgsluice.jobs").Scan(&id); err != nil {
		h.Fatal(err)
	}
	return id
}

// A job that a person pauses, hurries, and gives up does so within a batch.
func TestJobIsSteered(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	other := h.connect()
	h.exec(other, "BEGIN; UPDATE t SET id = id WHERE id = 15000")
	r, steering := h.client(h.open(h.dsnOf(h.alice))), h.second()
	r.Jobs = &shared{ledger: h.second()}
	done := h.begin(r, h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t"))
	h.waitFor("SELECT EXISTS (SELECT FROM t WHERE n = 1 AND id > 14000)")
	id := h.job()
	if err := steering.SteerJob(t.Context(), id, "pause", 20, 0.5, ""); err != nil {
		t.Fatal(err)
	}
	h.exec(other, "COMMIT")
	h.waitFor("SELECT EXISTS (SELECT FROM pgsluice.jobs WHERE reason LIKE 'paused by pgsluice jobs pause%')")
	if !r.Report.(*notices).contain("waiting: paused by pgsluice jobs pause") {
		t.Error("the client does not hear why it waits")
	}
	if err := steering.SteerJob(t.Context(), id, "run", revisions.SameTime, revisions.SameNice, ""); err != nil {
		t.Fatal(err)
	}
	if o := <-done; o.err != nil || o.Tag != "UPDATE 20000" {
		t.Errorf("%s, %v", o.Tag, o.err)
	}
	h.is("20 0.5", "SELECT concat_ws(' ', target_time, nice_ratio) FROM pgsluice.jobs")
	if err := steering.SteerJob(t.Context(), id, "cancel", revisions.SameTime, revisions.SameNice, ""); !errors.Is(err, revisions.ErrLost) {
		t.Errorf("a job that is done can be cancelled: %v", err)
	}
}

// second is the ledger on a connection of its own.
func (h *home) second() *revisions.Ledger { return h.ledger.On(h.open(h.dsnOf(h.control))) }

// What breaks for good after some batches is told with what is done; before the first batch it is the server's own error.
func TestJobThatFails(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0 CHECK (id <> 15000 OR n = 0)); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	_, err := h.client(h.open(h.dsnOf(h.alice))).Run(t.Context(), plan)
	f := failure(t, err)
	if f.Code != "23514" || !strings.Contains(f.Message, "violates check constraint") || !strings.Contains(f.Message, "are done and stay") {
		t.Errorf("%+v", f)
	}
	h.is("stopped 23514", "SELECT concat_ws(' ', state, sqlstate) FROM pgsluice.jobs")
	h.exec(h.as(h.alice), "ALTER TABLE t DROP CONSTRAINT t_check")
	if result := h.finish(plan); result.Tag != "UPDATE 20000" {
		t.Errorf("tag %s", result.Tag)
	}
	_, err = h.client(h.open(h.dsnOf(h.alice))).Run(t.Context(), h.bulk("UPDATE ONLY %s SET n = n / 0", "", "t"))
	var ours *run.Failure
	if run.SQLState(err) != "22012" || errors.As(err, &ours) {
		t.Errorf("got %v", err)
	}
	h.is("void", "SELECT state FROM pgsluice.jobs WHERE sqlstate = '22012'")
}

// A condition that an index serves is walked by what it finds, and not by all that there is.
func TestJobFollowsTheIndexOfItsCondition(t *testing.T) {
	h := newHome(t, true, `CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0, kind int); INSERT INTO t SELECT g, 0, g % 1000 FROM generate_series(1, 60000) g;
		CREATE INDEX ON t (kind); ANALYZE t`)
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "kind = $1", "t")
	plan.Steps[0].Batch.Params = []rewrite.Param{{OID: 23, Value: []byte("7")}}
	if result := h.finish(plan); result.Tag != "UPDATE 60" {
		t.Errorf("tag %s", result.Tag)
	}
	h.is("1", "SELECT batches FROM pgsluice.checkpoints")
	h.is("60 60", "SELECT concat_ws(' ', count(*), sum(n)) FROM t WHERE kind = 7")
}

// The session's own statement_timeout holds for each batch, and is as it was afterwards.
func TestJobUnderItsOwnTimeout(t *testing.T) {
	h := newHome(t, true, `CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 1500) g; ANALYZE t;
		CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END';
		CREATE TRIGGER slow BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION slow()`)
	r := h.client(h.open(h.dsnOf(h.alice)))
	r.Batch.TargetTime = 10 * time.Second
	if _, err := r.Conn.Exec(t.Context(), "SET statement_timeout = '700ms'"); err != nil {
		t.Fatal(err)
	}
	before := h.settings(r.Conn)
	result, err := r.Run(t.Context(), h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t"))
	if err != nil || result.Tag != "UPDATE 1500" || result.Tries == 0 {
		t.Errorf("%+v, %v", result, err)
	}
	h.is("1500", "SELECT count(*) FROM t WHERE n = 1")
	if !r.Report.(*notices).contain("the statement_timeout of 700ms holds for each batch") {
		t.Error("the client does not hear what its timeout means")
	}
	if after := h.settings(r.Conn); after != before {
		t.Errorf("settings were %s, are %s", before, after)
	}
}

// Rows of a table that has come in the place of another are not touched.
func TestJobKnowsItsTable(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	other := h.connect()
	h.exec(other, "BEGIN; UPDATE t SET id = id WHERE id = 15000")
	done := h.begin(h.client(h.open(h.dsnOf(h.alice))), plan)
	h.waitFor("SELECT EXISTS (SELECT FROM t WHERE n = 1 AND id > 14000)")
	h.exec(other, "ALTER TABLE t RENAME TO was; CREATE TABLE t (LIKE was INCLUDING ALL); GRANT ALL ON t TO public; INSERT INTO t SELECT id, 0 FROM was; COMMIT")
	o := <-done
	if f := failure(t, o.err); f.Code != "42P01" || !strings.Contains(f.Message, "are done and stay") {
		t.Errorf("%+v", f)
	}
	h.is("0", "SELECT count(*) FROM t WHERE n > 0")
}

// Without a ledger only what may be run twice is run in batches.
func TestJobWithoutALedger(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 3000) g; ANALYZE t")
	r := h.client(h.open(h.dsnOf(h.alice)))
	r.Jobs = nil
	plan := h.bulk("UPDATE ONLY %s SET n = 1", "n IS DISTINCT FROM 1", "t")
	_, err := r.Run(t.Context(), plan)
	if f := failure(t, err); !strings.Contains(f.Message, "run pgsluice install") {
		t.Errorf("%+v", f)
	}
	plan.Steps[0].Batch.Once = false
	if result, err := r.Run(t.Context(), plan); err != nil || result.Tag != "UPDATE 3000" {
		t.Errorf("%s, %v", result.Tag, err)
	}
}

// A bulk write that was promised is done once, whatever dies before the promise is struck; what somebody has given up is not begun again; and nobody but
// its login does it.
func TestPromisedWriteIsDoneOnce(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 3000) g")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	keep := func(promise int64) (run.Result, error) {
		r := h.client(h.open(h.dsnOf(h.alice)))
		r.Promise = promise
		return r.Run(t.Context(), plan)
	}
	for range 2 {
		if result, err := keep(1); err != nil || result.Tag != "UPDATE 3000" {
			t.Fatalf("%s, %v", result.Tag, err)
		}
	}
	h.is("3000", "SELECT count(*) FROM t WHERE n = 1")

	plan.Job = "another promise"
	stopped := &frail{Conn: h.open(h.dsnOf(h.alice)), trips: 12, way: "killed before", kill: func() {
		h.exec(h.look, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+h.alice+"'")
	}}
	r := h.client(stopped)
	r.Promise = 2
	if _, err := r.Run(t.Context(), plan); err == nil {
		t.Fatal("it did not break")
	}
	h.waitFor("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = $1)", h.alice)
	h.exec(h.look, "UPDATE pgsluice.jobs SET state = 'stopped' WHERE state = 'running'")
	var id int64
	if err := h.look.QueryRow(t.Context(), "SELECT id FROM pgsluice.jobs WHERE state = 'stopped'").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if err := h.ledger.SteerJob(t.Context(), id, "cancel", revisions.SameTime, revisions.SameNice, "a test"); err != nil {
		t.Fatal(err)
	}
	if _, err := keep(2); !errors.Is(err, run.ErrGivenUp) {
		t.Errorf("what was given up: %v", err)
	}
	h.is("true", "SELECT count(*) < 3000 FROM t WHERE n = 2")
	h.is("0", "SELECT count(*) FROM t WHERE n > 2")
}

// Where a bulk write ends that runs later is where the table ends now; what has no rows is left out. Nothing that the look has set stays.
func TestBoundedWrite(t *testing.T) {
	h := newHome(t, true, `CREATE TABLE t (id timestamptz PRIMARY KEY, n int DEFAULT 0); CREATE TABLE e (id int PRIMARY KEY, n int);
		INSERT INTO t SELECT 'epoch'::timestamptz + g * interval '1.000001 days' FROM generate_series(1, 300) g`)
	conn := h.open(h.dsnOf(h.alice))
	h.answer(conn, "SELECT set_config('DateStyle', 'German', false), set_config('statement_timeout', '5s', false)")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t", "t", "e")
	var bounded rewrite.Plan
	err := conn.InTx(t.Context(), func(ctx context.Context) (err error) {
		bounded, err = h.client(conn).Bounded(ctx, plan)
		if got := h.answer(conn, "SELECT concat_ws(' ', current_setting('DateStyle'), current_setting('statement_timeout'), current_setting('IntervalStyle'))"); got != "German, DMY 5s postgres" {
			t.Errorf("afterwards: %s", got)
		}
		return err
	})
	if err != nil || len(bounded.Steps) != 1 || bounded.Steps[0].Batch.Root == nil {
		t.Fatalf("%+v, %v", bounded.Steps, err)
	}
	h.exec(h.look, "INSERT INTO t VALUES ('2999-01-01')")
	r := h.client(conn)
	if result, err := r.Run(t.Context(), bounded); err != nil || result.Tag != "UPDATE 300" {
		t.Errorf("%s, %v", result.Tag, err)
	}
	h.is("1", "SELECT count(*) FROM t WHERE n = 0")
}

// A job that another version of the engine has begun is not begun anew by the same statement: some rows are changed already.
func TestJobOfAnotherEngineIsLeft(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t")
	plan := h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t")
	broken := &frail{Conn: h.open(h.dsnOf(h.alice)), trips: 12, way: "killed before", kill: func() {
		h.exec(h.look, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+h.alice+"'")
	}}
	if _, err := h.client(broken).Run(t.Context(), plan); err == nil {
		t.Fatal("it did not break")
	}
	h.waitFor("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = $1)", h.alice)
	h.exec(h.look, "UPDATE pgsluice.jobs SET engine = engine + 1")
	_, err := h.client(h.open(h.dsnOf(h.alice))).Run(t.Context(), plan)
	if err == nil {
		t.Error("it is begun anew")
	}
	h.is("0", "SELECT count(*) FROM t WHERE n > 1")
}

// Parameters are text of the encoding that the statement came in, whatever the session has that goes on with it.
func TestParametersKeepTheirEncoding(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (id int PRIMARY KEY, name text); INSERT INTO t SELECT g FROM generate_series(1, 600) g")
	plan := h.bulk("UPDATE ONLY %s SET name = $1 || $2", "", "t")
	plan.Steps[0].Batch.Encoding = "LATIN1"
	plan.Steps[0].Batch.Params = []rewrite.Param{{OID: 25, Value: []byte{0xfc}}, {OID: 25, Format: 1, Value: []byte{'n', 0xdf}}}
	h.finish(plan)
	h.is("600", "SELECT count(*) FROM t WHERE name = 'ünß'")
}
