package facts_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// A snapshot answers as the server did, whatever is asked about a relation.
func TestSnapshotAnswersAsTheServer(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	if _, err := conn.Exec(t.Context(), `
		CREATE SCHEMA shop;
		CREATE TABLE shop.customers (id bigint PRIMARY KEY, note text DEFAULT 'secret' || 'word');
		CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer_id bigint CONSTRAINT orders_customer REFERENCES shop.customers,
			note text, CONSTRAINT orders_note_check CHECK (note <> ''));
		CREATE INDEX orders_note_idx ON shop.orders (note);
		INSERT INTO shop.customers SELECT i, 'personal' FROM generate_series(1, 1000) AS i;
		CREATE TABLE measures (at timestamptz, value int) PARTITION BY RANGE (at);
		CREATE TABLE measures_1 PARTITION OF measures DEFAULT;
		CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
		CREATE MATERIALIZED VIEW shop.totals AS SELECT count(*) FROM shop.orders;
		ANALYZE;
		SET search_path = shop, public`); err != nil {
		t.Fatal(err)
	}
	exported, err := facts.Export(t.Context(), querier{conn})
	if err != nil {
		t.Fatal(err)
	}
	var file strings.Builder
	if err := exported.Write(&file); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{"personal", `"session_user": "p`, `"role"`} {
		if strings.Contains(file.String(), left) {
			t.Errorf("the snapshot holds %s", left)
		}
	}
	snapshot, err := facts.ReadSnapshot(strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"CREATE INDEX ON orders (note)", "CREATE INDEX orders_note_idx ON shop.orders (note)", "CREATE INDEX orders ON shop.orders (note)",
		"ALTER TABLE orders ADD CHECK (note <> 'x')", "ALTER TABLE orders ADD FOREIGN KEY (id) REFERENCES customers",
		"DROP TABLE orders", "DROP INDEX orders_note_idx", "DROP INDEX shop.orders_pkey", "ALTER TABLE ONLY measures ADD COLUMN a int",
		"CREATE INDEX ON measures (value)", "TRUNCATE alembic_version", "REFRESH MATERIALIZED VIEW totals",
	} {
		statements, err := ddl.Parse(sql)
		if err != nil {
			t.Fatal(err)
		}
		wanted := facts.For(statements[0])
		for i := range wanted {
			wanted[i].NoIndexes, wanted[i].NoConstraints, wanted[i].Guess = false, false, 0 // a snapshot knows them all
		}
		live, err := facts.Read(t.Context(), querier{conn}, wanted)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range wanted {
			key := facts.Key(w.Name.Schema, w.Name.Name)
			got, want := told(t, snapshot.Known(wanted, live.SearchPath).Relations[key]), told(t, live.Relations[key])
			if got != want {
				t.Errorf("%s: %s\ngot  %s\nwant %s", sql, key, got, want)
			}
		}
	}
	wanted := []facts.Wanted{{Name: ddl.Name{Schema: "shop", Name: "customers"}, Dependents: true}, {Name: ddl.Name{Name: "measures"}, Children: true}}
	live, err := facts.Read(t.Context(), querier{conn}, wanted)
	if err != nil {
		t.Fatal(err)
	}
	stored := snapshot.Known(wanted, live.SearchPath)
	got, want := stored.Relations[`"shop"."customers"`].Depends, live.Relations[`"shop"."customers"`].Depends
	if len(got.References) != 1 || !reflect.DeepEqual(got, want) {
		t.Errorf("what depends on the table:\ngot  %+v\nwant %+v", got, want)
	}
	if children := stored.Relations[`"measures"`].Children; len(children) != 1 || children[0].Name != "measures_1" {
		t.Errorf("children %+v", children)
	}
	known := snapshot.Known([]facts.Wanted{{Name: ddl.Name{Name: "strange"}}}, nil)
	if _, asked := known.Relations[facts.Key("", "strange")]; asked || !known.Known || known.Version == 0 {
		t.Errorf("a name that the snapshot does not have is not unknown: %+v", known)
	}
}

// told is a relation, and what JSON leaves out of it; definitions and dependents are asked for by some statements only.
func told(t *testing.T, r *facts.Relation) string {
	t.Helper()
	if r == nil {
		return "none"
	}
	plain := *r
	plain.Constraints, plain.Indexes = nil, nil
	plain.Columns = slices.Clone(r.Columns)
	for i := range plain.Columns {
		plain.Columns[i].Default = ""
	}
	plain.Partitions = slices.Clone(r.Partitions)
	for i := range plain.Partitions {
		plain.Partitions[i].Bound = ""
	}
	names := []string{}
	for _, k := range r.Constraints {
		names = append(names, k.Name)
	}
	for _, i := range r.Indexes {
		names = append(names, i.Name)
	}
	sibling := ""
	if r.Sibling != nil {
		sibling = facts.Key(r.Sibling.Schema, r.Sibling.Name)
		if r.Sibling.Table != nil {
			sibling += " of " + r.Sibling.Table.Name
		}
	}
	text, err := json.Marshal([]any{plain, names, r.Taken, sibling, r.VersionTable, told(t, r.Table)})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadSnapshotRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"pgsluice_stats": 1, "relations": [{}]}`: "it is not what pgsluice stats export writes: a relation is missing",
		"":                                  "it is not what pgsluice stats export writes: EOF",
		"[]":                                "it is not what pgsluice stats export writes",
		"{}":                                "its format is 0, and this pgsluice reads format 1: export it again",
		`{"pgsluice_stats": 2}`:             "its format is 2",
		`{"pgsluice_stats": 1, "relations"`: "it is not what pgsluice stats export writes: unexpected EOF",
	} {
		if _, err := facts.ReadSnapshot(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
