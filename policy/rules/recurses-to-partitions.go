package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed recurses-to-partitions.sql
var recursesToPartitionsCases string

// recursesToPartitions: a change of a partitioned table locks all of its partitions at once.
func recursesToPartitions() policy.Rule {
	return policy.Rule{
		Name:  "recurses-to-partitions",
		Title: "Change of a partitioned table that locks every partition",
		Doc: `A column, constraint or trigger of a partitioned table is one of each of its partitions, and an index has a part on each. Whoever adds,
changes or drops it locks the table and all partitions, at all depths, at once.

A single busy partition keeps the statement waiting, and behind it everybody who uses any other partition. Each partition also takes a place in
the server's lock table, which max_locks_per_transaction bounds.

pgsluice says how many partitions there are, and runs the statement under a lock budget. Partitioned tables that are small, empty or made in the
same transaction pass.`,
		Since:   "0.2",
		Default: policy.Warn,
		Cases:   recursesToPartitionsCases,
		Run:     runRecursesToPartitions,
	}
}

// recursing are the commands of ALTER TABLE that the server carries out on every partition.
var recursing = []string{
	"AddColumn", "DropColumn", "AlterColumnType", "ColumnDefault", "SetNotNull", "DropNotNull", "SetExpression", "DropExpression", "SetStorage", "SetCompression",
	"AddConstraint", "DropConstraint", "AlterConstraint", "RenameColumn", "EnableTrig", "DisableTrig", "EnableAlwaysTrig", "EnableReplicaTrig",
	"EnableTrigAll", "DisableTrigAll", "EnableTrigUser", "DisableTrigUser",
}

func runRecursesToPartitions(c *policy.Check) {
	name, what := recurses(c)
	if what == "" {
		return
	}
	table, known := c.Relation(name)
	if !known || table == nil { // without facts nobody knows that it is partitioned
		return
	}
	lock := ddl.AccessExclusive
	for _, ref := range c.Stmt.Refs {
		if ref.Name == name {
			lock = ref.Lock
		}
	}
	if table.Table != nil {
		table = table.Table
	}
	if table.Kind != "p" || !table.MayAlter || len(table.Partitions) == 0 || c.Light(table) || !lock.BlocksWriters() {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("%s takes %s on %q and all of its %s at once; run it when none of them is busy", what, lock, table.Name, partitions(len(table.Partitions))),
		Detail:  size(table),
	})
}

// recurses is the relation whose partitions a statement changes along with it, and what it does; "" if it does not.
func recurses(c *policy.Check) (ddl.Name, string) {
	switch action := c.Stmt.Action.(type) {
	case ddl.AlterTable:
		for _, command := range action.Commands {
			if action.Object == "TABLE" && !action.Only && slices.Contains(recursing, command.Op) {
				return action.Table, "this ALTER TABLE"
			}
		}
	case ddl.Drop:
		if action.Object == "INDEX" && len(action.Names) > 0 && partitionedIndex(c, action.Names[0]) {
			return action.Names[0], fmt.Sprintf("dropping index %q", action.Names[0].Name)
		}
	case ddl.Utility:
		if c.Stmt.Tag == "CREATE TRIGGER" && len(c.Stmt.Refs) > 0 {
			return c.Stmt.Refs[0].Name, "this trigger"
		}
	}
	return ddl.Name{}, ""
}

func partitionedIndex(c *policy.Check, name ddl.Name) bool {
	index, _ := c.Relation(name)
	return index != nil && index.Kind == "I" && !slices.ContainsFunc(index.Table.Indexes, func(i facts.Index) bool { return i.OID == index.OID && i.Constraint != "" })
}
