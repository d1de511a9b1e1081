package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed bulk-write.sql
var bulkWriteCases string

// bulkWrite: an UPDATE or DELETE of many rows.
func bulkWrite() policy.Rule {
	return policy.Rule{
		Name:  "bulk-write",
		Title: "UPDATE or DELETE of many rows",
		Doc: `UPDATE, DELETE or MERGE of batch.min_rows rows or more, as the planner expects them, is one transaction as long as it takes: every row stays
locked until its COMMIT, the table and its indexes grow by what was changed, replicas fall behind, and vacuum can free nothing meanwhile.

Outside of a transaction pgsluice runs such an UPDATE or DELETE as a job: in ranges of a unique key, each a short transaction, with a pause where the
server or a replica needs one. The answer is one "UPDATE n". That is not quite the same: others see some rows changed before the rest, and
an error or a cancel keeps what is done. So it is done only where nothing else can differ. It is refused, and the reason named:

- in a transaction, or where transactions are not READ COMMITTED;
- with RETURNING, with WHERE CURRENT OF, or with a query of WITH that writes;
- of a view, a foreign table or a table with children; where rewrite rules, row security that looks at other rows, or rights on a partition stand in the way;
- without a primary key or a unique index over NOT NULL columns, or if the key or the partition key is assigned;
- if an assigned column is part of a unique index or an exclusion constraint;
- if the statement reads its own table once more; it reads other tables only with consent (bulk-write-reads-tables);
- if a volatile function, or one that may read tables, decides what is written. now() and its kin get one value for the whole job;
- with a trigger for statements, a deferrable one, or one for rows whose function may read tables or sets the key;
- if rows of the table reference each other, or rows of a large table without an index reference it (DELETE);
- if rows that come meanwhile would be changed, too: the key of new rows does not grow (uuid), and the statement does not find by itself what is
  left to do, as WHERE flag IS DISTINCT FROM false does for SET flag = false.

Allowed by an override, it runs as it is, in one transaction. An INSERT of so many rows from a query is only warned of.`,
		Since:   "0.3",
		Default: policy.Rewrite,
		Cases:   bulkWriteCases,
		Run:     runBulkWrite,
	}
}

// expects reports whether it is known how many rows the statement at hand, and not one around it, changes.
func expects(c *policy.Check) bool { return c.Facts.Writing != nil && c.Context.Inside.What == "" }

func runBulkWrite(c *policy.Check) {
	if !expects(c) || c.Facts.Writing.ReadOnly {
		return
	}
	w := c.Facts.Writing
	changed, added := w.Total()
	bulk := func(rows float64) bool { return rows > 0 && rows >= float64(c.BulkRows) }
	if !bulk(changed) {
		if bulk(added) && !lightTarget(c) {
			c.Report(bulkInsert(c, added))
		}
		return
	}
	if lightTarget(c) {
		return
	}
	write, ok := c.Stmt.Action.(ddl.Write)
	if !ok || write.Op != ddl.Update && write.Op != ddl.Delete {
		c.Report(unsplit(c, changed, fmt.Sprintf("%s cannot be split; send its UPDATE or DELETE as a statement of its own", whole(c.Stmt.Tag)), ""))
		return
	}
	if c.Context.InTransaction {
		c.Report(outside(c, policy.Finding{Message: keepsLocked(c.Stmt.Tag, write.Target.Name, changed) + ","}))
		return
	}
	if why, hint := newSplitting(c, write).obstacle(); why != "" {
		c.Report(unsplit(c, changed, why, hint))
		return
	}
	c.Report(policy.Finding{Message: keepsLocked(c.Stmt.Tag, write.Target.Name, changed)})
}

func keepsLocked(tag, table string, rows float64) string {
	return fmt.Sprintf("%s of about %s rows of %q in one transaction keeps them locked until the last is done; run it in batches", tag, thousands(int64(rows)), table)
}

// whole names a statement that is not an UPDATE or DELETE.
func whole(tag string) string {
	switch tag {
	case "SELECT", "INSERT 0":
		return "a query of WITH that writes"
	case "EXPLAIN":
		return "EXPLAIN ANALYZE"
	}
	return tag
}

// lightTarget reports whether nobody but this session waits for what is written: temporary and new tables, tools' version tables.
func lightTarget(c *policy.Check) bool {
	write, ok := c.Stmt.Action.(ddl.Write)
	if !ok {
		return false
	}
	table, known := c.Relation(write.Target)
	return known && table != nil && (table.Persistence == "t" || table.CreatedHere || table.VersionTable)
}

// unsplit refuses what cannot be run in batches.
func unsplit(c *policy.Check, rows float64, why, hint string) policy.Finding {
	name := ""
	for _, change := range c.Facts.Writing.Changes {
		if change.Operation != "Insert" {
			name = change.Table
			break
		}
	}
	f := policy.Finding{
		Action:  policy.Block,
		Message: fmt.Sprintf("%s of about %s rows of %q in one transaction cannot be run in batches: %s", strings.TrimSuffix(c.Stmt.Tag, " 0"), thousands(int64(rows)), name, why),
		Detail:  "An override runs it in one transaction: its rows stay locked, and replicas wait, until all are done.",
		Hint:    hint,
	}
	if table, known := c.Relation(ddl.Name{Schema: targetOf(c.Stmt).Schema, Name: targetOf(c.Stmt).Name}); known && table != nil {
		f.Detail = size(table) + "\n" + f.Detail
	}
	return f
}

func targetOf(stmt ddl.Statement) ddl.Name {
	write, _ := stmt.Action.(ddl.Write)
	return write.Target
}

// bulkInsert warns of many new rows. Nobody waits for them, but replicas and vacuum do.
func bulkInsert(c *policy.Check, rows float64) policy.Finding {
	f := policy.Finding{
		Action: policy.Warn,
	}
	var sources []string
	into := ""
	for _, ref := range c.Stmt.Refs {
		if !ref.Written {
			sources = append(sources, qualifiedAsWritten(ref.Name))
		} else if into == "" {
			into = " into " + qualifiedAsWritten(ref.Name)
		}
	}
	f.Message = fmt.Sprintf("INSERT of about %s rows%s in one transaction: replicas and vacuum wait for all of it; insert it in ranges of the source's key",
		thousands(int64(rows)), into)
	if len(sources) == 1 {
		f.Hint = fmt.Sprintf("Add to its condition, one range after the other, up to the last key of %s:\n  key > 'the last one' AND key <= (SELECT max(key) FROM "+
			"(SELECT key FROM %s WHERE key > 'the last one' ORDER BY key LIMIT %d) AS next)", sources[0], sources[0], max(c.BulkRows, 1))
	}
	return f
}

// splitting is an UPDATE or DELETE with all that is known of whether it can be split.
type splitting struct {
	*facts.Writing
	check *policy.Check
	write ddl.Write
	text  ddl.Writing
	// unread is true when the text could not be read again.
	unread bool
	// assigned are the columns that are set, those that triggers set included.
	assigned []string
}

func newSplitting(c *policy.Check, write ddl.Write) *splitting {
	text, err := ddl.ReadWriting(c.Stmt)
	return &splitting{Writing: c.Facts.Writing, check: c, write: write, text: text, unread: err != nil || c.Stmt.NoSplice,
		assigned: c.Facts.Writing.Assigned(text)}
}

// obstacle is the first reason why the statement cannot be split, with its way out, and what to type; "" if there is none.
func (s *splitting) obstacle() (why, hint string) {
	for _, condition := range []func() (string, string){
		s.form, s.table, s.isolation, s.reading, s.values, s.triggers, s.key, s.unique, s.references, s.rights, s.newcomers,
	} {
		if why, hint = condition(); why != "" {
			return why, hint
		}
	}
	return "", ""
}

// form is what the statement must not have.
func (s *splitting) form() (why, hint string) {
	switch {
	case s.unread || s.OID == 0:
		return "it could not be read whole; write it with plain literals", ""
	case s.text.Returning:
		return "it has RETURNING, whose rows would come from many transactions; leave that out", ""
	case s.text.CurrentOf:
		return "it changes the row of a cursor; name the row by its key", ""
	case s.text.WritingWith:
		return "a query of its WITH writes, too; send that as a statement of its own", ""
	}
	return "", ""
}

func (s *splitting) isolation() (why, hint string) {
	if level := s.check.Facts.Isolation; level != "" && level != "read committed" {
		return fmt.Sprintf("this session's transactions are %s, and each batch would see what the ones before it did not; let it be READ COMMITTED", strings.ToUpper(level)),
			"SET default_transaction_isolation = 'read committed';"
	}
	return "", ""
}
