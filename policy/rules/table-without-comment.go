package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed table-without-comment.sql
var tableWithoutCommentCases string

// tableWithoutComment: nobody says what it is for.
func tableWithoutComment() policy.Rule {
	return policy.Rule{
		Name:  "table-without-comment",
		Title: "Table that nothing explains",
		Doc: `Some teams want a comment for every table: what it holds and who owns it, where everybody who looks at the schema finds it.

Nobody waits. Only files are judged, where the COMMENT ON TABLE can stand behind the CREATE TABLE; on a connection nobody knows what comes.
Temporary tables and partitions need none.`,
		Since:   "0.2",
		Default: policy.Off,
		Cases:   tableWithoutCommentCases,
		Run:     runTableWithoutComment,
	}
}

func runTableWithoutComment(c *policy.Check) {
	create, ok := c.Stmt.Action.(ddl.CreateTable)
	if !ok || !c.Context.File || create.Temp || create.PartitionOf != (ddl.Name{}) {
		return
	}
	if slices.ContainsFunc(c.Context.Ahead, func(s ddl.Statement) bool { return explains(s, create.Table) }) {
		return
	}
	name := qualifiedAsWritten(create.Table)
	c.Report(policy.Finding{
		Message: fmt.Sprintf("nothing says what table %q is for; add COMMENT ON TABLE %s IS '...'", create.Table.Name, name),
	})
}

// explains reports whether a statement comments on the table.
func explains(s ddl.Statement, table ddl.Name) bool {
	utility, ok := s.Action.(ddl.Utility)
	return ok && s.Tag == "COMMENT" && utility.Object == "TABLE" && slices.ContainsFunc(s.Refs, func(r ddl.Ref) bool { return r.Name == table })
}
