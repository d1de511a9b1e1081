package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed foreign-keys-added-together.sql
var foreignKeysAddedTogetherCases string

// foreignKeysAddedTogether: one statement that stops the writers of several tables.
func foreignKeysAddedTogether() policy.Rule {
	return policy.Rule{
		Name:  "foreign-keys-added-together",
		Title: "Foreign keys to several tables in one statement",
		Doc: `A foreign key takes SHARE ROW EXCLUSIVE on the table that it references, also when a new table is created with it, and NOT VALID does not
help. With keys to several tables the lock of the first is held while the statement waits for that of the last: writers of all of them wait for the
longest transaction on any of them, and traffic that uses the tables in another order deadlocks with it.

Create the table without the keys, then add each in a statement of its own. New, temporary, empty and small tables do not count, nor do, for a
new table, those of unknown size.`,
		Since:   "0.2",
		Default: policy.Warn,
		Cases:   foreignKeysAddedTogetherCases,
		Run:     runForeignKeysAddedTogether,
	}
}

func runForeignKeysAddedTogether(c *policy.Check) {
	var own ddl.Name
	created := false
	switch action := c.Stmt.Action.(type) {
	case ddl.CreateTable:
		own, created = action.Table, true
		if thereAlready(c, action) {
			return
		}
	case ddl.AlterTable:
		own = action.Table
		if table, known := c.Relation(own); known && table == nil {
			return // the server says so
		}
	default:
		return
	}
	var busy []string
	unknown := ""
	for _, parent := range ddl.Referenced(c.Stmt) {
		name := qualifiedAsWritten(parent)
		if parent == own || slices.Contains(busy, name) {
			continue
		}
		table, known := c.Relation(parent)
		switch {
		case known && (table == nil || c.Light(table)), created && !known:
			continue // most new tables have keys, most of the others are small, and an empty table's are taken fast
		case !known:
			unknown = "the size of " + name
		}
		busy = append(busy, name)
	}
	if len(busy) < 2 {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("writers of %s all wait until the last of them is locked; add each foreign key of %q in a statement of its own", enumerated(busy), own.Name),
		Detail:  "Every key takes ShareRowExclusiveLock on the table that it references.",
		Unknown: unknown,
	})
}

// thereAlready reports whether a CREATE TABLE IF NOT EXISTS does nothing.
func thereAlready(c *policy.Check, create ddl.CreateTable) bool {
	table, _ := c.Relation(create.Table)
	return create.IfNotExists && table != nil
}
