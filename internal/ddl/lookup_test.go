package ddl

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestLooksUp runs testdata/lookup.txt: which names a statement looks up in the catalog, and whether its raw text says that it may.
func TestLooksUp(t *testing.T) {
	datadriven.RunTest(t, "testdata/lookup.txt", func(t *testing.T, d *datadriven.TestData) string {
		statements, err := Parse(d.Input)
		if err != nil || len(statements) != 1 {
			t.Fatalf("%s: %d statements, %v", d.Pos, len(statements), err)
		}
		found := LooksUp(statements[0])
		if len(found) == 0 {
			return "nothing\n"
		}
		if !NamesCatalog([]byte(d.Input)) {
			t.Errorf("%s: the raw text does not show it", d.Pos)
		}
		return fmt.Sprintln(shownValues(found))
	})
}

// The raw text of ordinary traffic is not parsed for it.
func TestNamesCatalog(t *testing.T) {
	for text, want := range map[string]bool{
		"SELECT id, user_id FROM user_tables WHERE pg_id = $1": false,
		"_":                                      false,
		"SELECT 1 FROM PG_CLASS":                 true,
		`SELECT 1 FROM "pg_catalog"."pg_tables"`: true,
		"select 1 from Information_Schema.tables": true,
		"pg_clas": false,
	} {
		if got := NamesCatalog([]byte(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
