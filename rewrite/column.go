package rewrite

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// mustFill reports whether the rows that exist need values of their own for a new column: a volatile default, a serial, an identity.
func (a *alteration) mustFill(command ddl.AlterCommand) bool {
	column := command.Column
	if command.IfExists && a.table.Column(command.Name) != nil {
		return false // there is nothing to do
	}
	return column.Identity || column.Serial() || column.Default != (ddl.Span{}) && slices.ContainsFunc(column.DefaultCalls, a.volatile)
}

// volatile reports whether a function may give another value for each row. What is not known is taken for volatile.
func (a *alteration) volatile(name ddl.Name) bool {
	function, known := a.known.Functions[facts.Key(name.Schema, name.Name)]
	return !known || function.Volatile == "v"
}

// addColumn takes ADD COLUMN apart: the column comes at once, bare of what would read or write every row.
func (a *alteration) addColumn(i int, command ddl.AlterCommand) error {
	column := *command.Column
	if command.IfExists && a.table.Column(command.Name) != nil {
		return nil
	}
	a.undo = append(a.undo, "DROP COLUMN IF EXISTS "+quote(command.Name))
	a.stays = a.stays || command.IfExists // somebody else may be making it just now
	if t := a.known.Types[facts.TypeKey(column.Type.Schema, column.Type.Name, column.Array)]; t != nil && t.Constrained {
		return fmt.Errorf("send ADD COLUMN %s as a statement of its own: the constraints of its domain make the server write every row", quote(command.Name))
	}
	filled := slices.Contains(a.filled, command.Name)
	without, moved := a.clauses(column, filled)
	if len(without) == 0 {
		return nil
	}
	bare, err := ddl.BareColumn(a.stmt, i, column.SerialType(), without...)
	if err != nil {
		return err
	}
	a.now[i] = []ddl.Command{{SQL: bare}}
	if filled {
		if err := a.fill(i, command); err != nil {
			return err
		}
	}
	for n, constraint := range column.Constraints {
		switch {
		case !moved(constraint):
		case isKey(constraint):
			if !filled && (column.Default != (ddl.Span{}) || constraint.Type == ddl.PrimaryKey) {
				return fmt.Errorf("cannot make %q unique: all rows that exist get the same value", command.Name)
			}
			err = a.addKey(i, n, constraint)
		default:
			err = a.addValidated(i, n, constraint)
		}
		if err != nil {
			return err
		}
	}
	if filled && column.Identity {
		a.becomeIdentity(command)
	}
	return nil
}

// clauses are those that the column comes without, and which of its constraints follow. A foreign key is not checked where there is no value.
func (a *alteration) clauses(column ddl.Column, filled bool) (without []ddl.Clause, moved func(ddl.Constraint) bool) {
	if filled {
		return []ddl.Clause{ddl.DefaultClause, ddl.NotNullClause, ddl.IdentityClause, ddl.CheckClause, ddl.UniqueClause, ddl.PrimaryKeyClause,
			ddl.ReferencesClause}, func(ddl.Constraint) bool { return true }
	}
	moved = func(k ddl.Constraint) bool { return k.Type != ddl.ForeignKey || column.Default != (ddl.Span{}) }
	clause := map[ddl.ConstraintType]ddl.Clause{
		ddl.Check: ddl.CheckClause, ddl.Unique: ddl.UniqueClause, ddl.PrimaryKey: ddl.PrimaryKeyClause, ddl.ForeignKey: ddl.ReferencesClause,
	}
	for _, k := range column.Constraints {
		if moved(k) {
			without = append(without, clause[k.Type])
		}
	}
	return without, moved
}

// fill gives new rows their value by a default, and those that exist by batches.
func (a *alteration) fill(i int, command ddl.AlterCommand) error {
	if err := a.fillable(command.Name); err != nil {
		return err
	}
	column := *command.Column
	value := a.stmt.Text[column.Default.Start:column.Default.End]
	if column.Serial() || column.Identity {
		var err error
		if value, err = a.sequence(command); err != nil {
			return err
		}
	}
	name := quote(command.Name)
	a.now[i] = append(a.now[i], ddl.Command{SQL: fmt.Sprintf("ALTER COLUMN %s SET DEFAULT %s", name, value)})
	for _, leaf := range a.leaves() {
		fill := Batch{
			Before: fmt.Sprintf("UPDATE ONLY %s SET %s = DEFAULT", quote(leaf.Schema, leaf.Name), name),
			Where:  name + " IS NULL", Alias: leaf.Name, Column: command.Name,
		}
		a.fills = append(a.fills, Step{SQL: fill.Before + " WHERE " + fill.Where, Where: AfterCommit, Table: leaf, Batch: &fill})
	}
	a.notices = append(a.notices, fmt.Sprintf("adding %q to %q without values, filling its rows in batches", command.Name, a.table.Name))
	if column.ImpliesNotNull() {
		return a.notNull(i, command.Name, true)
	}
	return nil
}

// fillable fails, with the reason, where rows cannot be given values in batches, or where that would do more than the statement.
func (a *alteration) fillable(column string) error {
	cannot := func(why string, args ...any) error {
		return fmt.Errorf("cannot fill column %q of %q in batches: %s", column, a.table.Name, fmt.Sprintf(why, args...))
	}
	if a.table.Kind == "r" && a.table.Descendants > 0 {
		return cannot("it has children that inherit it; alter each by itself")
	}
	if a.hasForeign() {
		return cannot("a foreign table is among its partitions")
	}
	if !a.table.Readable {
		return cannot("row level security or missing rights may hide rows")
	}
	if a.table.Depends != nil {
		for _, t := range a.table.Depends.Triggers {
			if t.Enabled != "D" && strings.Contains(t.Events, "u") {
				return cannot("trigger %q would run for every row; disable it meanwhile, or fill the rows yourself", t.Name)
			}
		}
	}
	key := slices.ContainsFunc(a.table.Indexes, func(i facts.Index) bool {
		return i.Unique && i.Valid && i.Plain && !slices.ContainsFunc(i.Columns, func(name string) bool {
			c := a.table.Column(name)
			return c == nil || !c.NotNull
		})
	})
	if !key {
		return cannot("it has no unique index over NOT NULL columns to go along; add one first")
	}
	return nil
}

// sequence makes the sequence that gives a serial or identity column its values, and returns the default that takes them. That of an
// identity serves only until the column has its own.
func (a *alteration) sequence(command ddl.AlterCommand) (value string, err error) {
	column, name, options := *command.Column, "", ""
	integer := column.SerialType()
	if column.Identity {
		if integerType(column.Type.Name) == "" {
			return "", fmt.Errorf("identity column type must be smallint, integer, or bigint")
		}
		name, integer = a.identityHelper(command.Name), integerType(column.Type.Name)
		options = " " + ddl.SequenceOptions(a.stmt, column)
	} else if name, err = a.name("", func(others []string) (string, error) { return facts.SequenceName(a.table, command.Name, others) }); err != nil {
		return "", err
	}
	persistence := ""
	if a.table.Persistence == "u" && a.known.Version >= 150000 {
		persistence = "UNLOGGED "
	}
	sequence := quote(a.table.Schema, name)
	a.before = append(a.before, strings.TrimSpace(fmt.Sprintf("CREATE %sSEQUENCE %s AS %s%s", persistence, sequence, integer, options)))
	if a.known.CurrentUser != a.table.Owner {
		a.before = append(a.before, fmt.Sprintf("ALTER SEQUENCE %s OWNER TO %s", sequence, quote(a.table.Owner)))
	}
	a.behind = append(a.behind, fmt.Sprintf("ALTER SEQUENCE %s OWNED BY %s", sequence, quote(a.table.Schema, a.table.Name, command.Name)))
	return fmt.Sprintf("pg_catalog.nextval(%s::pg_catalog.regclass)", literal(sequence)), nil
}

// integerType is a type that an identity column can have, by the grammar's name for it; "" for any other.
func integerType(name string) string {
	return map[string]string{"int2": "smallint", "int4": "integer", "int8": "bigint"}[name]
}

// identityHelper is the sequence that stands in for that of an identity column.
func (a *alteration) identityHelper(column string) string {
	name := HelperPrefix + a.table.Name + "_" + column
	return strings.ToValidUTF8(name[:min(len(name), 59)], "") + "_seq"
}

// becomeIdentity is the last step of an identity column: its own sequence goes on where the helper ended.
func (a *alteration) becomeIdentity(command ddl.AlterCommand) {
	name, helper := quote(command.Name), quote(a.table.Schema, a.identityHelper(command.Name))
	span := command.Column.IdentitySpan
	step := a.afterwards(fmt.Sprintf("ALTER COLUMN %s DROP DEFAULT, ALTER COLUMN %s ADD %s", name, name, a.stmt.Text[span.Start:span.End]),
		columnIs(a.table.OID, command.Name, "a.attidentity OPERATOR(pg_catalog.<>) ''"))
	step.Then = []string{
		fmt.Sprintf("SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%s, %s)::pg_catalog.regclass, s.last_value, s.is_called) FROM %s AS s",
			literal(quote(a.table.Schema, a.table.Name)), literal(command.Name), helper),
		"DROP SEQUENCE " + helper,
	}
	a.keys = append(a.keys, step)
}
