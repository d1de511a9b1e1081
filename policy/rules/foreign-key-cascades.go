package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed foreign-key-cascades.sql
var foreignKeyCascadesCases string

// foreignKeyCascades: one DELETE takes rows of another table along.
func foreignKeyCascades() policy.Rule {
	return policy.Rule{
		Name:  "foreign-key-cascades",
		Title: "Foreign key that deletes rows",
		Doc: `With ON DELETE CASCADE a DELETE of one row deletes all rows that reference it, however many there are, in the same transaction, and with them
what references those.

A DELETE that took a millisecond can then run for minutes and lock thousands of rows, and a mistake takes data along that nobody named.

pgsluice warns when such a key is added to a table that has rows and is not small.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   foreignKeyCascadesCases,
		Run:     runForeignKeyCascades,
	}
}

func runForeignKeyCascades(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if !known || table == nil || !table.MayAlter || c.Light(table) {
		return
	}
	for _, add := range addedConstraints(alter) {
		if add.Type != ddl.ForeignKey || add.OnDelete != "c" {
			continue
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("deleting one row of %q will delete all its rows of %q, however many; delete those in batches first, and leave ON DELETE CASCADE out",
				add.Parent.Name, table.Name),
			Detail: size(table),
		})
	}
}
