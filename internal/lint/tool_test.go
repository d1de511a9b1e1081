package lint_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// newSet is all rules as they are by default, every comment's override counting.
func newSet(t testing.TB) *policy.Set {
	t.Helper()
	set, err := policy.NewSet(rules.All(), policy.Settings{
		Small: policy.Small{Rows: 10_000, Bytes: 1 << 20}, OverrideRoles: []string{""},
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// open reads the files that arguments name, their paths relative to dir.
func open(t testing.TB, dir string, arguments ...string) []*lint.Source {
	t.Helper()
	t.Chdir(dir)
	found, err := lint.Find(arguments)
	if err != nil {
		t.Fatal(err)
	}
	var sources []*lint.Source
	for _, path := range found.Paths {
		s, err := lint.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, s)
	}
	return sources
}

// golden compares with a file of the expected output; -rewrite, which is datadriven's flag, writes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if flag.Lookup("rewrite").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s (%v): got\n%s\nwant\n%s", path, err, got, want)
	}
}

// Every tool has migrations as people write them, in testdata/tools/NAME; NAME.txt is each statement with its part, whether it runs inside a
// transaction, and what is found.
func TestTools(t *testing.T) {
	tools, err := filepath.Abs("testdata/tools")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range lint.Tools() {
		t.Run(tool.Name, func(t *testing.T) {
			sources := open(t, filepath.Join(tools, tool.Name), ".")
			judge := &lint.Judge{Rules: newSet(t), Anybody: true}
			if tool.Name == "knex" {
				judge.Tool = lint.ToolNamed(tool.Name) // its files do not say so
			}
			report, err := judge.Files(t.Context(), sources)
			if err != nil {
				t.Fatal(err)
			}
			for _, judged := range report.Judged {
				if judged.Tool != tool.Name {
					t.Errorf("%s: taken for a file of %s", judged.Path, judged.Tool)
				}
			}
			golden(t, filepath.Join(tools, tool.Name+".txt"), outline(report))
		})
	}
}

// outline is a report in short: a line a statement, and what was found in it.
func outline(report *lint.Report) string {
	var out strings.Builder
	for i, judged := range report.Judged {
		if i == 0 || judged.Path != report.Judged[i-1].Path {
			fmt.Fprintf(&out, "%s\n", judged.Path)
		}
		where := "alone"
		if judged.InTransaction {
			where = "in tx"
		}
		part := judged.Part
		if part != "" {
			part += ": "
		}
		text := strings.Join(strings.Fields(judged.Statement), " ")
		fmt.Fprintf(&out, "  %d:%d %s | %s%.70s\n", judged.Line, judged.Column, where, part, text)
		for _, f := range judged.Findings {
			fmt.Fprintf(&out, "      %s %s\n", f.Action, f.Rule)
			if f.Fix != "" {
				fmt.Fprintf(&out, "        %s\n", strings.ReplaceAll(f.Fix, "\n", "\n        "))
			}
			if f.Hint != "" {
				fmt.Fprintf(&out, "        (%s)\n", strings.ReplaceAll(f.Hint, "\n", "\n         "))
			}
		}
		for _, f := range judged.Overridden {
			fmt.Fprintf(&out, "      allowed %s: %s\n", f.Rule, f.Reason)
		}
	}
	for _, p := range report.Problems {
		fmt.Fprintf(&out, "%s:%d:%d: %s\n", p.Path, p.Line, p.Column, p.Message)
	}
	for _, n := range report.Notes {
		fmt.Fprintf(&out, "%s:%d: %s\n", n.Path, n.Line, n.Text)
	}
	return out.String()
}

func human(t testing.TB, report *lint.Report, style lint.Style) string {
	t.Helper()
	var out bytes.Buffer
	if err := lint.Human(&out, report, style); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
