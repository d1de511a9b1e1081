package rules

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed column-recomputed-in-place.sql
var columnRecomputedInPlaceCases string

// columnRecomputedInPlace: another expression means another value in every row.
func columnRecomputedInPlace() policy.Rule {
	return policy.Rule{
		Name:  "column-recomputed-in-place",
		Title: "Expression of a stored column changed",
		Doc: `ALTER COLUMN … SET EXPRESSION (PostgreSQL 17) of a stored generated column computes the column anew for every row: the table is rewritten and
all its indexes are built again under ACCESS EXCLUSIVE, those of its partitions and children, too.

Nobody can read or write the table until it is done.

Add a plain column beside it, keep that by a trigger, fill it in batches, and swap the two by a rename. A virtual column (PostgreSQL 18) stores
nothing, so that its expression can change in a moment. New, empty and small tables are left alone.`,
		Since:   "0.2",
		Default: policy.Block,
		Cases:   columnRecomputedInPlaceCases,
		Run:     runColumnRecomputedInPlace,
	}
}

func runColumnRecomputedInPlace(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || !table.MayAlter || c.Light(table)) {
		return
	}
	for _, command := range alter.Commands {
		if command.Op != "SetExpression" {
			continue
		}
		finding := policy.Finding{
			Message: fmt.Sprintf("a new expression for %q rewrites %q and blocks reads and writes until that is done; "+
				"add a plain column, keep it by a trigger, fill it in batches and swap the two", command.Name, alter.Table.Name),
			Hint: recomputed(c, alter, command),
		}
		if known {
			if column := table.Column(command.Name); column == nil || column.Generated != "s" {
				continue // the server refuses it, or nothing is stored
			}
			finding.Detail = size(table)
		} else {
			finding.Unknown = fmt.Sprintf("whether %q is stored, and the size of table %q", command.Name, alter.Table.Name)
		}
		c.Report(finding)
	}
}

// recomputed is what to type in place of the change, up to the swap. The type is that of the column, which only the server may know.
func recomputed(c *policy.Check, alter ddl.AlterTable, command ddl.AlterCommand) string {
	column, kind := quoted(command.Name), "TYPE"
	swap := changing{c: c, alter: alter, command: command}
	swap.table, _ = c.Relation(alter.Table)
	if swap.table != nil {
		if is := swap.table.Column(command.Name); is != nil {
			kind = is.Type
		}
	}
	table := c.Stmt.Text[alter.TableSpan.Start:alter.TableSpan.End]
	expression := c.Stmt.Text[command.Default.Start:command.Default.End]
	fresh, old := swap.free(command.Name+"_new"), swap.free(command.Name+"_old")
	_, _, keep := keptByTrigger(alter.Table, table, fresh, command.Name+"_new", expression)
	_, _, after := keptByTrigger(alter.Table, table, column, command.Name+"_new", expression)
	steps := slices.Concat(swap.rest(), []string{fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s;", table, fresh, kind)}, keep)
	return strings.Join(append(steps,
		fmt.Sprintf("UPDATE %s SET %s = %s WHERE %[2]s IS NULL; -- in batches", table, fresh, expression),
		"BEGIN;",
		fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s;", table, column, old),
		fmt.Sprintf("ALTER TABLE %s RENAME COLUMN %s TO %s;", table, fresh, column),
		"CREATE OR REPLACE"+strings.TrimPrefix(after[0], "CREATE"),
		"COMMIT;",
		fmt.Sprintf("ALTER TABLE %s DROP COLUMN %s;", table, old)), "\n")
}
