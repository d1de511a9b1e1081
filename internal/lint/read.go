package lint

import (
	"errors"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// Problem is why a file, or a part of it, was not judged.
type Problem struct {
	Path string `json:"path"`
	// Line and Column are 0 when it is about the whole file.
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Message string `json:"message"`
}

// script is a file whose statements have been read.
type script struct {
	source *Source
	tool   *Tool
	parts  []readPart
	notes  []Note
	failed *Problem // the file could not be read at all
}

type readPart struct {
	Part
	statements []readStatement
	comments   []allowance // every override in its comments, in order
}

// readStatement is a statement with its place in the file.
type readStatement struct {
	ddl.Statement
	at, end int // of Text, in the file
	// refused is where the grammar gave up; nil if it was read.
	refused *ddl.SyntaxError
}

// read finds the statements of a source as a tool sends them.
func read(s *Source, tool *Tool) *script {
	r := &script{source: s, tool: tool}
	parts, err := tool.partsOf(s)
	if err != nil {
		r.failed = &Problem{Path: s.Path, Message: err.Error() + " of " + tool.Name}
		return r
	}
	for _, part := range parts {
		r.parts = append(r.parts, r.part(part))
	}
	return r
}

func (r *script) part(part Part) readPart {
	if r.tool.script {
		part.Text = sqlOnly(part.Text, func(offset int, message string) {
			line, _ := r.source.Position(part.Offset + offset)
			r.notes = append(r.notes, Note{Path: r.source.Path, Line: line, Text: message})
		})
	}
	p := readPart{Part: part}
	if statements, err := ddl.Parse(part.Text); err == nil {
		p.add(0, statements)
	} else {
		p.piecewise()
	}
	for _, c := range ddl.Comments(part.Text) {
		for _, a := range ddl.Allow(ddl.Statement{Lead: part.Text[c.Start:c.End]}) {
			p.comments = append(p.comments, allowance{Allowance: a, at: part.Offset + c.Start, end: part.Offset + c.End})
		}
	}
	if r.tool.decide != nil {
		p.Sent = r.tool.decide(part, p.all())
	}
	return p
}

func (p *readPart) all() []ddl.Statement {
	all := make([]ddl.Statement, len(p.statements))
	for i, s := range p.statements {
		all[i] = s.Statement
	}
	return all
}

// add takes the statements of a piece of the part's text.
func (p *readPart) add(from int, statements []ddl.Statement) {
	for _, s := range statements {
		s.Offset += from
		at := p.Offset + s.Offset
		p.statements = append(p.statements, readStatement{Statement: s, at: at, end: at + len(s.Text)})
	}
}

// piecewise reads a text that does not parse whole statement by statement: one mistake must not hide the rest.
func (p *readPart) piecewise() {
	for from := 0; from < len(p.Text); {
		at, why := ddl.NextStop(p.Text, from)
		for why == ddl.AtBackslash { // a tool that psql does not run has no commands: it is a mistake within the statement
			at, why = ddl.NextStop(p.Text, at+1)
		}
		p.piece(from, at)
		from = at + 1
	}
}

func (p *readPart) piece(from, to int) {
	piece := p.Text[from:to]
	statements, err := ddl.Parse(piece)
	if err == nil {
		p.add(from, statements)
		return
	}
	if form := substituted(piece); form != piece {
		if statements, err := ddl.Parse(form); err == nil {
			for i := range statements {
				s := &statements[i]
				s.NoSplice = true
				s.Lead = piece[s.Offset-len(s.Lead) : s.Offset]
				s.Tail = piece[s.Offset+len(s.Text) : s.Offset+len(s.Text)+len(s.Tail)]
			}
			p.add(from, statements)
			return
		}
	}
	p.unread(piece, from, err)
}

// unread takes a piece that cannot be read for one statement.
func (p *readPart) unread(piece string, from int, err error) {
	lead := len(piece) - len(strings.TrimLeft(piece, " \t\r\n"))
	for _, c := range ddl.Comments(piece) {
		if strings.TrimSpace(piece[lead:c.Start]) != "" {
			break
		}
		lead = c.End + len(piece[c.End:]) - len(strings.TrimLeft(piece[c.End:], " \t\r\n"))
	}
	text := strings.TrimRight(piece[lead:], " \t\r\n")
	at := p.Offset + from + lead
	s := readStatement{
		Statement: ddl.Statement{
			Text: text, Offset: from + lead, Lead: piece[:lead], Tail: piece[lead+len(text):], NoSplice: true,
			Action: ddl.Unparsed{Reason: "PostgreSQL 16 grammar: " + err.Error()},
		},
		at: at, end: at + len(text), refused: &ddl.SyntaxError{Message: err.Error(), Position: at},
	}
	var syntax *ddl.SyntaxError
	if errors.As(err, &syntax) {
		s.refused = &ddl.SyntaxError{Message: syntax.Message, Position: min(p.Offset+from+syntax.Position, at+len(text))}
		s.Action = ddl.Unparsed{Reason: "PostgreSQL 16 grammar: " + syntax.Message}
	}
	p.statements = append(p.statements, s)
}
