package rules

import (
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

// alterTable is the recipe that takes an ALTER TABLE apart, whatever its hazards.
const alterTable = "alter-table"

// constraintAtOnce is what the rules for foreign keys and checks share: a constraint that is added and validated in one go.
type constraintAtOnce struct {
	kind ddl.ConstraintType
	// harm says whom the validation keeps waiting.
	harm func(table ddl.Name, add ddl.Constraint) string
	// free reports whether the validation costs nothing here.
	free func(*policy.Check, *facts.Relation, ddl.Constraint) (free, known bool)
}

// run reports the first command that validates under its strong lock; what to type instead does so for all of them.
func (a constraintAtOnce) run(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter) {
		return // the server says what is wrong
	}
	for i, command := range alter.Commands {
		switch {
		case command.Op == "AddConstraint" && a.atOnce(alter, command):
			if a.added(c, alter, table, i) {
				return
			}
		case command.Op == "ValidateConstraint" && known && a.exists(table, command.Name):
			a.validated(c, alter, table, i)
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

// added judges ADD CONSTRAINT without NOT VALID, or with a VALIDATE in the same statement, and reports whether there was something to say of it.
func (a constraintAtOnce) added(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, command int) bool {
	add := *alter.Commands[command].Constraint
	finding := policy.Finding{
		Message: fmt.Sprintf("adding %s %s while every row is checked", constraintName(add), a.harm(alter.Table, add)),
	}
	if table == nil {
		finding.Unknown = fmt.Sprintf("the size of table %q", alter.Table.Name)
	} else {
		if a.kind == ddl.ForeignKey && slices.ContainsFunc(table.Partitions, func(p facts.Partition) bool { return p.Kind == "f" }) {
			return true // the server refuses a foreign key of a foreign table
		}
		free, known := a.free(c, table, add)
		if free {
			return false
		}
		finding.Detail = size(table)
		if !known {
			finding.Unknown = fmt.Sprintf("the size of table %q", add.Parent.Name)
		}
		if byPartition(c, table, add) {
			if !add.NotValid { // of which the server says that it does not know it there
				c.Report(foreignKeyOnPartitioned(c, finding, alter, table))
			}
			return true
		}
	}
	finding.Message += "; add it NOT VALID, then VALIDATE CONSTRAINT"
	c.Report(instead(c, finding, a.notValid(c.Stmt, alter, table)...))
	return true
}

// byPartition reports whether a constraint of the table has to be added to its partitions first, because the server knows no NOT VALID of it there.
func byPartition(c *policy.Check, table *facts.Relation, add ddl.Constraint) bool {
	return table != nil && table.Kind == "p" && add.Type == ddl.ForeignKey && c.Facts.Version < 180000
}

// notValid is what to type instead: the statement with each such constraint NOT VALID, and their validation. A text that cannot be spliced is not
// shown.
func (a constraintAtOnce) notValid(stmt ddl.Statement, alter ddl.AlterTable, table *facts.Relation) []string {
	var names, steps []string
	for i, command := range alter.Commands {
		if command.Op == "AddConstraint" && a.atOnce(alter, command) {
			names = append(names, chosenName(stmt, alter, table, i, names...))
		}
	}
	left, validations, at := stmt, []int(nil), 0
	for i, command := range alter.Commands {
		switch {
		case command.Op == "ValidateConstraint" && slices.Contains(names, command.Name):
			validations = append(validations, i)
		case command.Op == "AddConstraint" && a.atOnce(alter, command):
			text, err := ddl.NotValid(left, i, names[at])
			if err != nil {
				return nil
			}
			if left, err = ddl.Reparse(text); err != nil {
				return nil
			}
			steps = append(steps, fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", stmt.Text[alter.TableSpan.Start:alter.TableSpan.End], quoted(names[at])))
			at++
		}
	}
	return besides(left, steps, validations...)
}

// chosenName is the constraint's name, or the one that the server would choose when the others are taken.
func chosenName(stmt ddl.Statement, alter ddl.AlterTable, table *facts.Relation, command int, others ...string) string {
	if name := alter.Commands[command].Constraint.Name; name != "" {
		return name
	}
	if table == nil {
		table = &facts.Relation{Name: alter.Table.Name}
	}
	name, err := facts.ConstraintName(stmt, command, table, others)
	if err != nil {
		return alter.Table.Name + "_constraint"
	}
	return name
}

// validated judges a VALIDATE in the transaction that holds the strong lock of the ADD: the two gain nothing then.
func (a constraintAtOnce) validated(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, command int) {
	name := alter.Commands[command].Name
	if !c.Context.InTransaction || !c.Facts.HoldsStrong || c.Light(table) {
		return
	}
	c.Report(instead(c, policy.Finding{
		Message: fmt.Sprintf("validating constraint %q in a transaction that holds a strong lock keeps others waiting for the whole check; validate it", name),
		Detail:  size(table),
	}, besides(c.Stmt, []string{fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End], quoted(name))}, command)...))
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
