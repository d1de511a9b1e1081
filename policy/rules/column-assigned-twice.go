package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-assigned-twice.sql
var columnAssignedTwiceCases string

// columnAssignedTwice: one of the two values is not meant.
func columnAssignedTwice() policy.Rule {
	return policy.Rule{
		Name:  "column-assigned-twice",
		Title: "Column that gets two values",
		Doc: `An UPDATE that sets a column twice, or an INSERT that lists one twice, is refused by the server when it comes to it: behind all the statements that
stand before it. In a file it is found sooner, and one of the two values is probably not the one that was meant.

Nobody waits. Leave one of the two out.`,
		Since:   "0.2",
		Default: policy.Off,
		Cases:   columnAssignedTwiceCases,
		Run:     runColumnAssignedTwice,
	}
}

func runColumnAssignedTwice(c *policy.Check) {
	write, ok := c.Stmt.Action.(ddl.Write)
	if !ok || write.Op == ddl.Delete || write.Op == ddl.CopyFrom {
		return
	}
	column, err := ddl.AssignedTwice(c.Stmt)
	if err != nil || column == "" {
		return // what cannot be read is found by another rule
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("column %q of %q gets two values in one statement, which the server refuses; leave one of them out", column, write.Target.Name),
	})
}
