package lint_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/lint"
)

// tree makes files, each with its own name for a text, in a directory that becomes the working directory.
func tree(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		put(t, name, "-- "+name)
	}
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	tree(t, "db/V2__b.sql", "db/V10__c.sql", "db/V1__a.SQL", "db/readme.md", "db/V10__c.sql.conf", "db/.git/x.sql", "db/old/1.sql", "db/old/deep/2.sql", "one.txt", "odd[1].sql")
	if err := os.Symlink("db", "linked"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", "db/up"); err != nil {
		t.Fatal(err)
	}
	for arguments, want := range map[string]string{
		"db":                     "db/V1__a.SQL db/V2__b.sql db/V10__c.sql db/old/1.sql db/old/deep/2.sql | db/.git db/readme.md db/up",
		"db/V10__c.sql db":       "db/V10__c.sql db/V1__a.SQL db/V2__b.sql db/old/1.sql db/old/deep/2.sql | db/.git db/readme.md db/up",
		"one.txt ./one.txt":      "one.txt |",
		"db/*.sql":               "db/V2__b.sql db/V10__c.sql |",
		"db/**/*.sql":            "db/V2__b.sql db/V10__c.sql db/old/1.sql db/old/deep/2.sql |",
		"**/deep/*":              "db/old/deep/2.sql |",
		"db/old/?.sql one.txt":   "db/old/1.sql one.txt |",
		"odd[1].sql":             "odd[1].sql |",
		"nowhere/*.sql":          "no file matches nowhere/*.sql",
		"nowhere":                "cannot read nowhere: no such file or directory",
		"db/[":                   "db/[ is not a pattern: syntax error in pattern",
		"linked":                 "linked/V1__a.SQL linked/V2__b.sql linked/V10__c.sql linked/old/1.sql linked/old/deep/2.sql | linked/.git linked/readme.md linked/up",
		"linked/old linked/*.md": "linked/old/1.sql linked/old/deep/2.sql linked/readme.md |",
	} {
		found, err := lint.Find(strings.Fields(arguments))
		got := strings.TrimSpace(strings.Join(found.Paths, " ") + " | " + strings.Join(found.NotRead, " "))
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", arguments, got, want)
		}
	}
}

func TestNewSourceRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "is empty: say in a comment that nothing is to be done, or remove it",
		" \r\n\t":                  "is empty: say in a comment that nothing is to be done, or remove it",
		"\ufeff\n":                 "is empty: say in a comment that nothing is to be done, or remove it",
		"SELECT '\xe4'":            "is not UTF-8 (byte 8): save it as UTF-8",
		"\xff\xfeS\x00":            "is UTF-16: save it as UTF-8",
		"SELECT\x00 1":             "holds a zero byte (byte 6): it is no SQL",
		strings.Repeat("x", 5<<20): "is larger than 4 MB: leave dumps of data out, or split it",
		"-- nothing":               "",
		"SELECT '\ufffd'":          "",
		"\ufeffCREATE TABLE t ();": "",
	} {
		got := ""
		if _, err := lint.NewSource("a.sql", text); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.20q: got %q, want %q", text, got, want)
		}
	}
}

func TestPositionsCountCharacters(t *testing.T) {
	s, err := lint.NewSource("a.sql", "\ufeffSELECT 1;\r\n/* ü */ SELECT 2;\n")
	if err != nil {
		t.Fatal(err)
	}
	line, column := s.Position(strings.Index(s.Text, "SELECT 2"))
	if line != 2 || column != 9 || s.Line(2) != "/* ü */ SELECT 2;" || s.Line(1) != "SELECT 1;" || s.Line(3) != "" {
		t.Errorf("line %d, column %d, lines %q, %q and %q", line, column, s.Line(1), s.Line(2), s.Line(3))
	}
	for _, offset := range []int{0, strings.Index(s.Text, "SELECT 1")} { // the byte order mark is no character of the line
		if line, column := s.Position(offset); line != 1 || column != 1 {
			t.Errorf("byte %d: line %d, column %d", offset, line, column)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	tree(t, "a.sql")
	put(t, "large.sql", strings.Repeat("-", 5<<20))
	for name, want := range map[string]string{
		"a.sql": "", ".": "is a directory", "b.sql": "no such file or directory",
		"large.sql": "is larger than 4 MB: leave dumps of data out, or split it",
	} {
		got := ""
		if _, err := lint.Open(name); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestSince(t *testing.T) {
	tree(t, "db/1.sql", "db/2.sql", "db/gone.sql", ".gitignore")
	put(t, ".gitignore", "ignored.sql\n")
	git := func(arguments ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=joe", "-c", "user.email=joe@example.com"}, arguments...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", arguments, err, out)
		}
	}
	git("init", "-q", "-b", "main")
	git("add", ".")
	git("commit", "-qm", "one")
	git("switch", "-qc", "topic")
	put(t, "db/2.sql", "SELECT 2")
	put(t, "db/3 ü.sql", "SELECT 3")
	git("add", "db")
	git("rm", "-q", "db/gone.sql")
	git("commit", "-qm", "two")
	git("switch", "-q", "main")
	put(t, "db/1.sql", "SELECT 1") // main's own business
	git("commit", "-qam", "three")
	git("switch", "-q", "topic")
	put(t, "db/4.sql", "SELECT 4")
	put(t, "db/ignored.sql", "SELECT 5")

	found, err := lint.Find([]string{"db"})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := lint.Since(t.Context(), "main", found.Paths)
	if want := []string{"db/2.sql", "db/3 ü.sql", "db/4.sql"}; err != nil || !slices.Equal(changed, want) {
		t.Errorf("got %v, %v, want %v", changed, err, want)
	}
	if _, err := lint.Since(t.Context(), "main", []string{filepath.Join(t.TempDir(), "1.sql")}); err == nil || !strings.Contains(err.Error(), "it is not in the git repository") {
		t.Errorf("a file outside of the repository: %v", err)
	}
	t.Chdir("db") // git counts from the root
	changed, err = lint.Since(t.Context(), "main", []string{"1.sql", "2.sql"})
	if err != nil || !slices.Equal(changed, []string{"2.sql"}) {
		t.Errorf("got %v, %v", changed, err)
	}
	for revision, want := range map[string]string{
		"nowhere": "cannot find what nowhere and HEAD have in common (a shallow clone lacks it: fetch the whole history): git: Not a valid object name nowhere",
		"--all":   `"--all" is no revision`,
	} {
		if _, err := lint.Since(t.Context(), revision, nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", revision, err, want)
		}
	}
	t.Chdir(t.TempDir())
	if _, err := lint.Since(t.Context(), "main", nil); err == nil || !strings.HasPrefix(err.Error(), "git: not a git repository") {
		t.Errorf("outside of a repository: %v", err)
	}
}
