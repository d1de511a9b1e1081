package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed constraint-enforced-at-once.sql
var constraintEnforcedAtOnceCases string

// constraintEnforcedAtOnce: ENFORCED looks at every row under its lock, and has no NOT VALID.
func constraintEnforcedAtOnce() policy.Rule {
	return policy.Rule{
		Name:  "constraint-enforced-at-once",
		Title: "Constraint enforced under its lock",
		Doc: `ALTER TABLE … ALTER CONSTRAINT … ENFORCED (PostgreSQL 18) checks every row of the table while it holds ACCESS EXCLUSIVE on it, and
SHARE ROW EXCLUSIVE on the table that is referenced.

Nobody can use the one table or write the other until all of it is checked, inside a transaction until its COMMIT. There is no form of it that leaves
the check for later.

Add the foreign key once more under another name and NOT VALID, VALIDATE it, and drop the one that is not enforced. New, empty and small tables are
left alone.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   constraintEnforcedAtOnceCases,
		Run:     runConstraintEnforcedAtOnce,
	}
}

func runConstraintEnforcedAtOnce(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || c.Light(table)) {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "AlterConstraint" || command.Enforced != "ENFORCED" {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("enforcing constraint %q blocks reads and writes of %q while every row is checked; add it anew NOT VALID, VALIDATE that, and drop this one",
				command.Name, alter.Table.Name),
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
