package run_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// fillStep gives the rows of t that lack it their c.
func fillStep(p *place) rewrite.Step {
	return rewrite.Step{
		SQL: "UPDATE ONLY public.t SET c = DEFAULT WHERE c IS NULL", Where: rewrite.AfterCommit, Table: p.target("t"),
		Batch: &rewrite.Batch{Before: `UPDATE ONLY public.t SET "c" = DEFAULT`, Where: `"c" IS NULL`, Alias: "t", Column: "c"},
	}
}

// Every row is given its value once, whatever the type of the key and the session's ways of writing values.
func TestFillAlongAnyKey(t *testing.T) {
	for name, table := range map[string]string{
		"integer": `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT g FROM generate_series(1, 3000) g`,
		"sparse":  `CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t SELECT g * 1000003::bigint - 5000000000 FROM generate_series(1, 3000) g`,
		"uuid":    `CREATE TABLE t (id uuid PRIMARY KEY); INSERT INTO t SELECT md5(g::text)::uuid FROM generate_series(1, 3000) g`,
		"text":    `CREATE TABLE t (id text COLLATE "C" PRIMARY KEY); INSERT INTO t SELECT 'it''s \ "' || g || E'\n' FROM generate_series(1, 3000) g`,
		"padded":  `CREATE TABLE t (id char(12) PRIMARY KEY); INSERT INTO t SELECT g::text FROM generate_series(1, 3000) g`,
		"float":   `CREATE TABLE t (id float8 PRIMARY KEY); INSERT INTO t SELECT 1 + g * 1e-15 FROM generate_series(1, 3000) g`,
		"time":    `CREATE TABLE t (id timestamptz PRIMARY KEY); INSERT INTO t SELECT '2001-02-03 04:05:06.789'::timestamptz + g * interval '1 month' FROM generate_series(1, 3000) g`,
		"span":    `CREATE TABLE t (id interval PRIMARY KEY); INSERT INTO t SELECT g * interval '-1 month 3 days 04:05:06.789' FROM generate_series(1, 3000) g`,
		"bytes":   `CREATE TABLE t (id bytea PRIMARY KEY); INSERT INTO t SELECT decode(md5(g::text), 'hex') FROM generate_series(1, 3000) g`,
		"domain":  `CREATE DOMAIN key AS varchar(40) CHECK (VALUE <> ''); CREATE TABLE t (id key PRIMARY KEY); INSERT INTO t SELECT 'k' || g FROM generate_series(1, 3000) g`,
		"composite": `CREATE TYPE mood AS ENUM ('b', 'a'); CREATE TABLE t ("A b" mood NOT NULL, b int NOT NULL, x int, UNIQUE ("A b", b) INCLUDE (x));
			INSERT INTO t SELECT m::mood, g FROM generate_series(1, 1500) g, unnest(ARRAY['a', 'b']) m`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, table+`; ALTER TABLE t ADD COLUMN c bigint, ADD COLUMN times int DEFAULT 0; CREATE SEQUENCE s;
				ALTER TABLE t ALTER COLUMN c SET DEFAULT nextval('s');
				CREATE FUNCTION once_more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.times = OLD.times + 1; RETURN NEW; END';
				CREATE TRIGGER once_more BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION once_more()`)
			r := p.runner()
			for _, setting := range []string{"DateStyle = 'SQL, DMY'", "TimeZone = 'Asia/Kolkata'", "extra_float_digits = -5", "IntervalStyle = 'sql_standard'"} {
				if _, err := r.Conn.Exec(t.Context(), "SET "+setting); err != nil {
					t.Fatal(err)
				}
			}
			before := p.settings(r.Conn)
			if result := p.must(r, fillStep(p)); result.Tag != "UPDATE 3000" {
				t.Errorf("tag %q", result.Tag)
			}
			p.is("3000 3000 1", "SELECT concat_ws(' ', count(*), count(DISTINCT c), max(times)) FROM t WHERE times = 1")
			// Again, there is nothing to do.
			if result := p.must(r, fillStep(p)); result.Tag != "UPDATE 0" {
				t.Errorf("tag %q", result.Tag)
			}
			if after := p.settings(r.Conn); after != before {
				t.Errorf("settings were %s, are %s", before, after)
			}
		})
	}
}

func TestFillNeedsAKey(t *testing.T) {
	for name, table := range map[string]string{
		"none":     "CREATE TABLE t (id int, c int DEFAULT 1)",
		"nullable": "CREATE TABLE t (id int UNIQUE, c int DEFAULT 1)",
		"partial":  "CREATE TABLE t (id int NOT NULL, c int DEFAULT 1); CREATE UNIQUE INDEX ON t (id) WHERE id > 0",
		"computed": "CREATE TABLE t (id int NOT NULL, c int DEFAULT 1); CREATE UNIQUE INDEX ON t ((id + 1))",
		"another":  `CREATE TABLE t (id text NOT NULL, c int DEFAULT 1); CREATE UNIQUE INDEX ON t (id text_pattern_ops)`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, table)
			p.exec(p.look, "INSERT INTO t (id, c) VALUES (1, NULL)")
			_, err := p.runner().RunStep(t.Context(), fillStep(p))
			if f := failure(t, err); !strings.Contains(f.Message, "no unique index over NOT NULL columns") {
				t.Error(f)
			}
			p.is("1", "SELECT count(*) FROM t WHERE c IS NULL")
		})
	}
}

// A batch that meets the row lock of somebody's waits for it shortly and tries again; a cancel keeps what is filled.
func TestFillWaitsForRowsPolitely(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int PRIMARY KEY, c int); INSERT INTO t SELECT g FROM generate_series(1, 2000) g; ALTER TABLE t ALTER c SET DEFAULT 1")
	other := p.connect()
	p.exec(other, "BEGIN; UPDATE t SET id = id WHERE id = 1900")
	r := p.runner()
	pid := p.pid(r.Conn)
	done := start(t.Context(), r, fillStep(p))
	p.waitFor("SELECT count(*) = 500 FROM (SELECT FROM t WHERE c = 1 LIMIT 500) AS filled")
	o := p.cancelUntil(pid, done)
	if run.SQLState(o.err) != "57014" {
		t.Fatal(o.err)
	}
	p.exec(other, "COMMIT")
	p.must(r, fillStep(p))
	p.is("0", "SELECT count(*) FROM t WHERE c IS NULL")
	p.is("0", advisoryLocks)
}

// Rows that come after the beginning have the value by themselves; the fill does not chase them.
func TestFillEndsWhereItBegan(t *testing.T) {
	p := newPlace(t, `CREATE TABLE t (id int PRIMARY KEY, c int); INSERT INTO t SELECT g FROM generate_series(1, 1000) g; ALTER TABLE t ALTER c SET DEFAULT 1;
		CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.t SELECT max(id) + 1 FROM public.t; RETURN NULL; END';
		CREATE TRIGGER more AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION more()`)
	if result := p.must(p.runner(), fillStep(p)); result.Tag != "UPDATE 1000" {
		t.Errorf("tag %q", result.Tag)
	}
	p.is("2000 0", "SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE c IS NULL)) FROM t")
}

// An empty table has no last key.
func TestFillOfNothing(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (id int PRIMARY KEY, c int DEFAULT 1)")
	p.must(p.runner(), fillStep(p))
}

// notNull is SET NOT NULL by a helper.
func notNull(p *place) []rewrite.Step {
	const helper = "pgsluice_a_not_null"
	add, validate, set := p.target("t"), p.target("t"), p.target("t")
	return []rewrite.Step{
		{SQL: "ALTER TABLE public.t ADD CONSTRAINT " + helper + " CHECK (a IS NOT NULL) NOT VALID", Where: rewrite.InPlace, Table: add, Budget: true,
			Helpers: []rewrite.Helper{{Name: helper}}},
		{SQL: "ALTER TABLE public.t VALIDATE CONSTRAINT " + helper, Where: rewrite.AfterCommit, Table: validate},
		{SQL: "ALTER TABLE public.t ALTER COLUMN a SET NOT NULL", Then: []string{"ALTER TABLE public.t DROP CONSTRAINT " + helper}, Where: rewrite.AfterCommit,
			Table: set, Budget: true, Helpers: []rewrite.Helper{{Name: helper, Drop: true}}},
	}
}

const constraints = "SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'"

// A helper is listed before it is made, and struck when it is gone: because the plan is done, or because it failed.
func TestHelperIsListedAndLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct{ row, state, notNull string }{
		"done":   {"1", "", "true"},
		"failed": {"NULL", "23514", "false"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, fmt.Sprintf("CREATE TABLE t (a int); INSERT INTO t VALUES (%s)", c.row))
			r, kept := p.runner(), &artifacts{}
			r.Artifacts = kept
			_, err := r.Run(t.Context(), rewrite.Plan{Steps: notNull(p)})
			if run.SQLState(err) != c.state {
				t.Fatal(err)
			}
			p.is("0", constraints)
			p.is(c.notNull, "SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'")
			if kept.announced != 1 || len(kept.open) != 0 {
				t.Errorf("%d were listed, %v still are", kept.announced, kept.open)
			}
			p.is("0", advisoryLocks)
		})
	}
}

// The statements of a step take effect together or not at all.
func TestStatementsOfAStepAreOne(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int)")
	for _, where := range []rewrite.Where{rewrite.InPlace, rewrite.AfterCommit} {
		for _, budget := range []bool{false, true} {
			step := rewrite.Step{SQL: "ALTER TABLE public.t ADD b int", Then: []string{"ALTER TABLE public.t DROP nothing"}, Where: where, Table: p.target("t"), Budget: budget}
			if _, err := p.runner().RunStep(t.Context(), step); run.SQLState(err) != "42703" {
				t.Fatal(err)
			}
			p.is("1", "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0")
		}
	}
	// In a client's transaction they are part of it.
	r := p.runner()
	step := rewrite.Step{SQL: "ALTER TABLE public.t ADD b int", Then: []string{"ALTER TABLE public.t ADD c int"}, Where: rewrite.InPlace, Table: p.target("t"), Budget: true}
	if _, err := r.Conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if result := p.must(r, step); fmt.Sprint(result.Ran) != "[ALTER TABLE public.t ADD b int ALTER TABLE public.t ADD c int]" {
		t.Error(result.Ran)
	}
	if _, err := r.Conn.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	p.is("1", "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0")
}

// A helper that a broken plan left is removed by whoever resumes; one that a promise still needs stays.
func TestResumeRemovesHelpers(t *testing.T) {
	for _, superuser := range []bool{true, false} {
		h := newHome(t, superuser, "CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT pgsluice_a_not_null CHECK (a IS NOT NULL) NOT VALID, ADD CONSTRAINT mine CHECK (a > 0)")
		for _, name := range []string{"pgsluice_a_not_null", "mine"} {
			if _, err := h.ledger.Announce(t.Context(), revisions.Artifact{
				Kind: "constraint", Schema: "public", Name: name, Table: h.target("t").OID, PID: 1, BackendStart: 1,
			}); err != nil {
				t.Fatal(err)
			}
		}
		h.resume(h.control)
		h.is("mine", "SELECT string_agg(conname, ' ') FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'")
	}
}

// In the client's place the steps of SET NOT NULL run; a fill is left to the login, because COMMIT runs its deferred triggers.
func TestResumeOfSeveralStatementsAndFills(t *testing.T) {
	for _, superuser := range []bool{true, false} {
		h := newHome(t, superuser, "CREATE TABLE t (id int PRIMARY KEY, a int, c int); INSERT INTO t VALUES (1, 1); ALTER TABLE t ALTER c SET DEFAULT 1")
		steps := notNull(h.place)
		steps[0].Where = rewrite.AfterCommit
		h.promise(map[string]string{}, steps, []rewrite.Step{fillStep(h.place)})
		kept := h.resume(h.control)
		if len(kept) != 2 || kept[0].State != revisions.Done || kept[1].State != revisions.Pending {
			t.Fatalf("%s %v, %s %v", kept[0].State, kept[0].Err, kept[1].State, kept[1].Err)
		}
		h.is("true", "SELECT attnotnull FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'")
		h.is("0", constraints)
		h.is("0", "SELECT count(*) FROM t WHERE c = 1")
		if kept := h.resume(h.control); len(kept) != 0 {
			t.Errorf("it is tried again at once by who may not: %+v", kept)
		}
		if kept := h.resume(h.alice); len(kept) != 1 || kept[0].State != revisions.Done {
			t.Fatalf("%+v", kept)
		}
		h.is("1", "SELECT count(*) FROM t WHERE c = 1")
		h.is("0", "SELECT count(*) FROM pgsluice.artifacts")
	}
}

// A batch that ends a deadlock is run again with half of its rows.
func TestJobInADeadlock(t *testing.T) {
	h := newHome(t, true, `CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 1000) g; ANALYZE t;
		CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END';
		CREATE TRIGGER wait BEFORE UPDATE OF n ON t FOR EACH ROW WHEN (old.id = 399) EXECUTE FUNCTION wait()`)
	h.exec(h.look, fmt.Sprintf("ALTER ROLE %s SET deadlock_timeout = '10ms'", h.alice))
	gate, other := h.connect(), h.connect()
	h.exec(gate, "SELECT pg_advisory_lock(4711)")
	h.exec(other, "SET deadlock_timeout = '1h'; BEGIN; UPDATE t SET id = id WHERE id = 400")
	r := h.client(h.open(h.dsnOf(h.alice)))
	r.Batch.LockTimeout = 20 * time.Second
	done := h.begin(r, h.bulk("UPDATE ONLY %s SET n = n + 1", "", "t"))
	h.waitFor(`SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 4711
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`)
	updated := make(chan error, 1)
	go func() {
		_, err := other.Exec(t.Context(), "UPDATE t SET id = id WHERE id = 1")
		updated <- err
	}()
	h.waitFor("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = $1)", other.PgConn().PID())
	h.exec(gate, "SELECT pg_advisory_unlock(4711)") // the batch goes on to what the other one has
	if err := <-updated; err != nil {
		t.Error(err)
	}
	h.exec(other, "COMMIT")
	if o := <-done; o.err != nil || o.Tag != "UPDATE 1000" || o.Tries == 0 {
		t.Errorf("%+v", o)
	}
	h.is("1000", "SELECT count(*) FROM t WHERE n = 1")
}
