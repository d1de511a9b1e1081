package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

// typedTables are the commands of an ALTER TYPE that go on to the tables OF the type, unless this very transaction made it.
func typedTables(c *policy.Check, alter ddl.AlterTable, op string) []ddl.AlterCommand {
	if r, known := c.Relation(alter.Table); known && (r == nil || !r.MayAlter || private(r)) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(alter.Commands), func(command ddl.AlterCommand) bool { return command.Op != op || !command.Cascade })
}

// eachTyped judges the ALTER TABLE that an ALTER TYPE … CASCADE is for each table OF the type. It is false if these are not known. The steps that a finding
// has are for a table that is off the type.
func eachTyped(c *policy.Check, alter ddl.AlterTable, run func(*policy.Check)) bool {
	tables, known := c.Facts.TablesOf(alter.Table)
	if !known {
		return false
	}
	for _, table := range tables {
		stmt, err := ddl.Cascaded(c.Stmt, table.Schema, table.Name)
		if err != nil {
			return false
		}
		of := *c
		of.Stmt = stmt
		of.Report = func(f policy.Finding) {
			if f.Action == policy.Pass || f.Action == policy.Rewrite {
				f.Action = policy.Block
			}
			f.Message = fmt.Sprintf("table %s OF type %s: %s", qualified(table.Schema, table.Name), shown(alter.Table), f.Message)
			f.Hint = strings.TrimSuffix(fmt.Sprintf("ALTER TABLE %s NOT OF;\n%s", qualified(table.Schema, table.Name), f.Hint), "\n")
			c.Report(f)
		}
		run(&of)
	}
	return true
}
