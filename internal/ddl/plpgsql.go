package ddl

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// maxBlocks bounds the nesting of a PL/pgSQL body: the C code that writes its tree out recurses without a stack check, once for each block, IF,
// CASE and loop. TestDeepText holds the bound against the stack, as maxDepth's.
const maxBlocks = 1000

// readBodyLimit bounds the bodies that are read, in bytes: the C code looks every name up in a list of all variables.
const readBodyLimit = 256 << 10

// body is what is known of the body of a DO block or a function.
type body struct {
	inner []Inner
	// unread is why the body is not read; "" when it is.
	unread string
	// commits is true when it has a COMMIT or ROLLBACK, swallowsTimeout when it catches lock_not_available.
	commits, swallowsTimeout bool
}

// readBody reads a body that is a string. One that cannot be read is one Inner, Unparsed.
func readBody(s *Statement, language, text string, depth int) body {
	var b body
	switch {
	case text == "" || language == "c" || language == "internal":
		return b // a symbol
	case depth >= maxInner:
		b.unread = "statements are nested too deeply within each other"
	case language == "sql":
		b.inner, b.unread = sqlBody(text, depth)
	case language == "plpgsql":
		b = plpgsqlBody(s, text, depth)
	default:
		b.unread = "it is written in " + language
	}
	if b.unread != "" {
		b.inner = []Inner{{Within: WithinDo, Line: 1, Statement: Statement{Text: text, Action: Unparsed{Reason: b.unread}}}}
	}
	return b
}

func sqlBody(text string, depth int) (list []Inner, unread string) {
	statements, err := parse(text, depth+1)
	if err != nil {
		return nil, err.Error()
	}
	for _, statement := range statements {
		list = append(list, Inner{
			Within: WithinFunction, Line: lineAt(text, statement.Offset), Statement: statement,
			Span: Span{statement.Offset, statement.Offset + len(statement.Text)},
		})
	}
	return list, ""
}

// refs are the relations of all statements that the body runs, each with its strongest lock; none on one that it certainly makes itself.
func (b body) refs() []Ref {
	found := newRefs()
	for _, inner := range b.inner {
		create, _ := inner.Action.(CreateTable)
		unsure := (inner.Maybe || create.IfNotExists) && !create.Temp
		for _, ref := range inner.Refs {
			if !ref.Created || !unsure {
				found.found = append(found.found, located[Ref]{0, ref})
			}
		}
	}
	return found.list()
}

// plpgsqlBody reads a body in PL/pgSQL.
func plpgsqlBody(s *Statement, text string, depth int) body {
	if tooComplex(text) || blocks(text) > maxBlocks || len(text) > readBodyLimit || strings.IndexByte(text, 0) >= 0 {
		return body{unread: ErrTooComplex.Error()}
	}
	known, _ := modern(text) // of the same length
	whole := s.Text
	if _, ok := s.Action.(Opaque); ok {
		whole = "DO '" + strings.ReplaceAll(known, "'", "''") + "'"
	}
	tree, err := plpgsqlTree(whole)
	g := gather(tree)
	r := bodyReader{text: text, known: known, tokens: tokens(text), depth: depth, gathering: g, variables: g.variables()}
	if err == nil {
		r.statements([]plNode{tree.Action}, false)
		return r.body
	}
	list, ok := bodyByWords(text)
	if !ok {
		return body{unread: err.Error()}
	}
	r.statements(list, true)
	for _, inner := range r.inner {
		if _, unparsed := inner.Action.(Unparsed); unparsed && !inner.Dynamic {
			return body{unread: err.Error()}
		}
	}
	return r.body
}

// blocks counts what can open a level of a body.
func blocks(text string) int {
	n := 0
	for s := (scanner{text: text}); ; {
		t := s.next()
		switch t.kind {
		case endToken:
			return n
		case wordToken:
			switch strings.ToUpper(text[t.start:t.end]) {
			case "BEGIN", "IF", "CASE", "LOOP":
				n++
			}
		}
	}
}

// plNode is a node of PL/pgSQL's tree, of any kind: the fields of all of them that matter here. In the JSON it is an object with one field, its kind.
type plNode struct {
	kind string
	plFields
}

type plFields struct {
	Line       int      `json:"lineno"`
	Body       []plNode `json:"body"`
	Then       []plNode `json:"then_body"`
	ElseIfs    []plNode `json:"elsif_list"`
	Else       []plNode `json:"else_body"`
	Cases      []plNode `json:"case_when_list"`
	ElseCase   []plNode `json:"else_stmts"`
	Statements []plNode `json:"stmts"`
	Handlers   []plNode `json:"exc_list"`
	Conditions []plNode `json:"conditions"`
	Handling   []plNode `json:"action"`
	Exceptions *plNode  `json:"exceptions"`
	Condition  string   `json:"condname"`

	SQL           *plNode `json:"sqlstmt"`
	Expr          *plNode `json:"expr"`
	Query         *plNode `json:"query"`
	Dynamic       *plNode `json:"dynquery"`
	ArgumentQuery *plNode `json:"argquery"`
	IsCall        bool    `json:"is_call"`

	Target   *plNode   `json:"target"`
	Var      *plNode   `json:"var"`
	VarNo    int       `json:"varno"`
	RefName  string    `json:"refname"`
	Fields   []plField `json:"fields"`
	Default  *plNode   `json:"default_val"`
	CursorOf *plNode   `json:"cursor_explicit_expr"`
}

type plField struct {
	Name string `json:"name"`
}

// plExpr is an expression: its text.
type plExpr struct {
	Query string `json:"query"`
}

type plFunction struct {
	Datums []plNode `json:"datums"`
	Action plNode   `json:"action"`
}

// UnmarshalJSON takes the node out of the object that names its kind. The text of an expression becomes its RefName.
func (n *plNode) UnmarshalJSON(data []byte) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return err
	}
	for kind, fields := range object {
		n.kind = strings.TrimPrefix(strings.TrimPrefix(kind, "PLpgSQL_"), "stmt_")
		if n.kind == "expr" {
			var e plExpr
			err := json.Unmarshal(fields, &e)
			n.RefName = e.Query
			return err
		}
		return json.Unmarshal(fields, &n.plFields)
	}
	return nil
}

func plpgsqlTree(text string) (plFunction, error) {
	out, err := pgquery.ParsePlPgSqlToJSON(text)
	if err != nil {
		return plFunction{}, fmt.Errorf("PL/pgSQL: %w", err)
	}
	var functions []struct {
		Function plFunction `json:"PLpgSQL_function"`
	}
	if err := json.Unmarshal([]byte(out), &functions); err != nil {
		return plFunction{}, fmt.Errorf("cannot read the PL/pgSQL tree: %w", err)
	}
	if len(functions) != 1 {
		return plFunction{}, errors.New("no PL/pgSQL body")
	}
	return functions[0].Function, nil
}

// bodyReader goes through the tree of a body in the order of its text.
type bodyReader struct {
	body
	text      string
	known     string // the text with newer words put out of the way: what the tree was made of
	tokens    []token
	literals  string // all that the body has, once somebody has asked
	unknown   int    // EXECUTEs whose text is not known
	at        int    // where the statement before was found
	depth     int
	gathering *gathering
	variables variables // what is known where the reader is
}

// statements reads a list; maybe is true where it may be skipped.
func (r *bodyReader) statements(list []plNode, maybe bool) {
	for _, n := range list {
		r.statement(n, maybe)
	}
}

func (r *bodyReader) statement(n plNode, maybe bool) {
	switch n.kind {
	case "commit", "rollback":
		r.commits = true
	case "execsql":
		r.static(n.SQL, n.Line, maybe)
	case "call":
		r.static(n.Expr, n.Line, maybe)
	case "dynexecute":
		r.dynamic(n.Query, n.Line, maybe)
	case "fors":
		r.static(n.Query, n.Line, maybe)
	case "dynfors":
		r.dynamic(n.Query, n.Line, maybe)
	case "open", "return_query":
		r.static(n.Query, n.Line, maybe)
		r.dynamic(n.Dynamic, n.Line, maybe)
	}
	inside := maybe || n.kind != "block"
	outside := r.variables
	r.variables = r.gathering.inLoop(outside, n)
	for _, list := range n.lists() {
		r.statements(list, inside)
	}
	r.variables = outside
	if n.Exceptions == nil {
		return
	}
	for _, handler := range n.Exceptions.Handlers {
		for _, condition := range handler.Conditions {
			r.swallowsTimeout = r.swallowsTimeout || catchesLockTimeout(condition.Condition)
		}
		r.statements(handler.Handling, true)
	}
}

// catchesLockTimeout reports whether a handler's condition holds for lock_not_available, 55P03.
func catchesLockTimeout(condition string) bool {
	switch condition {
	case "others", "lock_not_available", "object_not_in_prerequisite_state", "55P03", "55000":
		return true
	}
	return false
}

// static reads a statement that is written out.
func (r *bodyReader) static(expr *plNode, line int, maybe bool) {
	if expr == nil {
		return
	}
	offset := r.find(expr.RefName, line)
	text := expr.RefName
	if strings.HasPrefix(r.known[offset:], text) {
		text = r.text[offset:r.behindNewer(offset+len(text))]
	}
	r.add(text, Inner{Within: WithinDo, Line: lineAt(r.text, offset), Maybe: maybe}, offset)
}

// behindNewer is the end of the words behind an offset that were put out of the grammar's way: they end the statement before it.
func (r *bodyReader) behindNewer(end int) int {
	i := r.token(end)
	if i > 0 {
		end = max(end, r.tokens[i-1].end)
	}
	for _, t := range r.tokens[i:] {
		if t.kind == endToken || strings.Trim(r.known[t.start:t.end], " ") != "" {
			break
		}
		end = t.end
	}
	return end
}

// dynamic reads the text that EXECUTE runs, as far as it is made of constants.
func (r *bodyReader) dynamic(expr *plNode, line int, maybe bool) {
	if expr == nil {
		return
	}
	offset := r.find(expr.RefName, line)
	found := Inner{Within: WithinDo, Line: lineAt(r.text, offset), Maybe: maybe, Dynamic: true}
	if strings.HasPrefix(r.known[offset:], expr.RefName) {
		found.Span = Span{offset, offset + len(expr.RefName)}
	}
	texts, ok := r.variables.values(expr.RefName, nil)
	if !ok {
		if r.unknown++; r.unknown > maxValues {
			return // they read like those before
		}
		words, begun := r.words(expr.RefName)
		found.Statement = Statement{Text: words, Offset: offset, Lead: r.lead(r.tokenBefore(offset)),
			Action: Unparsed{Reason: "its text is put together when it runs", Begun: begun}}
		r.inner = append(r.inner, found)
		return
	}
	for _, text := range texts {
		r.add(text, found, offset)
	}
}

// words are the literals that the text of an EXECUTE may be made of: those of its expression if that begins with one, so that it is known how
// the text begins; else those of the whole body.
func (r *bodyReader) words(expr string) (text string, begun bool) {
	for s := (scanner{text: expr}); ; {
		t := s.next()
		switch word := expr[t.start:t.end]; {
		case t.kind == commentToken, word == "(", strings.EqualFold(word, "format"), strings.EqualFold(word, "concat"):
		case t.kind == stringToken, t.kind == escapeToken, t.kind == dollarToken:
			return literals(expr), true
		default:
			if r.literals == "" {
				r.literals = literals(r.text)
			}
			return r.literals, false
		}
	}
}

// add reads one text of the body. What changes nothing is left out.
func (r *bodyReader) add(text string, as Inner, offset int) {
	statements, err := parse(text, r.depth+1)
	if err != nil {
		as.Statement = Statement{Text: text, Offset: offset, Action: Unparsed{Reason: err.Error()}}
		r.inner = append(r.inner, as)
		return
	}
	for _, statement := range statements {
		one := as
		one.Statement = statement
		one.Offset += offset
		if as.Dynamic {
			one.Offset, one.Lead = offset, r.lead(r.tokenBefore(offset))
		} else {
			one.Lead = r.lead(offset)
			if strings.HasPrefix(r.text[one.Offset:], one.Text) {
				one.Span = Span{one.Offset, one.Offset + len(one.Text)}
			}
		}
		r.inner = append(r.inner, one)
	}
}

// find is where a text of the tree stands in the body: at or behind the last, from its line on. INTO and its variables are blanks in it.
func (r *bodyReader) find(text string, line int) int {
	from := r.at
	for l := lineAt(r.known, from); l < line; l++ {
		next := strings.IndexByte(r.known[from:], '\n')
		if next < 0 {
			break
		}
		from += next + 1
	}
	for _, start := range []int{from, 0} {
		if i := strings.Index(r.known[start:], text); i >= 0 {
			r.at = start + i
			return r.at
		}
	}
	// With INTO: as far as that.
	if first, _, _ := strings.Cut(text, "  "); first != "" {
		if i := strings.Index(r.known[from:], first); i >= 0 {
			r.at = from + i
			return r.at
		}
	}
	return from
}

// lead is the comments and white space before an offset of the body.
func (r *bodyReader) lead(offset int) string {
	behind := 0
	if i := r.token(offset); i > 0 {
		behind = r.tokens[i-1].end
	}
	return r.text[min(behind, offset):offset]
}

// tokenBefore is where the token before an offset begins.
func (r *bodyReader) tokenBefore(offset int) int { return r.tokens[max(r.token(offset)-1, 0)].start }

// token is the index of the first token at or behind an offset.
func (r *bodyReader) token(offset int) int {
	i, _ := slices.BinarySearchFunc(r.tokens, offset, func(t token, at int) int { return t.start - at })
	return i
}

// variables are what may be in each variable of a body: the expressions that it is given. One that is given anything else is not there.
type variables struct {
	given map[string][]assigned
	folds *int // how many expressions of the body have been evaluated
}

// assigned is an expression whose value a variable gets, or each element of whose value.
type assigned struct {
	expr string
	each bool
}

// gathering collects the assignments of a body. A name that is declared twice counts as one variable.
type gathering struct {
	names   []string // of the variables, by their number
	found   map[string][]assigned
	unknown map[string]bool
}

func gather(tree plFunction) *gathering {
	g := &gathering{names: make([]string, len(tree.Datums)), found: map[string][]assigned{}, unknown: map[string]bool{}}
	for i, datum := range tree.Datums {
		g.names[i] = datum.RefName
		if datum.Default != nil {
			g.found[datum.RefName] = append(g.found[datum.RefName], assigned{expr: datum.Default.RefName})
		}
	}
	g.visit([]plNode{tree.Action})
	return g
}

func (g *gathering) variables() variables {
	known := variables{given: map[string][]assigned{}, folds: new(int)}
	for name, given := range g.found {
		if !g.unknown[name] {
			known.given[name] = given
		}
	}
	return known
}

func (g *gathering) visit(list []plNode) {
	for _, n := range list {
		switch name, given, ok := g.loop(n); {
		case ok:
			g.found[name] = append(g.found[name], given)
		case n.kind == "assign":
			value, whole := assignedValue(n.Expr)
			name := g.name(n.VarNo)
			g.unknown[name] = g.unknown[name] || !whole
			g.found[name] = append(g.found[name], assigned{expr: value})
		default:
			mark(g.unknown, targets(n.Var))
			mark(g.unknown, targets(n.Target))
		}
		for _, list := range n.lists() {
			g.visit(list)
		}
		if n.Exceptions != nil {
			for _, handler := range n.Exceptions.Handlers {
				g.visit(handler.Handling)
			}
		}
	}
}

// loop is the variable of a loop over elements or rows, and what it gets.
func (g *gathering) loop(n plNode) (name string, given assigned, ok bool) {
	switch {
	case n.kind == "foreach_a":
		return g.name(n.VarNo), assigned{n.Expr.text(), true}, true
	case n.kind == "fors" && n.Var != nil && n.Var.kind == "row" && len(n.Var.Fields) == 1:
		return n.Var.Fields[0].Name, assigned{"(" + n.Query.text() + "\n)", true}, true
	}
	return "", assigned{}, false
}

func (g *gathering) name(number int) string {
	if number < 0 || number >= len(g.names) {
		return ""
	}
	return g.names[number]
}

// inLoop is what is known within a loop: its variable has what the loop gives it, unless the loop itself gives it something else.
func (g *gathering) inLoop(known variables, n plNode) variables {
	name, given, ok := g.loop(n)
	if !ok {
		return known
	}
	within := &gathering{names: g.names, found: map[string][]assigned{}, unknown: map[string]bool{}}
	within.visit(n.Body)
	if len(within.found[name]) > 0 || within.unknown[name] {
		return known
	}
	known.given = maps.Clone(known.given)
	known.given[name] = []assigned{given}
	return known
}

// lists are the statements that a node has below it, those of its handlers left out.
func (n plNode) lists() [][]plNode {
	return [][]plNode{n.Body, n.Then, n.ElseIfs, n.Else, n.Cases, n.ElseCase, n.Statements}
}

// targets are the names of the variables that something is put into.
func targets(n *plNode) []string {
	if n == nil {
		return nil
	}
	names := []string{n.RefName}
	for _, field := range n.Fields {
		names = append(names, field.Name)
	}
	return names
}

func mark(set map[string]bool, names []string) {
	for _, name := range names {
		set[name] = true
	}
}

func (n *plNode) text() string {
	if n == nil {
		return ""
	}
	return n.RefName
}

// assignedValue is the right side of an assignment, whose text the tree has whole. An element of an array or a field is none.
func assignedValue(expr *plNode) (string, bool) {
	text := expr.text()
	list := tokens(text)
	for i, t := range list {
		if t.kind == markToken && text[t.start:t.end] == ":=" || t.kind == operatorToken && text[t.start:t.end] == "=" {
			return text[t.end:], i == 1
		}
		if i > 0 {
			break
		}
	}
	return "", false
}
