package rules

import (
	"cmp"
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed object-renamed.sql
var objectRenamedCases string

// objectRenamed: names that code spells out, of things that are no tables.
func objectRenamed() policy.Rule {
	return policy.Rule{
		Name:  "object-renamed",
		Title: "Schema, enum value or another name moved under running code",
		Doc: `ALTER SCHEMA … RENAME TO and ALTER … SET SCHEMA change what every qualified name and every search_path means; ALTER DATABASE … RENAME
breaks every connection string; ALTER TYPE … RENAME VALUE fails the code that writes the old label, while sessions may see either. Code that
runs during a deployment cannot know both names.

Make the new one beside the old one: a new schema with views, a new enum value (ALTER TYPE … ADD VALUE) to which rows are moved in batches. The
names and places of views, functions, types, domains, sequences and roles are a warning. What was made by the same transaction, and an empty schema, pass.`,
		Since:   "0.1",
		Default: policy.Block,
		Loss:    true,
		Cases:   objectRenamedCases,
		Run:     runObjectRenamed,
	}
}

func runObjectRenamed(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || len(alter.Commands) != 1 {
		return
	}
	command := alter.Commands[0]
	switch {
	case command.Op == "SetSchema":
		moved(c, alter, command)
	case command.Op == "RenameValue":
		valueRenamed(c, alter, command)
	case command.Op == "Rename":
		renamed(c, alter, command)
	case command.Op == "RenameColumn" && alter.Object == "TYPE":
		if t, known := typeOf(c, alter.Table); !known || t != nil && !t.CreatedHere {
			c.Report(policy.Finding{
				Action: policy.Warn,
				Message: fmt.Sprintf("renaming attribute %q of type %s breaks code that uses the old name; release code that knows both names first",
					command.Name, shown(alter.Table)),
			})
		}
	}
}

// moved judges SET SCHEMA.
func moved(c *policy.Check, alter ddl.AlterTable, command ddl.AlterCommand) {
	r, _ := c.Relation(alter.Table)
	object := kindOf(alter, r)
	finding := policy.Finding{
		Action: policy.Warn,
		Message: fmt.Sprintf("moving %s %s to schema %q breaks code that uses its old place; make a new one there and move over step by step",
			strings.ToLower(string(object)), shown(alter.Table), command.NewName),
	}
	switch object {
	case "TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "SEQUENCE":
		r, known := c.Relation(alter.Table)
		if known && (r == nil || !r.MayAlter || disposable(r)) {
			return
		}
		if object == "TABLE" {
			finding.Action, finding.Hint = policy.Block, meant(c, "object-renamed")
		}
		switch {
		case r == nil:
			finding.Unknown = fmt.Sprintf("whether %s is in use: its size", shown(alter.Table))
		case finding.Action == policy.Block:
			finding.Detail = size(r)
			finding.Hint = fmt.Sprintf("Where code must go on finding it: BEGIN; ALTER TABLE %[1]s SET SCHEMA %[2]s; CREATE VIEW %[1]s AS SELECT * FROM %[3]s; COMMIT;\n%[4]s",
				qualified(r.Schema, r.Name), quoted(command.NewName), qualified(command.NewName, r.Name), finding.Hint)
		}
	case "TYPE", "DOMAIN":
		t, known := typeOf(c, alter.Table)
		if known && (t == nil || t.CreatedHere) {
			return
		}
	}
	c.Report(finding)
}

// kindOf is what an ALTER is about: as ALTER TABLE the server renames and moves views, indexes and sequences, too.
func kindOf(alter ddl.AlterTable, r *facts.Relation) ddl.ObjectKind {
	if alter.Object != "TABLE" || r == nil {
		return alter.Object
	}
	kinds := map[string]ddl.ObjectKind{"v": "VIEW", "m": "MATERIALIZED VIEW", "S": "SEQUENCE", "f": "FOREIGN TABLE", "i": "INDEX", "I": "INDEX", "c": "TYPE"}
	return cmp.Or(kinds[r.Kind], alter.Object)
}

// valueRenamed judges ALTER TYPE … RENAME VALUE.
func valueRenamed(c *policy.Check, alter ddl.AlterTable, command ddl.AlterCommand) {
	t, known := typeOf(c, alter.Table)
	if known && (t == nil || t.CreatedHere || t.Users != nil && len(typeUsers(t)) == 0) {
		return
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("renaming value %q of type %s breaks code that writes or compares it; add value %q, move the rows over, and leave the old one",
			command.Name, shown(alter.Table), command.NewName),
		Hint: fmt.Sprintf("1. ALTER TYPE %[1]s ADD VALUE %[3]s AFTER %[2]s;\n2. Release code that knows both values; move the rows in batches.\n"+
			"3. Release code that uses %[3]s only. The old label stays, unused.\n%[4]s",
			shown(alter.Table), text(command.Name), text(command.NewName), meant(c, "object-renamed")),
	}
	if !known {
		finding.Unknown = fmt.Sprintf("which tables have columns of type %s", shown(alter.Table))
	} else if users := typeUsers(t); len(users) > 0 {
		finding.Detail = fmt.Sprintf("It is the type of %s.", enumerated(users))
	}
	c.Report(finding)
}

// renamed judges RENAME TO of what is no relation, and of sequences.
func renamed(c *policy.Check, alter ddl.AlterTable, command ddl.AlterCommand) {
	r, _ := c.Relation(alter.Table)
	object := kindOf(alter, r)
	finding := policy.Finding{
		Action: policy.Warn,
		Message: fmt.Sprintf("renaming %s %s to %q breaks code that uses the old name; release code that knows the new one first",
			strings.ToLower(string(object)), shown(alter.Table), command.NewName),
	}
	switch object {
	case "SCHEMA":
		schema, known := c.Facts.Schemas[alter.Table.Name]
		known = known && c.Facts.Known
		if known && (schema == nil || schema.CreatedHere || schemaContent(schema) == "") {
			return
		}
		finding.Action = policy.Block
		finding.Message = fmt.Sprintf("renaming schema %q breaks every qualified name and search_path that uses it; make schema %q beside it and move over step by step",
			alter.Table.Name, command.NewName)
		finding.Hint = meant(c, "object-renamed")
		if known {
			finding.Detail = fmt.Sprintf("It has %s.", schemaContent(schema))
		} else {
			finding.Unknown = fmt.Sprintf("what is in schema %q", alter.Table.Name)
		}
	case "DATABASE":
		finding.Action = policy.Block
		finding.Message = fmt.Sprintf("renaming database %q breaks every connection string that names it; do it while nothing is connected", alter.Table.Name)
		finding.Hint = meant(c, "object-renamed")
	case "ROLE":
		finding.Message = fmt.Sprintf("renaming role %q breaks every login that uses the name, and an MD5 password is lost; make a new role and grant it the old one",
			alter.Table.Name)
	case "SEQUENCE":
		if r, known := c.Relation(alter.Table); known && (r == nil || private(r)) {
			return
		}
	case "TYPE", "DOMAIN":
		if t, known := typeOf(c, alter.Table); known && (t == nil || t.CreatedHere) {
			return
		}
	case "FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE":
	default:
		return // tables have a rule of their own; the names of the rest stand in no query
	}
	c.Report(finding)
}

// typeOf is a type that the statement names; nil and known if it does not exist.
func typeOf(c *policy.Check, name ddl.Name) (t *facts.Type, known bool) {
	t, known = c.Facts.Types[facts.TypeKey(name.Schema, name.Name, false)]
	return t, known && c.Facts.Known
}
