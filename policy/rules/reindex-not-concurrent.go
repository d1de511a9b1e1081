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

//go:embed reindex-not-concurrent.sql
var reindexNotConcurrentCases string

// reindexNotConcurrent: a plain REINDEX keeps writers waiting, and everybody whose query is planned with the index.
func reindexNotConcurrent() policy.Rule {
	return policy.Rule{
		Name:  "reindex-not-concurrent",
		Title: "Index rebuilt without CONCURRENTLY",
		Doc: `REINDEX holds a SHARE lock on the table and an ACCESS EXCLUSIVE lock on the index that it is rebuilding, until it is done; inside a
transaction until the COMMIT.

Every INSERT, UPDATE and DELETE of the table waits. So does nearly every SELECT: the planner looks at all indexes of a table and needs a lock
on each.

pgsluice rebuilds with REINDEX CONCURRENTLY, of a partitioned table (14 and later) one partition after the other, and removes the INVALID
indexes named ..._ccnew and ..._ccold that such a rebuild leaves when it fails: they cost every write, and the next REINDEX of the table would
rebuild them, too. Inside a transaction it is refused, since the server runs CONCURRENTLY only outside of one. Small, empty, temporary and
new tables are rebuilt as written. Indexes of exclusion constraints and of system catalogs have no concurrent rebuild. A whole schema,
database or system is refused: rebuild what needs it.`,
		Since:   "0.2",
		Default: policy.Rewrite,
		Cases:   reindexNotConcurrentCases,
		Run:     runReindexNotConcurrent,
	}
}

func runReindexNotConcurrent(c *policy.Check) {
	reindex, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || c.Stmt.Tag != "REINDEX" || reindex.NotInTransaction && c.Context.InTransaction {
		return // the server refuses it in a transaction
	}
	if len(c.Stmt.Refs) == 0 {
		c.Report(policy.Finding{
			Action: policy.Block,
			Message: fmt.Sprintf("REINDEX %s rebuilds the indexes of every table, one after the other, and locks each; rebuild those that need it: "+
				"REINDEX INDEX CONCURRENTLY ...", strings.TrimSpace(string(reindex.Object)+" "+enumerated(shownNames(reindex.Names)))),
		})
		return
	}
	name := c.Stmt.Refs[0].Name
	relation, known := c.Relation(name)
	if !known {
		if !reindex.Concurrently {
			finding := rebuild(c, rebuilding(reindex, name.Name, "its table"), "")
			finding.Unknown = fmt.Sprintf("the size of %q", name.Name)
			c.Report(finding)
		}
		return
	}
	if relation == nil || !relation.MayAlter {
		return // the server says what is wrong
	}
	table := relation
	if relation.Table != nil {
		table = relation.Table
	}
	if table.Kind == "p" && (c.Facts.Version < 140000 || c.Context.InTransaction) {
		return // the server refuses it, or does nothing
	}
	left := failedRebuilds(table)
	if slices.ContainsFunc(left, func(i facts.Index) bool { return i.OID == relation.OID }) {
		c.Report(policy.Finding{
			Action:  policy.Block,
			Message: fmt.Sprintf("index %q is INVALID, left by a rebuild that failed, and nobody needs it; drop it: %s", relation.Name, dropLeft(table, relation.Name)),
		})
		return
	}
	if reindex.Concurrently || c.Light(table) {
		for _, i := range left {
			c.Report(policy.Finding{
				Action:  policy.Warn,
				Message: fmt.Sprintf("index %q is INVALID, left by a rebuild that failed, and costs every write; drop it: %s", i.Name, dropLeft(table, i.Name)),
			})
		}
		if reindex.Concurrently && !c.Context.InTransaction {
			rebuiltInVain(c, relation, table)
		}
		return
	}
	c.Report(notConcurrently(c, reindex, relation, table, left))
}

// rebuiltInVain warns of a concurrent rebuild that may leave things worse than they were.
func rebuiltInVain(c *policy.Check, relation, table *facts.Relation) {
	if corrupting(c) {
		c.Report(policy.Finding{
			Action: policy.Warn,
			Message: fmt.Sprintf("an index of %q that is rebuilt concurrently by PostgreSQL 14.0 to 14.3 can be corrupt; upgrade to 14.4 or later first, or check it with pg_amcheck --heapallindexed",
				table.Name),
		})
	}
	for _, i := range table.Indexes {
		if i.OID == relation.OID && !i.Valid && !i.Building && i.Unique {
			c.Report(policy.Finding{
				Action: policy.Warn,
				Message: fmt.Sprintf("unique index %q is INVALID, and over duplicates its rebuild fails, too, and leaves one more; drop it and build it anew: %s",
					i.Name, dropLeft(table, i.Name)),
			})
		}
	}
}

// notConcurrently judges a rebuild that would be felt.
func notConcurrently(c *policy.Check, reindex ddl.Utility, relation, table *facts.Relation, left []facts.Index) policy.Finding {
	message := rebuilding(reindex, relation.Name, fmt.Sprintf("%q", table.Name))
	finding := policy.Finding{Action: policy.Block, Detail: size(table)}
	switch {
	case len(c.Facts.Extensions) > 0 && table.Foreign:
		finding.Message = message + "; rebuild the indexes of its chunks or shards one by one, concurrently"
	case corrupting(c):
		finding.Message = message + "; rebuild concurrently after an upgrade to PostgreSQL 14.4 or later: 14.0 to 14.3 can corrupt an index that is built concurrently"
	case relation.OID < firstNormalOID:
		finding.Message = message + "; do it when nobody works: system catalogs have no concurrent rebuild"
	case relation.Table != nil && excludes(table, relation.Name):
		finding.Message = message + "; do it when nobody writes: the index of an exclusion constraint has no concurrent rebuild"
	default:
		finding = rebuild(c, message, size(table))
		for _, i := range left {
			finding.Detail += fmt.Sprintf("\nINVALID index %s, left by a rebuild that failed, is dropped first.", i.Name)
		}
		for _, k := range table.Constraints {
			if k.Type == "x" && relation.Table == nil {
				finding.Detail += fmt.Sprintf("\nThe index of exclusion constraint %s has no concurrent rebuild and is skipped.", k.Name)
			}
		}
	}
	return finding
}

// firstNormalOID is FirstNormalObjectId: below it are the system's own objects.
const firstNormalOID = 16384

func rebuilding(reindex ddl.Utility, name, table string) string {
	what := fmt.Sprintf("the indexes of %q", name)
	if reindex.Object == "INDEX" {
		what = fmt.Sprintf("index %q", name)
	} else {
		table = "it"
	}
	return fmt.Sprintf("rebuilding %s blocks writes to %s, and most reads, until it is done", what, table)
}

func rebuild(c *policy.Check, message, detail string) policy.Finding {
	text, _ := ddl.Concurrently(c.Stmt) // a text that cannot be spliced is not shown
	return outside(c, policy.Finding{Message: message + "; use REINDEX ... CONCURRENTLY", Detail: detail}, text)
}

// failedRebuilds are the INVALID indexes that a REINDEX CONCURRENTLY has left on a table.
func failedRebuilds(table *facts.Relation) []facts.Index {
	var left []facts.Index
	for _, i := range table.Indexes {
		name := strings.TrimRight(i.Name, "0123456789")
		if !i.Valid && !i.Building && i.Kind == "i" && (strings.HasSuffix(name, "_ccnew") || strings.HasSuffix(name, "_ccold")) {
			left = append(left, i)
		}
	}
	return left
}

func dropLeft(table *facts.Relation, index string) string {
	return "DROP INDEX CONCURRENTLY " + qualified(table.Schema, index)
}

// excludes reports whether an index stands behind an exclusion constraint.
func excludes(table *facts.Relation, index string) bool {
	i := table.Index(index)
	return i != nil && slices.ContainsFunc(table.Constraints, func(k facts.Constraint) bool { return k.Type == "x" && k.Name == i.Constraint })
}
