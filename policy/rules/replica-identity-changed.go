package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed replica-identity-changed.sql
var replicaIdentityChangedCases string

// replicaIdentityChanged: how a subscriber finds the row that was changed.
func replicaIdentityChanged() policy.Rule {
	return policy.Rule{
		Name:  "replica-identity-changed",
		Title: "Replica identity that does not serve",
		Doc: `REPLICA IDENTITY says what of an old row the WAL carries, so that a subscriber of logical replication finds it. Without any (NOTHING, or DEFAULT
where there is no primary key) the server refuses every UPDATE and DELETE of a table that is published, from the COMMIT on. FULL writes the whole
old row for each, and a subscriber looks for it by all columns, although a primary key would do.

Use DEFAULT where the table has a primary key, and USING INDEX with a unique index over NOT NULL columns where it has none. Tables that are not published, and
FULL for a table without a key, pass.`,
		Since:   "0.2",
		Default: policy.Warn,
		Cases:   replicaIdentityChangedCases,
		Run:     runReplicaIdentityChanged,
	}
}

func runReplicaIdentityChanged(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || table.Depends != nil && len(table.Depends.Publications) == 0) {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "ReplicaIdentity" || len(command.Options) != 1 {
			continue
		}
		keyed := table != nil && slices.ContainsFunc(table.Indexes, func(i facts.Index) bool { return i.Primary && i.Valid })
		name := alter.Table.Name
		switch kind := command.Options[0]; {
		case kind == "n", kind == "d" && known && !keyed:
			finding := policy.Finding{
				Message: fmt.Sprintf("every UPDATE and DELETE of %q fails without a replica identity while the table is published; use REPLICA IDENTITY USING INDEX", name),
			}
			if keyed {
				finding.Message = fmt.Sprintf("every UPDATE and DELETE of %q fails without a replica identity while the table is published; use REPLICA IDENTITY DEFAULT", name)
			}
			if !known {
				finding.Unknown = fmt.Sprintf("whether table %q is published", name)
			}
			c.Report(finding)
		case kind == "f" && keyed:
			c.Report(policy.Finding{
				Message: fmt.Sprintf("every UPDATE and DELETE of %q writes its whole old row to the WAL, though it has a primary key; use REPLICA IDENTITY DEFAULT", name),
			})
		}
	}
}
