package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed bulk-write-reads-tables.sql
var bulkWriteReadsTablesCases string

// bulkWriteReadsTables: a bulk write whose batches may read different states of other tables.
func bulkWriteReadsTables() policy.Rule {
	return policy.Rule{
		Name:  "bulk-write-reads-tables",
		Title: "Batches that read other tables",
		Doc: `An UPDATE or DELETE of many rows (bulk-write) is run in batches, each a transaction of its own. If it reads other tables, in FROM, USING, WITH
or a sub-query, and those change meanwhile, some batches read what was there before and some what was there after.

Allowed by an override, the statement is run in batches all the same: where nobody changes the other tables meanwhile, or where that does not matter.`,
		Since:   "0.3",
		Default: policy.Block,
		Cases:   bulkWriteReadsTablesCases,
		Run:     runBulkWriteReadsTables,
	}
}

func runBulkWriteReadsTables(c *policy.Check) {
	write, ok := c.Stmt.Action.(ddl.Write)
	if !ok || write.Op != ddl.Update && write.Op != ddl.Delete || !expects(c) || c.Context.InTransaction && !deferred(c) || c.Facts.Writing.ReadOnly || lightTarget(c) {
		return
	}
	changed, _ := c.Facts.Writing.Total()
	if changed == 0 || changed < float64(c.BulkRows) || len(c.Facts.Writing.Reads) == 0 {
		return
	}
	if why, _ := newSplitting(c, write).obstacle(); why != "" {
		return // it is not run in batches anyway
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("%s reads %s, which may change from one batch to the next; see to it that it does not, and override this",
			c.Stmt.Tag, c.Facts.Writing.Reads[0].Name),
		Hint: `/* pgsluice:allow bulk-write-reads-tables reason="…" */ in front of it runs it in batches.`,
	})
}
