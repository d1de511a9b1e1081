package policy_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

// finds is a rule that always finds something, of that strictness.
func finds(name string, action policy.Action) policy.Rule {
	return policy.Rule{
		Name: name, Title: "T", Doc: "D", Since: "0.1", Default: policy.Rewrite, Cases: "check\n----\npass\n",
		Run: func(c *policy.Check) { c.Report(policy.Finding{Action: action, Message: name}) },
	}
}

func newSet(t *testing.T, settings policy.Settings, rules ...policy.Rule) *policy.Set {
	t.Helper()
	set, err := policy.NewSet(rules, settings)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func parse(t *testing.T, sql string) ddl.Statement {
	t.Helper()
	stmt, err := ddl.Reparse(sql)
	if err != nil {
		t.Fatal(err)
	}
	return stmt
}

func TestNewSetRefuses(t *testing.T) {
	whole := finds("a-rule", policy.Warn)
	change := func(f func(*policy.Rule)) []policy.Rule {
		rule := whole
		f(&rule)
		return []policy.Rule{rule}
	}
	for _, c := range []struct {
		rules []policy.Rule
		set   policy.Settings
		want  string
	}{
		{change(func(r *policy.Rule) { r.Doc = "" }), policy.Settings{}, "rule a-rule has no documentation"},
		{change(func(r *policy.Rule) { r.Cases = "" }), policy.Settings{}, "rule a-rule has no cases"},
		{change(func(r *policy.Rule) { r.Title = "" }), policy.Settings{}, "rule a-rule has no title"},
		{change(func(r *policy.Rule) { r.Since = "" }), policy.Settings{}, "rule a-rule has no version since which it exists"},
		{change(func(r *policy.Rule) { r.Run = nil }), policy.Settings{}, "rule a-rule has no function"},
		{change(func(r *policy.Rule) { r.Default = policy.Pass }), policy.Settings{}, "rule a-rule has no default action"},
		{change(func(r *policy.Rule) { r.Name = "A_Rule" }), policy.Settings{}, `rule "A_Rule": its name must be lower-case words joined by hyphens`},
		{change(func(r *policy.Rule) { r.Name = "a--rule" }), policy.Settings{}, `rule "a--rule": its name must be lower-case words joined by hyphens`},
		{[]policy.Rule{whole, whole}, policy.Settings{}, "rule a-rule is there twice"},
		{
			[]policy.Rule{finds("index-not-concurrent", policy.Warn), finds("unjudged", policy.Warn)},
			policy.Settings{Actions: map[string]policy.Action{"index-not-concurent": policy.Warn}},
			`there is no rule "index-not-concurent": did you mean "index-not-concurrent"?`,
		},
		{ // near to none
			[]policy.Rule{finds("index-not-concurrent", policy.Warn)},
			policy.Settings{Actions: map[string]policy.Action{"foo": policy.Warn}},
			`there is no rule "foo"`,
		},
	} {
		_, err := policy.NewSet(c.rules, c.set)
		if err == nil || err.Error() != c.want {
			t.Errorf("NewSet says %v, want %s", err, c.want)
		}
	}
}

// The strictest finding wins; the first rule that asks for a rewrite names the recipe.
func TestStrictestWins(t *testing.T) {
	stmt := parse(t, "CREATE INDEX ON t (a)")
	for _, c := range []struct {
		actions []policy.Action
		want    policy.Action
		recipe  string
	}{
		{nil, policy.Pass, ""},
		{[]policy.Action{policy.Warn}, policy.Warn, ""},
		{[]policy.Action{policy.Warn, policy.Rewrite, policy.Warn}, policy.Rewrite, "rule-b"},
		{[]policy.Action{policy.Warn, policy.Rewrite, policy.Rewrite}, policy.Block, "rule-b"}, // no plan does both
		{[]policy.Action{policy.Rewrite, policy.Block, policy.Warn}, policy.Block, "rule-a"},
		{[]policy.Action{policy.Pass}, policy.Rewrite, "rule-a"}, // the default of the rule
	} {
		var rules []policy.Rule
		for i, action := range c.actions {
			rules = append(rules, finds("rule-"+string(rune('a'+i)), action))
		}
		v := newSet(t, policy.Settings{}, rules...).Judge(stmt, facts.Facts{}, policy.Context{})
		if v.Action != c.want || v.Recipe() != c.recipe || len(v.Findings) != len(c.actions) {
			t.Errorf("%v gives %s with recipe %q and %d findings, want %s with %q", c.actions, v.Action, v.Recipe(), len(v.Findings), c.want, c.recipe)
		}
	}
}

// A rule that finds nothing costs no memory: files have thousands of statements, and each is judged by every rule.
func TestQuietRulesAllocateNothing(t *testing.T) {
	var rules []policy.Rule
	for i := range 100 {
		rule := finds("rule-"+strings.Repeat("a", i+1), policy.Warn)
		rule.Run = func(*policy.Check) {}
		rules = append(rules, rule)
	}
	stmt := parse(t, "ALTER TABLE t ADD c int")
	allocations := func(rules []policy.Rule) float64 {
		set := newSet(t, policy.Settings{}, rules...)
		return testing.AllocsPerRun(100, func() { set.Judge(stmt, facts.Facts{}, policy.Context{}) })
	}
	if one, all := allocations(rules[:1]), allocations(rules); all >= one+50 {
		t.Errorf("%v allocations with one rule, %v with %d", one, all, len(rules))
	}
}

func TestConfiguredAction(t *testing.T) {
	stmt := parse(t, "CREATE INDEX ON t (a)")
	for _, c := range []struct{ set, found, want policy.Action }{
		{policy.Off, policy.Block, policy.Pass},
		{policy.Warn, policy.Block, policy.Warn}, {policy.Warn, policy.Rewrite, policy.Warn}, {policy.Warn, policy.Warn, policy.Warn},
		{policy.Rewrite, policy.Block, policy.Block}, {policy.Rewrite, policy.Rewrite, policy.Rewrite}, {policy.Rewrite, policy.Warn, policy.Warn},
		{policy.Block, policy.Block, policy.Block}, {policy.Block, policy.Rewrite, policy.Block}, {policy.Block, policy.Warn, policy.Warn},
	} {
		set := newSet(t, policy.Settings{Actions: map[string]policy.Action{"a-rule": c.set}}, finds("a-rule", c.found))
		if got := set.Judge(stmt, facts.Facts{}, policy.Context{}).Action; got != c.want {
			t.Errorf("a finding of %s, set to %s, is %s, want %s", c.found, c.set, got, c.want)
		}
	}
}

// A recipe that is not for everybody runs where the action rewrite is set for its rule, and nowhere else.
func TestOnDemand(t *testing.T) {
	stmt := parse(t, "CREATE INDEX ON t (a)")
	rule := finds("a-rule", policy.Block)
	rule.Run = func(c *policy.Check) { c.Report(policy.Finding{Action: policy.Block, OnDemand: true}) }
	for _, c := range []struct {
		actions map[string]policy.Action
		want    policy.Action
	}{
		{nil, policy.Block},
		{map[string]policy.Action{"a-rule": policy.Rewrite}, policy.Rewrite},
		{map[string]policy.Action{"a-rule": policy.Warn}, policy.Warn},
		{map[string]policy.Action{"a-rule": policy.Block}, policy.Block},
	} {
		if got := newSet(t, policy.Settings{Actions: c.actions}, rule).Judge(stmt, facts.Facts{}, policy.Context{}).Action; got != c.want {
			t.Errorf("with %v it is %s, want %s", c.actions, got, c.want)
		}
	}
}

// A rule that is off by default runs where the configuration sets another action, and only there.
func TestOffByDefault(t *testing.T) {
	stmt := parse(t, "CREATE INDEX ON t (a)")
	for _, c := range []struct {
		set         map[string]policy.Action
		found, want policy.Action
	}{
		{nil, policy.Block, policy.Pass},
		{nil, policy.Pass, policy.Pass},
		{map[string]policy.Action{"a-rule": policy.Off}, policy.Block, policy.Pass},
		{map[string]policy.Action{"a-rule": policy.Warn}, policy.Pass, policy.Warn},
		{map[string]policy.Action{"a-rule": policy.Rewrite}, policy.Pass, policy.Block},
		{map[string]policy.Action{"a-rule": policy.Rewrite}, policy.Rewrite, policy.Rewrite},
		{map[string]policy.Action{"a-rule": policy.Block}, policy.Pass, policy.Block},
		{map[string]policy.Action{"a-rule": policy.Block}, policy.Warn, policy.Warn},
	} {
		rule := finds("a-rule", c.found)
		rule.Default = policy.Off
		if got := newSet(t, policy.Settings{Actions: c.set}, rule).Judge(stmt, facts.Facts{}, policy.Context{}).Action; got != c.want {
			t.Errorf("a rule that is off finds %s, set to %v: %s, want %s", c.found, c.set, got, c.want)
		}
	}
}

// Whoever allows must say why, and a block takes a login that may; session_user counts, not what SET ROLE made of it.
func TestOverrides(t *testing.T) {
	const asks, counts, reasonless, stranger = "asks", "counts", "reason", "login"
	for _, c := range []struct {
		sql, setting string
		found        policy.Action
		login        string
		want         string
	}{
		{"CREATE INDEX ON t (a)", "", policy.Rewrite, "joe", asks},
		{`/* pgsluice:allow a-rule reason="why" */ CREATE INDEX ON t (a)`, "", policy.Rewrite, "joe", counts},
		{`/* pgsluice:allow b-rule reason="why" */ CREATE INDEX ON t (a)`, "", policy.Rewrite, "joe", asks},
		{`/* pgsluice:allow b-rule,a-rule reason="why" */ CREATE INDEX ON t (a)`, "", policy.Warn, "joe", counts},
		{`/* pgsluice:allow a-rule */ CREATE INDEX ON t (a)`, "", policy.Rewrite, "joe", reasonless},
		{`/* pgsluice:allow a-rule reason="" */ CREATE INDEX ON t (a)`, "", policy.Rewrite, "joe", reasonless},
		{`/* pgsluice:allow a-rule reason="why" */ CREATE INDEX ON t (a)`, "", policy.Block, "joe", stranger},
		{`/* pgsluice:allow a-rule reason="why" */ CREATE INDEX ON t (a)`, "", policy.Block, "dba", counts},
		{`CREATE INDEX ON t (a) WHERE a = '/* pgsluice:allow a-rule reason="why" */'`, "", policy.Rewrite, "joe", asks},
		{"CREATE INDEX ON t (a)", `a-rule reason="why"`, policy.Rewrite, "joe", counts},
		{"CREATE INDEX ON t (a)", `b-rule, a-rule reason="why"`, policy.Rewrite, "joe", counts},
		{"CREATE INDEX ON t (a)", `a-rule`, policy.Rewrite, "joe", reasonless},
		{"CREATE INDEX ON t (a)", `*/ a-rule reason="why"`, policy.Rewrite, "joe", counts},
		{"CREATE INDEX ON t (a)", `a-rule reason="why */ not"`, policy.Rewrite, "joe", counts},
		{"CREATE INDEX ON t (a)", `b-rule reason="x" a-rule reason="why"`, policy.Rewrite, "joe", counts},
		{`/* pgsluice:allow a-rule */ CREATE INDEX ON t (a) /* pgsluice:allow a-rule reason="why" */ WHERE a > 0`, "", policy.Warn, "joe", counts},
		{`/* pgsluice:allow a-rule */ CREATE INDEX ON t (a)`, `a-rule reason="why"`, policy.Warn, "joe", counts},
		{"CREATE INDEX ON t (a)", `a-rule reason="why"`, policy.Block, "joe", stranger},
	} {
		set := newSet(t, policy.Settings{OverrideRoles: []string{"dba"}}, finds("a-rule", c.found))
		known := facts.Facts{Known: true, SessionUser: c.login, CurrentUser: "dba", Settings: map[string]string{"pgsluice.allow": c.setting}}
		v := set.Judge(parse(t, c.sql), known, policy.Context{})
		got := counts
		switch {
		case len(v.Overridden) == 1 && len(v.Findings) == 0 && v.Action == policy.Pass:
		case strings.Contains(v.Findings[0].Message, `without reason="..."`):
			got = reasonless
		case strings.Contains(v.Findings[0].Message, "is not in overrides.roles"):
			got = stranger
		default:
			got = asks
		}
		if got != c.want {
			t.Errorf("%s with setting %q for %s: %s, want %s\n%+v", c.sql, c.setting, c.login, got, c.want, v)
		}
	}
}

func TestParseAction(t *testing.T) {
	for _, action := range []policy.Action{policy.Off, policy.Warn, policy.Rewrite, policy.Block} {
		if got, err := policy.ParseAction(action.String()); got != action || err != nil {
			t.Errorf("%s is read as %s, %v", action, got, err)
		}
	}
	for _, name := range []string{"pass", "Block", "", "allow"} {
		if got, err := policy.ParseAction(name); err == nil {
			t.Errorf("%q is read as %s", name, got)
		}
	}
}

func TestParseCases(t *testing.T) {
	rule := policy.Rule{Cases: "setup\nCREATE TABLE t (a int)\n----\n\n# Why\n# it is so.\ncheck ledger rows=5\nDROP TABLE t\n----\nblock\n  no\n\n# alone\n\ncheck\nSELECT 1\n----\npass\n"}
	want := []policy.Case{
		{Directive: "setup", Args: []string{}, SQL: "CREATE TABLE t (a int)"},
		{Why: "Why it is so.", Directive: "check", Args: []string{"ledger", "rows=5"}, SQL: "DROP TABLE t", Outcome: "block\n  no"},
		{Directive: "check", Args: []string{}, SQL: "SELECT 1", Outcome: "pass"},
	}
	got := rule.ParseCases()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
	if !got[1].Fails() || got[1].Passes() || !got[2].Passes() || got[0].Fails() || got[0].Passes() {
		t.Error("a case is not what its outcome says")
	}
}
