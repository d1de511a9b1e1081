package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed write-without-where.sql
var writeWithoutWhereCases string

// writeWithoutWhere: every row of a large table in one statement.
func writeWithoutWhere() policy.Rule {
	return policy.Rule{
		Name:  "write-without-where",
		Title: "UPDATE or DELETE of every row",
		Doc: `UPDATE, DELETE or MERGE without a condition, or with one that is true of every row (WHERE true, WHERE 1 = 1), changes the whole table in one
transaction.

Every row stays locked until the COMMIT, so that whoever updates one of them waits for all; the table and its indexes grow by as much as was
changed, replicas fall behind, and vacuum can free nothing meanwhile. A DELETE of every row is often a forgotten WHERE besides.

Where the server can say how many rows that are, the rule bulk-write decides. This one is for what cannot be asked about: a statement in a file,
in a function or a DO block, or one that is prepared.

Delete in ranges of the primary key, each in a transaction of its own, or TRUNCATE the table if nobody reads it now; update in ranges, too. New,
empty, temporary and small tables are left alone, and so are migration tools' version tables. An UPDATE of a table of up to 100 times the small
size, or of unknown size, is only warned of.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   writeWithoutWhereCases,
		Run:     runWriteWithoutWhere,
	}
}

func runWriteWithoutWhere(c *policy.Check) {
	write, ok := c.Stmt.Action.(ddl.Write)
	if !ok || write.Reach != ddl.EveryRow || expects(c) {
		return
	}
	table, known := c.Relation(write.Target)
	if known && (table == nil || table.VersionTable || c.Light(table) || table.Kind == "v") {
		return
	}
	name := qualifiedAsWritten(write.Target)
	finding := policy.Finding{Message: fmt.Sprintf("%s without a condition changes every row of %q in one transaction; %s",
		c.Stmt.Tag, write.Target.Name, insteadOfAll(write.Op))}
	if write.Op == ddl.Delete {
		finding.Hint = fmt.Sprintf("If nobody uses the table now: TRUNCATE %s;", name)
	}
	if !known {
		finding.Unknown = fmt.Sprintf("the size of table %q", write.Target.Name)
	} else {
		finding.Detail = size(table)
	}
	if write.Op == ddl.Update && (!known || moderate(c, table)) {
		finding.Action = policy.Warn
	}
	c.Report(finding)
}

// insteadOfAll says what to do instead of writing every row.
func insteadOfAll(op ddl.WriteOp) string {
	if op == ddl.Delete {
		return "add a WHERE, or delete it in ranges of the primary key"
	}
	return "add a WHERE, or change it in ranges of the primary key"
}

// moderateTimes is how many times as large as a small table one may be whose every row is still changed in one go, with a warning.
const moderateTimes = 100

// moderate reports whether a table, although it is not small, can be rewritten row by row in seconds.
func moderate(c *policy.Check, table *facts.Relation) bool {
	return !table.Foreign && table.Rows >= 0 && table.Rows <= float64(moderateTimes*c.Small.Rows) &&
		table.Bytes >= 0 && table.Bytes <= moderateTimes*c.Small.Bytes
}

func qualifiedAsWritten(name ddl.Name) string {
	if name.Schema == "" {
		return quoted(name.Name)
	}
	return qualified(name.Schema, name.Name)
}
