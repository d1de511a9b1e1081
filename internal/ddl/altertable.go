package ddl

import (
	"slices"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

func alterTable(s *Statement, n *pgquery.AlterTableStmt) Action {
	text := newSource(s)
	action := AlterTable{Object: objectKind(n.Objtype), Table: rangeName(n.Relation), IfExists: n.MissingOk}
	action.Only = !n.Relation.GetInh() && action.Object != "TYPE"
	table := text.at(n.Relation.GetLocation())
	action.TableSpan = text.span(table, text.name(table))
	parts := text.list(text.behindTable(table), text.end())
	for i, node := range n.Cmds {
		action.Commands = append(action.Commands, text.command(node.GetAlterTableCmd(), parts[i]))
	}
	return action
}

// behindTable is the index behind a table's name at i, and what may follow a name: the bracket of ONLY (t), and *.
func (s *source) behindTable(i int) int {
	return s.skip(s.skip(s.name(i), ")"), "*")
}

// command describes the command in the tokens from part[0] up to part[1].
func (s *source) command(c *pgquery.AlterTableCmd, part [2]int) AlterCommand {
	command := AlterCommand{
		Op: strings.TrimPrefix(c.Subtype.String(), "AT_"), Name: c.Name, IfExists: c.MissingOk,
		Cascade: c.Behavior == pgquery.DropBehavior_DROP_CASCADE, Span: s.span(part[0], part[1]),
	}
	if owner := c.GetNewowner(); owner != nil {
		command.NewName = owner.Rolename
	}
	switch def := c.GetDef().GetNode().(type) {
	case *pgquery.Node_Constraint:
		if c.Subtype == pgquery.AlterTableType_AT_AddConstraint {
			command.Constraint = s.constraint(def.Constraint, part, "")
		}
		if command.Name == "" {
			command.Name = def.Constraint.Conname
		}
		if c.Subtype == pgquery.AlterTableType_AT_AddIdentity {
			for _, option := range def.Constraint.Options {
				command.Options = append(command.Options, option.GetDefElem().GetDefname())
			}
		}
	case *pgquery.Node_ColumnDef:
		command.Column = s.column(def.ColumnDef, part)
		if using := def.ColumnDef.RawDefault; using != nil {
			command.Column.UsingCasts, command.Column.UsingOther = castsOf(using, c.Name)
		}
		if command.Name == "" {
			command.Name = def.ColumnDef.Colname
		}
	case *pgquery.Node_PartitionCmd:
		command.Relation = rangeName(def.PartitionCmd.Name)
		command.Concurrently = def.PartitionCmd.Concurrent
	case *pgquery.Node_ReplicaIdentityStmt:
		command.Options = []string{def.ReplicaIdentityStmt.IdentityType}
	case *pgquery.Node_RangeVar:
		command.Relation = rangeName(def.RangeVar)
	case *pgquery.Node_List:
		for _, item := range def.List.Items {
			if option := item.GetDefElem(); option != nil {
				command.Options = append(command.Options, option.Defname)
			}
		}
	default:
		if c.Subtype == pgquery.AlterTableType_AT_ColumnDefault && def != nil {
			command.Default = s.span(s.find(part[0], part[1], "DEFAULT")+1, part[1])
		}
	}
	return command
}

// column describes a column definition, or the type and USING of ALTER COLUMN … TYPE.
func (s *source) column(c *pgquery.ColumnDef, part [2]int) *Column {
	column := &Column{Type: listName(c.GetTypeName().GetNames()), Collate: listName(c.GetCollClause().GetCollname())}
	// The parts of a definition follow each other: one ends where the next begins.
	starts := []int{part[1], s.find(part[0], part[1], "USING")}
	if c.CollClause != nil {
		starts = append(starts, s.at(c.CollClause.Location))
	}
	for _, node := range c.Constraints {
		if constraint := node.GetConstraint(); !isAttribute(constraint.GetContype()) {
			starts = append(starts, s.at(constraint.GetLocation()))
		}
	}
	endOf := func(i int) int {
		end := part[1]
		for _, start := range starts {
			if start > i {
				end = min(end, start)
			}
		}
		return end
	}
	if c.TypeName != nil {
		first := s.at(c.TypeName.Location)
		last := endOf(first)
		for _, word := range []string{"STORAGE", "COMPRESSION", "OPTIONS", "CASCADE", "RESTRICT"} {
			last = min(last, s.find(s.name(first), last, word))
		}
		column.TypeSpan = s.span(first, last)
	}
	if c.RawDefault != nil {
		column.Using = s.span(s.find(part[0], part[1], "USING")+1, part[1])
	}
	name := typeName(c.GetTypeName())
	column.Modifiers, column.Array = name.Modifiers, name.Array
	for _, node := range c.Constraints {
		constraint := node.GetConstraint()
		i := s.at(constraint.Location)
		switch constraint.Contype {
		case pgquery.ConstrType_CONSTR_NOTNULL:
			column.NotNull = true
		case pgquery.ConstrType_CONSTR_DEFAULT:
			column.Default = s.span(s.find(i, part[1], "DEFAULT")+1, endOf(i))
			column.DefaultCalls = callsIn(constraint.RawExpr)
		case pgquery.ConstrType_CONSTR_IDENTITY:
			column.Identity = true
			column.IdentitySpan = s.span(i, endOf(i))
			if constraint.Conname != "" {
				column.IdentitySpan = s.span(s.find(i, part[1], "GENERATED"), endOf(i))
			}
			if options := s.find(i, endOf(i), "("); options < endOf(i) {
				column.IdentityOptions = s.within(options)
			}
		case pgquery.ConstrType_CONSTR_GENERATED:
			column.Generated = true
			column.Expr = s.within(s.find(i, part[1], "("))
		case pgquery.ConstrType_CONSTR_CHECK, pgquery.ConstrType_CONSTR_PRIMARY, pgquery.ConstrType_CONSTR_UNIQUE,
			pgquery.ConstrType_CONSTR_FOREIGN:
			added := s.constraint(constraint, [2]int{i, endOf(i)}, c.Colname)
			whole := inlineConstraint(c, len(column.Constraints))
			added.Deferrable, added.Deferred = whole.Deferrable, whole.Initdeferred
			column.Constraints = append(column.Constraints, *added)
		}
	}
	return column
}

func typeName(t *pgquery.TypeName) TypeName {
	name := TypeName{Name: listName(t.GetNames()), Array: len(t.GetArrayBounds()) > 0}
	for _, modifier := range t.GetTypmods() {
		text := constantText(modifier)
		if words := wordsOf(modifier.GetColumnRef().GetFields()); len(words) > 0 {
			text = words[len(words)-1] // geometry(Point)
		}
		name.Modifiers = append(name.Modifiers, text)
	}
	return name
}

// castsOf are the types that an expression casts a column to, innermost first; other is true when it is anything else than the column under casts.
func castsOf(expression *pgquery.Node, column string) (casts []TypeName, other bool) {
	for expression.GetTypeCast() != nil {
		casts = append(casts, typeName(expression.GetTypeCast().TypeName))
		expression = expression.GetTypeCast().Arg
	}
	slices.Reverse(casts)
	words := wordsOf(expression.GetColumnRef().GetFields())
	if len(words) == 0 || words[len(words)-1] != column {
		return nil, true
	}
	return casts, false
}

// isAttribute reports whether the grammar's "constraint" is an attribute of the constraint before it, like DEFERRABLE.
func isAttribute(t pgquery.ConstrType) bool {
	switch t {
	case pgquery.ConstrType_CONSTR_ATTR_DEFERRABLE, pgquery.ConstrType_CONSTR_ATTR_NOT_DEFERRABLE,
		pgquery.ConstrType_CONSTR_ATTR_DEFERRED, pgquery.ConstrType_CONSTR_ATTR_IMMEDIATE:
		return true
	}
	return false
}

// callsIn are the functions that a default calls.
func callsIn(expression *pgquery.Node) []Name {
	found := newRefs()
	found.zoned = true
	found.walk(expression.ProtoReflect())
	return found.callList()
}

// isZoned reports whether a call is AT TIME ZONE of a timestamp, which is immutable. Of a time it is volatile before 15, by the same name.
func isZoned(call *pgquery.FuncCall) bool {
	return call.Funcformat == pgquery.CoercionForm_COERCE_SQL_SYNTAX && len(call.Args) == 2 && listName(call.Funcname) == Name{"pg_catalog", "timezone"} &&
		isTimestamp(call.Args[1])
}

// isTimestamp reports whether an expression is certainly a timestamp, with a time zone or without.
func isTimestamp(expression *pgquery.Node) bool {
	switch e := expression.GetNode().(type) {
	case *pgquery.Node_SqlvalueFunction:
		switch e.SqlvalueFunction.Op {
		case pgquery.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP, pgquery.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N,
			pgquery.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP, pgquery.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:
			return true
		}
	case *pgquery.Node_TypeCast:
		name := listName(e.TypeCast.TypeName.GetNames())
		return name == Name{"pg_catalog", "timestamp"} || name == Name{"pg_catalog", "timestamptz"}
	case *pgquery.Node_FuncCall:
		switch name := listName(e.FuncCall.Funcname); name.Name {
		case "now", "transaction_timestamp", "statement_timestamp", "clock_timestamp":
			return (name.Schema == "" || name.Schema == "pg_catalog") && len(e.FuncCall.Args) == 0
		}
		return isZoned(e.FuncCall)
	}
	return false
}

// constraint describes a constraint whose text ends at part[1]. One that is written with a column is of that column.
func (s *source) constraint(c *pgquery.Constraint, part [2]int, column string) *Constraint {
	first := s.at(c.Location)
	constraint := &Constraint{
		Type: constraintType(c.Contype), Name: c.Conname, Parent: rangeName(c.Pktable), ParentCols: wordsOf(c.PkAttrs),
		NotValid: c.SkipValidation && !c.InitiallyValid, NoInherit: c.IsNoInherit, UsingIndex: c.Indexname,
		Start: s.tokens[first].start, End: s.tokens[part[1]-1].end, Deferrable: c.Deferrable, Deferred: c.Initdeferred,
		Include: wordsOf(c.Including), NullsNotDistinct: c.NullsNotDistinct, Tablespace: c.Indexspace, OnDelete: c.FkDelAction,
		Actions: c.FkUpdAction + c.FkDelAction + c.FkMatchtype,
	}
	if len(c.Options) > 0 {
		with := s.find(first, part[1], "WITH") + 1
		constraint.With = s.span(with, s.over(with))
	}
	switch c.Contype {
	case pgquery.ConstrType_CONSTR_CHECK:
		constraint.Expr = s.within(s.find(s.find(first, part[1], "CHECK"), part[1], "("))
	case pgquery.ConstrType_CONSTR_FOREIGN:
		constraint.Columns = wordsOf(c.FkAttrs)
		parent := s.at(c.Pktable.GetLocation())
		constraint.ParentSpan = s.span(parent, s.name(parent))
	case pgquery.ConstrType_CONSTR_EXCLUSION:
		for _, exclusion := range c.Exclusions {
			element := exclusion.GetList().GetItems()[0].GetIndexElem()
			constraint.Columns = append(constraint.Columns, element.GetName())
		}
	default:
		constraint.Columns = wordsOf(c.Keys)
	}
	if column != "" {
		constraint.Columns = []string{column}
	}
	return constraint
}

func constraintType(t pgquery.ConstrType) ConstraintType {
	switch t {
	case pgquery.ConstrType_CONSTR_CHECK:
		return Check
	case pgquery.ConstrType_CONSTR_FOREIGN:
		return ForeignKey
	case pgquery.ConstrType_CONSTR_PRIMARY:
		return PrimaryKey
	case pgquery.ConstrType_CONSTR_UNIQUE:
		return Unique
	case pgquery.ConstrType_CONSTR_EXCLUSION:
		return Exclusion
	}
	return NotNull
}

// rename describes ALTER … RENAME as an ALTER with one command.
func rename(s *Statement, n *pgquery.RenameStmt) Action {
	command := AlterCommand{Op: "Rename", Name: n.Subname, NewName: n.Newname,
		Cascade: n.Behavior == pgquery.DropBehavior_DROP_CASCADE}
	object := objectKind(n.RenameType)
	switch n.RenameType {
	case pgquery.ObjectType_OBJECT_COLUMN:
		command.Op, object = "RenameColumn", objectKind(n.RelationType)
	case pgquery.ObjectType_OBJECT_ATTRIBUTE:
		command.Op, object = "RenameColumn", "TYPE"
	case pgquery.ObjectType_OBJECT_TABCONSTRAINT:
		command.Op, object = "RenameConstraint", "TABLE"
	case pgquery.ObjectType_OBJECT_DOMCONSTRAINT:
		command.Op, object = "RenameConstraint", "DOMAIN"
	}
	if n.Relation != nil {
		return alterOf(s, object, n.Relation, n.MissingOk, command)
	}
	name := objectName(n.Object)
	if name == (Name{}) {
		// A role, schema, database or tablespace has no other name than the one that changes.
		name, command.Name = Name{Name: n.Subname}, ""
	}
	return alterNamed(s, object, name, n.MissingOk, command)
}

func setSchema(s *Statement, n *pgquery.AlterObjectSchemaStmt) Action {
	command := AlterCommand{Op: "SetSchema", NewName: n.Newschema}
	if n.Relation != nil {
		return alterOf(s, objectKind(n.ObjectType), n.Relation, n.MissingOk, command)
	}
	return alterNamed(s, objectKind(n.ObjectType), objectName(n.Object), n.MissingOk, command)
}

// alterOf is an ALTER of a relation with one command, which is all that follows the relation's name.
func alterOf(s *Statement, object ObjectKind, relation *pgquery.RangeVar, ifExists bool, command AlterCommand) Action {
	text := newSource(s)
	table := text.at(relation.Location)
	command.Span = text.span(text.behindTable(table), text.end())
	return AlterTable{Object: object, Table: rangeName(relation), IfExists: ifExists, Only: !relation.Inh && object != "TYPE",
		TableSpan: text.span(table, text.name(table)), Commands: []AlterCommand{command}}
}

// alterNamed is an ALTER of an object that the tree does not locate, with one command.
func alterNamed(s *Statement, object ObjectKind, name Name, ifExists bool, command AlterCommand) Action {
	text := newSource(s)
	at := text.skip(text.object(1, object), "IF", "EXISTS")
	behind := text.name(at)
	command.Span = text.span(behind, text.end())
	return AlterTable{Object: object, Table: name, IfExists: ifExists, TableSpan: text.span(at, behind), Commands: []AlterCommand{command}}
}

func alterDomain(s *Statement, n *pgquery.AlterDomainStmt) Action {
	command := AlterCommand{Op: domainOp(n.Subtype), Name: n.Name, IfExists: n.MissingOk,
		Cascade: n.Behavior == pgquery.DropBehavior_DROP_CASCADE}
	action := alterNamed(s, "DOMAIN", listName(n.TypeName), false, command).(AlterTable)
	added := &action.Commands[0]
	text := newSource(s)
	if c := n.GetDef().GetConstraint(); c != nil {
		added.Constraint = text.constraint(c, [2]int{0, text.end()}, "")
		added.Name = c.Conname
	} else if n.Def != nil {
		added.Default = text.span(text.find(2, text.end(), "DEFAULT")+1, text.end())
	}
	return action
}

// domainOp is the name that the command of ALTER DOMAIN has on a table.
func domainOp(subtype string) string {
	switch subtype {
	case "T":
		return "ColumnDefault"
	case "N":
		return "DropNotNull"
	case "O":
		return "SetNotNull"
	case "C":
		return "AddConstraint"
	case "X":
		return "DropConstraint"
	}
	return "ValidateConstraint"
}

func alterEnum(s *Statement, n *pgquery.AlterEnumStmt) Action {
	command := AlterCommand{Op: "AddValue", NewName: n.NewVal, IfExists: n.SkipIfNewValExists}
	if n.OldVal != "" {
		command.Op, command.Name = "RenameValue", n.OldVal
	}
	return alterNamed(s, "TYPE", listName(n.TypeName), false, command)
}
