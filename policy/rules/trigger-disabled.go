package rules

import (
	_ "embed"
	"fmt"
	"strings"

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
relies on (audit trails, search columns) for everybody, not only for the migration; so do ENABLE REPLICA TRIGGER, DISABLE RULE, and ALTER EVENT TRIGGER …
DISABLE.

The lock (SHARE ROW EXCLUSIVE) keeps writers waiting until the COMMIT. Tables without a row, temporary ones, and those made by the same transaction
pass; so does ENABLE.

SET session_replication_role = replica needs no lock and is for one session only, but for all tables at once: their foreign keys on both sides, ON DELETE
CASCADE with them, triggers and rules. Nothing checks those rows afterwards either. It is warned of, with SET LOCAL, by set_config with a constant, and of a function that sets it; ALTER ROLE
and ALTER DATABASE, which set it for every new session, are refused. Setting it back passes. On a connection a SET that stands alone, before which nothing may be
asked, is let through as it is.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   triggerDisabledCases,
		Run:     runTriggerDisabled,
	}
}

func runTriggerDisabled(c *policy.Check) {
	switchedOff(c)
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
		case "EnableReplicaTrig":
			finding.Action, finding.Hint = policy.Warn, ""
			finding.Message = fmt.Sprintf("ENABLE REPLICA leaves trigger %q of %q off but for replication, for everybody from the COMMIT on; ENABLE ALWAYS is for both", command.Name, alter.Table.Name)
		case "DisableRule", "EnableReplicaRule":
			finding.Action, finding.Hint = policy.Warn, ""
			finding.Message = fmt.Sprintf("rule %q of %q is off for everybody from the COMMIT on; enable it in the same transaction", command.Name, alter.Table.Name)
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

// switchedOff judges what switches triggers off that are no one table's: event triggers, and session_replication_role, with which a session writes as if it
// replayed what has been checked elsewhere.
func switchedOff(c *policy.Check) {
	const name, off = "session_replication_role", "session_replication_role = replica switches foreign keys and triggers of all tables off for "
	settings := ddl.SetConfigs(c.Stmt)
	if setting, ok := c.Stmt.Action.(ddl.Setting); ok && setting.Op == ddl.Set {
		settings = append(settings, setting)
	}
	for _, setting := range settings {
		if setting.Name != name || !strings.EqualFold(setting.Value, "replica") {
			continue
		}
		until := "until it is set back; set it to origin behind the rows that need it, and check those yourself"
		if setting.Local {
			until = "until the transaction ends; check its rows yourself"
		}
		c.Report(policy.Finding{Action: policy.Warn, Message: off + "what this session writes " + until})
	}
	utility, ok := c.Stmt.Action.(ddl.Utility)
	switch {
	case !ok:
	case utility.Setting && utility.Options[name] == "replica":
		c.Report(policy.Finding{
			Message: fmt.Sprintf("%sall new sessions of %s; use SET LOCAL in the one transaction that needs it", off, whose(c.Stmt.Tag, utility)), Hint: meant(c, "trigger-disabled"),
		})
	case c.Stmt.Tag == "ALTER EVENT TRIGGER" && (utility.Options["enabled"] == "D" || utility.Options["enabled"] == "R"):
		c.Report(policy.Finding{
			Action:  policy.Warn,
			Message: fmt.Sprintf("event trigger %q is off for everybody from the COMMIT on; enable it in the same transaction", utility.Names[0].Name),
		})
	case utility.Options["set "+name] == "replica":
		c.Report(policy.Finding{
			Action:  policy.Warn,
			Message: fmt.Sprintf("%swhat %q writes; check its rows yourself", off, utility.Names[0].Name),
		})
	}
}
