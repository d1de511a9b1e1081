package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

// addedColumn is one ADD COLUMN.
type addedColumn struct {
	c      *policy.Check
	alter  ddl.AlterTable
	index  int // among the commands
	name   string
	column ddl.Column
	// table is nil when nothing is known of it, and domain when the type is none, or not known.
	table  *facts.Relation
	domain *facts.Type
	// base is the type that the column is to be bare of its domain with; "" for its own.
	base string
	// replaces is true when the statement drops a column of the same name: that goes first, whatever the order of the commands.
	replaces bool
}

// addedColumns are the columns that a statement adds to a table; none where the server refuses it at once, or where a column of IF NOT EXISTS is there.
func addedColumns(c *policy.Check) []addedColumn {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return nil
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || !strings.Contains("rp", table.Kind)) {
		return nil
	}
	var added []addedColumn
	for i, command := range alter.Commands {
		if command.Op != "AddColumn" || command.Column == nil {
			continue
		}
		there := table != nil && table.Column(command.Name) != nil
		replaces := slices.ContainsFunc(alter.Commands, func(c ddl.AlterCommand) bool { return c.Op == "DropColumn" && c.Name == command.Name })
		if there && !replaces {
			continue
		}
		column := *command.Column
		if table != nil && slices.ContainsFunc(column.Constraints, func(k ddl.Constraint) bool { return refusesKey(table, alter, k) }) {
			continue
		}
		a := addedColumn{c: c, alter: alter, index: i, name: command.Name, column: column, table: table, replaces: replaces}
		if t := c.Facts.Types[facts.TypeKey(column.Type.Schema, column.Type.Name, column.Array)]; t != nil && t.Kind == "d" {
			a.domain = t
		}
		added = append(added, a)
	}
	return added
}

// light reports whether every row of the table can be read or written without anybody noticing.
func (a addedColumn) light() bool { return a.table != nil && a.c.Light(a.table) }

// written is the table as the statement names it.
func (a addedColumn) written() string {
	return a.c.Stmt.Text[a.alter.TableSpan.Start:a.alter.TableSpan.End]
}

// report completes a finding with what is known of the table.
func (a addedColumn) report(finding policy.Finding) policy.Finding {
	if a.table != nil {
		finding.Detail = size(a.table)
	} else if finding.Unknown == "" {
		finding.Unknown = fmt.Sprintf("the size of table %q", a.alter.Table.Name)
	}
	return finding
}

// apart refuses a plan for a column that takes the place of another in one statement: its steps would not tell the two apart.
func (a addedColumn) apart(finding policy.Finding) policy.Finding {
	if a.replaces {
		finding.Action = policy.Block
		finding.Message += ", and drop the old column in a statement before"
	}
	return finding
}

// named is the table for those who need a name only.
func (a addedColumn) named() *facts.Relation {
	if a.table != nil {
		return a.table
	}
	return &facts.Relation{Name: a.alter.Table.Name}
}

// bare is the statement with an ADD COLUMN without the clauses, "" if the text cannot be taken apart.
func (a addedColumn) bare(without ...ddl.Clause) string {
	text, err := ddl.BareColumn(a.c.Stmt, a.index, cmp.Or(a.base, a.column.SerialType()), without...)
	if err != nil {
		return ""
	}
	return a.with(text)
}

// with is the statement with another command in the place of the ADD COLUMN, "" if the text cannot be taken apart.
func (a addedColumn) with(command string) string {
	text, err := ddl.Commands(a.c.Stmt, map[int][]ddl.Command{a.index: {{SQL: command}}})
	if err != nil {
		return ""
	}
	return text
}

// has reports whether the column is defined with a constraint of the kind.
func (a addedColumn) has(kind ddl.ConstraintType) bool {
	for _, k := range a.column.Constraints {
		if k.Type == kind {
			return true
		}
	}
	return false
}

// required reports whether the column is NOT NULL.
func (a addedColumn) required() bool {
	return a.column.NotNull || a.column.Identity || a.column.Serial() || a.has(ddl.PrimaryKey)
}

// defaulted reports whether DEFAULT gives the column a value.
func (a addedColumn) defaulted() bool { return a.column.Default.End > a.column.Default.Start }

// defaultsToNull reports whether that value is none.
func (a addedColumn) defaultsToNull() bool {
	return strings.EqualFold(a.c.Stmt.Text[a.column.Default.Start:a.column.Default.End], "NULL")
}

// filled reports whether each row gets a value of its own: of a sequence, or of a function that may give another one each time. unknown names what
// is not known, and is taken for such a function.
func (a addedColumn) filled() (filled bool, unknown string) {
	if a.column.Identity || a.column.Serial() {
		return true, ""
	}
	if !a.defaulted() {
		return false, ""
	}
	for _, call := range a.column.DefaultCalls {
		function, known := a.c.Facts.Functions[facts.Key(call.Schema, call.Name)]
		switch {
		case !known:
			filled, unknown = true, fmt.Sprintf("whether function %s is volatile", quoted(call.Name))
		case function.Volatile == "v":
			return true, ""
		}
	}
	return filled, unknown
}
