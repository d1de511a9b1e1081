package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed build-under-timeout.sql
var buildUnderTimeoutCases string

// buildUnderTimeout: a timeout that is meant for locks cuts off what takes long and harms nobody.
func buildUnderTimeout() policy.Rule {
	return policy.Rule{
		Name:  "build-under-timeout",
		Title: "Long, harmless work under a timeout",
		Doc: `CREATE INDEX CONCURRENTLY, DROP INDEX CONCURRENTLY, REINDEX CONCURRENTLY, DETACH PARTITION CONCURRENTLY, VALIDATE CONSTRAINT and REFRESH MATERIALIZED
VIEW CONCURRENTLY take long on a large table and let everybody read and write meanwhile, or at least read. A statement_timeout cuts them off. A lock_timeout cuts
off those that wait for older transactions, too: every wait of theirs counts as one for a lock.

What is cut off leaves an INVALID index, which every write maintains and no query uses, or a partition that is half detached; VALIDATE and
REFRESH have read the table in vain.

SET statement_timeout = 0, and of what is CONCURRENTLY lock_timeout = 0, before it and put them back behind it. New, empty and small tables are left alone.`,
		Since:   "0.2",
		Default: policy.Warn,
		Cases:   buildUnderTimeoutCases,
		Run:     runBuildUnderTimeout,
	}
}

func runBuildUnderTimeout(c *policy.Check) {
	what, name, leaves := longWork(c.Stmt)
	if what == "" || ddl.Alone(c.Stmt) && c.Context.InTransaction {
		return // in a transaction the server refuses it
	}
	relation, known := c.Relation(name)
	if relation != nil && relation.Table != nil {
		relation = relation.Table
	}
	if known && (relation == nil || c.Light(relation)) {
		return
	}
	settings := []string{"statement_timeout"}
	if ddl.Alone(c.Stmt) {
		settings = append(settings, "lock_timeout")
	}
	settings = slices.DeleteFunc(settings, func(name string) bool { return unlimited(c.Facts.Settings[name]) })
	if len(settings) == 0 {
		return
	}
	var lift []string
	for _, name := range settings {
		lift = append(lift, fmt.Sprintf("SET %s = 0;", name))
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("%s %q is cut off when %s (%s) has passed, and %s; SET %[3]s = 0 before it", what, name.Name, settings[0],
			c.Facts.Settings[settings[0]], leaves),
		Hint: strings.Join(append(lift, c.Stmt.Text+";"), "\n"),
	}
	if relation != nil {
		finding.Detail = size(relation)
	} else {
		finding.Unknown = fmt.Sprintf("the size of %q", name.Name)
	}
	c.Report(finding)
}

// longWork says what a statement does that takes long and lets others work, on which relation, and what it leaves behind when it is cut off; "" of any
// other statement.
func longWork(stmt ddl.Statement) (what string, on ddl.Name, leaves string) {
	const invalid = "leaves an INVALID index"
	switch action := stmt.Action.(type) {
	case ddl.CreateIndex:
		if action.Concurrently {
			return "CREATE INDEX CONCURRENTLY on", action.Table, invalid
		}
	case ddl.Drop:
		if action.Concurrently && len(action.Names) == 1 {
			return "DROP INDEX CONCURRENTLY of", action.Names[0], invalid
		}
	case ddl.AlterTable:
		for _, command := range action.Commands {
			switch {
			case command.Op == "ValidateConstraint":
				return "VALIDATE CONSTRAINT of", action.Table, "has read the table in vain"
			case command.Concurrently:
				return "DETACH PARTITION CONCURRENTLY of", action.Table, "leaves a partition that is half detached"
			}
		}
	case ddl.Utility:
		if !action.Concurrently || len(stmt.Refs) == 0 {
			break
		}
		if stmt.Tag == "REINDEX" {
			return "REINDEX CONCURRENTLY of", stmt.Refs[0].Name, invalid
		}
		return "REFRESH MATERIALIZED VIEW CONCURRENTLY of", stmt.Refs[0].Name, "has run its query in vain"
	}
	return "", ddl.Name{}, ""
}

// unlimited reports whether a timeout, as it is written, is none. One that is not known is taken for none.
func unlimited(setting string) bool {
	return strings.Trim(strings.TrimSpace(setting), "0 .abcdefghijklmnopqrstuvwxyz") == ""
}
