package rules

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed setting-changed.sql
var settingChangedCases string

// settingChanged: it outlives the migration.
func settingChanged() policy.Rule {
	return policy.Rule{
		Name:  "setting-changed",
		Title: "Settings of the server, a database or a role changed",
		Doc: `ALTER SYSTEM writes a file of the server's that outlives every deployment and holds for all its databases, and cannot be rolled back. ALTER
DATABASE … SET and ALTER ROLE … SET change what new sessions begin with, those of other programs included; sessions that are open, and pools
of them, keep the old value.

Leave the server's settings to those who run it. A migration that needs a setting for itself says SET LOCAL.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   settingChangedCases,
		Run:     runSettingChanged,
	}
}

func runSettingChanged(c *policy.Check) {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || utility.Options == nil {
		return
	}
	switch c.Stmt.Tag {
	case "ALTER SYSTEM":
		c.Report(policy.Finding{
			Message: fmt.Sprintf("ALTER SYSTEM changes %s for the whole server and cannot be rolled back; leave it to those who run the server", settings(utility)),
			Hint:    meant(c, "setting-changed"),
		})
	case "ALTER DATABASE", "ALTER ROLE":
		if len(utility.Names) == 0 || !setsSetting(c) {
			return
		}
		c.Report(policy.Finding{
			Action:  policy.Warn,
			Message: fmt.Sprintf("this changes %s for all new sessions of %s, while open ones keep the old value; for this migration use SET LOCAL", settings(utility), whose(c.Stmt.Tag, utility)),
		})
	}
}

// whose are the sessions for which an ALTER sets something.
func whose(tag string, utility ddl.Utility) string {
	switch {
	case len(utility.Names) == 0:
		return "the whole server"
	case utility.Names[0].Name == "":
		return "every role"
	}
	return fmt.Sprintf("%s %q", strings.ToLower(strings.TrimPrefix(tag, "ALTER ")), utility.Names[0].Name)
}

// setsSetting tells ALTER ROLE … SET from ALTER ROLE … PASSWORD and its kin.
func setsSetting(c *policy.Check) bool {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	return ok && utility.Setting
}

// settings names the settings that change.
func settings(utility ddl.Utility) string {
	names := slices.Sorted(maps.Keys(utility.Options))
	if slices.Equal(names, []string{"all"}) {
		return "all settings"
	}
	return enumerated(names)
}
