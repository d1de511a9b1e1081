package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed slow-behind-lock.sql
var slowBehindLockCases string

// slowBehindLock: the lock of a moment is held for minutes.
func slowBehindLock() policy.Rule {
	return policy.Rule{
		Name:  "slow-behind-lock",
		Title: "Slow statement behind a strong lock",
		Doc: `A transaction that has altered a table keeps its readers and writers waiting until it ends. Whatever it does next is added to that: an UPDATE of
all rows, a materialized view that is computed, an index that is rebuilt. What was a lock of a millisecond becomes one of minutes.

Change the schema in one transaction and the data in another. An UPDATE or DELETE without a condition is refused, one whose condition holds no
equality is a warning, one that picks rows by a value passes; an INSERT is a warning when the planner expects many rows of it. Tables that are empty, small, temporary or made by the same transaction take no
time and pass.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   slowBehindLockCases,
		Run:     runSlowBehindLock,
	}
}

func runSlowBehindLock(c *policy.Check) {
	if !c.Context.InTransaction || !c.Facts.HoldsStrong {
		return
	}
	finding := policy.Finding{
		Detail: fmt.Sprintf("It holds locks on %s until it ends.", enumerated(heldTables(c))),
		Hint:   "COMMIT before it, or put it into a migration of its own.",
	}
	switch action := c.Stmt.Action.(type) {
	case ddl.Write:
		if action.Op == ddl.Insert {
			if !action.Queried || !fills(c) {
				return
			}
			finding.Action = policy.Warn
			finding.Message = fmt.Sprintf("filling %q runs while this transaction keeps others waiting; do it in a transaction of its own", action.Target.Name)
			break
		}
		if action.Reach < ddl.ManyRows || !heavy(c, action.Target) {
			return
		}
		if action.Reach == ddl.ManyRows {
			finding.Action = policy.Warn
		}
		finding.Message = fmt.Sprintf("%s of %q runs while this transaction keeps others waiting; change the data in a transaction of its own", c.Stmt.Tag, action.Target.Name)
	case ddl.CreateTable:
		if !action.As || !slices.ContainsFunc(c.Stmt.Refs, func(r ddl.Ref) bool { return heavy(c, r.Name) }) {
			return
		}
		finding.Action = policy.Warn
		finding.Message = fmt.Sprintf("filling %q runs while this transaction keeps others waiting; do it in a transaction of its own", action.Table.Name)
	case ddl.Utility:
		switch c.Stmt.Tag {
		case "REFRESH MATERIALIZED VIEW", "CREATE MATERIALIZED VIEW", "SELECT", "REINDEX", "CLUSTER":
		default:
			return
		}
		if action.NoData || !slices.ContainsFunc(c.Stmt.Refs, func(r ddl.Ref) bool { return heavy(c, r.Name) }) {
			return
		}
		finding.Action = policy.Warn
		what := c.Stmt.Tag
		if what == "SELECT" {
			what = "CREATE MATERIALIZED VIEW"
		}
		finding.Message = fmt.Sprintf("%s of %q runs while this transaction keeps others waiting; do it in a transaction of its own", what, c.Stmt.Refs[0].Name.Name)
	case ddl.AlterTable:
		at := slices.IndexFunc(action.Commands, func(command ddl.AlterCommand) bool { return command.Op == "ValidateConstraint" })
		writersWait := slices.ContainsFunc(c.Facts.Held, func(h facts.Held) bool { return h.Mode != ddl.ShareUpdateExclusive.String() })
		if _, known := c.Relation(action.Table); known || at < 0 || c.Context.Ledger || !writersWait {
			return // where the constraint is known, the rule of its kind judges it
		}
		finding.Message = fmt.Sprintf("validating constraint %q of %q reads every row while this transaction keeps others waiting; do it in a transaction of its own", action.Commands[at].Name, action.Table.Name)
		finding.Unknown = fmt.Sprintf("the size of table %q", action.Table.Name)
	default:
		return
	}
	c.Report(finding)
}

// fills reports whether an INSERT is expected to write many rows.
func fills(c *policy.Check) bool {
	if !expects(c) {
		return false
	}
	_, added := c.Facts.Writing.Total()
	return added > 0 && added >= float64(c.BulkRows)
}

// heavy reports whether a relation that the statement names is known to take time.
func heavy(c *policy.Check, name ddl.Name) bool {
	r, _ := c.Relation(name)
	if r != nil && r.Table != nil {
		r = r.Table
	}
	return r != nil && !r.VersionTable && !c.Light(r)
}
