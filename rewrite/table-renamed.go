package rewrite

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// renameBehindView renames a table and leaves a view of the old name in its place, with the table's privileges, all in one transaction.
func renameBehindView(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	alter, ok := stmt.Action.(ddl.AlterTable)
	if !ok || len(alter.Commands) != 1 || alter.Commands[0].Op != "Rename" {
		return Plan{}, fmt.Errorf("%s renames no table", stmt.Tag)
	}
	table, err := lookup(known, alter.Table)
	if err != nil {
		return Plan{}, err
	}
	if table == nil || table.Kind != "r" && table.Kind != "p" {
		return budget(stmt, known)
	}
	options := " WITH (security_invoker = true)"
	if known.Version < 150000 {
		if table.RowSecurity {
			return Plan{}, errors.New("cannot leave a view in the place of a table with row security before PostgreSQL 15: the view would show its owner's rows")
		}
		options = ""
	}
	to := alter.Commands[0].NewName
	statements := []string{
		fmt.Sprintf("CREATE VIEW %s%s AS SELECT * FROM %s", quote(table.Schema, table.Name), options, quote(table.Schema, to)),
	}
	if table.Depends == nil {
		return Plan{}, ErrUnknown
	}
	for _, g := range table.Depends.Grants {
		if slices.Contains(viewPrivileges, g.Privilege) {
			statements = append(statements, grant(g, table))
		}
	}
	return Plan{
		Steps:  []Step{{SQL: stmt.Text, Then: statements, Where: InPlace, Budget: true, Table: target(table)}},
		Notice: fmt.Sprintf("renaming %q to %q and leaving a view of the old name", table.Name, to),
	}, nil
}

// viewPrivileges are those that mean something on a view.
var viewPrivileges = []string{"SELECT", "INSERT", "UPDATE", "DELETE"}

// grant gives the view a privilege that the table's user has on the table.
func grant(g facts.Grant, table *facts.Relation) string {
	what, role, option := g.Privilege, "PUBLIC", ""
	if g.Column != "" {
		what = fmt.Sprintf("%s (%s)", g.Privilege, quote(g.Column))
	}
	if g.Role != "" {
		role = quote(g.Role)
	}
	if g.Grantable {
		option = " WITH GRANT OPTION"
	}
	return fmt.Sprintf("GRANT %s ON %s TO %s%s", what, quote(table.Schema, table.Name), role, option)
}
