package facts

import (
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// spared reports whether indexes, and whether constraints, of the relations that it names matter neither to what is said of a statement nor to its plan. They are a
// third of the question. What needs no indexes needs no tables that are referenced either.
func spared(stmt ddl.Statement) (indexes, constraints bool) {
	if len(stmt.Inner) > 0 {
		return false, false
	}
	switch action := stmt.Action.(type) {
	case ddl.CreateTable:
		alone := !action.As && !action.Copies && !action.Foreign && action.PartitionOf == ddl.Name{}
		return alone, alone
	case ddl.AlterTable:
		if action.Object != "TABLE" {
			return false, false
		}
		constraints = !slices.ContainsFunc(action.Commands, func(c ddl.AlterCommand) bool { return !addsColumnAlone(c) })
		indexes = !slices.ContainsFunc(action.Commands, func(c ddl.AlterCommand) bool {
			return !addsColumnAlone(c) && c.Op != "SetNotNull" && (c.Op != "AddConstraint" || c.Constraint.Type != ddl.Check)
		})
		return indexes, constraints
	}
	return false, false
}

// addsColumnAlone reports whether a command adds a column without anything that an index or a constraint is for: the rows that exist need no values of their own
// (which are filled in along an index), and its type is certainly no domain.
func addsColumnAlone(c ddl.AlterCommand) bool {
	return c.Op == "AddColumn" && c.Column != nil && len(c.Column.Constraints) == 0 && len(c.Column.DefaultCalls) == 0 && !c.Column.Identity &&
		!c.Column.Serial() && c.Column.TypeName().Keyword()
}

// Guess is why less than is wanted of a relation is asked at first. Whether that was enough, the answer tells.
type Guess int

const (
	noGuess Guess = iota
	// allValid is that no index of the table is invalid: only one that no constraint needs could be the leftover of a build.
	allValid
	// noKey is that the index to be dropped is none that a constraint could stand on.
	noKey
	// plainValue is that a new column is of a plain type and its default is the same for all rows: then none has to be filled in.
	plainValue
)

// guessed is the guess that a statement allows.
func guessed(stmt ddl.Statement) Guess {
	if len(stmt.Inner) > 0 {
		return noGuess
	}
	switch action := stmt.Action.(type) {
	case ddl.CreateIndex:
		return allValid
	case ddl.Drop:
		if action.Object == "INDEX" {
			return noKey
		}
	case ddl.AlterTable:
		if action.Object == "TABLE" && !slices.ContainsFunc(action.Commands, func(c ddl.AlterCommand) bool { return !addsColumn(c) }) {
			return plainValue
		}
	}
	return noGuess
}

// addsColumn reports whether a command adds a column that needs nothing else to exist.
func addsColumn(c ddl.AlterCommand) bool {
	return c.Op == "AddColumn" && c.Column != nil && len(c.Column.Constraints) == 0 && !c.Column.Identity && !c.Column.Generated && !c.Column.Serial()
}

// lean is what is asked at first; false if that is all.
func lean(wanted []Wanted) ([]Wanted, bool) {
	less := slices.Clone(wanted)
	for i := range less {
		w := &less[i]
		switch w.Guess {
		case allValid, noKey:
			w.NoConstraints = true
		case plainValue:
			w.NoIndexes, w.NoConstraints, w.Parents, w.Dependents = true, true, false, false
		}
	}
	return less, slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Guess != noGuess })
}

// wrong reports whether a guess did not hold.
func (f Facts) wrong(wanted []Wanted) bool {
	return slices.ContainsFunc(wanted, func(w Wanted) bool {
		switch w.Guess {
		case allValid:
			for _, r := range f.Relations {
				if r != nil && slices.ContainsFunc(r.Indexes, func(i Index) bool { return !i.Valid }) {
					return true
				}
			}
		case noKey:
			index := f.Relations[Key(w.Name.Schema, w.Name.Name)]
			return index != nil && (index.Table == nil || slices.ContainsFunc(index.Table.Indexes, func(i Index) bool {
				return i.OID == index.OID && (i.Unique || i.exclusion)
			}))
		case plainValue:
			for _, name := range w.Types {
				t := f.Types[TypeKey(name.Name.Schema, name.Name.Name, name.Array)]
				if t == nil || t.Kind != "b" && t.Kind != "e" || t.Element != 0 && plainTypes[t.Element] == "" {
					return true
				}
			}
			for _, name := range w.Functions {
				if volatile := f.Functions[Key(name.Schema, name.Name)].Volatile; volatile != "s" && volatile != "i" {
					return true
				}
			}
		}
		return false
	})
}
