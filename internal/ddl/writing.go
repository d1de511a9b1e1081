package ddl

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Writing is what the text of an UPDATE or DELETE says that decides whether it may be run in parts.
type Writing struct {
	// Alias is the name by which the statement knows its table. Only is true when children are left out.
	Alias string
	Only  bool
	// Assigned are the columns that are set, Defaulted those of them that are set to DEFAULT.
	Assigned, Defaulted []string
	// Reads are the columns that the new values are made of, each once; "" is a whole row.
	Reads []string
	// Always is true without a condition that data decide.
	Always bool
	// Tables are the relations that are read: those of FROM, USING, WITH and sub-queries, the table itself if it is read once more.
	Tables []Name
	// Calls are the functions that are called by name, Operators the operators that are used, each once.
	Calls     []Call
	Operators []Name
	// Attributes are the words behind a dot that may be columns, or functions in attribute notation, each once.
	Attributes []Attribute
	// Moments are what may have the value of the transaction's beginning or of the session.
	Moments []Moment
	// Clocks are the strings that stand for the time at which they are read: 'now', 'today'.
	Clocks []Clock
	// Converted are the numbers of the parameters that are not just assigned or compared, but cast to anything that is no string, given to a function, or
	// part of a query within: a string may become a time there.
	Converted []int
	// Returning, CurrentOf and WritingWith are true for RETURNING, WHERE CURRENT OF and a query of WITH that writes.
	Returning, CurrentOf, WritingWith bool
	// Joined is true when the condition can speak of other tables: with FROM, USING or WITH.
	Joined bool
	// ThreeWords is true when a column is named with its schema and table.
	ThreeWords bool
}

// Call is a function that is called by name.
type Call struct {
	Name Name
	Args int
}

// Attribute is a word behind a dot. Own is true when what stands before it can only be the statement's own table.
type Attribute struct {
	Name string
	Own  bool
}

// Moment is a part of the text that may have one value for the whole statement, and another in the next: CURRENT_TIMESTAMP and its kin, and a
// call of a function without arguments, which is then Call. SQL is how it is written in full.
type Moment struct {
	Span Span
	SQL  string
	Call *Call
}

// Clock is a string that is read as a time. Column is the column that it is assigned to or compared with; "" is not known.
type Clock struct{ Text, Column string }

// ReadWriting reads an UPDATE or DELETE.
func ReadWriting(s Statement) (Writing, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return Writing{}, err
	}
	text := newSource(&Statement{Text: s.Text, known: s.known})
	r := writingReader{text: text}
	w := &r.Writing
	eachMessage(root.ProtoReflect(), func(m protoreflect.Message) {
		_, ok := m.Interface().(*pgquery.SelectStmt)
		r.queries = r.queries || ok
	})
	var relation *pgquery.RangeVar
	var where *pgquery.Node
	var joined []*pgquery.Node
	switch n := root.GetNode().(type) {
	case *pgquery.Node_UpdateStmt:
		relation, where, joined = n.UpdateStmt.Relation, n.UpdateStmt.WhereClause, n.UpdateStmt.FromClause
		w.Alias, w.Returning = aliasOf(relation), len(n.UpdateStmt.ReturningList) > 0
		for _, target := range n.UpdateStmt.TargetList {
			r.assigned(target.GetResTarget())
		}
	case *pgquery.Node_DeleteStmt:
		relation, where, joined = n.DeleteStmt.Relation, n.DeleteStmt.WhereClause, n.DeleteStmt.UsingClause
		w.Alias, w.Returning = aliasOf(relation), len(n.DeleteStmt.ReturningList) > 0
	default:
		return Writing{}, fmt.Errorf("%s is neither UPDATE nor DELETE", s.Tag)
	}
	w.Joined = len(joined) > 0 || withClause(root) != nil
	w.Only, w.Always, w.CurrentOf = !relation.Inh, always(where), where.GetCurrentOfExpr() != nil
	for _, node := range append(slices.Clone(joined), where) {
		r.columns(node, nil)
		r.clocks(node, "")
	}
	for _, cte := range withClause(root).GetCtes() {
		r.clocks(cte, "")
		w.WritingWith = w.WritingWith || cte.GetCommonTableExpr().GetCtequery().GetSelectStmt() == nil
	}
	found := newRefs()
	found.taken[relation] = true
	found.walk(root.ProtoReflect())
	for _, ref := range found.list() {
		w.Tables = append(w.Tables, ref.Name)
	}
	eachMessage(root.ProtoReflect(), r.used)
	r.converted(root, false)
	w.sort()
	return r.Writing, nil
}

// sort puts in order what the tree was visited for in any order, so that the same text reads the same.
func (w *Writing) sort() {
	byName := func(a, b Name) int { return cmp.Or(cmp.Compare(a.Schema, b.Schema), cmp.Compare(a.Name, b.Name)) }
	slices.SortFunc(w.Moments, func(a, b Moment) int { return cmp.Compare(a.Span.Start, b.Span.Start) })
	slices.SortFunc(w.Calls, func(a, b Call) int { return cmp.Or(byName(a.Name, b.Name), cmp.Compare(a.Args, b.Args)) })
	slices.SortFunc(w.Operators, byName)
	slices.SortFunc(w.Attributes, func(a, b Attribute) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(strconv.FormatBool(a.Own), strconv.FormatBool(b.Own)))
	})
	slices.SortFunc(w.Clocks, func(a, b Clock) int { return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.Column, b.Column)) })
	slices.Sort(w.Converted)
	slices.Sort(w.Reads)
}

// writingReader collects a Writing from the tree.
type writingReader struct {
	Writing
	text *source
	// queries is true when there are queries within, where another table may have the name of the statement's own.
	queries bool
}

func (r *writingReader) assigned(target *pgquery.ResTarget) {
	value := newValue(target)
	r.Assigned = addOnce(r.Assigned, target.GetName())
	eachMessage(value.ProtoReflect(), func(m protoreflect.Message) {
		if _, ok := m.Interface().(*pgquery.SetToDefault); ok {
			r.Defaulted = addOnce(r.Defaulted, target.GetName())
		}
	})
	r.columns(value, &r.Reads)
	r.clocks(value, target.GetName())
}

// newValue is what a column is set to; for one of (a, b) = (x, y) its own part, or the whole row where its place there cannot be told.
func newValue(target *pgquery.ResTarget) *pgquery.Node {
	multi := target.GetVal().GetMultiAssignRef()
	row := multi.GetSource().GetRowExpr()
	if row == nil || len(row.Args) != int(multi.Ncolumns) {
		return target.GetVal()
	}
	for _, part := range row.Args {
		fields := part.GetColumnRef().GetFields()
		if part.GetAIndirection() != nil || len(wordsOf(fields)) < len(fields) { // row.*, which may be any number of columns
			return target.GetVal()
		}
	}
	return row.Args[multi.Colno-1]
}

// columns notes how an expression names columns, and adds them to a list; nil is none.
func (r *writingReader) columns(node *pgquery.Node, to *[]string) {
	eachMessage(node.ProtoReflect(), func(m protoreflect.Message) {
		ref, ok := m.Interface().(*pgquery.ColumnRef)
		if !ok {
			return
		}
		words := wordsOf(ref.Fields)
		column := ""
		if len(words) == len(ref.Fields) && words[len(words)-1] != r.Alias {
			column = words[len(words)-1]
		}
		if to != nil {
			*to = addOnce(*to, column)
		}
		r.ThreeWords = r.ThreeWords || len(words) > 2
	})
}

func addOnce[T comparable](list []T, item T) []T {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}

// clocks finds the strings that may be read as a time that passes, and what they are assigned to or compared with.
func (r *writingReader) clocks(node *pgquery.Node, column string) {
	switch n := node.GetNode().(type) {
	case nil:
	case *pgquery.Node_AConst:
		if text := n.AConst.GetSval().GetSval(); ReadsClock(text) {
			r.Clocks = append(r.Clocks, Clock{text, column})
		}
	case *pgquery.Node_AExpr:
		r.clocks(n.AExpr.Lexpr, cmp.Or(r.columnOf(n.AExpr.Rexpr), column))
		r.clocks(n.AExpr.Rexpr, cmp.Or(r.columnOf(n.AExpr.Lexpr), column))
	default:
		if node.GetList() == nil {
			column = "" // a cast, or the argument of a function: it may become a time there
		}
		eachChild(node.ProtoReflect(), func(child *pgquery.Node) { r.clocks(child, column) })
	}
}

// columnOf is the name of a column of the statement's own table, "" for any other expression, and where it may be one of another table.
func (r *writingReader) columnOf(n *pgquery.Node) string {
	words := wordsOf(n.GetColumnRef().GetFields())
	if len(words) == 0 || r.queries || len(words) > 1 && words[len(words)-2] != r.Alias {
		return ""
	}
	return words[len(words)-1]
}

// converted notes the parameters below a node that may become a time; within is true where all of them may.
func (r *writingReader) converted(node *pgquery.Node, within bool) {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_ParamRef:
		if within {
			r.Converted = addOnce(r.Converted, int(n.ParamRef.Number))
		}
	case *pgquery.Node_FuncCall, *pgquery.Node_SelectStmt:
		within = true
	case *pgquery.Node_TypeCast:
		within = within || !keepsString(n.TypeCast.TypeName)
	}
	eachChild(node.ProtoReflect(), func(child *pgquery.Node) { r.converted(child, within) })
}

// keepsString reports whether a type holds a string as it is.
func keepsString(t *pgquery.TypeName) bool {
	name := listName(t.GetNames())
	if name.Schema != "" && name.Schema != "pg_catalog" || len(t.GetArrayBounds()) > 0 {
		return false
	}
	switch name.Name {
	case "text", "varchar", "bpchar", "name", "json", "jsonb", "bytea":
		return true
	}
	return false
}

// eachChild visits the nearest nodes below a message.
func eachChild(m protoreflect.Message, visit func(*pgquery.Node)) {
	below := func(m protoreflect.Message) {
		if n, ok := m.Interface().(*pgquery.Node); ok {
			visit(n)
			return
		}
		eachChild(m, visit)
	}
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.MessageKind:
		case field.IsList():
			for i, list := 0, value.List(); i < list.Len(); i++ {
				below(list.Get(i).Message())
			}
		default:
			below(value.Message())
		}
		return true
	})
}

// ReadsClock reports whether a string, read as a date or a time, stands for the time at which it is read.
func ReadsClock(text string) bool {
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c < 'a' || c > 'z' }) {
		switch word {
		case "now", "today", "tomorrow", "yesterday":
			return true
		}
	}
	return false
}

// used notes a function, an operator, or a word that stands for a moment.
func (r *writingReader) used(m protoreflect.Message) {
	operator := func(names []*pgquery.Node) {
		if len(names) > 0 {
			r.Operators = addOnce(r.Operators, listName(names))
		}
	}
	switch n := m.Interface().(type) {
	case *pgquery.FuncCall:
		call := Call{listName(n.Funcname), len(n.Args)}
		r.Calls = addOnce(r.Calls, call)
		if at := r.text.at(n.Location); call.Args == 0 && !n.AggStar && n.Over == nil && at < r.text.end() {
			name := quoted(call.Name.Name)
			if call.Name.Schema != "" {
				name = quoted(call.Name.Schema) + "." + name
			}
			r.Moments = append(r.Moments, Moment{r.text.span(at, r.text.over(r.text.name(at))), name + "()", &call})
		}
	case *pgquery.SQLValueFunction:
		at := r.text.at(n.Location)
		end := at + 1
		if r.text.is(end, "(") {
			end = r.text.over(end)
		}
		span := r.text.span(at, end)
		r.Moments = append(r.Moments, Moment{Span: span, SQL: moment(r.text.text[span.Start:span.End])})
	case *pgquery.ColumnRef:
		if words := wordsOf(n.Fields); len(words) > 1 && len(words) == len(n.Fields) {
			own := len(words) == 2 && words[0] == r.Alias && !r.queries
			r.Attributes = addOnce(r.Attributes, Attribute{words[len(words)-1], own})
		}
	case *pgquery.A_Indirection:
		for _, word := range wordsOf(n.Indirection) {
			r.Attributes = addOnce(r.Attributes, Attribute{word, false})
		}
	case *pgquery.A_Expr:
		switch n.Kind {
		case pgquery.A_Expr_Kind_AEXPR_BETWEEN, pgquery.A_Expr_Kind_AEXPR_NOT_BETWEEN, pgquery.A_Expr_Kind_AEXPR_BETWEEN_SYM,
			pgquery.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
			operator(nameNodes("<="))
			operator(nameNodes(">="))
		default:
			operator(n.Name)
		}
	case *pgquery.SubLink:
		operator(n.OperName)
		if n.SubLinkType == pgquery.SubLinkType_ANY_SUBLINK && len(n.OperName) == 0 {
			operator(nameNodes("="))
		}
	}
}

// moment writes CURRENT_TIMESTAMP and its kin without comments.
func moment(text string) string {
	var out strings.Builder
	for _, t := range tokens(text) {
		out.WriteString(strings.ToUpper(text[t.start:t.end]))
	}
	return out.String()
}

// Constant takes the place of a Moment.
type Constant struct {
	Moment Moment
	SQL    string
}

// SplitWriting is an UPDATE or DELETE in two: what stands before its condition, with ONLY the table of that name in place of its own, and the
// condition, "" if it has none. The constants take the place of moments. It is the client's own text; parsed again it is what was intended.
func SplitWriting(s Statement, table Name, constants []Constant) (before, where string, err error) {
	if s.NoSplice {
		return "", "", errNoSplice
	}
	root, err := parseOne(s.Text)
	if err != nil {
		return "", "", err
	}
	relation := writtenTable(root)
	if relation == nil {
		return "", "", fmt.Errorf("%s is neither UPDATE nor DELETE", s.Tag)
	}
	text := newSource(&Statement{Text: s.Text, known: s.known})
	first := text.at(relation.Location)
	last := text.name(first)
	edit := text.span(first, last)
	switch {
	case text.is(first-1, "ONLY"):
		edit.Start = text.tokens[first-1].start
	case text.is(first-1, "(") && text.is(first-2, "ONLY"):
		edit, last = text.span(first-2, last+1), last+1
	}
	if text.is(last, "*") {
		edit.End, last = text.tokens[last].end, last+1
	}
	name := "ONLY " + quoted(table.Schema) + "." + quoted(table.Name)
	if relation.Alias == nil && table.Name != relation.Relname {
		name += " AS " + quoted(relation.Relname)
	}
	edits := []Edit{{Offset: edit.Start, Delete: edit.End - edit.Start, Insert: name}}
	for _, c := range constants {
		edits = append(edits, Edit{Offset: c.Moment.Span.Start, Delete: c.Moment.Span.End - c.Moment.Span.Start, Insert: c.SQL})
	}
	cut := len(s.Text)
	if at := text.find(last, text.end(), "WHERE"); at < text.end() {
		cut = text.tokens[at-1].end
		rest := text.tokens[at].end
		where = strings.TrimSpace(Splice(s.Text[rest:], within(edits, rest, len(s.Text))...))
	}
	before = Splice(s.Text[:cut], within(edits, 0, cut)...)
	return before, where, sameSplit(root, before, where, table, constants)
}

func writtenTable(root *pgquery.Node) *pgquery.RangeVar {
	if update := root.GetUpdateStmt(); update != nil {
		return update.Relation
	}
	return root.GetDeleteStmt().GetRelation()
}

// within are the edits of the text from start up to end, counted from start.
func within(edits []Edit, start, end int) []Edit {
	var list []Edit
	for _, e := range edits {
		if e.Offset >= start && e.Offset < end {
			e.Offset -= start
			list = append(list, e)
		}
	}
	return list
}

// sameSplit parses the two parts as they will be put together, and compares them with the statement's own tree with the changes applied to it.
func sameSplit(want *pgquery.Node, before, where string, table Name, constants []Constant) error {
	relation := writtenTable(want)
	if relation.Alias == nil && table.Name != relation.Relname {
		relation.Alias = &pgquery.Alias{Aliasname: relation.Relname}
	}
	relation.Schemaname, relation.Relname, relation.Inh = table.Schema, table.Name, false
	for _, c := range constants {
		if err := replaceMoment(want, c); err != nil {
			return err
		}
	}
	text := before
	if where != "" {
		text += " WHERE (" + where + ")"
	}
	got, err := parseOne(text)
	if err != nil {
		return fmt.Errorf("cannot parse the split statement: %w", err)
	}
	if !sameTree(want, got) {
		return fmt.Errorf("split statement would not mean what was intended: %s", text)
	}
	return nil
}

// replaceMoment puts a constant into the tree where the moment stands in its text.
func replaceMoment(root *pgquery.Node, c Constant) error {
	parsed, err := parseOne("SELECT " + c.SQL)
	if err != nil {
		return fmt.Errorf("cannot parse the constant for %s: %w", c.Moment.SQL, err)
	}
	constant := parsed.GetSelectStmt().TargetList[0].GetResTarget().Val
	replaced := 0
	eachMessage(root.ProtoReflect(), func(m protoreflect.Message) {
		n, ok := m.Interface().(*pgquery.Node)
		if !ok {
			return
		}
		call, word := n.GetFuncCall(), n.GetSqlvalueFunction()
		if call != nil && int(call.Location) == c.Moment.Span.Start || word != nil && int(word.Location) == c.Moment.Span.Start {
			n.Node = constant.Node
			replaced++
		}
	})
	if replaced == 0 {
		return fmt.Errorf("cannot find %s in the statement again", c.Moment.SQL)
	}
	return nil
}
