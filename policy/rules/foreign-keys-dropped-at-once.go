package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed foreign-keys-dropped-at-once.sql
var foreignKeysDroppedAtOnceCases string

// foreignKeysDroppedAtOnce: the other end of every foreign key is locked, too.
func foreignKeysDroppedAtOnce() policy.Rule {
	return policy.Rule{
		Name:  "foreign-keys-dropped-at-once",
		Title: "Table or column dropped together with its foreign keys",
		Doc: `Dropping a table or a column drops its foreign keys, and with CASCADE those that reference it. Every foreign key has two ends, and both
tables are locked with ACCESS EXCLUSIVE: readers and writers of each wait, all of them until the last lock is granted and the statement is done.
Traffic that takes the same tables in another order deadlocks with it.

pgsluice drops the foreign keys one by one first, each in a transaction of its own that locks one pair of tables under a short lock_timeout, then the
table or the column. If it has to give up half-way, the keys that are gone stay gone: the same statement sent again goes on. Inside a transaction the locks add up to its
end whatever is done: there it is a warning, and the statement runs under a lock budget. Tables that nobody else can see yet do not count.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Cases:   foreignKeysDroppedAtOnceCases,
		Run:     runForeignKeysDroppedAtOnce,
	}
}

func runForeignKeysDroppedAtOnce(c *policy.Check) {
	what, others := "", []string(nil)
	var keys []foreignKey
	switch action := c.Stmt.Action.(type) {
	case ddl.Drop:
		if action.Object != "TABLE" {
			return
		}
		what = "dropping " + enumerated(shownNames(action.Names))
		keys = keysOfTables(namedRelations(c, action.Names), action.Cascade)
	case ddl.AlterTable:
		table, _ := c.Relation(action.Table)
		if action.Object != "TABLE" || table == nil {
			return
		}
		for _, command := range action.Commands {
			if command.Op == "DropColumn" {
				what = fmt.Sprintf("dropping column %q of %q", command.Name, action.Table.Name)
				keys = append(keys, keysOfColumn(table, command.Name, command.Cascade)...)
			}
		}
	}
	alone := true // whether each key can be dropped by itself
	for _, k := range keys {
		if !slices.Contains(others, k.other) {
			others = append(others, k.other)
		}
		alone = alone && k.alone
	}
	if len(keys) == 0 {
		return
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("%s also locks readers and writers out of %s, at the other end of its foreign keys; drop those one by one first", what, enumerated(others)),
		Hint:    foreignKeyDrops(keys),
	}
	if c.Context.InTransaction {
		finding.Message += ", outside of the transaction"
		finding.Detail = "All the locks are held until the transaction ends."
	}
	if c.Context.InTransaction || !alone {
		finding.Action = policy.Warn
	}
	c.Report(finding)
}

// foreignKey is one that goes with what is dropped.
type foreignKey struct {
	table, name string // the table that has it, qualified
	other       string // the table at the other end of the one that is dropped
	// alone is true when it can be dropped by itself: no parent has it, and both tables are the user's.
	alone bool
}

func keysOfTables(tables []*facts.Relation, cascade bool) []foreignKey {
	var keys []foreignKey
	among := func(oid uint32) bool {
		return slices.ContainsFunc(tables, func(t *facts.Relation) bool { return t.OID == oid })
	}
	for _, t := range tables {
		for _, k := range keysOf(t, "", cascade) {
			if !among(k.otherOID) {
				keys = append(keys, k.foreignKey)
			}
		}
	}
	return keys
}

func keysOfColumn(table *facts.Relation, column string, cascade bool) []foreignKey {
	var keys []foreignKey
	for _, k := range keysOf(table, column, cascade) {
		if k.otherOID != table.OID {
			keys = append(keys, k.foreignKey)
		}
	}
	return keys
}

type keyEnd struct {
	foreignKey
	otherOID uint32
}

// keysOf are the foreign keys of a table, or of one of its columns, and with CASCADE those that reference it.
func keysOf(table *facts.Relation, column string, cascade bool) []keyEnd {
	var keys []keyEnd
	own := qualified(table.Schema, table.Name)
	for _, k := range table.Constraints {
		if k.Type == string(rune(ddl.ForeignKey)) && (column == "" || slices.Contains(k.Columns, column)) {
			keys = append(keys, keyEnd{foreignKey{own, k.Name, qualified(k.ParentSchema, k.ParentName), !k.Inherited && table.MayAlter}, k.Parent})
		}
	}
	if !cascade || table.Depends == nil {
		return keys
	}
	for _, k := range table.Depends.References {
		if !private(&k.Table) && (column == "" || slices.Contains(k.ParentColumns, column)) {
			other := qualified(k.Table.Schema, k.Table.Name)
			keys = append(keys, keyEnd{foreignKey{other, k.Name, other, k.Table.MayAlter}, k.Table.OID})
		}
	}
	return keys
}

func foreignKeyDrops(keys []foreignKey) string {
	var hint string
	for i, k := range keys {
		if i == shownItems {
			return hint + fmt.Sprintf("\n-- and so on for all %d", len(keys))
		}
		if i > 0 {
			hint += "\n"
		}
		hint += fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s;", k.table, quoted(k.name))
	}
	return hint
}

func shownNames(names []ddl.Name) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = shown(name)
	}
	return list
}
