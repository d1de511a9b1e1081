package ddl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// Command is one command of an ALTER TABLE as text, without the comma.
type Command struct {
	SQL string
	// Stand is a command of the grammar's that stands for SQL where the tree is compared, when SQL itself is of a newer grammar; "" for SQL.
	Stand string
}

// Commands is ALTER TABLE with other commands in the place of those at the indexes: none take one out. What stands between two commands
// that are left stays. It is "" when no command is left.
func Commands(s Statement, instead map[int][]Command) (string, error) {
	action, ok := s.Action.(AlterTable)
	if !ok {
		return "", fmt.Errorf("%s has no commands", s.Tag)
	}
	var text, stand strings.Builder
	var nodes []*pgquery.Node // nil for a command that stays
	last := -1
	put := func(i int, sql, stood string) {
		between := ", "
		switch {
		case last < 0:
			between = ""
		case i > last:
			between = s.Text[action.Commands[i-1].Span.End:action.Commands[i].Span.Start]
		}
		last = i
		text.WriteString(between + sql)
		stand.WriteString(between + stood)
	}
	for i, command := range action.Commands {
		others, changed := instead[i]
		if !changed {
			put(i, s.Text[command.Span.Start:command.Span.End], s.Text[command.Span.Start:command.Span.End])
			nodes = append(nodes, nil)
		}
		for _, other := range others {
			stood := other.Stand
			if stood == "" {
				stood = other.SQL
			}
			tree, err := parseOne("ALTER TABLE t " + stood)
			if err != nil {
				return "", fmt.Errorf("cannot parse the command %s: %w", stood, err)
			}
			put(i, other.SQL, stood)
			nodes = append(nodes, tree.GetAlterTableStmt().Cmds...)
		}
	}
	if len(nodes) == 0 {
		return "", nil
	}
	whole := Span{action.Commands[0].Span.Start, action.Commands[len(action.Commands)-1].Span.End}
	if _, err := verified(s, func(root *pgquery.Node) {
		table := root.GetAlterTableStmt()
		var kept []*pgquery.Node
		for i, node := range table.Cmds {
			if _, changed := instead[i]; !changed {
				kept = append(kept, node)
			}
		}
		table.Cmds = nil
		for _, node := range nodes {
			if node == nil {
				node, kept = kept[0], kept[1:]
			}
			table.Cmds = append(table.Cmds, node)
		}
	}, replace(whole, stand.String())); err != nil {
		return "", err
	}
	return Splice(s.Text, replace(whole, text.String())), nil
}

// Clause is what a column's definition can do without.
type Clause int

// The clauses that BareColumn takes out. ConstraintClauses are CHECK, UNIQUE, PRIMARY KEY and REFERENCES.
const (
	DefaultClause Clause = iota
	NotNullClause
	IdentityClause
	CheckClause
	UniqueClause
	PrimaryKeyClause
	ReferencesClause
	GeneratedClause
)

func clauseOf(t pgquery.ConstrType) (Clause, bool) {
	switch t {
	case pgquery.ConstrType_CONSTR_DEFAULT:
		return DefaultClause, true
	case pgquery.ConstrType_CONSTR_NOTNULL:
		return NotNullClause, true
	case pgquery.ConstrType_CONSTR_IDENTITY:
		return IdentityClause, true
	case pgquery.ConstrType_CONSTR_GENERATED:
		return GeneratedClause, true
	case pgquery.ConstrType_CONSTR_CHECK:
		return CheckClause, true
	case pgquery.ConstrType_CONSTR_UNIQUE:
		return UniqueClause, true
	case pgquery.ConstrType_CONSTR_PRIMARY:
		return PrimaryKeyClause, true
	case pgquery.ConstrType_CONSTR_FOREIGN:
		return ReferencesClause, true
	}
	return 0, false
}

// BareColumn is the ADD COLUMN at the index as a command without the clauses, of another type if one is given.
func BareColumn(s Statement, command int, typeName string, without ...Clause) (string, error) {
	text, err := OnlyCommand(s, command)
	if err != nil {
		return "", err
	}
	one, err := Reparse(text)
	if err != nil {
		return "", err
	}
	root, err := parseOne(text)
	if err != nil {
		return "", err
	}
	action := one.Action.(AlterTable)
	definition := root.GetAlterTableStmt().Cmds[0].GetAlterTableCmd().GetDef().GetColumnDef()
	if definition == nil || action.Commands[0].Op != "AddColumn" {
		return "", errors.New("only ADD COLUMN defines a column")
	}
	var edits []Edit
	var kept []*pgquery.Node
	src := newSource(&one)
	dropping := false
	for i, node := range definition.Constraints {
		constraint := node.GetConstraint()
		if !isAttribute(constraint.Contype) {
			clause, known := clauseOf(constraint.Contype)
			dropping = known && slices.Contains(without, clause)
		}
		if !dropping {
			kept = append(kept, node)
			continue
		}
		if isAttribute(constraint.Contype) {
			continue
		}
		end := src.end()
		for _, next := range definition.Constraints[i+1:] {
			if !isAttribute(next.GetConstraint().Contype) {
				end = src.at(next.GetConstraint().Location)
				break
			}
		}
		first := src.at(constraint.Location)
		if definition.CollClause != nil && src.at(definition.CollClause.Location) > first {
			end = min(end, src.at(definition.CollClause.Location))
		}
		from := src.tokens[first-1].end
		edits = append(edits, Edit{Offset: from, Delete: src.tokens[end-1].end - from})
	}
	var other *pgquery.TypeName
	if typeName != "" {
		tree, err := parseOne("ALTER TABLE t ADD COLUMN c " + typeName)
		if err != nil {
			return "", fmt.Errorf("cannot parse the type %s: %w", typeName, err)
		}
		other = tree.GetAlterTableStmt().Cmds[0].GetAlterTableCmd().Def.GetColumnDef().TypeName
		edits = append(edits, replace(action.Commands[0].Column.TypeSpan, typeName))
	}
	if text, err = verified(one, func(root *pgquery.Node) {
		column := root.GetAlterTableStmt().Cmds[0].GetAlterTableCmd().Def.GetColumnDef()
		column.Constraints = kept
		if other != nil {
			column.TypeName = other
		}
	}, edits...); err != nil {
		return "", err
	}
	if one, err = Reparse(text); err != nil {
		return "", err
	}
	span := one.Action.(AlterTable).Commands[0].Span
	return one.Text[span.Start:span.End], nil
}

// AddedConstraint is the constraint that a command of an ALTER TABLE adds, or the one at the index among those of its ADD COLUMN, as a command
// ADD CONSTRAINT of its own with the name, NOT VALID if asked. The index is -1 for ADD CONSTRAINT.
func AddedConstraint(s Statement, command, inline int, name string, notValid bool) (string, error) {
	action, ok := s.Action.(AlterTable)
	if !ok || s.NoSplice {
		return "", errNoSplice
	}
	of := action.Commands[command]
	constraint := of.Constraint
	if inline >= 0 {
		constraint = &of.Column.Constraints[inline]
	}
	text := s.Text[constraint.Start:constraint.End]
	prefix := "CONSTRAINT " + quoted(name) + " "
	if constraint.Name != "" { // it begins with CONSTRAINT and the name
		src := newSource(&s)
		i, _ := slices.BinarySearchFunc(src.tokens, constraint.Start, func(t token, at int) int { return t.start - at })
		behind := src.tokens[src.name(i+1)].start
		prefix, text = s.Text[constraint.Start:behind], s.Text[behind:constraint.End]
	}
	if inline >= 0 {
		switch constraint.Type {
		case ForeignKey:
			prefix += "FOREIGN KEY (" + quoted(constraint.Columns[0]) + ") "
		case Check:
		default:
			return "", errors.New("only CHECK and REFERENCES of a column can be added afterwards")
		}
	}
	word := "ADD "
	if inline < 0 {
		word = s.Text[of.Span.Start:constraint.Start]
	}
	text = word + prefix + text
	if notValid && !constraint.NotValid {
		text += " NOT VALID"
	}
	if err := sameConstraint(s, command, inline, name, notValid, text); err != nil {
		return "", err
	}
	return text, nil
}

// sameConstraint fails unless the text adds the constraint that was written, with the name.
func sameConstraint(s Statement, command, inline int, name string, notValid bool, text string) error {
	root, err := parseOne(s.Text)
	if err != nil {
		return err
	}
	got, err := parseOne("ALTER TABLE t " + text)
	if err != nil {
		return fmt.Errorf("cannot parse the constraint %s: %w", text, err)
	}
	of := root.GetAlterTableStmt().Cmds[command].GetAlterTableCmd().GetDef()
	want := of.GetConstraint()
	if inline >= 0 {
		want = inlineConstraint(of.GetColumnDef(), inline)
	}
	if want.Conname == "" {
		want.Conname = name
	}
	if notValid {
		want.SkipValidation, want.InitiallyValid = true, false
	}
	added := got.GetAlterTableStmt().Cmds[0].GetAlterTableCmd().Def.GetConstraint()
	// The grammar notes the columns of a table's constraint, not those of a column's.
	added.FkAttrs, want.FkAttrs = nil, nil
	if !sameTree(want, added) {
		return fmt.Errorf("constraint would not mean what was intended: %s", text)
	}
	return nil
}

// inlineConstraint is the constraint at the index among those of Column.Constraints, with the attributes that follow it.
func inlineConstraint(column *pgquery.ColumnDef, index int) *pgquery.Constraint {
	var found *pgquery.Constraint
	for _, node := range column.Constraints {
		constraint := node.GetConstraint()
		switch constraint.Contype {
		case pgquery.ConstrType_CONSTR_CHECK, pgquery.ConstrType_CONSTR_PRIMARY, pgquery.ConstrType_CONSTR_UNIQUE, pgquery.ConstrType_CONSTR_FOREIGN:
			if found != nil {
				return found
			}
			if index--; index < 0 {
				found = constraint
			}
		case pgquery.ConstrType_CONSTR_ATTR_DEFERRABLE:
			if found != nil {
				found.Deferrable = true
			}
		case pgquery.ConstrType_CONSTR_ATTR_DEFERRED:
			if found != nil {
				found.Deferrable, found.Initdeferred = true, true
			}
		case pgquery.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE, pgquery.ConstrType_CONSTR_ATTR_IMMEDIATE:
		default:
			if found != nil {
				return found
			}
		}
	}
	return found
}

// SequenceOptions are the options of an identity column's sequence that CREATE SEQUENCE takes, too: all but its name.
func SequenceOptions(s Statement, column Column) string {
	src := newSource(&s)
	options := column.IdentityOptions
	for i := 0; i < src.end(); i++ {
		first := src.tokens[i].start
		if first < options.Start || first >= options.End || !src.is(i, "SEQUENCE") || !src.is(i+1, "NAME") {
			continue
		}
		named := src.span(i, src.name(i+2))
		return strings.TrimSpace(s.Text[options.Start:named.Start] + s.Text[named.End:options.End])
	}
	return s.Text[options.Start:options.End]
}

// SerialType is the integer type of a serial column; "" for any other column.
func (c Column) SerialType() string {
	if !c.Serial() {
		return ""
	}
	switch c.Type.Name {
	case "bigserial", "serial8":
		return "bigint"
	case "smallserial", "serial2":
		return "smallint"
	}
	return "integer"
}

// KeyIndex is CREATE UNIQUE INDEX CONCURRENTLY, by that name, for a UNIQUE or PRIMARY KEY that the statement adds, on the relation that is named
// as in SQL.
func KeyIndex(s Statement, add Constraint, relation, name string) string {
	text := fmt.Sprintf("CREATE UNIQUE INDEX CONCURRENTLY %s ON %s %s", quoted(name), relation, keyColumns(s, add))
	if add.Tablespace != "" {
		text += " TABLESPACE " + quoted(add.Tablespace)
	}
	return text
}

// KeyUsing is ADD CONSTRAINT, by that name, for the same of its index, which has the same name.
func KeyUsing(add Constraint, name string) string {
	return fmt.Sprintf("ADD CONSTRAINT %s %s USING INDEX %s%s", quoted(name), keyKind(add), quoted(name), deferrable(add))
}

// Key is ADD CONSTRAINT, by that name, for the same as the statement has it.
func Key(s Statement, add Constraint, name string) string {
	kind := keyKind(add)
	if add.NullsNotDistinct {
		kind, add.NullsNotDistinct = kind+" NULLS NOT DISTINCT", false // an index says it behind its columns
	}
	text := fmt.Sprintf("ADD CONSTRAINT %s %s %s", quoted(name), kind, keyColumns(s, add))
	if add.Tablespace != "" {
		text += " USING INDEX TABLESPACE " + quoted(add.Tablespace)
	}
	return text + deferrable(add)
}

func keyKind(add Constraint) string {
	if add.Type == PrimaryKey {
		return "PRIMARY KEY"
	}
	return "UNIQUE"
}

// keyColumns is what a key and its index say alike.
func keyColumns(s Statement, add Constraint) string {
	list := func(names []string) string {
		words := make([]string, len(names))
		for i, name := range names {
			words[i] = quoted(name)
		}
		return "(" + strings.Join(words, ", ") + ")"
	}
	text := list(add.Columns)
	if len(add.Include) > 0 {
		text += " INCLUDE " + list(add.Include)
	}
	if add.NullsNotDistinct {
		text += " NULLS NOT DISTINCT"
	}
	if add.With != (Span{}) {
		text += " WITH " + s.Text[add.With.Start:add.With.End]
	}
	return text
}

func deferrable(add Constraint) string {
	switch {
	case add.Deferred:
		return " DEFERRABLE INITIALLY DEFERRED"
	case add.Deferrable:
		return " DEFERRABLE"
	}
	return ""
}
