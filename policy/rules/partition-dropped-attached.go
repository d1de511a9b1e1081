package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed partition-dropped-attached.sql
var partitionDroppedAttachedCases string

// partitionDroppedAttached: dropping a partition locks the table that it belongs to.
func partitionDroppedAttached() policy.Rule {
	return policy.Rule{
		Name:  "partition-dropped-attached",
		Title: "Partition dropped while it is attached",
		Doc: `DROP TABLE of a partition takes an ACCESS EXCLUSIVE lock on the partitioned table, too, and on its default partition, for a moment or,
inside a transaction, until the COMMIT.

Nobody can read or write the partitioned table meanwhile, and while the lock is waited for, all queries of it queue behind.

From PostgreSQL 14 on pgsluice detaches the partition with DETACH PARTITION ... CONCURRENTLY first; nobody reads it then through the
partitioned table, and dropping it locks nothing else. Inside a transaction, before 14, and while there is a default partition, the
statement runs as written, under a lock budget. Whether the rows may go is not this rule's question.`,
		Since:   "0.2",
		Default: policy.Rewrite,
		Cases:   partitionDroppedAttachedCases,
		Run:     runPartitionDroppedAttached,
	}
}

func runPartitionDroppedAttached(c *policy.Check) {
	drop, ok := c.Stmt.Action.(ddl.Drop)
	if !ok || drop.Object != "TABLE" {
		return
	}
	for _, name := range drop.Names {
		child, known := c.Relation(name)
		if !known || child == nil { // without facts nobody knows that it is a partition
			continue
		}
		parent := c.Facts.ParentOf(child)
		if parent == nil || !detachable(c, parent, child) {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("dropping %q locks readers and writers out of %q; use DETACH PARTITION ... CONCURRENTLY first", child.Name, parent.Name),
			Detail:  size(parent),
		}
		one, _ := ddl.DropOne(c.Stmt, 0, false) // a text that cannot be spliced is not shown
		finding = outside(c, finding, fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY",
			qualified(parent.Schema, parent.Name), qualified(child.Schema, child.Name)), one)
		switch {
		case c.Context.InTransaction:
			finding.Action = policy.Warn // it is a moment's lock, like that of every ALTER TABLE
		case len(drop.Names) > 1:
			finding.Action = policy.Warn
			finding.Message += ", in a statement of its own"
		}
		c.Report(finding)
		return
	}
}
