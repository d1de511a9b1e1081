package facts

import (
	"context"
	"maps"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// addReferencing adds the tables that reference one that TRUNCATE … CASCADE empties, and those that reference them, under their qualified keys. It asks
// once more for every table on the longest way.
func addReferencing(ctx context.Context, server Querier, known Facts, wanted []Wanted) error {
	if !slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Emptied }) {
		return nil
	}
	for next := known.referencing(); len(next) > 0; next = known.referencing() {
		more, err := Read(ctx, server, next)
		if err != nil {
			return err
		}
		maps.Copy(known.Relations, more.Relations)
	}
	return nil
}

// referencing are the tables that reference one of those that are known, and are not known themselves.
func (f Facts) referencing() []Wanted {
	var missing []Wanted
	for _, r := range f.Relations {
		if r == nil || r.Depends == nil {
			continue
		}
		for _, k := range r.Depends.References {
			name := ddl.Name{Schema: k.Table.Schema, Name: k.Table.Name}
			_, asked := f.Relations[Key(name.Schema, name.Name)]
			if !asked && !slices.ContainsFunc(missing, func(w Wanted) bool { return w.Name == name }) {
				missing = append(missing, Wanted{Name: name, Dependents: true})
			}
		}
	}
	return missing
}
