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

//go:embed foreign-key-without-index.sql
var foreignKeyWithoutIndexCases string

// foreignKeyWithoutIndex: every DELETE of a referenced row reads the whole referencing table.
func foreignKeyWithoutIndex() policy.Rule {
	return policy.Rule{
		Name:  "foreign-key-without-index",
		Title: "Foreign key without an index on its columns",
		Doc: `A foreign key has an index on the referenced side only. Without one on the referencing columns, each DELETE of a referenced row, and each
UPDATE of its key, reads the referencing table from beginning to end, and holds the row locked meanwhile.

Nothing waits when the key is added; the cost comes later, with every row that is deleted.

pgsluice warns, unless the table is new, empty or small, or an index begins with the columns in any order.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   foreignKeyWithoutIndexCases,
		Run:     runForeignKeyWithoutIndex,
	}
}

func runForeignKeyWithoutIndex(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if !known || table == nil || !table.MayAlter || c.Light(table) {
		return // without the catalog nobody knows what indexes there are
	}
	for _, add := range addedConstraints(alter) {
		if add.Type != ddl.ForeignKey || covered(table, add.Columns) || keyOf(alter, add.Columns) {
			continue
		}
		columns := make([]string, len(add.Columns))
		for i, column := range add.Columns {
			columns[i] = quoted(column)
		}
		list := strings.Join(columns, ", ")
		when, hint := "create one first", ""
		index := indexSteps(c, table, c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End], list)
		if slices.ContainsFunc(add.Columns, func(name string) bool { return table.Column(name) == nil }) {
			when, hint = "create one behind it", strings.Join(append([]string{c.Stmt.Text + ";"}, index...), "\n")
		} else {
			hint = strings.Join(append(index, c.Stmt.Text+";"), "\n")
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("no index begins with (%s): every DELETE on %q will read all of %q; %s", list, add.Parent.Name, table.Name, when),
			Detail:  size(table),
			Hint:    hint,
		})
	}
}

// indexSteps is what to type for an index on the columns that keeps nobody waiting. A partitioned table has no concurrent build of its own.
func indexSteps(c *policy.Check, table *facts.Relation, written, columns string) []string {
	if table.Kind != "p" {
		return []string{fmt.Sprintf("CREATE INDEX CONCURRENTLY ON %s (%s);", written, columns)}
	}
	stmt, err := ddl.Reparse(fmt.Sprintf("CREATE INDEX ON %s (%s)", written, columns))
	if err != nil {
		return nil
	}
	of := *c
	of.Stmt = stmt
	return indexEach(&of, stmt.Action.(ddl.CreateIndex), table, true)
}

// covered reports whether an index, there or promised by this transaction, can find the rows of a key: it begins with the columns, in any order.
func covered(table *facts.Relation, columns []string) bool {
	coming := slices.ContainsFunc(table.Coming, func(keys []string) bool { return begins(keys, columns) })
	return coming || slices.ContainsFunc(table.Indexes, func(i facts.Index) bool {
		return i.Valid && !i.Partial && i.Method == "btree" && begins(i.Columns, columns)
	})
}

func begins(index, columns []string) bool {
	return len(index) >= len(columns) && !slices.ContainsFunc(index[:len(columns)], func(name string) bool { return !slices.Contains(columns, name) })
}

// keyOf reports whether the same statement adds a key that begins with the columns.
func keyOf(alter ddl.AlterTable, columns []string) bool {
	return slices.ContainsFunc(addedConstraints(alter), func(k ddl.Constraint) bool {
		return (k.Type == ddl.Unique || k.Type == ddl.PrimaryKey) && k.UsingIndex == "" && begins(k.Columns, columns)
	})
}

// addedConstraints are the constraints that an ALTER TABLE adds, those of new columns included.
func addedConstraints(alter ddl.AlterTable) []ddl.Constraint {
	var all []ddl.Constraint
	for _, command := range alter.Commands {
		switch {
		case command.Op == "AddConstraint" && command.Constraint != nil:
			all = append(all, *command.Constraint)
		case command.Op == "AddColumn" && command.Column != nil:
			all = append(all, command.Column.Constraints...)
		}
	}
	return all
}
