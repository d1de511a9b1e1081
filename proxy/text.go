package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// reading is a client's text as pgsluice understands it.
type reading struct {
	text       string // UTF-8
	statements []ddl.Statement
	// unjudged says why the text could not be read as a whole; "" when it could. Then there is one statement, Unparsed.
	unjudged string
	// escaped is how the text was before a setting of the session made it another one; zero when it is the client's own.
	escaped ddl.Escaped
	// mistyped is true when the parser found a syntax error, which the server may see too.
	mistyped bool
}

// read parses a client's text. unsettled is true when a setting that decides how the server reads it may be changing
// in flight: within a pipeline the server reports a changed setting only at its end.
func (s *session) read(raw []byte, unsettled bool) reading {
	began := time.Now()
	defer func() { s.options.Meter.StatementParsed(time.Since(began)) }()
	s.wandering = s.wandering || ddl.Prefilter(raw)&ddl.Path != 0
	text, err := s.backend.encoding.Decode(raw)
	if err != nil || unsettled && !isASCII(raw) {
		return unread(string(raw), "its bytes cannot be read in client_encoding "+s.encodingName)
	}
	if s.backslashes && !unsettled && ddl.HasBackslash(text) {
		// The server reads it in this one way. Of its offsets nothing is made where nothing is of concern.
		if statements, err := ddl.ParseNonconforming(text); err == nil && !s.anyConcern(statements) {
			return reading{text: text, statements: statements}
		}
		if r, ok := readEscaped(text); ok {
			return r
		}
	}
	statements, err := ddl.Parse(text)
	if err != nil {
		r := unread(text, reason(err))
		var syntax *ddl.SyntaxError
		r.mistyped = errors.As(err, &syntax)
		return r
	}
	r := reading{text: text, statements: statements}
	if (s.backslashes || unsettled) && ddl.HasBackslash(text) {
		other, err := ddl.ParseNonconforming(text)
		if err != nil || s.anyConcern(statements) || s.anyConcern(other) {
			return unread(text, "a backslash in a literal reads differently while standard_conforming_strings may be off")
		}
	}
	return r
}

// readEscaped reads a text whose plain literals escape by a backslash for certain, as the one that says so by itself: whatever runs of it means the same. Of code
// in a literal the server will say how it reads it when it runs.
func readEscaped(text string) (reading, bool) {
	escaped, ok := ddl.Escape(text)
	if !ok {
		return reading{}, false
	}
	statements, err := ddl.Parse(escaped.Text)
	if err != nil || slices.ContainsFunc(statements, holdsCode) {
		return reading{}, false
	}
	return reading{text: escaped.Text, statements: statements, escaped: escaped}, true
}

// holdsCode reports whether a statement has code in a literal, or is code that the server shows as the client wrote it.
func holdsCode(statement ddl.Statement) bool {
	switch statement.Tag {
	case "DO", "CREATE FUNCTION", "CREATE PROCEDURE", "PREPARE":
		return true
	}
	return slices.ContainsFunc(statement.Inner, func(inner ddl.Inner) bool { return holdsCode(inner.Statement) })
}

func unread(text, why string) reading {
	return reading{
		text:       text,
		unjudged:   why,
		statements: []ddl.Statement{{Text: text, Action: ddl.Unparsed{Reason: why}}},
	}
}

func reason(err error) string {
	if errors.Is(err, ddl.ErrTooComplex) {
		return "it is nested too deeply for pgsluice to parse"
	}
	return fmt.Sprintf("it does not parse in the PostgreSQL 16 grammar that pgsluice knows: %v", err)
}

func isASCII(raw []byte) bool {
	for _, c := range raw {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// serverRejects reports whether the server itself finds a syntax error in a text that pgsluice could not parse: then there is
// nothing to judge, and the client gets the server's own error. Parse takes no lock and runs nothing.
func (s *session) serverRejects(ctx context.Context, text string) bool {
	if s.backend.piped || s.backend.TxStatus() == 'E' {
		return false
	}
	err := s.backend.parseOnly(ctx, text)
	var server *serverError
	return errors.As(err, &server) && server.fields.Code == "42601" && server.fields.Position > 0
}

// anyConcern reports whether any of the statements is more than reading, writing rows, settings and transactions.
func (s *session) anyConcern(statements []ddl.Statement) bool {
	for _, statement := range statements {
		if s.concerns(statement) {
			return true
		}
	}
	return false
}

// concerns reports whether a rule could care about a statement, or whether something that this transaction promised could.
func (s *session) concerns(statement ddl.Statement) bool {
	if s.owes() {
		return true
	}
	switch action := statement.Action.(type) {
	case ddl.Query:
		return action.Into != (ddl.Name{}) || action.Program || s.reaches(statement) || s.anyInnerConcern(statement)
	case ddl.Write:
		return action.Reach == ddl.EveryRow || s.altering && action.Reach >= ddl.ManyRows || action.Program || s.reaches(statement) || s.anyInnerConcern(statement)
	case ddl.Setting, ddl.Transaction, ddl.LockTable:
		return s.reaches(statement)
	case ddl.Unparsed:
		return ddl.Unsure(statement.Text)
	}
	return true
}

// anyInnerConcern reports whether a rule could care about what a query or a write runs within: by WITH, EXPLAIN ANALYZE or PREPARE.
func (s *session) anyInnerConcern(statement ddl.Statement) bool {
	for _, inner := range statement.Inner {
		if s.concerns(inner.Statement) {
			return true
		}
	}
	return false
}

// reaching finds the words of SQL that run what the protocol has prepared or bound.
var reaching = regexp.MustCompile(`(?i)execute|fetch|move`)

// mentionsExecute finds the word EXECUTE, wherever it stands: what it runs may be prepared later.
func mentionsExecute(text []byte) bool {
	for i, c := range text {
		if (c == 'x' || c == 'X') && i > 0 && i+6 <= len(text) && bytes.EqualFold(text[i-1:i+6], []byte("execute")) {
			return true
		}
	}
	return false
}

// reaches reports whether a statement of SQL may run something of concern that the protocol has prepared or bound under a name.
func (s *session) reaches(statement ddl.Statement) bool {
	for _, inner := range statement.Inner {
		if s.reaches(inner.Statement) {
			return true
		}
	}
	switch statement.Tag {
	case "EXECUTE":
		for name, p := range s.prepared {
			if name != "" && !p.writes && !(len(p.reading.statements) == 1 && p.reading.statements[0].Tag == "EXECUTE") {
				return true
			}
		}
	case "FETCH", "MOVE":
		for name, p := range s.portals {
			if name != "" && !p.prepared.writes {
				return true
			}
		}
	}
	return false
}
