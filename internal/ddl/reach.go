package ddl

import pgquery "github.com/pganalyze/pg_query_go/v5"

// reachOf says how much of a table the condition of an UPDATE or DELETE leaves: with an equality it may be a single row.
func reachOf(where *pgquery.Node) Reach {
	switch {
	case always(where):
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

// mergeReach is EveryRow for a MERGE that joins on nothing and changes what it finds without a condition.
func mergeReach(m *pgquery.MergeStmt) Reach {
	if mergesEveryRow(m) {
		return EveryRow
	}
	return UnknownReach
}
