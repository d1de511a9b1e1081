package ddl

import (
	"slices"
	"strings"
)

// TriggerBody is what the body of a trigger function in PL/pgSQL does, as far as that shows that it reads no table.
type TriggerBody struct {
	// Sets are the columns of NEW that it sets.
	Sets []string
	// Inserts are the tables that it adds rows to.
	Inserts []Name
	// Calls are the functions that it calls.
	Calls []Call
}

// ReadTriggerBody reads the body of a trigger function in PL/pgSQL. ok is false where it may read a table, or change its row in a way that cannot be
// seen: every query but INSERT … VALUES, EXECUTE, and whatever else is not an assignment, a branch, a RAISE or a RETURN of its row.
func ReadTriggerBody(source string) (body TriggerBody, ok bool) {
	tag := "$pgsluice$"
	for strings.Contains(source, tag) {
		tag = tag[:len(tag)-1] + "_$"
	}
	statements, err := Parse("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS " + tag + source + tag)
	if err != nil || len(statements) != 1 {
		return TriggerBody{}, false
	}
	function := statements[0]
	offset := strings.Index(function.Text, tag) + len(tag)
	rest := []byte(source)
	for _, inner := range function.Inner {
		write, isWrite := inner.Action.(Write)
		if !isWrite || write.Op != Insert || write.Queried || len(inner.Refs) != 1 || inner.Dynamic || inner.Span == (Span{}) {
			return TriggerBody{}, false
		}
		body.Inserts = append(body.Inserts, write.Target)
		for i := inner.Span.Start - offset; i < inner.Span.End-offset; i++ {
			rest[i] = ' '
		}
		for _, name := range inner.Calls {
			body.Calls = append(body.Calls, Call{name, -1})
		}
	}
	return body, body.words(string(rest))
}

// words goes through what is not a query.
func (b *TriggerBody) words(text string) bool {
	list := tokens(text)
	if !slices.ContainsFunc(list, func(t token) bool { return t.kind == wordToken && strings.EqualFold(text[t.start:t.end], "BEGIN") }) {
		return false
	}
	word := func(i int) string {
		if i < 0 || i >= len(list) || list[i].kind == endToken {
			return ""
		}
		if name := foldedWord(text, list[i]); list[i].kind == nameToken && (name == "new" || name == "old") {
			return strings.ToUpper(name)
		}
		return strings.ToUpper(text[list[i].start:list[i].end])
	}
	for i, t := range list {
		if t.kind == brokenToken || t.kind == dollarToken {
			return false
		}
		if t.kind != wordToken && t.kind != nameToken {
			continue
		}
		if t.kind == nameToken && text[t.start] != '"' {
			return false // U&"…" may spell any name
		}
		switch word(i) {
		case "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "EXECUTE", "PERFORM", "CALL", "TABLE", "WITH", "QUERY", "COPY", "OPEN", "FETCH", "CURSOR", "DO",
			"TRUNCATE", "COMMIT", "ROLLBACK", "INTO", "VALUES", "UNION", "USING", "GET":
			return false
		case "IN":
			if word(i+1) != "(" {
				return false
			}
		case "ALIAS":
			if word(i+1) == "FOR" {
				return false
			}
		case "FROM":
			if word(i-1) != "DISTINCT" {
				return false
			}
		case "RETURN":
			if next := word(i + 1); next != "NEW" && next != "OLD" && next != "NULL" || word(i+2) != ";" {
				return false
			}
		case "NEW":
			if word(i-1) == "." { // by the label of its block, which is the function's name
				return false
			}
			if word(i+1) != "." {
				if begins(word(i-1)) || word(i-1) == "DECLARE" || word(i-1) == "," || word(i-1) == "(" { // NEW := …, or the whole row for a function
					return false
				}
				continue
			}
			if begins(word(i - 1)) {
				b.Sets = addOnce(b.Sets, foldedWord(text, list[i+2]))
			}
		}
		if word(i+1) == "(" && !control[word(i)] && word(i-1) != "." {
			b.Calls = addOnce(b.Calls, Call{Name{Name: foldedWord(text, t)}, -1})
		}
		if word(i+1) == "." && word(i+3) == "(" {
			b.Calls = addOnce(b.Calls, Call{Name{foldedWord(text, t), foldedWord(text, list[i+2])}, -1})
		}
	}
	return true
}

// begins reports whether a statement begins behind the word.
func begins(word string) bool {
	switch word {
	case "", ";", "BEGIN", "THEN", "ELSE", "LOOP", ">>":
		return true
	}
	return false
}

func foldedWord(text string, t token) string {
	word := text[t.start:t.end]
	if t.kind == nameToken {
		return strings.ReplaceAll(strings.Trim(word, `"`), `""`, `"`)
	}
	return strings.ToLower(word)
}

// control are the words that a bracket may follow without a call, and what the grammar makes of COALESCE and its kin.
var control = wordSet("IF ELSIF ELSEIF WHILE WHEN AND OR NOT RETURN CASE THEN ELSE COALESCE GREATEST LEAST NULLIF ROW ARRAY VARCHAR CHAR NUMERIC DECIMAL " +
	"TIMESTAMP TIMESTAMPTZ TIME BIT CAST IS DISTINCT FROM BETWEEN LIKE ILIKE IN ANY ALL SOME")
