package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed partition-detached-at-once.sql
var partitionDetachedAtOnceCases string

// partitionDetachedAtOnce: a plain DETACH PARTITION locks out the readers of the whole partitioned table.
func partitionDetachedAtOnce() policy.Rule {
	return policy.Rule{
		Name:  "partition-detached-at-once",
		Title: "Partition detached without CONCURRENTLY",
		Doc: `DETACH PARTITION takes ACCESS EXCLUSIVE locks on the partitioned table, on the partition and on the default partition, for a moment or,
inside a transaction, until the COMMIT.

Nobody can read or write the partitioned table meanwhile, and while the lock is waited for, all queries of it queue behind.

From PostgreSQL 14 on pgsluice detaches with DETACH PARTITION ... CONCURRENTLY, which waits for those who read and keeps out nobody; if an
earlier one was interrupted, it is finished with FINALIZE. The partition keeps a CHECK of its bound afterwards, which spares the scan if it is
attached again; drop it if it is in the way. The server has no concurrent form inside a transaction, before 14, and while there is a
default partition: there the statement runs as written, under a lock budget.`,
		Since:   "0.2",
		Default: policy.Rewrite,
		Cases:   partitionDetachedAtOnceCases,
		Run:     runPartitionDetachedAtOnce,
	}
}

func runPartitionDetachedAtOnce(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || len(alter.Commands) != 1 || alter.Commands[0].Op != "DetachPartition" || alter.Commands[0].Concurrently {
		return
	}
	name := alter.Commands[0].Relation.Name
	parent, known := c.Relation(alter.Table)
	child, _ := c.Relation(alter.Commands[0].Relation)
	finding := policy.Finding{
		Message: fmt.Sprintf("detaching %q locks readers and writers out of %q; use DETACH PARTITION ... CONCURRENTLY", name, alter.Table.Name),
	}
	if !known {
		finding.Unknown = fmt.Sprintf("the server's version, the size of %q, and whether it has a default partition", alter.Table.Name)
	} else {
		if child == nil || !detachable(c, parent, child) {
			return
		}
		finding.Detail = size(parent)
	}
	text, _ := ddl.Concurrently(c.Stmt) // a text that cannot be spliced is not shown
	finding = outside(c, finding, text)
	if c.Context.InTransaction {
		finding.Action = policy.Warn // it is a moment's lock, like that of every ALTER TABLE
	}
	c.Report(finding)
}

// detachable reports whether a partition can be detached concurrently, and should be.
func detachable(c *policy.Check, parent, child *facts.Relation) bool {
	return c.Facts.Version >= 140000 && parent != nil && parent.Kind == "p" && parent.MayAlter && child.MayAlter &&
		child.PartitionOf == parent.OID && parent.DefaultPartition == 0 && !c.Light(parent)
}
