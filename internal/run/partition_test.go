package run_test

import (
	"fmt"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// plan plans a statement on the place as it is now.
func (p *place) plan(sql, recipe string) rewrite.Plan {
	p.Helper()
	stmt, err := ddl.Reparse(sql)
	if err != nil {
		p.Fatal(err)
	}
	known, err := facts.Read(p.Context(), p.open(""), facts.For(stmt))
	if err != nil {
		p.Fatal(err)
	}
	plan, err := rewrite.Build(stmt, known, recipe)
	if err != nil {
		p.Fatal(err)
	}
	return plan
}

// startPlan runs a plan in the background.
func startPlan(t *testing.T, r run.Runner, plan rewrite.Plan) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		result, err := r.Run(t.Context(), plan)
		done <- outcome{result, err}
	}()
	return done
}

func (p *place) partitioned() {
	p.Helper()
	p.exec(p.look, `CREATE TABLE t (a int NOT NULL) PARTITION BY RANGE (a); CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (1) TO (10);
		CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (10) TO (20); INSERT INTO t SELECT generate_series(1, 19)`)
}

// A DETACH that waits for readers is cancelled: the partition is pending then, and the same statement finishes it.
func TestDetachIsFinishedAfterACancel(t *testing.T) {
	p := newPlace(t, "")
	if pgtest.Server(t).Version() < 14 {
		return // which has no concurrent DETACH
	}
	p.partitioned()
	const sql = "ALTER TABLE public.t DETACH PARTITION public.t_1"
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	r := p.runner()
	before, pid := p.settings(r.Conn), p.pid(r.Conn)
	done := startPlan(t, r, p.plan(sql, "partition-detached-at-once"))
	p.waitFor("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", pid)
	p.exec(p.connect(), "INSERT INTO t VALUES (15)") // nobody is kept out
	if o := p.cancelUntil(pid, done); run.SQLState(o.err) != "57014" {
		t.Errorf("got %v, want 57014", o.err)
	}
	p.is("1", "SELECT count(*) FROM pg_inherits WHERE inhparent = 't'::regclass AND inhdetachpending")
	p.clean(r, before)
	p.exec(reader, "COMMIT")
	result, err := r.Run(t.Context(), p.plan(sql, "partition-detached-at-once"))
	if err != nil || len(result.Ran) != 1 || len(result.Found) != 1 {
		t.Errorf("got %v, ran %q, found %q", err, result.Ran, result.Found)
	}
	p.is("1", "SELECT count(*) FROM pg_inherits WHERE inhparent = 't'::regclass")
}

// An index on a partitioned table that is cancelled on the way goes on with what is there.
func TestPartitionedIndexGoesOn(t *testing.T) {
	p := newPlace(t, "")
	p.partitioned()
	const sql = "CREATE INDEX t_a ON public.t (a)"
	writer := p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t_2 VALUES (11)")
	r := p.runner()
	before, pid := p.settings(r.Conn), p.pid(r.Conn)
	done := startPlan(t, r, p.plan(sql, "index-not-concurrent"))
	// The build on t_1 goes through the same phase before, though it waits for nobody.
	p.waitFor(waitsForWriters+" AND EXISTS (SELECT FROM pg_stat_progress_create_index WHERE pid = $1 AND relid = 't_2'::regclass)", pid)
	p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
	p.waitFor("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND query LIKE 'DROP INDEX%')", pid)
	p.exec(writer, "COMMIT")
	if o := <-done; run.SQLState(o.err) != "57014" {
		t.Errorf("got %v, want 57014", o.err)
	}
	p.is("t_1_a_idx t_a INVALID", partitionedIndexes)
	p.clean(r, before)
	if _, err := r.Run(t.Context(), p.plan(sql, "index-not-concurrent")); err != nil {
		t.Error(err)
	}
	p.is("t_1_a_idx t_2_a_idx t_a", partitionedIndexes)
}

const partitionedIndexes = `SELECT string_agg(indexrelid::regclass || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END, ' ' ORDER BY indexrelid::regclass::text)
	FROM pg_index WHERE indrelid::regclass::text LIKE 't%'`

// What proves a bound goes when rows that do not fit come in between.
func TestProofOfABoundIsRemoved(t *testing.T) {
	p := newPlace(t, "")
	p.partitioned()
	p.exec(p.look, "CREATE TABLE t_3 (a int NOT NULL); INSERT INTO t_3 VALUES (21)")
	plan := p.plan("ALTER TABLE public.t ATTACH PARTITION public.t_3 FOR VALUES FROM (20) TO (30)", "partition-scanned-on-attach")
	p.exec(p.look, "INSERT INTO t_3 VALUES (31)")
	r := p.runner()
	if _, err := r.Run(t.Context(), plan); run.SQLState(err) != "23514" {
		t.Errorf("got %v, want 23514", err)
	}
	p.is("0", "SELECT count(*) FROM pg_constraint WHERE conrelid = 't_3'::regclass AND contype = 'c'")
	p.exec(p.look, "DELETE FROM t_3 WHERE a = 31")
	if _, err := r.Run(t.Context(), plan); err != nil {
		t.Error(err)
	}
	p.is("0", "SELECT count(*) FROM pg_constraint WHERE conrelid = 't_3'::regclass AND contype = 'c'")
	p.is("3", "SELECT count(*) FROM pg_inherits WHERE inhparent = 't'::regclass")
}
