package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed json-without-equality.sql
var jsonWithoutEqualityCases string

// jsonOID is the type json.
const jsonOID = 114

// jsonWithoutEquality: a type that queries which run today cannot handle.
func jsonWithoutEquality() policy.Rule {
	return policy.Rule{
		Name:  "json-without-equality",
		Title: "Column of type json",
		Doc: `Two values of type json cannot be compared. Once the table has such a column, SELECT DISTINCT, UNION and GROUP BY over all of its columns fail with
"could not identify an equality operator for type json", in queries that ran the day before.

Use jsonb, unless the text has to be kept as it was written, white space and all.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   jsonWithoutEqualityCases,
		Run:     runJSONWithoutEquality,
	}
}

func runJSONWithoutEquality(c *policy.Check) {
	for _, a := range addedColumns(c) {
		t, known := c.Facts.Types[facts.TypeKey(a.column.Type.Schema, a.column.Type.Name, a.column.Array)]
		is := t != nil && (t.OID == jsonOID || t.Base == jsonOID || t.Element == jsonOID)
		if !known {
			is = a.column.Type.Name == "json" && (a.column.Type.Schema == "" || a.column.Type.Schema == "pg_catalog")
		}
		if !is || a.table != nil && a.table.CreatedHere {
			continue
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("queries with DISTINCT, UNION or GROUP BY over the rows of %q fail once it has %q of type json; use jsonb", a.alter.Table.Name, a.name),
		})
	}
}
