package rules

import (
	_ "embed"
	"fmt"
	"slices"

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
		Since:   "0.1",
		Default: policy.Block,
		Loss:    true,
		Cases:   tableTruncatedCases,
		Run:     runTableTruncated,
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
		if cascade && table != nil && table.Depends != nil {
			more = emptied(table, namedBy(c))
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
			finding.Message = fmt.Sprintf("TRUNCATE %s CASCADE also empties %s and whatever references that; name the tables, and leave CASCADE out",
				shown(ref.Name), enumerated(more))
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

// emptied are the tables with rows that reference a table and are not named themselves.
func emptied(table *facts.Relation, named []*facts.Relation) []string {
	var tables []string
	for _, k := range table.Depends.References {
		isNamed := slices.ContainsFunc(named, func(r *facts.Relation) bool { return r.OID == k.Table.OID })
		name := qualified(k.Table.Schema, k.Table.Name)
		if !isNamed && !disposable(&k.Table) && !slices.Contains(tables, name) {
			tables = append(tables, name)
		}
	}
	return tables
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
