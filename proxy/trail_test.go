package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// fullDisk is an audit trail that can be full.
type fullDisk struct {
	full  atomic.Bool
	lines chan string // of what was accepted
}

func (d *fullDisk) Write(line []byte) (int, error) {
	if d.full.Load() {
		return 0, errors.New("no space left on device")
	}
	d.lines <- string(line)
	return len(line), nil
}

// What cannot be recorded is refused if it changes the schema, that very statement and nothing else.
func TestUnrecordedSchemaChangeIsRefused(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	disk := &fullDisk{lines: make(chan string, 1000)}
	options := *w.server.following.Load()
	options.Audit, options.AuditRequired = revisions.NewAudit(disk), true
	w.server.SetSession(options)
	conn := w.conn(t, "a")
	must := func(statements ...string) {
		t.Helper()
		for _, sql := range statements {
			if err := execWire(conn, sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
	must("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int)", "INSERT INTO t (a) SELECT g FROM generate_series(1, 20000) AS g", "ANALYZE t")

	disk.full.Store(true)
	for _, sql := range []string{"ALTER TABLE t ADD COLUMN b int", "CREATE INDEX t_a ON t (a)", "DO $$ BEGIN EXECUTE 'ALTER TABLE t ADD COLUMN c int'; END $$"} {
		for _, send := range []func() error{
			func() error { return execWire(conn, sql) },
			func() error { return conn.ExecParams(t.Context(), sql, nil, nil, nil, nil).Read().Err },
		} {
			if err := send(); run.SQLState(err) != codeRefused || !strings.Contains(err.Error(), "schema changes are refused while the audit trail cannot be written [audit-trail]") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
	must("SELECT 1", "UPDATE t SET a = 1 WHERE id = 1", "UPDATE t SET a = 2", "BEGIN", "LOCK TABLE t", "SELECT set_config('a.b', 'c', true)", "COMMIT", "VACUUM t", "ANALYZE t", "NOTIFY c")
	for len(disk.lines) > 0 {
		<-disk.lines
	}

	// As soon as there is room everything goes on, and the line is the next of its chain.
	disk.full.Store(false)
	must("ALTER TABLE t ADD COLUMN d int")
	for _, kind := range []string{"intent", "result", "outcome"} {
		if line := <-disk.lines; !strings.Contains(line, `"kind":"`+kind+`"`) {
			t.Errorf("got %s, want %s", line, kind)
		}
	}

	disk.full.Store(true)
	options.AuditRequired = false
	w.server.SetSession(options)
	must("ALTER TABLE t ADD COLUMN e int")
}

// ended ends all sessions, and returns the trail.
func (w *stage) ended(t *testing.T) []revisions.Entry {
	t.Helper()
	for _, conn := range w.conns {
		_ = conn.Conn().Close()
	}
	if err := w.server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []revisions.Entry
	for line := range strings.Lines(w.trail.String()) {
		var e revisions.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// A client that goes takes with it what it has not committed.
func TestLostSessionIsToldAsRolledBack(t *testing.T) {
	t.Parallel()
	for _, ledger := range []bool{true, false} {
		w := newStage(t, Enforce, ledger, false)
		for _, sql := range []string{"CREATE TABLE t (id int PRIMARY KEY)", "BEGIN", "ALTER TABLE t ADD COLUMN a int"} {
			if err := execWire(w.conn(t, "a"), sql); err != nil {
				t.Fatal(err)
			}
		}
		all := w.ended(t)
		last := all[len(all)-1]
		if last.Kind != revisions.Ending || last.Outcome != endRolledBack || len(last.Intents) != 1 || last.Database == "" {
			t.Errorf("ledger %v: got %+v", ledger, last)
		}
	}
}

// Whatever changes the schema has its lines, also when no rule cares: on both protocols, with a ledger and without.
func TestEverySchemaChangeIsInTheTrail(t *testing.T) {
	t.Parallel()
	for _, ledger := range []bool{true, false} {
		w := newStage(t, Enforce, ledger, false)
		conn := w.conn(t, "a")
		statements := []struct{ sql, outcome string }{
			{"CREATE TABLE t (a int)", "done"},
			{"SELECT 1 AS a INTO made", "done"},
			{"SELECT 1 AS insert INTO TEMP TABLE passing", "done"},
			{"CREATE TABLE copied AS SELECT 1 AS a", "done"},
			{"EXPLAIN ANALYZE SELECT 1 AS a INTO explained", "done"},
			{"GRANT SELECT ON t TO PUBLIC", "done"},
			{"REVOKE SELECT ON t FROM PUBLIC", "done"},
			{"COMMENT ON TABLE t IS 'hunter2'", "done"},
			{"COMMENT ON\tCOLUMN t.a IS 'hunter2'", "done"},
			{"SECURITY LABEL ON TABLE t IS 'hunter2'", "failed"}, // there is no provider
		}
		for _, s := range statements {
			if err := execWire(conn, s.sql); (err == nil) != (s.outcome == "done") {
				t.Errorf("%s: %v", s.sql, err)
			}
			if s.outcome == "done" && strings.HasPrefix(s.sql, "CO") { // by the Sync of a pipeline
				if err := conn.ExecParams(t.Context(), s.sql, nil, nil, nil, nil).Read().Err; err != nil {
					t.Errorf("%s: %v", s.sql, err)
				}
			}
		}
		if err := execWire(conn, "INSERT INTO t VALUES (1); SELECT a AS comment FROM t"); err != nil {
			t.Error(err)
		}
		told, committed := map[string][]string{}, map[int64]bool{}
		for _, e := range w.ended(t) {
			if strings.Contains(e.Asked, "hunter2") || strings.Contains(e.Asked, "INSERT INTO") {
				t.Errorf("recorded is %s", e.Asked)
			}
			if e.Kind == revisions.Result {
				told[e.Asked] = append(told[e.Asked], e.Outcome)
			}
			for _, intent := range e.Intents {
				committed[intent] = e.Outcome == endCommitted
			}
		}
		for _, s := range statements {
			asked := strings.ReplaceAll(s.sql, "'hunter2'", "'…'")
			if !strings.HasPrefix(asked, "CREATE") {
				asked = strings.ReplaceAll(asked, "SELECT 1 ", "SELECT … ")
			}
			if got := told[asked]; len(got) == 0 || got[0] != s.outcome {
				t.Errorf("ledger %v: %s has the results %v, want %s", ledger, asked, got, s.outcome)
			}
		}
		if len(committed) < len(statements)-1 {
			t.Errorf("ledger %v: %d ends are told", ledger, len(committed))
		}
		for intent, is := range committed {
			if !is {
				t.Errorf("ledger %v: intent %d is not told as committed", ledger, intent)
			}
		}
	}
}

// What ends a transaction may have been prepared long before there was anything to tell: nobody reads it then, and yet its end is told as it was.
func TestEndThatNobodyReadsIsTold(t *testing.T) {
	t.Parallel()
	for _, ledger := range []bool{true, false} {
		w := newStage(t, Enforce, ledger, false)
		conn := w.conn(t, "a")
		for name, sql := range map[string]string{"b": "BEGIN", "c": "COMMIT", "r": "ROLLBACK", "s": "SAVEPOINT s", "rs": "ROLLBACK TO SAVEPOINT s"} {
			if _, err := conn.Prepare(t.Context(), name, sql, nil); err != nil {
				t.Fatal(err)
			}
		}
		run := func(steps ...string) {
			t.Helper()
			for _, step := range steps {
				if name, prepared := strings.CutPrefix(step, "="); prepared {
					if err := conn.ExecPrepared(t.Context(), name, nil, nil, nil).Read().Err; err != nil {
						t.Fatalf("%s: %v", step, err)
					}
					continue
				}
				if err := execWire(conn, step); err != nil {
					t.Fatalf("%s: %v", step, err)
				}
			}
		}
		run("CREATE TABLE t (id int)")
		run("=b", "ALTER TABLE t ADD COLUMN committed_1 int", "=c", "=b", "ALTER TABLE t ADD COLUMN rolled_back_1 int", "=r")
		run("=b", "=s", "ALTER TABLE t ADD COLUMN rolled_back_2 int", "=rs", "SELECT 1", "=r")
		run("=b", "ALTER TABLE t ADD COLUMN committed_2 int", "=s", "=rs", "=c", "=b", "SELECT 1", "ROLLBACK")
		run("=b", "ALTER TABLE t ADD COLUMN committed_3 int", "=c", "=b", "SELECT 1") // and then the client goes
		wanted := map[string]string{
			"committed_1": endCommitted, "committed_2": endCommitted, "committed_3": endCommitted, "rolled_back_1": endRolledBack, "rolled_back_2": endRolledBack,
		}
		asked := map[int64]string{}
		for i, e := range w.ended(t) {
			if e.Kind == revisions.Intent {
				asked[int64(i+1)] = e.Asked // it is the only process: the number of the line
			}
			for _, intent := range e.Intents {
				for column, want := range wanted {
					if strings.HasSuffix(asked[intent], " "+column+" int") {
						if delete(wanted, column); e.Outcome != want {
							t.Errorf("ledger %v: %s is told as %s", ledger, column, e.Outcome)
						}
					}
				}
			}
		}
		if len(wanted) > 0 {
			t.Errorf("ledger %v: no end is told of %v", ledger, wanted)
		}
	}
}

// Beyond so many statements a transaction's end is told with their number.
func TestEndOfVeryManyStatementsIsTold(t *testing.T) {
	var text strings.Builder
	s := &session{options: &SessionOptions{Audit: revisions.NewAudit(&text)}, pipe: &pipeline{status: 'T'}, backend: &backend{pipe: &pipeline{status: 'T'}}}
	const beyond = 3
	for i := range mostPending + beyond {
		r := &record{session: s, foretold: true, entry: revisions.Entry{AuditSession: &revisions.AuditSession{Database: "shop"}, Intent: int64(i + 1), Outcome: "done"}}
		r.told(t.Context())
	}
	for _, outcome := range []string{endCommitted, ""} {
		text.Reset()
		s.chronicle.end = outcome
		s.tellEnds(t.Context(), nil)
		if outcome == "" {
			if text.String() != "" {
				t.Errorf("told again: %.300s", text.String())
			}
			continue
		}
		var e revisions.Entry
		if err := json.Unmarshal([]byte(text.String()), &e); err != nil || e.Kind != revisions.Ending || e.Outcome != endCommitted || len(e.Intents) != mostPending || e.Unnamed != beyond {
			t.Errorf("%v: %.300s", err, text.String())
		}
	}
}
