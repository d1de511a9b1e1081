package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed lock-without-budget.sql
var lockWithoutBudgetCases string

// lockWithoutBudget: a strong lock request that waits makes everybody behind it wait, too.
func lockWithoutBudget() policy.Rule {
	return policy.Rule{
		Name:  "lock-without-budget",
		Title: "Strong lock without a time budget",
		Doc: `The statement takes a lock that blocks readers or writers of a table that others use. Even one that needs the lock for a millisecond
has to wait for it behind every transaction that uses the table.

While it waits, every later query that conflicts with it waits behind it: one forgotten transaction and one ALTER TABLE make an outage that
lasts as long as the transaction does.

pgsluice runs the statement under a short lock_timeout and tries again, with pauses in which the queue drains, until a total budget is used
up; the error then names who was in the way. LOCK TABLE is left alone, since nothing may run before it, and so are writes to a migration
tool's own version table.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Cases:   lockWithoutBudgetCases,
		Run:     runLockWithoutBudget,
	}
}

func runLockWithoutBudget(c *policy.Check) {
	if _, ok := c.Stmt.Action.(ddl.LockTable); ok {
		return
	}
	for _, ref := range c.Stmt.Refs {
		if !ref.Lock.BlocksWriters() {
			continue
		}
		relation, known := c.Relation(ref.Name)
		if known && (relation == nil || versionTableWrite(c.Stmt, relation) || private(relation) && !referencing(c, relation)) {
			continue
		}
		finding := policy.Finding{Message: waiting(ref)}
		if !known {
			finding.Unknown = fmt.Sprintf("whether %s exists already", facts.Key(ref.Name.Schema, ref.Name.Name))
		}
		c.Report(finding)
		return // one budget covers the whole statement
	}
}

// waiting says what waits behind the lock.
func waiting(ref ddl.Ref) string {
	who := "writers"
	if ref.Lock.BlocksReaders() {
		who = "readers and writers"
	}
	return fmt.Sprintf("%s on %q makes %s queue behind it while it waits: run it under a short lock_timeout and try again", ref.Lock, ref.Name.Name, who)
}

// private reports whether nobody else can be using a relation.
func private(r *facts.Relation) bool {
	if r.Table != nil {
		r = r.Table
	}
	return r.Persistence == "t" || r.CreatedHere
}

// referencing reports whether a DROP of the table locks a table that it references, and that is not private.
func referencing(c *policy.Check, r *facts.Relation) bool {
	if _, ok := c.Stmt.Action.(ddl.Drop); !ok {
		return false
	}
	for _, k := range r.Constraints {
		for _, parent := range c.Facts.Relations {
			if parent != nil && parent.OID == k.Parent && !private(parent) {
				return true
			}
		}
	}
	return false
}

// versionTableWrite reports whether a migration tool empties its own version table: that is not a schema change.
func versionTableWrite(stmt ddl.Statement, r *facts.Relation) bool {
	_, utility := stmt.Action.(ddl.Utility)
	return utility && stmt.Tag == "TRUNCATE TABLE" && r.VersionTable
}
