package ddl

import (
	"slices"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// WhatIsLeft reports whether the condition of an UPDATE is false for each row that it has changed, so that it finds by itself what is left to do:
// as WHERE a IS DISTINCT FROM v does for SET a = v, or WHERE a IS NULL for a value that is not. That holds as long as no trigger changes the
// value, and the value would be the same once more. column is one for which the condition could say so; "" if there is none.
func WhatIsLeft(s Statement) (said bool, column string) {
	root, err := parseOne(s.Text)
	if err != nil {
		return false, ""
	}
	update := root.GetUpdateStmt()
	for _, node := range update.GetTargetList() {
		target := node.GetResTarget()
		set := assignment{aliasOf(update.Relation), target.GetName(), target.GetVal()}
		// A part of a column is not the column, and of several rows to join with, each may have another value.
		if len(target.GetIndirection()) > 0 || set.value.GetSetToDefault() != nil || set.value.GetMultiAssignRef() != nil ||
			len(update.FromClause) > 0 && !constantly(set.value) {
			continue
		}
		if set.falsifies(update.WhereClause) {
			return true, target.Name
		}
		if column == "" {
			column = target.Name
		}
	}
	return false, column
}

// assignment is what UPDATE sets a column of its table to.
type assignment struct {
	alias, column string
	value         *pgquery.Node
}

// falsifies reports whether a condition is false, or null, when the column has the value.
func (a assignment) falsifies(condition *pgquery.Node) bool {
	is, known := false, constantly(a.value)
	if known {
		is, known = truth(a.value)
	}
	switch e := condition.GetNode().(type) {
	case *pgquery.Node_BoolExpr:
		switch e.BoolExpr.Boolop {
		case pgquery.BoolExprType_AND_EXPR:
			return slices.ContainsFunc(e.BoolExpr.Args, a.falsifies)
		case pgquery.BoolExprType_OR_EXPR:
			return !slices.ContainsFunc(e.BoolExpr.Args, func(arg *pgquery.Node) bool { return !a.falsifies(arg) })
		case pgquery.BoolExprType_NOT_EXPR:
			return known && is && a.is(e.BoolExpr.Args[0])
		}
	case *pgquery.Node_ColumnRef:
		return known && !is && a.is(condition)
	case *pgquery.Node_AExpr:
		kind, words := e.AExpr.Kind, wordsOf(e.AExpr.Name)
		if kind != pgquery.A_Expr_Kind_AEXPR_DISTINCT && (kind != pgquery.A_Expr_Kind_AEXPR_OP || !slices.Equal(words, []string{"<>"})) {
			return false
		}
		return a.is(e.AExpr.Lexpr) && sameTree(e.AExpr.Rexpr, a.value) || a.is(e.AExpr.Rexpr) && sameTree(e.AExpr.Lexpr, a.value)
	case *pgquery.Node_NullTest:
		if e.NullTest.Nulltesttype == pgquery.NullTestType_IS_NULL {
			return a.is(e.NullTest.Arg) && neverNull(a.value)
		}
		return a.is(e.NullTest.Arg) && a.value.GetAConst().GetIsnull()
	case *pgquery.Node_BooleanTest:
		switch e.BooleanTest.Booltesttype {
		case pgquery.BoolTestType_IS_NOT_TRUE, pgquery.BoolTestType_IS_FALSE:
			return known && is && a.is(e.BooleanTest.Arg)
		case pgquery.BoolTestType_IS_NOT_FALSE, pgquery.BoolTestType_IS_TRUE:
			return known && !is && a.is(e.BooleanTest.Arg)
		}
	}
	return false
}

// is reports whether an expression is the column. A name alone is the table's: it has the column, and in two tables it would be ambiguous.
func (a assignment) is(n *pgquery.Node) bool {
	fields := n.GetColumnRef().GetFields()
	words := wordsOf(fields)
	return len(words) == len(fields) && (slices.Equal(words, []string{a.column}) || slices.Equal(words, []string{a.alias, a.column}))
}

// constantly reports whether an expression is a constant or a parameter.
func constantly(n *pgquery.Node) bool {
	if cast := n.GetTypeCast(); cast != nil {
		return constantly(cast.Arg)
	}
	return n.GetAConst() != nil || n.GetParamRef() != nil
}

// neverNull reports whether an expression cannot be null, whatever the row.
func neverNull(n *pgquery.Node) bool {
	switch e := n.GetNode().(type) {
	case *pgquery.Node_AConst:
		return !e.AConst.Isnull
	case *pgquery.Node_TypeCast:
		return neverNull(e.TypeCast.Arg)
	case *pgquery.Node_CoalesceExpr:
		return slices.ContainsFunc(e.CoalesceExpr.Args, neverNull)
	case *pgquery.Node_SqlvalueFunction:
		return e.SqlvalueFunction.Op != pgquery.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA
	case *pgquery.Node_FuncCall:
		name := listName(e.FuncCall.Funcname)
		return name.Name == "now" && (name.Schema == "" || name.Schema == "pg_catalog") && len(e.FuncCall.Args) == 0
	}
	return false
}
