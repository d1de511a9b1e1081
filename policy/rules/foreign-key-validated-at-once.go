package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed foreign-key-validated-at-once.sql
var foreignKeyValidatedAtOnceCases string

// foreignKeyValidatedAtOnce: a foreign key that is checked while both tables are locked.
func foreignKeyValidatedAtOnce() policy.Rule {
	return policy.Rule{
		Name:  "foreign-key-validated-at-once",
		Title: "Foreign key validated under its lock",
		Doc: `ALTER TABLE … ADD FOREIGN KEY holds a SHARE ROW EXCLUSIVE lock on both tables while it joins them to check every existing row.

All writers of both tables wait until the check is done, inside a transaction until its COMMIT. NOT VALID and VALIDATE CONSTRAINT in one
statement, or in one transaction, gain nothing: the lock of the first is held through the second.

pgsluice adds the key NOT VALID, which needs its locks for a moment only and checks new rows from then on, and validates it afterwards under a
lock that lets everybody work; inside a transaction behind the COMMIT. New, empty and small tables are left alone. On a partitioned table
NOT VALID exists only since PostgreSQL 18; before, each partition gets the key first, and the parent then takes it over without a check.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Recipe:  alterTable,
		Cases:   foreignKeyValidatedAtOnceCases,
		Run:     constraintAtOnce{kind: ddl.ForeignKey, harm: foreignKeyHarm, free: foreignKeyFree}.run,
	}
}

func foreignKeyHarm(table ddl.Name, add ddl.Constraint) string {
	switch parent := add.Parent; {
	case table.Name != parent.Name:
	case table.Schema != "" && parent.Schema != "" && table.Schema != parent.Schema:
		return fmt.Sprintf("blocks writes to %s and %s", shown(table), shown(parent))
	default:
		return fmt.Sprintf("blocks writes to %q", table.Name)
	}
	return fmt.Sprintf("blocks writes to %q and %q", table.Name, add.Parent.Name)
}

// foreignKeyFree reports whether there is nothing to check, or both tables are light.
func foreignKeyFree(c *policy.Check, table *facts.Relation, add ddl.Constraint) (free, known bool) {
	if table.Persistence == "t" || table.CreatedHere && !table.Adopted || table.Empty {
		return true, true
	}
	parent, known := c.Relation(add.Parent)
	if !c.Light(table) {
		return known && takenOver(table, parent, add), true
	}
	if !known {
		return false, false
	}
	return parent == nil || c.Light(parent), true
}

// takenOver reports whether every partition has the key already, so that the server only takes them over.
func takenOver(table, parent *facts.Relation, add ddl.Constraint) bool {
	return table.Kind == "p" && !slices.ContainsFunc(table.Partitions, func(p facts.Partition) bool {
		return p.Kind == "r" && p.ForeignKey(parent, add) == nil
	})
}

// foreignKeyOnPartitioned is the recipe for a partitioned table before PostgreSQL 18, with its own partitions, for all foreign keys that the statement adds.
func foreignKeyOnPartitioned(c *policy.Check, finding policy.Finding, alter ddl.AlterTable, table *facts.Relation) policy.Finding {
	var steps, names []string
	var commands []int
	for i, command := range alter.Commands {
		if command.Op != "AddConstraint" || command.Constraint.Type != ddl.ForeignKey {
			continue
		}
		name := chosenName(c.Stmt, alter, table, i, names...)
		add, err := ddl.AddedConstraint(c.Stmt, i, -1, name, false)
		if err != nil {
			continue // a text that cannot be taken apart is not shown
		}
		names, commands = append(names, name), append(commands, i)
		steps = append(steps, onPartitions(c.Stmt, alter, table, name, add)...)
	}
	finding.Message += "; before PostgreSQL 18 add it NOT VALID to each partition and validate it there, then add it to the parent,"
	return eachByItself(c, finding, typed(besides(c.Stmt, steps, commands...)))
}

// onPartitions is what to type for a foreign key, whose ADD is given, on the first partitions, and then on the table itself.
func onPartitions(stmt ddl.Statement, alter ddl.AlterTable, table *facts.Relation, name, add string) []string {
	var steps []string
	leaves := 0
	for _, p := range table.Partitions {
		if p.Kind != "r" {
			continue
		}
		if leaves++; leaves > shownPartitions {
			continue
		}
		of := qualified(p.Schema, p.Name)
		steps = append(steps, fmt.Sprintf("ALTER TABLE %s %s NOT VALID", of, add), fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", of, quoted(name)))
	}
	if leaves > shownPartitions {
		steps = append(steps, fmt.Sprintf("-- and so on for all %s", partitions(leaves)))
	}
	return append(steps, fmt.Sprintf("ALTER TABLE %s %s", stmt.Text[alter.TableSpan.Start:alter.TableSpan.End], add))
}
