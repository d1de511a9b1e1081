package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed unattributed-ddl.sql
var unattributedDDLCases string

// unattributedDDL: nobody can tell later what it was for.
func unattributedDDL() policy.Rule {
	return policy.Rule{
		Name:  "unattributed-ddl",
		Title: "Schema change outside of any migration",
		Doc: `A schema change that no migration tool makes is in no migration file: the next database that is built from them lacks it, and the next
migration meets a schema that its author has never seen.

The session counts as a migration tool's once it has named the tool's version table, which every tool does before its first change; or when it
has said SET pgsluice.revision = '...'. A tool that runs its migrations on other connections than the one that looks after the table (Flyway,
Sqitch) needs an exemption by its login or application.

Temporary tables are no matter, nor is upkeep: VACUUM, ANALYZE, REINDEX, CLUSTER, REFRESH and TRUNCATE. In lint there is no session, and the
rule says nothing.`,
		Since:   "0.1",
		Default: policy.Off,
		Cases:   unattributedDDLCases,
		Run:     runUnattributedDDL,
	}
}

func runUnattributedDDL(c *policy.Check) {
	if c.Context.Session != policy.NoMigration || c.Context.Revision != "" || c.Context.Inside.Later {
		return
	}
	switch action := c.Stmt.Action.(type) {
	case ddl.CreateTable:
		if action.Temp {
			return
		}
	case ddl.CreateIndex, ddl.AlterTable, ddl.Drop:
		for _, ref := range c.Stmt.Refs {
			if r, _ := c.Relation(ref.Name); r != nil && r.Persistence == "t" {
				return
			}
		}
	case ddl.Utility:
		switch c.Stmt.Tag {
		case "VACUUM", "ANALYZE", "REINDEX", "CLUSTER", "REFRESH MATERIALIZED VIEW", "TRUNCATE TABLE":
			return
		}
	default:
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("%s%s belongs to no migration; put it into one", c.Stmt.Tag, subject(c.Stmt)),
		Hint:    "Or say which it belongs to: SET pgsluice.revision = '...'",
	})
}

// subject is the name of what a statement is about, behind a space; "" if it has none.
func subject(stmt ddl.Statement) string {
	switch action := stmt.Action.(type) {
	case ddl.CreateTable:
		return " " + qualifiedAsWritten(action.Table)
	case ddl.Utility:
		if len(action.Names) > 0 {
			return " " + qualifiedAsWritten(action.Names[0])
		}
	}
	if len(stmt.Refs) > 0 {
		return " " + qualifiedAsWritten(stmt.Refs[0].Name)
	}
	return ""
}
