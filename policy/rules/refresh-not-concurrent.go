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

//go:embed refresh-not-concurrent.sql
var refreshNotConcurrentCases string

// refreshNotConcurrent: a plain REFRESH MATERIALIZED VIEW keeps every reader waiting while its query runs.
func refreshNotConcurrent() policy.Rule {
	return policy.Rule{
		Name:  "refresh-not-concurrent",
		Title: "Materialized view refreshed without CONCURRENTLY",
		Doc: `REFRESH MATERIALIZED VIEW holds an ACCESS EXCLUSIVE lock on the view while its query runs and its indexes are built; inside a
transaction until the COMMIT.

Every query of the view waits as long as that takes. WITH NO DATA takes no time, but then every query of the view fails until the next
refresh.

pgsluice refreshes with CONCURRENTLY, which the server allows inside a transaction, too: it compares the new rows with the old ones, and readers
go on. It needs a unique index over columns, without a predicate; a view that has none is refused with the advice to make one. A view that is small,
or has never been filled, is refreshed as written.`,
		Since:   "0.2",
		Default: policy.Rewrite,
		Cases:   refreshNotConcurrentCases,
		Run:     runRefreshNotConcurrent,
	}
}

func runRefreshNotConcurrent(c *policy.Check) {
	refresh, ok := c.Stmt.Action.(ddl.Utility)
	if !ok || c.Stmt.Tag != "REFRESH MATERIALIZED VIEW" || len(c.Stmt.Refs) == 0 || refresh.Concurrently {
		return
	}
	name := c.Stmt.Refs[0].Name
	view, known := c.Relation(name)
	if known && (view == nil || view.Kind != "m" || !view.MayAlter || !view.Populated || view.CreatedHere) {
		return // the server says what is wrong, or nobody can read it anyway
	}
	if refresh.NoData {
		finding := policy.Finding{
			Action:  policy.Warn,
			Message: fmt.Sprintf("every query of %q fails from here on, until it is refreshed again; leave WITH NO DATA out", name.Name),
		}
		if !known {
			finding.Unknown = fmt.Sprintf("whether %q has been filled", name.Name)
		}
		c.Report(finding)
		return
	}
	message := fmt.Sprintf("refreshing %q keeps its readers waiting until its query is done", name.Name)
	text, _ := ddl.Concurrently(c.Stmt) // a text that cannot be spliced is not shown
	switch {
	case !known:
		c.Report(policy.Finding{
			Message: message + "; use REFRESH MATERIALIZED VIEW CONCURRENTLY", Hint: strings.Join(typed([]string{text}), ""),
			Unknown: fmt.Sprintf("the size of %q, and whether it has a unique index", name.Name),
		})
	case c.Light(view):
	case !slices.ContainsFunc(view.Indexes, tellsRowsApart):
		c.Report(policy.Finding{
			Action: policy.Block, Detail: size(view),
			Message: message + "; give it a unique index over columns, then use REFRESH MATERIALIZED VIEW CONCURRENTLY",
			Hint:    fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY ON %s (...);\n%s;", qualified(view.Schema, view.Name), text),
		})
	default:
		c.Report(policy.Finding{
			Message: message + "; use REFRESH MATERIALIZED VIEW CONCURRENTLY", Detail: size(view), Hint: strings.Join(typed([]string{text}), ""),
		})
	}
}

// tellsRowsApart reports whether REFRESH CONCURRENTLY can compare rows by an index (is_usable_unique_index of matview.c).
func tellsRowsApart(i facts.Index) bool {
	return i.Unique && i.Valid && !i.Partial && !i.Expression && !i.Deferrable
}
