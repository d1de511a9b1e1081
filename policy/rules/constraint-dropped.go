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

//go:embed constraint-dropped.sql
var constraintDroppedCases string

// constraintDropped: what the data has obeyed is no longer enforced.
func constraintDropped() policy.Rule {
	return policy.Rule{
		Name:  "constraint-dropped",
		Title: "Constraint dropped",
		Doc: `ALTER TABLE … DROP CONSTRAINT holds an ACCESS EXCLUSIVE lock for a moment; of a foreign key, on the referenced table as well. The index of a
unique constraint or primary key goes with it, and queries that used it read the table instead.

From then on rows may come that break the constraint, and it can be added again only when they are gone. With CASCADE every foreign key that
stands on a key goes too, and the tables of those keys are locked.

pgsluice warns, and refuses CASCADE: drop the foreign keys by their names first. A constraint that was never validated, a
check that only repeats NOT NULL, and one of a table that this transaction made, is left alone.`,
		Since:   "0.1",
		Default: policy.Block,
		Loss:    true,
		Cases:   constraintDroppedCases,
		Run:     runConstraintDropped,
	}
}

func runConstraintDropped(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || fresh(table)) {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "DropConstraint" {
			continue
		}
		if !known {
			droppedUnknown(c, alter, command)
			continue
		}
		i := slices.IndexFunc(table.Constraints, func(k facts.Constraint) bool { return k.Name == command.Name })
		if i < 0 || !table.Constraints[i].Validated && !command.Cascade || redundant(table, table.Constraints[i]) {
			continue // the server says that there is none; or it enforces little
		}
		c.Report(dropped(table, table.Constraints[i], command))
	}
}

// redundant reports whether a check only says that a column has no NULL which is NOT NULL anyway, or served a plan of ours.
func redundant(table *facts.Relation, k facts.Constraint) bool {
	if k.Type != "c" || len(k.Columns) != 1 {
		return k.Type == "c" && strings.HasPrefix(k.Name, facts.HelperPrefix)
	}
	says := func(name string) bool { return k.Definition == fmt.Sprintf("CHECK ((%s IS NOT NULL))", name) }
	column := table.Column(k.Columns[0])
	return strings.HasPrefix(k.Name, facts.HelperPrefix) ||
		column != nil && column.NotNull && (says(quoted(column.Name)) || says(facts.QuoteIdent(column.Name)))
}

// droppedUnknown judges without a server: only a CASCADE may take along what nobody sees here.
func droppedUnknown(c *policy.Check, alter ddl.AlterTable, command ddl.AlterCommand) {
	if !command.Cascade {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("CASCADE drops the foreign keys that reference %q along with %q; drop those by name first, then leave CASCADE out", alter.Table.Name, command.Name),
		Unknown: "which foreign keys depend on the constraint",
	})
}

func dropped(table *facts.Relation, k facts.Constraint, command ddl.AlterCommand) policy.Finding {
	finding := policy.Finding{Action: policy.Warn}
	switch k.Type {
	case "f":
		finding.Message = fmt.Sprintf("rows of %q need no counterpart in %q once %q is dropped, and both tables are locked for it; release code that does not rely on it first", table.Name, k.ParentName, k.Name)
	case "p", "u":
		finding.Message = fmt.Sprintf("dropping %q takes its index along, so that duplicates may come, and queries by it read all of %q; build the index that they need first", k.Name, table.Name)
		finding.Detail = size(table)
		if command.Cascade {
			finding.Action = policy.Block
			finding.Message = fmt.Sprintf("CASCADE drops the foreign keys that reference %q along with %q; drop those by name first, then leave CASCADE out", table.Name, k.Name)
			finding.Hint = "ALTER TABLE ... DROP CONSTRAINT ... for each of: SELECT conrelid::regclass, conname FROM pg_constraint WHERE confrelid = " +
				fmt.Sprintf("'%s'::regclass;", qualified(table.Schema, table.Name))
		}
	default:
		finding.Message = fmt.Sprintf("rows of %q may break %q once it is dropped; add what takes its place first, NOT VALID, since they may not pass it again", table.Name, k.Name)
	}
	return finding
}
