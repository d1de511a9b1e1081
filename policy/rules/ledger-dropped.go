package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed ledger-dropped.sql
var ledgerDroppedCases string

// ledgerDropped: pgsluice's own record.
func ledgerDropped() policy.Rule {
	return policy.Rule{
		Name:  "ledger-dropped",
		Title: "pgsluice's ledger dropped or changed",
		Doc: `The schema pgsluice holds the ledger: which revisions ran, what they promised to finish after their COMMIT, and the jobs under way.
Without it promised work is never done and nobody is told, and statements can no longer be deferred. Tools that compare schemas propose to
drop it because they do not know it.

Leave the schema out of comparisons (Alembic include_name, pg_dump -N pgsluice, Rails schema_search_path). To remove pgsluice from a database, see
that "pgsluice jobs" is empty, and drop it with a direct connection.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   ledgerDroppedCases,
		Run:     runLedgerDropped,
	}
}

const (
	ledgerSchema = "pgsluice"
	ledgerOwner  = "pgsluice_owner"
)

func runLedgerDropped(c *policy.Check) {
	what := ""
	switch action := c.Stmt.Action.(type) {
	case ddl.Drop:
		what = ledgerDrop(c, action)
	case ddl.AlterTable:
		switch {
		case action.Object == "SCHEMA" && action.Table.Name == ledgerSchema:
			what = "renaming schema pgsluice"
		case inLedger(c, action.Table):
			what = fmt.Sprintf("altering %s", shown(action.Table))
		case slices.ContainsFunc(action.Commands, func(k ddl.AlterCommand) bool { return k.Op == "SetSchema" && k.NewName == ledgerSchema }):
			what = fmt.Sprintf("moving %s into schema pgsluice", shown(action.Table))
		}
	case ddl.Utility:
		switch c.Stmt.Tag {
		case "DROP OWNED", "REASSIGN OWNED":
			if slices.Contains(action.Names, ddl.Name{Name: ledgerOwner}) {
				what = fmt.Sprintf("%s BY %s", c.Stmt.Tag, ledgerOwner)
			}
		case "TRUNCATE TABLE":
			for _, ref := range c.Stmt.Refs {
				if inLedger(c, ref.Name) {
					what = fmt.Sprintf("emptying %s", shown(ref.Name))
				}
			}
		}
	}
	if what != "" {
		c.Report(policy.Finding{
			Message: what + " breaks pgsluice's ledger of schema changes; leave schema pgsluice alone and out of schema comparisons",
			Hint:    "What is still promised: pgsluice jobs list. To remove pgsluice from this database, use a direct connection.",
		})
	}
}

func ledgerDrop(c *policy.Check, drop ddl.Drop) string {
	for _, name := range drop.Names {
		switch {
		case drop.Object == "SCHEMA" && name.Name == ledgerSchema:
			return "dropping schema pgsluice"
		case drop.Object == "ROLE" && name.Name == ledgerOwner:
			return "dropping role " + ledgerOwner
		case inLedger(c, name):
			return "dropping " + shown(name)
		}
	}
	return ""
}

// inLedger reports whether a name means something in the ledger's schema.
func inLedger(c *policy.Check, name ddl.Name) bool {
	relation, _ := c.Relation(name)
	return name.Schema == ledgerSchema || name.Schema == "" && relation != nil && relation.Schema == ledgerSchema
}
