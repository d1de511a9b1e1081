package ddl

import (
	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/proto"
)

// always reports whether a condition is missing, or true whatever the data.
func always(condition *pgquery.Node) bool {
	if condition == nil {
		return true
	}
	is, known := truth(condition)
	return known && is
}

// truth is the value of a condition that no data can change, as far as it can be told from the tree. A column that is compared with itself
// counts as true: NULL apart it is.
func truth(n *pgquery.Node) (is, known bool) {
	switch e := n.GetNode().(type) {
	case *pgquery.Node_AConst:
		if e.AConst.GetBoolval() != nil {
			return e.AConst.GetBoolval().Boolval, true
		}
		if e.AConst.GetSval() != nil {
			return boolText(e.AConst.GetSval().Sval)
		}
	case *pgquery.Node_TypeCast:
		return truth(e.TypeCast.Arg)
	case *pgquery.Node_BoolExpr:
		return truthOf(e.BoolExpr)
	case *pgquery.Node_BooleanTest:
		is, known = truth(e.BooleanTest.Arg)
		switch e.BooleanTest.Booltesttype {
		case pgquery.BoolTestType_IS_TRUE, pgquery.BoolTestType_IS_NOT_FALSE:
			return is, known
		case pgquery.BoolTestType_IS_FALSE, pgquery.BoolTestType_IS_NOT_TRUE:
			return !is, known
		}
	case *pgquery.Node_AExpr:
		return compared(e.AExpr)
	case *pgquery.Node_SubLink:
		sub := e.SubLink.GetSubselect().GetSelectStmt()
		if e.SubLink.SubLinkType == pgquery.SubLinkType_EXISTS_SUBLINK && sub.GetWhereClause() == nil && len(sub.GetFromClause()) == 0 &&
			sub.GetHavingClause() == nil && sub.GetLimitCount() == nil && sub.GetLimitOffset() == nil && len(sub.GetTargetList()) > 0 {
			return true, true
		}
	}
	return false, false
}

// boolText is what the type boolean makes of the strings that people write for it.
func boolText(text string) (is, known bool) {
	switch text {
	case "t", "true", "yes", "on", "1", "y":
		return true, true
	case "f", "false", "no", "off", "0", "n":
		return false, true
	}
	return false, false
}

func truthOf(b *pgquery.BoolExpr) (is, known bool) {
	if b.Boolop == pgquery.BoolExprType_NOT_EXPR {
		is, known = truth(b.Args[0])
		return !is, known
	}
	decisive := b.Boolop == pgquery.BoolExprType_OR_EXPR // one true argument decides an OR, one false an AND
	all := true
	for _, arg := range b.Args {
		is, known = truth(arg)
		if known && is == decisive {
			return decisive, true
		}
		all = all && known
	}
	return !decisive, all
}

// compared is the outcome of a comparison of constants, or of a column with itself.
func compared(e *pgquery.A_Expr) (is, known bool) {
	if e.Kind != pgquery.A_Expr_Kind_AEXPR_OP || e.Lexpr == nil || e.Rexpr == nil {
		return false, false
	}
	left, right := bare(e.Lexpr), bare(e.Rexpr)
	same := proto.Equal(left, right)
	switch operator := listName(e.Name).Name; {
	case left.GetColumnRef() != nil && right.GetColumnRef() != nil:
		return true, same && (operator == "=" || operator == "<=" || operator == ">=")
	case left.GetAConst() == nil || right.GetAConst() == nil || left.GetAConst().Isnull || right.GetAConst().Isnull:
		return false, false
	case same && (operator == "=" || operator == "<=" || operator == ">="):
		return true, true
	default:
		return ordered(operator, left.GetAConst(), right.GetAConst())
	}
}

// ordered compares two whole numbers.
func ordered(operator string, left, right *pgquery.A_Const) (is, known bool) {
	if left.GetIval() == nil || right.GetIval() == nil {
		return false, false
	}
	a, b := left.GetIval().Ival, right.GetIval().Ival
	switch operator {
	case "=":
		return a == b, true
	case "<>":
		return a != b, true
	case "<":
		return a < b, true
	case "<=":
		return a <= b, true
	case ">":
		return a > b, true
	case ">=":
		return a >= b, true
	}
	return false, false
}

// bare is an expression without its casts and places.
func bare(n *pgquery.Node) *pgquery.Node {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	n = proto.Clone(n).(*pgquery.Node)
	forgetLocations(n.ProtoReflect())
	return n
}

// mergesEveryRow reports whether MERGE joins on nothing and changes what it finds without a condition.
func mergesEveryRow(m *pgquery.MergeStmt) bool {
	if !always(m.JoinCondition) {
		return false
	}
	for _, clause := range m.MergeWhenClauses {
		when := clause.GetMergeWhenClause()
		changes := when.GetCommandType() == pgquery.CmdType_CMD_UPDATE || when.GetCommandType() == pgquery.CmdType_CMD_DELETE
		if when.GetMatched() && changes && always(when.GetCondition()) {
			return true
		}
	}
	return false
}
