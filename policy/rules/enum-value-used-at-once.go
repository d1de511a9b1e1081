package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed enum-value-used-at-once.sql
var enumValueUsedAtOnceCases string

// enumValueUsedAtOnce: a value that exists, and may not be used yet.
func enumValueUsedAtOnce() policy.Rule {
	return policy.Rule{
		Name:  "enum-value-used-at-once",
		Title: "Enum value used in the transaction that adds it",
		Doc: `ALTER TYPE … ADD VALUE locks no table and may stand in a transaction, but the new value cannot be used before the COMMIT: the server fails the
statement that does (55P04, unsafe use of new value), and the whole migration with it. On an empty development database, where the
statement touches no row, the same migration may pass.

Add the value in one migration and use it in the next. A value of a type that the same transaction has made can be used at once.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   enumValueUsedAtOnceCases,
		Run:     runEnumValueUsedAtOnce,
	}
}

func runEnumValueUsedAtOnce(c *policy.Check) {
	for _, use := range enumUses(c.Stmt) {
		t, _ := typeOf(c, use.Type.Name)
		if t == nil || t.CreatedHere || !slices.Contains(t.NewLabels, use.Value) {
			continue
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("value %q of type %s was added by this transaction and cannot be used before its COMMIT; use it in the next migration",
				use.Value, qualified(t.Schema, t.Name)),
			Detail: "The server would fail the statement: unsafe use of new value.",
			Hint:   "End the migration behind ALTER TYPE ... ADD VALUE, and put what uses the value into one of its own.",
		})
		return
	}
}

// enumUses are the constants whose type the statement itself tells: casts, and the defaults of columns that it makes.
func enumUses(stmt ddl.Statement) []ddl.Cast {
	return slices.Concat(stmt.Casts, ddl.DefaultTexts(stmt))
}
