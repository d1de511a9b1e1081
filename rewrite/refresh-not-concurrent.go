package rewrite

import (
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// refresh replaces the rows of a materialized view while others read it. The server allows that in a transaction.
func refresh(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	action, ok := stmt.Action.(ddl.Utility)
	if !ok || action.Object != "MATERIALIZED VIEW" || len(stmt.Refs) != 1 || action.NoData {
		return Plan{}, fmt.Errorf("%s refreshes no materialized view", stmt.Tag)
	}
	view, err := lookup(known, stmt.Refs[0].Name)
	if err != nil {
		return Plan{}, err
	}
	if view == nil {
		return budget(stmt, known)
	}
	text, err := rewritten(stmt, ddl.Concurrently, qualifiedBy(view))
	if err != nil {
		return Plan{}, err
	}
	return Plan{
		Object: view.Name,
		Notice: fmt.Sprintf("refreshing %q concurrently", view.Name),
		Steps:  []Step{{SQL: text, Where: InPlace, Budget: true, Table: target(view)}},
	}, nil
}
