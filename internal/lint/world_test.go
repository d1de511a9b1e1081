package lint_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pgsluice/pgsluice/internal/lint"
)

// The cases of testdata/world.txt: what the files themselves make, set, allow and get wrong. "run" is of several files, parted by --.
func TestWorld(t *testing.T) {
	datadriven.RunTest(t, "testdata/world.txt", func(t *testing.T, d *datadriven.TestData) string {
		texts := []string{d.Input}
		if d.Cmd == "run" {
			texts = strings.Split(d.Input, "\n--\n")
		}
		var sources []*lint.Source
		for i, text := range texts {
			s, err := lint.NewSource(fmt.Sprintf("%d.sql", i+1), text)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			sources = append(sources, s)
		}
		judge := &lint.Judge{Rules: newSet(t), Anybody: true, Tool: lint.ToolNamed("psql"), PerFile: d.HasArg("per-file")}
		report, err := judge.Files(t.Context(), sources)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		if d.Cmd == "unused" {
			return human(t, report, lint.Style{Known: true})
		}
		return found(report)
	})
}

// found is what a report finds, a line a statement with findings.
func found(report *lint.Report) string {
	var out strings.Builder
	for _, judged := range report.Judged {
		var words []string
		for _, f := range judged.Findings {
			words = append(words, f.Action+" "+f.Rule)
		}
		for _, f := range judged.Overridden {
			words = append(words, "allowed "+f.Rule)
		}
		if len(words) > 0 {
			fmt.Fprintf(&out, "%s:%d: %s\n", judged.Path, judged.Line, strings.Join(words, ", "))
		}
	}
	for _, p := range report.Problems {
		fmt.Fprintf(&out, "%s:%d:%d: %s\n", p.Path, p.Line, p.Column, p.Message)
	}
	if report.Hidden > 0 {
		fmt.Fprintf(&out, "hidden: %d\n", report.Hidden)
	}
	if out.Len() == 0 {
		return "nothing\n"
	}
	return out.String()
}
