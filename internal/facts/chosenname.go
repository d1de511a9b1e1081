package facts

import (
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// nameLength is the longest name of the server, NAMEDATALEN-1 bytes.
const nameLength = 63

// candidateNames bounds how many names are looked at before somebody has to choose one.
const candidateNames = 32

// ErrNoName is returned when all the names are taken that the server would try first.
var ErrNoName = errors.New("cannot choose a name, too many like it are taken: give it one")

// IndexName is the name that the server would choose for a CREATE INDEX without one, on a table of this name, with the names of Taken not
// to be had (ChooseIndexName of indexcmds.c). Servers before 15 name EXTRACT and boolean constants differently.
func IndexName(stmt ddl.Statement, table *Relation) (string, error) {
	candidates, err := indexCandidates(stmt, table.Name)
	if err != nil {
		return "", err
	}
	return firstFree(candidates, table.Taken)
}

// ConstraintName is the name that the server would choose for the constraint that a command of an ALTER TABLE adds without one, with the
// names of Taken not to be had, nor those of others, which the same statement adds (ChooseConstraintName of pg_constraint.c).
func ConstraintName(stmt ddl.Statement, command int, table *Relation, others []string) (string, error) {
	candidates, err := constraintCandidates(stmt, command, table)
	if err != nil {
		return "", err
	}
	return firstFree(candidates, slices.Concat(table.Taken, others))
}

func firstFree(candidates, taken []string) (string, error) {
	for _, name := range candidates {
		if !slices.Contains(taken, name) {
			return name, nil
		}
	}
	return "", ErrNoName
}

func indexCandidates(stmt ddl.Statement, table string) ([]string, error) {
	columns, err := ddl.IndexNames(stmt)
	if err != nil {
		return nil, err
	}
	return candidates(table, joinNames(distinctNames(columns)), "idx"), nil
}

// constraintCandidates takes a table without columns for one that has every column.
func constraintCandidates(stmt ddl.Statement, command int, table *Relation) ([]string, error) {
	alter, ok := stmt.Action.(ddl.AlterTable)
	if !ok || alter.Commands[command].Constraint == nil {
		return nil, errors.New("command adds no constraint")
	}
	return namesOf(stmt, command, -1, *alter.Commands[command].Constraint, table)
}

// namesOf are the candidates for one constraint of a command, inline being its index among those of an ADD COLUMN, else -1.
func namesOf(stmt ddl.Statement, command, inline int, constraint ddl.Constraint, table *Relation) ([]string, error) {
	switch constraint.Type {
	case ddl.ForeignKey:
		return candidates(table.Name, joinNames(constraint.Columns), "fkey"), nil
	case ddl.PrimaryKey:
		return candidates(table.Name, "", "pkey"), nil
	case ddl.Unique:
		return candidates(table.Name, joinNames(distinctNames(slices.Concat(constraint.Columns, constraint.Include))), "key"), nil
	case ddl.Exclusion:
		return candidates(table.Name, joinNames(distinctNames(constraint.Columns)), "excl"), nil
	}
	columns, err := ddl.CheckColumns(stmt, command)
	if inline >= 0 {
		columns, err = ddl.InlineCheckColumns(stmt, command, inline)
	}
	if err != nil {
		return nil, err
	}
	column := ""
	wholeRow := len(columns) == 1 && columns[0] == table.Name && table.Columns != nil && !table.hasColumn(columns[0])
	if len(columns) == 1 && !wholeRow {
		column = columns[0]
	}
	return candidates(table.Name, column, "check"), nil
}

// InlineConstraintName is ConstraintName for the constraint at the index among those of an ADD COLUMN.
func InlineConstraintName(stmt ddl.Statement, command, inline int, table *Relation, others []string) (string, error) {
	candidates, err := namesOf(stmt, command, inline, stmt.Action.(ddl.AlterTable).Commands[command].Column.Constraints[inline], table)
	if err != nil {
		return "", err
	}
	return firstFree(candidates, slices.Concat(table.Taken, others))
}

// NotNullName is the name that a server since 18 chooses for the NOT NULL of a column.
func NotNullName(table *Relation, column string, others []string) (string, error) {
	return firstFree(candidates(table.Name, column, "not_null"), slices.Concat(table.Taken, others))
}

// KeyName is the first name for the key of a table that is in none of the others: label is "key", "pkey" or "fkey".
func KeyName(table, label string, columns, others []string) string {
	middle := ""
	if label != "pkey" {
		middle = joinNames(distinctNames(columns))
	}
	name, err := firstFree(candidates(table, middle, label), others)
	if err != nil {
		name = objectName(table, middle, label)
	}
	return name
}

// SequenceName is the name that the server chooses for the sequence of a serial or identity column.
func SequenceName(table *Relation, column string, others []string) (string, error) {
	return firstFree(candidates(table.Name, column, "seq"), slices.Concat(table.Taken, others))
}

func (r *Relation) hasColumn(name string) bool {
	return slices.ContainsFunc(r.Columns, func(c Column) bool { return c.Name == name })
}

// candidates are the names that ChooseRelationName tries, in order.
func candidates(table, middle, label string) []string {
	names := make([]string, 0, candidateNames)
	names = append(names, objectName(table, middle, label))
	for pass := 1; len(names) < candidateNames; pass++ {
		names = append(names, objectName(table, middle, label+strconv.Itoa(pass)))
	}
	return names
}

// objectName is makeObjectName: the longer of the first two parts is cut until all three fit.
func objectName(first, second, label string) string {
	room := nameLength - len(label) - 1
	if second != "" {
		room--
	}
	a, b := len(first), len(second)
	for a+b > room {
		if a > b {
			a--
		} else {
			b--
		}
	}
	name := clip(first, a) + "_"
	if second != "" {
		name += clip(second, b) + "_"
	}
	return name + label
}

// distinctNames is ChooseIndexColumnNames: a column that is there already gets a number.
func distinctNames(columns []string) []string {
	var names []string
	for _, original := range columns {
		if original == "" {
			original = "expr"
		}
		name := original
		for i := 1; slices.Contains(names, name); i++ {
			number := strconv.Itoa(i)
			name = clip(original, nameLength-len(number)) + number
		}
		names = append(names, name)
	}
	return names
}

// joinNames is ChooseIndexNameAddition: columns are joined until they are too long anyway.
func joinNames(columns []string) string {
	joined := ""
	for _, column := range columns {
		if joined != "" {
			joined += "_"
		}
		joined += column
		if len(joined) > nameLength {
			break
		}
	}
	return joined
}

// clip cuts a text to so many bytes, between characters.
func clip(text string, length int) string {
	if len(text) <= length {
		return text
	}
	for length > 0 && !utf8.RuneStart(text[length]) {
		length--
	}
	return text[:length]
}

// unnamedConstraints are the names that the server chooses from for the constraints that an ALTER TABLE adds without one, the NOT NULL of a
// column included, which has a name since 18.
func unnamedConstraints(stmt ddl.Statement, alter ddl.AlterTable) []string {
	if alter.Object == "DOMAIN" {
		return nil // the tree of ALTER DOMAIN has no list of commands
	}
	var names []string
	add := func(command, inline int, constraint ddl.Constraint) {
		if constraint.Name != "" {
			return
		}
		found, _ := namesOf(stmt, command, inline, constraint, &Relation{Name: alter.Table.Name})
		names = append(names, found...)
		// A column of the table's own name is either that or the whole row.
		found, _ = namesOf(stmt, command, inline, constraint, &Relation{Name: alter.Table.Name, Columns: []Column{}})
		for _, name := range found {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for i, command := range alter.Commands {
		switch {
		case command.Op == "SetNotNull":
			names = append(names, candidates(alter.Table.Name, command.Name, "not_null")...)
		case command.Op == "AddConstraint" && command.Constraint != nil:
			add(i, -1, *command.Constraint)
			if command.Constraint.Type == ddl.PrimaryKey {
				for _, column := range command.Constraint.Columns {
					names = append(names, candidates(alter.Table.Name, column, "not_null")...)
				}
			}
		case command.Op == "AddColumn" && command.Column != nil:
			if command.Column.ImpliesNotNull() {
				names = append(names, candidates(alter.Table.Name, command.Name, "not_null")...)
			}
			for n, constraint := range command.Column.Constraints {
				add(i, n, constraint)
			}
		}
	}
	return names
}

// unnamedRelations are the same for the indexes behind keys, whose names are a relation's as well as a constraint's, and for sequences.
func unnamedRelations(stmt ddl.Statement, alter ddl.AlterTable) []string {
	var names []string
	add := func(command, inline int, constraint ddl.Constraint) {
		if constraint.Name == "" && (constraint.Type == ddl.Unique || constraint.Type == ddl.PrimaryKey) && constraint.UsingIndex == "" {
			found, _ := namesOf(stmt, command, inline, constraint, &Relation{Name: alter.Table.Name})
			names = append(names, found...)
		}
	}
	for i, command := range alter.Commands {
		switch {
		case command.Op == "AddConstraint" && command.Constraint != nil:
			add(i, -1, *command.Constraint)
		case command.Op == "AddColumn" && command.Column != nil:
			for n, constraint := range command.Column.Constraints {
				add(i, n, constraint)
			}
			if command.Column.Identity || command.Column.Serial() {
				names = append(names, candidates(alter.Table.Name, command.Name, "seq")...)
			}
		}
	}
	return names
}
