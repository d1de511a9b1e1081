package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed role-changed.sql
var roleChangedCases string

// roleChanged: secrets and powers.
func roleChanged() policy.Rule {
	return policy.Rule{
		Name:  "role-changed",
		Title: "Role with a password in the text, or with more than a login",
		Doc: `A password in CREATE ROLE or ALTER ROLE travels as text and can end up in the server's log, in pg_stat_statements and in the history of whoever
typed it. SUPERUSER, BYPASSRLS, CREATEROLE and REPLICATION reach past every privilege in the database.

Set passwords with \\password of psql, which sends a SCRAM verifier, or give the verifier itself. Grant the privileges that a role needs. pgsluice
records none of the statement's literals.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   roleChangedCases,
		Run:     runRoleChanged,
	}
}

func runRoleChanged(c *policy.Check) {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || utility.Setting || c.Stmt.Tag != "CREATE ROLE" && c.Stmt.Tag != "ALTER ROLE" || len(utility.Names) == 0 {
		return
	}
	role := utility.Names[0].Name
	if kind, ok := utility.Options["password"]; ok && kind == "" {
		c.Report(policy.Finding{
			Message: fmt.Sprintf(`the password of role %q stands in the text and may end up in the server's log; use \password of psql, or a SCRAM verifier`, role),
		})
	}
	for _, power := range []string{"superuser", "bypassrls", "createrole", "isreplication"} {
		if utility.Options[power] == "true" {
			word := strings.ToUpper(strings.TrimPrefix(power, "is"))
			c.Report(policy.Finding{
				Message: fmt.Sprintf("%s lets role %q reach past the privileges of the database; grant what it needs", word, role),
			})
		}
	}
}
