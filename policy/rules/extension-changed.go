package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed extension-changed.sql
var extensionChangedCases string

// extensionChanged: a script that nobody here has read.
func extensionChanged() policy.Rule {
	return policy.Rule{
		Name:  "extension-changed",
		Title: "Extension created or updated",
		Doc: `CREATE EXTENSION and ALTER EXTENSION … UPDATE run a script of the extension's, mostly as superuser, which may do anything: create functions in
the search path, change types, take locks on tables. What it does is not on the wire and is not judged.

Have extensions installed with the database, and let migrations only assume them. CREATE EXTENSION IF NOT EXISTS of one that is there
does nothing and passes, and so do those that the configuration lists in conventions.extensions.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   extensionChangedCases,
		Run:     runExtensionChanged,
	}
}

func runExtensionChanged(c *policy.Check) {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || len(utility.Names) == 0 {
		return
	}
	name := utility.Names[0].Name
	if slices.Contains(c.Conventions.Extensions, name) {
		return
	}
	switch c.Stmt.Tag {
	case "CREATE EXTENSION":
		if slices.Contains(c.Facts.Installed, name) {
			return // the server says so
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("CREATE EXTENSION %s runs a script that pgsluice does not see; install it with the database, not in a migration", quoted(name)),
		}
		if !c.Facts.Known {
			finding.Unknown = fmt.Sprintf("whether extension %q is installed", name)
		}
		c.Report(finding)
	case "ALTER EXTENSION":
		c.Report(policy.Finding{
			Message: fmt.Sprintf("ALTER EXTENSION %s runs a script that pgsluice does not see and may lock tables; do it in a maintenance window", quoted(name)),
		})
	}
}
