package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-without-comment.sql
var columnWithoutCommentCases string

// columnWithoutComment: nobody says what its values mean.
func columnWithoutComment() policy.Rule {
	return policy.Rule{
		Name:  "column-without-comment",
		Title: "Column that nothing explains",
		Doc: `Some teams want a comment for every column: what its values mean, in which unit they are, and whose personal data they hold.

Nobody waits. Only files are judged, where the COMMENT ON COLUMN can stand behind the CREATE TABLE or ADD COLUMN; on a connection nobody knows what
comes. Columns of temporary tables, and those that a table takes from elsewhere (LIKE, OF, INHERITS, PARTITION OF), need none.`,
		Since:   "0.3",
		Default: policy.Off,
		Cases:   columnWithoutCommentCases,
		Run:     runColumnWithoutComment,
	}
}

func runColumnWithoutComment(c *policy.Check) {
	if !c.Context.File {
		return
	}
	table, columns := newColumns(c.Stmt)
	for _, column := range columns {
		if slices.ContainsFunc(c.Context.Ahead, func(s ddl.Statement) bool { return explainsColumn(s, table, column) }) {
			continue
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("nothing says what column %q of %q is for; add COMMENT ON COLUMN %s.%s IS '...'", column, table.Name, qualifiedAsWritten(table), quoted(column)),
		})
	}
}

// newColumns are the columns that a statement makes for others to use, as it writes them.
func newColumns(stmt ddl.Statement) (table ddl.Name, columns []string) {
	switch action := stmt.Action.(type) {
	case ddl.CreateTable:
		if !action.Temp && action.PartitionOf == (ddl.Name{}) {
			return action.Table, action.ColumnNames
		}
	case ddl.AlterTable:
		for _, command := range action.Commands {
			if action.Object == "TABLE" && command.Op == "AddColumn" {
				columns = append(columns, command.Name)
			}
		}
		return action.Table, columns
	}
	return ddl.Name{}, nil
}

// explainsColumn reports whether a statement comments on the column of the table.
func explainsColumn(s ddl.Statement, table ddl.Name, column string) bool {
	utility, ok := s.Action.(ddl.Utility)
	return ok && s.Tag == "COMMENT" && utility.Object == "COLUMN" && slices.Contains(utility.Names, ddl.Name{Name: column}) &&
		slices.ContainsFunc(s.Refs, func(r ddl.Ref) bool { return r.Name == table })
}
