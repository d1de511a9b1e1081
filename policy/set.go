package policy

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// Settings is what a configuration says about the rules. The zero value leaves every rule at its default, counts no table as small, and
// lets nobody override a block.
type Settings struct {
	// Actions are the rules' actions by name. Off takes a rule out, Warn makes all that it finds a warning, Block refuses what
	// it would have rewritten; Rewrite leaves its findings as they are, but for those that are OnDemand: they are rewritten. Any of them but
	// Off puts a rule in force that is off by default.
	Actions map[string]Action
	Small   Small
	// BulkRows is how many rows make an UPDATE, DELETE, MERGE or INSERT a bulk write; with 0 any is one.
	BulkRows int64
	// OverrideRoles are the logins (session_user) whose overrides count against a block.
	OverrideRoles []string
	Exemptions    []Exemption
	Conventions   Conventions
}

// Set is the rules in force. It may be used concurrently.
type Set struct {
	rules      []Rule
	names      []string // of the rules
	settings   Settings
	exemptions []exemption
	version    string
}

// NewSet takes the rules, in the order in which their findings are to be told, and refuses rules that are not whole and settings that name
// a rule which does not exist. What is wrong with exemptions is an ExemptionError each, joined.
func NewSet(rules []Rule, settings Settings) (*Set, error) {
	names := make([]string, 0, len(rules))
	for _, rule := range rules {
		if err := whole(rule); err != nil {
			return nil, err
		}
		if slices.Contains(names, rule.Name) {
			return nil, fmt.Errorf("rule %s is there twice", rule.Name)
		}
		names = append(names, rule.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(settings.Actions)) {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("there is no rule %q%s", name, meant(name, names))
		}
	}
	exemptions, err := exempting(settings.Exemptions, names)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(rules, settings)
	if err != nil {
		return nil, err
	}
	return &Set{rules: slices.Clone(rules), names: names, settings: settings, exemptions: exemptions, version: version}, nil
}

// versionOf is a hash of what a set decides by: the rules with their defaults, and the settings.
func versionOf(rules []Rule, settings Settings) (string, error) {
	type rule struct {
		Name    string
		Default Action
	}
	var all []rule
	for _, r := range rules {
		all = append(all, rule{r.Name, r.Default})
	}
	settings.Exemptions = slices.Clone(settings.Exemptions)
	for i := range settings.Exemptions {
		settings.Exemptions[i].Origin = ""
	}
	text, err := json.Marshal(struct {
		Rules    []rule
		Settings Settings
	}{all, settings})
	if err != nil {
		return "", fmt.Errorf("cannot hash the policy: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:6]), nil
}

// Version names the policy in the audit trail: the same rules under the same settings have the same one, 12 hexadecimal digits.
func (s *Set) Version() string { return s.version }

// Expired are the exemptions that do not count any more at that time.
func (s *Set) Expired(now time.Time) []Exemption {
	var expired []Exemption
	for _, e := range s.exemptions {
		if e.expired(now) {
			expired = append(expired, e.Exemption)
		}
	}
	return expired
}

func whole(rule Rule) error {
	if !kebab(rule.Name) {
		return fmt.Errorf("rule %q: its name must be lower-case words joined by hyphens", rule.Name)
	}
	missing := []struct {
		what string
		is   bool
	}{
		{"title", rule.Title == ""},
		{"documentation", rule.Doc == ""},
		{"version since which it exists", rule.Since == ""},
		{"default action", rule.Default == Pass},
		{"cases", rule.Cases == ""},
		{"function", rule.Run == nil},
	}
	var problems []error
	for _, m := range missing {
		if m.is {
			problems = append(problems, fmt.Errorf("rule %s has no %s", rule.Name, m.what))
		}
	}
	return errors.Join(problems...)
}

func kebab(name string) bool {
	word := false // a letter since the start or the last hyphen
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z':
			word = true
		case c == '-' && word:
			word = false
		default:
			return false
		}
	}
	return word
}

// Rules returns the rules in order, those that are off included.
func (s *Set) Rules() []Rule { return slices.Clone(s.rules) }

// Judge runs every rule over a statement, and over those that stand within it. It asks nobody: the same input gives the same verdict.
func (s *Set) Judge(stmt ddl.Statement, known facts.Facts, where Context) Verdict {
	var verdict Verdict
	doors := overrides(stmt, known)
	doors = append(doors, s.judge(&verdict, stmt, known, where, doors)...)
	verdict.compose()
	if len(verdict.Findings) > 0 {
		verdict.Locks = Locks(stmt, known)
	}
	s.remark(&verdict, doors)
	return verdict
}

// judge adds what is found in a statement, and within it, to the verdict. It returns the overrides that stand within the statement.
func (s *Set) judge(verdict *Verdict, stmt ddl.Statement, known facts.Facts, where Context, doors []Override) []Override {
	in := circumstances{stmt: stmt, known: known, where: where, tables: about(stmt, known)}
	var rule *Rule // the one that runs
	var setting Action
	var set bool
	// One Check serves all rules: it is large, and a file of migrations is thousands of statements.
	check := &Check{
		Stmt: stmt, Facts: known, Context: where, Small: s.settings.Small, BulkRows: s.settings.BulkRows, Conventions: s.settings.Conventions,
		Report: func(f Finding) {
			f.Rule, f.Recipe = rule.Name, cmp.Or(rule.Recipe, rule.Name)
			if f.Action == Pass {
				f.Action = usual(*rule)
			}
			if set {
				f.Action = configured(f, setting)
			}
			s.admit(verdict, where.Inside.placed(f), doors, in)
		},
	}
	for i := range s.rules {
		rule = &s.rules[i]
		setting, set = s.settings.Actions[rule.Name]
		if set && setting == Off || !set && rule.Default == Off {
			continue
		}
		rule.Run(check)
	}
	return s.judgeInner(verdict, stmt, known, where, doors)
}

// BudgetRecipe is the recipe that every other one includes: the short lock_timeout.
const BudgetRecipe = "lock-without-budget"

// compose refuses what asks for another recipe than the first: there is no plan for two hazards that no recipe shares.
func (v *Verdict) compose() {
	recipe := v.Recipe()
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Action != Rewrite || f.Recipe == recipe || f.Recipe == BudgetRecipe {
			continue
		}
		f.Action, v.Action = Block, Block
		f.Message += "; send this as a statement of its own, because the rest of it needs other steps"
	}
}

// usual is the action of a finding that names none.
func usual(rule Rule) Action {
	if rule.Default == Off {
		return Block
	}
	return rule.Default
}

// configured is what becomes of a finding's action under the action that is set for its rule.
func configured(f Finding, setting Action) Action {
	switch {
	case setting == Warn:
		return min(f.Action, Warn)
	case setting == Block && f.Action == Rewrite:
		return Block
	case setting == Rewrite && f.OnDemand:
		return Rewrite
	}
	return f.Action
}

// admit adds a finding to the verdict, unless the configuration exempts it or somebody who may has overridden it.
func (s *Set) admit(verdict *Verdict, f Finding, doors []Override, in circumstances) {
	for _, e := range s.exemptions {
		if !e.mayCover(f) {
			continue
		}
		covers, err := e.covers(f, in)
		switch {
		case err != nil:
			f.Message += fmt.Sprintf(" (the exemption at %s does not count, its condition failed: %v)", e.Origin, err)
		case covers && e.expired(in.where.Now) && in.where.Now.IsZero():
		case covers && e.expired(in.where.Now):
			f.Message += fmt.Sprintf(" (the exemption at %s does not count: it expired on %s)", e.Origin, e.Until.UTC().Format(expiry))
		case covers:
			verdict.override(f, Override{Rules: e.Rules, Reason: e.Reason, Source: "exemption " + e.Origin})
			return
		}
	}
	for _, door := range doors {
		if !slices.Contains(door.Rules, f.Rule) {
			continue
		}
		problem := s.closed(door, f, in.known.SessionUser)
		if problem == "" {
			verdict.override(f, door)
			return
		}
		if f.Action == Rewrite { // nobody would see its message
			verdict.Remarks = append(verdict.Remarks, fmt.Sprintf("%s [%s]", problem, f.Rule))
		}
		f.Message += " (" + problem + ")"
	}
	verdict.Add(f)
}

// expiry is how the end of an exemption is written, in UTC.
const expiry = "2006-01-02 15:04:05 UTC"

// closed is why an override does not count for a finding; "" when it does.
func (s *Set) closed(door Override, f Finding, login string) string {
	switch {
	case door.Reason == "":
		return fmt.Sprintf(`the override in the %s does not count without reason="..."`, door.Source)
	case f.Action == Block && !slices.Contains(s.settings.OverrideRoles, login):
		return fmt.Sprintf("the override in the %s does not count: login %q is not in overrides.roles", door.Source, login)
	}
	return ""
}

// remark notes which overrides name no rule, and which were not needed.
func (s *Set) remark(verdict *Verdict, doors []Override) {
	found := rulesIn(verdict.Findings, verdict.Overridden)
	for _, door := range doors {
		for _, rule := range door.Rules {
			switch {
			case !slices.Contains(s.names, rule):
				verdict.Remarks = append(verdict.Remarks,
					fmt.Sprintf("there is no rule %q, which the override in the %s names%s", rule, door.Source, meant(rule, s.names)))
			case door.Source == "comment" && !slices.Contains(found, rule):
				verdict.Unneeded = append(verdict.Unneeded, rule)
			}
		}
	}
}

// meant is the rule that a misspelt name is near to, as the end of a sentence; "" if there is none.
func meant(name string, rules []string) string {
	if near := near(name, rules); near != "" {
		return fmt.Sprintf(": did you mean %q?", near)
	}
	return ""
}

// near is the name that a misspelt one is near enough to, "" if there is none.
func near(name string, names []string) string {
	if near := nearest(name, names); distance(name, near) <= len(name)/3 {
		return near
	}
	return ""
}

func rulesIn(lists ...[]Finding) []string {
	var rules []string
	for _, f := range slices.Concat(lists...) {
		rules = append(rules, f.Rule)
	}
	return rules
}

// override notes a finding that an override took out of force.
func (v *Verdict) override(f Finding, by Override) {
	f.Override = &by
	v.Overridden = append(v.Overridden, f)
}

// Add puts one more finding into force.
func (v *Verdict) Add(f Finding) {
	v.Findings = append(v.Findings, f)
	v.Action = max(v.Action, f.Action)
}

// Recipe is the name of the recipe that the verdict asks for: that of the first finding that asks for a rewrite, the lock budget last, since all
// others include it. "" if none does.
func (v Verdict) Recipe() string {
	recipe := ""
	for _, f := range v.Findings {
		switch {
		case f.Action != Rewrite:
		case f.Recipe != BudgetRecipe:
			return f.Recipe
		default:
			recipe = BudgetRecipe
		}
	}
	return recipe
}

// nearest is the name with the fewest letters changed.
func nearest(name string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := corner
			if a[i] != b[j] {
				change++
			}
			corner = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
