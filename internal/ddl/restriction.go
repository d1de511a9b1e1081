package ddl

import (
	"errors"
	"fmt"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Restricted is a statement with the conditions that its rows, and those of the queries within, have to meet.
type Restricted struct {
	Restrictions []Restriction
	// Tables are the relations that the statement names, by the alias that each has there; one alias may stand for several.
	Tables map[string][]Name

	text string
	root *pgquery.Node
}

// Restriction is one of the conditions, all of which a row has to meet.
type Restriction struct {
	// Columns are those that it reads itself, and not by a query within.
	Columns []ColumnUse
	// Scope are the aliases of the tables that its query reads: a column without one is of these, or of a query around it.
	Scope []string
	// Equal is true when it asks for one value of a column, or one of a list.
	Equal bool

	node *pgquery.Node
}

// ColumnUse is a column as it is named: Table is the alias before it, "" if there is none.
type ColumnUse struct{ Table, Column string }

// ReadRestricted reads the conditions of one statement.
func ReadRestricted(text string) (*Restricted, error) {
	root, err := parseOne(text)
	if err != nil {
		return nil, err
	}
	r := &Restricted{Tables: map[string][]Name{}, text: text, root: root}
	eachMessage(root.ProtoReflect(), func(m protoreflect.Message) {
		switch n := m.Interface().(type) {
		case *pgquery.RangeVar:
			r.Tables[aliasOf(n)] = addOnce(r.Tables[aliasOf(n)], rangeName(n))
		case *pgquery.UpdateStmt:
			r.conjunct(n.WhereClause, scope(n.Relation, n.FromClause...))
		case *pgquery.DeleteStmt:
			r.conjunct(n.WhereClause, scope(n.Relation, n.UsingClause...))
		case *pgquery.SelectStmt:
			r.conjunct(n.WhereClause, scope(nil, n.FromClause...))
		case *pgquery.JoinExpr:
			r.conjunct(n.Quals, scope(nil, n.Larg, n.Rarg))
		case *pgquery.MergeStmt:
			r.conjunct(n.JoinCondition, scope(n.Relation, n.SourceRelation))
		}
	})
	return r, nil
}

// scope are the aliases of a table and of those in FROM or USING.
func scope(table *pgquery.RangeVar, from ...*pgquery.Node) []string {
	var aliases []string
	if table != nil {
		aliases = append(aliases, aliasOf(table))
	}
	for _, item := range from {
		eachOwn(item, func(n *pgquery.Node) {
			if v := n.GetRangeVar(); v != nil {
				aliases = append(aliases, aliasOf(v))
			}
		})
	}
	return aliases
}

func (r *Restricted) conjunct(node *pgquery.Node, scope []string) {
	if and := node.GetBoolExpr(); and.GetBoolop() == pgquery.BoolExprType_AND_EXPR {
		for _, arg := range and.GetArgs() {
			r.conjunct(arg, scope)
		}
		return
	}
	found := Restriction{node: node, Scope: scope, Equal: equalsValue(node)}
	eachOwn(node, func(n *pgquery.Node) {
		fields := n.GetColumnRef().GetFields()
		switch words := wordsOf(fields); {
		case len(words) == 0 || len(words) < len(fields): // a star
		case len(words) == 1:
			found.Columns = addOnce(found.Columns, ColumnUse{Column: words[0]})
		default:
			found.Columns = addOnce(found.Columns, ColumnUse{Table: words[len(words)-2], Column: words[len(words)-1]})
		}
	})
	if len(found.Columns) > 0 {
		r.Restrictions = append(r.Restrictions, found)
	}
}

// eachOwn visits an expression, but not the queries within.
func eachOwn(node *pgquery.Node, visit func(*pgquery.Node)) {
	if node.GetSelectStmt() != nil {
		return
	}
	visit(node)
	eachChild(node.ProtoReflect(), func(child *pgquery.Node) { eachOwn(child, visit) })
}

// equalsValue reports whether a condition asks for one value of a column, or one of a list; that they are no columns themselves is left to see.
func equalsValue(node *pgquery.Node) bool {
	e := node.GetAExpr()
	if !isEqual(e.GetName(), false) {
		return false
	}
	columns := 0
	for _, side := range []*pgquery.Node{e.Lexpr, e.Rexpr} {
		eachOwn(side, func(n *pgquery.Node) {
			if n.GetColumnRef() != nil {
				columns++
			}
		})
	}
	switch e.Kind {
	case pgquery.A_Expr_Kind_AEXPR_OP:
		return columns == 1 && (e.Lexpr.GetColumnRef() != nil || e.Rexpr.GetColumnRef() != nil)
	case pgquery.A_Expr_Kind_AEXPR_IN, pgquery.A_Expr_Kind_AEXPR_OP_ANY:
		return columns == 1 && e.Lexpr.GetColumnRef() != nil
	}
	return false
}

// Without is the statement with some of its restrictions always met, for a planner to estimate: they stay in it, so that parameters keep their types.
// It is for that only, since it is not the client's own text; and it changes the receiver.
func (r *Restricted) Without(left []Restriction) (string, error) {
	if _, known, _, err := parseRaw(r.text); err != nil || known != r.text {
		return "", errors.Join(err, errors.New("cannot write a statement with newer words anew"))
	}
	for _, restriction := range left {
		alternatives := []*pgquery.Node{{Node: restriction.node.Node}}
		if or := restriction.node.GetBoolExpr(); or.GetBoolop() == pgquery.BoolExprType_OR_EXPR {
			alternatives = or.GetArgs() // as the grammar has them: in one list
		}
		always := &pgquery.Node{Node: &pgquery.Node_AConst{AConst: &pgquery.A_Const{Val: &pgquery.A_Const_Boolval{Boolval: &pgquery.Boolean{Boolval: true}}}}}
		restriction.node.Node = pgquery.MakeBoolExprNode(pgquery.BoolExprType_OR_EXPR, append(alternatives, always), -1).Node
	}
	text, err := pgquery.Deparse(&pgquery.ParseResult{Stmts: []*pgquery.RawStmt{{Stmt: r.root}}})
	if err != nil {
		return "", fmt.Errorf("cannot write a statement anew: %w", err)
	}
	again, err := parseOne(text)
	if err != nil {
		return "", fmt.Errorf("cannot parse a statement written anew: %w", err)
	}
	if !sameTree(r.root, again) {
		return "", fmt.Errorf("statement written anew would not mean what was intended: %s", text)
	}
	return text, nil
}
