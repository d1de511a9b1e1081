package ddl

import "strings"

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
		// The space keeps the E apart from a word that ends at the quote.
		edits = append(edits, Edit{Offset: t.start, Delete: quote, Insert: " E"})
	}
}

// isPlain reports whether the token is '…' or N'…', which standard_conforming_strings decides on.
func isPlain(text string, t token) bool {
	return t.kind == stringToken && strings.IndexByte("'nN", text[t.start]) >= 0
}
