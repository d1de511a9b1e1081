package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed indexes-too-many.sql
var indexesTooManyCases string

// manyIndexes is how many indexes a table may have before one more is worth a question.
const manyIndexes = 10

// indexesTooMany: every one of them is written with every row.
func indexesTooMany() policy.Rule {
	return policy.Rule{
		Name:  "indexes-too-many",
		Title: "One more index on a table that has many",
		Doc: fmt.Sprintf(`Every INSERT writes all indexes of a table, and so does every UPDATE that is not HOT. With %d and more of them a write costs many times
what the row itself costs, the WAL grows with it, and VACUUM reads each of them.

Nobody waits when the index is made; all writes are slower from then on. It is a matter of taste where too many begins, and the rule is off unless the
configuration sets it.

See which indexes are never used (pg_stat_user_indexes.idx_scan), and drop those first. Tables that are small, empty, temporary or new are left alone.`, manyIndexes),
		Since:   "0.3",
		Default: policy.Off,
		Cases:   indexesTooManyCases,
		Run:     runIndexesTooMany,
	}
}

func runIndexesTooMany(c *policy.Check) {
	name, index, ok := oneMoreIndex(c.Stmt)
	table, _ := c.Relation(name)
	if !ok || table == nil || c.Light(table) { // without facts nobody knows the other indexes
		return
	}
	if len(table.Indexes) < manyIndexes || slices.ContainsFunc(table.Indexes, func(i facts.Index) bool { return i.Name == index }) {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("%q has %d indexes, and every write of it maintains them all; drop those that no query uses first", table.Name, len(table.Indexes)),
		Detail:  size(table),
		Hint:    fmt.Sprintf("SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE relid = %s::regclass ORDER BY idx_scan;", literal(qualified(table.Schema, table.Name))),
	})
}

// oneMoreIndex is the table that a statement gives an index, and the name of that, "" if the server is to choose.
func oneMoreIndex(stmt ddl.Statement) (table ddl.Name, index string, ok bool) {
	switch action := stmt.Action.(type) {
	case ddl.CreateIndex:
		return action.Table, action.Name, true
	case ddl.AlterTable:
		for _, k := range addedConstraints(action) {
			if (k.Type == ddl.PrimaryKey || k.Type == ddl.Unique || k.Type == ddl.Exclusion) && k.UsingIndex == "" {
				return action.Table, k.Name, true
			}
		}
	}
	return ddl.Name{}, "", false
}
