package lint_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/policy"
)

// What is lost on the way back was made by the way forth: it is told, and counts for nothing.
func TestLossIsExpectedOnTheWayBack(t *testing.T) {
	set, err := policy.NewSet([]policy.Rule{{
		Name: "table-dropped", Title: "t", Doc: "d", Since: "0.1", Default: policy.Block, Cases: "c", Loss: true,
		Run: func(c *policy.Check) {
			if _, drops := c.Stmt.Action.(ddl.Drop); drops {
				c.Report(policy.Finding{Message: "gone for good"})
			}
		},
	}}, policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := lint.NewSource("1.sql", "-- +goose Up\nDROP TABLE a;\n-- +goose Down\nDROP TABLE b;\n")
	if err != nil {
		t.Fatal(err)
	}
	report, err := (&lint.Judge{Rules: set}).Files(t.Context(), []*lint.Source{s})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := found(report), "1.sql:2: block table-dropped\n1.sql:4: allowed table-dropped\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if reason := report.Judged[1].Overridden[0].Reason; reason != "expected on the way back" || report.Judged[1].Verdict != "pass" {
		t.Errorf("reason %q, verdict %s", reason, report.Judged[1].Verdict)
	}
}

// database is what a server would know: tables by name, and what was asked.
type database struct {
	tables map[string]*facts.Relation
	asked  []string
}

func (d *database) Known(_ context.Context, wanted []facts.Wanted, searchPath []string) (facts.Facts, error) {
	known := facts.Facts{Known: true, Version: 160000, SessionUser: "joe", Relations: map[string]*facts.Relation{}}
	for _, w := range wanted {
		key := facts.Key(w.Name.Schema, w.Name.Name)
		d.asked = append(d.asked, fmt.Sprint(searchPath, key))
		known.Relations[key] = d.tables[key]
	}
	return known, nil
}

func TestFactsDecide(t *testing.T) {
	table := func(name string, bytes int64) *facts.Relation {
		return &facts.Relation{OID: 1, Schema: "public", Name: name, Kind: "r", Persistence: "p", MayAlter: true, Rows: 9, Bytes: bytes}
	}
	d := &database{tables: map[string]*facts.Relation{`"big"`: table("big", 1<<30), `"small"`: table("small", 1), `"old"`: table("old", 1<<30)}}
	d.tables[`"old"`].OID = 3
	d.tables[`"public"."big"`] = d.tables[`"big"`]
	d.tables[`"big_a"`] = &facts.Relation{OID: 2, Schema: "public", Name: "big_a", Kind: "i", Persistence: "p", MayAlter: true, Table: d.tables[`"big"`]}
	for text, want := range map[string]string{
		"CREATE INDEX ON big (a);":   "a.sql:1: rewrite index-not-concurrent\n",
		"CREATE INDEX ON small (a);": "a.sql:1: rewrite lock-without-budget\n",
		// A table that is there already is not made: the file was applied before, or says IF NOT EXISTS.
		"CREATE TABLE big (a int PRIMARY KEY); CREATE INDEX ON big (a);":                                          "a.sql:1: rewrite index-not-concurrent\n",
		"CREATE TABLE IF NOT EXISTS big (a int PRIMARY KEY);\nCREATE INDEX ON big (a);":                           "a.sql:2: rewrite index-not-concurrent\n",
		"SET lock_timeout = 1;\nDROP TABLE big;\nCREATE TABLE big (a int PRIMARY KEY);\nCREATE INDEX ON big (a);": "a.sql:2: block table-dropped\n",
		"CREATE TABLE new (a int PRIMARY KEY); CREATE INDEX ON new (a);":                                          "nothing\n",
		// A temporary table is new, whatever lasting one it hides, until it is dropped.
		"CREATE TEMP TABLE big (a int);\nCREATE INDEX ON big (a);\nCREATE INDEX ON public.big (a);\nDROP TABLE big;\nCREATE INDEX ON big (a);": "a.sql:3: rewrite index-not-concurrent\na.sql:5: rewrite index-not-concurrent\n",
		// What a transaction has locked already is no further lock; what is slow keeps others waiting behind it.
		"BEGIN; SET LOCAL lock_timeout = 1; ALTER TABLE big ADD b int;\nALTER TABLE big ADD c int; ALTER INDEX big_a SET (fillfactor = 50);\n" +
			"UPDATE big SET b = 1; ALTER TABLE old ADD b int; COMMIT;": "a.sql:3: block slow-behind-lock, block write-without-where\na.sql:3: warn locks-add-up\n",
		// A renamed table is asked about by the name that the server has it under.
		"SET lock_timeout = 1;\nALTER TABLE big RENAME TO huge;\nALTER TABLE huge RENAME TO vast;\nCREATE INDEX ON vast (a);": "a.sql:2: block table-renamed\na.sql:3: block table-renamed\na.sql:4: rewrite index-not-concurrent\n",
		"SET lock_timeout = 1;\nALTER TABLE big RENAME TO huge;\nCREATE INDEX ON big (a);":                                    "a.sql:2: block table-renamed\n",
	} {
		s, err := lint.NewSource("a.sql", text)
		if err != nil {
			t.Fatal(err)
		}
		report, err := (&lint.Judge{Rules: newSet(t), Knowledge: d, Anybody: true}).Files(t.Context(), []*lint.Source{s})
		if err != nil {
			t.Fatal(err)
		}
		if got := found(report); got != want {
			t.Errorf("%s\ngot  %swant %s", text, got, want)
		}
	}
	d.asked = nil
	s, err := lint.NewSource("a.sql", "SET search_path = app, public; CREATE INDEX ON big (a); RESET search_path; CREATE INDEX ON big (a)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&lint.Judge{Rules: newSet(t), Knowledge: d}).Files(t.Context(), []*lint.Source{s}); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(d.asked, "; "), `[app public]"big"; []"big"`; got != want {
		t.Errorf("asked %s, want %s", got, want)
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]int{"16": 160000, "14.3": 140003, "9.6": 0, "": 0, "16.x": 0, "1600": 0, "16.": 0, "17.123": 0} {
		if got, ok := lint.ParseVersion(text); got != want || ok != (want > 0) {
			t.Errorf("%q: %d, %t", text, got, ok)
		}
	}
}

// history is a thousand migrations as a project of some years has them.
func history(t testing.TB) []*lint.Source {
	t.Helper()
	var all []*lint.Source
	for i := range 1000 {
		s, err := lint.NewSource(fmt.Sprintf("db/%05d_change.sql", i), strings.ReplaceAll(`-- +goose Up
CREATE TABLE items_@ (id bigint PRIMARY KEY, order_id bigint NOT NULL, made_at timestamptz DEFAULT now());
CREATE INDEX items_@_order ON items_@ (order_id);
ALTER TABLE orders ADD COLUMN note_@ text;
CREATE INDEX orders_note_@ ON orders (note_@);
ALTER TABLE orders ADD CONSTRAINT orders_note_@_check CHECK (note_@ <> '');
INSERT INTO items_@ (id, order_id) VALUES (1, 1), (2, 1);
-- +goose Down
ALTER TABLE orders DROP COLUMN note_@;
DROP TABLE items_@;
`, "@", fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// BenchmarkHistory is one run over a thousand files of eight statements, of which five are found fault with.
func BenchmarkHistory(b *testing.B) {
	sources := history(b)
	judge := &lint.Judge{Rules: newSet(b), Anybody: true}
	for b.Loop() {
		report, err := judge.Files(b.Context(), sources)
		if err != nil {
			b.Fatal(err)
		}
		if len(report.Judged) != 8000 {
			b.Fatalf("%d statements", len(report.Judged))
		}
	}
}
