package ddl

import "strings"

// Inert watches a text that is too long to be parsed, as it streams by, and proves that it is harmless: each of its statements is an INSERT, SELECT,
// VALUES or COPY (also in brackets, or behind WITH), that makes no table by INTO, changes no rows in a CTE, runs no program and takes
// no advisory lock. What it cannot prove it does not say. It uses constant memory.
//
// It reads byte by byte, so in an encoding whose characters may have ASCII bytes in them it proves nothing of text that is not ASCII. It
// holds for both values of standard_conforming_strings.
type Inert struct {
	wide    bool // the encoding may have ASCII bytes within characters
	refuted bool
	state   inertState

	word     [wordLimit]byte // the word or quoted name being read, lower case
	wordSize int             // may exceed wordLimit: then it is none that matters
	previous string          // the token before, if it is a word that matters
	begun    bool            // a statement's first word was seen
	copies   bool            // and it was COPY
	ended    bool            // a statement's semicolon was seen

	depth     int  // of nested comments
	last      byte // the byte before; a space behind a mark of two bytes, so that its second is not the first of another
	marked    bool // the byte just taken was the second of such a mark
	backslash bool // the string's last byte is a backslash that escapes in one reading at least
	escaped   bool // the last string was E'…', which a following quote may continue
	tag       [wordLimit]byte
	tagSize   int // of the dollar quote's tag
	matched   int // bytes of the closing tag seen so far
}

const wordLimit = 64

type inertState uint8

const (
	inSpace inertState = iota
	inWord
	inNumber
	inExponent // a number, behind its e
	inOperator
	inDollar // $ and then digits, or a tag
	inParam
	inString
	inEscapeString
	inName
	inLineComment
	inBlockComment
	inDollarString
)

// NewInert watches a text in the encoding.
func NewInert(e Encoding) *Inert { return &Inert{wide: e.wide || !e.known, last: ' '} }

// Write takes the next bytes of the text.
func (t *Inert) Write(chunk []byte) {
	for _, c := range chunk {
		if t.refuted {
			return
		}
		if c == 0 || c >= 0x80 && t.wide {
			t.refuted = true
			return
		}
		t.step(c)
		t.last = c
		if t.marked {
			t.last, t.marked = ' ', false
		}
	}
}

// Refuted reports whether what has passed can no longer become harmless.
func (t *Inert) Refuted() bool { return t.refuted }

// Inert reports whether the text, which has now ended, is proven to be harmless.
func (t *Inert) Inert() bool {
	t.Write([]byte{' '}) // ends the last token
	switch t.state {
	case inSpace, inLineComment:
		return !t.refuted && (t.begun || t.ended)
	}
	return false
}

// step takes one byte. A state that a byte ends hands it on to begin, as the first byte of what follows.
func (t *Inert) step(c byte) {
	switch t.state {
	case inSpace:
		t.begin(c)
	case inWord:
		t.inWord(c)
	case inNumber, inExponent:
		t.inNumber(c)
	case inOperator:
		t.inOperator(c)
	case inDollar:
		t.inDollar(c)
	case inParam:
		if !isDigit(c) {
			t.refuted = t.refuted || isWordStart(c)
			t.begin(c)
		}
	case inString, inEscapeString:
		t.inString(c)
	case inName:
		if c != '"' {
			t.spell(c)
			break
		}
		// A doubled quote begins a second name here instead of going on with the first, which is as good.
		t.refuted = t.refuted || t.takesLock()
		t.token("")
	case inLineComment:
		if c == '\n' || c == '\r' {
			t.state = inSpace
		}
	case inBlockComment:
		t.inBlockComment(c)
	case inDollarString:
		t.inDollarString(c)
	}
}

// begin takes the first byte of a token.
func (t *Inert) begin(c byte) {
	t.state = inSpace
	switch {
	case isSpace(c):
		return
	case c == '-' || c == '/':
		t.state = inOperator // or a comment
		return
	case c == ';':
		t.ended = t.ended || t.begun
		t.begun, t.copies = false, false
		t.token("")
		return
	}
	if !t.begun && c != '(' && !isWordStart(c) {
		t.refuted = true
		return
	}
	switch {
	case c == '\'':
		// After an E'…' this may be its continuation or a new string: which one decides what a backslash is.
		t.refuted = t.refuted || t.escaped
		t.state, t.backslash = inString, false
	case c == '"':
		t.state, t.wordSize = inName, 0
	case c == '$':
		t.state, t.tagSize = inDollar, 0
	case isWordStart(c):
		t.state, t.wordSize = inWord, 0
		t.spell(c)
	case isDigit(c):
		t.state = inNumber
	default:
		t.token("")
	}
}

// token ends a token, which is a word that matters or "".
func (t *Inert) token(word string) {
	t.state, t.previous, t.escaped = inSpace, word, false
}

// spell adds a byte to the word.
func (t *Inert) spell(c byte) {
	if t.wordSize < wordLimit {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		t.word[t.wordSize] = c
	}
	t.wordSize++
}

func (t *Inert) inWord(c byte) {
	if isWordStart(c) || isDigit(c) || c == '$' {
		t.spell(c)
		return
	}
	if c == '\'' && t.wordSize == 1 && t.word[0] == 'e' {
		t.refuted = t.refuted || !t.begun
		t.token("")
		t.state, t.backslash = inEscapeString, false
		return
	}
	t.refuted = t.refuted || t.takesLock()
	t.judge(t.wordThatMatters())
	t.begin(c)
}

// takesLock reports whether the word or name is one of the functions that Prefilter looks for.
func (t *Inert) takesLock() bool {
	return strings.HasPrefix(string(t.word[:min(t.wordSize, wordLimit)]), "pg_advisory_")
}

func (t *Inert) wordThatMatters() string {
	for _, word := range []string{"insert", "into", "select", "values", "copy", "with", "update", "delete", "merge", "do", "for", "key", "program"} {
		if t.wordSize == len(word) && string(t.word[:t.wordSize]) == word {
			return word
		}
	}
	return ""
}

// judge refutes a word that the statement must not have where it stands.
func (t *Inert) judge(word string) {
	switch {
	case !t.begun:
		t.refuted = t.refuted || word != "insert" && word != "select" && word != "values" && word != "copy" && word != "with"
		t.begun, t.copies = true, word == "copy"
		t.token(word)
		return
	case word == "into":
		t.refuted = t.refuted || t.previous != "insert"
	case word == "insert" || word == "delete" || word == "merge" || word == "program" && t.copies:
		t.refuted = true
	case word == "update":
		// ON CONFLICT DO UPDATE, FOR UPDATE, FOR NO KEY UPDATE; a statement of its own follows a bracket.
		t.refuted = t.refuted || t.previous != "do" && t.previous != "for" && t.previous != "key"
	}
	t.token(word)
}

func (t *Inert) inNumber(c byte) {
	switch {
	case isDigit(c) || c == '.' && t.state == inNumber:
	case (c == 'e' || c == 'E') && t.state == inNumber && (isDigit(t.last) || t.last == '.'):
		t.state = inExponent
	case (c == '+' || c == '-') && t.state == inExponent && t.last|0x20 == 'e':
	case t.state == inExponent && !isDigit(t.last), isWordStart(c), c == '$':
		t.refuted = true // versions differ in what is a number and what is the word behind it
	default:
		t.token("")
		t.begin(c)
	}
}

// inOperator is behind a - or /, which begin a comment when they are doubled or before a star.
func (t *Inert) inOperator(c byte) {
	switch {
	case t.last == '-' && c == '-':
		t.state = inLineComment
	case t.last == '/' && c == '*':
		t.state, t.depth, t.marked = inBlockComment, 1, true
	default:
		t.refuted = t.refuted || !t.begun
		t.token("")
		t.begin(c)
	}
}

func (t *Inert) inBlockComment(c byte) {
	switch {
	case t.last == '*' && c == '/':
		t.depth--
	case t.last == '/' && c == '*':
		t.depth++
	default:
		return
	}
	t.marked = true
	if t.depth == 0 {
		t.state = inSpace
	}
}

func (t *Inert) inString(c byte) {
	switch {
	case t.backslash:
		// The byte behind a backslash. In E'…' it is escaped; in '…' it is or it is not, which only matters for a quote.
		t.refuted = t.refuted || c == '\'' && t.state == inString
		t.backslash = false
	case c == '\\':
		t.backslash = true
	case c == '\'':
		escaped := t.state == inEscapeString
		t.token("")
		t.escaped = escaped
	}
}

// inDollar is behind a $: a parameter, or the tag of a dollar-quoted string.
func (t *Inert) inDollar(c byte) {
	switch {
	case t.tagSize == 0 && isDigit(c):
		t.token("")
		t.state = inParam
	case c == '$':
		t.state, t.matched = inDollarString, 0
	case (isWordStart(c) || t.tagSize > 0 && isDigit(c)) && t.tagSize < wordLimit:
		t.tag[t.tagSize] = c
		t.tagSize++
	default:
		t.refuted = true
	}
}

// inDollarString looks for $tag$. matched counts the bytes of it that have been seen, its first $ being one.
func (t *Inert) inDollarString(c byte) {
	switch {
	case t.matched == t.tagSize+1 && c == '$':
		t.token("")
	case t.matched > 0 && t.matched <= t.tagSize && c == t.tag[t.matched-1]:
		t.matched++
	case c == '$':
		t.matched = 1
	default:
		t.matched = 0
	}
}
