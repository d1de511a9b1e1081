package ddl

import (
	"strconv"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// Given is what an INSERT, UPDATE or DELETE says of its rows in constants and parameters.
type Given struct {
	// Columns are those that an INSERT names; nil when it names none. Rows are its rows, in that order; nil when they come from a query.
	Columns []string
	Rows    [][]Value
	// Set are the columns that an UPDATE sets to one value each.
	Set []Fixed
	// Where are the columns that the condition compares for equality, those parts of it that hold together (AND).
	Where []Fixed
	// Everything is true for an UPDATE or DELETE without a condition.
	Everything bool
}

// Value is a constant or a parameter; the zero Value is anything else, NULL included.
type Value struct {
	Known bool
	Text  string // of a constant, without quotes and casts; a boolean is "true" or "false"
	Param int    // the number of a parameter, from 1; 0 for a constant
}

// Fixed is a column and the values that it has, or may have (IN).
type Fixed struct {
	Column string
	Values []Value
}

// GivenBy reads what the statement says of its rows. It parses the text again: few writes are looked at so closely. ok is false for what is
// no INSERT, UPDATE or DELETE.
func GivenBy(statement Statement) (given Given, ok bool) {
	node, err := parseOne(statement.Text)
	if err != nil {
		return Given{}, false
	}
	switch n := node.GetNode().(type) {
	case *pgquery.Node_InsertStmt:
		for _, column := range n.InsertStmt.Cols {
			given.Columns = append(given.Columns, column.GetResTarget().GetName())
		}
		for _, row := range n.InsertStmt.GetSelectStmt().GetSelectStmt().GetValuesLists() {
			given.Rows = append(given.Rows, valuesOf(row.GetList().GetItems()))
		}
		if row := oneRow(n.InsertStmt.GetSelectStmt().GetSelectStmt()); row != nil {
			given.Rows = [][]Value{valuesOf(row)}
		}
	case *pgquery.Node_UpdateStmt:
		for _, target := range n.UpdateStmt.TargetList {
			set := target.GetResTarget()
			if value := valueOf(set.GetVal()); value.Known {
				given.Set = append(given.Set, Fixed{set.GetName(), []Value{value}})
			}
		}
		given.where(n.UpdateStmt.WhereClause)
	case *pgquery.Node_DeleteStmt:
		given.where(n.DeleteStmt.WhereClause)
	default:
		return Given{}, false
	}
	return given, true
}

// oneRow are the values of a query that has no FROM: SELECT 'x' WHERE NOT EXISTS (…). Whether there is such a row the server says. nil for any other.
func oneRow(query *pgquery.SelectStmt) []*pgquery.Node {
	if query == nil || len(query.FromClause) > 0 || query.Op != pgquery.SetOperation_SETOP_NONE {
		return nil
	}
	var row []*pgquery.Node
	for _, target := range query.TargetList {
		row = append(row, target.GetResTarget().GetVal())
	}
	return row
}

// where adds the equalities of a condition.
func (g *Given) where(condition *pgquery.Node) {
	if condition == nil {
		g.Everything = true
		return
	}
	switch e := condition.GetNode().(type) {
	case *pgquery.Node_BoolExpr:
		if e.BoolExpr.Boolop == pgquery.BoolExprType_AND_EXPR {
			for _, arg := range e.BoolExpr.Args {
				g.where(arg)
			}
		}
	case *pgquery.Node_AExpr:
		g.equality(e.AExpr)
	}
}

func (g *Given) equality(e *pgquery.A_Expr) {
	in := e.Kind == pgquery.A_Expr_Kind_AEXPR_IN
	if listName(e.Name).Name != "=" || !in && e.Kind != pgquery.A_Expr_Kind_AEXPR_OP {
		return
	}
	column, other := namedColumn(e.Lexpr), e.Rexpr
	if column == "" && !in {
		column, other = namedColumn(e.Rexpr), e.Lexpr
	}
	values := []Value{valueOf(other)}
	if in {
		values = valuesOf(other.GetList().GetItems())
	}
	if column != "" && len(values) > 0 {
		g.Where = append(g.Where, Fixed{column, values})
	}
}

// namedColumn is the name of the column that an expression is, casts apart; "" for any other.
func namedColumn(n *pgquery.Node) string {
	for n.GetTypeCast() != nil {
		n = n.GetTypeCast().Arg
	}
	words := wordsOf(n.GetColumnRef().GetFields())
	if len(words) == 0 || len(words) != len(n.GetColumnRef().GetFields()) {
		return ""
	}
	return words[len(words)-1]
}

func valuesOf(nodes []*pgquery.Node) []Value {
	values := make([]Value, len(nodes))
	for i, n := range nodes {
		values[i] = valueOf(n)
	}
	return values
}

func valueOf(n *pgquery.Node) Value {
	switch e := n.GetNode().(type) {
	case *pgquery.Node_TypeCast:
		return valueOf(e.TypeCast.Arg)
	case *pgquery.Node_ParamRef:
		return Value{Known: e.ParamRef.Number > 0, Param: int(e.ParamRef.Number)}
	case *pgquery.Node_AConst:
		switch {
		case e.AConst.Isnull, e.AConst.GetBsval() != nil:
			return Value{}
		case e.AConst.GetBoolval() != nil:
			return Value{Known: true, Text: strconv.FormatBool(e.AConst.GetBoolval().Boolval)}
		}
		return Value{Known: true, Text: constantText(n)}
	}
	return Value{}
}
