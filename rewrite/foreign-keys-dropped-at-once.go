package rewrite

import (
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// dropForeignKeys drops the foreign keys of what is dropped one by one, each pair of tables in a transaction of its own, and then runs the
// statement itself. What the server would refuse it gets as it is, before a key is gone.
func dropForeignKeys(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	var steps []Step
	switch action := stmt.Action.(type) {
	case ddl.Drop:
		var tables []*facts.Relation
		for _, name := range action.Names {
			table, err := lookup(known, name)
			if err != nil {
				return Plan{}, err
			}
			if table == nil && !action.IfExists {
				return budget(stmt, known)
			}
			if table != nil {
				tables = append(tables, table)
			}
		}
		for _, table := range tables {
			if !action.Cascade && needed(table, "", tables) {
				return budget(stmt, known)
			}
			steps = append(steps, keyDrops(table, "", action.Cascade, tables)...)
		}
	case ddl.AlterTable:
		table, err := lookup(known, action.Table)
		if err != nil || table == nil {
			return budget(stmt, known)
		}
		for _, command := range action.Commands {
			if command.Op != "DropColumn" {
				continue
			}
			if table.Column(command.Name) == nil && !command.IfExists || !command.Cascade && needed(table, command.Name, nil) {
				return budget(stmt, known)
			}
			steps = append(steps, keyDrops(table, command.Name, command.Cascade, []*facts.Relation{table})...)
		}
	default:
		return Plan{}, fmt.Errorf("%s drops no foreign key", stmt.Tag)
	}
	last, err := budget(stmt, known)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{Steps: append(steps, last.Steps...)}
	if len(steps) > 0 {
		plan.Notice = fmt.Sprintf("dropping the foreign keys one by one first: %d", len(steps))
	}
	return plan, nil
}

// needed reports whether something else depends on a table, or on one of its columns, so that the server refuses to drop it without CASCADE.
// What is not known counts as needed: then no key may be dropped in vain.
func needed(table *facts.Relation, column string, tables []*facts.Relation) bool {
	if table.Depends == nil {
		return true
	}
	among := func(oid uint32) bool {
		return slices.ContainsFunc(tables, func(t *facts.Relation) bool { return t.OID == oid })
	}
	return slices.ContainsFunc(table.Depends.References, func(k facts.Reference) bool {
		return !among(k.Table.OID) && (column == "" || slices.Contains(k.ParentColumns, column))
	}) || slices.ContainsFunc(table.Depends.Objects, func(d facts.Dependent) bool {
		switch {
		case d.Auto, among(d.OID), d.Kind == "constraint" && column == "":
			return false
		case column == "":
			return !d.PartOf(table)
		}
		return d.Column == column
	})
}

// keyDrops are the steps for the foreign keys between a table, or one of its columns, and tables that stay.
func keyDrops(table *facts.Relation, column string, cascade bool, gone []*facts.Relation) []Step {
	var steps []Step
	stays := func(oid uint32) bool {
		return !slices.ContainsFunc(gone, func(t *facts.Relation) bool { return t.OID == oid })
	}
	for _, k := range table.Constraints {
		if k.Type == string(rune(ddl.ForeignKey)) && !k.Inherited && stays(k.Parent) && (column == "" || slices.Contains(k.Columns, column)) {
			parent := Target{OID: k.Parent, Schema: k.ParentSchema, Name: k.ParentName}
			steps = append(steps, keyDrop(target(table), k.Name, parent))
		}
	}
	if !cascade || table.Depends == nil {
		return steps
	}
	for _, k := range table.Depends.References {
		if stays(k.Table.OID) && (column == "" || slices.Contains(k.ParentColumns, column)) {
			steps = append(steps, keyDrop(target(&k.Table), k.Name, target(table)))
		}
	}
	return steps
}

func keyDrop(table Target, name string, parent Target) Step {
	return Step{
		SQL:   fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", quote(table.Schema, table.Name), quote(name)),
		Where: InPlace, Budget: true, Table: table, Others: []Target{parent},
		Done: fmt.Sprintf("SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
			" AND k.conname OPERATOR(pg_catalog.=) %s)", table.OID, literal(name)),
	}
}
