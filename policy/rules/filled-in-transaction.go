package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed filled-in-transaction.sql
var filledInTransactionCases string

// filledInTransaction: a table that is filled from a big one keeps vacuum from cleaning up until the COMMIT.
func filledInTransaction() policy.Rule {
	return policy.Rule{
		Name:  "filled-in-transaction",
		Title: "Table filled by a query inside a longer transaction",
		Doc: `CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW take no strong lock on what they read, and run as long as their query does.

Nobody waits for them, but while they run concurrent index builds anywhere in the database do, and until the COMMIT no vacuum can remove
a row that was deleted since the transaction began. Whatever strong locks the transaction holds, it holds all that time.

Fill the table in a transaction of its own. Small sources pass, and so does the statement outside of a transaction.`,
		Since:   "0.2",
		Default: policy.Warn,
		Cases:   filledInTransactionCases,
		Run:     runFilledInTransaction,
	}
}

func runFilledInTransaction(c *policy.Check) {
	if c.Context.Inside.Later || c.Stmt.Tag == "EXPLAIN" { // what EXPLAIN ANALYZE runs is judged itself
		return
	}
	if !c.Context.InTransaction || !facts.MakesFilled(c.Stmt) {
		return
	}
	made := ""
	for _, ref := range c.Stmt.Refs {
		if ref.Created {
			made = ref.Name.Name
		}
	}
	for _, ref := range c.Stmt.Refs {
		source, known := c.Relation(ref.Name)
		if ref.Created || known && (source == nil || c.Light(source) || source.Kind == "v") {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("filling %q from %q keeps vacuum from cleaning up until the COMMIT; fill it in a transaction of its own", made, ref.Name.Name),
		}
		if known {
			finding.Detail = size(source)
		} else {
			finding.Unknown = fmt.Sprintf("the size of %q", ref.Name.Name)
		}
		c.Report(finding)
		return
	}
}
