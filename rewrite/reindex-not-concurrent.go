package rewrite

import (
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// reindex rebuilds an index, or those of a table, concurrently; of a partitioned one those of each partition by itself.
func reindex(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	action, ok := stmt.Action.(ddl.Utility)
	if !ok || stmt.Tag != "REINDEX" || len(stmt.Refs) != 1 {
		return Plan{}, fmt.Errorf("%s rebuilds no index", stmt.Tag)
	}
	relation, err := lookup(known, stmt.Refs[0].Name)
	if err != nil {
		return Plan{}, err
	}
	if relation == nil {
		return budget(stmt, known)
	}
	plan := Plan{Object: relation.Name, Notice: fmt.Sprintf("rebuilding the indexes of %q concurrently", relation.Name)}
	if action.Object == "INDEX" {
		plan.Notice = fmt.Sprintf("rebuilding index %q concurrently", relation.Name)
	}
	for _, part := range rebuilt(known, relation) {
		text, err := rewritten(stmt, ddl.Concurrently, qualifiedBy(part))
		if err != nil {
			return Plan{}, err
		}
		table := part
		if part.Table != nil {
			table = part.Table
		}
		plan.Steps = append(plan.Steps, Step{SQL: text, Where: Alone, Rebuild: true, Table: target(table)})
	}
	return plan, nil
}

// rebuilt is the relation itself, or what the partitions of a partitioned one have of it: tables of a table, indexes of an index.
func rebuilt(known facts.Facts, relation *facts.Relation) []*facts.Relation {
	table := relation
	if relation.Table != nil {
		table = relation.Table
	}
	if table.Kind != "p" {
		return []*facts.Relation{relation}
	}
	var parts []*facts.Relation
	whole := []uint32{relation.OID} // the relation and the parts of it that are partitioned
	for found := true; found; {
		found = false
		for _, p := range table.Partitions {
			partition := known.Relations[facts.Key(p.Schema, p.Name)]
			part := partOf(partition, whole, relation.Table != nil)
			if part == nil || slices.Contains(whole, part.OID) || slices.ContainsFunc(parts, func(r *facts.Relation) bool { return r.OID == part.OID }) {
				continue
			}
			found = true
			if partition.Kind == "p" {
				whole = append(whole, part.OID)
			} else {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

// partOf is a partition of one of the relations, or its index that is a part of one of them; nil if it is none.
func partOf(partition *facts.Relation, whole []uint32, index bool) *facts.Relation {
	switch {
	case partition == nil || partition.Kind == "f":
		return nil
	case !index && slices.Contains(whole, partition.PartitionOf):
		return partition
	}
	for _, i := range partition.Indexes {
		if index && slices.Contains(whole, i.Parent) {
			return &facts.Relation{OID: i.OID, Schema: partition.Schema, Name: i.Name, Kind: i.Kind, Table: partition}
		}
	}
	return nil
}
