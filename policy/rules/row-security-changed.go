package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed row-security-changed.sql
var rowSecurityChangedCases string

// rowSecurityChanged: the application sees other rows than before.
func rowSecurityChanged() policy.Rule {
	return policy.Rule{
		Name:  "row-security-changed",
		Title: "Rows become visible or invisible",
		Doc: `ENABLE ROW LEVEL SECURITY on a table without a policy hides every row from everybody but the owner and superusers: the application sees an empty
table, and its writes are refused. FORCE does it to the owner, too. Where row security is on, every new, changed or dropped policy decides at
the COMMIT which rows the roles see.

Create the policies first: they wait, without effect, until row security is enabled. The locks (ACCESS EXCLUSIVE) are needed for a moment only.
Tables without a row, temporary ones, and those made by the same transaction pass, and so do policies of a table that has row security off.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   rowSecurityChangedCases,
		Run:     runRowSecurityChanged,
	}
}

func runRowSecurityChanged(c *policy.Check) {
	switch c.Stmt.Tag {
	case "CREATE POLICY", "ALTER POLICY", "DROP POLICY":
		policyChanged(c)
		return
	}
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || disposable(table)) {
		return
	}
	for _, command := range alter.Commands {
		what, whom := "ENABLE ROW LEVEL SECURITY", "everybody but the owner"
		switch command.Op {
		case "EnableRowSecurity":
		case "ForceRowSecurity":
			what, whom = "FORCE ROW LEVEL SECURITY", "everybody, the owner included,"
		default:
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("%s on %q hides all its rows from %s while it has no policy; create the policies first", what, alter.Table.Name, whom),
		}
		switch {
		case table == nil:
			finding.Unknown = fmt.Sprintf("whether %q has policies", alter.Table.Name)
		case table.Depends != nil && len(table.Depends.Policies) > 0:
			continue
		default:
			finding.Detail = size(table)
		}
		c.Report(finding)
		return
	}
}

// policyChanged judges a policy of a table that has row security on.
func policyChanged(c *policy.Check) {
	if _, renamed := c.Stmt.Action.(ddl.AlterTable); renamed {
		return // it is the same policy
	}
	for _, ref := range c.Stmt.Refs {
		if !ref.Lock.BlocksWriters() {
			continue
		}
		table, known := c.Relation(ref.Name)
		if known && (table == nil || !table.MayAlter || disposable(table) || !table.RowSecurity) {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("%s changes which rows of %q its roles see, from the COMMIT on; try it with SET ROLE in a transaction that is rolled back",
				c.Stmt.Tag, ref.Name.Name),
		}
		switch {
		case table == nil:
			finding.Unknown = fmt.Sprintf("whether %q has row security on", ref.Name.Name)
		case c.Stmt.Tag == "DROP POLICY" && table.Depends != nil && len(table.Depends.Policies) == 1:
			finding.Message = fmt.Sprintf("%q loses its last policy and hides all its rows from everybody but the owner; disable row security first", ref.Name.Name)
		}
		c.Report(finding)
		return
	}
}
