package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed name-against-convention.sql
var nameAgainstConventionCases string

// nameAgainstConvention: a name is for ever, nearly.
func nameAgainstConvention() policy.Rule {
	return policy.Rule{
		Name:  "name-against-convention",
		Title: "Name that is not as agreed",
		Doc: `The configuration can say what the names of new tables, columns, constraints, indexes, sequences, views, types, functions, triggers and schemas
must look like, a regular expression for each kind: conventions.names. A name that is in use can be changed only by breaking what uses it, so that
the time to look is when it is made.

Nobody waits. Only names that the statement writes count, not those that the server chooses, and those of temporary tables are free.`,
		Since:   "0.2",
		Default: policy.Off,
		Cases:   nameAgainstConventionCases,
		Run:     runNameAgainstConvention,
	}
}

func runNameAgainstConvention(c *policy.Check) {
	hold := func(kind, name string) {
		if pattern := c.Conventions.Names[kind]; pattern != nil && name != "" && !pattern.MatchString(name) {
			c.Report(policy.Finding{
				Message: fmt.Sprintf("%s %q is not named as agreed; use a name that matches %s", kind, name, pattern),
			})
		}
	}
	switch action := c.Stmt.Action.(type) {
	case ddl.CreateTable:
		if action.Temp {
			return
		}
		hold("table", action.Table.Name)
		for i, column := range action.Columns {
			hold("column", action.ColumnNames[i])
			holdConstraints(hold, column.Constraints)
		}
		holdConstraints(hold, action.Constraints)
	case ddl.Query:
		hold("table", action.Into.Name)
	case ddl.CreateIndex:
		hold("index", action.Name)
	case ddl.AlterTable:
		for _, command := range action.Commands {
			switch {
			case command.Op == "AddColumn":
				hold("column", command.Name)
				holdConstraints(hold, command.Column.Constraints)
			case command.Op == "AddConstraint":
				holdConstraints(hold, []ddl.Constraint{*command.Constraint})
			case command.Op == "RenameColumn":
				hold("column", command.NewName)
			case command.Op == "RenameConstraint":
				hold("constraint", command.NewName)
			case command.Op == "Rename":
				hold(conventionKind(action.Object), command.NewName)
			}
		}
	case ddl.Utility:
		if !strings.HasPrefix(c.Stmt.Tag, "CREATE ") {
			return
		}
		for _, name := range action.Names {
			hold(conventionKind(action.Object), name.Name)
		}
		for _, ref := range c.Stmt.Refs {
			if ref.Created && ref.Kind == action.Object && len(action.Names) == 0 {
				hold(conventionKind(ref.Kind), ref.Name.Name)
			}
		}
	}
}

func holdConstraints(hold func(kind, name string), constraints []ddl.Constraint) {
	for _, k := range constraints {
		hold("constraint", k.Name)
	}
}

// conventionKind is the kind of policy.NamedKinds that an object is of; "" if it is of none.
func conventionKind(object ddl.ObjectKind) string {
	switch object {
	case "TABLE", "FOREIGN TABLE":
		return "table"
	case "VIEW", "MATERIALIZED VIEW":
		return "view"
	case "TYPE", "DOMAIN":
		return "type"
	case "FUNCTION", "PROCEDURE":
		return "function"
	case "INDEX":
		return "index"
	case "SEQUENCE":
		return "sequence"
	case "TRIGGER":
		return "trigger"
	case "SCHEMA":
		return "schema"
	}
	return ""
}
