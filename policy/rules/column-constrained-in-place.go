package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-constrained-in-place.sql
var columnConstrainedInPlaceCases string

// columnConstrainedInPlace: a new column whose constraint reads the whole table.
func columnConstrainedInPlace() policy.Rule {
	return policy.Rule{
		Name:  "column-constrained-in-place",
		Title: "Column added with a constraint that reads the table",
		Doc: `ADD COLUMN holds an ACCESS EXCLUSIVE lock on the table, its partitions and children. A CHECK that is written with the column reads every row under it,
even where no row has a value; UNIQUE and PRIMARY KEY build an index; REFERENCES with a DEFAULT looks up every row in the other table, which is locked
against writes meanwhile.

Nobody can read or write the table until it is done.

pgsluice adds the column alone, which takes a moment, then the check or the foreign key NOT VALID with a VALIDATE CONSTRAINT, and the key from an index
that is built concurrently. REFERENCES without a default passes: there is nothing to look up. New, empty and small tables are left alone.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Recipe:  alterTable,
		Cases:   columnConstrainedInPlaceCases,
		Run:     runColumnConstrainedInPlace,
	}
}

func runColumnConstrainedInPlace(c *policy.Check) {
	for _, a := range addedColumns(c) {
		work := a.constraintWork()
		if work == "" || a.light() && !a.looksUpInHeavy() {
			continue
		}
		finding := a.report(policy.Finding{
			Message: fmt.Sprintf("adding %q to %q %s, and blocks reads and writes until that is done; ", a.name, a.alter.Table.Name, work),
		})
		filled, _ := a.filled()
		if !filled && a.defaulted() && (a.has(ddl.Unique) || a.has(ddl.PrimaryKey)) {
			finding.Action = policy.Block
			finding.Message = fmt.Sprintf("%q cannot be unique: all rows of %q would have the same value; add it without a default, give each row its value, then add the key",
				a.name, a.alter.Table.Name)
			finding.Hint = a.bare(ddl.DefaultClause, ddl.UniqueClause, ddl.PrimaryKeyClause, ddl.NotNullClause) + ";"
			c.Report(finding)
			continue
		}
		if corrupting(c) && (a.has(ddl.Unique) || a.has(ddl.PrimaryKey)) {
			finding.Action = policy.Block
			finding.Message += afterUpgrade
			c.Report(finding)
			continue
		}
		finding.Message += "add the column first, then the constraint in its safe form"
		steps := a.constraintSteps(false)
		if filled {
			steps = a.fillSteps()
		} else {
			steps = append([]string{a.bare(a.constraintClauses()...)}, steps...)
		}
		c.Report(a.apart(instead(c, finding, steps...)))
	}
}

const looksUp = "looks up every row for its foreign key"

// constraintWork says what the constraints that are written with the column cost, "" for nothing. A primary key without a value is refused by the
// server, and by a rule of its own.
func (a addedColumn) constraintWork() string {
	filled, _ := a.filled()
	switch {
	case a.has(ddl.Unique) || a.has(ddl.PrimaryKey) && (filled || a.defaulted()):
		return "builds the index of its key"
	case a.has(ddl.Check):
		return "reads every row for its check"
	case a.has(ddl.ForeignKey) && (filled || a.defaulted()):
		return looksUp
	}
	return ""
}

// looksUpInHeavy reports whether all that the constraints cost is that the rows of the column's table, however few, are looked up in one that is large: that is
// locked, too, and may be read whole.
func (a addedColumn) looksUpInHeavy() bool {
	if a.table.Empty || private(a.table) || a.constraintWork() != looksUp {
		return false
	}
	for _, k := range a.column.Constraints {
		if parent, known := a.c.Relation(k.Parent); k.Type == ddl.ForeignKey && known && parent != nil && !a.c.Light(parent) {
			return true
		}
	}
	return false
}

// constraintClauses are those of constraints that have to follow the column.
func (a addedColumn) constraintClauses() []ddl.Clause {
	clauses := []ddl.Clause{ddl.CheckClause, ddl.UniqueClause, ddl.PrimaryKeyClause}
	if a.defaulted() {
		clauses = append(clauses, ddl.ReferencesClause)
	}
	return clauses
}

// constraintSteps is what to type for the constraints once the column is there; all is true when a foreign key is among them whatever the default.
func (a addedColumn) constraintSteps(all bool) []string {
	var steps []string
	for i, k := range a.column.Constraints {
		if k.Type == ddl.ForeignKey && !all && !a.defaulted() {
			continue
		}
		name := k.Name
		if name == "" {
			var err error
			if name, err = facts.InlineConstraintName(a.c.Stmt, a.index, i, a.named(), nil); err != nil {
				name = strings.Join([]string{a.alter.Table.Name, a.name, "constraint"}, "_")
			}
		}
		if k.Type == ddl.Unique || k.Type == ddl.PrimaryKey {
			steps = append(steps, ddl.KeyIndex(a.c.Stmt, k, a.written(), name), fmt.Sprintf("ALTER TABLE %s %s", a.written(), ddl.KeyUsing(k, name)))
			continue
		}
		partly := byPartition(a.c, a.table, k)
		text, err := ddl.AddedConstraint(a.c.Stmt, a.index, i, name, !partly)
		if err != nil {
			continue // a text that cannot be taken apart is not shown
		}
		if partly {
			steps = append(steps, onPartitions(a.c.Stmt, a.alter, a.table, name, text)...)
			continue
		}
		steps = append(steps, fmt.Sprintf("ALTER TABLE %s %s", a.written(), text), fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", a.written(), quoted(name)))
	}
	return steps
}
