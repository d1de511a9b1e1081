package ddl

import (
	"slices"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Touch is how one part of a statement picks the rows that it changes (UPDATE, DELETE, MERGE), or those that it adds by a query (INSERT).
type Touch struct {
	// Table is the table whose rows are picked; zero where there are several, or anything else.
	Table Name
	// Equal are the equalities that every picked row has to meet.
	Equal []Equality
	// Most is how many rows are picked at most, whatever the data; 0 is not known.
	Most int
}

// Equality is a column that has one of a number of values in every picked row.
type Equality struct {
	Column string
	// Values is their number; 0 for those of an array whose length is not in the tree.
	Values int
}

// Changes reports whether a statement changes rows that exist, or adds those that a query gives: then it may have many of them to write. What it
// stores or only plans does not count.
func Changes(s Statement) bool {
	switch action := s.Action.(type) {
	case Write:
		if action.Op == Update || action.Op == Delete || action.Op == Merge || action.Queried {
			return true
		}
	case Query:
		if s.Tag == "EXPLAIN" {
			return slices.ContainsFunc(s.Inner, func(inner Inner) bool { return inner.Within == WithinExplain && Changes(inner.Statement) })
		}
	default:
		return false
	}
	return slices.ContainsFunc(s.Inner, func(inner Inner) bool { return inner.Within == WithinQuery && Changes(inner.Statement) })
}

// Touches are the parts of a statement that Changes speaks of, each with how it picks its rows.
func Touches(s Statement) ([]Touch, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return nil, err
	}
	if explain := root.GetExplainStmt(); explain != nil {
		root = explain.Query
	}
	return touches(root), nil
}

func touches(node *pgquery.Node) []Touch {
	var list []Touch
	switch n := node.GetNode().(type) {
	case *pgquery.Node_UpdateStmt:
		list = append(list, touched(n.UpdateStmt.Relation, n.UpdateStmt.FromClause, n.UpdateStmt.WhereClause, n.UpdateStmt.WithClause))
	case *pgquery.Node_DeleteStmt:
		list = append(list, touched(n.DeleteStmt.Relation, n.DeleteStmt.UsingClause, n.DeleteStmt.WhereClause, n.DeleteStmt.WithClause))
	case *pgquery.Node_InsertStmt:
		switch {
		case !queried(n.InsertStmt):
		case n.InsertStmt.WithClause != nil: // a name may be one of WITH
			list = append(list, Touch{})
		default:
			list = append(list, queriedRows(n.InsertStmt.SelectStmt.GetSelectStmt()))
		}
	case *pgquery.Node_MergeStmt:
		list = append(list, Touch{})
	}
	for _, cte := range withClause(node).GetCtes() {
		if query := cte.GetCommonTableExpr().GetCtequery(); query.GetSelectStmt() == nil {
			list = append(list, touches(query)...)
		}
	}
	return list
}

// queried reports whether an INSERT takes its rows from a query and not from VALUES.
func queried(insert *pgquery.InsertStmt) bool {
	query := insert.GetSelectStmt().GetSelectStmt()
	return query != nil && len(query.ValuesLists) == 0
}

func touched(table *pgquery.RangeVar, from []*pgquery.Node, where *pgquery.Node, with *pgquery.WithClause) Touch {
	p := picker{table: table, alone: len(from) == 0, with: with != nil, few: map[string]int{}}
	for _, item := range from {
		name, query := joinedQuery(item, with)
		if limit := limitOf(query); limit > 0 {
			p.few[name] = limit
		}
	}
	p.conjunct(where)
	return Touch{Table: rangeName(table), Equal: p.equal}
}

// joinedQuery is a sub-query of FROM or USING, or the query of WITH that is named there, and by which name the statement knows it; nil for any other.
func joinedQuery(item *pgquery.Node, with *pgquery.WithClause) (name string, query *pgquery.SelectStmt) {
	if sub := item.GetRangeSubselect(); sub != nil {
		return sub.GetAlias().GetAliasname(), sub.Subquery.GetSelectStmt()
	}
	table := item.GetRangeVar()
	for _, clause := range with.GetCtes() {
		if cte := clause.GetCommonTableExpr(); table.GetSchemaname() == "" && cte.Ctename == table.GetRelname() {
			return aliasOf(table), cte.Ctequery.GetSelectStmt()
		}
	}
	return "", nil
}

// queriedRows is how the query of an INSERT picks the rows of the one table that it reads.
func queriedRows(query *pgquery.SelectStmt) Touch {
	t := Touch{Most: limitOf(query)}
	sets := slices.ContainsFunc(query.TargetList, func(n *pgquery.Node) bool { return callsAny(n.ProtoReflect()) })
	switch from := query.FromClause; {
	case query.Op != pgquery.SetOperation_SETOP_NONE || query.WithClause != nil || len(from) > 1 || sets: // a function may give many rows
	case len(from) == 0:
		t.Most = 1
	case from[0].GetRangeVar() != nil:
		p := picker{table: from[0].GetRangeVar(), alone: true}
		p.conjunct(query.WhereClause)
		t.Table, t.Equal = rangeName(p.table), p.equal
	}
	return t
}

// limitOf is the LIMIT of a query, where that is a number; else 0.
func limitOf(query *pgquery.SelectStmt) int {
	if query.GetLimitOption() == pgquery.LimitOption_LIMIT_OPTION_WITH_TIES {
		return 0
	}
	return max(0, int(query.GetLimitCount().GetAConst().GetIval().GetIval()))
}

// callsAny reports whether an expression calls a function.
func callsAny(m protoreflect.Message) bool {
	found := false
	eachMessage(m, func(m protoreflect.Message) {
		_, call := m.Interface().(*pgquery.FuncCall)
		found = found || call
	})
	return found
}

// picker collects the equalities of a condition. alone is true when no other table is in scope, with when there are queries of WITH; few are the
// joined queries that give no more than so many rows.
type picker struct {
	table *pgquery.RangeVar
	alone bool
	with  bool
	few   map[string]int
	equal []Equality
}

// conjunct takes a condition that every row has to meet.
func (p *picker) conjunct(where *pgquery.Node) {
	if and := where.GetBoolExpr(); and.GetBoolop() == pgquery.BoolExprType_AND_EXPR {
		for _, arg := range and.GetArgs() {
			p.conjunct(arg)
		}
		return
	}
	if link := where.GetSubLink(); link.GetSubLinkType() == pgquery.SubLinkType_ANY_SUBLINK && isEqual(link.OperName, true) {
		if limit := limitOf(link.Subselect.GetSelectStmt()); limit > 0 && p.ownRows(link.Subselect.GetSelectStmt()) {
			p.column(link.Testexpr, limit)
		}
		return
	}
	e := where.GetAExpr()
	if !isEqual(e.GetName(), false) {
		return
	}
	switch e.GetKind() {
	case pgquery.A_Expr_Kind_AEXPR_IN:
		if list := e.Rexpr.GetList().GetItems(); !slices.ContainsFunc(list, func(n *pgquery.Node) bool { return !p.fixed(n) }) {
			p.column(e.Lexpr, len(list))
		}
	case pgquery.A_Expr_Kind_AEXPR_OP_ANY:
		if n, ok := p.members(e.Rexpr); ok {
			p.column(e.Lexpr, n)
		}
	case pgquery.A_Expr_Kind_AEXPR_OP:
		p.equals(e.Lexpr, e.Rexpr)
	}
}

func (p *picker) equals(left, right *pgquery.Node) {
	if l, r := left.GetRowExpr().GetArgs(), right.GetRowExpr().GetArgs(); len(l) > 0 && len(l) == len(r) {
		for i := range l {
			p.equals(l[i], r[i])
		}
		return
	}
	for _, sides := range [][2]*pgquery.Node{{left, right}, {right, left}} {
		words := wordsOf(sides[1].GetColumnRef().GetFields())
		switch {
		case p.fixed(sides[1]):
			p.column(sides[0], 1)
		case len(words) == 2 && p.few[words[0]] > 0:
			p.column(sides[0], p.few[words[0]])
		}
	}
}

// isEqual reports whether an operator is =; of IN (SELECT …) it is not written.
func isEqual(operator []*pgquery.Node, unwritten bool) bool {
	if len(operator) == 0 {
		return unwritten
	}
	name := listName(operator)
	return name.Name == "=" && (name.Schema == "" || name.Schema == "pg_catalog")
}

// members is how many values an array has; 0 where that is not in the tree.
func (p *picker) members(array *pgquery.Node) (n int, fixed bool) {
	for array.GetTypeCast() != nil {
		array = array.GetTypeCast().Arg
	}
	if elements := array.GetAArrayExpr().GetElements(); len(elements) > 0 {
		return len(elements), !slices.ContainsFunc(elements, func(n *pgquery.Node) bool { return !p.fixed(n) })
	}
	if link := array.GetSubLink(); link.GetSubLinkType() == pgquery.SubLinkType_ARRAY_SUBLINK {
		limit := limitOf(link.Subselect.GetSelectStmt())
		return limit, limit > 0 && p.ownRows(link.Subselect.GetSelectStmt())
	}
	return 0, array.GetParamRef() != nil || array.GetAConst() != nil
}

// column notes what is a column of the table, or a row of them.
func (p *picker) column(n *pgquery.Node, values int) {
	for _, part := range n.GetRowExpr().GetArgs() {
		p.column(part, values)
	}
	words := wordsOf(n.GetColumnRef().GetFields())
	if len(words) != len(n.GetColumnRef().GetFields()) { // a star
		return
	}
	switch {
	case len(words) == 1 && p.alone, len(words) == 2 && words[0] == aliasOf(p.table):
		p.equal = append(p.equal, Equality{Column: words[len(words)-1], Values: values})
	}
}

// aliasOf is the name by which the statement knows a table.
func aliasOf(table *pgquery.RangeVar) string {
	if alias := table.GetAlias().GetAliasname(); alias != "" {
		return alias
	}
	return table.GetRelname()
}

// fixed reports whether an expression has one value for the whole statement, and no function decides it.
func (p *picker) fixed(n *pgquery.Node) bool {
	switch e := n.GetNode().(type) {
	case *pgquery.Node_AConst, *pgquery.Node_ParamRef:
		return true
	case *pgquery.Node_SqlvalueFunction:
		return true
	case *pgquery.Node_TypeCast:
		return p.fixed(e.TypeCast.Arg)
	case *pgquery.Node_RowExpr:
		return !slices.ContainsFunc(e.RowExpr.Args, func(n *pgquery.Node) bool { return !p.fixed(n) })
	case *pgquery.Node_AExpr:
		return e.AExpr.Kind == pgquery.A_Expr_Kind_AEXPR_OP && e.AExpr.Rexpr != nil && p.fixed(e.AExpr.Rexpr) &&
			(e.AExpr.Lexpr == nil || p.fixed(e.AExpr.Lexpr))
	case *pgquery.Node_SubLink:
		return e.SubLink.SubLinkType == pgquery.SubLinkType_EXPR_SUBLINK && p.ownRows(e.SubLink.Subselect.GetSelectStmt())
	}
	return false
}

// ownRows reports whether a sub-query certainly looks at no column of the row outside: it reads the same table, so that it has every name
// itself that the row outside could lend it, and names the outer table nowhere.
func (p *picker) ownRows(query *pgquery.SelectStmt) bool {
	if p.with || query.GetOp() != pgquery.SetOperation_SETOP_NONE || query.GetWithClause() != nil || len(query.GetFromClause()) != 1 {
		return false
	}
	inner := query.FromClause[0].GetRangeVar()
	if inner == nil || inner.Alias.GetColnames() != nil || rangeName(inner) != rangeName(p.table) {
		return false
	}
	own := true
	eachMessage(query.ProtoReflect(), func(m protoreflect.Message) {
		switch n := m.Interface().(type) {
		case *pgquery.ColumnRef:
			words := wordsOf(n.Fields)
			own = own && (len(words) <= 1 || words[0] == aliasOf(inner))
		case *pgquery.SubLink, *pgquery.FuncCall:
			own = false
		}
	})
	return own
}
