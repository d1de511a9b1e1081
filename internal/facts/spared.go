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
