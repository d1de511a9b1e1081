package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed transaction-cut-short.sql
var transactionCutShortCases string

// transactionCutShort: what looks like one transaction is two, or none.
func transactionCutShort() policy.Rule {
	return policy.Rule{
		Name:  "transaction-cut-short",
		Title: "Transaction that ends where nobody expects it",
		Doc: `Most migration tools begin a transaction before a file and commit it behind the last statement. A COMMIT or ROLLBACK in the file ends that
transaction: what follows runs without one, is not rolled back when it fails, and the tool's own COMMIT finds nothing to commit. A BEGIN in the file
does nothing but warn, and its COMMIT ends the tool's transaction. A BEGIN without a COMMIT is rolled back when the connection closes, with all that
came behind it, and a COMMIT without a BEGIN shows that two statements are not the unit that they were meant to be. SAVEPOINT and LOCK TABLE need a transaction,
and fail without one.

Nobody waits for any of this; a half-applied migration is what comes of it. Leave the transaction to the tool, or switch the tool's own off and write
BEGIN and COMMIT in pairs. Only files are judged: on a connection the server itself says what state it is in, and pgsluice goes by that.`,
		Since:   "0.2",
		Default: policy.Warn,
		Cases:   transactionCutShortCases,
		Run:     runTransactionCutShort,
	}
}

func runTransactionCutShort(c *policy.Check) {
	if !c.Context.File {
		return
	}
	control, ok := c.Stmt.Action.(ddl.Transaction)
	if _, lock := c.Stmt.Action.(ddl.LockTable); lock || ok && slices.Contains([]ddl.TransactionOp{ddl.Savepoint, ddl.Release, ddl.RollbackTo}, control.Op) {
		if !c.Context.InTransaction {
			c.Report(policy.Finding{Message: fmt.Sprintf("%s fails outside of a transaction, and none has begun; add BEGIN before it", c.Stmt.Tag)})
		}
		return
	}
	if !ok {
		return
	}
	message, hint := "", ""
	switch control.Op {
	case ddl.Begin:
		switch {
		case c.Context.Managed:
			message = "the migration tool has begun a transaction already; leave BEGIN and its COMMIT out, which would end the tool's transaction"
			hint = withoutTransaction(c.Context)
		case c.Context.InTransaction:
			message = "BEGIN within a transaction does nothing, and the next COMMIT ends all of it; COMMIT first, or leave this BEGIN out"
		case !slices.ContainsFunc(c.Context.Ahead, ends):
			message = "nothing commits what this BEGIN begins, so that it is rolled back when the connection closes; add COMMIT at the end"
		}
	case ddl.Commit, ddl.Rollback:
		switch {
		case c.Context.Managed:
			message = fmt.Sprintf("%s ends the migration tool's transaction, and what follows is not undone when it fails; leave it out", c.Stmt.Tag)
			hint = withoutTransaction(c.Context)
		case !c.Context.InTransaction:
			message = fmt.Sprintf("%s ends no transaction, because none has begun; add BEGIN where it should begin, or leave it out", c.Stmt.Tag)
		}
	}
	if message != "" {
		c.Report(policy.Finding{Message: message, Hint: hint})
	}
}

// ends reports whether a statement ends a transaction.
func ends(stmt ddl.Statement) bool {
	control, ok := stmt.Action.(ddl.Transaction)
	return ok && (control.Op == ddl.Commit || control.Op == ddl.Rollback || control.Op == ddl.Prepare)
}

// withoutTransaction is how the tool at hand leaves the transaction to the file; "" when the tool is not known.
func withoutTransaction(where policy.Context) string {
	if where.Exit == "" {
		return ""
	}
	return "Or switch the tool's transaction off, " + where.Exit + "."
}
