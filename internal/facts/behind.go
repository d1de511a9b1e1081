package facts

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

//go:embed opaque.sql
var opaqueSQL string

// Opaque asks what the statement would run that is not on the wire: functions that are not the system's, views, and
// triggers and rules of the tables that it writes. Each line names one.
func Opaque(ctx context.Context, server Querier, stmt ddl.Statement) ([]string, error) {
	type call struct {
		Schema string `json:"schema"`
		Name   string `json:"name"`
	}
	asked := struct {
		Calls   []call   `json:"calls"`
		Read    []string `json:"read"`
		Written []string `json:"written"`
	}{[]call{}, []string{}, []string{}}
	for _, c := range stmt.Calls {
		asked.Calls = append(asked.Calls, call{c.Schema, c.Name})
	}
	for _, ref := range stmt.Refs {
		asked.Read = append(asked.Read, Key(ref.Name.Schema, ref.Name.Name))
		if ref.Written {
			asked.Written = append(asked.Written, Key(ref.Name.Schema, ref.Name.Name))
		}
	}
	if len(asked.Calls) == 0 && len(asked.Read) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return nil, fmt.Errorf("cannot ask what a statement runs: %w", err)
	}
	return server.Query(ctx, opaqueSQL, string(text))
}

// All adds every relation that the statement names to what is wanted: behind deferred work a mere read or write matters, too.
func All(stmt ddl.Statement, wanted []Wanted) []Wanted {
	for _, ref := range stmt.Refs {
		if !slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Name == ref.Name }) {
			wanted = append(wanted, Wanted{Name: ref.Name})
		}
	}
	return wanted
}

// OfTool is what is known when all relations that a statement names are a migration tool's own, whatever they look like.
func (f Facts) OfTool(stmt ddl.Statement) Facts {
	f.Relations = maps.Clone(f.Relations)
	for _, ref := range stmt.Refs {
		key := Key(ref.Name.Schema, ref.Name.Name)
		if r := f.Relations[key]; r != nil {
			own := *r
			own.VersionTable = true
			f.Relations[key] = &own
		}
	}
	return f
}

// Without is what will be known when an index that is still there has been dropped: its name is free and it serves nothing.
func (f Facts) Without(index uint32) Facts {
	relations := make(map[string]*Relation, len(f.Relations))
	for key, r := range f.Relations {
		if r == nil || r.OID == index {
			relations[key] = nil
			continue
		}
		changed := *r
		if r.Sibling != nil && r.Sibling.OID == index {
			changed.Sibling = nil
		}
		changed.Indexes = slices.DeleteFunc(slices.Clone(r.Indexes), func(i Index) bool { return i.OID == index })
		relations[key] = &changed
	}
	f.Relations = relations
	return f
}

// With is what will be known when an index has been made that is only promised yet: its name is taken, and its keys are Coming on the table
// with that OID. What the server would find of that name today stays as it is.
func (f Facts) With(schema, index string, table uint32, columns []string) Facts {
	relations := make(map[string]*Relation, len(f.Relations))
	for key, r := range f.Relations {
		if r == nil || r.Schema != schema {
			relations[key] = r
			continue
		}
		changed := *r
		changed.Taken = append(slices.Clone(r.Taken), index)
		if r.OID == table {
			changed.Coming = append(slices.Clone(r.Coming), columns)
		}
		relations[key] = &changed
	}
	f.Relations = relations
	return f
}
