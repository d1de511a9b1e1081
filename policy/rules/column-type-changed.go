package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-type-changed.sql
var columnTypeChangedCases string

// columnTypeChanged: a new type that is more than a new entry in the catalog.
func columnTypeChanged() policy.Rule {
	return policy.Rule{
		Name:  "column-type-changed",
		Title: "Column type changed with work on the rows",
		Doc: `ALTER COLUMN … TYPE holds an ACCESS EXCLUSIVE lock on the table, on its partitions and children, and on tables that are tied to the column by
a foreign key. What it does under that lock depends on the types. Most changes write every row anew and build all indexes again: int to
bigint, a limit added or lowered, char(n), another type under USING. Others leave the rows alone, but build an index again (another collation
or operator class; an expression or a predicate that names the column), or hold every row against a CHECK again.

Nobody can read or write the table until it is done: minutes for some gigabytes.

pgsluice looks the change up in the server's own catalog and lets through what touches no row: a longer or unlimited varchar, varchar to text, a
larger numeric of the same scale, more digits of a second, timestamp to timestamptz while the session's time zone is UTC. A type that the column
has already, which some tools send along with everything else that they know of a column, is left out where the server would work for it. The rest is
refused, with the steps to type: a new column beside the old one, kept equal by a trigger, filled in batches, indexed concurrently, and swapped
in by a rename. It also lists at once what forbids the change (views, policies, generated columns), which the server names one by one. New, empty and
small tables are left alone. ALTER TYPE ... ALTER ATTRIBUTE ... CASCADE does the same to every table OF a composite type. After any change of a type, prepared statements that return the column fail once with "cached plan must not change
result type".`,
		Since:   "0.1",
		Default: policy.Block,
		Recipe:  alterTable,
		Cases:   columnTypeChangedCases,
		Run:     runColumnTypeChanged,
	}
}

func runColumnTypeChanged(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if ok && alter.Object == "TYPE" {
		attributeTypeChanged(c, alter)
	}
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || !strings.Contains("rp", table.Kind)) {
		return // the server says what is wrong
	}
	for _, command := range alter.Commands {
		if command.Op != "AlterColumnType" || command.Column == nil {
			continue
		}
		change := changing{c: c, alter: alter, command: command, table: table}
		if !known {
			change.assumed()
			continue
		}
		if change.column = table.Column(command.Name); change.column != nil {
			change.judge()
		}
	}
}

// attributeTypeChanged judges ALTER TYPE … ALTER ATTRIBUTE of a composite type. Without CASCADE the server refuses it where there is a table OF the type.
func attributeTypeChanged(c *policy.Check, alter ddl.AlterTable) {
	if eachTyped(c, alter, runColumnTypeChanged) {
		return
	}
	for _, command := range typedTables(c, alter, "AlterColumnType") {
		c.Report(policy.Finding{
			Message: fmt.Sprintf("changing attribute %q of type %s with CASCADE may rewrite every table OF it and block its readers and writers until that is done; take the tables off the type with ALTER TABLE ... NOT OF, and change them one by one",
				command.Name, shown(alter.Table)),
			Hint:    fmt.Sprintf("SELECT oid::regclass FROM pg_class WHERE reloftype = %s::regtype;\n%s", text(shown(alter.Table)), meant(c, "column-type-changed")),
			Unknown: fmt.Sprintf("which tables there are OF type %s, and their sizes", shown(alter.Table)),
		})
	}
}

// changing is one ALTER COLUMN … TYPE.
type changing struct {
	c       *policy.Check
	alter   ddl.AlterTable
	command ddl.AlterCommand
	table   *facts.Relation
	column  *facts.Column
}

// typed is the new type as it is written.
func (g changing) typed() string {
	span := g.command.Column.TypeSpan
	return g.c.Stmt.Text[span.Start:span.End]
}

func (g changing) assumed() {
	g.c.Report(policy.Finding{
		Message: fmt.Sprintf("changing the type of %q may rewrite %q and block its readers and writers until that is done; add a new column, fill it and swap the two",
			g.command.Name, g.alter.Table.Name),
		Hint:    g.swap(),
		Unknown: fmt.Sprintf("the type that %q has, its indexes and checks, and the size of table %q", g.command.Name, g.alter.Table.Name),
	})
}

func (g changing) judge() {
	if forbidden := g.forbidden(); len(forbidden) > 0 {
		g.c.Report(policy.Finding{
			Message: fmt.Sprintf("the type of %q cannot change while %s; drop what uses it and make it again afterwards, in one transaction",
				g.command.Name, strings.Join(forbidden, ", ")),
			Hint: g.definitions(),
		})
		return
	}
	change := changeOf(g.c.Facts, g.table, g.column, *g.command.Column)
	for _, child := range g.table.Children {
		if column := child.Column(g.column.Name); column != nil {
			own := changeOf(g.c.Facts, child, column, *g.command.Column)
			change.rewrites = change.rewrites || own.rewrites
			change.rebuilt = append(change.rebuilt, own.rebuilt...)
			change.checked = append(change.checked, own.checked...)
		}
	}
	heavy := !g.c.Light(g.table)
	switch {
	case change.harmless():
	case heavy && !g.column.Inherited && g.c.Facts.HasType(g.column, *g.command.Column):
		g.c.Report(policy.Finding{
			Action: policy.Rewrite,
			Message: fmt.Sprintf("%q has the type %s already, and the server would build indexes or hold every row of %q against its checks again while nobody can use it; leave it out",
				g.column.Name, g.typed(), g.table.Name),
			Detail: size(g.table),
		})
	case change.rewrites && heavy:
		g.c.Report(g.rewritten(change))
	case len(change.rebuilt) > 0 && heavy:
		g.c.Report(g.rebuilt(change))
	case len(change.checked)+len(change.validated) > 0 && heavy:
		g.c.Report(g.checked(change))
	default:
		g.referenced(change)
	}
}

// forbidden is what the server refuses a new type for, each with the words that say so.
func (g changing) forbidden() []string {
	var found []string
	if g.table.Key != nil && slices.Contains(g.table.Key.Mentions, g.column.Name) {
		found = append(found, fmt.Sprintf("%q is partitioned by it", g.table.Name))
	}
	if g.table.Depends == nil {
		return found
	}
	for _, d := range g.table.Depends.Objects {
		if d.Column != g.column.Name || d.Indirect {
			continue
		}
		switch d.Kind {
		case "view", "materialized view":
			found = append(found, fmt.Sprintf("%s %s uses it", d.Kind, qualified(d.Schema, d.Name)))
		case "rule", "trigger", "policy":
			found = append(found, fmt.Sprintf("%s %q of %s uses it", d.Kind, d.Name, d.Table))
		case "generated column", "function":
			found = append(found, fmt.Sprintf("%s %q uses it", d.Kind, d.Name))
		}
	}
	return slices.Compact(found)
}

// definitions asks what the views are that have to be made again, as far as they are few.
func (g changing) definitions() string {
	const few = 3
	var lines []string
	if g.table.Depends == nil {
		return ""
	}
	for _, d := range g.table.Depends.Objects {
		if line := fmt.Sprintf("SELECT pg_get_viewdef(%s::regclass, true);", literal(qualified(d.Schema, d.Name))); d.Column == g.column.Name && !d.Indirect &&
			strings.HasSuffix(d.Kind, "view") && len(lines) < few && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if len(lines) > 0 {
		lines = append(lines, "That is what to make again; grants, comments and indexes of it, too.")
	}
	return strings.Join(lines, "\n")
}

// referenced reports the table that references the column and has to be read for it, when this one costs nothing.
func (g changing) referenced(change typeChange) {
	for _, r := range change.references {
		if g.c.Light(&r.Table) {
			continue
		}
		child := qualified(r.Table.Schema, r.Table.Name)
		g.c.Report(policy.Finding{
			Message: fmt.Sprintf("changing %q to %s holds every row of %q against foreign key %q again and blocks its reads and writes until that is done; "+
				"drop the foreign key first and add it again NOT VALID, then VALIDATE CONSTRAINT", g.column.Name, g.typed(), r.Table.Name, r.Name),
			Detail: size(&r.Table),
			Hint: fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s;\n%s;\nALTER TABLE %[1]s ADD CONSTRAINT %[2]s %[4]s NOT VALID;\nALTER TABLE %[1]s VALIDATE CONSTRAINT %[2]s;",
				child, quoted(r.Name), g.c.Stmt.Text, valid(r.Definition)),
		})
		return
	}
}

func (g changing) rewritten(change typeChange) policy.Finding {
	finding := policy.Finding{
		Message: fmt.Sprintf("changing %q from %s to %s rewrites %q with all its indexes and blocks reads and writes until that is done; "+
			"add a new column, fill it and swap the two", g.column.Name, g.column.Type, g.typed(), g.table.Name),
		Detail:  size(g.table),
		Hint:    g.swap(),
		Unknown: change.unknown,
	}
	for _, r := range change.references {
		finding.Detail += fmt.Sprintf(" Table %s is locked, too, and held against foreign key %q again.", qualified(r.Table.Schema, r.Table.Name), r.Name)
	}
	if g.onlyZone() {
		finding.Hint = "If its times are those of UTC: SET LOCAL timezone = 'UTC' in the same transaction, and no row is rewritten. Otherwise:\n" + finding.Hint
	}
	return finding
}

// onlyZone reports whether the rows are rewritten for no other reason than the session's time zone.
func (g changing) onlyZone() bool {
	utc := g.c.Facts
	utc.UTC = true
	return !utc.Known || !changeOf(utc, g.table, g.column, *g.command.Column).rewrites
}

func (g changing) rebuilt(change typeChange) policy.Finding {
	finding := policy.Finding{
		Message: fmt.Sprintf("changing %q to %s rebuilds %s and blocks reads and writes of %q until that is done",
			g.column.Name, g.typed(), named("index", "indexes", change.rebuilt), g.table.Name),
		Detail: size(g.table),
	}
	var before, after []string
	for _, i := range g.table.Indexes {
		if !slices.Contains(change.rebuilt, i.Name) {
			continue
		}
		create := concurrentDefinition(i.Definition)
		if i.Constraint != "" || i.Parent != 0 || i.Kind != "i" || create == "" {
			before = nil
			break
		}
		before = append(before, fmt.Sprintf("DROP INDEX CONCURRENTLY %s;", qualified(g.table.Schema, i.Name)))
		after = append(after, create+";")
	}
	if len(before) == 0 || len(before) < len(change.rebuilt) {
		finding.Message += "; add a new column, fill it and swap the two"
		finding.Hint = g.swap()
		return finding
	}
	finding.Message += "; drop it concurrently first, and build it again afterwards"
	finding.Hint = strings.Join(slices.Concat(before, []string{g.c.Stmt.Text + ";"}, after), "\n")
	return finding
}

// concurrentDefinition is pg_get_indexdef's text with CONCURRENTLY.
func concurrentDefinition(definition string) string {
	before, after, found := strings.Cut(definition, "INDEX ")
	if !found {
		return ""
	}
	return before + "INDEX CONCURRENTLY " + after
}

func (g changing) checked(change typeChange) policy.Finding {
	kind, plural, names := "check", "checks", change.checked
	if len(names) == 0 {
		kind, plural, names = "foreign key", "foreign keys", change.validated
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("changing %q to %s holds every row against %s again and blocks reads and writes of %q until that is done; "+
			"drop it in the same statement and add it again NOT VALID, then VALIDATE CONSTRAINT", g.column.Name, g.typed(), named(kind, plural, names), g.table.Name),
		Detail: size(g.table),
	}
	name := g.c.Stmt.Text[g.alter.TableSpan.Start:g.alter.TableSpan.End]
	drop, add := []string{}, []string{}
	for _, k := range g.table.Constraints {
		if slices.Contains(names, k.Name) && k.Definition != "" {
			drop = append(drop, "DROP CONSTRAINT "+quoted(k.Name))
			add = append(add, fmt.Sprintf("ADD CONSTRAINT %s %s NOT VALID", quoted(k.Name), valid(k.Definition)))
		}
	}
	if len(drop) < len(names) {
		return finding // some are those of children
	}
	var own []string
	for _, command := range g.alter.Commands {
		own = append(own, g.c.Stmt.Text[command.Span.Start:command.Span.End])
	}
	finding.Hint = fmt.Sprintf("ALTER TABLE %s %s;", name, strings.Join(slices.Concat(drop, own, add), ", "))
	for _, k := range names {
		finding.Hint += fmt.Sprintf("\nALTER TABLE %s VALIDATE CONSTRAINT %s;", name, quoted(k))
	}
	return finding
}

// named is a list of names with the word for what they name.
func named(one, many string, names []string) string {
	quotedNames := make([]string, len(names))
	for i, name := range names {
		quotedNames[i] = fmt.Sprintf("%q", name)
	}
	if len(names) == 1 {
		return one + " " + quotedNames[0]
	}
	return many + " " + strings.Join(quotedNames, ", ")
}
