package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed identity-starts-over.sql
var identityStartsOverCases string

// identityStartsOver: a sequence that begins with numbers that are taken.
func identityStartsOver() policy.Rule {
	return policy.Rule{
		Name:  "identity-starts-over",
		Title: "Identity added to a column that has values",
		Doc: `ALTER COLUMN … ADD GENERATED … AS IDENTITY needs its ACCESS EXCLUSIVE lock for a moment only. But the sequence that it makes starts with 1, whatever
values the column has: the next inserts get numbers that are taken, and fail if the column is unique or go unnoticed if it is not.

Set the sequence behind the largest value in the same transaction, before others insert again. Empty tables and a START WITH of your own are
left alone.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   identityStartsOverCases,
		Run:     runIdentityStartsOver,
	}
}

func runIdentityStartsOver(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || table.Empty || !table.MayAlter) {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "AddIdentity" || slices.Contains(command.Options, "start") {
			continue
		}
		written := c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End]
		finding := policy.Finding{
			Message: fmt.Sprintf("the identity of %q starts with 1, whatever values the rows of %q have; set its sequence behind the largest in the same transaction",
				command.Name, alter.Table.Name),
			Hint: fmt.Sprintf("BEGIN;\n%s;\nSELECT setval(pg_get_serial_sequence(%s, %s), max(%s)) FROM %s;\nCOMMIT;", c.Stmt.Text,
				literal(written), literal(command.Name), quoted(command.Name), written),
		}
		if !known {
			finding.Unknown = fmt.Sprintf("whether table %q has rows", alter.Table.Name)
		}
		c.Report(finding)
	}
}

// literal writes a text as a string in SQL.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
