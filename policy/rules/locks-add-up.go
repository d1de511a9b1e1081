package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed locks-add-up.sql
var locksAddUpCases string

// manyLocked is how many tables a transaction may lock before one more is refused.
const manyLocked = 10

// locksAddUp: whoever holds one and waits for another.
func locksAddUp() policy.Rule {
	return policy.Rule{
		Name:  "locks-add-up",
		Title: "Strong locks on several tables in one transaction",
		Doc: `Every strong lock is held until the transaction ends. A transaction that takes a second one keeps the users of the first table waiting while it
waits for the second, and traffic that uses the tables in the other order deadlocks with it: one of the two is killed. A lock that cannot be had
cannot be tried for again, because every pause keeps the others waiting.

One table, one transaction: put the changes of each table into a migration of its own. Up to ten tables are a warning, the next one is refused unless it is
small. Tables that the transaction has made itself, temporary ones, and migration tools' version tables do not count.`,
		Since:   "0.1",
		Default: policy.Warn,
		Cases:   locksAddUpCases,
		Run:     runLocksAddUp,
	}
}

func runLocksAddUp(c *policy.Check) {
	if !c.Context.InTransaction || len(c.Facts.Held) == 0 {
		return
	}
	if _, ok := c.Stmt.Action.(ddl.LockTable); ok {
		return
	}
	for _, ref := range c.Stmt.Refs {
		table, _ := c.Relation(ref.Name)
		if !ref.Lock.BlocksWriters() || table == nil || private(table) || versionTableWrite(c.Stmt, table) {
			continue
		}
		if table.Table != nil {
			table = table.Table
		}
		if slices.ContainsFunc(c.Facts.Held, func(h facts.Held) bool { return h.OID == table.OID }) {
			continue // what it has cannot deadlock
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("this adds %s on %q to the locks that the transaction holds on %s; put it into a transaction of its own",
				ref.Lock, ref.Name.Name, briefly(heldTables(c))),
			Detail: "All are held until the transaction ends, and a lock that cannot be had at once fails the transaction.",
		}
		if n := stillThere(c.Facts.Held); n >= manyLocked && !c.Light(table) {
			finding.Action = policy.Block
			finding.Message = fmt.Sprintf("this adds %s on %q to the strong locks that the transaction holds on %d tables; put it into a transaction of its own",
				ref.Lock, ref.Name.Name, n)
			finding.Detail = fmt.Sprintf("It holds them on %s, until it ends.", enumerated(heldTables(c)))
			finding.Hint = meant(c, "locks-add-up")
		}
		c.Report(finding)
		return
	}
}

// stillThere counts what was not dropped: nobody comes back to a table that is gone.
func stillThere(held []facts.Held) int {
	n := 0
	for _, h := range held {
		if h.Name != "" {
			n++
		}
	}
	return n
}

// briefly joins the first few things for the first line of a message.
func briefly(items []string) string {
	const few = 3
	if len(items) > few {
		items = append(slices.Clone(items[:few]), fmt.Sprintf("%d more", len(items)-few))
	}
	return enumerated(items)
}

// heldTables are the tables that the transaction holds strong locks on. What it dropped has no name any more, and is told once.
func heldTables(c *policy.Check) []string {
	var names []string
	dropped := ""
	for _, h := range c.Facts.Held {
		if h.Name == "" {
			dropped = "what it dropped"
			continue
		}
		names = append(names, fmt.Sprintf("%s (%s)", qualifiedAsWritten(ddl.Name{Schema: h.Schema, Name: h.Name}), h.Mode))
	}
	if dropped != "" {
		names = append(names, dropped)
	}
	return names
}
