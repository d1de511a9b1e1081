package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed index-redundant.sql
var indexRedundantCases string

// indexRedundant: what one index finds another one finds, too.
func indexRedundant() policy.Rule {
	return policy.Rule{
		Name:  "index-redundant",
		Title: "Index that another one makes superfluous",
		Doc: `An index whose columns are the leading columns of another one finds nothing that the other does not find; one with the same columns
certainly does not. A column that is in an index twice is in it once too often.

Nobody waits, but every write maintains both, and both take room and cache. The shorter one can still be worth it where it is much smaller than the
longer one, so the rule is off unless the configuration sets it.

Only whole btree indexes over columns in their usual order are compared, and a unique index is never superfluous.`,
		Since:   "0.2",
		Default: policy.Off,
		Cases:   indexRedundantCases,
		Run:     runIndexRedundant,
	}
}

func runIndexRedundant(c *policy.Check) {
	create, ok := c.Stmt.Action.(ddl.CreateIndex)
	if !ok {
		return
	}
	for i, column := range create.Columns {
		if column != "" && slices.Contains(create.Columns[:i], column) {
			c.Report(policy.Finding{Action: policy.Warn, Message: fmt.Sprintf("column %q is in this index twice; leave one out", column)})
			return
		}
	}
	table, known := c.Relation(create.Table)
	plain, err := ddl.PlainKeys(c.Stmt)
	if !known || table == nil || err != nil || !plain || create.Partial || create.Method != "btree" {
		return // without facts nobody knows the other indexes
	}
	for _, i := range table.Indexes {
		if !i.Valid || !i.Plain || i.Name == create.Name {
			continue
		}
		switch {
		case !create.Unique && leads(create.Columns, i.Columns):
			c.Report(policy.Finding{
				Action: policy.Warn, Detail: columnsOf(i),
				Message: fmt.Sprintf("index %q of %q finds all that this one would; use that", i.Name, table.Name),
			})
			return
		case !i.Unique && leads(i.Columns, create.Columns):
			c.Report(policy.Finding{
				Action: policy.Warn, Detail: columnsOf(i),
				Message: fmt.Sprintf("this index finds all that index %q of %q finds; drop that one when this one is there", i.Name, table.Name),
				Hint:    fmt.Sprintf("DROP INDEX CONCURRENTLY %s;", qualified(table.Schema, i.Name)),
			})
			return
		}
	}
}

// leads reports whether an index over the first columns finds nothing that one over the second does not find.
func leads(columns, of []string) bool {
	return len(columns) <= len(of) && slices.Equal(columns, of[:len(columns)])
}

func columnsOf(i facts.Index) string {
	return fmt.Sprintf("Index %s has the columns %s.", i.Name, quotedList(i.Columns))
}
