package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-type-discouraged.sql
var columnTypeDiscouragedCases string

// columnTypeDiscouraged: taste, with reasons.
func columnTypeDiscouraged() policy.Rule {
	return policy.Rule{
		Name:  "column-type-discouraged",
		Title: "Column type that is regretted later",
		Doc: `char(n) pads with blanks; varchar(n) needs a schema change when n is too small, where text with a CHECK does not; timestamp without time zone
means another moment in every time zone; money depends on a setting of the locale; json has no equality, so that DISTINCT and GROUP BY fail; a
smallint, integer or serial key runs out of numbers, and changing it rewrites the table; serial columns have sequences with privileges of
their own, where identity columns have none.

Use text, timestamptz, numeric, jsonb, and bigint GENERATED ALWAYS AS IDENTITY. Looked at are CREATE TABLE and ADD COLUMN only: a table
that exists is not worth a rewrite for taste.`,
		Since:   "0.1",
		Default: policy.Off,
		Cases:   columnTypeDiscouragedCases,
		Run:     runColumnTypeDiscouraged,
	}
}

func runColumnTypeDiscouraged(c *policy.Check) {
	switch action := c.Stmt.Action.(type) {
	case ddl.CreateTable:
		if action.Temp {
			return
		}
		for i, column := range action.Columns {
			name := action.ColumnNames[i]
			discouraged(c, name, column, keyed(column.Constraints) || slices.ContainsFunc(action.Constraints, func(k ddl.Constraint) bool {
				return k.Type == ddl.PrimaryKey && slices.Contains(k.Columns, name)
			}))
		}
	case ddl.AlterTable:
		for _, command := range action.Commands {
			if command.Op == "AddColumn" && command.Column != nil {
				discouraged(c, command.Name, *command.Column, keyed(command.Column.Constraints))
			}
		}
	}
}

func keyed(constraints []ddl.Constraint) bool {
	return slices.ContainsFunc(constraints, func(k ddl.Constraint) bool { return k.Type == ddl.PrimaryKey })
}

// discouraged judges one column; key says whether it is of the primary key.
func discouraged(c *policy.Check, name string, column ddl.Column, key bool) {
	if column.Type.Schema != "" && column.Type.Schema != "pg_catalog" {
		return
	}
	instead := ""
	switch column.Type.Name {
	case "bpchar":
		instead = "text: char(n) pads with blanks"
	case "varchar":
		if strings.Contains(c.Stmt.Text[column.TypeSpan.Start:column.TypeSpan.End], "(") {
			instead = "text with a CHECK: varchar(n) is hard to change"
		}
	case "timestamp":
		instead = "timestamptz: a time without its zone is no moment"
	case "money":
		instead = "numeric: money depends on the locale"
	case "json":
		instead = "jsonb: json has no equality"
	case "int2", "int4":
		if key {
			instead = "bigint: the key will run out of numbers"
		}
	case "smallserial", "serial2", "serial", "serial4", "bigserial", "serial8":
		instead = "bigint GENERATED ALWAYS AS IDENTITY"
	}
	if instead != "" {
		c.Report(policy.Finding{
			Message: fmt.Sprintf("column %q has a type that is regretted later; use %s", name, instead),
		})
	}
}
