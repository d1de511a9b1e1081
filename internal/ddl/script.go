package ddl

import "strings"

// Stop is why NextStop stopped.
type Stop int

// A script is read up to its end, to a semicolon that ends a statement, or to a backslash, where psql takes over.
const (
	AtEnd Stop = iota
	AtSemicolon
	AtBackslash
)

// NextStop finds where the statement that begins at from ends: the offset of its semicolon, of a backslash outside of strings and
// comments, or the length of the text. It needs no grammar, and so finds its way in a script that is not SQL alone or has mistakes. A
// semicolon in brackets, or in the body of a function between BEGIN ATOMIC and END, ends nothing (as in psql's own reader).
func NextStop(text string, from int) (at int, why Stop) {
	depth, blocks := 0, 0
	var first []string // the words that the statement begins with, which tell whether it has a body
	for s := (scanner{text: text, pos: from}); ; {
		t := s.next()
		word := text[t.start:t.end]
		switch {
		case t.kind == endToken, t.kind == brokenToken:
			return len(text), AtEnd
		case t.kind == markToken && word == `\`:
			return t.start, AtBackslash
		case t.kind == markToken && word == "(":
			depth++
		case t.kind == markToken && word == ")":
			depth--
		case t.kind == markToken && word == ";" && depth <= 0 && blocks == 0:
			return t.start, AtSemicolon
		case t.kind == wordToken:
			word = strings.ToUpper(word)
			if len(first) < 4 {
				first = append(first, word)
			}
			blocks = max(0, blocks+nesting(word, blocks, first))
		}
	}
}

// nesting is by how much a word changes how many blocks are open in the body of a function.
func nesting(word string, open int, first []string) int {
	switch {
	case word == "BEGIN" && createsRoutine(first):
		return 1
	case word == "CASE" && open > 0:
		return 1
	case word == "END":
		return -1
	}
	return 0
}

func createsRoutine(first []string) bool {
	if len(first) < 2 || first[0] != "CREATE" {
		return false
	}
	object := first[1]
	if object == "OR" && len(first) == 4 {
		object = first[3]
	}
	return object == "FUNCTION" || object == "PROCEDURE"
}

// Comments are the places of a text's comments.
func Comments(text string) []Span {
	var spans []Span
	scan(text, false, func(t token) { spans = append(spans, Span{t.start, t.end}) })
	return spans
}

// Alone reports whether the server refuses the statement inside a transaction block.
func Alone(s Statement) bool {
	switch action := s.Action.(type) {
	case CreateIndex:
		return action.Concurrently
	case Drop:
		return action.Concurrently || action.Object == "DATABASE" || action.Object == "TABLESPACE"
	case AlterTable:
		for _, command := range action.Commands {
			if command.Concurrently {
				return true
			}
		}
	case Utility:
		return action.NotInTransaction
	}
	return false
}
