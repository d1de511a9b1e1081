package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

// disposable reports whether nobody misses a relation, or what is in it: it is temporary, made by this very transaction, or a table
// without a row.
func disposable(r *facts.Relation) bool {
	return fresh(r) || r.Empty && strings.Contains("rmp", r.Kind)
}

// fresh reports whether only this session has used a relation, and all that is below it.
func fresh(r *facts.Relation) bool { return private(r) && !r.Adopted }

// meant is the last line of a hint: how to do it all the same.
func meant(c *policy.Check, rule string) string { return "If it is meant, " + allowed(c, rule) }

// allowed is the statement with its override, and who may use it.
func allowed(c *policy.Check, rule string) string {
	return fmt.Sprintf("as a login named in overrides.roles:\n/* pgsluice:allow %s reason=\"...\" */ %s;", rule, ddl.Shown(c.Stmt))
}

// shownItems is how many things a message lists before it counts the rest.
const shownItems = 6

// enumerated joins things for a message.
func enumerated(items []string) string {
	if len(items) > shownItems {
		rest := len(items) - shownItems
		items = append(slices.Clone(items[:shownItems]), fmt.Sprintf("%d more", rest))
	}
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	return strings.Join(items[:len(items)-1], ", ") + " and " + items[len(items)-1]
}

// goesWith are the parts of a table, or of one of its columns ("" for all of it), that are dropped along with it without being named.
func goesWith(r *facts.Relation, column string) []string {
	var parts []string
	for _, k := range r.Constraints {
		if column != "" && !slices.Contains(k.Columns, column) || k.Type == string(rune(ddl.NotNull)) {
			continue
		}
		switch {
		case k.Type == string(rune(ddl.ForeignKey)):
			parts = append(parts, fmt.Sprintf("foreign key %s to %s", quoted(k.Name), qualified(k.ParentSchema, k.ParentName)))
		case column != "":
			parts = append(parts, "constraint "+quoted(k.Name))
		}
	}
	for _, i := range r.Indexes {
		if column != "" && slices.Contains(i.Mentions, column) && i.Constraint == "" {
			parts = append(parts, fmt.Sprintf("index %s (%s)", quoted(i.Name), strings.Join(i.Mentions, ", ")))
		}
	}
	if column == "" && len(r.Indexes) == 1 {
		parts = append(parts, "its index")
	} else if column == "" && len(r.Indexes) > 1 {
		parts = append(parts, fmt.Sprintf("its %d indexes", len(r.Indexes)))
	}
	if r.Depends == nil {
		return parts
	}
	for _, d := range r.Depends.Objects {
		if d.Auto && d.Kind == "sequence" && (column == "" || d.Column == column) {
			parts = append(parts, described(d))
		}
	}
	for _, publication := range r.Depends.Publications {
		if column == "" {
			parts = append(parts, "its part of publication "+quoted(publication))
		}
	}
	if column == "" && len(r.Depends.Triggers) > 0 {
		parts = append(parts, fmt.Sprintf("its %d triggers", len(r.Depends.Triggers)))
	}
	return parts
}

// inTheWay are the things of others that depend on a relation, or on one of its columns: without CASCADE the server refuses to drop it,
// with CASCADE they go, too. Those that go anyway because they are named in the same statement are left out.
func inTheWay(r *facts.Relation, column string, named ...*facts.Relation) []string {
	if r.Depends == nil {
		return nil
	}
	var things []string
	add := func(thing string) {
		if !slices.Contains(things, thing) {
			things = append(things, thing)
		}
	}
	goes := func(oid uint32) bool {
		return oid == r.OID && column == "" || slices.ContainsFunc(named, func(n *facts.Relation) bool { return n != nil && n.OID == oid })
	}
	for _, k := range r.Depends.References {
		if !goes(k.Table.OID) && (column == "" || slices.Contains(k.ParentColumns, column)) {
			add(fmt.Sprintf("foreign key %s of %s", quoted(k.Name), qualified(k.Table.Schema, k.Table.Name)))
		}
	}
	for _, d := range r.Depends.Objects {
		switch {
		case d.Auto, goes(d.OID), column == "" && d.PartOf(r), column != "" && d.Column != column && !d.Indirect:
		case d.Kind == "constraint" && column == "":
			// A foreign key is among the references.
		default:
			add(described(d))
		}
	}
	return things
}

// described names an object that depends on another.
func described(d facts.Dependent) string {
	name := quoted(d.Name)
	if d.Schema != "" {
		name = qualified(d.Schema, d.Name)
	}
	switch {
	case d.Kind == "default" && d.Table != "":
		return "default of " + d.Table + "." + quoted(d.Name)
	case d.Kind == "other":
		return name
	case d.Table != "":
		return fmt.Sprintf("%s %s of %s", d.Kind, quoted(d.Name), d.Table)
	}
	return d.Kind + " " + name
}

// consequences is the detail of a finding about something that is dropped: its size, what goes with it, and what is in the way.
func consequences(r *facts.Relation, column string, cascade bool, named ...*facts.Relation) string {
	lines := []string{size(r)}
	if parts := goesWith(r, column); len(parts) > 0 {
		lines = append(lines, fmt.Sprintf("It takes along %s.", enumerated(parts)))
	}
	if things := inTheWay(r, column, named...); len(things) > 0 {
		if cascade {
			lines = append(lines, fmt.Sprintf("CASCADE drops %s, too.", enumerated(things)))
		} else {
			lines = append(lines, fmt.Sprintf("The server will refuse it while it is used by %s.", enumerated(things)))
		}
	}
	return strings.Join(lines, " ")
}
