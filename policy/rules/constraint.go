package rules

import (
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

// constraintAtOnce is what the rules for foreign keys and checks share: a constraint that is added and validated in one go.
type constraintAtOnce struct {
	kind ddl.ConstraintType
	// harm says whom the validation keeps waiting.
	harm func(table string, add ddl.Constraint) string
	// free reports whether the validation costs nothing here.
	free func(*policy.Check, *facts.Relation, ddl.Constraint) (free, known bool)
}

// run reports the first command that validates under its strong lock.
func (a constraintAtOnce) run(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && table == nil {
		return
	}
	for _, command := range alter.Commands {
		switch {
		case command.Op == "AddConstraint" && a.atOnce(alter, command):
			a.added(c, alter, table, *command.Constraint)
			return
		case command.Op == "ValidateConstraint" && known && a.exists(table, command.Name):
			a.validated(c, alter, table, command.Name)
			return
		}
	}
}

// atOnce reports whether a command adds a constraint of the kind that is valid when the statement ends.
func (a constraintAtOnce) atOnce(alter ddl.AlterTable, add ddl.AlterCommand) bool {
	if add.Constraint == nil || add.Constraint.Type != a.kind {
		return false
	}
	if !add.Constraint.NotValid {
		return true
	}
	for _, command := range alter.Commands {
		if command.Op == "ValidateConstraint" && command.Name == add.Constraint.Name {
			return true
		}
	}
	return false
}

func (a constraintAtOnce) exists(table *facts.Relation, name string) bool {
	for _, k := range table.Constraints {
		if k.Name == name {
			return k.Type == string(rune(a.kind)) && !k.Validated
		}
	}
	return false
}

// added judges ADD CONSTRAINT without NOT VALID, or with a VALIDATE in the same statement.
func (a constraintAtOnce) added(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, add ddl.Constraint) {
	finding := policy.Finding{
		Message: fmt.Sprintf("adding %s %s while every row is checked", constraintName(add), a.harm(alter.Table.Name, add)),
	}
	free, known := false, false
	if table != nil {
		finding.Detail = size(table)
		free, known = a.free(c, table, add)
	}
	if free {
		return
	}
	if !known {
		finding.Unknown = fmt.Sprintf("the size of table %q", alter.Table.Name)
		if table != nil {
			finding.Unknown = fmt.Sprintf("the size of table %q", add.Parent.Name)
		}
	}
	if table != nil && table.Kind == "p" && a.kind == ddl.ForeignKey && c.Facts.Version < 180000 {
		c.Report(foreignKeyOnPartitioned(finding, table, add))
		return
	}
	finding.Message += "; add it NOT VALID, then VALIDATE CONSTRAINT"
	if c.Context.InTransaction {
		finding.Message += " outside of the transaction"
		if !c.Context.Ledger {
			finding.Action, finding.Hint = policy.Block, exits
		}
	}
	c.Report(finding)
}

// validated judges a VALIDATE in the transaction that holds the strong lock of the ADD: the two gain nothing then.
func (a constraintAtOnce) validated(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, name string) {
	if !c.Context.InTransaction || !c.Facts.HoldsStrong || c.Light(table) {
		return
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("validating constraint %q in a transaction that holds a strong lock keeps others waiting for the whole check; "+
			"run VALIDATE CONSTRAINT outside of the transaction", name),
		Detail: size(table),
	}
	if !c.Context.Ledger {
		finding.Action, finding.Hint = policy.Block, exits
	}
	c.Report(finding)
}

func constraintName(add ddl.Constraint) string {
	kind := "a check"
	if add.Type == ddl.ForeignKey {
		kind = "a foreign key"
	}
	if add.Name == "" {
		return kind
	}
	return fmt.Sprintf("constraint %q", add.Name)
}
