package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
	"unicode/utf8"
)

//go:embed identifier-too-long.sql
var identifierTooLongCases string

// identifierTooLong: two names become one.
func identifierTooLong() policy.Rule {
	return policy.Rule{
		Name:  "identifier-too-long",
		Title: "Name longer than the server keeps",
		Doc: `Postgres keeps 63 bytes of a name and cuts the rest off with no more than a notice. Two long names that begin alike become one: the second CREATE
fails, or IF NOT EXISTS skips it; and a tool that looks for the whole name never finds it.

Choose a name of 63 bytes or less; a letter outside of ASCII takes two bytes or more.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   identifierTooLongCases,
		Run:     runIdentifierTooLong,
	}
}

func runIdentifierTooLong(c *policy.Check) {
	switch c.Stmt.Action.(type) {
	case ddl.CreateIndex, ddl.CreateTable, ddl.AlterTable, ddl.Utility:
	default:
		return
	}
	for _, name := range ddl.CutIdentifiers(c.Stmt.Text) {
		kept := name[:ddl.MaxIdentifier]
		for !utf8.ValidString(kept) {
			kept = kept[:len(kept)-1]
		}
		c.Report(policy.Finding{
			Message: fmt.Sprintf("name %q has %d bytes, and the server keeps 63; choose a shorter one", name, len(name)),
			Detail:  fmt.Sprintf("It would be %q.", kept),
		})
	}
}
