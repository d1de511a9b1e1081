package rewrite

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// constraints adds foreign keys and checks NOT VALID and validates them afterwards, each in a transaction of its own. All other commands
// of the ALTER TABLE run with the first step.
func constraints(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	alter, ok := stmt.Action.(ddl.AlterTable)
	if !ok {
		return Plan{}, fmt.Errorf("%s adds no constraint", stmt.Tag)
	}
	table, err := lookup(known, alter.Table)
	if err != nil {
		return Plan{}, err
	}
	if table == nil {
		return budget(stmt, known)
	}
	var plan Plan
	var rest []int // the commands that are not VALIDATE
	var names []string
	changed := stmt
	for i, command := range alter.Commands {
		if command.Op == "ValidateConstraint" {
			if !addedBy(alter, command.Name) {
				plan.Object = command.Name
				plan.Steps = append(plan.Steps, validate(known, table, command.Name))
			}
			continue
		}
		rest = append(rest, i)
		if command.Op != "AddConstraint" || !validated(alter, *command.Constraint) {
			continue
		}
		add := *command.Constraint
		if add.Name == "" {
			if add.Name, err = facts.ConstraintName(stmt, i, table, names); err != nil {
				return Plan{}, err
			}
		}
		names = append(names, add.Name)
		if changed, err = notValid(changed, i, add.Name); err != nil {
			return Plan{}, err
		}
		step, err := validateAdded(stmt, known, table, i, add)
		if err != nil {
			return Plan{}, err
		}
		plan.Steps = append(plan.Steps, step)
		check, err := violations(stmt, known, table, i, add)
		if err != nil {
			return Plan{}, err
		}
		if check.SQL != "" {
			plan.DataChecks = append(plan.DataChecks, check)
		}
	}
	first, err := withoutValidate(changed, len(alter.Commands), rest)
	if err != nil {
		return Plan{}, err
	}
	if first != "" {
		step := Step{SQL: first, Where: InPlace, Budget: true, Table: target(table), Others: parents(stmt, known, table)}
		plan.Steps = slices.Insert(plan.Steps, 0, step)
	}
	plan.Notice = fmt.Sprintf("validating the constraints of %q outside of the transaction", table.Name)
	if len(names) > 0 && len(names) == len(rest) {
		plan.Undo = fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", quote(table.Schema, table.Name), strings.Join(quoteAll(names), ", DROP CONSTRAINT "))
	}
	if len(names) > 0 {
		plan.Object = names[0]
		plan.Notice = fmt.Sprintf("adding %s to %q NOT VALID, validating afterwards", quotedNames(names), table.Name)
	}
	return plan, nil
}

func quotedNames(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(list, ", ")
}

// validated reports whether a constraint is a foreign key or a check that is valid when the statement ends.
func validated(alter ddl.AlterTable, add ddl.Constraint) bool {
	if add.Type != ddl.ForeignKey && add.Type != ddl.Check {
		return false
	}
	return !add.NotValid || slices.ContainsFunc(alter.Commands, func(c ddl.AlterCommand) bool {
		return c.Op == "ValidateConstraint" && c.Name == add.Name
	})
}

// addedBy reports whether the statement itself adds the constraint.
func addedBy(alter ddl.AlterTable, name string) bool {
	return slices.ContainsFunc(alter.Commands, func(c ddl.AlterCommand) bool {
		return c.Op == "AddConstraint" && c.Constraint.Name == name
	})
}

func notValid(stmt ddl.Statement, command int, name string) (ddl.Statement, error) {
	text, err := ddl.NotValid(stmt, command, name)
	if err != nil {
		return ddl.Statement{}, err
	}
	return ddl.Reparse(text)
}

// withoutValidate is the ALTER TABLE with only the commands that are left; "" if none is.
func withoutValidate(stmt ddl.Statement, commands int, rest []int) (string, error) {
	switch {
	case len(rest) == 0:
		return "", nil
	case len(rest) == commands:
		return stmt.Text, nil
	case len(rest) == 1:
		return ddl.OnlyCommand(stmt, rest[0])
	}
	return "", errors.New("cannot take VALIDATE CONSTRAINT out of this ALTER TABLE: send it as a statement of its own")
}

// parents are the other relations that the statement locks.
func parents(stmt ddl.Statement, known facts.Facts, table *facts.Relation) []Target {
	var others []Target
	for _, ref := range stmt.Refs {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		if relation == nil || relation.OID == table.OID || !ref.Lock.BlocksWriters() {
			continue
		}
		others = append(others, target(relation))
	}
	return others
}

// validateAdded is the step that validates a constraint which the first step adds.
func validateAdded(stmt ddl.Statement, known facts.Facts, table *facts.Relation, command int, add ddl.Constraint) (Step, error) {
	columns := add.Columns
	if add.Type == ddl.Check {
		var err error
		if columns, err = ddl.CheckColumns(stmt, command); err != nil {
			return Step{}, err
		}
	}
	step := validation(table, add.Name, columns)
	if parent := known.Relations[facts.Key(add.Parent.Schema, add.Parent.Name)]; parent != nil && parent.OID != table.OID {
		step.Others = []Target{target(parent, referencedColumns(add, parent)...)}
	}
	return step, nil
}

// validate is the step for a VALIDATE CONSTRAINT of the client's own.
func validate(known facts.Facts, table *facts.Relation, name string) Step {
	step := validation(table, name, nil)
	for _, k := range table.Constraints {
		if k.Name != name {
			continue
		}
		for _, r := range known.Relations {
			if r != nil && r.OID == k.Parent && r.OID != table.OID {
				step.Others = []Target{target(r)}
			}
		}
	}
	return step
}

func validation(table *facts.Relation, name string, columns []string) Step {
	return Step{
		SQL:   fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", quote(table.Schema, table.Name), quote(name)),
		Where: AfterCommit,
		Table: target(table, columns...),
		Done: fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
			" AND k.conname OPERATOR(pg_catalog.=) %s AND k.convalidated)", table.OID, literal(name)),
	}
}
