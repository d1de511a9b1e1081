package ddl

import (
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxInner bounds how deep statements may be within each other: a DO in a DO in a function.
const maxInner = 6

// Within names what holds an Inner.
type Within string

// What can hold statements. A function or procedure stores them, a rule too; everything else runs them.
const (
	WithinDo       Within = "DO block"
	WithinFunction Within = "function"
	WithinRule     Within = "rule"
	WithinExplain  Within = "EXPLAIN ANALYZE"
	WithinPrepare  Within = "PREPARE"
	WithinQuery    Within = "WITH clause"
	WithinSchema   Within = "CREATE SCHEMA"
	WithinCopy     Within = "COPY"
)

// Inner is a statement within another. Its Offset counts from the start of the body that it stands in, or of the outer statement's Text where
// Line is 0; of a statement that EXECUTE puts together it is that of the EXECUTE's expression. What cannot be read is Unparsed.
type Inner struct {
	Statement
	Within Within
	// Span is where it stands in the outer statement's Text; of what EXECUTE puts together, its expression. Zero when the body as a whole does
	// not read there as it is written (a string with doubled quotes) or was not read.
	Span Span
	// Line is the line of the body, counted from 1 as the server does in its CONTEXT; 0 when the statement stands in the outer text itself.
	Line int
	// Later is true when the outer statement only stores it.
	Later bool
	// Maybe is true where a condition, a loop or an exception decides whether it runs.
	Maybe bool
	// Dynamic is true for the text of an EXECUTE.
	Dynamic bool
}

// Walk calls visit for every statement within s, at all depths, in the order of the text.
func (s Statement) Walk(visit func(Inner)) {
	for _, inner := range s.Inner {
		visit(inner)
		inner.Walk(visit)
	}
}

// inners lists what stands within a statement. Its Refs become those of what it runs, too.
func inners(s *Statement, node *pgquery.Node, depth int) []Inner {
	text := newSource(s)
	switch n := node.GetNode().(type) {
	case *pgquery.Node_DoStmt:
		do := s.Action.(Opaque)
		body := readBody(s, do.Language, do.Body, depth)
		do.Commits, do.SwallowsTimeout, do.Unread = body.commits, body.swallowsTimeout, body.unread
		s.Action = do
		s.Refs = body.refs()
		return placed(body.inner, s.Text, do.Body)
	case *pgquery.Node_CreateFunctionStmt:
		if items := n.CreateFunctionStmt.GetSqlBody().GetList().GetItems(); len(items) > 0 {
			return atomicBody(s, text, items[0].GetList().GetItems(), depth)
		}
		f := s.Action.(Utility)
		return placed(stored(WithinFunction, readBody(s, f.Language, f.Body, depth).inner), s.Text, f.Body)
	case *pgquery.Node_RuleStmt:
		return stored(WithinRule, ruleActions(s, text, n.RuleStmt.Actions, depth))
	case *pgquery.Node_CreateSchemaStmt:
		return schemaElements(s, text, n.CreateSchemaStmt, depth)
	case *pgquery.Node_ExplainStmt:
		if !optionOn(n.ExplainStmt.Options, "analyze") || n.ExplainStmt.Query.GetRefreshMatViewStmt() != nil {
			return nil
		}
		from := 1
		if text.is(from, "(") {
			from = text.over(from)
		}
		for text.is(from, "ANALYZE") || text.is(from, "ANALYSE") || text.is(from, "VERBOSE") {
			from++
		}
		return []Inner{part(s, text, n.ExplainStmt.Query, from, text.end(), WithinExplain, depth)}
	case *pgquery.Node_PrepareStmt:
		from := text.find(1, text.end(), "AS") + 1
		return []Inner{part(s, text, n.PrepareStmt.Query, from, text.end(), WithinPrepare, depth)}
	case *pgquery.Node_CopyStmt:
		if query := n.CopyStmt.Query; query != nil {
			return []Inner{part(s, text, query, 2, text.over(1)-1, WithinCopy, depth)}
		}
	}
	return writingQueries(s, text, node, depth)
}

// part describes a statement that stands in the tokens from first up to last of another.
func part(s *Statement, text *source, node *pgquery.Node, first, last int, within Within, depth int) Inner {
	span := text.span(first, last)
	inner := Inner{Within: within, Span: span, Statement: Statement{Text: s.Text[span.Start:span.End], Offset: s.Offset + span.Start}}
	if s.known != "" {
		inner.known = s.known[span.Start:span.End]
	}
	describeWithin(&inner.Statement, node, depth+1)
	inner.Offset = span.Start
	return inner
}

// placed takes spans within a body for spans of the text that the body stands in.
func placed(list []Inner, text, body string) []Inner {
	base := strings.Index(text, body)
	for i := range list {
		switch span := &list[i].Span; {
		case base < 0:
			*span = Span{}
		case *span != Span{}:
			*span = Span{base + span.Start, base + span.End}
		}
	}
	return list
}

func stored(within Within, list []Inner) []Inner {
	for i := range list {
		list[i].Within, list[i].Later = within, true
	}
	return list
}

// atomicBody is the body of BEGIN ATOMIC … END, whose statements the parser has read already.
func atomicBody(s *Statement, text *source, nodes []*pgquery.Node, depth int) []Inner {
	from := 0
	for !text.is(from, "BEGIN") || !text.is(from+1, "ATOMIC") {
		if from = text.over(from); from >= text.end() {
			return nil
		}
	}
	var list []Inner
	from += 2
	for _, node := range nodes {
		end := text.find(from, text.end(), ";")
		list = append(list, part(s, text, node, from, end, WithinFunction, depth))
		from = end + 1
	}
	return stored(WithinFunction, list)
}

func ruleActions(s *Statement, text *source, nodes []*pgquery.Node, depth int) []Inner {
	from := text.skip(text.skip(text.find(0, text.end(), "DO")+1, "ALSO"), "INSTEAD")
	end := text.end()
	if len(nodes) > 1 || len(nodes) == 1 && text.is(from, "(") && text.over(from) == end {
		from, end = from+1, end-1
	}
	var list []Inner
	for _, node := range nodes {
		semicolon := text.find(from, end, ";")
		list = append(list, part(s, text, node, from, semicolon, WithinRule, depth))
		from = semicolon + 1
	}
	return list
}

// schemaElements are what CREATE SCHEMA makes in the new schema; a name without a schema is of that one.
func schemaElements(s *Statement, text *source, n *pgquery.CreateSchemaStmt, depth int) []Inner {
	schema := n.Schemaname
	if schema == "" {
		schema = n.GetAuthrole().GetRolename()
	}
	starts := []int{}
	for i := 1; i < text.end(); i = text.over(i) {
		begins := text.is(i, "CREATE") && !text.is(i-1, "GRANT") && !text.is(i-1, ",") || text.is(i, "GRANT")
		if begins {
			starts = append(starts, i)
		}
	}
	if len(starts) != len(n.SchemaElts) {
		return nil
	}
	var list []Inner
	for i, element := range n.SchemaElts {
		end := text.end()
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		eachMessage(element.ProtoReflect(), func(m protoreflect.Message) {
			if v, ok := m.Interface().(*pgquery.RangeVar); ok && v.Schemaname == "" {
				v.Schemaname = schema
			}
		})
		list = append(list, part(s, text, element, starts[i], end, WithinSchema, depth))
	}
	return list
}

// writingQueries are the queries of a WITH clause that write. The server accepts them at the top level only.
func writingQueries(s *Statement, text *source, node *pgquery.Node, depth int) []Inner {
	var list []Inner
	for _, clause := range withClause(node).GetCtes() {
		cte := clause.GetCommonTableExpr()
		switch cte.GetCtequery().GetNode().(type) {
		case *pgquery.Node_UpdateStmt, *pgquery.Node_DeleteStmt, *pgquery.Node_MergeStmt, *pgquery.Node_InsertStmt:
		default:
			continue
		}
		open := text.at(cte.Location) + 1
		if text.is(open, "(") { // the columns
			open = text.over(open)
		}
		for open < text.end() && !text.is(open, "(") { // AS, and MATERIALIZED
			open++
		}
		list = append(list, part(s, text, cte.Ctequery, open+1, text.over(open)-1, WithinQuery, depth))
	}
	return list
}

func withClause(node *pgquery.Node) *pgquery.WithClause {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_SelectStmt:
		return n.SelectStmt.WithClause
	case *pgquery.Node_InsertStmt:
		return n.InsertStmt.WithClause
	case *pgquery.Node_UpdateStmt:
		return n.UpdateStmt.WithClause
	case *pgquery.Node_DeleteStmt:
		return n.DeleteStmt.WithClause
	case *pgquery.Node_MergeStmt:
		return n.MergeStmt.WithClause
	case *pgquery.Node_CreateTableAsStmt:
		return withClause(n.CreateTableAsStmt.Query)
	}
	return nil
}

// eachMessage visits a message and all below it, in the order of the grammar's fields.
func eachMessage(m protoreflect.Message, visit func(protoreflect.Message)) {
	if !m.IsValid() {
		return
	}
	visit(m)
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.MessageKind:
		case field.IsList():
			for i, list := 0, value.List(); i < list.Len(); i++ {
				eachMessage(list.Get(i).Message(), visit)
			}
		default:
			eachMessage(value.Message(), visit)
		}
		return true
	})
}

// lineAt is the line of a text that an offset is on, counted from 1.
func lineAt(text string, offset int) int { return 1 + strings.Count(text[:offset], "\n") }
