package ddl

import "strings"

// tokenKind is a kind of token, as scan.l tells them apart.
type tokenKind uint8

const (
	endToken      tokenKind = iota
	wordToken               // an identifier or a keyword, not quoted
	nameToken               // "…", and U&"…" without its UESCAPE
	stringToken             // '…' as standard_conforming_strings reads it, N'…', U&'…', B'…', X'…'
	escapeToken             // E'…'
	dollarToken             // $tag$…$tag$
	numberToken             // 1, 1.5e3, 0xff
	paramToken              // $1
	operatorToken           // a run of operator characters, also a single one
	markToken               // one of , ( ) [ ] . ; : or any other lone byte; also :: .. and :=
	commentToken            // -- … or /* … */
	brokenToken             // a string, name or comment that does not end: everything to the end of the text
)

// token is a token's place in the text.
type token struct {
	kind       tokenKind
	start, end int
}

// scanner cuts SQL text into tokens exactly as the server's scan.l does.
//
// pg_query has a scanner too. This one is here because it must run where that one cannot: in front of the C parser, which has no
// stack check; in a stream, in constant memory; and without a protobuf message per token. A test holds the two together.
type scanner struct {
	text string
	pos  int
	// nonconforming is true when standard_conforming_strings is off: a backslash escapes in '…' too.
	nonconforming bool
	// asParser is true to cut as pg_query does, which lets no comment stand between the parts of a string.
	asParser bool
	run      operatorRun // the last that was looked at
}

// next returns the next token, white space left out. At the end of the text it returns endToken for ever.
func (s *scanner) next() token {
	for s.pos < len(s.text) && isSpace(s.text[s.pos]) {
		s.pos++
	}
	start := s.pos
	if start == len(s.text) {
		return token{endToken, start, start}
	}
	kind, end := s.scan(start)
	s.pos = end
	return token{kind, start, end}
}

// scan finds the kind and the end of the token that begins at start.
func (s *scanner) scan(start int) (tokenKind, int) {
	c, next := s.text[start], s.at(start+1)
	switch {
	case c == '-' && next == '-':
		return commentToken, s.lineEnd(start)
	case c == '/' && next == '*':
		return s.blockComment(start)
	case c == '\'':
		return s.quoted(stringToken, start+1, s.nonconforming)
	case c == '"':
		return s.quotedName(start + 1)
	case (c == 'e' || c == 'E') && next == '\'':
		return s.quoted(escapeToken, start+2, true)
	case (c == 'n' || c == 'N') && next == '\'':
		return s.quoted(stringToken, start+2, s.nonconforming)
	case strings.IndexByte("bBxX", c) >= 0 && next == '\'':
		return s.bits(start + 2)
	case (c == 'u' || c == 'U') && next == '&' && s.at(start+2) == '\'':
		return s.quoted(stringToken, start+3, false)
	case (c == 'u' || c == 'U') && next == '&' && s.at(start+2) == '"':
		return s.quotedName(start + 3)
	case isWordStart(c):
		return wordToken, s.wordEnd(start)
	case c == '$':
		return s.dollar(start)
	case isDigit(c), c == '.' && isDigit(next):
		return numberToken, s.numberEnd(start)
	case isOperator(c):
		return operatorToken, s.operatorEnd(start)
	case c == ':' && (next == ':' || next == '='), c == '.' && next == '.':
		return markToken, start + 2
	}
	return markToken, start + 1
}

// at is the byte at i, 0 behind the end.
func (s *scanner) at(i int) byte {
	if i >= len(s.text) {
		return 0
	}
	return s.text[i]
}

func (s *scanner) lineEnd(from int) int {
	if n := strings.IndexAny(s.text[from:], "\r\n"); n >= 0 {
		return from + n
	}
	return len(s.text)
}

// blockComment ends where its nested comments have ended too.
func (s *scanner) blockComment(start int) (tokenKind, int) {
	depth := 0
	for i := start; i+1 < len(s.text); {
		switch s.text[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return commentToken, i
			}
		default:
			i++
		}
	}
	return brokenToken, len(s.text)
}

// quoted ends a string whose text begins at from. A string goes on after white space with a newline in it.
func (s *scanner) quoted(kind tokenKind, from int, escapes bool) (tokenKind, int) {
	for i := from; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '\\' && escapes:
			i++
		case c == '\'' && s.at(i+1) == '\'':
			i++
		case c == '\'':
			again := s.continued(i + 1)
			if again < 0 {
				return kind, i + 1
			}
			i = again
		}
	}
	return brokenToken, len(s.text)
}

// bits ends B'…' and X'…', in which a doubled quote is the end and a new string.
func (s *scanner) bits(from int) (tokenKind, int) {
	for {
		n := strings.IndexByte(s.text[from:], '\'')
		if n < 0 {
			return brokenToken, len(s.text)
		}
		end := from + n + 1
		if from = s.continued(end); from < 0 {
			return stringToken, end
		}
		from++
	}
}

// continued returns the offset of the quote that takes up the string which was closed just before from, -1 if there is none.
func (s *scanner) continued(from int) int {
	newline := false
	for i := from; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '\n' || c == '\r':
			newline = true
		case isSpace(c):
		case c == '-' && s.at(i+1) == '-' && !s.asParser:
			i = s.lineEnd(i) - 1
		case c == '\'' && newline:
			return i
		default:
			return -1
		}
	}
	return -1
}

func (s *scanner) quotedName(from int) (tokenKind, int) {
	for i := from; i < len(s.text); i++ {
		if s.text[i] != '"' {
			continue
		}
		if s.at(i+1) != '"' {
			return nameToken, i + 1
		}
		i++
	}
	return brokenToken, len(s.text)
}

func (s *scanner) wordEnd(i int) int {
	for i < len(s.text) && (isWordStart(s.text[i]) || isDigit(s.text[i]) || s.text[i] == '$') {
		i++
	}
	return i
}

// dollar is a parameter, a dollar-quoted string, or a lone dollar sign.
func (s *scanner) dollar(start int) (tokenKind, int) {
	i := start + 1
	if isDigit(s.at(i)) {
		for isDigit(s.at(i)) {
			i++
		}
		return paramToken, i
	}
	if isWordStart(s.at(i)) {
		for isWordStart(s.at(i)) || isDigit(s.at(i)) {
			i++
		}
	}
	if s.at(i) != '$' {
		return markToken, start + 1
	}
	i++
	end := strings.Index(s.text[i:], s.text[start:i])
	if end < 0 {
		return brokenToken, len(s.text)
	}
	return dollarToken, i + end + i - start
}

func (s *scanner) numberEnd(i int) int {
	if s.text[i] == '0' {
		if n := s.digitsEnd(i+2, radixDigits(s.at(i+1))); n > i+2 {
			return n
		}
	}
	const decimal = "0123456789"
	start := i
	i = s.digitsEnd(i, decimal)
	// In 1..2 the dots are a token, but not behind 1_000: scan.l has it so.
	if s.at(i) == '.' && (s.at(i+1) != '.' || strings.IndexByte(s.text[start:i], '_') >= 0) {
		i++
		if isDigit(s.at(i)) {
			i = s.digitsEnd(i, decimal)
		}
	}
	if s.at(i) != 'e' && s.at(i) != 'E' {
		return i
	}
	exponent := i + 1
	if s.at(exponent) == '+' || s.at(exponent) == '-' {
		exponent++
	}
	if isDigit(s.at(exponent)) {
		return s.digitsEnd(exponent, decimal)
	}
	return i
}

// radixDigits are the digits of a number that begins with 0 and c; none if there is no such number.
func radixDigits(c byte) string {
	switch c {
	case 'x', 'X':
		return "0123456789abcdefABCDEF"
	case 'o', 'O':
		return "01234567"
	case 'b', 'B':
		return "01"
	}
	return ""
}

// digitsEnd is the end of a run of digits that single underscores may part.
func (s *scanner) digitsEnd(i int, digits string) int {
	for i < len(s.text) {
		at := i
		if s.text[at] == '_' {
			at++
		}
		if at >= len(s.text) || strings.IndexByte(digits, s.text[at]) < 0 {
			return i
		}
		i = at + 1
	}
	return i
}

// operatorEnd follows scan.l: an operator stops before a comment, and ends in + or - only if it has a character that the SQL
// standard's operators do not have.
func (s *scanner) operatorEnd(start int) int {
	if start >= s.run.end {
		s.run = s.operatorRun(start)
	}
	if s.run.special >= start {
		return s.run.end
	}
	return max(s.run.other, start) + 1
}

// operatorRun is a run of operator characters up to a comment or any other character. It is kept because a run can be many operators,
// each of which would look through the rest of it.
type operatorRun struct {
	end     int
	special int // where its last character is that the standard's operators do not have; -1 if there is none
	other   int // where its last character is that is not + or -; -1 if there is none
}

func (s *scanner) operatorRun(start int) operatorRun {
	run := operatorRun{end: start, special: -1, other: -1}
	for run.end < len(s.text) && isOperator(s.text[run.end]) {
		c, next := s.text[run.end], s.at(run.end+1)
		if c == '-' && next == '-' || c == '/' && next == '*' {
			break
		}
		if strings.IndexByte("~!@#^&|`?%", c) >= 0 {
			run.special = run.end
		}
		if c != '+' && c != '-' {
			run.other = run.end
		}
		run.end++
	}
	return run
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' && c != '\v' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isWordStart reports whether an identifier may begin with c.
func isWordStart(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80
}

func isOperator(c byte) bool { return strings.IndexByte("~!@#^&|`?+-*/%<>=", c) >= 0 }

// tokens cuts text into its tokens, comments left out, with one endToken behind the last.
func tokens(text string) []token {
	list := make([]token, 0, len(text)/5+1)
	for s := (scanner{text: text}); ; {
		t := s.next()
		if t.kind == commentToken {
			continue
		}
		list = append(list, t)
		if t.kind == endToken {
			return list
		}
	}
}
