package ddl

import (
	"slices"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// IndexNames are the names that the server gives to the columns of a CREATE INDEX, INCLUDE ones as well, before it makes them different
// from each other; "" where it has none to give. It builds the name of an index without one from them.
func IndexNames(s Statement) ([]string, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return nil, err
	}
	index := root.GetIndexStmt()
	var names []string
	for _, param := range slices.Concat(index.GetIndexParams(), index.GetIndexIncludingParams()) {
		element := param.GetIndexElem()
		name := element.GetName()
		if element.GetExpr() != nil {
			name, _ = figureName(element.Expr)
		}
		names = append(names, name)
	}
	return names, nil
}

// CheckColumns are the different columns that the CHECK added by a command of an ALTER TABLE refers to. The server builds the name of a
// check without one from them.
func CheckColumns(s Statement, command int) ([]string, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return nil, err
	}
	return columnsOf(root.GetAlterTableStmt().GetCmds()[command].GetAlterTableCmd().GetDef().GetConstraint()), nil
}

// InlineCheckColumns is CheckColumns for the constraint at the index among those of an ADD COLUMN.
func InlineCheckColumns(s Statement, command, inline int) ([]string, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return nil, err
	}
	definition := root.GetAlterTableStmt().GetCmds()[command].GetAlterTableCmd().GetDef().GetColumnDef()
	return columnsOf(inlineConstraint(definition, inline)), nil
}

func columnsOf(check *pgquery.Constraint) []string {
	var columns []string
	eachColumn(check.GetRawExpr().ProtoReflect(), func(column string) {
		if !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	})
	return columns
}

// eachColumn visits the column references of an expression. The name of a column is its last word; a whole row (t.*) has none.
func eachColumn(m protoreflect.Message, visit func(string)) {
	eachReference(m, func(ref *pgquery.ColumnRef) { visit(ref.Fields[len(ref.Fields)-1].GetString_().GetSval()) })
}

func eachReference(m protoreflect.Message, visit func(*pgquery.ColumnRef)) {
	if ref, ok := m.Interface().(*pgquery.ColumnRef); ok {
		visit(ref)
		return
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.MessageKind:
		case field.IsList():
			for i := range value.List().Len() {
				eachReference(value.List().Get(i).Message(), visit)
			}
		default:
			eachReference(value.Message(), visit)
		}
		return true
	})
}

// figureName is FigureColnameInternal of parse_target.c for what an index expression can be: the name, and how good it is (0 for none, 1 for
// a type's, 2 for any other).
func figureName(node *pgquery.Node) (name string, strength int) {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_ColumnRef:
		if word := lastWord(n.ColumnRef.Fields); word != "" {
			return word, 2
		}
	case *pgquery.Node_AIndirection:
		if word := lastWord(n.AIndirection.Indirection); word != "" {
			return word, 2
		}
		return figureName(n.AIndirection.Arg)
	case *pgquery.Node_FuncCall:
		return lastWord(n.FuncCall.Funcname), 2
	case *pgquery.Node_AExpr:
		if n.AExpr.Kind == pgquery.A_Expr_Kind_AEXPR_NULLIF {
			return "nullif", 2
		}
	case *pgquery.Node_TypeCast:
		if name, strength = figureName(n.TypeCast.Arg); strength <= 1 {
			return lastWord(n.TypeCast.TypeName.Names), 1
		}
		return name, strength
	case *pgquery.Node_CollateClause:
		return figureName(n.CollateClause.Arg)
	case *pgquery.Node_CaseExpr:
		if name, strength = figureName(n.CaseExpr.Defresult); strength <= 1 {
			return "case", 1
		}
		return name, strength
	case *pgquery.Node_AArrayExpr:
		return "array", 2
	case *pgquery.Node_RowExpr:
		return "row", 2
	case *pgquery.Node_CoalesceExpr:
		return "coalesce", 2
	case *pgquery.Node_MinMaxExpr:
		if n.MinMaxExpr.Op == pgquery.MinMaxOp_IS_LEAST {
			return "least", 2
		}
		return "greatest", 2
	case *pgquery.Node_XmlSerialize:
		return "xmlserialize", 2
	case *pgquery.Node_XmlExpr:
		switch n.XmlExpr.Op {
		case pgquery.XmlExprOp_IS_XMLCONCAT:
			return "xmlconcat", 2
		case pgquery.XmlExprOp_IS_XMLELEMENT:
			return "xmlelement", 2
		case pgquery.XmlExprOp_IS_XMLFOREST:
			return "xmlforest", 2
		case pgquery.XmlExprOp_IS_XMLPARSE:
			return "xmlparse", 2
		case pgquery.XmlExprOp_IS_XMLPI:
			return "xmlpi", 2
		case pgquery.XmlExprOp_IS_XMLROOT:
			return "xmlroot", 2
		}
	}
	return "", 0
}

// lastWord is the last identifier of a list, "" if there is none.
func lastWord(nodes []*pgquery.Node) string {
	for _, node := range slices.Backward(nodes) {
		if word := node.GetString_(); word != nil {
			return word.Sval
		}
	}
	return ""
}

// ProvesNotNull reports whether a check, as pg_get_constraintdef writes it, proves to the server that a column has no NULL: it says so, or says so
// and more.
func ProvesNotNull(definition, column string) bool {
	root, err := parseOne("ALTER TABLE t ADD " + definition)
	if err != nil {
		return false
	}
	return provesNotNull(root.GetAlterTableStmt().GetCmds()[0].GetAlterTableCmd().GetDef().GetConstraint().GetRawExpr(), column)
}

func provesNotNull(expression *pgquery.Node, column string) bool {
	isNull := func(node *pgquery.Node, kind pgquery.NullTestType) bool {
		test := node.GetNullTest()
		fields := test.GetArg().GetColumnRef().GetFields()
		return test != nil && test.Nulltesttype == kind && len(fields) == 1 && fields[0].GetString_().GetSval() == column
	}
	if isNull(expression, pgquery.NullTestType_IS_NOT_NULL) {
		return true
	}
	combined := expression.GetBoolExpr()
	switch combined.GetBoolop() {
	case pgquery.BoolExprType_AND_EXPR:
		return slices.ContainsFunc(combined.GetArgs(), func(node *pgquery.Node) bool { return provesNotNull(node, column) })
	case pgquery.BoolExprType_NOT_EXPR:
		return isNull(combined.Args[0], pgquery.NullTestType_IS_NULL)
	}
	return false
}
