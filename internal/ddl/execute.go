package ddl

import pgquery "github.com/pganalyze/pg_query_go/v5"

// Execution is what an EXECUTE of SQL says.
type Execution struct {
	// Name is what was prepared, Args are its arguments as they are written.
	Name string
	Args []string
	// Constant is true when every argument is a value as it stands: it does nothing, and is the same, however often it is read.
	Constant bool
}

// ReadExecute reads an EXECUTE, also one that EXPLAIN ANALYZE runs; ok is false for any other statement.
func ReadExecute(s Statement) (e Execution, ok bool) {
	if inner := Analyzed(s); inner != nil {
		return ReadExecute(inner.Statement)
	}
	if s.Tag != "EXECUTE" {
		return Execution{}, false
	}
	root, err := parseOne(s.Text)
	execute := root.GetExecuteStmt()
	if err != nil || execute == nil {
		return Execution{}, false
	}
	e = Execution{Name: execute.Name, Constant: true}
	text := newSource(&Statement{Text: s.Text, known: s.known})
	open := text.find(1, text.end(), "(")
	for _, part := range text.list(open+1, text.over(open)-1) {
		span := text.span(part[0], part[1])
		e.Args = append(e.Args, s.Text[span.Start:span.End])
	}
	if len(execute.Params) == 0 {
		e.Args = nil
	}
	for _, param := range execute.Params {
		e.Constant = e.Constant && isConstant(param)
	}
	return e, len(e.Args) == len(execute.Params)
}

func isConstant(node *pgquery.Node) bool {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_AConst, *pgquery.Node_SqlvalueFunction:
		return true
	case *pgquery.Node_TypeCast:
		return isConstant(n.TypeCast.Arg)
	case *pgquery.Node_AArrayExpr:
		for _, element := range n.AArrayExpr.Elements {
			if !isConstant(element) {
				return false
			}
		}
		return true
	}
	return false
}

// Analyzed is what EXPLAIN ANALYZE runs; nil for any other statement.
func Analyzed(s Statement) *Inner {
	if s.Tag != "EXPLAIN" {
		return nil
	}
	for i := range s.Inner {
		if s.Inner[i].Within == WithinExplain {
			return &s.Inner[i]
		}
	}
	return nil
}

// InPlace is the statement with another one in the place of the EXECUTE that it is, or that EXPLAIN ANALYZE runs in it.
func InPlace(s, of Statement) (Statement, bool) {
	inner := Analyzed(s)
	if inner == nil {
		of.Lead, of.Offset = s.Lead, s.Offset
		return of, true
	}
	all, err := Parse(s.Text[:inner.Span.Start] + of.Text)
	if err != nil || len(all) != 1 {
		return Statement{}, false
	}
	all[0].Lead, all[0].Offset = s.Lead, s.Offset
	return all[0], true
}

// PreparedAs is the statement that a text prepares under a name, by PREPARE; ok is false if it does not.
func PreparedAs(text, name string) (s Statement, ok bool) {
	statements, err := Parse(text)
	if err != nil {
		return Statement{}, false
	}
	for _, statement := range statements {
		if prepared, inner := ReadPrepare(statement); inner.Text != "" && prepared == name {
			s, ok = inner, true
		}
	}
	return s, ok
}

// ReadPrepare is the name that a PREPARE gives, and the statement that it prepares, by itself; "" for any other statement.
func ReadPrepare(s Statement) (name string, prepared Statement) {
	if s.Tag != "PREPARE" || len(s.Inner) != 1 || s.Inner[0].Within != WithinPrepare {
		return "", Statement{}
	}
	root, err := parseOne(s.Text)
	if err != nil {
		return "", Statement{}
	}
	alone, err := Parse(s.Inner[0].Text)
	if err != nil || len(alone) != 1 {
		return "", Statement{}
	}
	return root.GetPrepareStmt().GetName(), alone[0]
}
