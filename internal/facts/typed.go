package facts

import (
	"context"
	"maps"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// addTyped adds the tables OF a composite type, and what has to be known to judge what an ALTER TYPE … CASCADE does to them.
func addTyped(ctx context.Context, server Querier, known Facts, wanted []Wanted) error {
	for _, w := range wanted {
		if w.Cascaded == nil {
			continue
		}
		var more []Wanted
		for _, name := range known.dependentTables(w.Name) {
			if cascaded, err := ddl.Cascaded(*w.Cascaded, name.Schema, name.Name); err == nil {
				more = with(more, For(cascaded))
			}
		}
		if len(more) == 0 {
			continue
		}
		typed, err := Read(ctx, server, more)
		if err != nil {
			return err
		}
		maps.Copy(known.Relations, typed.Relations)
		maps.Copy(known.Types, typed.Types)
		maps.Copy(known.Functions, typed.Functions)
	}
	return nil
}

// dependentTables are the tables that depend on a composite type: those OF it, and those with a column of it.
func (f Facts) dependentTables(name ddl.Name) []ddl.Name {
	of := f.Relations[Key(name.Schema, name.Name)]
	if of == nil || of.Depends == nil {
		return nil
	}
	var tables []ddl.Name
	for _, d := range of.Depends.Objects {
		if d.Kind == "table" {
			tables = append(tables, ddl.Name{Schema: d.Schema, Name: d.Name})
		}
	}
	return tables
}

// TablesOf are the tables OF a composite type, where Wanted.Cascaded has asked for them; false if that is not known.
func (f Facts) TablesOf(name ddl.Name) (tables []*Relation, known bool) {
	of, t := f.Relations[Key(name.Schema, name.Name)], f.Types[TypeKey(name.Schema, name.Name, false)]
	if of == nil || of.Depends == nil || t == nil {
		return nil, false
	}
	for _, name := range f.dependentTables(name) {
		table, asked := f.Relations[Key(name.Schema, name.Name)]
		if !asked {
			return nil, false
		}
		if table != nil && table.OfType == t.OID {
			tables = append(tables, table)
		}
	}
	return tables, true
}
