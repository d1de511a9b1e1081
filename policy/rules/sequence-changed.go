package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed sequence-changed.sql
var sequenceChangedCases string

// sequenceChanged: numbers that come twice.
func sequenceChanged() policy.Rule {
	return policy.Rule{
		Name:  "sequence-changed",
		Title: "Sequence restarted or dropped",
		Doc: `ALTER SEQUENCE … RESTART, and ALTER TABLE … ALTER COLUMN … RESTART for an identity column, make the sequence give numbers that it has given
before: inserts fail with duplicate keys, or, where nothing is unique, two rows have one number. DROP SEQUENCE fails the code that calls
nextval on it.

Set a sequence behind the largest value that is used: SELECT setval('s', (SELECT max(id) FROM t)). Identity columns of tables without a row, temporary
ones, and those made by the same transaction pass; other options, like OWNED BY, are only locks.`,
		Since:   "0.1",
		Default: policy.Warn,
		Loss:    true,
		Cases:   sequenceChangedCases,
		Run:     runSequenceChanged,
	}
}

func runSequenceChanged(c *policy.Check) {
	switch action := c.Stmt.Action.(type) {
	case ddl.Drop:
		if action.Object == "SEQUENCE" {
			sequenceDropped(c, action)
		}
	case ddl.Utility:
		if _, restarts := action.Options["restart"]; c.Stmt.Tag == "ALTER SEQUENCE" && restarts {
			for _, ref := range c.Stmt.Refs {
				if ref.Kind == "SEQUENCE" {
					sequenceRestarted(c, ref.Name, fmt.Sprintf("restarting sequence %q", ref.Name.Name),
						fmt.Sprintf("SELECT setval(%s, (SELECT max(COLUMN) FROM TABLE)); with the column that it numbers.", text(shown(ref.Name))))
				}
			}
		}
	case ddl.AlterTable:
		for _, command := range action.Commands {
			if command.Op == "SetIdentity" && slices.Contains(command.Options, "restart") {
				sequenceRestarted(c, action.Table, fmt.Sprintf("restarting the sequence of column %q of %q", command.Name, action.Table.Name),
					fmt.Sprintf("SELECT setval(pg_get_serial_sequence(%[1]s, %[2]s), (SELECT max(%[3]s) FROM %[4]s));",
						text(shown(action.Table)), text(command.Name), quoted(command.Name), shown(action.Table)))
			}
		}
	}
}

func sequenceRestarted(c *policy.Check, name ddl.Name, what, hint string) {
	r, known := c.Relation(name)
	if known && (r == nil || !r.MayAlter || disposable(r)) {
		return
	}
	finding := policy.Finding{
		Message: what + " makes it give numbers again that are in use; set it behind the largest one with setval",
		Hint:    hint,
	}
	if !known {
		finding.Unknown = fmt.Sprintf("whether %s is in use", shown(name))
	}
	c.Report(finding)
}

func sequenceDropped(c *policy.Check, drop ddl.Drop) {
	for _, name := range drop.Names {
		r, known := c.Relation(name)
		if known && (r == nil || private(r)) || strings.HasPrefix(name.Name, facts.HelperPrefix) {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("dropping sequence %q breaks code that calls nextval on it; release code without it first", name.Name),
		}
		if r == nil {
			finding.Unknown = fmt.Sprintf("what uses sequence %q", name.Name)
		} else if things := inTheWay(r, ""); len(things) > 0 && !drop.Cascade {
			finding.Detail = fmt.Sprintf("The server will refuse it while it is used by %s.", enumerated(things))
		}
		c.Report(finding)
	}
}
