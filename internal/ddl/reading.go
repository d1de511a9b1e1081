package ddl

import (
	"strings"
	"unicode/utf8"
)

// HasBackslash reports whether a plain '…' literal of the text holds a backslash, so that it reads differently when
// standard_conforming_strings is off. Text without one has only one reading. A dollar-quoted literal may be a body, with such a literal in it.
func HasBackslash(text string) bool {
	for s := (scanner{text: text}); ; {
		t := s.next()
		if t.kind == endToken {
			return false
		}
		if body := text[t.start:t.end]; t.kind == dollarToken && strings.IndexByte(body, '\\') >= 0 && strings.IndexByte(body, '\'') >= 0 {
			return true
		}
		if (isPlain(text, t) || t.kind == brokenToken) && strings.IndexByte(text[t.start:t.end], '\\') >= 0 {
			return true
		}
	}
}

// ParseNonconforming is Parse for a server whose standard_conforming_strings is off. It reads a text in which the plain literals with
// a backslash have become E'…', which mean there what the plain ones mean here; the statements' texts and offsets are those of
// that text, and they are marked NoSplice.
func ParseNonconforming(text string) ([]Statement, error) {
	statements, err := Parse(conforming(text))
	for i := range statements {
		statements[i].NoSplice = true
	}
	return statements, err
}

// Escaped is a text for a server whose standard_conforming_strings is off, with E'…' in place of the plain literals that hold a backslash: that means the same
// there whatever the setting. The zero value is a text as it was.
type Escaped struct {
	Text string
	// added are where in Text an escapeMark was put in, in characters.
	added []int
}

// escapeMark makes a plain literal an escaping one. The space keeps the E apart from a word that ends at the quote.
const escapeMark = " E"

// Escape escapes a text. It is false where that would mean something else, or may hold code with such literals: N'…' has a type of its own, and a dollar-quoted
// literal is read by whoever runs it.
func Escape(text string) (Escaped, bool) {
	var edits []Edit
	var added []int
	characters, counted := 0, 0
	for s := (scanner{text: text, nonconforming: true}); ; {
		t := s.next()
		if t.kind == endToken {
			return Escaped{Splice(text, edits...), added}, true
		}
		body := text[t.start:t.end]
		if strings.IndexByte(body, '\\') < 0 || t.kind == commentToken {
			continue
		}
		switch {
		case t.kind == dollarToken, t.kind == brokenToken, isPlain(text, t) && body[0] != '\'':
			return Escaped{}, false
		case isPlain(text, t):
			characters, counted = characters+utf8.RuneCountInString(text[counted:t.start]), t.start
			added = append(added, characters+len(added)*len(escapeMark))
			edits = append(edits, Edit{Offset: t.start, Insert: escapeMark})
		}
	}
}

// Position is where in the text before it was escaped a position in Text is: characters from 1, as the server counts.
func (e Escaped) Position(position int32) int32 {
	shift := 0
	for _, start := range e.added {
		if behind := int(position) - 1 - start; behind > 0 {
			shift += min(behind, len(escapeMark))
		}
	}
	return position - int32(shift)
}

// conforming writes the text as it would have to be written with standard_conforming_strings on.
func conforming(text string) string {
	var edits []Edit
	for s := (scanner{text: text, nonconforming: true}); ; {
		t := s.next()
		if t.kind == endToken {
			return Splice(text, edits...)
		}
		if !isPlain(text, t) || strings.IndexByte(text[t.start:t.end], '\\') < 0 {
			continue
		}
		quote := strings.IndexByte(text[t.start:t.end], '\'')
		edits = append(edits, Edit{Offset: t.start, Delete: quote, Insert: escapeMark})
	}
}

// isPlain reports whether the token is '…' or N'…', which standard_conforming_strings decides on.
func isPlain(text string, t token) bool {
	return t.kind == stringToken && strings.IndexByte("'nN", text[t.start]) >= 0
}
