package rules

import (
	"cmp"
	_ "embed"
	"fmt"
	"strings"

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
	report := func(what, name, with string) {
		c.Report(policy.Finding{Message: fmt.Sprintf("%s %s fails when the migration is run again after a failure; write %s", what, name, with)})
	}
	switch action := c.Stmt.Action.(type) {
	case ddl.CreateTable:
		if !action.IfNotExists && !action.Temp && c.Stmt.Tag == "CREATE TABLE" {
			report("CREATE TABLE", shown(action.Table), "CREATE TABLE IF NOT EXISTS")
		}
	case ddl.Drop:
		if !action.IfExists && action.Object != "" {
			report(c.Stmt.Tag, enumerated(shownNames(action.Names)), c.Stmt.Tag+" IF EXISTS")
		}
	case ddl.AlterTable:
		for _, command := range action.Commands {
			what, condition := repeated[command.Op], "IF EXISTS"
			if strings.HasPrefix(what, "ADD") {
				condition = "IF NOT EXISTS"
			}
			if what != "" && !command.IfExists {
				report(what, quoted(cmp.Or(command.Name, command.NewName))+" of "+shown(action.Table), what+" "+condition)
			}
		}
	}
}

// repeated are the commands that have an IF EXISTS or IF NOT EXISTS, as they are written.
var repeated = map[string]string{"AddColumn": "ADD COLUMN", "DropColumn": "DROP COLUMN", "DropConstraint": "DROP CONSTRAINT", "AddValue": "ADD VALUE"}
