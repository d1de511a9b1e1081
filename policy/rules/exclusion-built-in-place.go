package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed exclusion-built-in-place.sql
var exclusionBuiltInPlaceCases string

// exclusionBuiltInPlace: an exclusion constraint has no form that lets others work.
func exclusionBuiltInPlace() policy.Rule {
	return policy.Rule{
		Name:  "exclusion-built-in-place",
		Title: "Exclusion constraint built under its lock",
		Doc: `ALTER TABLE … ADD CONSTRAINT … EXCLUDE holds an ACCESS EXCLUSIVE lock while it builds the index of the constraint and compares every row.

Nobody can read or write the table until that is done, inside a transaction until its COMMIT. PostgreSQL has no other way: it knows neither NOT
VALID nor USING INDEX here.

pgsluice refuses it on a table that others use. Run it in a maintenance window, or make a new table with the constraint, copy the rows, and
swap the two.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   exclusionBuiltInPlaceCases,
		Run:     runExclusionBuiltInPlace,
	}
}

func runExclusionBuiltInPlace(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "AddConstraint" || command.Constraint.Type != ddl.Exclusion {
			continue
		}
		table, known := c.Relation(alter.Table)
		if known && (table == nil || !table.MayAlter || c.Light(table)) {
			return
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("adding an exclusion constraint blocks reads and writes of %q while every row is compared; "+
				"do it in a maintenance window, or on a new table that replaces it", alter.Table.Name),
			Hint: fmt.Sprintf("In a maintenance window: /* pgsluice:allow exclusion-built-in-place reason=\"...\" */ %s;", c.Stmt.Text),
		}
		if known {
			finding.Detail = size(table)
		} else {
			finding.Unknown = fmt.Sprintf("the size of table %q", alter.Table.Name)
		}
		c.Report(finding)
		return
	}
}
