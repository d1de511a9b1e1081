package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed standby-queries-cancelled.sql
var standbyQueriesCancelledCases string

// standbyQueriesCancelled: queries on the standbys die.
func standbyQueriesCancelled() policy.Rule {
	return policy.Rule{
		Name:  "standby-queries-cancelled",
		Title: "Lock that is replayed on standbys",
		Doc: `An ACCESS EXCLUSIVE lock is replayed on every physical standby when its WAL arrives there: queries on that table are cancelled after
max_standby_streaming_delay, or the replay stands still behind them and the standby falls behind, for as long as the lock is held here.

Keep such locks short: one statement, outside of a transaction. Nothing is found while no standby is connected, and for tables that are empty, small,
temporary or made by the same transaction.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   standbyQueriesCancelledCases,
		Run:     runStandbyQueriesCancelled,
	}
}

func runStandbyQueriesCancelled(c *policy.Check) {
	if c.Facts.Standbys <= 0 || !c.Context.InTransaction {
		return
	}
	if _, ok := c.Stmt.Action.(ddl.LockTable); ok {
		return
	}
	for _, ref := range c.Stmt.Refs {
		if !ref.Lock.BlocksReaders() || !heavy(c, ref.Name) {
			continue
		}
		standbys := fmt.Sprintf("the %d standbys", c.Facts.Standbys)
		if c.Facts.Standbys == 1 {
			standbys = "the standby"
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("%s on %q is replayed on %s and cancels queries there; do it outside of a transaction, so that it is short",
				ref.Lock, ref.Name.Name, standbys),
		})
		return
	}
}
