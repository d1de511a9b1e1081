package rules

import (
	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// TypeChange is what changeOf expects of the only command of an ALTER COLUMN … TYPE, in the words of its test.
type TypeChange struct {
	Impossible, Rewrites        bool
	Rebuilt, Checked, Validated []string
}

func ChangeOf(known facts.Facts, stmt ddl.Statement) TypeChange {
	alter := stmt.Action.(ddl.AlterTable)
	table := known.Relations[facts.Key(alter.Table.Schema, alter.Table.Name)]
	change := changeOf(known, table, table.Column(alter.Commands[0].Name), *alter.Commands[0].Column)
	for _, r := range change.references {
		change.validated = append(change.validated, r.Name)
	}
	return TypeChange{change.impossible, change.rewrites, change.rebuilt, change.checked, change.validated}
}
