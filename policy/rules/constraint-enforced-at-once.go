package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
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
	for i, command := range alter.Commands {
		if command.Op != "AlterConstraint" || command.Enforced != "ENFORCED" {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("enforcing constraint %q blocks reads and writes of %q while every row is checked; add it anew NOT VALID, VALIDATE that, and drop this one",
				command.Name, alter.Table.Name),
		}
		if known {
			finding.Detail = size(table)
			if key := constraintNamed(table, command.Name); key != nil {
				if key.Enforced {
					continue // nothing changes
				}
				finding.Hint = enforcedAnew(c, alter, key, i)
			}
		} else {
			finding.Unknown = fmt.Sprintf("the size of table %q", alter.Table.Name)
		}
		c.Report(finding)
		return
	}
}

func constraintNamed(table *facts.Relation, name string) *facts.Constraint {
	i := slices.IndexFunc(table.Constraints, func(k facts.Constraint) bool { return k.Name == name })
	if i < 0 {
		return nil
	}
	return &table.Constraints[i]
}

// enforcedAnew is what to type in place of the change of a foreign key: one beside it that takes its place when it is validated.
func enforcedAnew(c *policy.Check, alter ddl.AlterTable, key *facts.Constraint, command int) string {
	if key.Type != string(rune(ddl.ForeignKey)) {
		return ""
	}
	table, added := "ALTER TABLE "+c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End], quoted(key.Name+"_enforced")
	definition, note := strings.TrimSuffix(key.Definition, " NOT ENFORCED"), ""
	if definition == "" {
		definition = fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (%s)", quotedList(key.Columns), qualified(key.ParentSchema, key.ParentName), quotedList(key.ParentColumns))
		note = "With the ON DELETE, ON UPDATE and MATCH of the old one:\n"
	}
	return note + strings.Join(typed(besides(c.Stmt, []string{
		fmt.Sprintf("%s ADD CONSTRAINT %s %s NOT VALID", table, added, definition),
		fmt.Sprintf("%s VALIDATE CONSTRAINT %s", table, added),
		fmt.Sprintf("%s DROP CONSTRAINT %s", table, quoted(key.Name)),
		fmt.Sprintf("%s RENAME CONSTRAINT %s TO %s", table, added, quoted(key.Name)),
	}, command)), "\n")
}
