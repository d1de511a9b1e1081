package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed table-dropped.sql
var tableDroppedCases string

// tableDropped: rows are gone for good.
func tableDropped() policy.Rule {
	return policy.Rule{
		Name:  "table-dropped",
		Title: "Table with rows dropped",
		Doc: `DROP TABLE destroys the table's rows: nothing but a backup brings them back. Its indexes, triggers and sequences go with it, and every
query that still names it fails from the COMMIT on.

Release code that no longer uses the table first, see that nobody reads it any more, then drop it. A table without a row, a temporary
one, and one made by the same transaction pass. To drop a table that has rows, say why in an override; it counts for logins named in
overrides.roles. A migration tool's version table is a table like any other here.`,
		Since:    "0.1",
		Default:  policy.Block,
		Loss:     true,
		Destroys: true,
		Cases:    tableDroppedCases,
		Run:      runTableDropped,
	}
}

func runTableDropped(c *policy.Check) {
	drop, ok := c.Stmt.Action.(ddl.Drop)
	if !ok || drop.Object != "TABLE" {
		return
	}
	named := namedRelations(c, drop.Names)
	for _, name := range drop.Names {
		table, known := c.Relation(name)
		if known && (table == nil || !strings.Contains("rp", table.Kind) || disposable(table)) {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("dropping table %q destroys its rows and breaks what still uses it; release code without it first, then allow the drop", name.Name),
			Hint:    meant(c, "table-dropped"),
		}
		if table == nil {
			finding.Unknown = fmt.Sprintf("whether table %q has rows", name.Name)
		} else {
			finding.Detail = consequences(table, "", drop.Cascade, named...)
			finding.Hint = fmt.Sprintf("Is it still read or written? SELECT seq_scan, idx_scan, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_all_tables WHERE relid = %s::regclass;\n%s",
				text(qualified(table.Schema, table.Name)), finding.Hint)
		}
		c.Report(finding)
	}
}

// namedRelations are those of the names that exist.
func namedRelations(c *policy.Check, names []ddl.Name) []*facts.Relation {
	var found []*facts.Relation
	for _, name := range names {
		if r, _ := c.Relation(name); r != nil {
			found = append(found, r)
		}
	}
	return found
}

// text writes a string constant.
func text(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }
