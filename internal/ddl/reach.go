package ddl

import pgquery "github.com/pganalyze/pg_query_go/v5"

// reachOf says how much of a table the condition of an UPDATE or DELETE leaves: with an equality it may be a single row.
func reachOf(where *pgquery.Node) Reach {
	switch {
	case where == nil, alwaysTrue(where):
		return EveryRow
	case picks(where):
		return SomeRows
	}
	return ManyRows
}

// picks reports whether a condition holds an equality that every row has to meet, IN and = ANY included: then it may leave few.
func picks(where *pgquery.Node) bool {
	if and := where.GetBoolExpr(); and != nil {
		if and.Boolop != pgquery.BoolExprType_AND_EXPR {
			return false
		}
		for _, arg := range and.Args {
			if picks(arg) {
				return true
			}
		}
		return false
	}
	if where.GetCurrentOfExpr() != nil {
		return true
	}
	if link := where.GetSubLink(); link != nil {
		return link.SubLinkType == pgquery.SubLinkType_ANY_SUBLINK
	}
	compared := where.GetAExpr()
	switch compared.GetKind() {
	case pgquery.A_Expr_Kind_AEXPR_OP, pgquery.A_Expr_Kind_AEXPR_OP_ANY, pgquery.A_Expr_Kind_AEXPR_IN:
		words := wordsOf(compared.GetName())
		return len(words) > 0 && words[len(words)-1] == "="
	}
	return false
}

// alwaysTrue reports whether a condition is the constant true, or compares a constant with itself.
func alwaysTrue(where *pgquery.Node) bool {
	if c := where.GetAConst(); c != nil {
		return c.GetBoolval().GetBoolval()
	}
	compared := where.GetAExpr()
	left, right := constantText(compared.GetLexpr()), constantText(compared.GetRexpr())
	words := wordsOf(compared.GetName())
	return len(words) == 1 && words[0] == "=" && left != "" && left == right
}
