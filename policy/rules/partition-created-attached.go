package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed partition-created-attached.sql
var partitionCreatedAttachedCases string

// partitionCreatedAttached: PARTITION OF locks the parent, where making a table and attaching it does not.
func partitionCreatedAttached() policy.Rule {
	return policy.Rule{
		Name:  "partition-created-attached",
		Title: "Partition created under a lock on its parent",
		Doc: `CREATE TABLE ... PARTITION OF takes an ACCESS EXCLUSIVE lock on the parent, inside a transaction until the COMMIT, and on the default
partition, which it reads to the end.

Nobody can read or write the partitioned table meanwhile, and while the lock is waited for, all queries of it queue behind.

pgsluice makes the table like its parent first and attaches it then, in one transaction: ATTACH PARTITION takes no more than a SHARE UPDATE
EXCLUSIVE lock on the parent. If there is a default partition with rows, it proves by a CHECK beforehand that none of them belongs into the
new one; that is refused inside a transaction. A partition with columns or constraints of its own, and one of a parent with a tablespace or access method
of its own, is made as written, under a lock budget.`,
		Since:   "0.2",
		Default: policy.Rewrite,
		Cases:   partitionCreatedAttachedCases,
		Run:     runPartitionCreatedAttached,
	}
}

func runPartitionCreatedAttached(c *policy.Check) {
	create, ok := c.Stmt.Action.(ddl.CreateTable)
	if !ok || create.PartitionOf.Name == "" || create.Temp {
		return
	}
	parent, known := c.Relation(create.PartitionOf)
	text, err := ddl.Unattached(c.Stmt)
	message := fmt.Sprintf("making %q locks readers and writers out of %q", create.Table.Name, create.PartitionOf.Name)
	if !known {
		if err == nil {
			finding := createdFirst(c, create, text, message)
			finding.Unknown = fmt.Sprintf("the size of %q, and its default partition", create.PartitionOf.Name)
			c.Report(finding)
		}
		return
	}
	there, _ := c.Relation(create.Table)
	if parent == nil || parent.Kind != "p" || !parent.MayAlter || there != nil || c.Light(parent) {
		return // the server says what is wrong, or nobody waits
	}
	rest := c.Facts.DefaultOf(parent)
	switch {
	case scanned(c, rest):
		finding := unproven(c, parent, nil, rest, message+", and of its default partition while every row of that is checked")
		if err != nil {
			finding.Action = policy.Block
		}
		c.Report(finding)
	case err != nil || rest != nil && !rest.Empty && !rest.Proven || parent.Tablespace != "" || parent.AccessMethod != "":
		// as written, under a lock budget
	default:
		finding := createdFirst(c, create, text, message)
		finding.Detail = size(parent)
		c.Report(finding)
	}
}

// createdFirst asks for the table, whose text is given, and its ATTACH.
func createdFirst(c *policy.Check, create ddl.CreateTable, text, message string) policy.Finding {
	bound, _ := ddl.PartitionBound(c.Stmt) // that it has one is known
	return policy.Finding{
		Message: message + "; create it like its parent, then attach it",
		Hint: strings.Join(typed([]string{text, fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s %s",
			writtenName(create.PartitionOf), writtenName(create.Table), bound.Text)}), "\n"),
	}
}

// writtenName is a name as a statement has it.
func writtenName(name ddl.Name) string {
	if name.Schema == "" {
		return quoted(name.Name)
	}
	return qualified(name.Schema, name.Name)
}
