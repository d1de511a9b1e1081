package run_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// leaves lists servants whose maker has ended.
func (h *home) leaves(promise int64, table string, names ...string) {
	h.Helper()
	for _, name := range names {
		if _, err := h.ledger.Announce(h.Context(), revisions.Artifact{
			Kind: "servant", Schema: "public", Name: name, Table: h.target(table).OID, Promise: promise,
		}); err != nil {
			h.Fatal(err)
		}
	}
}

// all are the indexes in the schema, the INVALID ones marked.
func (h *home) all(want string) {
	h.Helper()
	h.is(want, `SELECT COALESCE(string_agg(indexrelid::regclass || CASE WHEN indisvalid THEN '' ELSE ' INVALID' END, ' ' ORDER BY indexrelid::regclass::text), '')
		FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace`)
}

const listed = "SELECT COALESCE(string_agg(name, ' ' ORDER BY name), '') FROM pgsluice.artifacts"

// An index that was built for a constraint goes when that is never made, and stays when it is.
func TestIndexThatServesNobody(t *testing.T) {
	forEachControl(t, func(t *testing.T, superuser bool) {
		h := newHome(t, superuser, `CREATE TABLE t (a int, b int); CREATE TABLE parent (a int); CREATE TABLE child (a int);
			CREATE UNIQUE INDEX t_a_key ON t (a); CREATE UNIQUE INDEX t_b_key ON t (b); CREATE UNIQUE INDEX parent_a ON parent (a);
			ALTER TABLE t ADD CONSTRAINT t_b_key UNIQUE USING INDEX t_b_key;
			ALTER TABLE child ADD FOREIGN KEY (a) REFERENCES parent (a)`)
		h.leaves(0, "t", "t_a_key", "t_b_key", "t_never")
		h.leaves(0, "parent", "parent_a")
		h.resume(h.control)
		h.all("parent_a t_b_key")
		h.is("", listed)
	})
}

// One that a promise needs stays until that is given up.
func TestIndexThatAPromiseNeeds(t *testing.T) {
	h := newHome(t, true, "CREATE TABLE t (a int); CREATE UNIQUE INDEX t_a_key ON t (a)")
	id := h.promise(map[string]string{}, []rewrite.Step{{SQL: "ALTER TABLE public.t ADD CONSTRAINT t_a_key UNIQUE USING INDEX t_a_key",
		Where: rewrite.AfterCommit, Budget: true, Table: h.target("t")}})[0]
	h.leaves(id, "t", "t_a_key")
	r := h.resumer(h.control)
	r.Claims.ID = id + 1000 // nobody's
	sweep := func() {
		t.Helper()
		if kept, err := r.Run(t.Context()); err != nil || len(kept) > 0 {
			t.Fatalf("kept %+v, %v", kept, err)
		}
	}
	sweep()
	h.all("t_a_key")
	h.is("t_a_key", listed)
	if err := h.ledger.Void(t.Context(), id, "given up"); err != nil {
		t.Fatal(err)
	}
	sweep()
	h.all("")
	h.is("", listed)
}

// What was made of the index of a partitioned table goes whole, unless an index hangs on it that was there before.
func TestPartitionedIndexThatServesNobody(t *testing.T) {
	for _, others := range []bool{false, true} {
		t.Run(fmt.Sprintf("index of somebody else's %t", others), func(t *testing.T) {
			h := newHome(t, true, `CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
				CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2); CREATE TABLE t3 PARTITION OF t FOR VALUES IN (3);
				CREATE INDEX t_a ON ONLY t (a); CREATE INDEX t1_a ON t1 (a); CREATE INDEX t2_a ON t2 (a);
				ALTER INDEX t_a ATTACH PARTITION t1_a`)
			want := ""
			h.leaves(7, "t", "t_a")
			if others {
				want = "t1_a t_a INVALID"
			} else {
				h.leaves(7, "t1", "t1_a")
			}
			h.leaves(7, "t2", "t2_a")
			h.resume(h.control)
			h.all(want)
			h.is("", listed)
		})
	}
}

// A key of a partitioned table that is given up midway goes with what hangs on it, at every depth; one that is whole stays, and so does one with a
// partition's own key. Of what a promise needs nothing goes, nor is it forgotten, whatever has become of it so far.
func TestPartitionedKeyThatServesNobody(t *testing.T) {
	const begun = `CREATE TABLE t (a int NOT NULL, b int NOT NULL) PARTITION BY LIST (a);
		CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2) PARTITION BY LIST (b);
		CREATE TABLE t21 PARTITION OF t2 FOR VALUES IN (1); CREATE TABLE t22 PARTITION OF t2 FOR VALUES IN (2);
		ALTER TABLE ONLY t ADD CONSTRAINT t_key UNIQUE (a, b); ALTER TABLE t1 ADD CONSTRAINT t1_key UNIQUE (a, b); ALTER INDEX t_key ATTACH PARTITION t1_key;
		ALTER TABLE ONLY t2 ADD CONSTRAINT t2_key UNIQUE (a, b); ALTER TABLE t21 ADD CONSTRAINT t21_key UNIQUE (a, b); ALTER INDEX t2_key ATTACH PARTITION t21_key;
		CREATE UNIQUE INDEX t22_key ON t22 (a, b);`
	names := map[string]string{"t": "t_key", "t1": "t1_key", "t2": "t2_key", "t21": "t21_key", "t22": "t22_key"}
	for name, c := range map[string]struct{ more, foreign, want string }{
		"given up":                             {},
		"given up between a key and its place": {more: `ALTER TABLE t22 ADD CONSTRAINT t22_key UNIQUE USING INDEX t22_key`},
		"whole": {
			more: `ALTER TABLE t22 ADD CONSTRAINT t22_key UNIQUE USING INDEX t22_key; ALTER INDEX t2_key ATTACH PARTITION t22_key; ALTER INDEX t_key ATTACH PARTITION t2_key`,
			want: "t1_key t21_key t22_key t2_key t_key",
		},
		"with a key of somebody else's": {foreign: "t1", want: "t1_key t_key INVALID"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHome(t, true, begun+c.more)
			before := "t1_key t21_key t22_key t2_key INVALID t_key INVALID"
			if c.want != "" && c.foreign == "" {
				before = c.want
			}
			id := h.promise(map[string]string{}, []rewrite.Step{{SQL: "SELECT 1", Where: rewrite.AfterCommit, Table: h.target("t")}})[0]
			all := ""
			for _, table := range []string{"t", "t1", "t2", "t21", "t22"} {
				if table != c.foreign {
					h.leaves(id, table, names[table])
					all = strings.TrimSpace(all + " " + names[table])
				}
			}
			r := h.resumer(h.control)
			r.Claims.ID, r.Setbacks = id+1000, &run.Setbacks{} // nobody's
			sweep := func() {
				t.Helper()
				if kept, err := r.Run(t.Context()); err != nil || len(kept) > 0 {
					t.Fatalf("kept %+v, %v", kept, err)
				}
			}
			sweep()
			h.all(before)
			h.is(all, `SELECT string_agg(name, ' ' ORDER BY id) FROM pgsluice.artifacts`)
			if err := h.ledger.Void(t.Context(), id, "given up"); err != nil {
				t.Fatal(err)
			}
			sweep()
			h.all(c.want)
			h.is("", listed)
		})
	}
}

// A plan that fails behind the build of such an index leaves it to whoever resumes, and one that is done strikes it.
func TestIndexIsListedUntilItServes(t *testing.T) {
	for _, fails := range []bool{false, true} {
		t.Run(fmt.Sprintf("fails %t", fails), func(t *testing.T) {
			p := newPlace(t, "CREATE TABLE t (a int)")
			r := p.runner()
			kept := &artifacts{}
			r.Artifacts = kept
			build := p.unique("t_a", "a")
			build.Index.Servant = true
			then := rewrite.Step{SQL: "ALTER TABLE public.t ADD CONSTRAINT t_a UNIQUE USING INDEX t_a", Where: rewrite.AfterCommit, Budget: true, Table: p.target("t")}
			if fails {
				then.SQL += "_not"
			}
			watched := 0
			r.Conn = &before{Conn: r.Conn, chain: func() { watched = max(watched, len(kept.open)) }}
			_, err := r.Run(t.Context(), rewrite.Plan{Steps: []rewrite.Step{build, then}})
			if fails != (err != nil) || watched != 1 {
				t.Fatalf("%v, %d listed before the constraint is made", err, watched)
			}
			if !fails && len(kept.open) > 0 {
				t.Errorf("artifacts: %+v", kept.open)
			}
			for _, a := range kept.open {
				if a.Kind != "servant" || a.PID != 0 || a.Name != "t_a" {
					t.Errorf("left to others: %+v", a)
				}
			}
			if fails && len(kept.open) != 1 {
				t.Errorf("artifacts: %+v", kept.open)
			}
		})
	}
}

// An index of somebody else's that has the name already is never listed as one that may be dropped.
func TestIndexOfThatNameIsNotOurs(t *testing.T) {
	p := newPlace(t, "CREATE TABLE t (a int, b int); CREATE INDEX t_a ON t (b)")
	r := p.runner()
	kept := &artifacts{}
	r.Artifacts = kept
	build := p.unique("t_a", "a")
	build.Index.Servant = true
	watched := &before{Conn: r.Conn}
	watched.exec = func(sql string) {
		for _, a := range kept.open {
			if a.Kind == "servant" {
				t.Errorf("listed while this is sent: %s", sql)
			}
		}
	}
	r.Conn = watched
	if _, err := r.RunStep(t.Context(), build); run.SQLState(err) != "42P07" || kept.announced != 1 || len(kept.open) > 0 {
		t.Errorf("got %v, %+v", err, kept)
	}
	p.indexes("t_a")
}

// before is a Conn that calls back before each chain of statements and each single one.
type before struct {
	run.Conn
	chain func()
	exec  func(sql string)
}

func (b *before) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	if b.exec != nil {
		b.exec(sql)
	}
	return b.Conn.Exec(ctx, sql, args...)
}

func (b *before) Chain(ctx context.Context, sql ...string) ([]string, error) {
	b.chain()
	return b.Conn.Chain(ctx, sql...)
}
