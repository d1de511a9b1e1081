package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed not-in-transaction.sql
var notInTransactionCases string

// activeTransaction is the SQLSTATE of a statement that the server refuses in a transaction block.
const activeTransaction = "25001"

// notInTransaction: the server refuses it, and everything before it was in vain.
func notInTransaction() policy.Rule {
	return policy.Rule{
		Name:  "not-in-transaction",
		Title: "Statement that cannot run in a transaction",
		Doc: `VACUUM, CREATE and DROP DATABASE, ALTER SYSTEM, CREATE INDEX CONCURRENTLY and all else that is CONCURRENTLY are refused by the server inside
a transaction block; and several statements in one Query are one block, also without BEGIN. The server says so only when it comes to the statement: what stands
before it has run, held its locks, and is rolled back.

pgsluice says so before the first statement of the Query runs, with the server's own SQLSTATE, 25001. Send the statement by itself, outside of a
transaction. Nothing is deferred for it: a migration that works only behind a proxy would fail everywhere else.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   notInTransactionCases,
		Run:     runNotInTransaction,
	}
}

func runNotInTransaction(c *policy.Check) {
	if !c.Context.InTransaction || !refusesTransaction(c) {
		return
	}
	tag := c.Stmt.Tag
	if _, ok := c.Stmt.Action.(ddl.AlterTable); ok {
		tag += " ... DETACH PARTITION"
	}
	if concurrent(c.Stmt) {
		tag += " CONCURRENTLY"
	}
	detail := ""
	if !c.Context.File {
		detail = "Several statements in one Query are a transaction block, too."
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("%s cannot run inside a transaction block; send it by itself, outside of the transaction", tag),
		Detail:  detail,
		Hint:    exit(c.Context),
		Code:    activeTransaction,
	})
}

// refusesTransaction asks the statement, and the catalog where that decides: CLUSTER from 15 on and REINDEX of a partitioned table.
func refusesTransaction(c *policy.Check) bool {
	if ddl.Alone(c.Stmt) {
		return true
	}
	since := map[string]int{"REINDEX": 140000, "CLUSTER": 150000}[c.Stmt.Tag]
	if since == 0 || c.Facts.Version < since {
		return false
	}
	for _, ref := range c.Stmt.Refs {
		r, _ := c.Relation(ref.Name)
		if r != nil && (r.Kind == "p" || r.Kind == "I") {
			return true
		}
	}
	return false
}

// concurrent reports whether the statement says CONCURRENTLY.
func concurrent(stmt ddl.Statement) bool {
	switch action := stmt.Action.(type) {
	case ddl.CreateIndex:
		return action.Concurrently
	case ddl.Drop:
		return action.Concurrently
	case ddl.AlterTable:
		return true // of its commands only DETACH PARTITION CONCURRENTLY is refused
	case ddl.Utility:
		return action.Concurrently
	}
	return false
}
