package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed name-not-qualified.sql
var nameNotQualifiedCases string

// nameNotQualified: search_path decides what it means.
func nameNotQualified() policy.Rule {
	return policy.Rule{
		Name:  "name-not-qualified",
		Title: "Name without its schema",
		Doc: `A name without a schema means whatever search_path says when the migration runs: under another login, or behind a pooler that keeps settings, a
table of another schema, or a new one in it.

Write the schema. Temporary tables have none, and tables that the same transaction made, or a DROP of what does not exist, are no matter.`,
		Since:   "0.1",
		Default: policy.Off,
		Cases:   nameNotQualifiedCases,
		Run:     runNameNotQualified,
	}
}

func runNameNotQualified(c *policy.Check) {
	switch action := c.Stmt.Action.(type) {
	case ddl.CreateTable:
		if action.Temp {
			return
		}
	case ddl.CreateIndex, ddl.AlterTable, ddl.Drop, ddl.Utility:
	default:
		return
	}
	for _, ref := range c.Stmt.Refs {
		r, _ := c.Relation(ref.Name)
		if ref.Name.Schema != "" || ref.Kind == "INDEX" && ref.Created || r != nil && r.Persistence == "t" {
			continue
		}
		where := "SCHEMA." + quoted(ref.Name.Name)
		if r != nil {
			where = qualified(r.Schema, r.Name)
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("what %q means depends on search_path; write %s", ref.Name.Name, where),
		})
		return
	}
}
