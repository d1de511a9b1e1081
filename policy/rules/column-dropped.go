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

//go:embed column-dropped.sql
var columnDroppedCases string

// columnDropped: values are gone for good, and with them every index and constraint that mentions the column.
func columnDropped() policy.Rule {
	return policy.Rule{
		Name:  "column-dropped",
		Title: "Column of a table with rows dropped",
		Doc: `ALTER TABLE … DROP COLUMN makes the column's values unreachable, at once and for good. Every index and every constraint that mentions the
column goes with it, also those over several columns and partial ones: queries that relied on them become slow, uniqueness ends. CASCADE
drops views, too. Statements that name the column fail from the COMMIT on, and programs that cache SELECT * plans fail once.

The lock (ACCESS EXCLUSIVE) is needed for a moment only; it is the meaning that breaks. Release code that neither reads nor writes the
column first; a column that is NOT NULL without a default must give that up before code can leave it out. Tables without a row, temporary
ones, and those made by the same transaction pass.`,
		Since:    "0.1",
		Default:  policy.Block,
		Loss:     true,
		Destroys: true,
		Cases:    columnDroppedCases,
		Run:      runColumnDropped,
	}
}

func runColumnDropped(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if ok && alter.Object == "TYPE" {
		attributeDropped(c, alter)
	}
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || disposable(table)) {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "DropColumn" {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("dropping column %q of %q destroys its values and breaks what still names it; release code without it first, then allow the drop",
				command.Name, alter.Table.Name),
			Hint: columnContraction(c, alter, table, command.Name),
		}
		switch {
		case table == nil:
			finding.Unknown = fmt.Sprintf("whether table %q has rows", alter.Table.Name)
		case table.Column(command.Name) == nil:
			continue // the server says so
		default:
			finding.Detail = consequences(table, command.Name, command.Cascade)
		}
		c.Report(finding)
	}
}

// attributeDropped judges ALTER TYPE … DROP ATTRIBUTE of a composite type.
func attributeDropped(c *policy.Check, alter ddl.AlterTable) {
	commands := typedTables(c, alter, "DropColumn")
	tables, known := c.Facts.TablesOf(alter.Table)
	tables = slices.DeleteFunc(tables, disposable)
	if known && len(tables) == 0 {
		return
	}
	for _, command := range commands {
		finding := policy.Finding{
			Message: fmt.Sprintf("dropping attribute %q of type %s with CASCADE destroys the values of that column in every table OF it; release code without it first, then allow the drop",
				command.Name, shown(alter.Table)),
			Hint: meant(c, "column-dropped"),
		}
		if known {
			finding.Detail = sizes(tables...)
		} else {
			finding.Hint = fmt.Sprintf("SELECT oid::regclass FROM pg_class WHERE reloftype = %s::regtype;\n%s", text(shown(alter.Table)), finding.Hint)
			finding.Unknown = fmt.Sprintf("which tables there are OF type %s", shown(alter.Table))
		}
		c.Report(finding)
	}
}

// columnContraction is the way to the drop of a column, with the user's own names.
func columnContraction(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, name string) string {
	steps := []string{"1. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included)."}
	if table != nil {
		if column := table.Column(name); column != nil && column.NotNull && !column.HasDefault && column.Identity == "" {
			steps[0] = fmt.Sprintf("1. Let new rows leave it out: ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;", tableText(c.Stmt, alter), quoted(name))
			steps = append(steps, "2. Release code that neither reads nor writes the column (SELECT * and INSERT without a column list included).")
		}
	}
	steps = append(steps, fmt.Sprintf("%d. Then, %s", len(steps)+1, allowed(c, "column-dropped")))
	return strings.Join(steps, "\n")
}

// tableText is the table's name as the client wrote it.
func tableText(stmt ddl.Statement, alter ddl.AlterTable) string {
	return stmt.Text[alter.TableSpan.Start:alter.TableSpan.End]
}
