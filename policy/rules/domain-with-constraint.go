package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed domain-with-constraint.sql
var domainWithConstraintCases string

// domainWithConstraint: every later change reads every table.
func domainWithConstraint() policy.Rule {
	return policy.Rule{
		Name:  "domain-with-constraint",
		Title: "Domain with a constraint",
		Doc: `A column of a domain that has a constraint can never be added without rewriting the table, not even with NULL for its value, and a change of
the constraint reads every table that uses the domain, all of them locked against writes.

Use the base type, and a CHECK on the table.`,
		Since:   "0.1",
		Default: policy.Off,
		Cases:   domainWithConstraintCases,
		Run:     runDomainWithConstraint,
	}
}

func runDomainWithConstraint(c *policy.Check) {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || c.Stmt.Tag != "CREATE DOMAIN" || len(utility.Options) == 0 {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("a constraint on domain %s rewrites every table that gets a column of it; use the base type and a CHECK on the table", shown(utility.Names[0])),
	})
}
