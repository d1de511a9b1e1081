package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// Settings is what a configuration says about the rules. The zero value leaves every rule at its default, counts no table as small, and
// lets nobody override a block.
type Settings struct {
	// Actions are the rules' actions by name. Off takes a rule out, Warn makes all that it finds a warning, Block refuses what
	// it would have rewritten; Rewrite leaves its findings as they are.
	Actions map[string]Action
	Small   Small
	// OverrideRoles are the logins (session_user) whose overrides count against a block.
	OverrideRoles []string
}

// Set is the rules in force. It may be used concurrently.
type Set struct {
	rules    []Rule
	settings Settings
}

// NewSet takes the rules, in the order in which their findings are to be told, and refuses rules that are not whole and settings that name
// a rule which does not exist.
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
			return nil, fmt.Errorf("there is no rule %q: did you mean %q?", name, nearest(name, names))
		}
	}
	return &Set{rules: slices.Clone(rules), settings: settings}, nil
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
		{"default action", rule.Default <= Pass},
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
	s.judge(&verdict, stmt, known, where, overrides(stmt, known, where))
	return verdict
}

func (s *Set) judge(verdict *Verdict, stmt ddl.Statement, known facts.Facts, where Context, doors []Override) {
	for _, rule := range s.rules {
		setting, set := s.settings.Actions[rule.Name]
		if set && setting == Off {
			continue
		}
		rule.Run(&Check{
			Stmt: stmt, Facts: known, Context: where, Small: s.settings.Small,
			Report: func(f Finding) {
				f.Rule = rule.Name
				if f.Action == Pass {
					f.Action = rule.Default
				}
				if set {
					f.Action = configured(f.Action, setting)
				}
				s.admit(verdict, where.Inside.placed(f), doors, known.SessionUser)
			},
		})
	}
	s.judgeInner(verdict, stmt, known, where, doors)
}

// configured is what becomes of a finding's action under the action that is set for its rule.
func configured(found, setting Action) Action {
	switch {
	case setting == Warn:
		return min(found, Warn)
	case setting == Block && found == Rewrite:
		return Block
	}
	return found
}

// admit adds a finding to the verdict, unless somebody who may has overridden it.
func (s *Set) admit(verdict *Verdict, f Finding, doors []Override, login string) {
	for _, door := range doors {
		if !slices.Contains(door.Rules, f.Rule) {
			continue
		}
		if door.Reason == "" {
			f.Message += fmt.Sprintf(` (the override in the %s does not count without reason="...")`, door.Source)
			continue
		}
		if f.Action == Block && !slices.Contains(s.settings.OverrideRoles, login) {
			f.Message += fmt.Sprintf(" (the override in the %s does not count: login %q is not in overrides.roles)", door.Source, login)
			continue
		}
		verdict.Overridden = append(verdict.Overridden, f)
		return
	}
	verdict.Add(f)
}

// Add puts one more finding into force.
func (v *Verdict) Add(f Finding) {
	v.Findings = append(v.Findings, f)
	v.Action = max(v.Action, f.Action)
}

// Recipe is the name of the recipe that the verdict asks for: that of the first rule that asks for a rewrite. "" if none does.
func (v Verdict) Recipe() string {
	for _, f := range v.Findings {
		if f.Action == Rewrite {
			return f.Rule
		}
	}
	return ""
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
