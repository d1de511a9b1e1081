package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed trigger-disabled.sql
var triggerDisabledCases string

// triggerDisabled: whoever writes meanwhile is not checked.
func triggerDisabled() policy.Rule {
	return policy.Rule{
		Name:  "trigger-disabled",
		Title: "Triggers switched off",
		Doc: `ALTER TABLE … DISABLE TRIGGER ALL switches off the foreign keys of the table, too: they are triggers inside. Rows that break them come in, and
nothing checks those afterwards; ENABLE TRIGGER does not. DISABLE TRIGGER USER, and one trigger by name, switch off what the application
relies on (audit trails, search columns) for everybody, not only for the migration.

The lock (SHARE ROW EXCLUSIVE) keeps writers waiting until the COMMIT. For one session only, SET LOCAL session_replication_role = replica does the
same and needs no lock. Tables without a row, temporary ones, and those made by the same transaction pass; so does ENABLE.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   triggerDisabledCases,
		Run:     runTriggerDisabled,
	}
}

func runTriggerDisabled(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || disposable(table)) {
		return
	}
	for _, command := range alter.Commands {
		finding := policy.Finding{Hint: meant(c, "trigger-disabled")}
		switch command.Op {
		case "DisableTrigAll":
			finding.Message = fmt.Sprintf("DISABLE TRIGGER ALL switches off the foreign keys of %q for everybody; disable the triggers by name", alter.Table.Name)
		case "DisableTrigUser":
			finding.Action, finding.Hint = policy.Warn, ""
			finding.Message = fmt.Sprintf("DISABLE TRIGGER USER switches off the triggers of %q for everybody; enable them in the same transaction", alter.Table.Name)
		case "DisableTrig":
			finding.Action, finding.Hint = policy.Warn, ""
			finding.Message = fmt.Sprintf("trigger %q of %q is off for everybody from the COMMIT on; enable it in the same transaction", command.Name, alter.Table.Name)
		default:
			continue
		}
		if table == nil {
			finding.Unknown = fmt.Sprintf("whether %q is in use: its size", alter.Table.Name)
		} else {
			finding.Detail = size(table)
		}
		c.Report(finding)
	}
}
