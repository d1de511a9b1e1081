package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed setting-without-effect.sql
var settingWithoutEffectCases string

// settingWithoutEffect: a timeout that one believes in, and that is not there.
func settingWithoutEffect() policy.Rule {
	return policy.Rule{
		Name:  "setting-without-effect",
		Title: "Setting for a transaction that there is not",
		Doc: `SET LOCAL, set_config for the transaction, SET TRANSACTION and SET CONSTRAINTS last until the transaction ends. Outside of one they end with themselves: the server says so
in a warning that hardly anybody sees, and the statements that follow run without the lock_timeout that the file seems to give them.

Write SET without LOCAL, and RESET behind; or BEGIN before it. Only files are judged: on a connection pgsluice goes by what the server has set.`,
		Since:   "0.2",
		Default: policy.Warn,
		Cases:   settingWithoutEffectCases,
		Run:     runSettingWithoutEffect,
	}
}

func runSettingWithoutEffect(c *policy.Check) {
	if !c.Context.File || c.Context.InTransaction {
		return
	}
	for _, setting := range ddl.SetConfigs(c.Stmt) {
		if setting.Local {
			c.Report(policy.Finding{
				Message: fmt.Sprintf("set_config of %s for the transaction has no effect outside of one; give it false for its third argument, or write BEGIN before it", setting.Name),
			})
		}
	}
	setting, ok := c.Stmt.Action.(ddl.Setting)
	switch {
	case !ok, setting.Op == ddl.SetTransaction && strings.HasPrefix(setting.Name, "session"):
	case setting.Op == ddl.SetTransaction:
		c.Report(policy.Finding{
			Message: fmt.Sprintf("SET %s has no effect outside of a transaction; write BEGIN before it", strings.ToUpper(setting.Name)),
		})
	case setting.Local && setting.Op == ddl.Set:
		finding := policy.Finding{
			Message: fmt.Sprintf("SET LOCAL %s has no effect outside of a transaction; write SET %[1]s, or BEGIN before it", setting.Name),
		}
		if setting.Value != "" && !strings.Contains(setting.Value, ",") { // a list is not one string
			finding.Hint = fmt.Sprintf("SET %s = %s;", setting.Name, literal(setting.Value))
		}
		c.Report(finding)
	}
}
