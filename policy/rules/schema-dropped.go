package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed schema-dropped.sql
var schemaDroppedCases string

// schemaDropped: everything in it is gone.
func schemaDropped() policy.Rule {
	return policy.Rule{
		Name:  "schema-dropped",
		Title: "Schema, database, or everything of a role dropped",
		Doc: `DROP SCHEMA … CASCADE drops every table, view, function and type in the schema, and what depends on them elsewhere. DROP DATABASE drops
all of it. DROP OWNED drops whatever the role owns in this database, and takes back its privileges.

All tables are locked with ACCESS EXCLUSIVE until the COMMIT, and so are the tables that their foreign keys reference.

Drop the tables one by one, then the schema without CASCADE: the server refuses it unless it is empty. A schema that is empty, and
one that was made by the same transaction with all that is in it, pass.`,
		Since:    "0.1",
		Default:  policy.Block,
		Loss:     true,
		Destroys: true,
		Cases:    schemaDroppedCases,
		Run:      runSchemaDropped,
	}
}

func runSchemaDropped(c *policy.Check) {
	switch action := c.Stmt.Action.(type) {
	case ddl.Drop:
		for _, name := range action.Names {
			switch {
			case action.Object == "SCHEMA" && action.Cascade:
				schemaDrop(c, name.Name)
			case action.Object == "DATABASE":
				c.Report(policy.Finding{
					Message: fmt.Sprintf("dropping database %q destroys everything in it; take a backup, then allow the drop", name.Name),
					Hint:    meant(c, "schema-dropped"),
				})
			}
		}
	case ddl.Utility:
		if c.Stmt.Tag == "DROP OWNED" {
			c.Report(policy.Finding{
				Message: fmt.Sprintf("DROP OWNED drops every table and view of %s in this database; use REASSIGN OWNED, and drop by name",
					roleList(action.Names)),
				Hint: meant(c, "schema-dropped"),
			})
		}
	}
}

func schemaDrop(c *policy.Check, name string) {
	schema, known := c.Facts.Schemas[name]
	known = known && c.Facts.Known
	if known && (schema == nil || schema.CreatedHere || schemaContent(schema) == "") {
		return
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("DROP SCHEMA %s CASCADE drops everything in it; drop its tables by name, then the schema without CASCADE", quoted(name)),
		Hint:    meant(c, "schema-dropped"),
	}
	if schema == nil {
		finding.Unknown = fmt.Sprintf("what is in schema %q", name)
		c.Report(finding)
		return
	}
	finding.Message = fmt.Sprintf("DROP SCHEMA %s CASCADE drops %s; drop them by name, then the schema without CASCADE", quoted(name), schemaContent(schema))
	var detail []string
	if len(schema.Largest) > 0 {
		largest := "Its largest tables: " + strings.Join(schema.Largest, ", ")
		if schema.Bytes > 0 {
			largest += "; together " + bytes(schema.Bytes)
		}
		detail = append(detail, largest+".")
	}
	var references []string
	for _, k := range schema.References {
		references = append(references, fmt.Sprintf("foreign key %s of %s", quoted(k.Name), qualified(k.Table.Schema, k.Table.Name)))
	}
	if len(references) > 0 {
		detail = append(detail, fmt.Sprintf("Outside of it goes %s.", enumerated(references)))
	}
	finding.Detail = strings.Join(detail, " ")
	c.Report(finding)
}

// schemaContent counts what is in a schema; "" if nothing is.
func schemaContent(s *facts.Schema) string {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{s.Tables, "table"}, {s.Views, "view"}, {s.Sequences, "sequence"}, {s.Functions, "function"}, {s.Types, "type"}} {
		switch {
		case part.n == 1:
			parts = append(parts, "1 "+part.what)
		case part.n > 1:
			parts = append(parts, fmt.Sprintf("%s %ss", thousands(int64(part.n)), part.what))
		}
	}
	return enumerated(parts)
}

// roleList is the roles of a statement, as a message shows them.
func roleList(names []ddl.Name) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%q", name.Name)
	}
	return enumerated(list)
}
