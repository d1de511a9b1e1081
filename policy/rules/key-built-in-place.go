package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed key-built-in-place.sql
var keyBuiltInPlaceCases string

// keyBuiltInPlace: a unique constraint or primary key whose index is built while nobody can use the table.
func keyBuiltInPlace() policy.Rule {
	return policy.Rule{
		Name:  "key-built-in-place",
		Title: "Unique constraint or primary key built under its lock",
		Doc: `ALTER TABLE … ADD UNIQUE and ADD PRIMARY KEY hold an ACCESS EXCLUSIVE lock while they build the index of the constraint; a primary key also
reads every row for NULLs. On a partitioned table the partitions are locked with it.

Nobody can read or write the table until the index is built, inside a transaction until its COMMIT.

pgsluice builds the index with CREATE UNIQUE INDEX CONCURRENTLY, which lets everybody work, and then makes the constraint of it, which needs its
lock for a moment only; inside a transaction behind the COMMIT. The columns of a primary key are proven NOT NULL first. A partitioned table gets
the key partition by partition. New, empty and small tables are left alone.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Recipe:  alterTable,
		Cases:   keyBuiltInPlaceCases,
		Run:     runKeyBuiltInPlace,
	}
}

func runKeyBuiltInPlace(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	for i, command := range alter.Commands {
		if !buildsKey(command) {
			continue
		}
		add := command.Constraint
		table, known := c.Relation(alter.Table)
		if known && (table == nil || refusesKey(table, alter, *add) || c.Light(table) || buildsNothing(table, alter)) {
			return
		}
		keyFinding(c, alter, table, i)
		return
	}
}

// buildsKey reports whether a command adds a unique constraint or primary key with an index of its own.
func buildsKey(command ddl.AlterCommand) bool {
	add := command.Constraint
	return command.Op == "AddConstraint" && (add.Type == ddl.Unique || add.Type == ddl.PrimaryKey) && add.UsingIndex == ""
}

// refusesKey reports whether the server refuses the key at once.
func refusesKey(table *facts.Relation, alter ddl.AlterTable, add ddl.Constraint) bool {
	replaced := slices.ContainsFunc(alter.Commands, func(c ddl.AlterCommand) bool { return c.Op == "DropConstraint" || c.Op == "DropColumn" })
	second := add.Type == ddl.PrimaryKey && !replaced && slices.ContainsFunc(table.Indexes, func(i facts.Index) bool { return i.Primary })
	return !table.MayAlter || second
}

// buildsNothing reports whether a partitioned table gets a key that has no rows to look at: its partitions' are attached later.
func buildsNothing(table *facts.Relation, alter ddl.AlterTable) bool {
	return table.Kind == "p" && (alter.Only || len(table.Partitions) == 0)
}

func keyFinding(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, command int) {
	add := *alter.Commands[command].Constraint
	kind := "a unique constraint"
	if add.Type == ddl.PrimaryKey {
		kind = "a primary key"
	}
	if add.Name != "" {
		kind = fmt.Sprintf("constraint %q", add.Name)
	}
	finding := policy.Finding{Message: fmt.Sprintf("adding %s blocks reads and writes of %q while its index is built; ", kind, alter.Table.Name)}
	if table == nil {
		finding.Unknown = fmt.Sprintf("the size of table %q", alter.Table.Name)
		table = &facts.Relation{Name: alter.Table.Name}
	} else {
		finding.Detail = size(table)
	}
	if add.Temporal {
		finding.Action = policy.Block
		finding.Message += "a key WITHOUT OVERLAPS cannot take over an index: do it in a maintenance window, or on a new table that replaces it"
		c.Report(finding)
		return
	}
	if table.Kind == "p" {
		name := chosenName(c.Stmt, alter, table, command)
		steps := append(typed(besides(c.Stmt, nil, command)), provenFirst(c, alter, table, add)...)
		finding.Message += fmt.Sprintf("add it to ONLY %s, then to its partitions one by one, and attach those,", quoted(table.Name))
		top := fmt.Sprintf("ALTER TABLE ONLY %s %s;", qualified(table.Schema, table.Name), ddl.Key(c.Stmt, add, name))
		c.Report(eachByItself(c, finding, append(append(steps, top), keysOfPartitions(c.Stmt, table, add, name)...)))
		return
	}
	if corrupting(c) {
		finding.Action = policy.Block
		finding.Message += afterUpgrade
		c.Report(finding)
		return
	}
	finding.Message += "build it with CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... USING INDEX"
	c.Report(instead(c, finding, builtConcurrently(c, alter, table)...))
}

// builtConcurrently is what to type in place of the statement: what else it does, and each key over an index that is built concurrently.
func builtConcurrently(c *policy.Check, alter ddl.AlterTable, table *facts.Relation) []string {
	written := c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End]
	var names, steps []string
	var commands []int
	for i, command := range alter.Commands {
		if !buildsKey(command) || command.Constraint.Temporal {
			continue
		}
		commands = append(commands, i)
		for _, step := range provenFirst(c, alter, table, *command.Constraint) {
			steps = append(steps, strings.TrimSuffix(step, ";"))
		}
		name := chosenName(c.Stmt, alter, table, i, names...)
		names = append(names, name)
		steps = append(steps, ddl.KeyIndex(c.Stmt, *command.Constraint, written, name), fmt.Sprintf("ALTER TABLE %s %s", written, ddl.KeyUsing(*command.Constraint, name)))
	}
	return besides(c.Stmt, steps, commands...)
}

// provenFirst is what makes the columns of a primary key NOT NULL.
func provenFirst(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, add ddl.Constraint) []string {
	var steps []string
	if add.Type != ddl.PrimaryKey {
		return nil
	}
	for _, column := range add.Columns {
		if found := table.Column(column); found == nil || !found.NotNull {
			steps = append(steps, notNullSteps(c, alter, table, column)...)
		}
	}
	return steps
}

// keysOfPartitions is what to type for the first partitions, with the names that the server would have chosen.
func keysOfPartitions(stmt ddl.Statement, table *facts.Relation, add ddl.Constraint, name string) []string {
	label := "key"
	if add.Type == ddl.PrimaryKey {
		label = "pkey"
	}
	var steps []string
	shown := 0
	var below func(parent uint32, index string)
	below = func(parent uint32, index string) {
		for _, p := range table.Partitions {
			if p.Parent != parent || shown == shownPartitions {
				continue
			}
			shown++
			own, of := facts.KeyName(p.Name, label, slices.Concat(add.Columns, add.Include), nil), qualified(p.Schema, p.Name)
			if p.Kind == "p" {
				steps = append(steps, fmt.Sprintf("ALTER TABLE ONLY %s %s;", of, ddl.Key(stmt, add, own)))
			} else {
				steps = append(steps, ddl.KeyIndex(stmt, add, of, own)+";", fmt.Sprintf("ALTER TABLE %s %s;", of, ddl.KeyUsing(add, own)))
			}
			steps = append(steps, fmt.Sprintf("ALTER INDEX %s ATTACH PARTITION %s;", index, qualified(p.Schema, own)))
			below(p.OID, qualified(p.Schema, own))
		}
	}
	below(table.OID, qualified(table.Schema, name))
	if shown < len(table.Partitions) {
		steps = append(steps, fmt.Sprintf("-- and so on for all %s", partitions(len(table.Partitions))))
	}
	return steps
}
