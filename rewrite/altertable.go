package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// alteration is an ALTER TABLE that is taken apart: each command becomes what can be done at once, with the others and in the client's own
// text, and what has to follow in steps of its own.
type alteration struct {
	stmt  ddl.Statement
	alter ddl.AlterTable
	known facts.Facts
	table *facts.Relation

	// now are the commands in the place of the client's, by its index; before and behind are statements of the same transaction.
	now            map[int][]ddl.Command
	before, behind []string
	// helpers are made by the first step, made are all of them.
	helpers, made []Helper
	// What follows, in this order: values for rows that exist, proofs of NOT NULL, keys, and checks of constraints.
	fills, proofs, keys, checks []Step
	dataChecks                  []DataCheck
	probes                      []string // parts of the probe
	unprobed                    string
	// names are those of the constraints and indexes that the statement makes, added those of foreign keys and checks among them.
	names, added []string
	// filled are the new columns whose rows get their values in batches.
	filled []string
	// leftOut are columns whose type the statement would only set to what it is.
	leftOut []string
	// notNulls are the columns that have to be NOT NULL in the end; primary is true when they are a primary key's, too.
	notNulls []string
	primary  bool
	notices  []string
	// undo are the commands, and undoBehind the statements behind them, that take back what the steps do; stays is true when something cannot
	// be taken back.
	undo, undoBehind []string
	stays            bool
}

// alterTable is the plan of an ALTER TABLE whatever its hazards: foreign keys and checks are added NOT VALID and validated, NOT NULL is proven
// first, keys are built concurrently, new columns filled in batches. Commands that need none of it run with the first step.
func alterTable(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	alter, ok := stmt.Action.(ddl.AlterTable)
	if !ok {
		return Plan{}, fmt.Errorf("%s does not alter a table", stmt.Tag)
	}
	table, err := lookup(known, alter.Table)
	if err != nil {
		return Plan{}, err
	}
	a := &alteration{stmt: stmt, alter: alter, known: known, table: table, now: map[int][]ddl.Command{}}
	if table == nil || table.Kind == "p" && len(table.Partitions) == 0 || a.refused() {
		return budget(stmt, known) // the server says what is wrong, before anything is done
	}
	for _, command := range alter.Commands {
		if command.Op == "AddColumn" && a.mustFill(command) {
			a.filled = append(a.filled, command.Name)
		}
	}
	for i, command := range alter.Commands {
		if err := a.command(i, command); err != nil {
			return Plan{}, err
		}
	}
	return a.plan()
}

func (a *alteration) command(i int, command ddl.AlterCommand) error {
	switch command.Op {
	case "ValidateConstraint":
		a.now[i] = nil
		if !addedBy(a.alter, command.Name) {
			a.validate(command.Name)
		}
		return nil
	case "AddConstraint":
		return a.addConstraint(i, *command.Constraint)
	case "SetNotNull":
		return a.setNotNull(i, command.Name)
	case "AddColumn":
		return a.addColumn(i, command)
	case "AlterColumnType":
		if a.keepsType(command) {
			a.now[i] = nil
			a.leftOut = append(a.leftOut, command.Name)
			return nil
		}
	}
	a.stays = true
	return a.beside(command)
}

// undoConstraint notes how to take a constraint back: without its name nobody can.
func (a *alteration) undoConstraint(name string) {
	a.stays = a.stays || name == ""
	a.undo = append(a.undo, "DROP CONSTRAINT IF EXISTS "+quote(name))
}

// beside refuses a command that cannot stand beside one whose work comes later.
func (a *alteration) beside(command ddl.AlterCommand) error {
	what := strings.Join(strings.Fields(a.stmt.Text[command.Span.Start:command.Span.End]), " ")
	switch {
	case slices.Contains(a.filled, command.Name):
		return fmt.Errorf("send %s as a statement of its own: it is about a column whose rows get their values afterwards", what)
	case command.Op == "DropConstraint" && a.addsKey():
		return fmt.Errorf("send %s as a statement of its own: the new key is built afterwards, when the old constraint is gone", what)
	case command.Op == "ChangeOwner" || command.Op == "DetachPartition" || command.Op == "AttachPartition":
		return fmt.Errorf("send %s as a statement of its own: the rest of this ALTER TABLE has steps that follow it", what)
	}
	return nil
}

func (a *alteration) addsKey() bool {
	key := func(k ddl.Constraint) bool { return isKey(k) && k.UsingIndex == "" }
	return slices.ContainsFunc(a.alter.Commands, func(c ddl.AlterCommand) bool {
		return c.Op == "AddConstraint" && key(*c.Constraint) || c.Op == "AddColumn" && slices.ContainsFunc(c.Column.Constraints, key)
	})
}

// refused reports whether the server certainly refuses the statement as it stands.
func (a *alteration) refused() bool {
	if !a.table.MayAlter || a.alter.Object != "TABLE" || !strings.Contains("rp", a.table.Kind) {
		return true
	}
	primary := slices.ContainsFunc(a.table.Indexes, func(i facts.Index) bool { return i.Primary })
	for _, command := range a.alter.Commands {
		switch command.Op {
		case "AddConstraint":
			if command.Constraint.Type == ddl.PrimaryKey && primary && !a.addsKeyAfterDrop() || !a.haveColumns(command.Constraint.Columns) ||
				a.named(*command.Constraint) {
				return true
			}
		case "SetNotNull":
			if !a.haveColumns([]string{command.Name}) {
				return true
			}
		case "AddColumn":
			if !command.IfExists && a.table.Column(command.Name) != nil && !a.drops(command.Name) {
				return true
			}
		}
	}
	return false
}

// named reports whether the table has a constraint of that name, or an index that a key of that name would get.
func (a *alteration) named(add ddl.Constraint) bool {
	return add.Name != "" && !slices.Contains(a.dropped(), add.Name) &&
		(slices.ContainsFunc(a.table.Constraints, func(k facts.Constraint) bool { return k.Name == add.Name }) ||
			isKey(add) && add.UsingIndex == "" && slices.ContainsFunc(a.table.Indexes, func(i facts.Index) bool { return i.Name == add.Name }))
}

func (a *alteration) addsKeyAfterDrop() bool {
	return slices.ContainsFunc(a.alter.Commands, func(c ddl.AlterCommand) bool { return c.Op == "DropConstraint" || c.Op == "DropColumn" })
}

func (a *alteration) drops(column string) bool {
	return slices.ContainsFunc(a.alter.Commands, func(c ddl.AlterCommand) bool { return c.Op == "DropColumn" && c.Name == column })
}

// haveColumns reports whether the table has the columns, or gets them by this statement.
func (a *alteration) haveColumns(names []string) bool {
	for _, name := range names {
		if a.table.Column(name) == nil && !a.isNew(name) {
			return false
		}
	}
	return true
}

func (a *alteration) isNew(column string) bool {
	return slices.ContainsFunc(a.alter.Commands, func(c ddl.AlterCommand) bool { return c.Op == "AddColumn" && c.Name == column })
}

// isFilled reports whether one of the columns gets its values afterwards.
func (a *alteration) isFilled(columns []string) bool {
	return slices.ContainsFunc(columns, func(c string) bool { return slices.Contains(a.filled, c) })
}

// looksAt reports whether the rows can be looked at before: not at a column that the same statement makes or changes, and not at those of a foreign table, which
// the server takes as they are.
func (a *alteration) looksAt(columns []string) bool {
	return a.table.Readable && !a.hasForeign() && !slices.ContainsFunc(columns, func(column string) bool {
		return a.table.Column(column) == nil || slices.ContainsFunc(a.alter.Commands, func(c ddl.AlterCommand) bool {
			return c.Name == column && (c.Op == "AlterColumnType" && !a.keepsType(c) || c.Op == "DropColumn")
		})
	})
}

// hasForeign reports whether a foreign table is among the partitions.
func (a *alteration) hasForeign() bool {
	return slices.ContainsFunc(a.table.Partitions, func(p facts.Partition) bool { return p.Kind == "f" })
}

// keepsType reports whether a command gives a column the type that it has. Of an inherited column the server refuses that.
func (a *alteration) keepsType(command ddl.AlterCommand) bool {
	column := a.table.Column(command.Name)
	return command.Column != nil && column != nil && !column.Inherited && a.known.HasType(column, *command.Column)
}

// plan puts the steps in order.
func (a *alteration) plan() (Plan, error) {
	first, err := ddl.Commands(a.stmt, a.now)
	if err != nil {
		return Plan{}, err
	}
	later := slices.Concat(a.fills, a.proofs, a.keys, a.checks)
	if len(later) == 0 && len(a.leftOut) == 0 {
		return budget(a.stmt, a.known)
	}
	if len(a.leftOut) > 0 {
		a.notices = append(a.notices, fmt.Sprintf("%s of %q has its type already, which is left as it is", quotedNames(a.leftOut), a.table.Name))
	}
	plan := Plan{DataChecks: a.dataChecks, Unprobed: a.unprobed, Table: target(a.table), NotNull: a.notNulls, Fills: a.filled, Primary: a.primary}
	if first != "" {
		statements := slices.Concat(a.before, []string{first}, a.behind)
		plan.Steps = append(plan.Steps, Step{
			SQL: statements[0], Then: statements[1:], Where: InPlace, Budget: true,
			Table: target(a.table), Others: parents(a.stmt, a.known, a.table), Helpers: a.helpers,
		})
	}
	plan.Steps = append(plan.Steps, later...)
	if !a.stays {
		if len(a.undo) > 0 {
			plan.Undo = append(plan.Undo, altering(a.table.Schema, a.table.Name, strings.Join(a.undo, ", ")))
		}
		plan.Undo = append(plan.Undo, a.undoBehind...)
	}
	if len(a.names) > 0 {
		plan.Object = a.names[0]
	}
	if len(a.added) > 0 {
		a.notices = append(a.notices, fmt.Sprintf("adding %s to %q NOT VALID, validating afterwards", quotedNames(a.added), a.table.Name))
	}
	plan.Notice = strings.Join(a.notices, "; ")
	if plan.Notice == "" {
		plan.Notice = fmt.Sprintf("validating the constraints of %q outside of the transaction", a.table.Name)
	}
	if plan.Unprobed == "" && len(a.probes) > 0 {
		plan.Probe = "DO " + dollar("BEGIN\n"+strings.Join(a.probes, "\n")+"\nEND")
	}
	return plan, nil
}

// name is the constraint's own name, or the one that choose gives, and notes it.
func (a *alteration) name(given string, choose func(others []string) (string, error)) (string, error) {
	if given == "" {
		var err error
		if given, err = choose(a.names); err != nil {
			return "", err
		}
	}
	a.names = append(a.names, given)
	return given, nil
}

// constraintName is the name of a constraint of a command, inline being its index among those of an ADD COLUMN, else -1.
func (a *alteration) constraintName(command, inline int, add ddl.Constraint) (string, error) {
	return a.name(add.Name, func(others []string) (string, error) {
		if inline >= 0 {
			return facts.InlineConstraintName(a.stmt, command, inline, a.table, others)
		}
		return facts.ConstraintName(a.stmt, command, a.table, others)
	})
}

// altering is ALTER TABLE with a command of ours.
func altering(schema, table, command string) string {
	return "ALTER TABLE " + quote(schema, table) + " " + command
}

// afterwards is a step with a short lock that follows.
func (a *alteration) afterwards(command, done string, columns ...string) Step {
	return Step{
		SQL: altering(a.table.Schema, a.table.Name, command), Where: AfterCommit, Budget: true,
		Table: target(a.table, columns...), Done: done,
	}
}

// constraintIs asks about a constraint of a table by its name: whether it is there, and what else is asked of it.
func constraintIs(table uint32, name, also string) string {
	return fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
		" AND k.conname OPERATOR(pg_catalog.=) %s%s)", table, literal(name), also)
}

// columnIs asks about a column of a table by its name.
func columnIs(table uint32, column, also string) string {
	return fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
		" AND a.attname OPERATOR(pg_catalog.=) %s AND %s)", table, literal(column), also)
}

// either is true when one of two questions is.
func either(one, other string) string { return "SELECT (" + one + ") OR (" + other + ")" }

func quotedNames(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(list, ", ")
}
