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

//go:embed not-null-checked-in-place.sql
var notNullCheckedInPlaceCases string

// notNullCheckedInPlace: every row is read for NULLs while nobody can use the table.
func notNullCheckedInPlace() policy.Rule {
	return policy.Rule{
		Name:  "not-null-checked-in-place",
		Title: "NOT NULL checked under its lock",
		Doc: `ALTER COLUMN … SET NOT NULL holds an ACCESS EXCLUSIVE lock while it reads every row of the table, its partitions and children, unless a valid
check constraint proves that there is no NULL. ADD PRIMARY KEY USING INDEX does the same for columns that are not NOT NULL yet.

Nobody can read or write the table until all of it is read, inside a transaction until its COMMIT.

pgsluice adds a check that is NOT VALID, which new rows obey from then on, validates it under a lock that lets everybody work, makes the column
NOT NULL, for which the server then reads nothing, and drops the check in the same transaction; since PostgreSQL 18 it adds the NOT NULL itself
NOT VALID. Inside a transaction it does so behind the COMMIT. A check that is there already is used. New, empty and small tables are left
alone.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Recipe:  alterTable,
		Cases:   notNullCheckedInPlaceCases,
		Run:     runNotNullCheckedInPlace,
	}
}

func runNotNullCheckedInPlace(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || c.Light(table)) {
		return
	}
	for i, command := range alter.Commands {
		for _, column := range checkedColumns(command, table) {
			if !known {
				notNullOnUnknown(c, alter, column)
				return
			}
			if !readForNulls(table, alter, column) {
				continue
			}
			finding := policy.Finding{
				Message: fmt.Sprintf("making %q NOT NULL blocks reads and writes of %q while every row is checked; %s", column, table.Name, proveFirst(c, alter, table, column)),
				Detail:  size(table),
			}
			if isNotNull(command) {
				c.Report(addedNotNull(c, alter, table, i, finding))
				return
			}
			c.Report(instead(c, finding, proven(c, alter, table, func(column string) bool { return readForNulls(table, alter, column) })...))
			return
		}
	}
}

// proven is what to type in place of the statement: what else it does, and a proof of each NOT NULL that the table would be read for.
func proven(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, read func(column string) bool) []string {
	var steps []string
	var commands []int
	for i, command := range alter.Commands {
		columns := slices.DeleteFunc(slices.Clone(checkedColumns(command, table)), func(column string) bool { return !read(column) })
		if len(columns) == 0 || isNotNull(command) {
			continue
		}
		commands = append(commands, i)
		for _, column := range columns {
			for _, step := range notNullSteps(c, alter, table, column) {
				steps = append(steps, strings.TrimSuffix(step, ";"))
			}
		}
		if command.Op == "AddConstraint" {
			steps = append(steps, fmt.Sprintf("ALTER TABLE %s %s", c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End],
				c.Stmt.Text[command.Span.Start:command.Span.End]))
		}
	}
	return besides(c.Stmt, steps, commands...)
}

// isNotNull reports whether a command adds a NOT NULL constraint (18) that is valid when the statement ends.
func isNotNull(command ddl.AlterCommand) bool {
	return command.Op == "AddConstraint" && command.Constraint.Type == ddl.NotNull && !command.Constraint.NotValid
}

// addedNotNull refuses such a constraint: its own words and NOT VALID are what to type instead.
func addedNotNull(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, index int, finding policy.Finding) policy.Finding {
	command := alter.Commands[index]
	column, name := command.Constraint.Columns[0], command.Constraint.Name
	finding.Action = policy.Block
	finding.Message = fmt.Sprintf("adding NOT NULL to %q blocks reads and writes of %q while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT",
		column, table.Name)
	if name == "" {
		var err error
		if name, err = facts.NotNullName(table, column, nil); err != nil {
			return instead(c, finding)
		}
	}
	written := "ALTER TABLE " + c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End]
	return instead(c, finding, besides(c.Stmt, []string{fmt.Sprintf("%s %s NOT VALID", written, c.Stmt.Text[command.Span.Start:command.Span.End]),
		fmt.Sprintf("%s VALIDATE CONSTRAINT %s", written, quoted(name))}, index)...)
}

// checkedColumns are the columns that a command makes NOT NULL: of SET NOT NULL, of NOT NULL as a constraint, and of a primary key that is made of
// an index.
func checkedColumns(command ddl.AlterCommand, table *facts.Relation) []string {
	switch {
	case isNotNull(command):
		return command.Constraint.Columns
	case command.Op == "SetNotNull":
		return []string{command.Name}
	case command.Op == "AddConstraint" && command.Constraint.Type == ddl.PrimaryKey && table != nil:
		for _, i := range table.Indexes {
			if i.Name == command.Constraint.UsingIndex && i.Valid {
				return i.Columns
			}
		}
	}
	return nil
}

// readForNulls reports whether the server reads the table to know that a column has no NULL.
func readForNulls(table *facts.Relation, alter ddl.AlterTable, column string) bool {
	found := table.Column(column)
	if found == nil {
		return false // the server says what is wrong, or the same statement makes it
	}
	if found.NotNull {
		return unprovenNotNull(table, column) != ""
	}
	proof := table.NotNullProof(column, droppedConstraints(alter))
	return proof == nil || !proof.Validated
}

// unprovenNotNull is the name of a NOT NULL that is NOT VALID, as 18 knows it; SET NOT NULL reads the table for it.
func unprovenNotNull(table *facts.Relation, column string) string {
	for _, k := range table.Constraints {
		if k.Type == "n" && !k.Validated && slices.Equal(k.Columns, []string{column}) {
			return k.Name
		}
	}
	return ""
}

func droppedConstraints(alter ddl.AlterTable) []string {
	var names []string
	for _, command := range alter.Commands {
		if command.Op == "DropConstraint" {
			names = append(names, command.Name)
		}
	}
	return names
}

func notNullOnUnknown(c *policy.Check, alter ddl.AlterTable, column string) {
	finding := policy.Finding{
		Message: fmt.Sprintf("making %q NOT NULL blocks reads and writes of %q while every row is checked; prove it first by CHECK (%s IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT",
			column, alter.Table.Name, quoted(column)),
		Unknown: fmt.Sprintf("the size of table %q, and whether a valid check proves that %q has no NULL", alter.Table.Name, column),
	}
	c.Report(instead(c, finding, proven(c, alter, &facts.Relation{Name: alter.Table.Name}, func(string) bool { return true })...))
}

// proveFirst says what is to come first.
func proveFirst(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, column string) string {
	if name := unprovenNotNull(table, column); name != "" {
		return fmt.Sprintf("it is there and NOT VALID: use VALIDATE CONSTRAINT %s", quoted(name))
	}
	if proof := table.NotNullProof(column, droppedConstraints(alter)); proof != nil {
		return fmt.Sprintf("prove it first by VALIDATE CONSTRAINT %s", quoted(proof.Name))
	}
	if c.Facts.Version >= 180000 {
		return "add it NOT VALID, then VALIDATE CONSTRAINT"
	}
	return fmt.Sprintf("prove it first by CHECK (%s IS NOT NULL) NOT VALID and VALIDATE CONSTRAINT", quoted(column))
}

// notNullSteps is what to type for a NOT NULL that keeps nobody waiting.
func notNullSteps(c *policy.Check, alter ddl.AlterTable, table *facts.Relation, column string) []string {
	written := "ALTER TABLE " + c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End]
	set := fmt.Sprintf("%s ALTER COLUMN %s SET NOT NULL;", written, quoted(column))
	if name := unprovenNotNull(table, column); name != "" {
		return []string{fmt.Sprintf("%s VALIDATE CONSTRAINT %s;", written, quoted(name))}
	}
	if proof := table.NotNullProof(column, droppedConstraints(alter)); proof != nil {
		return []string{fmt.Sprintf("%s VALIDATE CONSTRAINT %s;", written, quoted(proof.Name)), set}
	}
	if c.Facts.Version >= 180000 {
		if name, err := facts.NotNullName(table, column, nil); err == nil {
			return []string{fmt.Sprintf("%s ADD CONSTRAINT %s NOT NULL %s NOT VALID;", written, quoted(name), quoted(column)),
				fmt.Sprintf("%s VALIDATE CONSTRAINT %s;", written, quoted(name))}
		}
	}
	helper := quoted(table.Name + "_" + column + "_check_null")
	return []string{
		fmt.Sprintf("%s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;", written, helper, quoted(column)),
		fmt.Sprintf("%s VALIDATE CONSTRAINT %s;", written, helper),
		set,
		fmt.Sprintf("%s DROP CONSTRAINT %s;", written, helper),
	}
}
