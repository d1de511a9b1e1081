package rewrite

import (
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// addConstraint takes ADD CONSTRAINT apart.
func (a *alteration) addConstraint(command int, add ddl.Constraint) error {
	switch {
	case add.Type == ddl.ForeignKey && a.hasForeign():
		return nil // the server refuses it
	case isKey(add) && add.UsingIndex != "":
		return a.addKeyUsing(command, add)
	case isKey(add):
		a.now[command] = nil
		return a.addKey(command, -1, add)
	case !validated(a.alter, add):
		a.undoConstraint(add.Name)
		if a.isFilled(add.Columns) {
			return fmt.Errorf("send ADD CONSTRAINT %s as a statement of its own: it is about a column whose rows get their values afterwards", add.Name)
		}
		return nil
	}
	a.now[command] = nil
	return a.addValidated(command, -1, add)
}

func isKey(add ddl.Constraint) bool { return add.Type == ddl.Unique || add.Type == ddl.PrimaryKey }

// addValidated adds a foreign key or a check NOT VALID and validates it afterwards, each in a transaction of its own. One of a column that
// is yet to be filled is added behind that, or the rows could not be changed meanwhile.
func (a *alteration) addValidated(command, inline int, add ddl.Constraint) error {
	columns, err := a.columnsOf(command, inline, add)
	if err != nil {
		return err
	}
	if add.Type == ddl.ForeignKey && add.Parent == a.alter.Table && a.addsKey() {
		return fmt.Errorf("send the foreign key as a statement of its own: the key of %q that it may reference is built afterwards", a.table.Name)
	}
	if add.Name, err = a.constraintName(command, inline, add); err != nil {
		return err
	}
	if add.Type == ddl.ForeignKey && a.table.Kind == "p" && a.known.Version < 180000 {
		return a.addOnPartitions(command, inline, add)
	}
	text, err := ddl.AddedConstraint(a.stmt, command, inline, add.Name, true)
	if err != nil {
		return err
	}
	a.added = append(a.added, add.Name)
	if inline < 0 {
		a.undoConstraint(add.Name)
	}
	if a.isFilled(columns) {
		step := a.afterwards(text, constraintIs(a.table.OID, add.Name, ""), columns...)
		step.Others = a.parentOf(add)
		a.checks = append(a.checks, step)
	} else {
		a.now[command] = append(a.now[command], ddl.Command{SQL: text})
	}
	step := validation(a.table, add.Name, columns)
	step.Others = a.parentOf(add)
	a.checks = append(a.checks, step)
	if inline >= 0 || !a.looksAt(columns) {
		return nil // such a column has no rows to look at yet
	}
	check, err := violations(a.stmt, a.known, a.table, command, add)
	if err == nil && check.SQL != "" {
		a.dataChecks = append(a.dataChecks, check)
	}
	return err
}

// columnsOf are the columns that a constraint depends on.
func (a *alteration) columnsOf(command, inline int, add ddl.Constraint) ([]string, error) {
	switch {
	case add.Type != ddl.Check:
		return add.Columns, nil
	case inline >= 0:
		return ddl.InlineCheckColumns(a.stmt, command, inline)
	}
	return ddl.CheckColumns(a.stmt, command)
}

// parentOf is the table that a foreign key references, if that is another.
func (a *alteration) parentOf(add ddl.Constraint) []Target {
	parent := a.known.Relations[facts.Key(add.Parent.Schema, add.Parent.Name)]
	if parent == nil || parent.OID == a.table.OID {
		return nil
	}
	return []Target{target(parent, referencedColumns(add, parent)...)}
}

// addOnPartitions adds a foreign key to the leaves of a partitioned table one by one, and then to the table itself, which takes them over
// without looking at a row: before 18 the server knows no NOT VALID there.
func (a *alteration) addOnPartitions(command, inline int, add ddl.Constraint) error {
	text, err := ddl.AddedConstraint(a.stmt, command, inline, add.Name, false)
	if err != nil {
		return err
	}
	if a.isFilled(add.Columns) {
		return fmt.Errorf("send the foreign key on %s as a statement of its own: its column is filled afterwards, partition by partition", quotedNames(add.Columns))
	}
	parent := a.known.Relations[facts.Key(add.Parent.Schema, add.Parent.Name)]
	for _, p := range a.table.Partitions {
		if p.Kind != "r" || p.ForeignKey(parent, add) != nil {
			continue
		}
		if slices.ContainsFunc(p.ForeignKeys, func(k facts.Constraint) bool { return k.Name == add.Name && !k.Says(parent, add) }) {
			return fmt.Errorf("partition %q has a foreign key %q that is another; drop it first, or give this one another name", p.Name, add.Name)
		}
		leaf := Target{OID: p.OID, Schema: p.Schema, Name: p.Name}
		step := Step{
			SQL: altering(leaf.Schema, leaf.Name, text+" NOT VALID"), Where: AfterCommit, Budget: true,
			Table: leaf, Others: a.parentOf(add), Done: constraintIs(leaf.OID, add.Name, ""),
		}
		check := validation(&facts.Relation{OID: leaf.OID, Schema: leaf.Schema, Name: leaf.Name}, add.Name, nil)
		check.Others = step.Others
		a.checks = append(a.checks, step, check)
	}
	a.stays = true // nobody knows which constraints of that name the partitions had
	last := a.afterwards(text, constraintIs(a.table.OID, add.Name, ""), add.Columns...)
	last.Others = a.parentOf(add)
	a.checks = append(a.checks, last)
	a.notices = append(a.notices, fmt.Sprintf("adding %q to the partitions of %q one by one, and then to the table", add.Name, a.table.Name))
	if inline >= 0 || !a.looksAt(add.Columns) {
		return nil
	}
	check, err := violations(a.stmt, a.known, a.table, command, add)
	if err == nil && check.SQL != "" {
		a.dataChecks = append(a.dataChecks, check)
	}
	return err
}

// leaves are the partitions with rows of their own; the table itself if it has no partitions.
func (a *alteration) leaves() []Target {
	if a.table.Kind != "p" {
		return []Target{target(a.table)}
	}
	var leaves []Target
	for _, p := range a.table.Partitions {
		if p.Kind == "r" {
			leaves = append(leaves, Target{OID: p.OID, Schema: p.Schema, Name: p.Name})
		}
	}
	return leaves
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

// validate is the step for a VALIDATE CONSTRAINT of the client's own.
func (a *alteration) validate(name string) {
	step := validation(a.table, name, nil)
	for _, k := range a.table.Constraints {
		if k.Name != name {
			continue
		}
		for _, r := range a.known.Relations {
			if r != nil && r.OID == k.Parent && r.OID != a.table.OID {
				step.Others = []Target{target(r)}
			}
		}
	}
	a.names = append(a.names, name)
	a.checks = append(a.checks, step)
}

func validation(table *facts.Relation, name string, columns []string) Step {
	return Step{
		SQL:   altering(table.Schema, table.Name, "VALIDATE CONSTRAINT "+quote(name)),
		Where: AfterCommit,
		Table: target(table, columns...),
		Done:  constraintIs(table.OID, name, " AND k.convalidated"),
	}
}
