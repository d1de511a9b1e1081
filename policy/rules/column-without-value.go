package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-without-value.sql
var columnWithoutValueCases string

// columnWithoutValue: a NOT NULL column that the rows have no value for.
func columnWithoutValue() policy.Rule {
	return policy.Rule{
		Name:  "column-without-value",
		Title: "Required column without a default",
		Doc: `ADD COLUMN … NOT NULL without a DEFAULT fails if the table has a row, after it has waited for its ACCESS EXCLUSIVE lock with everybody else behind it.
The same is true of a PRIMARY KEY that is written with the column. If it succeeded, the running application, which does not know the column
yet, could not insert a row any more.

With a constant default no row is written (since PostgreSQL 11); drop the default when the application gives the value itself. Or add the column
without NOT NULL, fill it, and set it NOT NULL afterwards. New and empty tables are left alone.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   columnWithoutValueCases,
		Run:     runColumnWithoutValue,
	}
}

func runColumnWithoutValue(c *policy.Check) {
	for _, a := range addedColumns(c) {
		own := a.column.Identity || a.column.Serial() || a.column.Generated || a.defaulted() && !a.defaultsToNull() || a.domain != nil && a.domain.HasDefault
		if !a.required() || own || a.table != nil && (a.table.Empty || a.table.CreatedHere && !a.table.Adopted || a.table.Persistence == "t") {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("%q is NOT NULL, and the rows of %q have no value for it; give it a default that is constant, or add it without NOT NULL, fill it and SET NOT NULL",
				a.name, a.alter.Table.Name),
		}
		if a.table == nil {
			finding.Unknown = fmt.Sprintf("whether table %q has rows", a.alter.Table.Name)
		}
		if bare := a.bare(ddl.NotNullClause, ddl.PrimaryKeyClause, ddl.DefaultClause); bare != "" {
			finding.Hint = fmt.Sprintf("%s;\nUPDATE %s SET %s = ... WHERE %[3]s IS NULL; -- in batches\nALTER TABLE %[2]s ALTER COLUMN %[3]s SET NOT NULL;",
				bare, a.written(), quoted(a.name))
		}
		c.Report(finding)
	}
}
