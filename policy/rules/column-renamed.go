package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-renamed.sql
var columnRenamedCases string

// columnRenamed: the code that runs knows only one of the two names.
func columnRenamed() policy.Rule {
	return policy.Rule{
		Name:  "column-renamed",
		Title: "Column renamed under running code",
		Doc: `RENAME COLUMN takes an ACCESS EXCLUSIVE lock for a moment. The lock is not the trouble: from the COMMIT on every statement that uses the old
name fails, and before it every statement that uses the new one. Code that runs during a deployment cannot know both.

Expand and contract instead: add a column of the new name, let code write both, copy the old values in batches, let code read the new one, drop
the old one. Or leave the column's name as it is and rename only in code. Tables without a row, temporary ones, and those made by the same
transaction pass; so do indexes and constraints, whose names no query uses. A view's column is a warning.`,
		Since:   "0.1",
		Default: policy.Block,
		Loss:    true,
		Cases:   columnRenamedCases,
		Run:     runColumnRenamed,
	}
}

func runColumnRenamed(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || len(alter.Commands) != 1 || alter.Commands[0].Op != "RenameColumn" || alter.Object == "TYPE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || disposable(table)) {
		return
	}
	command := alter.Commands[0]
	if table != nil && table.Column(command.Name) == nil {
		return // the server says so
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("renaming column %q of %q breaks code that uses the old name; add column %q beside it and move over step by step",
			command.Name, alter.Table.Name, command.NewName),
		Hint: columnExpansion(c, alter, table),
	}
	if table == nil {
		finding.Unknown = fmt.Sprintf("whether %q is in use: its size", alter.Table.Name)
	} else {
		finding.Detail = renameDetail(table, command.Name)
	}
	if object := kindOf(alter, table); object == "VIEW" || object == "MATERIALIZED VIEW" {
		view := strings.ToLower(string(object))
		finding.Action = policy.Warn
		finding.Message = fmt.Sprintf("renaming column %q of %s %q breaks code that uses the old name; make a new %s beside it", command.Name, view, alter.Table.Name, view)
		finding.Hint = ""
	}
	c.Report(finding)
}

// columnExpansion is the way from one column name to the other while code runs, with the user's own names.
func columnExpansion(c *policy.Check, alter ddl.AlterTable, table *facts.Relation) string {
	command, of := alter.Commands[0], tableText(c.Stmt, alter)
	from, to, kind := quoted(command.Name), quoted(command.NewName), "..."
	if table != nil {
		kind = table.Column(command.Name).Type
	}
	return fmt.Sprintf(`1. ALTER TABLE %[1]s ADD COLUMN %[3]s %[4]s;
2. Release code that writes both columns; then copy what is there, in batches: UPDATE %[1]s SET %[3]s = %[2]s WHERE %[3]s IS DISTINCT FROM %[2]s;
3. Release code that uses %[3]s only; then ALTER TABLE %[1]s DROP COLUMN %[2]s;
%[5]s`, of, from, to, kind, meant(c, "column-renamed"))
}

// renameDetail is how large a table is, and which objects of the database follow a rename by themselves.
func renameDetail(r *facts.Relation, column string) string {
	detail := ""
	if r.Kind == "r" || r.Kind == "p" {
		detail = size(r) + " "
	}
	if things := inTheWay(r, column); len(things) > 0 {
		detail += fmt.Sprintf("Inside the database %s will follow the new name.", enumerated(things))
	}
	return strings.TrimSpace(detail)
}
