package ddl

import "strings"

// bodyByWords reads a body that libpg_query does not take, although a server may: it knows no composite types, no refcursor and no RETURN NEXT of
// output columns. What matters is found all the same, because a statement of PL/pgSQL begins behind a semicolon or one of a few words, and a
// statement of SQL in it with its verb. Of variables nothing is known then. It answers false when there is a statement that it does not know.
func bodyByWords(text string) ([]plNode, bool) {
	known, _ := modern(text)
	s := &source{text: text, known: known, tokens: tokens(text)}
	var list, handlers []plNode
	for i := s.find(0, s.end(), "BEGIN") + 1; i < s.end(); {
		end := s.find(i, s.end(), ";")
		first := i
		switch {
		case s.is(i, "RETURN") && s.is(i+1, "QUERY"):
			first += 2
		case s.is(i, "OPEN"):
			first = s.find(i, end, "FOR") + 1
		case s.is(i, "FOR"):
			first = s.find(i, end, "IN") + 1
			end = min(end, s.find(first, s.end(), "LOOP"))
		case s.is(i, "EXCEPTION") && s.is(i+1, "WHEN"), s.is(i, "WHEN"):
			then := s.find(i, s.end(), "THEN")
			handlers = append(handlers, handlerOf(s, i, then))
			i = then + 1
			continue
		case s.opens(i):
			i++
			continue
		case s.is(i, "IF"), s.is(i, "ELSIF"), s.is(i, "ELSEIF"):
			i = s.find(i, s.end(), "THEN") + 1
			continue
		case s.is(i, "WHILE"), s.is(i, "FOREACH"):
			i = s.find(i, s.end(), "LOOP") + 1
			continue
		case s.is(i, "CASE"):
			i = s.find(i, s.end(), "WHEN")
			continue
		}
		if n, ok := s.plStatement(first, end); ok {
			list = append(list, n)
		} else if first == i && !s.changesNothing(i) {
			return nil, false
		}
		i = end + 1
	}
	return []plNode{{kind: "block", plFields: plFields{Body: list, Exceptions: &plNode{plFields: plFields{Handlers: handlers}}}}}, true
}

// changesNothing reports whether the statement at i is one of PL/pgSQL's own that runs no SQL but expressions: an assignment too.
func (s *source) changesNothing(i int) bool {
	for _, word := range []string{"RETURN", "RAISE", "NULL", "PERFORM", "SELECT", "GET", "EXIT", "CONTINUE", "ASSERT", "CLOSE", "FETCH", "MOVE", "END", ";"} {
		if s.is(i, word) {
			return true
		}
	}
	i = s.name(i)
	for s.is(i, "[") || s.is(i, ".") {
		if i = s.over(i); s.is(i, ".") {
			i = s.name(i + 1)
		}
	}
	return s.is(i, ":=") || s.is(i, "=")
}

// opens reports whether the token only opens or labels what follows it.
func (s *source) opens(i int) bool {
	for _, word := range []string{"BEGIN", "LOOP", "ELSE", "THEN", "EXCEPTION", "<<", ">>"} {
		if s.is(i, word) {
			return true
		}
	}
	return s.is(i-1, "<<")
}

// handlerOf is the handler, or the branch of a CASE, whose conditions stand between WHEN and THEN.
func handlerOf(s *source, from, then int) plNode {
	var conditions []plNode
	for _, t := range s.tokens[from:min(then, s.end())] {
		word := strings.Trim(strings.ToLower(s.text[t.start:t.end]), "'")
		conditions = append(conditions, plNode{plFields: plFields{Condition: word}})
	}
	return plNode{plFields: plFields{Conditions: conditions}}
}

// plStatement is the statement in the tokens from first up to end, if it is one of SQL.
func (s *source) plStatement(first, end int) (plNode, bool) {
	if first >= end {
		return plNode{}, false
	}
	expression := func(from, to int) *plNode {
		span := s.span(from, to)
		return &plNode{plFields: plFields{RefName: s.known[span.Start:span.End]}}
	}
	verb := strings.ToUpper(s.text[s.tokens[first].start:s.tokens[first].end])
	line := lineAt(s.text, s.tokens[first].start)
	switch {
	case verb == "COMMIT" || verb == "ROLLBACK":
		return plNode{kind: "commit"}, true
	case verb == "EXECUTE":
		last := min(s.find(first, end, "INTO"), s.find(first, end, "USING"))
		return plNode{kind: "dynexecute", plFields: plFields{Line: line, Query: expression(first+1, last)}}, true
	case verb == "UPDATE" || verb == "DELETE" || verb == "INSERT":
		// RETURNING … INTO is PL/pgSQL's.
		return plNode{kind: "execsql", plFields: plFields{Line: line, SQL: expression(first, s.find(first, end, "RETURNING"))}}, true
	case verbs[verb] && !s.changesNothing(first):
		return plNode{kind: "execsql", plFields: plFields{Line: line, SQL: expression(first, end)}}, true
	}
	return plNode{}, false
}
