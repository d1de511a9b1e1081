package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed required-column-missing.sql
var requiredColumnMissingCases string

// requiredColumnMissing: every table has them, but this one.
func requiredColumnMissing() policy.Rule {
	return policy.Rule{
		Name:  "required-column-missing",
		Title: "Table without the columns that every table has",
		Doc: `The configuration can name columns that every new table must have, conventions.required_columns: created_at, for instance. To add one with its
true values later means to fill every row.

Nobody waits. Temporary and foreign tables, partitions, tables that take their columns from elsewhere (LIKE, OF, INHERITS) and CREATE TABLE AS are
left alone.`,
		Since:   "0.2",
		Default: policy.Off,
		Cases:   requiredColumnMissingCases,
		Run:     runRequiredColumnMissing,
	}
}

func runRequiredColumnMissing(c *policy.Check) {
	create, ok := c.Stmt.Action.(ddl.CreateTable)
	if !ok || create.Temp || create.As || create.Foreign || create.Copies || create.PartitionOf != (ddl.Name{}) {
		return
	}
	var missing []string
	for _, column := range c.Conventions.RequiredColumns {
		if !slices.Contains(create.ColumnNames, column) {
			missing = append(missing, quoted(column))
		}
	}
	if len(missing) > 0 {
		c.Report(policy.Finding{
			Message: fmt.Sprintf("table %q lacks what every table has by convention; add %s", create.Table.Name, enumerated(missing)),
		})
	}
}
