package facts

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

//go:embed tables.sql
var tablesSQL string

// snapshotFormat is raised when a snapshot's meaning changes; what is merely added needs no other.
const snapshotFormat = 1

// Snapshot is what is known of all relations of a database at one time, to be judged by where that server cannot be asked. It holds
// names, types, definitions, sizes and estimates; no data, and not who exported it.
type Snapshot struct {
	Format int `json:"pgsluice_stats"`
	// Facts are those of the server and of the session that exported it; its Relations are not filled in.
	Facts     Facts    `json:"facts"`
	Relations []stored `json:"relations"`

	byName map[string]*Relation // by Key of schema and name; an index as Read gives it
	byOID  map[uint32]*Relation
}

// stored is a relation with what an answer of the server has beside it.
type stored struct {
	*Relation
	Depends  *Depends `json:"depends"`
	Children []uint32 `json:"children"` // by OID
}

// exportedAtOnce is how many relations one question is about: the answer of one is some kilobytes.
const exportedAtOnce = 200

// Export reads a snapshot of the database, as its login sees it. What it may not see is missing.
func Export(ctx context.Context, server Querier) (*Snapshot, error) {
	rows, err := server.Query(ctx, tablesSQL)
	if err != nil {
		return nil, fmt.Errorf("cannot list the tables: %w", err)
	}
	var all []Wanted
	for _, row := range rows {
		var name [2]string
		if err := json.Unmarshal([]byte(row), &name); err != nil {
			return nil, fmt.Errorf("cannot read a table's name: %w", err)
		}
		all = append(all, Wanted{Name: ddl.Name{Schema: name[0], Name: name[1]}, Definitions: true, Defaults: true, Children: true, Dependents: true})
	}
	snapshot := &Snapshot{Format: snapshotFormat}
	for first := true; first || len(all) > 0; first = false {
		some := all[:min(len(all), exportedAtOnce)]
		all = all[len(some):]
		known, err := Read(ctx, server, some)
		if err != nil {
			return nil, err
		}
		snapshot.add(known, some)
	}
	return snapshot, nil
}

func (s *Snapshot) add(known Facts, wanted []Wanted) {
	for _, w := range wanted {
		if r := known.Relations[Key(w.Name.Schema, w.Name.Name)]; r != nil { // else dropped since it was listed, or hidden
			one := stored{Relation: r, Depends: r.Depends}
			for _, child := range r.Children {
				one.Children = append(one.Children, child.OID)
			}
			s.Relations = append(s.Relations, one)
		}
	}
	known.SessionUser, known.CurrentUser, known.Relations = "", "", nil
	known.Settings = maps.Clone(known.Settings)
	maps.DeleteFunc(known.Settings, func(name, _ string) bool { return !slices.Contains(Environment(), name) })
	s.Facts = known
}

// Write writes the snapshot for ReadSnapshot.
func (s *Snapshot) Write(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // definitions are full of < and >
	encoder.SetIndent("", " ")
	return encoder.Encode(s)
}

// ReadSnapshot reads what Write wrote.
func ReadSnapshot(r io.Reader) (*Snapshot, error) {
	s := &Snapshot{byName: map[string]*Relation{}, byOID: map[uint32]*Relation{}}
	if err := json.NewDecoder(r).Decode(s); err != nil {
		return nil, fmt.Errorf("it is not what pgsluice stats export writes: %w", err)
	}
	if s.Format != snapshotFormat {
		return nil, fmt.Errorf("its format is %d, and this pgsluice reads format %d: export it again", s.Format, snapshotFormat)
	}
	s.Facts.Known = true
	for _, one := range s.Relations {
		if one.Relation == nil {
			return nil, errors.New("it is not what pgsluice stats export writes: a relation is missing")
		}
		r := one.Relation
		r.Depends = one.Depends
		r.VersionTable = versionTable(r)
		s.byOID[r.OID] = r
		s.byName[Key(r.Schema, r.Name)] = r
		for _, i := range r.Indexes {
			s.byName[Key(r.Schema, i.Name)] = &Relation{
				OID: i.OID, Schema: r.Schema, Name: i.Name, Kind: i.Kind, Persistence: r.Persistence, Owner: r.Owner, MayAlter: r.MayAlter,
				Readable: r.Readable, Rows: -1, Bytes: -1, PartitionOf: i.Parent, Table: r,
			}
		}
	}
	for _, one := range s.Relations {
		for _, oid := range one.Children {
			if child := s.byOID[oid]; child != nil {
				one.Relation.Children = append(one.Relation.Children, child)
			}
		}
	}
	return s, nil
}

// Known answers as Read would have when the snapshot was taken, names without a schema looked up along the search path. A name that the
// snapshot does not have is not known: it may have been made since.
func (s *Snapshot) Known(wanted []Wanted, searchPath []string) Facts {
	known := s.Facts
	known.SearchPath = searchPath
	known.Relations = map[string]*Relation{}
	for _, w := range wanted {
		found := s.lookup(w.Name, searchPath)
		if found == nil {
			continue
		}
		relation := *found
		if w.Index != "" {
			relation.Sibling = s.byName[Key(found.Schema, w.Index)]
		}
		for _, name := range w.Candidates {
			if s.taken(found.Schema, name, w.Constraint) {
				relation.Taken = append(relation.Taken, name)
			}
		}
		known.Relations[Key(w.Name.Schema, w.Name.Name)] = &relation
		for _, k := range found.Constraints {
			if parent := s.byOID[k.Parent]; parent != nil && w.Parents {
				known.Relations[Key(parent.Schema, parent.Name)] = parent
			}
		}
	}
	if slices.ContainsFunc(wanted, func(w Wanted) bool { return w.Emptied }) {
		for next := known.referencing(); len(next) > 0; next = known.referencing() {
			for _, w := range next {
				known.Relations[Key(w.Name.Schema, w.Name.Name)] = s.byName[Key(w.Name.Schema, w.Name.Name)]
			}
		}
	}
	return known
}

func (s *Snapshot) lookup(name ddl.Name, searchPath []string) *Relation {
	if name.Schema != "" {
		return s.byName[Key(name.Schema, name.Name)]
	}
	for _, schema := range searchPath {
		if r := s.byName[Key(schema, name.Name)]; r != nil {
			return r
		}
	}
	return nil
}

// taken reports whether a relation of that name is in the schema, or a constraint of any relation in it.
func (s *Snapshot) taken(schema, name string, constraint bool) bool {
	if !constraint {
		return s.byName[Key(schema, name)] != nil
	}
	return slices.ContainsFunc(s.Relations, func(r stored) bool {
		return r.Schema == schema && slices.ContainsFunc(r.Constraints, func(k Constraint) bool { return k.Name == name })
	})
}
