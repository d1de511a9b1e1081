package policy

import (
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// BehindDeferred is the name under which a statement is refused because work that its transaction deferred stands before it.
const BehindDeferred = "behind-deferred-work"

// Promised is work that the transaction at hand has deferred to its end.
type Promised struct {
	// Table is the relation that it is about, by OID, with its name for messages.
	Table uint32
	Name  string
	// Object is the index or constraint that will be made, dropped or validated.
	Object string
	// Drops is true when Object is an index to be dropped, which is still there.
	Drops bool
	// Unique is true when Object enforces, or enforced, uniqueness.
	Unique bool
	// Columns are the columns that it depends on.
	Columns []string
	// NotNull are the columns that are NOT NULL, and Fills those whose rows have their values, only when it is done; Primary is true when it makes
	// the table's primary key.
	NotNull, Fills []string
	Primary        bool
	// Rows is true for a bulk write: what follows it must not look at anything that it may change.
	Rows bool
}

// Behind judges a statement that follows deferred work in its transaction. What could notice that the work is not
// done yet, or cannot be seen through, is refused: everything else may follow. opaque names the functions, views and triggers that the
// statement would run and whose effect is not on the wire.
func Behind(stmt ddl.Statement, known facts.Facts, promised []Promised, opaque []string) (Finding, bool) {
	if len(promised) == 0 {
		return Finding{}, false
	}
	if i := slices.IndexFunc(promised, func(p Promised) bool { return p.Rows }); i >= 0 {
		return rowsBehind(stmt, known, promised[i], opaque)
	}
	for _, inner := range stmt.Inner {
		if inner.Later {
			continue
		}
		if f, ok := Behind(inner.Statement, known, promised, nil); ok {
			return f, true
		}
	}
	first := promised[0]
	switch action := stmt.Action.(type) {
	case ddl.Transaction, ddl.Setting, ddl.LockTable, ddl.AdvisoryLock:
		return Finding{}, false
	case ddl.Opaque, ddl.Unparsed:
		return behind(first, "cannot be seen through")
	case ddl.CreateIndex:
		if p, ok := named(stmt, promised); ok {
			return behind(p, "makes an index of the same name")
		}
	case ddl.CreateTable:
		if p, ok := named(stmt, promised); ok {
			return behind(p, "takes a name that is promised")
		}
		if p, ok := onTable(action.PartitionOf, known, promised); ok {
			return behind(p, fmt.Sprintf("adds a partition to %s", p.Name))
		}
		for _, parent := range action.Parents {
			if f, ok := parentBehind(parent, known, promised); ok {
				return f, true
			}
		}
	case ddl.Drop:
		if f, ok := dropBehind(action, known, promised); ok {
			return f, true
		}
	case ddl.AlterTable:
		if f, ok := alterBehind(action, known, promised); ok {
			return f, true
		}
	case ddl.Query:
		if p, ok := target(stmt, known, filling(promised)); ok {
			return behind(p, fmt.Sprintf("may read rows that have no %q yet", p.Fills[0]))
		}
	case ddl.Write:
		if p, ok := target(stmt, known, filling(promised)); ok {
			return behind(p, fmt.Sprintf("may meet rows that have no %q yet", p.Fills[0]))
		}
		gone := slices.DeleteFunc(slices.Clone(promised), func(p Promised) bool { return !p.Drops || !p.Unique })
		if p, ok := target(stmt, known, gone); ok {
			return behind(p, "may need that the unique index is gone already")
		}
	case ddl.Utility:
		if p, ok := target(stmt, known, promised); ok && !harmlessBehind[action.Object] {
			return behind(p, "names a table that the work is about")
		}
		if p, ok := named(stmt, promised); ok {
			return behind(p, "names what is not made yet")
		}
	}
	if len(opaque) > 0 {
		return behind(first, fmt.Sprintf("runs %s, whose effect cannot be seen", opaque[0]))
	}
	return Finding{}, false
}

// rowsBehind refuses what follows a bulk write, unless it only speaks of the migration tool's own table, or of none: triggers and foreign keys may have the
// write change rows of any other.
func rowsBehind(stmt ddl.Statement, known facts.Facts, p Promised, opaque []string) (Finding, bool) {
	of := func(ref ddl.Ref) bool {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		return relation == nil || !relation.VersionTable || ref.Created
	}
	unread := slices.Contains([]string{"EXECUTE", "FETCH", "MOVE"}, stmt.Tag) // what they run or read is not in the text
	switch stmt.Action.(type) {
	case ddl.Transaction, ddl.Setting, ddl.AdvisoryLock:
		return Finding{}, false
	case ddl.Query, ddl.Write, ddl.LockTable:
		if !unread && len(opaque) == 0 && !slices.ContainsFunc(stmt.Refs, of) {
			return Finding{}, false
		}
	}
	return behind(p, "may rely on rows that are changed later")
}

// harmlessBehind are utility statements that change nothing that deferred work depends on.
var harmlessBehind = map[ddl.ObjectKind]bool{"TABLE": true, "COLUMN": true, "TRIGGER": true, "POLICY": true, "ROLE": true, "STATISTICS": true}

// harmlessCommands are commands of ALTER TABLE that change nothing that deferred work on the same table depends on. ADD CONSTRAINT
// is among them: what has to scan is itself deferred, in order.
var harmlessCommands = []string{
	"AddColumn", "AddConstraint", "ColumnDefault", "SetStatistics", "SetOptions", "SetRelOptions", "ResetRelOptions",
	"SetNotNull", "DropNotNull", "EnableTrig", "DisableTrig", "EnableRowSecurity", "DisableRowSecurity",
}

// parentBehind refuses a foreign key to a table whose unique index is to go: the server would take the index for one that it may rely on.
func parentBehind(name ddl.Name, known facts.Facts, promised []Promised) (Finding, bool) {
	relation := known.Relations[facts.Key(name.Schema, name.Name)]
	for _, p := range promised {
		if relation != nil && relation.OID == p.Table && p.Drops && p.Unique {
			return behind(p, "references a table whose unique index is to go")
		}
	}
	return Finding{}, false
}

func alterBehind(alter ddl.AlterTable, known facts.Facts, promised []Promised) (Finding, bool) {
	for _, command := range alter.Commands {
		if command.Constraint != nil && command.Constraint.Type == ddl.ForeignKey {
			if f, ok := parentBehind(command.Constraint.Parent, known, promised); ok {
				return f, true
			}
		}
	}
	relation := known.Relations[facts.Key(alter.Table.Schema, alter.Table.Name)]
	for _, p := range promised {
		if relation != nil && relation.OID != p.Table && (relation.Table == nil || relation.Table.OID != p.Table) {
			continue
		}
		if relation == nil && (p.Object == "" || alter.Table.Name != p.Object) {
			continue
		}
		for _, command := range alter.Commands {
			switch {
			case alter.Object != "TABLE", !slices.Contains(harmlessCommands, command.Op) && !keepsType(command, relation, known, p):
				return behind(p, fmt.Sprintf("alters %s", p.Name))
			case command.Op == "DropNotNull" && slices.Contains(p.NotNull, command.Name):
				return behind(p, fmt.Sprintf("lets %q be NULL", command.Name))
			case command.Op != "AddColumn" && slices.Contains(p.Fills, command.Name):
				return behind(p, fmt.Sprintf("is about %q, which rows do not have yet", command.Name))
			case command.Constraint != nil && command.Constraint.Type == ddl.PrimaryKey && overlap(command.Constraint.Columns, p.Fills):
				return behind(p, fmt.Sprintf("makes a key of %q, which rows do not have yet", p.Fills[0]))
			case command.Constraint != nil && command.Constraint.Type == ddl.PrimaryKey && p.Primary:
				return behind(p, "adds a second primary key")
			case command.Constraint != nil && command.Constraint.Name != "" && command.Constraint.Name == p.Object && !p.Drops:
				return behind(p, "takes a name that is promised")
			case command.Constraint != nil && command.Constraint.UsingIndex != "" && command.Constraint.UsingIndex == p.Object:
				return behind(p, "uses an index that is not built yet")
			}
		}
	}
	return Finding{}, false
}

// keepsType reports whether a command gives a column the type that it has, as tools do that send whatever they know of a column. The server makes the
// column's constraints and indexes anew then, as they were and by the same names, NOT VALID ones too; only an index that is to go would be another one.
func keepsType(command ddl.AlterCommand, relation *facts.Relation, known facts.Facts, p Promised) bool {
	return command.Op == "AlterColumnType" && command.Column != nil && relation != nil && !p.Drops && !slices.Contains(p.Fills, command.Name) &&
		known.HasType(relation.Column(command.Name), *command.Column)
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(name string) bool { return slices.Contains(b, name) })
}

// dropBehind lets a promise's table go (the promise becomes void) and refuses to drop what is promised or what it stands on.
func dropBehind(drop ddl.Drop, known facts.Facts, promised []Promised) (Finding, bool) {
	for _, name := range drop.Names {
		relation := known.Relations[facts.Key(name.Schema, name.Name)]
		for _, p := range promised {
			switch {
			case relation == nil && name.Name == p.Object && !p.Drops:
				return behind(p, "drops what is not made yet")
			case drop.Object == "FUNCTION" || drop.Object == "TYPE" || drop.Object == "DOMAIN" || drop.Object == "SCHEMA" || drop.Object == "EXTENSION":
				return behind(p, "may drop what the work depends on")
			case relation != nil && drop.Object == "INDEX" && p.Drops && relation.Name == p.Object:
				return behind(p, "drops what will be dropped")
			}
		}
	}
	return Finding{}, false
}

// filling are the promises that give rows their values.
func filling(promised []Promised) []Promised {
	return slices.DeleteFunc(slices.Clone(promised), func(p Promised) bool { return len(p.Fills) == 0 })
}

// onTable is the promise about the table of that name.
func onTable(name ddl.Name, known facts.Facts, promised []Promised) (Promised, bool) {
	relation := known.Relations[facts.Key(name.Schema, name.Name)]
	i := slices.IndexFunc(promised, func(p Promised) bool { return relation != nil && relation.OID == p.Table })
	if i < 0 {
		return Promised{}, false
	}
	return promised[i], true
}

// target is the promise whose table the statement names.
func target(stmt ddl.Statement, known facts.Facts, promised []Promised) (Promised, bool) {
	for _, ref := range stmt.Refs {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		if relation == nil {
			continue
		}
		for _, p := range promised {
			if relation.OID == p.Table || relation.Table != nil && relation.Table.OID == p.Table {
				return p, true
			}
		}
	}
	return Promised{}, false
}

// named is the promise whose object the statement names, which does not exist yet.
func named(stmt ddl.Statement, promised []Promised) (Promised, bool) {
	for _, ref := range stmt.Refs {
		for _, p := range promised {
			if ref.Name.Name == p.Object && !p.Drops {
				return p, true
			}
		}
	}
	return Promised{}, false
}

func behind(p Promised, why string) (Finding, bool) {
	what := fmt.Sprintf("the work on table %q", p.Name)
	if p.Rows {
		what = fmt.Sprintf("a bulk write of table %q", p.Name)
	}
	if p.Object != "" && !p.Rows {
		what = fmt.Sprintf("the work on %q of table %q", p.Object, p.Name)
	}
	return Finding{
		Rule:    BehindDeferred,
		Action:  Block,
		Message: fmt.Sprintf("put this statement into a later transaction: it %s, and %s is deferred to COMMIT", why, what),
		Detail:  "pgsluice deferred earlier statements of this transaction, so that they do not lock the table: they are done right after COMMIT.",
		Hint:    "COMMIT first, or move the statement to the next migration.",
	}, true
}
