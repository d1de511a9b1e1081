package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed cascade-dropped.sql
var cascadeDroppedCases string

// cascadeDropped: CASCADE drops what nobody has named.
func cascadeDropped() policy.Rule {
	return policy.Rule{
		Name:  "cascade-dropped",
		Title: "CASCADE drops what the statement does not name",
		Doc: `DROP … CASCADE and ALTER TABLE … DROP COLUMN … CASCADE drop everything that depends on what they name, and what depends on
that: views, foreign keys of other tables, defaults, triggers, policies, generated columns. DROP TYPE and DROP DOMAIN … CASCADE drop the
columns of that type, with their values. None of it is in the text, so that no review sees it, and every table that loses something is
locked with ACCESS EXCLUSIVE.

Drop what depends on it first, by name, or change it so that it no longer does; then drop without CASCADE, and the server will refuse if
something was forgotten. A CASCADE that takes nothing along passes. CASCADE of DROP SCHEMA, DROP OWNED, DROP INDEX,
DROP CONSTRAINT and TRUNCATE has rules of its own.`,
		Since:    "0.1",
		Default:  policy.Block,
		Loss:     true,
		Destroys: true,
		Cases:    cascadeDroppedCases,
		Run:      runCascadeDropped,
	}
}

func runCascadeDropped(c *policy.Check) {
	switch action := c.Stmt.Action.(type) {
	case ddl.Drop:
		if action.Cascade {
			dropCascades(c, action)
		}
	case ddl.AlterTable:
		alterCascades(c, action)
	}
}

func dropCascades(c *policy.Check, drop ddl.Drop) {
	switch drop.Object {
	case "INDEX", "SCHEMA":
		return
	}
	for _, name := range drop.Names {
		things, known := dependents(c, drop, name)
		if known && len(things) == 0 {
			continue
		}
		what := fmt.Sprintf("DROP %s %s CASCADE", drop.Object, shown(name))
		cascades(c, what, fmt.Sprintf("what depends on %s", shown(name)), things, known)
	}
}

// dependents are what a DROP … CASCADE of the name takes along; known is false when nobody can tell.
func dependents(c *policy.Check, drop ddl.Drop, name ddl.Name) (things []string, known bool) {
	switch drop.Object {
	case "TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE":
		relation, asked := c.Relation(name)
		if relation == nil || fresh(relation) {
			return nil, asked
		}
		return inTheWay(relation, "", namedRelations(c, drop.Names)...), relation.Depends != nil
	case "TYPE", "DOMAIN":
		t, asked := c.Facts.Types[facts.TypeKey(name.Schema, name.Name, false)]
		if t == nil || t.CreatedHere {
			return nil, asked && c.Facts.Known
		}
		return typeUsers(t), t.Users != nil
	case "FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE":
		function, asked := c.Facts.Functions[facts.Key(name.Schema, name.Name)]
		for _, routine := range function.Routines {
			for _, d := range routine.Objects {
				if thing := described(d); !routine.CreatedHere && !d.Auto && !slices.Contains(things, thing) {
					things = append(things, thing)
				}
			}
		}
		return things, asked && c.Facts.Known
	case "TRIGGER", "RULE", "POLICY", "DATABASE", "TABLESPACE", "ROLE", "PUBLICATION", "SUBSCRIPTION", "EVENT TRIGGER", "STATISTICS", "CAST", "USER MAPPING":
		return nil, true // nothing hangs on them
	}
	return nil, false
}

// typeUsers are the columns that go with a type, in tables that have something to lose.
func typeUsers(t *facts.Type) []string {
	var columns []string
	for _, user := range t.Users {
		if !disposable(&user.Table) {
			columns = append(columns, fmt.Sprintf("column %s.%s", qualified(user.Table.Schema, user.Table.Name), quoted(user.Column)))
		}
	}
	return columns
}

func alterCascades(c *policy.Check, alter ddl.AlterTable) {
	table, known := c.Relation(alter.Table)
	if alter.Object != "TABLE" || known && (table == nil || !table.MayAlter || fresh(table)) {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "DropColumn" || !command.Cascade {
			continue
		}
		var things []string
		seen := table != nil && table.Depends != nil
		if seen {
			things = inTheWay(table, command.Name)
		}
		if !seen || len(things) > 0 {
			cascades(c, fmt.Sprintf("DROP COLUMN %s CASCADE of %s", quoted(command.Name), shown(alter.Table)), fmt.Sprintf("what depends on it in %q", alter.Table.Name), things, seen)
		}
	}
}

// cascades reports what goes along.
func cascades(c *policy.Check, what, unknown string, things []string, known bool) {
	finding := policy.Finding{
		Message: what + " also drops what depends on it, which the statement does not name; drop that by name first, and leave CASCADE out",
		Hint:    meant(c, "cascade-dropped"),
	}
	if !known {
		finding.Unknown = unknown
	} else {
		finding.Message = fmt.Sprintf("%s also drops %s; drop what you mean by name first, and leave CASCADE out", what, enumerated(things))
	}
	c.Report(finding)
}

// shown is a name as a message shows it.
func shown(name ddl.Name) string {
	if name.Schema == "" {
		return quoted(name.Name)
	}
	return qualified(name.Schema, name.Name)
}
