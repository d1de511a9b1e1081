package rewrite

import (
	"errors"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// ErrUnknown is returned when a recipe needs facts that are not known.
var ErrUnknown = errors.New("cannot plan without knowing the table: the server could not be asked about it")

// recipe makes the plan of one hazard.
type recipe func(ddl.Statement, facts.Facts) (Plan, error)

// recipes are named for the rule that asks for them, or for what several rules ask for together.
func recipes() map[string]recipe {
	return map[string]recipe{
		"":                             asItIs,
		"index-not-concurrent":         index,
		"drop-index-not-concurrent":    dropIndex,
		"reindex-not-concurrent":       reindex,
		"alter-table":                  alterTable,
		"refresh-not-concurrent":       refresh,
		"partition-scanned-on-attach":  attachPartition,
		"partition-created-attached":   createPartition,
		"partition-detached-at-once":   detachPartition,
		"partition-dropped-attached":   dropPartition,
		"domain-validated-at-once":     domainConstraint,
		"foreign-keys-dropped-at-once": dropForeignKeys,
		"table-renamed":                renameBehindView,
		"bulk-write":                   bulkWrite,
		"lock-without-budget":          budget,
	}
}

// Build plans what is run in place of a statement, by the recipe of that name; the recipe "" is the statement itself. An error means that
// there is no safe form: it is the first line of a refusal and says what to do.
func Build(stmt ddl.Statement, known facts.Facts, recipe string) (Plan, error) {
	build, ok := recipes()[recipe]
	if !ok {
		return Plan{}, fmt.Errorf("cannot plan: there is no recipe %q", recipe)
	}
	plan, err := build(stmt, known)
	if err != nil {
		return Plan{}, err
	}
	plan.Recipe, plan.Tag = recipe, stmt.Tag
	return plan, nil
}

// asItIs is the plan of a harmless statement.
func asItIs(stmt ddl.Statement, _ facts.Facts) (Plan, error) {
	return Plan{Steps: []Step{{SQL: stmt.Text, Where: InPlace, Client: true}}}, nil
}

// lookup is the relation of a name; nil if it does not exist.
func lookup(known facts.Facts, name ddl.Name) (*facts.Relation, error) {
	relation, asked := known.Relations[facts.Key(name.Schema, name.Name)]
	if !known.Known || !asked {
		return nil, ErrUnknown
	}
	return relation, nil
}

// target is a relation by identity, with the columns of these names that it has.
func target(r *facts.Relation, columns ...string) Target {
	t := Target{OID: r.OID, Schema: r.Schema, Name: r.Name}
	for _, c := range r.Columns {
		for _, name := range columns {
			if c.Name == name {
				if t.Columns == nil {
					t.Columns = make(map[int]string)
				}
				t.Columns[c.Num] = c.Name
			}
		}
	}
	return t
}
