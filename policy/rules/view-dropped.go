package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed view-dropped.sql
var viewDroppedCases string

// viewDropped: readers of the view fail.
func viewDropped() policy.Rule {
	return policy.Rule{
		Name:  "view-dropped",
		Title: "View dropped",
		Doc: `DROP VIEW, DROP MATERIALIZED VIEW and DROP FOREIGN TABLE lose no rows that cannot be had again, but every query that names the
view fails from the COMMIT on, and a materialized view has to be computed anew. The privileges that were granted on it are gone, too.

To change a view, CREATE OR REPLACE VIEW keeps its privileges and what depends on it, as long as the columns that it has keep their names, types
and order. Views that are temporary or were made by the same transaction pass.`,
		Since:   "0.1",
		Default: policy.Warn,
		Loss:    true,
		Cases:   viewDroppedCases,
		Run:     runViewDropped,
	}
}

func runViewDropped(c *policy.Check) {
	drop, ok := c.Stmt.Action.(ddl.Drop)
	if !ok {
		return
	}
	word := map[ddl.ObjectKind]string{"VIEW": "view", "MATERIALIZED VIEW": "materialized view", "FOREIGN TABLE": "foreign table"}[drop.Object]
	if word == "" {
		return
	}
	for _, name := range drop.Names {
		view, known := c.Relation(name)
		if known && (view == nil || private(view)) {
			continue
		}
		finding := policy.Finding{Message: fmt.Sprintf("dropping %s %q breaks queries that still use it, and its grants are lost", word, name.Name)}
		if drop.Object == "VIEW" {
			finding.Message += "; to change it, use CREATE OR REPLACE VIEW"
		} else {
			finding.Message += "; release code without it first"
		}
		if !known {
			finding.Unknown = fmt.Sprintf("whether %s exists", shown(name))
		}
		c.Report(finding)
	}
}
