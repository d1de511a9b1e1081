package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed not-null-dropped.sql
var notNullDroppedCases string

// notNullDropped: readers may meet NULLs that they never had to expect.
func notNullDropped() policy.Rule {
	return policy.Rule{
		Name:  "not-null-dropped",
		Title: "NOT NULL dropped",
		Doc: `ALTER COLUMN … DROP NOT NULL needs its lock for a moment only. What it changes is what readers may meet.

Code that was written when the column could not be NULL, and joins, NOT IN and unique keys over it, may go wrong with the first row that has none;
and to take it back all those rows have to be found and filled.

pgsluice warns, unless the column may be NULL already or this transaction made the table.`,
		Since:   "0.1",
		Default: policy.Warn,
		Loss:    true,
		Cases:   notNullDroppedCases,
		Run:     runNotNullDropped,
	}
}

func runNotNullDropped(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || fresh(table)) {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "DropNotNull" {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("%q of %q may be NULL from now on; see that all code that reads it can deal with that", command.Name, alter.Table.Name),
		}
		if !known {
			finding.Unknown = fmt.Sprintf("whether %q is NOT NULL now", command.Name)
		} else if column := table.Column(command.Name); column == nil || !column.NotNull {
			continue
		}
		c.Report(finding)
	}
}
