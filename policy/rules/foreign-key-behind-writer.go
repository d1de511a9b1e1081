package rules

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed foreign-key-behind-writer.sql
var foreignKeyBehindWriterCases string

// longWriter is how long a transaction may have been open before nobody should queue up behind it.
const longWriter = 5 * time.Second

// foreignKeyBehindWriter: the table is new, and all writers of another one wait.
func foreignKeyBehindWriter() policy.Rule {
	return policy.Rule{
		Name:  "foreign-key-behind-writer",
		Title: "Foreign key to a table that a long transaction writes to",
		Doc: fmt.Sprintf(`A foreign key takes SHARE ROW EXCLUSIVE on the table that it references, also when a new table is created with it, and NOT VALID does not
help. It has to wait for every transaction that has written to that table, and meanwhile all other writers of it wait behind.

With a batch job or a forgotten transaction on the referenced table that is as long as it goes on. pgsluice asks for the lock in short tries, so that the
others get through; the statement itself may have to give up in the end.

pgsluice warns where such a transaction has been open for %d seconds or more, as far as the login may see how long others' have been. End it, or run the
migration when it has ended. Tables that this transaction has made do not count, and files know nothing of it.`, longWriter/time.Second),
		Since:   "0.3",
		Default: policy.Warn,
		Cases:   foreignKeyBehindWriterCases,
		Run:     runForeignKeyBehindWriter,
	}
}

func runForeignKeyBehindWriter(c *policy.Check) {
	if create, ok := c.Stmt.Action.(ddl.CreateTable); c.Context.File || ok && thereAlready(c, create) {
		return
	}
	for _, parent := range ddl.Referenced(c.Stmt) {
		table, _ := c.Relation(parent)
		if table == nil || table.Busy < longWriter.Seconds() {
			continue
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("writers of %q queue behind this while it waits for a transaction that has been open for %s; run it when that has ended",
				table.Name, time.Duration(table.Busy)*time.Second),
			Hint: fmt.Sprintf("Which it is: SELECT a.pid, a.usename, a.state, a.xact_start FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE l.relation = %s::regclass;",
				literal(qualified(table.Schema, table.Name))),
		})
		return
	}
}
