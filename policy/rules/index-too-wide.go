package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed index-too-wide.sql
var indexTooWideCases string

// wideIndex is the most columns that an index usually has use for.
const wideIndex = 3

// indexTooWide: the last columns of a wide index are seldom searched by.
func indexTooWide() policy.Rule {
	return policy.Rule{
		Name:  "index-too-wide",
		Title: "Index over more than three columns",
		Doc: `An index that is not unique is searched by its leading columns. Each further one makes it larger, and every write of any of its columns
dearer, and the more there are the fewer queries have a condition on the next.

Nobody waits: it is a matter of taste, and the rule is off unless the configuration sets it.

Leave out the columns that no query searches by, or put them behind INCLUDE if they only spare a look into the table.`,
		Since:   "0.2",
		Default: policy.Off,
		Cases:   indexTooWideCases,
		Run:     runIndexTooWide,
	}
}

func runIndexTooWide(c *policy.Check) {
	create, ok := c.Stmt.Action.(ddl.CreateIndex)
	if !ok || create.Unique || len(create.Columns) <= wideIndex || create.Method != "btree" && create.Method != "gist" {
		return
	}
	c.Report(policy.Finding{
		Action:  policy.Warn,
		Message: fmt.Sprintf("this index on %q has %d columns; leave out those that no query searches by, or put them behind INCLUDE", create.Table.Name, len(create.Columns)),
	})
}
