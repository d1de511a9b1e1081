package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed not-repeatable.sql
var notRepeatableCases string

// notRepeatable: a rerun stops at what is done.
func notRepeatable() policy.Rule {
	return policy.Rule{
		Name:  "not-repeatable",
		Title: "Statement that fails when the migration is run again",
		Doc: `Outside of a transaction a migration that fails half-way leaves what it has done. When it is run again, CREATE without IF NOT EXISTS and DROP
without IF EXISTS fail on what is there already, or no longer.

Write IF [NOT] EXISTS there; or run the migration in a transaction, where it is not needed. For an index that is built concurrently it is no
help, since an INVALID leftover counts as existing: that is never asked for. Which objects are there is all that it looks at, never what they are like.`,
		Since:   "0.1",
		Default: policy.Off,
		Cases:   notRepeatableCases,
		Run:     runNotRepeatable,
	}
}

func runNotRepeatable(c *policy.Check) {
	if c.Context.InTransaction {
		return
	}
	report := func(what, with string) {
		c.Report(policy.Finding{Message: fmt.Sprintf("%s fails when the migration is run again after a failure; write %s", what, with)})
	}
	switch action := c.Stmt.Action.(type) {
	case ddl.CreateTable:
		if !action.IfNotExists && !action.Temp && c.Stmt.Tag == "CREATE TABLE" {
			report("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")
		}
	case ddl.Drop:
		if !action.IfExists && action.Object != "" {
			report(c.Stmt.Tag, c.Stmt.Tag+" IF EXISTS")
		}
	case ddl.AlterTable:
		for _, command := range action.Commands {
			switch {
			case command.IfExists:
			case command.Op == "AddColumn":
				report("ADD COLUMN", "ADD COLUMN IF NOT EXISTS")
			case command.Op == "DropColumn":
				report("DROP COLUMN", "DROP COLUMN IF EXISTS")
			case command.Op == "DropConstraint":
				report("DROP CONSTRAINT", "DROP CONSTRAINT IF EXISTS")
			case command.Op == "AddValue":
				report("ADD VALUE", "ADD VALUE IF NOT EXISTS")
			}
		}
	}
}
