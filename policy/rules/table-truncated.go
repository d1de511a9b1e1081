package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed table-truncated.sql
var tableTruncatedCases string

// tableTruncated: all rows are gone, with CASCADE those of other tables, too.
func tableTruncated() policy.Rule {
	return policy.Rule{
		Name:  "table-truncated",
		Title: "Table with rows truncated",
		Doc: `TRUNCATE destroys all rows of the table and of its partitions and children, fires no DELETE trigger, and is not seen by older snapshots as a
change but as an empty table. It holds ACCESS EXCLUSIVE until the COMMIT. With CASCADE every table that references it is emptied, too, and
every table that references those: all of them locked.

DELETE in batches lets others work and can be undone until its COMMIT. Tables without a row, temporary ones, and those made by the same
transaction pass, and so does a migration tool that empties its own version table.`,
		Since:    "0.1",
		Default:  policy.Block,
		Loss:     true,
		Destroys: true,
		Cases:    tableTruncatedCases,
		Run:      runTableTruncated,
	}
}

func runTableTruncated(c *policy.Check) {
	if c.Stmt.Tag != "TRUNCATE TABLE" {
		return
	}
	cascade := truncateCascades(c)
	for _, ref := range c.Stmt.Refs {
		table, known := c.Relation(ref.Name)
		if !ref.Written || known && table == nil {
			continue
		}
		var more []string
		whole := false
		if cascade && table != nil && table.Depends != nil {
			more, whole = emptied(c, table)
		}
		if known && (disposable(table) || table.VersionTable) && len(more) == 0 {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("TRUNCATE destroys every row of %q; delete in batches what is not needed, or allow it", ref.Name.Name),
			Hint:    meant(c, "table-truncated"),
		}
		switch {
		case len(more) > 0:
			rest := " and whatever references those"
			if whole {
				rest = ""
			}
			finding.Message = fmt.Sprintf("TRUNCATE %s CASCADE also empties %s%s; name the tables, and leave CASCADE out", shown(ref.Name), enumerated(more), rest)
		case cascade && !known:
			finding.Message = fmt.Sprintf("TRUNCATE %s CASCADE also empties every table that references it; name the tables, and leave CASCADE out", shown(ref.Name))
		}
		if known {
			finding.Detail = size(table)
		} else {
			finding.Unknown = fmt.Sprintf("whether table %q has rows", ref.Name.Name)
		}
		c.Report(finding)
	}
}

// emptied are the tables with rows that reference a table, or one that references it, and are not named themselves. whole is false when what
// references one of them is not known.
func emptied(c *policy.Check, table *facts.Relation) (tables []string, whole bool) {
	known := map[uint32]*facts.Relation{}
	for _, r := range c.Facts.Relations {
		if r != nil && r.Depends != nil {
			known[r.OID] = r
		}
	}
	seen := map[uint32]bool{}
	for _, r := range namedBy(c) {
		seen[r.OID] = true
	}
	whole = true
	for next := []*facts.Relation{table}; len(next) > 0; next = next[1:] {
		for _, k := range next[0].Depends.References {
			if seen[k.Table.OID] {
				continue
			}
			seen[k.Table.OID] = true
			if !disposable(&k.Table) {
				tables = append(tables, qualified(k.Table.Schema, k.Table.Name))
			}
			if further := known[k.Table.OID]; further != nil {
				next = append(next, further)
			} else {
				whole = false
			}
		}
	}
	return tables, whole
}

func truncateCascades(c *policy.Check) bool {
	utility, ok := c.Stmt.Action.(ddl.Utility)
	return ok && utility.Cascade
}

// namedBy are the relations that the statement names and that exist.
func namedBy(c *policy.Check) []*facts.Relation {
	var names []ddl.Name
	for _, ref := range c.Stmt.Refs {
		names = append(names, ref.Name)
	}
	return namedRelations(c, names)
}
