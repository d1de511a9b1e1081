package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed altered-twice.sql
var alteredTwiceCases string

// alteredTwice: the scans add up.
func alteredTwice() policy.Rule {
	return policy.Rule{
		Name:  "altered-twice",
		Title: "Several ALTER TABLEs on one table",
		Doc: `Each ALTER TABLE on a table that scans or rewrites it does so by itself: two of them read the table twice, while its lock is held all the
time. One ALTER TABLE with several commands reads it once.

Join the commands with commas. Only the second statement of one transaction is found.`,
		Since:   "0.1",
		Default: policy.Off,
		Cases:   alteredTwiceCases,
		Run:     runAlteredTwice,
	}
}

func runAlteredTwice(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" || !c.Context.InTransaction {
		return
	}
	table, _ := c.Relation(alter.Table)
	if table == nil || !slices.ContainsFunc(c.Facts.Held, func(h facts.Held) bool { return h.OID == table.OID && h.Mode == ddl.AccessExclusive.String() }) {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("table %q is altered once more in one transaction; join the commands into one ALTER TABLE", alter.Table.Name),
	})
}
