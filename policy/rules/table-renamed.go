package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed table-renamed.sql
var tableRenamedCases string

// tableRenamed: the code that runs knows only one of the two names.
func tableRenamed() policy.Rule {
	return policy.Rule{
		Name:  "table-renamed",
		Title: "Table or view renamed under running code",
		Doc: `ALTER TABLE … RENAME TO takes an ACCESS EXCLUSIVE lock for a moment. From the COMMIT on every statement that uses the old name fails. The
table's indexes, constraints and sequences keep names made of the old one.

A view of the old name, made in the same transaction, keeps old code running: simple views take INSERT, UPDATE and DELETE. Not everything goes
through a view: ON CONFLICT, COPY FROM, TRUNCATE, LOCK, foreign keys and DDL need the table. That is why it is not done by itself: with
rules: {table-renamed: rewrite} pgsluice renames and makes the view, with the table's privileges, in one transaction; drop the view when no
code uses it any more. Tables without a row, temporary ones, and those made by the same transaction pass. A view that is renamed is a warning.`,
		Since:   "0.1",
		Default: policy.Block,
		Loss:    true,
		Cases:   tableRenamedCases,
		Run:     runTableRenamed,
	}
}

func runTableRenamed(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || len(alter.Commands) != 1 || alter.Commands[0].Op != "Rename" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || disposable(table)) {
		return
	}
	to := quoted(alter.Commands[0].NewName)
	finding := policy.Finding{
		Message: fmt.Sprintf("renaming table %q breaks code that uses the old name; leave a view of the old name in its place", alter.Table.Name),
	}
	object := kindOf(alter, table)
	switch object {
	case "TABLE":
		finding.OnDemand = true
		from, new := tableText(c.Stmt, alter), to
		if table != nil {
			from, new = qualified(table.Schema, table.Name), qualified(table.Schema, alter.Commands[0].NewName)
		}
		finding.Hint = fmt.Sprintf(`In one transaction, with the grants of the table for the view: BEGIN; ALTER TABLE %[1]s RENAME TO %[2]s; CREATE VIEW %[1]s AS SELECT * FROM %[3]s; COMMIT;
With rules: {table-renamed: rewrite} pgsluice does that. Drop the view when no code uses it any more.
%[4]s`, from, to, new, meant(c, "table-renamed"))
	case "FOREIGN TABLE":
		finding.Hint = meant(c, "table-renamed")
	case "VIEW", "MATERIALIZED VIEW":
		finding.Action = policy.Warn
		finding.Message = fmt.Sprintf("renaming %s %q breaks code that uses the old name; make one of the new name, and drop this one later",
			strings.ToLower(string(object)), alter.Table.Name)
	default:
		return
	}
	if table == nil {
		finding.Unknown = fmt.Sprintf("whether %q is in use: its size", alter.Table.Name)
	} else {
		finding.Detail = renameDetail(table, "")
	}
	c.Report(finding)
}
