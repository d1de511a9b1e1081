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
