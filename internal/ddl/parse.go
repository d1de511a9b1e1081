package ddl

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"github.com/pganalyze/pg_query_go/v5/parser"
)

// ErrTooComplex is returned for text whose nesting could overflow the C parser's stack. Nothing is known about such text.
var ErrTooComplex = errors.New("statement is nested too deeply to be parsed safely")

// ErrEncoding is returned for text that is not what its encoding says.
var ErrEncoding = errors.New("text is not valid in its encoding")

// SyntaxError is the grammar's refusal. Text of a newer server than the grammar's (PostgreSQL 16) gives it too.
type SyntaxError struct {
	Message string
	// Position is the byte offset in the text where the grammar gave up.
	Position int
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Message, e.Position)
}

// Parse reads UTF-8 text whole: all its statements, or an error that is a *SyntaxError, ErrTooComplex or ErrEncoding.
// Text without a statement gives an empty list. String literals are read with standard_conforming_strings on.
//
// The grammar is PostgreSQL 16's. The forms of 17 and 18 that modern knows are read, too.
func Parse(text string) ([]Statement, error) { return parse(text, 0) }

// parse is Parse for a text that stands within depth others.
func parse(text string, depth int) ([]Statement, error) {
	raw, known, newer, err := parseRaw(text)
	if err != nil {
		return nil, err
	}
	statements := make([]Statement, 0, len(raw))
	rest := 0
	for _, r := range raw {
		end := len(text)
		if r.StmtLen > 0 {
			end = int(r.StmtLocation + r.StmtLen)
		}
		first, last := tokenSpan(text, int(r.StmtLocation), end)
		s := Statement{Text: text[first:last], Offset: first, Lead: text[rest:first], Tail: text[last:end]}
		if len(newer) > 0 {
			s.known = known[first:last]
		}
		describeWithin(&s, r.Stmt, depth)
		for _, form := range newer {
			form.tell(&s, s.Offset)
		}
		statements = append(statements, s)
		rest = min(end+1, len(text))
	}
	return statements, nil
}

// Rest is what follows the last statement's Tail: its semicolon, if it has one, and then nothing but white space, comments and
// semicolons. The statements' Lead+Text+Tail joined with ";" and followed by Rest are the text.
func Rest(text string, statements []Statement) string {
	if len(statements) == 0 {
		return text
	}
	last := statements[len(statements)-1]
	return text[last.Offset+len(last.Text)+len(last.Tail):]
}

// parseOne parses text that must be exactly one statement and gives its tree.
func parseOne(text string) (*pgquery.Node, error) {
	raw, _, _, err := parseRaw(text)
	if err != nil {
		return nil, err
	}
	if len(raw) != 1 {
		return nil, fmt.Errorf("text has %d statements instead of one", len(raw))
	}
	return raw[0].Stmt, nil
}

// parseRaw gives the trees of a text, and what was parsed: the text itself, or one of the same length without its newer words.
func parseRaw(text string) (raw []*pgquery.RawStmt, known string, newer []newerForm, err error) {
	// The C parser would stop at a zero byte and never see what follows it.
	if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
		return nil, "", nil, ErrEncoding
	}
	if tooComplex(text) {
		return nil, "", nil, ErrTooComplex
	}
	tree, err := pgquery.Parse(text)
	if err == nil {
		return tree.Stmts, text, nil, nil
	}
	err = parseError(text, err)
	if known, newer = modern(text); len(newer) == 0 || tooComplex(known) {
		return nil, "", nil, err
	}
	if tree, again := pgquery.Parse(known); again == nil {
		return tree.Stmts, known, newer, nil
	}
	return nil, "", nil, err
}

func parseError(text string, err error) error {
	var refused *parser.Error
	if !errors.As(err, &refused) {
		// What the C side accepted and protobuf does not decode is nested too deeply for it.
		return fmt.Errorf("%w: %v", ErrTooComplex, err)
	}
	return &SyntaxError{Message: refused.Message, Position: byteOffset(text, refused.Cursorpos)}
}

// byteOffset turns the server's position, which counts characters from 1 (0: unknown), into a byte offset.
func byteOffset(text string, position int) int {
	for i := range text {
		if position <= 1 {
			return i
		}
		position--
	}
	return len(text)
}

// tokenSpan is the part of text[start:end] from its first token to its last, comments at both ends left out.
func tokenSpan(text string, start, end int) (first, last int) {
	s := scanner{text: text[:end], pos: start}
	first, last = end, end
	for {
		switch t := s.next(); {
		case t.kind == endToken:
			return first, last
		case t.kind == commentToken:
		case first == end:
			first, last = t.start, t.end
		default:
			last = t.end
		}
	}
}
