package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed table-locked.sql
var tableLockedCases string

// tableLocked: everybody waits until the COMMIT.
func tableLocked() policy.Rule {
	return policy.Rule{
		Name:  "table-locked",
		Title: "Table locked by hand",
		Doc: `LOCK TABLE in a mode from SHARE up makes writers wait until the transaction ends, in ACCESS EXCLUSIVE mode (which is what it means
without a mode) readers, too; and while the lock is waited for, everything queues behind it. Nothing may run before LOCK TABLE in its
transaction, so pgsluice neither looks at the table nor gives the lock a budget; the proxy warns only where the transaction has run a schema
change before, lint always. Migration tools that lock their own version table are left alone.

To keep two migrations apart use an advisory lock; to keep rows still, SELECT … FOR UPDATE or SHARE ROW EXCLUSIVE for a moment, under SET LOCAL
lock_timeout.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   tableLockedCases,
		Run:     runTableLocked,
	}
}

func runTableLocked(c *policy.Check) {
	lock, ok := c.Stmt.Action.(ddl.LockTable)
	if !ok {
		return
	}
	for _, ref := range c.Stmt.Refs {
		if r, _ := c.Relation(ref.Name); !ref.Lock.BlocksWriters() || r != nil && (private(r) || r.VersionTable) {
			continue
		}
		who := "writers"
		if ref.Lock.BlocksReaders() {
			who = "readers and writers"
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("LOCK TABLE keeps %s of %q waiting until the transaction ends; use an advisory lock, or lock the rows", who, ref.Name.Name),
		}
		if !lock.NoWait {
			finding.Hint = "At least bound the wait: SET LOCAL lock_timeout = '500ms'; before it."
		}
		c.Report(finding)
		return
	}
}
