package lint

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/rewrite"
)

// Knowledge is what there is to know beside the files: a server, or a snapshot of one.
type Knowledge interface {
	// Known answers about the names, those without a schema looked up along the search path; nil is the server's own.
	Known(ctx context.Context, wanted []facts.Wanted, searchPath []string) (facts.Facts, error)
}

// Judge judges statements. Its zero value has no rules and finds nothing.
type Judge struct {
	Rules *policy.Set
	// Knowledge is nil when no fact is known.
	Knowledge Knowledge
	// Version is server_version_num where Knowledge does not say; 0 is unknown.
	Version int
	// Ledger is true where work can be deferred behind a COMMIT.
	Ledger bool
	// PerFile makes a table new only in the file that makes it, and not in those that come after it in the run.
	PerFile bool
	// Tool runs every file; nil finds out from each.
	Tool *Tool
	// Now is the time, by which exemptions expire; zero is not known.
	Now time.Time
	// Anybody's override counts: the files are reviewed, and who will run them is not known.
	Anybody bool
	// Live judges as the proxy would on a connection, and adds what would run in the place of a statement.
	Live bool

	loss     map[string]bool // the rules whose findings are expected on the way back
	destroys map[string]bool // the rules about what is gone for good
}

// Judged is one statement with what was found.
type Judged struct {
	Path string `json:"path,omitempty"`
	// Line and Column are where it begins, EndLine and EndColumn just behind its end; all from 1, columns in characters.
	Line      int `json:"line"`
	Column    int `json:"column"`
	EndLine   int `json:"end_line"`
	EndColumn int `json:"end_column"`
	// Part is what of the file it belongs to: "up", "down", a changeset; "" for the whole file.
	Part string `json:"part,omitempty"`
	Down bool   `json:"down,omitempty"`
	// Tool runs the file.
	Tool          string `json:"tool,omitempty"`
	InTransaction bool   `json:"in_transaction"`
	Statement     string `json:"statement"`
	// Unread is why it could not be read; "" when it could.
	Unread     string    `json:"unread,omitempty"`
	Verdict    string    `json:"verdict"`
	Findings   []Finding `json:"findings"`
	Overridden []Finding `json:"overridden,omitempty"`
	// Remarks are what is wrong with the overrides that were given, of a Judge that is Live.
	Remarks []string `json:"remarks,omitempty"`
	// Locks are those that others notice, on what others may be using.
	Locks []Lock `json:"locks,omitempty"`
	// Plan is nil when the statement goes to the server as it is, or not at all; NoPlan is why there is none although there should be.
	Plan   *Plan  `json:"plan,omitempty"`
	NoPlan string `json:"no_plan,omitempty"`

	source     *Source
	allowances []*allowance
	unused     []Finding // notes on overrides
	// refusedLine and refusedColumn are where the grammar gave up; 0 if it did not.
	refusedLine, refusedColumn int
	excused                    bool // an override allows it not to be read
	hidden                     bool // it would have findings, had a table not been made by another file of the run
}

// Finding is what one rule found.
type Finding struct {
	Rule    string `json:"rule"`
	Action  string `json:"action"`
	Message string `json:"message"`
	Detail  string `json:"detail,omitempty"`
	Hint    string `json:"hint,omitempty"`
	Unknown string `json:"unknown,omitempty"`
	// Fix is the SQL to write instead, a statement a line or more; "" if there is none.
	Fix string `json:"fix,omitempty"`
	// Override is what took it out of force, Reason why; "" for a finding in force.
	Override string `json:"override,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Destructive is true where rows or values are gone for good.
	Destructive bool `json:"destructive,omitempty"`

	at    place  // of an override's comment, or of a statement within the statement; zero stands for the statement
	inner string // the statement within the statement
}

// place is a part of a file: from a line and column up to just behind another, as in Judged.
type place struct{ line, column, endLine, endColumn int }

func (s *Source) place(start, end int) (p place) {
	p.line, p.column = s.Position(start)
	p.endLine, p.endColumn = s.Position(end)
	return p
}

// place is where a finding in it is.
func (judged *Judged) place(f Finding) place {
	if f.at != (place{}) {
		return f.at
	}
	return place{judged.Line, judged.Column, judged.EndLine, judged.EndColumn}
}

// about is the text that a finding in it is about.
func (judged *Judged) about(f Finding) string { return cmp.Or(f.inner, judged.Statement) }

// Lock is a lock of a statement.
type Lock struct {
	Relation string `json:"relation"`
	Mode     string `json:"mode"`
	Waits    string `json:"waits"` // who waits behind it
}

// Plan is what would run in the place of a statement.
type Plan struct {
	Recipe string `json:"recipe"`
	Steps  []Step `json:"steps"`
}

// Step is one step of a plan.
type Step struct {
	SQL   string        `json:"sql"`
	Where rewrite.Where `json:"where"`
	// Budget is true for a step that takes its lock in short tries.
	Budget bool `json:"budget"`
}

// Report is what came of a run.
type Report struct {
	Files    int
	Judged   []Judged // every statement, in the order of the files
	Problems []Problem
	Notes    []Note
	NotRead  []string
	// Fallback is how many files were read as psql's because nothing says whose they are.
	Fallback int
	// Hidden is how many statements have findings only if what other files of the run make is not new.
	Hidden int

	paths []string
}

// Text judges statements that stand in no file, as psql would send them.
func (j *Judge) Text(ctx context.Context, text string, inTx bool) (*Report, error) {
	if strings.TrimSpace(text) == "" {
		return &Report{}, nil
	}
	s, err := NewSource("", text)
	if err != nil {
		return nil, err
	}
	tool := *ToolNamed("psql")
	if inTx {
		tool.sent = Inside
	}
	alone := *j
	alone.Tool = &tool
	report, err := alone.Files(ctx, []*Source{s})
	if err != nil {
		return nil, err
	}
	for i := range report.Judged {
		report.Judged[i].Tool = ""
	}
	return report, nil
}

// Files judges files in the order in which they are run.
func (j *Judge) Files(ctx context.Context, sources []*Source) (*Report, error) {
	j.loss, j.destroys = map[string]bool{}, map[string]bool{}
	for _, rule := range j.Rules.Rules() {
		j.loss[rule.Name], j.destroys[rule.Name] = rule.Loss, rule.Destroys
	}
	scripts := make([]*script, len(sources))
	tools := Tools()
	inParallel(len(sources), func(i int) {
		tool := j.Tool
		if tool == nil {
			tool = toolOf(tools, sources[i])
		}
		scripts[i] = read(sources[i], tool)
	})
	report := &Report{Files: len(sources)}
	for _, s := range sources {
		report.paths = append(report.paths, s.Path)
	}
	var tasks []task
	w := newWorld()
	for i, s := range scripts {
		if j.PerFile {
			w = newWorld()
		}
		w.connect()
		if s.failed != nil {
			report.Problems = append(report.Problems, *s.failed)
			continue
		}
		if j.Tool == nil && s.tool == tools[len(tools)-1] {
			report.Fallback++
		}
		report.Notes = append(report.Notes, s.notes...)
		some, err := j.follow(ctx, s, w, i)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, some...)
	}
	report.Judged = make([]Judged, len(tasks))
	inParallel(len(tasks), func(i int) { report.Judged[i] = j.one(&tasks[i]) })
	report.problems(j.Rules)
	report.leftovers(scripts)
	return report, nil
}

// inParallel does n things on as many threads as there are processors.
func inParallel(n int, do func(int)) {
	next := make(chan int)
	var all sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		all.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
}

// task is a statement and what is known when it is run.
type task struct {
	script *script
	part   *readPart
	stmt   *readStatement
	known  facts.Facts
	// without are the facts if nothing that another file makes were new; nil where that makes no difference.
	without *facts.Facts
	inTx    bool
	managed bool // the tool has begun the transaction
	// own is true when all that it takes away was made by the files.
	own bool
	// ahead are the statements behind it in its part.
	ahead []ddl.Statement
	// allowed are the overrides in the statement's comments.
	allowed []*allowance
	// hints are those that have been read.
	hints map[string]hint
}

// hint is a finding's hint, parted into the SQL to type, with which it begins if it has any, and words.
type hint struct {
	sql, words string
	statements []ddl.Statement // of the SQL
}

// follow goes through a script as its tool does.
func (j *Judge) follow(ctx context.Context, s *script, w *world, file int) ([]task, error) {
	var tasks []task
	up := w
	for i := range s.parts {
		part := &s.parts[i]
		if w = up; part.Down {
			w = newWorld() // by the time of a way back, what the way forth made is in use
		}
		together := part.Sent == Together && len(part.statements) > 1
		if part.Sent == Inside {
			w.begin()
			w.begun, w.managed = true, true
		}
		all := part.all()
		for k := range part.statements {
			stmt := &part.statements[k]
			known, without, err := j.known(ctx, w, stmt.Statement, file)
			if err != nil {
				return nil, err
			}
			inTx := w.inTx || together
			if _, control := stmt.Action.(ddl.Transaction); control {
				inTx = w.begun // the server takes BEGIN and COMMIT in one message with others as if they stood alone
			}
			tasks = append(tasks, task{
				script: s, part: part, stmt: stmt, known: known, without: without, inTx: inTx, managed: w.managed, own: w.own(stmt.Statement),
				ahead: all[k+1:], allowed: part.allowancesOf(stmt),
			})
			if together {
				w.begin()
			}
			w.follow(stmt.Statement, file, func(name ddl.Name) *facts.Relation { return known.Relations[facts.Key(name.Schema, name.Name)] })
		}
		w.commit()
	}
	return tasks, nil
}

// known is what is known about the names of a statement.
func (j *Judge) known(ctx context.Context, w *world, s ddl.Statement, file int) (known facts.Facts, without *facts.Facts, err error) {
	base := facts.Facts{Version: j.Version, Standbys: -1}
	wanted := facts.For(s)
	var names []ddl.Name
	for _, want := range wanted {
		names = append(names, want.Name)
	}
	for _, ref := range s.Refs {
		names = append(names, ref.Name)
	}
	switch action := s.Action.(type) { // what a proxy may not, or need not, ask about
	case ddl.CreateTable:
		wanted = append(wanted, facts.Wanted{Name: action.Table})
	case ddl.LockTable:
		for _, ref := range s.Refs {
			wanted = append(wanted, facts.Wanted{Name: ref.Name})
		}
	}
	if j.Knowledge != nil {
		asked := slices.Clone(wanted)
		for i := range asked {
			if before, renamed := w.renamed[w.key(asked[i].Name)]; renamed {
				asked[i].Name = before
			}
		}
		if base, err = j.Knowledge.Known(ctx, asked, w.searchPath); err != nil {
			return facts.Facts{}, nil, err
		}
		for i := range asked {
			if r, ok := base.Relations[facts.Key(asked[i].Name.Schema, asked[i].Name.Name)]; ok {
				base.Relations[facts.Key(wanted[i].Name.Schema, wanted[i].Name.Name)] = r
			}
		}
	}
	if j.Anybody {
		base.SessionUser = ""
	}
	w.addFunctions(&base, wanted)
	known, elsewhere := w.known(base, names, file)
	w.addDomains(&known, s)
	if alter, ok := s.Action.(ddl.AlterTable); ok && alter.Object == "DOMAIN" && w.own(s) {
		known.Known = true
		known.Types = map[string]*facts.Type{facts.TypeKey(alter.Table.Schema, alter.Table.Name, false): {
			Schema: alter.Table.Schema, Name: alter.Table.Name, Kind: "d", MayAlter: true, CreatedHere: true, Users: []facts.TypeUser{},
		}}
	}
	if elsewhere {
		without = &base
	}
	return known, without, nil
}

// one judges one statement.
func (j *Judge) one(t *task) Judged {
	source, s := t.script.source, t.stmt
	judged := Judged{
		Path: source.Path, Part: t.part.Name, Down: t.part.Down, Tool: t.script.tool.Name, InTransaction: t.inTx,
		Statement: source.Text[s.at:s.end], source: source, allowances: t.allowed,
	}
	judged.Line, judged.Column = source.Position(s.at)
	judged.EndLine, judged.EndColumn = source.Position(s.end)
	where := policy.Context{
		InTransaction: t.inTx, Ledger: j.Ledger, Revision: t.known.Settings["pgsluice.revision"], Now: j.Now,
		File: !j.Live, Managed: t.managed, Exit: t.script.tool.Exit, Ahead: t.ahead,
	}
	verdict := j.Rules.Judge(s.Statement, t.known, where)
	switch {
	case t.part.Down:
		verdict = j.wayBack(verdict)
	case t.own:
		verdict = j.withoutLoss(verdict)
	}
	if !j.Live {
		verdict.Findings = j.uncovered(verdict.Findings, t, where)
	}
	j.fill(&judged, verdict, t)
	if t.without != nil && verdict.Action == policy.Pass {
		judged.hidden = j.Rules.Judge(s.Statement, *t.without, where).Action > policy.Pass
	}
	if s.refused != nil {
		judged.refusedLine, judged.refusedColumn = source.Position(s.refused.Position)
	}
	judged.allowed(j.Rules)
	return judged
}

// wayBack is the verdict on a statement of a way back: what is lost there was made by the way forth.
func (j *Judge) wayBack(v policy.Verdict) policy.Verdict {
	kept := policy.Verdict{Overridden: v.Overridden, Remarks: v.Remarks}
	for _, f := range v.Findings {
		if j.loss[f.Rule] {
			f.Override = &policy.Override{Rules: []string{f.Rule}, Reason: "expected on the way back", Source: "part"}
			kept.Overridden = append(kept.Overridden, f)
		} else {
			kept.Add(f)
		}
	}
	return kept
}

// withoutLoss is the verdict on a statement that takes away only what the files themselves have made.
func (j *Judge) withoutLoss(v policy.Verdict) policy.Verdict {
	kept := policy.Verdict{Overridden: v.Overridden, Remarks: v.Remarks}
	for _, f := range v.Findings {
		if !j.loss[f.Rule] {
			kept.Add(f)
		}
	}
	return kept
}

// uncovered leaves out what is settled by the safe form that an earlier finding of the same statement proposes: it is not worth a second line.
func (j *Judge) uncovered(found []policy.Finding, t *task, where policy.Context) []policy.Finding {
	var kept []policy.Finding
	for len(found) > 0 {
		n := 1
		for n < len(found) && found[n].Place == found[0].Place {
			n++
		}
		kept = append(kept, j.uncoveredOf(found[:n], t, where)...)
		found = found[n:]
	}
	return kept
}

// uncoveredOf does it for what was found in one statement. A finding that is not settled keeps its message, but no safe form of its own, which
// would be one of two.
func (j *Judge) uncoveredOf(found []policy.Finding, t *task, where policy.Context) []policy.Finding {
	if len(found) < 2 {
		return found
	}
	statements := t.typed(found[0].Hint).statements
	if len(statements) == 0 {
		return found
	}
	where.InTransaction = false
	left := map[string]bool{}
	for _, s := range statements {
		for _, f := range j.Rules.Judge(s, t.known, where).Findings {
			left[f.Rule] = true
		}
	}
	kept := found[:1:1]
	for _, f := range found[1:] {
		if left[f.Rule] || f.Action > found[0].Action {
			f.Hint = t.typed(f.Hint).words
			kept = append(kept, f)
		}
	}
	return kept
}

// fill takes over the verdict, the locks, and the plan.
func (j *Judge) fill(judged *Judged, verdict policy.Verdict, t *task) {
	judged.Verdict = verdict.Action.String()
	judged.Findings, judged.Overridden = t.findings(verdict.Findings, j.destroys), t.findings(verdict.Overridden, j.destroys)
	if j.Live {
		judged.Remarks = verdict.Remarks
	}
	if unparsed, ok := t.stmt.Action.(ddl.Unparsed); ok {
		judged.Unread = unparsed.Reason
	}
	for _, lock := range policy.Locks(t.stmt.Statement, t.known) {
		judged.Locks = append(judged.Locks, Lock(lock))
	}
	if j.Live && verdict.Action == policy.Rewrite {
		judged.plan(t, verdict.Recipe())
	}
}

func (t *task) findings(found []policy.Finding, destroys map[string]bool) []Finding {
	list := []Finding{}
	for _, f := range found {
		hint := t.typed(f.Hint)
		one := Finding{
			Rule: f.Rule, Action: f.Action.String(), Message: f.Message, Detail: f.Detail, Hint: hint.words, Unknown: f.Unknown, Fix: hint.sql,
			Destructive: destroys[f.Rule],
		}
		if f.Override != nil {
			one.Override, one.Reason = f.Override.Source, f.Override.Reason
		}
		if f.Place != (ddl.Span{}) {
			one.at = t.script.source.place(t.stmt.at+f.Place.Start, t.stmt.at+f.Place.End)
			one.inner = t.stmt.Text[f.Place.Start:f.Place.End]
		}
		list = append(list, one)
	}
	return list
}

// typed is typed of a hint that may be asked about again.
func (t *task) typed(text string) hint {
	read, known := t.hints[text]
	if !known {
		read = typed(text)
		if t.hints == nil {
			t.hints = map[string]hint{}
		}
		t.hints[text] = read
	}
	return read
}

// typed reads a hint.
func typed(text string) hint {
	lines := strings.Split(text, "\n")
	for n := len(lines); n > 0; n-- {
		sql := strings.Join(lines[:n], "\n")
		if !strings.HasSuffix(strings.TrimSpace(sql), ";") {
			continue
		}
		if statements, err := ddl.Parse(sql); err == nil && len(statements) > 0 {
			return hint{sql: sql, words: strings.Join(lines[n:], "\n"), statements: statements}
		}
	}
	return hint{words: text}
}

func (judged *Judged) plan(t *task, recipe string) {
	plan, err := rewrite.Build(t.stmt.Statement, t.known, recipe)
	if err != nil {
		judged.NoPlan = err.Error()
		return
	}
	judged.Plan = &Plan{Recipe: plan.Recipe, Steps: []Step{}}
	for _, step := range plan.Steps {
		where := step.Where
		if t.inTx && where == rewrite.Alone {
			where = "after commit, alone"
		}
		judged.Plan.Steps = append(judged.Plan.Steps, Step{SQL: strings.Join(step.Statements(), "; "), Where: where, Budget: step.Budget})
	}
}

// problems tells of the statements that could not be read, unless somebody answers for them: by an override, or by switching the rule
// for them off.
func (r *Report) problems(rules *policy.Set) {
	unreadable := ddl.Statement{Text: "CREATE", Action: ddl.Unparsed{}}
	if len(rules.Judge(unreadable, facts.Facts{}, policy.Context{}).Findings) == 0 {
		return
	}
	for i := range r.Judged {
		if judged := &r.Judged[i]; judged.Unread != "" && !judged.excused {
			r.Problems = append(r.Problems, Problem{
				Path: judged.Path, Line: judged.refusedLine, Column: judged.refusedColumn, Message: judged.Unread,
			})
		}
	}
}
