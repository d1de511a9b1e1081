package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed statement-without-timeout.sql
var statementWithoutTimeoutCases string

// statementWithoutTimeout: a lock that is held for as long as it takes.
func statementWithoutTimeout() policy.Rule {
	return policy.Rule{
		Name:  "statement-without-timeout",
		Title: "Strong lock held without a limit",
		Doc: `lock_timeout bounds how long a statement waits for its lock, and statement_timeout how long it may then hold it: a change that was thought to take a
moment and reads the table after all ends by itself.

Writers, or readers too, wait for as long as the statement runs. SET statement_timeout before it. The rule is off by default, because the statements that
take long are found by rules of their own; it asks for the timeout of every strong lock. Tables that nobody else can see pass.`,
		Since:   "0.2",
		Default: policy.Off,
		Cases:   statementWithoutTimeoutCases,
		Run:     runStatementWithoutTimeout,
	}
}

func runStatementWithoutTimeout(c *policy.Check) {
	if _, ok := c.Stmt.Action.(ddl.LockTable); ok || c.Context.Inside.What != "" || !unlimited(c.Facts.Settings["statement_timeout"]) {
		return
	}
	for _, ref := range c.Stmt.Refs {
		relation, known := c.Relation(ref.Name)
		if !ref.Lock.BlocksWriters() || known && (relation == nil || private(relation) || versionTableWrite(c.Stmt, relation)) {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("nothing bounds how long this holds %s on %q; SET statement_timeout before it", ref.Lock, ref.Name.Name),
			Hint:    "SET statement_timeout = '30s';\n" + c.Stmt.Text + ";",
		}
		if c.Facts.Settings == nil {
			finding.Unknown = "statement_timeout of the session"
		}
		c.Report(finding)
		return
	}
}
