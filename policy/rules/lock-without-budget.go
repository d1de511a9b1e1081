package rules

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed lock-without-budget.sql
var lockWithoutBudgetCases string

// lockWithoutBudget: a strong lock request that waits makes everybody behind it wait, too.
func lockWithoutBudget() policy.Rule {
	return policy.Rule{
		Name:  "lock-without-budget",
		Title: "Strong lock without a time budget",
		Doc: `The statement takes a lock that blocks readers or writers of a table that others use. Even one that needs the lock for a millisecond
has to wait for it behind every transaction that uses the table.

While it waits, every later query that conflicts with it waits behind it: one forgotten transaction and one ALTER TABLE make an outage that
lasts as long as the transaction does.

pgsluice runs the statement under a short lock_timeout and tries again, with pauses in which the queue drains, until a total budget is used
up; the error then names who was in the way. Of a file that lint only reads, a lock_timeout of at most 10 s that it sets before the
statement is the budget. LOCK TABLE is left alone, since nothing may run before it, and so are writes to a migration
tool's own version table.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Cases:   lockWithoutBudgetCases,
		Run:     runLockWithoutBudget,
	}
}

func runLockWithoutBudget(c *policy.Check) {
	if c.Context.Inside.What != "" && !c.Context.Inside.Later {
		return // the outer statement names what this one locks
	}
	switch action := c.Stmt.Action.(type) {
	case ddl.LockTable:
		return
	case ddl.AlterTable:
		// It waits for everybody who uses the parent before it asks for its strong lock, which a timeout would cut short.
		if slices.ContainsFunc(action.Commands, func(c ddl.AlterCommand) bool { return c.Concurrently }) {
			return
		}
	case ddl.CreateTable:
		if thereAlready(c, action) {
			return
		}
	case ddl.Utility:
		if action.NotInTransaction && c.Context.InTransaction {
			return // the server refuses it
		}
	}
	if c.Context.File && budgeted(c.Facts.Settings["lock_timeout"]) {
		return // the file sees to it
	}
	for _, ref := range c.Stmt.Refs {
		if !ref.Lock.BlocksWriters() {
			continue
		}
		relation, known := c.Relation(ref.Name)
		if known && (relation == nil || versionTableWrite(c.Stmt, relation)) {
			continue
		}
		finding := policy.Finding{Message: waiting(ref), Hint: inFile(c)}
		if !known {
			finding.Unknown = fmt.Sprintf("whether %s exists already", facts.Key(ref.Name.Schema, ref.Name.Name))
		} else if private(relation) {
			parent := referenced(c, relation)
			if parent == nil {
				continue
			}
			finding.Message = waiting(ddl.Ref{Name: ddl.Name{Schema: parent.Schema, Name: parent.Name}, Lock: ref.Lock})
		}
		c.Report(unlessTriedAgain(c, finding))
		return // one budget covers the whole statement
	}
}

// unlessTriedAgain refuses a DO block that cannot run under a lock_timeout and be tried again.
func unlessTriedAgain(c *policy.Check, finding policy.Finding) policy.Finding {
	block, ok := c.Stmt.Action.(ddl.Opaque)
	why := "the handlers of this DO block would swallow the lock_timeout"
	if block.Commits {
		why = "this DO block commits, so that it cannot be tried again"
	}
	if !ok || !block.Commits && !block.SwallowsTimeout {
		return finding
	}
	lock, _, _ := strings.Cut(finding.Message, "; ")
	finding.Action = policy.Block
	finding.Message = fmt.Sprintf("%s, and %s; send the schema change as a statement of its own", lock, why)
	finding.Hint = lockingWithin(c.Stmt)
	if !block.Commits {
		finding.Hint = strings.TrimPrefix(finding.Hint+"\nOr name the errors that are expected: EXCEPTION WHEN duplicate_object THEN ..., not WHEN OTHERS.", "\n")
	}
	return finding
}

// lockingWithin are the schema changes of a DO block that are to be sent by themselves, as they stand in it, a line each.
func lockingWithin(stmt ddl.Statement) string {
	var lines []string
	stmt.Walk(func(inner ddl.Inner) {
		if !inner.Dynamic && slices.ContainsFunc(inner.Refs, func(ref ddl.Ref) bool { return ref.Lock.BlocksWriters() }) {
			lines = append(lines, strings.TrimSuffix(strings.TrimSpace(inner.Text), ";")+";")
		}
	})
	return strings.Join(lines, "\n")
}

// inFile is what to write in a file, where nobody else sets the budget; "" on a connection, where pgsluice does, and
// for a text that is not the file's own.
func inFile(c *policy.Check) string {
	switch {
	case !c.Context.File, c.Stmt.NoSplice, c.Context.Inside.What != "":
		return ""
	case c.Context.InTransaction:
		return "SET LOCAL lock_timeout = '2s';\n" + c.Stmt.Text + ";"
	}
	return "SET lock_timeout = '2s';\n" + c.Stmt.Text + ";"
}

// longestWait is the longest lock_timeout that counts as a budget: others wait about as long.
const longestWait = 10 * time.Second

// budgeted reports whether a lock_timeout, as it is written in SET, bounds the wait.
func budgeted(setting string) bool {
	setting = strings.TrimSpace(setting)
	number := strings.TrimRight(setting, "abcdefghijklmnopqrstuvwxyz ")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false
	}
	unit, known := map[string]time.Duration{
		"": time.Millisecond, "us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "min": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}[strings.TrimSpace(setting[len(number):])]
	wait := time.Duration(n * float64(unit))
	return known && wait >= time.Millisecond && wait <= longestWait
}

// waiting says what waits behind the lock.
func waiting(ref ddl.Ref) string {
	who := "writers"
	if ref.Lock.BlocksReaders() {
		who = "readers and writers"
	}
	return fmt.Sprintf("%s on %q makes %s queue behind it while it waits; run it under a short lock_timeout and try again", ref.Lock, ref.Name.Name, who)
}

// private reports whether nobody else can be using a relation.
func private(r *facts.Relation) bool {
	if r.Table != nil {
		r = r.Table
	}
	return r.Persistence == "t" || r.CreatedHere
}

// referenced is a table that a DROP of the table locks, too, because a foreign key references it; nil if others use none of them.
func referenced(c *policy.Check, r *facts.Relation) *facts.Relation {
	if _, ok := c.Stmt.Action.(ddl.Drop); !ok {
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(c.Facts.Relations)) {
		parent := c.Facts.Relations[key]
		if parent != nil && !private(parent) && slices.ContainsFunc(r.Constraints, func(k facts.Constraint) bool { return k.Parent == parent.OID }) {
			return parent
		}
	}
	return nil
}

// versionTableWrite reports whether a migration tool empties its own version table: that is not a schema change.
func versionTableWrite(stmt ddl.Statement, r *facts.Relation) bool {
	_, utility := stmt.Action.(ddl.Utility)
	return utility && stmt.Tag == "TRUNCATE TABLE" && r.VersionTable
}
