package ddl

import (
	"strings"
	"unicode/utf8"
)

// Unsure reports whether text that could not be parsed may be a statement that a rule cares about. It errs to true: false is said only of
// text in which Prefilter finds nothing but writes with a condition, and of text that begins like a query or a write and holds such words in nothing but strings
// and comments.
func Unsure(text string) bool {
	if prefilter([]byte(text), unboundedWrites)&^Path == 0 {
		return false
	}
	if !utf8.ValidString(text) || HasBackslash(text) {
		return true // where its strings end is not certain
	}
	var words strings.Builder
	first := ""
	for s := (scanner{text: text}); ; {
		t := s.next()
		switch t.kind {
		case endToken:
			return !plainVerbs[first] || prefilter([]byte(words.String()), unboundedWrites)&^Path != 0
		case brokenToken:
			return true
		case commentToken, stringToken, escapeToken, dollarToken:
			continue
		}
		if first == "" {
			first = strings.ToUpper(text[t.start:t.end])
		}
		words.WriteString(text[t.start:t.end])
		words.WriteByte(' ')
	}
}

// plainVerbs begin statements that cannot change a schema, whatever a newer grammar lets follow.
var plainVerbs = wordSet("SELECT INSERT UPDATE DELETE MERGE VALUES WITH COPY TABLE")
