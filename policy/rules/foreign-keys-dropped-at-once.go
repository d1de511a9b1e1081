package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

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
	what, keys := keysDropped(c)
	if len(keys) == 0 {
		return
	}
	var others []string
	inherited, strange := false, false
	for _, k := range keys {
		if !slices.Contains(others, k.other) {
			others = append(others, k.other)
		}
		inherited, strange = inherited || k.inherited, strange || k.strange
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("%s also locks readers and writers out of %s, at the other end of its foreign keys", what, enumerated(others)),
	}
	switch {
	case inherited:
		finding.Action = policy.Warn
		finding.Message += "; detach it concurrently first"
	case strange:
		finding.Action = policy.Warn
		finding.Message += "; let the owner of those drop the keys first"
	default:
		finding.Message += "; drop those one by one first"
		finding.Hint = foreignKeyDrops(keys) + "\n" + first(c)
	}
	if c.Context.InTransaction {
		finding.Action = policy.Warn
		finding.Message += ", outside of the transaction"
		finding.Detail = "All the locks are held until the transaction ends."
	}
	c.Report(finding)
}

// foreignKey is one that goes with what is dropped.
type foreignKey struct {
	table, name string // the table that has it, qualified
	other       string // the table at the other end of the one that is dropped
	otherOID    uint32
	// inherited is true when a parent has it, strange when its table is not the user's: then it cannot be dropped by itself.
	inherited, strange bool
}

// keysDropped are the foreign keys between what the statement drops and tables that stay, if the server does not refuse to drop it.
func keysDropped(c *policy.Check) (what string, keys []foreignKey) {
	switch action := c.Stmt.Action.(type) {
	case ddl.Drop:
		if action.Object != "TABLE" {
			return "", nil
		}
		tables := namedRelations(c, action.Names)
		for _, t := range tables {
			if !action.Cascade && len(inTheWay(t, "", tables...)) > 0 {
				return "", nil
			}
			keys = append(keys, keysOf(t, "", action.Cascade, tables...)...)
		}
		word := "table "
		if len(action.Names) > 1 {
			word = "tables "
		}
		return "dropping " + word + enumerated(shownNames(action.Names)), keys
	case ddl.AlterTable:
		table, _ := c.Relation(action.Table)
		if action.Object != "TABLE" || table == nil {
			return "", nil
		}
		for _, command := range action.Commands {
			if command.Op != "DropColumn" {
				continue
			}
			if !command.Cascade && len(inTheWay(table, command.Name)) > 0 {
				return "", nil
			}
			what = fmt.Sprintf("dropping column %q of %q", command.Name, action.Table.Name)
			keys = append(keys, keysOf(table, command.Name, command.Cascade, table)...)
		}
	}
	return what, keys
}

// keysOf are the foreign keys of a table, or of one of its columns, and with CASCADE those that reference it; those among the tables that are
// gone are left out.
func keysOf(table *facts.Relation, column string, cascade bool, gone ...*facts.Relation) []foreignKey {
	var keys []foreignKey
	for _, k := range table.Constraints {
		if k.Type == string(rune(ddl.ForeignKey)) && (column == "" || slices.Contains(k.Columns, column)) {
			keys = append(keys, foreignKey{
				table: qualified(table.Schema, table.Name), name: k.Name, other: qualified(k.ParentSchema, k.ParentName), otherOID: k.Parent,
				inherited: k.Inherited, strange: !table.MayAlter,
			})
		}
	}
	if cascade && table.Depends != nil {
		for _, k := range table.Depends.References {
			if !private(&k.Table) && (column == "" || slices.Contains(k.ParentColumns, column)) {
				other := qualified(k.Table.Schema, k.Table.Name)
				keys = append(keys, foreignKey{table: other, name: k.Name, other: other, otherOID: k.Table.OID, strange: !k.Table.MayAlter})
			}
		}
	}
	return slices.DeleteFunc(keys, func(k foreignKey) bool {
		return slices.ContainsFunc(gone, func(t *facts.Relation) bool { return t.OID == k.otherOID })
	})
}

func foreignKeyDrops(keys []foreignKey) string {
	var drops []string
	for _, k := range keys[:min(len(keys), shownItems)] {
		drops = append(drops, fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s;", k.table, quoted(k.name)))
	}
	if len(keys) > shownItems {
		drops = append(drops, fmt.Sprintf("-- and so on for all %d", len(keys)))
	}
	return strings.Join(drops, "\n")
}

func shownNames(names []ddl.Name) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = shown(name)
	}
	return list
}
