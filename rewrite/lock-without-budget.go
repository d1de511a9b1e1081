package rewrite

import (
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
	for _, ref := range stmt.Refs {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		if relation == nil || !ref.Lock.BlocksWriters() {
			continue
		}
		if relation.Table != nil {
			relation = relation.Table
		}
		switch {
		case relation.OID == step.Table.OID:
		case ref.Lock > strongest:
			if step.Table.OID != 0 {
				step.Others = append(step.Others, step.Table)
			}
			step.Table, strongest = target(relation), ref.Lock
		default:
			step.Others = append(step.Others, target(relation))
		}
	}
	return Plan{Steps: []Step{step}}, nil
}
