package lint

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Width is how wide a report for people is.
const Width = 80

// Style is how a report for people looks.
type Style struct {
	// Color is true on a terminal that wants colours.
	Color bool
	// Known is true when facts were at hand; without them the report says where they come from.
	Known bool
	// Explain shows every statement, those without findings included, with its verdict and its plan.
	Explain bool
}

// printer writes a report for people.
type printer struct {
	Style
	out strings.Builder
}

// Human writes a report for people: each statement with something to say of it, and a summary.
func Human(w io.Writer, r *Report, style Style) error {
	p := &printer{Style: style}
	for i := range r.Judged {
		p.statement(&r.Judged[i])
	}
	for _, problem := range r.Problems {
		p.problem(problem)
	}
	for _, n := range r.Notes {
		p.wrapped("", fmt.Sprintf("%s:%d: note: %s", n.Path, n.Line, n.Text))
	}
	if len(r.Notes) > 0 {
		p.line("")
	}
	p.summary(r)
	_, err := io.WriteString(w, p.out.String())
	return err
}

// Explain writes what would become of statements that stand in no file.
func Explain(w io.Writer, r *Report, style Style) error {
	style.Explain = true
	p := &printer{Style: style}
	if len(r.Judged) == 0 {
		p.line("There is no statement in this text.")
	}
	for i := range r.Judged {
		if i > 0 {
			p.line("")
		}
		p.explained(&r.Judged[i])
	}
	_, err := io.WriteString(w, p.out.String())
	return err
}

func (p *printer) line(text string) { p.out.WriteString(strings.TrimRight(text, " ") + "\n") }

// Colours, as terminals number them.
const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
	dim    = "2"
)

func (p *printer) color(code, text string) string {
	if !p.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// wrapped writes a paragraph a line of the text, broken at the width.
func (p *printer) wrapped(indent, text string) {
	for paragraph := range strings.Lines(text) {
		for _, line := range Broken(paragraph, Width-len(indent)) {
			p.line(indent + line)
		}
	}
}

// Broken is text in lines of at most so many characters; a longer word has a line of its own.
func Broken(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

func actionColor(action string) string {
	switch action {
	case "block":
		return red
	case "note", "pass":
		return dim
	}
	return yellow
}

// remarks are what is to be known of a finding beside its rule, in brackets; "" for nothing.
func remarks(j *Judged, f Finding) string {
	var words []string
	if j.Part != "" {
		words = append(words, j.Part)
	}
	if f.Destructive {
		words = append(words, "destructive")
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

// statement writes what was found in one statement of a file.
func (p *printer) statement(j *Judged) {
	if len(j.Findings) == 0 && len(j.unused) == 0 {
		return
	}
	var shown place
	for _, f := range append(append([]Finding{}, j.Findings...), j.unused...) {
		at := j.place(f)
		p.line(p.color(bold, fmt.Sprintf("%s:%d:%d:", j.Path, at.line, at.column)) + " " + p.color(actionColor(f.Action), f.Action) + " " + f.Rule + remarks(j, f))
		if at != shown && f.Action != "note" {
			p.out.WriteString(excerpt(j.source, at, Width))
			shown = at
		}
		p.finding("  ", j, f)
	}
	p.locks("  ", j)
	p.line("")
}

// finding writes one finding, the safe form as a change of the statement.
func (p *printer) finding(indent string, j *Judged, f Finding) {
	p.wrapped(indent, f.Message)
	if f.Detail != "" {
		p.wrapped(indent, f.Detail)
	}
	if f.Fix != "" {
		p.change(indent, j.about(f)+";", f.Fix)
	}
	if f.Hint != "" {
		p.wrapped(indent, f.Hint)
	}
	if f.Unknown != "" {
		where := ""
		if !p.Known && !p.Explain {
			where = " (--dsn DSN or --stats FILE knows)"
		}
		p.wrapped(indent, "Not known, and it would decide: "+f.Unknown+where+".")
	}
}

// change shows a text and what to write instead. It is not broken, so that it can be copied. Of a long text only what comes before it is shown.
func (p *printer) change(indent, from, to string) {
	if before, ok := strings.CutSuffix(to, from); ok && strings.Contains(from, "\n") {
		for line := range strings.Lines(before) {
			p.line(indent + p.color(green, "+ "+strings.TrimRight(line, "\r\n")))
		}
		first, _, _ := strings.Cut(from, "\n")
		p.line(indent + "  " + cut(strings.TrimRight(first, "\r"), Width-len(indent)-6) + " ...")
		return
	}
	for _, side := range []struct{ mark, color, text string }{{"- ", red, from}, {"+ ", green, to}} {
		for line := range strings.Lines(side.text) {
			p.line(indent + p.color(side.color, side.mark+strings.TrimRight(line, "\r\n")))
		}
	}
}

func (p *printer) locks(indent string, j *Judged) {
	for _, lock := range j.Locks {
		p.line(indent + fmt.Sprintf("locks %s: %s, %s", lock.Relation, lock.Mode, lock.Waits))
	}
}

// shownLines is how much of a statement an excerpt shows.
const shownLines = 6

// excerpt is a place in its file, its lines numbered, with carets under the first.
func excerpt(s *Source, at place, width int) string {
	var out strings.Builder
	last := min(at.endLine, at.line+shownLines-1)
	digits := len(fmt.Sprint(last))
	for n := at.line; n <= last; n++ {
		line := strings.ReplaceAll(s.Line(n), "\t", "    ")
		out.WriteString(strings.TrimRight(fmt.Sprintf("  %*d | %s", digits, n, cut(line, width-digits-5)), " ") + "\n")
		if n > at.line {
			continue
		}
		before := utf8.RuneCountInString(expanded(s.Line(n), at.column-1))
		under := utf8.RuneCountInString(strings.TrimRight(line, " ")) - before
		if at.endLine == at.line {
			under = utf8.RuneCountInString(expanded(s.Line(n), at.endColumn-1)) - before
		}
		under = min(under, width-digits-5-before)
		if under > 0 {
			fmt.Fprintf(&out, "  %*s | %s%s\n", digits, "", strings.Repeat(" ", before), strings.Repeat("^", under))
		}
	}
	if last < at.endLine {
		fmt.Fprintf(&out, "  %*s | ... (to line %d)\n", digits, "", at.endLine)
	}
	return out.String()
}

// expanded is the first characters of a line, tabs as four spaces.
func expanded(line string, characters int) string {
	runes := []rune(line)
	return strings.ReplaceAll(string(runes[:min(characters, len(runes))]), "\t", "    ")
}

// cut shortens a line to so many characters.
func cut(line string, width int) string {
	runes := []rune(line)
	if len(runes) <= width {
		return line
	}
	return string(runes[:width-3]) + "..."
}

func (p *printer) problem(problem Problem) {
	at := problem.Path
	if problem.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", at, problem.Line, problem.Column)
	}
	for i, line := range Broken(at+": error: "+problem.Message, Width) {
		if i == 0 {
			line = strings.Replace(line, "error:", p.color(red, "error:"), 1)
		}
		p.line(line)
	}
	p.line("")
}

// summary says what was looked at and what was not.
func (p *printer) summary(r *Report) {
	found, allowed, unread := map[string]int{}, 0, 0
	for _, j := range r.Judged {
		allowed += len(j.Overridden)
		for _, f := range j.Findings {
			found[f.Action]++
		}
		if j.Unread != "" {
			unread++
		}
	}
	text := fmt.Sprintf("%s in %s", count(len(r.Judged), "statement"), count(r.Files, "file"))
	switch total := found["block"] + found["rewrite"] + found["warn"]; total {
	case 0:
		text += ": no findings"
	default:
		text += fmt.Sprintf(": %s (%d block, %d rewrite, %d warn)", count(total, "finding"), found["block"], found["rewrite"], found["warn"])
	}
	if allowed > 0 {
		text += fmt.Sprintf(", %d allowed", allowed)
	}
	p.wrapped("", text+".")
	if unread > 0 {
		p.wrapped("", fmt.Sprintf("%d of %s could not be read.", unread, count(len(r.Judged), "statement")))
	}
	if r.Hidden > 0 {
		p.wrapped("", fmt.Sprintf("%s would have findings if what other files of this run make were in use already: --new-tables file tells them.",
			count(r.Hidden, "statement")))
	}
	if r.Fallback > 0 {
		p.wrapped("", fmt.Sprintf("%s read as psql's, since nothing says which tool runs them: --tool NAME does.", count(r.Fallback, "file")))
	}
	if len(r.NotRead) > 0 {
		p.wrapped("", fmt.Sprintf("Not read, because not named *.sql: %s.", listed(r.NotRead, 5)))
	}
}

func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// listed is the first few names, and how many more there are.
func listed(names []string, few int) string {
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// explained writes one statement with its verdict, locks and plan.
func (p *printer) explained(j *Judged) {
	p.line(strings.TrimSpace(j.Statement))
	p.line("")
	p.line("  " + p.color(actionColor(j.Verdict), meaning(j.Verdict)))
	if j.Unread != "" {
		p.wrapped("  ", "It could not be read: "+j.Unread)
	}
	p.locks("  ", j)
	for _, f := range j.Findings {
		p.line("")
		p.line("  " + f.Rule + " (" + f.Action + ")")
		p.finding("    ", j, f)
	}
	for _, f := range j.Overridden {
		p.line("")
		p.wrapped("  ", fmt.Sprintf("overridden: %s (%s), by the %s", f.Rule, f.Action, f.Override))
		p.wrapped("    ", "Reason: "+f.Reason)
	}
	for _, remark := range j.Remarks {
		p.line("")
		p.wrapped("  ", remark)
	}
	p.plan(j)
}

// meaning says what a verdict means.
func meaning(verdict string) string {
	switch verdict {
	case "warn":
		return "WARN: it goes to the server as it is, with a warning"
	case "rewrite":
		return "REWRITE: a safe form runs in its place"
	case "block":
		return "BLOCK: it is refused"
	}
	return "PASS: it goes to the server as it is"
}

func (p *printer) plan(j *Judged) {
	switch {
	case j.NoPlan != "" && p.Known:
		p.line("")
		p.wrapped("  ", "It would be refused all the same: "+j.NoPlan)
	case j.NoPlan != "":
		p.line("")
		p.line("  The plan needs a server to ask: add --dsn DSN.")
	case j.Plan != nil:
		p.line("")
		p.line("  In its place runs:")
		for i, step := range j.Plan.Steps {
			where := string(step.Where)
			if step.Budget {
				where += ", its lock taken in short tries"
			}
			p.line(fmt.Sprintf("    %d. %s;", i+1, strings.TrimSpace(step.SQL)))
			p.line("       (" + where + ")")
		}
	}
}

// withoutSemicolon is SQL that goes where a statement without its semicolon stood.
func withoutSemicolon(sql string) string {
	return strings.TrimSuffix(strings.TrimRight(sql, " \n"), ";")
}
