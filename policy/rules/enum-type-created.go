package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed enum-type-created.sql
var enumTypeCreatedCases string

// enumTypeCreated: values can never be removed.
func enumTypeCreated() policy.Rule {
	return policy.Rule{
		Name:  "enum-type-created",
		Title: "Enum type",
		Doc: `The values of an enum can be added to and renamed, never removed, and their order is fixed when they are added. A new value cannot be used in
the transaction that adds it.

Use a table of values and a foreign key, or text with a CHECK.`,
		Since:   "0.1",
		Default: policy.Off,
		Cases:   enumTypeCreatedCases,
		Run:     runEnumTypeCreated,
	}
}

func runEnumTypeCreated(c *policy.Check) {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || c.Stmt.Tag != "CREATE TYPE" || utility.Labels == nil {
		return
	}
	c.Report(policy.Finding{
		Message: fmt.Sprintf("values of enum %s can never be removed; use a table of values and a foreign key, or text with a CHECK", shown(utility.Names[0])),
	})
}
