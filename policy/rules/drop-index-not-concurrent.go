package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed drop-index-not-concurrent.sql
var dropIndexNotConcurrentCases string

// dropIndexNotConcurrent: a plain DROP INDEX locks out the readers of the table, too.
func dropIndexNotConcurrent() policy.Rule {
	return policy.Rule{
		Name:  "drop-index-not-concurrent",
		Title: "Index dropped without CONCURRENTLY",
		Doc: `DROP INDEX takes an ACCESS EXCLUSIVE lock on the table, not only on the index. It needs it for a moment, or inside a transaction until
the COMMIT.

Nobody can read or write the table meanwhile, and while the lock is waited for, all queries queue behind it.

pgsluice drops the index with DROP INDEX CONCURRENTLY, a list one by one; inside a transaction behind the COMMIT. An index behind a
constraint cannot be dropped, which the server finds out only once it has the lock: that is refused, drop the constraint. One of a partitioned table
cannot be dropped concurrently: that runs as written, under a lock budget. CASCADE and CONCURRENTLY exclude each other; CASCADE would drop the foreign
keys that need the index.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Cases:   dropIndexNotConcurrentCases,
		Run:     runDropIndexNotConcurrent,
	}
}

func runDropIndexNotConcurrent(c *policy.Check) {
	drop, ok := c.Stmt.Action.(ddl.Drop)
	if !ok || drop.Object != "INDEX" {
		return
	}
	if drop.Concurrently {
		droppedTogether(c, drop)
		return
	}
	for _, name := range drop.Names {
		if index, known := c.Relation(name); known {
			if constraint := behind(index); constraint != "" && index.MayAlter && !c.Light(index.Table) {
				c.Report(indexOfConstraint(index, constraint))
				return
			}
		}
	}
	for _, name := range drop.Names {
		index, known := c.Relation(name)
		if known && !droppable(c, index) {
			continue
		}
		finding := policy.Finding{Message: fmt.Sprintf("dropping index %q", name.Name)}
		if known {
			finding.Message += fmt.Sprintf(" locks readers and writers out of %q", index.Table.Name)
			finding.Detail = size(index.Table)
		} else {
			finding.Message += " locks readers and writers out of its table"
			finding.Unknown = fmt.Sprintf("the table of index %q and its size", name.Name)
		}
		if drop.Cascade {
			finding.Action = policy.Block
			finding.Message += "; use DROP INDEX CONCURRENTLY, without CASCADE"
			for _, name := range drop.Names {
				finding.Hint += fmt.Sprintf("DROP INDEX CONCURRENTLY %s;\n", shown(name))
			}
			finding.Hint += "If foreign keys depend on the index, drop them first: ALTER TABLE ... DROP CONSTRAINT ..."
		} else {
			finding.Message += "; use DROP INDEX CONCURRENTLY"
			finding = instead(c, finding, concurrentDrops(c.Stmt, drop)...)
		}
		c.Report(finding)
		return
	}
}

// droppedTogether says early what the server refuses: several indexes in one DROP INDEX CONCURRENTLY.
func droppedTogether(c *policy.Check, drop ddl.Drop) {
	if len(drop.Names) < 2 || drop.Cascade {
		return
	}
	c.Report(policy.Finding{
		Action:  policy.Block,
		Message: fmt.Sprintf("DROP INDEX CONCURRENTLY drops one index at a time; send a statement for each of %s", enumerated(shownNames(drop.Names))),
		Hint:    strings.Join(typed(concurrentDrops(c.Stmt, drop)), "\n"),
	})
}

// behind is the constraint that an index belongs to; "" if there is none.
func behind(index *facts.Relation) string {
	if index == nil || index.Kind != "i" || index.Table == nil {
		return ""
	}
	for _, i := range index.Table.Indexes {
		if i.OID == index.OID {
			return i.Constraint
		}
	}
	return ""
}

func indexOfConstraint(index *facts.Relation, constraint string) policy.Finding {
	alter := fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", qualified(index.Table.Schema, index.Table.Name), quoted(constraint))
	return policy.Finding{
		Action: policy.Block,
		Message: fmt.Sprintf("dropping index %q locks readers and writers out of %q only to fail, because constraint %q needs it; use %s",
			index.Name, index.Table.Name, constraint, alter),
		Detail: size(index.Table),
		Hint:   alter + ";",
	}
}

// concurrentDrops is the list, one by one.
func concurrentDrops(stmt ddl.Statement, drop ddl.Drop) []string {
	var statements []string
	for i := range drop.Names {
		text, _ := ddl.DropOne(stmt, i, true) // a text that cannot be spliced is not shown
		statements = append(statements, text)
	}
	return statements
}

// droppable reports whether an index can be dropped concurrently, and should be.
func droppable(c *policy.Check, index *facts.Relation) bool {
	if index == nil || index.Kind != "i" || index.Table == nil || !index.MayAlter || c.Light(index.Table) {
		return false
	}
	for _, i := range index.Table.Indexes {
		if i.OID == index.OID {
			return i.Constraint == "" && i.Parent == 0
		}
	}
	return true
}
