package run_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

func (p *place) index(name, columns string) rewrite.Step {
	p.Helper()
	return rewrite.Step{
		SQL: "CREATE INDEX CONCURRENTLY " + name + " ON public.t (" + columns + ")", Where: rewrite.Alone,
		Table: p.target("t"), Index: rewrite.Index{Schema: "public", Name: name},
	}
}

func (p *place) unique(name, columns string) rewrite.Step {
	p.Helper()
	step := p.index(name, columns)
	step.SQL = strings.Replace(step.SQL, "CREATE INDEX", "CREATE UNIQUE INDEX", 1)
	return step
}

func (p *place) dropIndex(name string) rewrite.Step {
	p.Helper()
	step := rewrite.Step{
		SQL: "DROP INDEX CONCURRENTLY public." + name, Where: rewrite.Alone,
		Table: p.target("t"), Index: rewrite.Index{Schema: "public", Name: name, Drop: true},
	}
	if err := p.look.QueryRow(p.Context(), "SELECT $1::regclass::oid", name).Scan(&step.Index.OID); err != nil {
		p.Fatal(err)
	}
	return step
}

func (p *place) validate(constraint string) rewrite.Step {
	p.Helper()
	return rewrite.Step{
		SQL: "ALTER TABLE public.t VALIDATE CONSTRAINT " + constraint, Where: rewrite.AfterCommit, Table: p.target("t"),
		Done: "SELECT convalidated FROM pg_catalog.pg_constraint WHERE conname OPERATOR(pg_catalog.=) '" + constraint + "'",
	}
}

// state lists the table's indexes, the INVALID ones marked.
func (p *place) indexes(want string) {
	p.Helper()
	p.is(want, `SELECT COALESCE(string_agg(indexrelid::regclass || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END, ' ' ORDER BY indexrelid::regclass::text), '')
		FROM pg_index WHERE indrelid = 't'::regclass`)
}

// clean fails the test if a plan has left anything behind on the connection or in the database.
func (p *place) clean(r run.Runner, settings string) {
	p.Helper()
	if got := p.settings(r.Conn); got != settings {
		p.Errorf("settings are\n%s\nwere\n%s", got, settings)
	}
	if got := r.Conn.TxStatus(); got != 'I' {
		p.Errorf("status is %c", got)
	}
	p.is("0", advisoryLocks)
}

const waitsForWriters = "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE pid = $1 AND phase LIKE 'waiting for writers before build%')"

// hostileSettings are what a tool may have set; a plan is not stopped by any of it and changes none of it.
func (p *place) hostileSettings(conn run.Conn) string {
	p.Helper()
	for _, sql := range []string{
		"SET lock_timeout = '1ms'", "SET statement_timeout = '150ms'", "SET idle_in_transaction_session_timeout = '1h'",
		"SET default_transaction_read_only = on", "SET default_transaction_isolation = 'serializable'",
		"SET search_path = evil, public, pg_catalog",
	} {
		if _, err := conn.Exec(p.Context(), sql); err != nil {
			p.Fatalf("%s: %v", sql, err)
		}
	}
	return p.settings(conn)
}

// A schema in front of pg_catalog that has its own idea of everything we use.
const evil = `CREATE SCHEMA evil;
	CREATE FUNCTION evil.boom() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE ''shadowed''; END';
	CREATE FUNCTION evil.oideq(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT evil.boom() IS NULL';
	CREATE OPERATOR evil.= (FUNCTION = evil.oideq, LEFTARG = oid, RIGHTARG = oid);
	CREATE FUNCTION evil.texteq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT evil.boom() IS NULL';
	CREATE OPERATOR evil.= (FUNCTION = evil.texteq, LEFTARG = text, RIGHTARG = text);
	CREATE FUNCTION evil.nameeq(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT evil.boom() IS NULL';
	CREATE OPERATOR evil.= (FUNCTION = evil.nameeq, LEFTARG = name, RIGHTARG = name);
	CREATE FUNCTION evil.nametexteq(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT evil.boom() IS NULL';
	CREATE OPERATOR evil.= (FUNCTION = evil.nametexteq, LEFTARG = name, RIGHTARG = text);
	CREATE OPERATOR evil.<> (FUNCTION = evil.nametexteq, LEFTARG = name, RIGHTARG = text);
	CREATE FUNCTION evil.int4eq(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT evil.boom() IS NULL';
	CREATE OPERATOR evil.= (FUNCTION = evil.int4eq, LEFTARG = int, RIGHTARG = int);
	CREATE FUNCTION evil.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT evil.boom()::text';
	CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS 'SELECT evil.boom()::text';
	CREATE FUNCTION evil.pg_try_advisory_lock(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT evil.boom() IS NULL';
	CREATE FUNCTION evil.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT evil.boom()';
	CREATE VIEW evil.pg_class AS SELECT evil.boom() AS oid; CREATE VIEW evil.pg_locks AS SELECT evil.boom() AS pid;
	CREATE VIEW evil.pg_index AS SELECT evil.boom() AS oid; CREATE VIEW evil.pg_stat_activity AS SELECT evil.boom() AS pid;
	CREATE DOMAIN evil.text AS int; CREATE DOMAIN evil.int4 AS pg_catalog.text; CREATE DOMAIN evil.bool AS int; CREATE DOMAIN evil.json AS int;`

func TestPlansRunUnderHostileSettings(t *testing.T) {
	p := newPlace(t, evil+`CREATE TABLE t (id int CONSTRAINT positive CHECK (id > 0)); INSERT INTO t SELECT generate_series(1, 1000);
		ALTER TABLE t DROP CONSTRAINT positive; ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0) NOT VALID`)
	r := p.runner()
	before := p.hostileSettings(r.Conn)
	p.must(r, p.index("t_id", "id"))
	p.indexes("t_id")
	p.must(r, p.validate("positive"))
	p.is("true", "SELECT bool_and(convalidated) FROM pg_constraint WHERE conrelid = 't'::regclass")
	p.must(r, rewrite.Step{SQL: "ALTER TABLE public.t DROP CONSTRAINT positive", Where: rewrite.AfterCommit, Budget: true, Table: p.target("t")})
	p.must(r, p.dropIndex("t_id"))
	p.indexes("")
	p.clean(r, before)
}

// Run straight, two builds on one table kill each other: the second waits inside the server with a snapshot.
func TestBuildsOnOneTableTakeTurns(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int, b int); INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i")
	writer := p.connect()
	p.exec(writer, "BEGIN; UPDATE t SET a = a WHERE a = 1") // keeps the first build from ending
	first, second := p.runner(), p.runner()
	pids := []int{p.pid(first.Conn), p.pid(second.Conn)}
	one := start(t.Context(), first, p.index("t_a", "a"))
	p.waitFor(waitsForWriters, pids[0])
	two := start(t.Context(), second, p.index("t_b", "b"))
	p.waitFor(sleepsInServer, pids[1])
	p.exec(writer, "COMMIT")
	for _, done := range []<-chan outcome{one, two} {
		if o := <-done; o.err != nil {
			t.Error(o.err)
		}
	}
	p.indexes("t_a t_b")
	p.is("0", advisoryLocks)
	if !second.Report.(*notices).contain(`waiting for another schema change on "public"."t"`) {
		t.Error("the second was not told what it waited for")
	}
}

// Somebody who does not come through a proxy takes no advisory lock: the table's own locks tell.
func TestBuildWaitsForAForeignBuild(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int, b int)")
	writer, foreign := p.connect(), p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t VALUES (1, 1)")
	built := make(chan error, 1)
	go func() {
		_, err := foreign.Exec(t.Context(), "CREATE INDEX CONCURRENTLY t_foreign ON t (a)")
		built <- err
	}()
	p.waitFor(waitsForWriters, foreign.PgConn().PID())
	r := p.runner()
	pid := p.pid(r.Conn)
	done := start(t.Context(), r, p.index("t_b", "b"))
	p.waitFor(sleepsInServer, pid)
	p.exec(writer, "COMMIT")
	if err := <-built; err != nil {
		t.Errorf("the foreign build: %v", err)
	}
	if o := <-done; o.err != nil {
		t.Error(o.err)
	}
	p.indexes("t_b t_foreign")
	if !r.Report.(*notices).contain(fmt.Sprintf("is free: pid %d (postgres, active", foreign.PgConn().PID())) {
		t.Errorf("got %q", r.Report.(*notices).lines)
	}
}

// The INVALID index of a build under way is no leftover, even if it has our name; when it is finished it is looked at again.
func TestSameIndexBuiltByAnother(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	writer, foreign := p.connect(), p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
	built := make(chan error, 1)
	go func() {
		_, err := foreign.Exec(t.Context(), "CREATE INDEX CONCURRENTLY t_a ON t (a)")
		built <- err
	}()
	p.waitFor(waitsForWriters, foreign.PgConn().PID())
	r := p.runner()
	pid := p.pid(r.Conn)
	step := p.index("t_a", "a")
	step.Index.Key = "CREATE INDEX t_a ON public.t USING btree (a)"
	done := start(t.Context(), r, step)
	p.waitFor(sleepsInServer, pid)
	p.exec(writer, "COMMIT")
	if err := <-built; err != nil {
		t.Errorf("the foreign build: %v", err)
	}
	o := <-done
	if o.err != nil || len(o.Ran) != 0 || len(o.Found) != 1 {
		t.Errorf("got %+v, %v", o.Result, o.err)
	}
	p.indexes("t_a")
}

func TestTurnBudgetNamesWhoHasTheTurn(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	for name, lock := range map[string]string{
		"maintenance lock":  fmt.Sprintf("SELECT pg_advisory_xact_lock(1885827948, %d)", p.target("t").OID),
		"lock on the table": "LOCK TABLE t IN SHARE MODE",
	} {
		t.Run(name, func(t *testing.T) {
			other := p.connect()
			p.exec(other, "BEGIN; "+lock)
			r := p.runner()
			r.TurnBudget = 300 * time.Millisecond
			before := p.settings(r.Conn)
			_, err := r.RunStep(t.Context(), p.index("t_a", "a"))
			if f := failure(t, err); f.Code != "55P03" || !strings.Contains(f.Message, fmt.Sprintf("pid %d (postgres", other.PgConn().PID())) {
				t.Errorf("got %+v", f)
			}
			p.exec(other, "COMMIT")
			p.clean(r, before)
			p.indexes("")
		})
	}
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
	r := p.runner()
	kept := &artifacts{}
	r.Artifacts = kept
	before := p.settings(r.Conn)
	result, err := r.RunStep(t.Context(), p.unique("t_a", "a"))
	if run.SQLState(err) != "23505" || run.Retryable(err) {
		t.Errorf("got %v, want 23505", err)
	}
	want := []string{"CREATE UNIQUE INDEX CONCURRENTLY t_a ON public.t (a)", `DROP INDEX CONCURRENTLY IF EXISTS "public"."t_a"`}
	if got := strings.Join(result.Ran, "; "); got != strings.Join(want, "; ") {
		t.Errorf("ran %s", got)
	}
	p.indexes("")
	p.clean(r, before)
	if kept.announced != 1 || len(kept.open) != 0 {
		t.Errorf("artifacts: %+v", kept)
	}
}

func TestLeftoverOfAnEarlierBuildIsReplaced(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1)")
	if _, err := p.look.Exec(t.Context(), "CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)"); err == nil {
		t.Fatal("there is no leftover")
	}
	p.indexes("t_a INVALID")
	p.exec(p.look, "DELETE FROM t")
	r := p.runner()
	step := p.unique("t_a", "a")
	step.SQL = strings.Replace(step.SQL, "t_a", "IF NOT EXISTS t_a", 1) // which would take the INVALID one for the index
	p.must(r, step)
	p.indexes("t_a")
}

// What merely has the name is left alone.
func TestNameTakenByAnother(t *testing.T) {
	for name, taken := range map[string]string{
		"valid index of the table":   "CREATE INDEX t_a ON t (b)",
		"INVALID index, other table": "CREATE INDEX t_a ON ONLY parted (a)",
		"table":                      "CREATE TABLE t_a ()",
		"constraint's index":         "ALTER TABLE t ADD CONSTRAINT t_a UNIQUE (b)",
		"valid index, other table":   "CREATE INDEX t_a ON other (a)",
	} {
		for _, ifNotExists := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, IF NOT EXISTS %t", name, ifNotExists), func(t *testing.T) {
				p := newPlace(t, "CREATE TABLE t (a int, b int); CREATE TABLE other (a int); CREATE TABLE parted (a int) PARTITION BY LIST (a); "+taken)
				step := p.index("t_a", "a")
				step.Index.Key = "CREATE INDEX t_a ON public.t USING btree (a)"
				if ifNotExists {
					step.SQL = strings.Replace(step.SQL, "t_a", "IF NOT EXISTS t_a", 1)
				}
				const picture = `SELECT string_agg(c.oid::text || i.indisvalid, ' ') FROM pg_class c LEFT JOIN pg_index i ON indexrelid = c.oid WHERE relname = 't_a'`
				var before string
				if err := p.look.QueryRow(t.Context(), "SELECT COALESCE(("+picture+"), 'not an index')").Scan(&before); err != nil {
					t.Fatal(err)
				}
				if _, err := p.runner().RunStep(t.Context(), step); run.SQLState(err) != "42P07" || run.Retryable(err) {
					t.Errorf("got %v, want 42P07", err)
				}
				p.is(before, "SELECT COALESCE(("+picture+"), 'not an index')")
			})
		}
	}
}

// A session that waits inside the server for an advisory lock that we hold can never let a build end.
func TestBuildNamesTheWaiterForItsOwnAdvisoryLock(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	r := p.runner()
	if _, err := r.Conn.Exec(t.Context(), "SELECT pg_advisory_lock(4711)"); err != nil {
		t.Fatal(err)
	}
	other := p.connect()
	waited := make(chan error, 1)
	go func() {
		_, err := other.Exec(t.Context(), "SET deadlock_timeout = '1h'; SELECT pg_advisory_lock(4711)")
		waited <- err
	}()
	p.waitFor("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", other.PgConn().PID())
	_, err := r.RunStep(t.Context(), p.index("t_a", "a"))
	f := failure(t, err)
	if f.Code != "40P01" || !strings.Contains(f.Message, fmt.Sprintf("pid %d waits for an advisory lock of this session", other.PgConn().PID())) {
		t.Errorf("got %+v", f)
	}
	p.indexes("")
	if _, err := r.Conn.Exec(t.Context(), "SELECT pg_advisory_unlock(4711)"); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Error(err)
	}
}

func TestCancelEndsABuildAndLeavesNothing(t *testing.T) {
	for _, test := range []struct{ name, hold, state string }{
		{"in the build", "INSERT INTO t VALUES (2)", waitsForWriters},
		{"waiting for its turn", "SELECT pg_advisory_xact_lock(1885827948, 't'::regclass::oid::int)", sleepsInServer},
		{"waiting for a quiet table", "LOCK TABLE t IN SHARE MODE", sleepsInServer},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (a int)")
			r := p.runner()
			before, pid := p.settings(r.Conn), p.pid(r.Conn)
			kept := &artifacts{}
			r.Artifacts = kept
			other := p.connect()
			p.exec(other, "BEGIN; "+test.hold)
			done := start(t.Context(), r, p.index("t_a", "a"))
			p.waitFor(test.state, pid)
			// The clean-up, too, waits for the other transaction: one cancel ends the build, the next ones must not end the clean-up.
			p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
			if test.state == waitsForWriters {
				p.waitFor("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND query LIKE 'DROP INDEX%' AND wait_event_type = 'Lock')", pid)
				for range 5 {
					p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
				}
				p.exec(other, "COMMIT")
			}
			if o := p.cancelUntil(pid, done); run.SQLState(o.err) != "57014" {
				t.Errorf("got %v, want 57014", o.err)
			}
			p.exec(other, "ROLLBACK")
			p.indexes("")
			p.clean(r, before)
			if len(kept.open) != 0 {
				t.Errorf("artifacts: %+v", kept)
			}
		})
	}
}

// Cancels hit whatever is under way at that moment: settings, locks, the build, the clean-up. Wherever they hit, nothing is left.
func TestCancelsAnywhereLeaveNothing(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 1000)")
	r := p.runner()
	before, pid := p.settings(r.Conn), p.pid(r.Conn)
	cancelled := 0
	for i := range 20 {
		done := start(t.Context(), r, p.index("t_a", "a"))
		var o outcome
		for ended := false; !ended; {
			for range i { // so that each round hits other places
				p.exec(p.look, "SELECT")
			}
			p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
			select {
			case o = <-done:
				ended = true
			default:
			}
		}
		if _, err := r.Conn.Exec(t.Context(), "SELECT"); err != nil && run.SQLState(err) != "57014" {
			t.Fatal(err) // 57014: the cancel was late
		}
		p.clean(r, before)
		if o.err == nil {
			p.indexes("t_a")
		} else if cancelled++; run.SQLState(o.err) != "57014" {
			t.Errorf("got %v", o.err)
		}
		p.is("0", "SELECT count(*) FROM pg_index WHERE NOT indisvalid")
		p.exec(p.look, "DROP INDEX IF EXISTS t_a")
	}
	if cancelled == 0 {
		t.Error("no cancel hit")
	}
}

// A clean-up that is itself held up does not hold the client for ever, and says what is left.
func TestCleanUpHasABudget(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	r := p.runner()
	r.LockBudget = 3 * time.Second
	kept := &artifacts{}
	r.Artifacts = kept
	before, pid := p.settings(r.Conn), p.pid(r.Conn)
	other := p.connect()
	p.exec(other, "BEGIN; INSERT INTO t VALUES (1)")
	done := start(t.Context(), r, p.index("t_a", "a"))
	p.waitFor(waitsForWriters, pid)
	p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
	if o := <-done; run.SQLState(o.err) != "57014" {
		t.Errorf("got %v, want 57014", o.err)
	}
	p.indexes("t_a INVALID")
	if !r.Report.(*notices).contain(`the INVALID index "public"."t_a" is left behind`) || len(kept.open) != 1 {
		t.Errorf("nobody knows: %q, %+v", r.Report.(*notices).lines, kept)
	}
	p.exec(other, "COMMIT")
	p.clean(r, before)
	p.must(r, p.index("t_a", "a"))
	p.indexes("t_a")
}

func TestProgressIsReported(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	r := p.runner()
	pid := p.pid(r.Conn)
	writer := p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
	done := start(t.Context(), r, p.index("t_a", "a"))
	p.waitFor(waitsForWriters, pid)
	told := r.Report.(*notices)
	for !told.contain(fmt.Sprintf("waiting for writers before build, 0 of 1 transactions waited for, now for pid %d (postgres), idle in transaction", writer.PgConn().PID())) {
		p.waitFor("SELECT true") // one look at the server between two looks at the report
		select {
		case o := <-done:
			t.Fatalf("the build has ended: %+v, %q", o, told.lines)
		default:
		}
	}
	p.exec(writer, "COMMIT")
	if o := <-done; o.err != nil {
		t.Fatal(o.err)
	}
}

func TestDropIndexIsRetriedUntilGone(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); CREATE INDEX t_a ON t (a)")
	reader := p.connect()
	p.exec(reader, "BEGIN; SELECT FROM t")
	r := p.runner()
	before, pid := p.settings(r.Conn), p.pid(r.Conn)
	step := p.dropIndex("t_a")
	done := start(t.Context(), r, step)
	p.waitFor("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted)", pid)
	if o := p.cancelUntil(pid, done); run.SQLState(o.err) != "57014" {
		t.Errorf("got %v, want 57014", o.err)
	}
	p.indexes("t_a INVALID")
	p.clean(r, before)

	p.exec(reader, "COMMIT")
	p.must(r, step)
	p.indexes("")
	if result := p.must(r, step); len(result.Ran) != 0 || len(result.Found) != 1 {
		t.Errorf("got %+v", result)
	}
}

// The name of a dropped index can mean another one by now.
func TestDropIndexGoesByIdentity(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); CREATE INDEX t_a ON t (a)")
	step := p.dropIndex("t_a")
	p.exec(p.look, "ALTER INDEX t_a RENAME TO t_old; CREATE INDEX t_a ON t (a)")
	if _, err := p.runner().RunStep(t.Context(), step); failure(t, err).Code != "42704" {
		t.Errorf("got %v", err)
	}
	p.indexes("t_a t_old")
}

func TestReindexLeavesNothing(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int); CREATE INDEX t_a ON t (a)")
	r := p.runner()
	pid := p.pid(r.Conn)
	step := p.dropIndex("t_a")
	step.SQL, step.Index.Drop = "REINDEX INDEX CONCURRENTLY public.t_a", false
	writer := p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
	done := start(t.Context(), r, step)
	p.waitFor(waitsForWriters, pid)
	p.indexes("t_a t_a_ccnew INVALID")
	p.exec(p.look, fmt.Sprintf("SELECT pg_cancel_backend(%d)", pid))
	p.waitFor("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND query LIKE 'DROP INDEX%')", pid)
	p.exec(writer, "COMMIT")
	if o := <-done; run.SQLState(o.err) != "57014" {
		t.Errorf("got %v, want 57014", o.err)
	}
	p.indexes("t_a")
	p.must(r, step)
	p.indexes("t_a")
}

// A step that was planned for another table, or other columns, is not run.
func TestStepsGoByIdentity(t *testing.T) {
	for name, change := range map[string]string{
		"table t is gone":                     "DROP TABLE t; CREATE TABLE t (a int)",
		"table public.t is now public.old":    "ALTER TABLE t RENAME TO old; CREATE TABLE t (a int)",
		"table public.t is now elsewhere.t":   "CREATE SCHEMA elsewhere; ALTER TABLE t SET SCHEMA elsewhere; CREATE TABLE t (a int)",
		"column a of table public.t is now b": "ALTER TABLE t RENAME a TO b; ALTER TABLE t ADD COLUMN a int",
		"column a of table public.t is gone":  "ALTER TABLE t DROP COLUMN a; ALTER TABLE t ADD COLUMN a int",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (a int)")
			step := p.index("t_a", "a")
			step.Table.Columns = map[int]string{1: "a"}
			p.exec(p.look, change)
			r := p.runner()
			before := p.settings(r.Conn)
			result, err := r.RunStep(t.Context(), step)
			if f := failure(t, err); !strings.Contains(f.Message, "since this was planned") || len(result.Ran) != 0 {
				t.Errorf("got %+v, ran %q", f, result.Ran)
			}
			p.indexes("")
			p.clean(r, before)
		})
	}
}

// VALIDATE would wait inside the server with a snapshot, for which a build on the table waits in turn.
func TestValidateStandsBackForABuild(t *testing.T) {
	p := newPlace(t, `CREATE TABLE t (a int); INSERT INTO t VALUES (1);
		ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID`)
	writer, foreign := p.connect(), p.connect()
	p.exec(writer, "BEGIN; UPDATE t SET a = 2")
	built := make(chan error, 1)
	go func() {
		_, err := foreign.Exec(t.Context(), "CREATE INDEX CONCURRENTLY t_a ON t (a)")
		built <- err
	}()
	p.waitFor(waitsForWriters, foreign.PgConn().PID())
	r := p.runner()
	before, pid := p.settings(r.Conn), p.pid(r.Conn)
	done := start(t.Context(), r, p.validate("positive"))
	p.waitFor(sleepsInServer, pid)
	p.exec(writer, "COMMIT")
	if err := <-built; err != nil {
		t.Error(err)
	}
	if o := <-done; o.err != nil || o.Tries != 1 {
		t.Errorf("got %+v, %v", o.Result, o.err)
	}
	p.is("true", "SELECT convalidated FROM pg_constraint WHERE conname = 'positive'")
	if result := p.must(r, p.validate("positive")); len(result.Found) != 1 || len(result.Ran) != 0 {
		t.Errorf("not found done: %+v", result)
	}
	p.clean(r, before)
}

func TestStepsOfAPlanInATransaction(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	r := p.runner()
	if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.RunStep(t.Context(), p.index("t_a", "a")); err == nil || r.Conn.TxStatus() != 'T' {
		t.Errorf("got %v, status %c", err, r.Conn.TxStatus())
	}
}

// A client that dies in the middle of a build must not leave a backend that builds for nobody.
func TestBuildIsFoundDoneOrRepeatedAfterALostConnection(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	r := p.runner()
	pid := p.pid(r.Conn)
	writer := p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
	done := start(t.Context(), r, p.index("t_a", "a"))
	p.waitFor(waitsForWriters, pid)
	p.exec(p.look, fmt.Sprintf("SELECT pg_terminate_backend(%d)", pid))
	if o := <-done; o.err == nil || !run.Retryable(o.err) {
		t.Errorf("got %v", o.err)
	}
	p.indexes("t_a INVALID")
	p.exec(writer, "COMMIT")
	p.must(p.runner(), p.index("t_a", "a"))
	p.indexes("t_a")
}

// A proxy that dies leaves a backend that would build on for nobody, and keep the table busy. The server is told to look.
func TestBackendOfADeadClientEnds(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	if version := p.look.PgConn().ParameterStatus("server_version"); strings.HasPrefix(version, "13.") {
		return // it cannot look before 14
	}
	dsn, cut := p.cable()
	r := p.runner()
	r.Conn = p.open(dsn)
	pid := p.pid(r.Conn)
	writer := p.connect()
	p.exec(writer, "BEGIN; INSERT INTO t VALUES (1)")
	done := start(t.Context(), r, p.index("t_a", "a"))
	p.waitFor(waitsForWriters, pid)
	cut()
	if o := <-done; o.err == nil || run.SQLState(o.err) != "" || !run.Retryable(o.err) {
		t.Errorf("got %v, want a lost connection", o.err)
	}
	p.waitFor("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", pid)
	p.indexes("t_a INVALID")
	p.exec(writer, "COMMIT")
	p.must(p.runner(), p.index("t_a", "a"))
	p.indexes("t_a")
}

// cable is a DSN that leads to the place's server until it is cut.
func (p *place) cable() (dsn string, cut func()) {
	p.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.Fatal(err)
	}
	config := p.look.Config()
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	var ends []net.Conn
	var copying sync.WaitGroup
	copying.Go(func() {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(network, address)
		if err != nil {
			client.Close()
			p.Error(err)
			return
		}
		ends = []net.Conn{client, server}
		copying.Go(func() { _, _ = io.Copy(server, client) })
		copying.Go(func() { _, _ = io.Copy(client, server) })
	})
	cut = sync.OnceFunc(func() {
		listener.Close()
		for _, end := range ends {
			end.Close()
		}
		copying.Wait()
	})
	p.Cleanup(cut)
	port := listener.Addr().(*net.TCPAddr).Port
	return fmt.Sprintf("host=127.0.0.1 port=%d user='%s' password='%s' dbname='%s' sslmode=disable", port, config.User, config.Password, config.Database), cut
}

// artifacts is a ledger of artifacts in memory.
type artifacts struct {
	announced int64
	open      map[int64]revisions.Artifact
}

func (a *artifacts) Announce(_ context.Context, artifact revisions.Artifact) (int64, error) {
	a.announced++
	if a.open == nil {
		a.open = map[int64]revisions.Artifact{}
	}
	a.open[a.announced] = artifact
	return a.announced, nil
}

func (a *artifacts) Forget(_ context.Context, id int64) error {
	delete(a.open, id)
	return nil
}
