package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/policy"
)

// Whatever a file holds and whoever is said to run it, every statement is a piece of the file, in its place.
func TestStatementsStandInTheFile(t *testing.T) {
	paths, err := filepath.Glob("testdata/tools/*/*.sql")
	if err != nil || len(paths) < 30 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	none, err := policy.NewSet(nil, policy.Settings{}) // it is about the reading, not the rules
	if err != nil {
		t.Fatal(err)
	}
	statements := 0
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, variant := range []string{string(text), strings.ReplaceAll(string(text), "\n", "\r\n")} {
			for end := len(variant); end > 0; end -= 97 {
				s, err := lint.NewSource(path, variant[:end])
				if err != nil {
					continue // nothing is left of it, or half a character
				}
				for _, tool := range append(lint.Tools(), nil) {
					report, err := (&lint.Judge{Rules: none, Tool: tool}).Files(t.Context(), []*lint.Source{s})
					if err != nil {
						t.Fatal(err)
					}
					for _, judged := range report.Judged {
						statements++
						first, _, _ := strings.Cut(judged.Statement, "\n")
						line := []rune(s.Line(judged.Line))
						if judged.Statement == "" || judged.Column > len(line) ||
							!strings.HasPrefix(string(line[judged.Column-1:]), strings.TrimRight(first, "\r")) ||
							judged.EndLine != judged.Line+strings.Count(judged.Statement, "\n") {
							t.Fatalf("%s, the first %d bytes, read for %v: %+v", path, end, tool, judged)
						}
					}
				}
			}
		}
	}
	if statements < 1000 {
		t.Errorf("only %d statements", statements)
	}
}
