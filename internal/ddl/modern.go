package ddl

import "strings"

// newerForm is a form that the grammar does not know, at its place in the text.
type newerForm struct {
	kind newerKind
	at   int
	// name is the span of the column that NOT NULL is about.
	name Span
}

type newerKind int

const (
	onlyDropped      newerKind = iota // words that change nothing for the model
	notNull                           // ADD CONSTRAINT n NOT NULL c
	notEnforced                       // NOT ENFORCED
	enforced                          // ENFORCED
	virtual                           // GENERATED ALWAYS AS (…) VIRTUAL
	virtualByDefault                  // GENERATED ALWAYS AS (…)
	temporal                          // WITHOUT OVERLAPS, PERIOD
	setExpression                     // ALTER COLUMN … SET EXPRESSION AS (…)
	defaultMethod                     // SET ACCESS METHOD DEFAULT
	splitPartition                    // SPLIT PARTITION c INTO (…)
	mergePartitions                   // MERGE PARTITIONS (c, …) INTO d
)

// modern writes a text in the grammar of PostgreSQL 16, byte for byte at the same places, as far as it knows the forms of 17 and 18 in it. It
// is asked only of text that the grammar has refused, and what it gives counts only if the grammar then takes it: a word that is
// put out of the way wrongly can turn one error into another, never a statement into a different one, since none of these words can stand where
// it is looked for without being what it is taken for.
func modern(text string) (known string, found []newerForm) {
	m := modernizer{source: source{text: text, known: text, tokens: tokens(text)}, out: []byte(text)}
	for i := 0; i < m.end(); i++ {
		m.form(i)
	}
	return string(m.out), m.found
}

type modernizer struct {
	source
	out   []byte
	found []newerForm
	// merging is true between MERGE INTO and the end of its statement.
	merging bool
}

// form looks for a newer form that begins at token i.
func (m *modernizer) form(i int) {
	if m.tokens[i].kind != wordToken && !m.is(i, ";") {
		return
	}
	switch {
	case m.is(i, ";"):
		m.merging = false
	case m.is(i, "MERGE") && m.is(i+1, "INTO"):
		m.merging = true
	case m.merging && m.is(i, "WHEN") && m.is(i+1, "NOT") && m.is(i+2, "MATCHED") && m.is(i+3, "BY"):
		m.notMatchedBy(i)
	case m.merging && m.is(i, "RETURNING"):
		end := m.find(i, m.end(), ";")
		for j := i; j < end; j++ {
			if m.is(j, "(") {
				j = m.over(j) - 1
			} else if m.is(j, ")") {
				end = j
			}
		}
		m.drop(i, end, onlyDropped)
		m.merging = false
	case m.is(i, "RETURNING") && m.is(i+1, "WITH") && m.is(i+2, "("):
		m.drop(i+1, m.over(i+2), onlyDropped)
	case m.is(i, "ENFORCED") && m.behindConstraint(i):
		if m.is(i-1, "NOT") {
			m.drop(i-1, i+1, notEnforced)
		} else {
			m.drop(i, i+1, enforced)
		}
	case m.is(i, "GENERATED") && m.is(i+1, "ALWAYS") && m.is(i+2, "AS") && m.is(i+3, "("):
		m.generated(i)
	case m.is(i, "WITHOUT") && m.is(i+1, "OVERLAPS") && m.is(i+2, ")"):
		m.drop(i, i+2, temporal)
	case m.is(i, "PERIOD") && (m.is(i-1, ",") || m.is(i-1, "(")) && m.isName(i+1) && m.is(i+2, ")"):
		m.drop(i, i+1, temporal)
	case m.is(i, "SET") && m.is(i+1, "EXPRESSION") && m.is(i+2, "AS") && m.is(i+3, "("):
		m.replace(i+1, i+3, "DEFAULT", setExpression)
	case m.is(i, "SET") && m.is(i+1, "ACCESS") && m.is(i+2, "METHOD") && m.is(i+3, "DEFAULT"):
		m.replace(i+3, i+4, "heap", defaultMethod)
	case m.is(i, "SPLIT") && m.is(i+1, "PARTITION") && m.isName(i+2):
		if into := m.name(i + 2); m.is(into, "INTO") && m.is(into+1, "(") {
			m.replace(i, m.over(into+1), "DETACH PARTITION "+m.spelled(i+2), splitPartition)
		}
	case m.is(i, "MERGE") && m.is(i+1, "PARTITIONS") && m.is(i+2, "(") && m.isName(i+3):
		if into := m.over(i + 2); m.is(into, "INTO") && m.isName(into+1) {
			m.replace(i, m.name(into+1), "DETACH PARTITION "+m.spelled(i+3), mergePartitions)
		}
	case m.is(i, "SET") && m.is(i+1, "STATISTICS") && m.is(i+2, "DEFAULT"):
		m.replace(i+2, i+3, "-1", onlyDropped)
	case (m.is(i, "VACUUM") || m.is(i, "ANALYZE") || m.is(i, "ANALYSE")) && (i == 0 || m.is(i-1, ";") || m.is(i-1, "VACUUM")):
		if only := m.behindOptions(i + 1); m.is(only, "ONLY") {
			m.drop(only, only+1, onlyDropped)
		}
	case m.is(i, "NOT") && m.is(i+1, "NULL"):
		m.notNull(i)
	case m.is(i, "CONSTRAINT") && m.is(i-1, "ALTER"):
		attribute := m.skip(m.name(i+1), "NO")
		if m.is(attribute, "INHERIT") {
			m.drop(m.name(i+1), attribute+1, onlyDropped)
		}
	}
}

// behindOptions is the index behind the options of VACUUM or ANALYZE.
func (m *modernizer) behindOptions(i int) int {
	if m.is(i, "(") {
		return m.over(i)
	}
	for m.is(i, "FULL") || m.is(i, "FREEZE") || m.is(i, "VERBOSE") {
		i++
	}
	return i
}

// isName reports whether the token can be a name.
func (m *modernizer) isName(i int) bool {
	return i < m.end() && (m.tokens[i].kind == wordToken || m.tokens[i].kind == nameToken)
}

// behindConstraint reports whether ENFORCED at i can be the attribute of a constraint: it ends the constraint, or another attribute follows.
func (m *modernizer) behindConstraint(i int) bool {
	for _, follows := range []string{",", ")", ";", "NOT", "DEFERRABLE", "INITIALLY", "NO"} {
		if m.is(i+1, follows) {
			return i > 0 && !m.is(i-1, ",") && !m.is(i-1, "(") && !m.is(i-1, ".")
		}
	}
	return i+1 == m.end()
}

// notMatchedBy turns WHEN NOT MATCHED BY SOURCE, which changes rows of the target, into WHEN MATCHED; BY TARGET is what NOT MATCHED always was.
func (m *modernizer) notMatchedBy(i int) {
	if m.is(i+4, "SOURCE") {
		m.drop(i+1, i+2, onlyDropped)
	}
	m.drop(i+3, i+5, onlyDropped)
}

func (m *modernizer) generated(i int) {
	behind := m.over(i + 3)
	switch {
	case m.is(behind, "STORED"):
	case m.is(behind, "VIRTUAL"):
		m.replace(behind, behind+1, "STORED", virtual)
		m.found[len(m.found)-1].at = m.tokens[i].start
	default:
		m.replace(i, i+3, "DEFAULT", virtualByDefault)
	}
}

// notNull turns the table constraint NOT NULL c into CHECK (c), and leaves the NO INHERIT of a column's NOT NULL out.
func (m *modernizer) notNull(i int) {
	named := i >= 2 && m.is(i-2, "CONSTRAINT") && (m.is(i-3, "ADD") || m.is(i-3, ",") || m.is(i-3, "("))
	bare := m.is(i-1, "ADD") || m.is(i-1, ",") || m.is(i-1, "(")
	column := i + 2
	if !(named || bare) || !m.isName(column) || m.is(column, "NOT") {
		if m.is(i+2, "NO") && m.is(i+3, "INHERIT") {
			m.drop(i+2, i+4, onlyDropped)
		}
		return
	}
	name := m.span(column, m.name(column))
	m.replace(i, m.name(column), "CHECK("+m.spelled(column)+")", notNull)
	m.found[len(m.found)-1].name = name
}

// spelled is the name that begins at token i as it is written.
func (m *modernizer) spelled(i int) string {
	name := m.span(i, m.name(i))
	return m.text[name.Start:name.End]
}

// drop leaves the tokens from i up to j out.
func (m *modernizer) drop(i, j int, kind newerKind) { m.replace(i, j, "", kind) }

// replace puts other words, which are no longer, in the place of the tokens from i up to j.
func (m *modernizer) replace(i, j int, words string, kind newerKind) {
	span := m.span(i, j)
	m.found = append(m.found, newerForm{kind: kind, at: span.Start})
	copy(m.out[span.Start:span.End], words+strings.Repeat(" ", span.End-span.Start-len(words)))
}

// tell puts into the model of a statement, which begins at an offset of the text, what the form says.
func (f newerForm) tell(s *Statement, offset int) {
	alter, ok := s.Action.(AlterTable)
	if !ok {
		return
	}
	f.at, f.name = f.at-offset, Span{f.name.Start - offset, f.name.End - offset}
	for i := range alter.Commands {
		command := &alter.Commands[i]
		if f.at < command.Span.Start || f.at >= command.Span.End {
			continue
		}
		switch f.kind {
		case setExpression:
			command.Op = "SetExpression"
			command.Default.Start += strings.IndexByte(s.Text[command.Default.Start:command.Default.End], '(')
		case defaultMethod:
			command.Name = ""
		case splitPartition:
			command.Op = "SplitPartition"
		case mergePartitions:
			command.Op = "MergePartitions"
		case enforced, notEnforced:
			f.enforce(command)
		case virtual, virtualByDefault:
			if c := command.Column; c != nil {
				c.Generated, c.Virtual, c.Default, c.DefaultCalls = true, true, Span{}, nil
			}
		case temporal:
			if c := command.Constraint; c != nil {
				c.Temporal = true
			}
		case notNull:
			if c := command.Constraint; c != nil {
				c.Type, c.Expr, c.Columns = NotNull, Span{}, []string{identifier(s.Text[f.name.Start:f.name.End])}
			}
		}
	}
}

func (f newerForm) enforce(command *AlterCommand) {
	switch {
	case command.Op == "AlterConstraint" && f.kind == enforced:
		command.Enforced = "ENFORCED"
	case command.Op == "AlterConstraint":
		command.Enforced = "NOT ENFORCED"
	case f.kind == enforced:
	case command.Constraint != nil:
		command.Constraint.NotEnforced, command.Constraint.NotValid = true, true
	case command.Column != nil:
		for i := range command.Column.Constraints {
			command.Column.Constraints[i].NotEnforced, command.Column.Constraints[i].NotValid = true, true
		}
	}
}

// identifier is a name as the server folds it.
func identifier(spelled string) string {
	if strings.HasPrefix(spelled, `"`) {
		return strings.ReplaceAll(spelled[1:len(spelled)-1], `""`, `"`)
	}
	return strings.ToLower(spelled)
}
