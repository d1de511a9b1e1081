package run_test

import (
	"fmt"
	"testing"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

func (p *place) reindex(what string) rewrite.Step {
	p.Helper()
	return rewrite.Step{SQL: "REINDEX " + what, Where: rewrite.Alone, Rebuild: true, Table: p.target("t")}
}

// toast are the INVALID indexes of the TOAST table.
const toast = "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indrelid = (SELECT reltoastrelid FROM pg_class WHERE oid = 't'::regclass)"

func TestRebuildThatIsCancelledLeavesNothing(t *testing.T) {
	const long = "an_index_with_a_name_that_has_exactly_sixty_three_bytes_0123456"
	p := newPlace(t, "CREATE TABLE t (a int, b text); CREATE INDEX "+long+" ON t (a); CREATE INDEX t_b ON t (b)")
	r := p.runner()
	before, pid := p.settings(r.Conn), p.pid(r.Conn)
	step := p.reindex("TABLE CONCURRENTLY public.t")
	writer := p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
	done := start(t.Context(), r, step)
	p.waitFor(waitsForWriters, pid)
	p.is("2", "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND NOT indisvalid")
	p.is("1", toast)
	p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
	p.waitFor("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND query LIKE 'DROP INDEX%')", pid)
	p.exec(writer, "COMMIT")
	if o := <-done; run.SQLState(o.err) != "57014" {
		t.Errorf("got %v, want 57014", o.err)
	}
	p.indexes(long + " t_b")
	p.is("0", toast)
	p.clean(r, before)
	p.must(r, step)
	p.indexes(long + " t_b")
}

// What the rebuild of somebody else has left goes first, and a valid index is never taken for it.
func TestRebuildRemovesWhatAnEarlierOneLeft(t *testing.T) {
	p := newPlace(t, `CREATE TABLE t (a int); CREATE INDEX t_a ON t (a); CREATE INDEX t_a_ccnew1 ON t (a); CREATE INDEX t_a_ccold ON t (a); CREATE INDEX t_ccnew_x ON t (a);
		CREATE INDEX t_a_ccnew ON t (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ('t_a_ccnew1'::regclass, 't_a_ccold'::regclass)`)
	result := p.must(p.runner(), p.reindex("INDEX CONCURRENTLY public.t_a"))
	if len(result.Ran) != 3 {
		t.Errorf("ran %q", result.Ran)
	}
	p.indexes("t_a t_a_ccnew t_ccnew_x")
}

// A rebuild that cannot succeed says so once.
func TestRebuildThatFails(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
	if _, err := p.look.Exec(t.Context(), "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)"); err == nil {
		t.Fatal("the index is unique")
	}
	r := p.runner()
	result, err := r.RunStep(t.Context(), p.reindex("INDEX CONCURRENTLY public.t_a"))
	if run.SQLState(err) != "23505" || len(result.Ran) != 2 {
		t.Errorf("got %v, ran %q", err, result.Ran)
	}
	p.indexes("t_a INVALID")
}

func TestWhatIsLeftFailsAPlan(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	step := p.index("t_a", "a")
	step.Left = "SELECT 'table t is still empty' WHERE NOT EXISTS (SELECT FROM public.t)"
	step.Done = "SELECT pg_catalog.to_regclass('public.t_a') IS NOT NULL"
	r := p.runner()
	for range 2 {
		if _, err := r.RunStep(t.Context(), step); failure(t, err).Message != "pgsluice: table t is still empty" {
			t.Errorf("got %v", err)
		}
	}
	p.indexes("t_a")
	p.exec(p.look, "INSERT INTO t VALUES (1)")
	p.must(r, step)
}
