package ddl

import (
	"slices"
	"strconv"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

const (
	// maxValues bounds how many texts an EXECUTE may run that are still read one by one.
	maxValues = 64

	// maxFolds bounds how many expressions of one body are evaluated: variables that are given each other would take for ever.
	maxFolds = 4096
)

// values are all that an expression of a body can be, if it is made of constants: strings put together, format(), variables that get such
// expressions only, and the elements of constant arrays that loops go through. It may name values that never occur, and misses none.
func (v variables) values(expr string, seen []string) ([]string, bool) {
	target, ok := v.expression(expr)
	if !ok {
		return nil, false
	}
	return v.eval(target, seen)
}

func (v variables) expression(expr string) (*pgquery.Node, bool) {
	if *v.folds++; *v.folds > maxFolds {
		return nil, false
	}
	root, err := parseOne("SELECT " + expr)
	targets := root.GetSelectStmt().GetTargetList()
	if err != nil || len(targets) != 1 {
		return nil, false
	}
	return targets[0].GetResTarget().GetVal(), true
}

func (v variables) eval(n *pgquery.Node, seen []string) ([]string, bool) {
	switch e := n.GetNode().(type) {
	case *pgquery.Node_AConst:
		return []string{constantText(n)}, !e.AConst.Isnull && e.AConst.GetBsval() == nil && e.AConst.GetBoolval() == nil
	case *pgquery.Node_TypeCast:
		if !isTextType(e.TypeCast.GetTypeName()) {
			return nil, false
		}
		return v.eval(e.TypeCast.Arg, seen)
	case *pgquery.Node_AExpr:
		if e.AExpr.Kind != pgquery.A_Expr_Kind_AEXPR_OP || listName(e.AExpr.Name).Name != "||" {
			return nil, false
		}
		return v.joined([]*pgquery.Node{e.AExpr.Lexpr, e.AExpr.Rexpr}, seen, func(parts []string) (string, bool) { return strings.Join(parts, ""), true })
	case *pgquery.Node_FuncCall:
		return v.call(e.FuncCall, seen)
	case *pgquery.Node_ColumnRef:
		return v.variable(n, seen, v.eval)
	case *pgquery.Node_SubLink:
		return v.elements(n, seen)
	}
	return nil, false
}

// isTextType reports whether a cast to the type leaves the text of a name or a statement as it is.
func isTextType(t *pgquery.TypeName) bool {
	switch listName(t.GetNames()).Name {
	case "text", "varchar", "name", "regclass", "unknown":
		return len(t.GetTypmods()) == 0
	}
	return false
}

// call evaluates the functions that put SQL together.
func (v variables) call(f *pgquery.FuncCall, seen []string) ([]string, bool) {
	if f.FuncVariadic || len(f.Args) == 0 {
		return nil, false
	}
	switch listName(f.Funcname).Name {
	case "format":
		return v.joined(f.Args, seen, func(args []string) (string, bool) { return formatted(args[0], args[1:]) })
	case "concat":
		return v.joined(f.Args, seen, func(args []string) (string, bool) { return strings.Join(args, ""), true })
	case "quote_ident":
		return v.joined(f.Args, seen, func(args []string) (string, bool) { return quoted(args[0]), true })
	case "quote_literal", "quote_nullable":
		return v.joined(f.Args, seen, func(args []string) (string, bool) { return literal(args[0]), true })
	}
	return nil, false
}

// literal is a string as quote_literal writes it.
func literal(text string) string {
	mark := ""
	if strings.Contains(text, `\`) {
		mark, text = "E", strings.ReplaceAll(text, `\`, `\\`)
	}
	return mark + "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// joined is what a function makes of every combination of its arguments' values.
func (v variables) joined(args []*pgquery.Node, seen []string, join func([]string) (string, bool)) ([]string, bool) {
	combinations := [][]string{nil}
	for _, arg := range args {
		values, ok := v.eval(arg, seen)
		if !ok || len(combinations)*len(values) > maxValues {
			return nil, false
		}
		var longer [][]string
		for _, combination := range combinations {
			for _, value := range values {
				longer = append(longer, append(slices.Clone(combination), value))
			}
		}
		combinations = longer
	}
	var results []string
	for _, combination := range combinations {
		result, ok := join(combination)
		if !ok {
			return nil, false
		}
		results = append(results, result)
	}
	return distinct(results), true
}

func distinct(texts []string) []string {
	var list []string
	for _, text := range texts {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return list
}

// formatted is what format() makes of constant arguments. Widths are not known here.
func formatted(format string, args []string) (string, bool) {
	var out strings.Builder
	next := 0
	for {
		before, rest, found := strings.Cut(format, "%")
		out.WriteString(before)
		if !found {
			return out.String(), true
		}
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		if digits > 0 {
			position, err := strconv.Atoi(rest[:digits])
			if err != nil || !strings.HasPrefix(rest[digits:], "$") {
				return "", false
			}
			next, rest = position-1, rest[digits+1:]
		}
		if rest == "" {
			return "", false
		}
		verb := rest[0]
		format = rest[1:]
		if verb == '%' {
			out.WriteByte('%')
			continue
		}
		if next < 0 || next >= len(args) {
			return "", false
		}
		switch verb {
		case 's':
			out.WriteString(args[next])
		case 'I':
			out.WriteString(quoted(args[next]))
		case 'L':
			out.WriteString(literal(args[next]))
		default:
			return "", false
		}
		next++
	}
}

// variable evaluates all that a variable is given.
func (v variables) variable(n *pgquery.Node, seen []string, eval func(*pgquery.Node, []string) ([]string, bool)) ([]string, bool) {
	words := wordsOf(n.GetColumnRef().GetFields())
	if len(words) != 1 || slices.Contains(seen, words[0]) || len(v.given[words[0]]) == 0 {
		return nil, false
	}
	seen = append(slices.Clone(seen), words[0])
	var all []string
	for _, given := range v.given[words[0]] {
		value, ok := v.expression(given.expr)
		if !ok {
			return nil, false
		}
		evaluate := eval
		if given.each {
			evaluate = v.elements
		}
		values, ok := evaluate(value, seen)
		if all = append(all, values...); !ok || len(all) > maxValues {
			return nil, false
		}
	}
	return distinct(all), true
}

// elements are the elements of an array, or the rows of a query of one column.
func (v variables) elements(n *pgquery.Node, seen []string) ([]string, bool) {
	switch e := n.GetNode().(type) {
	case *pgquery.Node_AArrayExpr:
		return v.union(e.AArrayExpr.Elements, seen, v.eval)
	case *pgquery.Node_TypeCast:
		if text := e.TypeCast.GetArg().GetAConst().GetSval().GetSval(); strings.HasPrefix(text, "{") {
			text = strings.TrimSuffix(text[1:], "}")
			return strings.Split(text, ","), !strings.ContainsAny(text, `"\{}`)
		}
		return v.elements(e.TypeCast.Arg, seen)
	case *pgquery.Node_ColumnRef:
		return v.variable(n, seen, v.elements)
	case *pgquery.Node_SubLink:
		if e.SubLink.SubLinkType == pgquery.SubLinkType_EXPR_SUBLINK {
			return v.rows(e.SubLink.GetSubselect().GetSelectStmt(), seen)
		}
	case *pgquery.Node_FuncCall:
		if listName(e.FuncCall.Funcname).Name == "unnest" && len(e.FuncCall.Args) == 1 {
			return v.elements(e.FuncCall.Args[0], seen)
		}
	}
	return nil, false
}

// union is the values of all nodes.
func (v variables) union(nodes []*pgquery.Node, seen []string, eval func(*pgquery.Node, []string) ([]string, bool)) ([]string, bool) {
	var all []string
	for _, node := range nodes {
		values, ok := eval(node, seen)
		if all = append(all, values...); !ok || len(all) > maxValues {
			return nil, false
		}
	}
	return distinct(all), true
}

// rows are the values of a query of one column over constants.
func (v variables) rows(s *pgquery.SelectStmt, seen []string) ([]string, bool) {
	switch {
	case s == nil:
		return nil, false
	case s.Op != pgquery.SetOperation_SETOP_NONE:
		left, ok := v.rows(s.Larg, seen)
		right, ok2 := v.rows(s.Rarg, seen)
		return distinct(append(left, right...)), ok && ok2 && len(left)+len(right) <= maxValues
	case len(s.ValuesLists) > 0:
		var all []string
		for _, row := range s.ValuesLists {
			items := row.GetList().GetItems()
			if len(items) != 1 {
				return nil, false
			}
			values, ok := v.eval(items[0], seen)
			if all = append(all, values...); !ok || len(all) > maxValues {
				return nil, false
			}
		}
		return distinct(all), true
	case len(s.TargetList) != 1:
		return nil, false
	}
	target := s.TargetList[0].GetResTarget().GetVal()
	if len(s.FromClause) == 0 {
		if target.GetFuncCall() != nil && listName(target.GetFuncCall().Funcname).Name == "unnest" {
			return v.elements(target, seen)
		}
		return v.eval(target, seen)
	}
	if len(s.FromClause) != 1 || target.GetColumnRef() == nil {
		return nil, false
	}
	from := s.FromClause[0]
	if sub := from.GetRangeSubselect(); sub != nil {
		return v.rows(sub.GetSubquery().GetSelectStmt(), seen)
	}
	if f := from.GetRangeFunction(); f != nil && len(f.Functions) == 1 {
		return v.elements(f.Functions[0].GetList().GetItems()[0], seen)
	}
	return nil, false
}

// literals is the text of all string literals of a body, for a look at the words in them.
func literals(text string) string {
	var all []string
	for s := (scanner{text: text}); ; {
		t := s.next()
		switch t.kind {
		case endToken:
			return strings.Join(all, " ")
		case stringToken, escapeToken, dollarToken:
			all = append(all, text[t.start:t.end])
		}
	}
}
