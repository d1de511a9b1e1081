package policy

import (
	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// overrides are what is allowed for one statement: by its comments, and by the session's setting pgsluice.allow, whose value is the server's
// own, so that it ends with a ROLLBACK, a RESET or a DISCARD as every setting does.
func overrides(stmt ddl.Statement, known facts.Facts) []Override {
	var doors []Override
	add := func(source string, allowances []ddl.Allowance) {
		for _, allowance := range allowances {
			doors = append(doors, Override{Rules: allowance.Rules, Reason: allowance.Reason, Source: source})
		}
	}
	add("comment", ddl.Allow(stmt))
	add("setting", ddl.Allowances(known.Settings["pgsluice.allow"]))
	return doors
}
