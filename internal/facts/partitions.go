package facts

import (
	"context"
	"maps"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// partsWanted is what has to be known about rebuilds of a relation, and about a table that is to be a partition, and its parent.
func partsWanted(stmt ddl.Statement) []Wanted {
	var wanted []Wanted
	if stmt.Tag == "REINDEX" {
		for _, ref := range stmt.Refs {
			wanted = append(wanted, Wanted{Name: ref.Name, Partitions: true})
		}
	}
	if MakesFilled(stmt) {
		for _, ref := range stmt.Refs {
			if !ref.Created {
				wanted = append(wanted, Wanted{Name: ref.Name})
			}
		}
	}
	if bound, parent, child := boundWanted(stmt); parent.Name != "" {
		create, makes := stmt.Action.(ddl.CreateTable)
		wanted = append(wanted, Wanted{Name: parent, Parents: true, Bound: bound, Child: child, Definitions: !makes},
			Wanted{Name: child, Parents: true, Definitions: !makes}) // a table that is there may have what the parent would give it
		if makes {
			wanted = append(wanted, Wanted{Name: create.Table})
		}
	}
	return wanted
}

// MakesFilled reports whether a statement makes a table or materialized view and fills it.
func MakesFilled(stmt ddl.Statement) bool {
	switch action := stmt.Action.(type) {
	case ddl.CreateTable:
		return action.As && !action.NoData
	case ddl.Query:
		return action.Into.Name != ""
	case ddl.Utility:
		return action.Object == "MATERIALIZED VIEW" && !action.NoData && slices.ContainsFunc(stmt.Refs, func(r ddl.Ref) bool { return r.Created })
	}
	return false
}

// indexAddition is the part, between the table and the label, of the names that the server chooses for an index on a partition; "" if the
// text cannot be read again.
func indexAddition(stmt ddl.Statement) string {
	columns, _ := ddl.IndexNames(stmt)
	return joinNames(distinctNames(columns))
}

// addPartitions adds what is known about the partitions that a statement works on, too.
func addPartitions(ctx context.Context, server Querier, known Facts, wanted []Wanted) error {
	var below []Wanted
	for _, w := range wanted {
		table := known.Relations[Key(w.Name.Schema, w.Name.Name)]
		if table != nil && table.Table != nil {
			table = table.Table
		}
		if !w.Partitions || table == nil || table.Kind != "p" || table.Empty {
			continue
		}
		for _, p := range table.Partitions {
			partition := Wanted{Name: ddl.Name{Schema: p.Schema, Name: p.Name}}
			if w.Addition != "" {
				partition.Candidates = candidates(p.Name, w.Addition, "idx")
			}
			below = append(below, partition)
		}
	}
	if len(below) == 0 {
		return nil
	}
	more, err := Read(ctx, server, below)
	if err != nil {
		return err
	}
	maps.Copy(known.Relations, more.Relations)
	return nil
}

// PartitionIndexName is the name for an index of a partitioned table or of one of its partitions that the statement does not name: that of
// the one by which it was begun before, or the one that the server would choose (IndexName). The names of others, which are made with it in
// the same schema, are not to be had.
func PartitionIndexName(stmt ddl.Statement, create ddl.CreateIndex, table *Relation, others []string) (string, error) {
	names, err := indexCandidates(stmt, table.Name)
	if err != nil {
		return "", err
	}
	taken := slices.DeleteFunc(slices.Clone(table.Taken), func(name string) bool {
		i := table.Index(name)
		return i != nil && i.Unfinished(create)
	})
	return firstFree(names, append(taken, others...))
}

// Index is the table's index of that name, nil if it has none.
func (r *Relation) Index(name string) *Index {
	for i := range r.Indexes {
		if r.Indexes[i].Name == name {
			return &r.Indexes[i]
		}
	}
	return nil
}

// Differs reports whether an index is certainly not the one that is asked for. Expressions and predicates are not compared: the server
// writes them in its own way.
func (i Index) Differs(create ddl.CreateIndex) bool {
	return i.Unique != create.Unique || i.Method != create.Method || i.Partial != create.Partial ||
		i.NullsNotDistinct != create.NullsNotDistinct || !slices.Equal(i.Columns, create.Columns)
}

// Unfinished reports whether an index is what an earlier try at the one that is asked for has left: INVALID, and nobody is building it.
func (i Index) Unfinished(create ddl.CreateIndex) bool {
	return !i.Valid && !i.Building && i.Parent == 0 && i.Constraint == "" && !i.Differs(create)
}

// DefaultOf is the default partition of a partitioned table, where a statement that gives a bound has asked for it; nil if it has none.
func (f Facts) DefaultOf(parent *Relation) *Relation {
	for _, p := range parent.Partitions {
		if p.Default && p.Parent == parent.OID {
			return f.Relations[Key(p.Schema, p.Name)]
		}
	}
	return nil
}

// ParentOf is the partitioned table that a partition belongs to, where Wanted.Parents has asked for it; else nil.
func (f Facts) ParentOf(partition *Relation) *Relation {
	for _, r := range f.Relations {
		if r != nil && partition.PartitionOf != 0 && r.OID == partition.PartitionOf {
			return r
		}
	}
	return nil
}
