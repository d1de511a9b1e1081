package rewrite

import (
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// dropIndex drops the indexes one by one, concurrently where the server can. What it would refuse it gets as it is, before anything is
// dropped.
func dropIndex(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	drop, ok := stmt.Action.(ddl.Drop)
	if !ok {
		return Plan{}, fmt.Errorf("%s drops no index", stmt.Tag)
	}
	var plan Plan
	var names []string
	for i, name := range drop.Names {
		index, err := lookup(known, name)
		if err != nil {
			return Plan{}, err
		}
		if index == nil && !drop.IfExists || index != nil && refused(index) {
			return budget(stmt, known)
		}
		step, err := dropOne(stmt, i, index)
		if err != nil {
			return Plan{}, err
		}
		plan.Steps = append(plan.Steps, step)
		if step.Index.Drop {
			names = append(names, fmt.Sprintf("%q", index.Name))
		}
	}
	plan.Notice = fmt.Sprintf("dropping index %s concurrently", strings.Join(names, ", "))
	return plan, nil
}

// refused reports whether the server refuses to drop the index by itself: it is none, it stands behind a constraint, or it belongs to an
// index of the partitioned table.
func refused(index *facts.Relation) bool {
	if index.Table == nil {
		return true
	}
	for _, i := range index.Table.Indexes {
		if i.OID == index.OID {
			return i.Constraint != "" || i.Parent != 0
		}
	}
	return false
}

// dropOne is the step for one name of the list; a nil index does not exist, of which IF EXISTS gives a notice.
func dropOne(stmt ddl.Statement, object int, index *facts.Relation) (Step, error) {
	concurrently := index != nil && index.Kind == "i" && index.Persistence != "t"
	text, err := ddl.DropOne(stmt, object, concurrently)
	if err != nil {
		return Step{}, err
	}
	if index == nil {
		return Step{SQL: text, Where: InPlace}, nil
	}
	one, err := ddl.Reparse(text)
	if err != nil {
		return Step{}, err
	}
	if text, err = ddl.Qualified(one, index.Schema, index.Name); err != nil {
		return Step{}, err
	}
	step := Step{SQL: text, Where: InPlace, Table: target(index.Table), Budget: true}
	if concurrently {
		step.Where, step.Budget = Alone, false
		step.Index = Index{Schema: index.Schema, Name: index.Name, OID: index.OID, Drop: true}
		step.Done = fmt.Sprintf("SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) %d::pg_catalog.oid)", index.OID)
	}
	return step, nil
}
