package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed table-without-primary-key.sql
var tableWithoutPrimaryKeyCases string

// tableWithoutPrimaryKey: its rows cannot be told apart.
func tableWithoutPrimaryKey() policy.Rule {
	return policy.Rule{
		Name:  "table-without-primary-key",
		Title: "Table without a primary key",
		Doc: `Rows of a table without a primary key cannot be told apart: logical replication refuses to UPDATE and DELETE them, batches have nothing to go
along, and a duplicate cannot be removed alone. To add the key later means to build an index and to scan for NULLs.

Give the table a primary key. Temporary and foreign tables, partitions, tables that take their columns from elsewhere (LIKE, OF, INHERITS) and CREATE
TABLE AS are left alone. A key that ALTER TABLE adds later is seen in a file; on a connection nobody knows what comes.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   tableWithoutPrimaryKeyCases,
		Run:     runTableWithoutPrimaryKey,
	}
}

func runTableWithoutPrimaryKey(c *policy.Check) {
	create, ok := c.Stmt.Action.(ddl.CreateTable)
	if !ok || create.Temp || create.As || create.Foreign || create.Copies || create.PartitionOf != (ddl.Name{}) {
		return
	}
	if there, known := c.Relation(create.Table); create.IfNotExists && known && there != nil {
		return // nothing is made
	}
	if keyed(create.Constraints) || slices.ContainsFunc(create.Columns, func(column ddl.Column) bool { return keyed(column.Constraints) }) {
		return
	}
	if slices.ContainsFunc(c.Context.Ahead, func(s ddl.Statement) bool { return keys(s, create.Table) }) {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("table %q has no primary key: replication and batches need one; add id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", create.Table.Name),
	})
}

// keys reports whether a statement gives a table a primary key.
func keys(s ddl.Statement, table ddl.Name) bool {
	alter, ok := s.Action.(ddl.AlterTable)
	return ok && alter.Table == table && keyed(addedConstraints(alter))
}
