package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed cluster-or-vacuum-full.sql
var clusterOrVacuumFullCases string

// clusterOrVacuumFull: both copy the table while nobody can use it.
func clusterOrVacuumFull() policy.Rule {
	return policy.Rule{
		Name:  "cluster-or-vacuum-full",
		Title: "Table copied by CLUSTER or VACUUM FULL",
		Doc: `CLUSTER and VACUUM FULL copy the table and build all its indexes anew under an ACCESS EXCLUSIVE lock. Without a table they go through the
whole database.

Nobody can read or write the table until it is done: minutes on a table of some gigabytes. Meanwhile it needs twice the room.

There is no concurrent form (before REPACK of PostgreSQL 19): use pg_repack or pg_squeeze, or leave it to a plain VACUUM, which keeps nobody
out. Small, empty, temporary and new tables pass.`,
		Since:   "0.2",
		Default: policy.Block,
		Cases:   clusterOrVacuumFullCases,
		Run:     runClusterOrVacuumFull,
	}
}

func runClusterOrVacuumFull(c *policy.Check) {
	action, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || c.Stmt.Tag != "CLUSTER" && !(c.Stmt.Tag == "VACUUM" && action.Full) || action.NotInTransaction && c.Context.InTransaction {
		return // the server refuses VACUUM in a transaction
	}
	what := "CLUSTER"
	if action.Full {
		what = "VACUUM FULL"
	}
	tables := 0
	for _, ref := range c.Stmt.Refs {
		if ref.Kind == "INDEX" {
			continue
		}
		tables++
		table, known := c.Relation(ref.Name)
		if known && (table == nil || !table.MayAlter || c.Light(table)) {
			continue
		}
		finding := policy.Finding{Message: fmt.Sprintf("%s copies %q while nobody can read or write it; use pg_repack, or a plain VACUUM", what, ref.Name.Name)}
		if known {
			finding.Detail = size(table)
			finding.Hint = fmt.Sprintf("pg_repack --table %s", qualified(table.Schema, table.Name))
		} else {
			finding.Unknown = fmt.Sprintf("the size of %q", ref.Name.Name)
		}
		c.Report(finding)
		return
	}
	if tables == 0 {
		c.Report(policy.Finding{
			Message: what + " without a table copies one table of the database after the other while nobody can read or write it; name those that need it, and use pg_repack",
		})
	}
}
