package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed trigger-created.sql
var triggerCreatedCases string

// triggerCreated: code that runs at the cost of others.
func triggerCreated() policy.Rule {
	return policy.Rule{
		Name:  "trigger-created",
		Title: "Trigger or rule that runs with every write",
		Doc: `A new trigger runs with every write of the table from the COMMIT on, in the transaction and at the cost of whoever writes: if its function
fails, their statements fail. A rule (CREATE RULE) rewrites the statements themselves. CREATE TRIGGER keeps writers waiting until the COMMIT (SHARE
ROW EXCLUSIVE), on a partitioned table those of all partitions; CREATE RULE readers, too (ACCESS EXCLUSIVE).

An event trigger runs with every schema change of the database, and can refuse them.

Try the function on a copy first, and keep it short. Tables without a row, temporary ones, and those made by the same transaction pass.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   triggerCreatedCases,
		Run:     runTriggerCreated,
	}
}

func runTriggerCreated(c *policy.Check) {
	if c.Stmt.Tag != "CREATE TRIGGER" && c.Stmt.Tag != "CREATE RULE" && c.Stmt.Tag != "CREATE EVENT TRIGGER" {
		return
	}
	utility, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || len(utility.Names) == 0 {
		return
	}
	if c.Stmt.Tag == "CREATE EVENT TRIGGER" {
		c.Report(policy.Finding{
			Message: fmt.Sprintf("event trigger %q runs with every schema change of this database from the COMMIT on, those of pgsluice included, and what fails in it fails them; try it on a copy first",
				utility.Names[0].Name),
		})
	}
	for _, ref := range c.Stmt.Refs {
		if !ref.Lock.BlocksWriters() {
			continue
		}
		table, known := c.Relation(ref.Name)
		if known && (table == nil || disposable(table)) {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("trigger %q runs with every write of %q from the COMMIT on, and what fails in it fails them; try it on a copy first",
				utility.Names[0].Name, ref.Name.Name),
		}
		if c.Stmt.Tag == "CREATE RULE" {
			finding.Message = fmt.Sprintf("rule %q rewrites the statements that use %q from the COMMIT on; use a trigger or a view", utility.Names[0].Name, ref.Name.Name)
		}
		if table == nil {
			finding.Unknown = fmt.Sprintf("whether %q is in use: its size", ref.Name.Name)
		} else {
			finding.Detail = size(table)
		}
		c.Report(finding)
		return
	}
}
