package rewrite

import (
	"maps"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// budget is the statement itself, run under a short lock_timeout and tried again.
func budget(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	step := Step{SQL: stmt.Text, Where: InPlace, Client: true, Budget: true}
	if utility, ok := stmt.Action.(ddl.Utility); ok && utility.NotInTransaction {
		step.Where = Alone
	}
	var strongest ddl.LockMode
	add := func(relation *facts.Relation, lock ddl.LockMode) {
		if relation.Table != nil {
			relation = relation.Table
		}
		same := func(t Target) bool { return t.OID == relation.OID }
		switch {
		case same(step.Table) || slices.ContainsFunc(step.Others, same):
		case lock > strongest:
			if step.Table.OID != 0 {
				step.Others = append(step.Others, step.Table)
			}
			step.Table, strongest = target(relation), lock
		default:
			step.Others = append(step.Others, target(relation))
		}
	}
	for _, ref := range stmt.Refs {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		if relation == nil || !ref.Lock.BlocksWriters() {
			continue
		}
		add(relation, ref.Lock)
		if _, ok := stmt.Action.(ddl.Drop); ok {
			for _, parent := range referenced(relation, known) {
				add(parent, ref.Lock)
			}
		}
	}
	return Plan{Steps: []Step{step}}, nil
}

// referenced are the tables that a table's foreign keys reference, by their names.
func referenced(table *facts.Relation, known facts.Facts) []*facts.Relation {
	var parents []*facts.Relation
	for _, key := range slices.Sorted(maps.Keys(known.Relations)) {
		r := known.Relations[key]
		if r != nil && r.Table == nil && slices.ContainsFunc(table.Constraints, func(k facts.Constraint) bool { return k.Parent == r.OID }) {
			parents = append(parents, r)
		}
	}
	return parents
}
