package policy

import (
	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// overrides are what is allowed for one statement: by its comments, by the session's setting pgsluice.allow, and by the caller.
func overrides(stmt ddl.Statement, known facts.Facts, where Context) []Override {
	var doors []Override
	add := func(source string, allowances []ddl.Allowance) {
		for _, allowance := range allowances {
			doors = append(doors, Override{Rules: allowance.Rules, Reason: allowance.Reason, Source: source})
		}
	}
	add("comment", ddl.Allow(stmt.Lead, stmt.Text))
	if value := known.Settings["pgsluice.allow"]; value != "" {
		add("setting", ddl.Allow("/* pgsluice:allow "+value+" */", ""))
	}
	if len(where.Override.Rules) > 0 {
		doors = append(doors, where.Override)
	}
	return doors
}
