package ddl_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// The verdict of no statement of any rule's cases, and of none of the corpora, depends on how it is spelled.
func TestVerdictsDoNotDependOnSpelling(t *testing.T) {
	set, err := policy.NewSet(rules.All(), policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 0))
	judged, found := 0, 0
	for _, text := range judgedTexts(t) {
		want, ok := verdict(set, text)
		if !ok {
			continue
		}
		for range 5 {
			spelled := ddl.Respell(random, text)
			got, ok := verdict(set, spelled)
			if !ok || got != want {
				t.Errorf("%s for\n%s\n%s for\n%s", want, text, got, spelled)
				break
			}
		}
		judged++
		if want != "pass " {
			found++
		}
	}
	if judged < 600 || found < 300 {
		t.Errorf("only %d texts are judged, %d of them not harmless", judged, found)
	}
}

// judgedTexts are the statements of the rules' cases and of the corpora.
func judgedTexts(t *testing.T) []string {
	t.Helper()
	var texts []string
	for _, rule := range rules.All() {
		for _, c := range rule.ParseCases() {
			if c.Directive == "check" {
				texts = append(texts, c.SQL)
			}
		}
	}
	files, err := filepath.Glob("../../policy/rules/testdata/corpus/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpora: %v", err)
	}
	for _, file := range files {
		lines, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(lines)) {
			if _, text, ok := strings.Cut(line, " | "); ok {
				line = text
			}
			if !strings.HasPrefix(line, "#") {
				texts = append(texts, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), `\n`, "\n"))
			}
		}
	}
	return texts
}

// verdict is the action and the rules of a text, judged without a server; false if it cannot be parsed.
func verdict(set *policy.Set, text string) (string, bool) {
	statements, err := ddl.Parse(text)
	if err != nil {
		return fmt.Sprint(err), false
	}
	action := policy.Pass
	var names []string
	for _, stmt := range statements {
		v := set.Judge(stmt, facts.Facts{}, policy.Context{})
		action = max(action, v.Action)
		for _, f := range slices.Concat(v.Findings, v.Overridden) {
			names = append(names, f.Rule)
		}
	}
	return fmt.Sprintf("%s %s", action, strings.Join(names, ",")), true
}
