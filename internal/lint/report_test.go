package lint_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// reported is the report on testdata/formats/db, whose files have something of everything that a report tells.
func reported(t *testing.T) *lint.Report {
	t.Helper()
	sources := open(t, "testdata/formats", "db")
	judge := &lint.Judge{Rules: newSet(t), Anybody: true}
	report, err := judge.Files(t.Context(), sources)
	if err != nil {
		t.Fatal(err)
	}
	report.Problems = append([]lint.Problem{{Path: "db/dump.sql", Message: "is not UTF-8 (byte 7): save it as UTF-8"}}, report.Problems...)
	report.NotRead = []string{"db/readme.md"}
	return report
}

func written(t *testing.T, format string, report *lint.Report) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := lint.Formats()[format](&out, report, rules.All()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFormats(t *testing.T) {
	dir, err := filepath.Abs("testdata/formats")
	if err != nil {
		t.Fatal(err)
	}
	report := reported(t)
	for _, name := range slices.Sorted(maps.Keys(lint.Formats())) {
		text := string(written(t, name, report))
		if name == "sarif" {
			text = withoutRules(t, text) // their documentation has its own test, and changes with it
		}
		golden(t, filepath.Join(dir, name+".out"), text)
	}
	golden(t, filepath.Join(dir, "human.out"), human(t, report, lint.Style{}))
	colored := human(t, report, lint.Style{Color: true, Known: true})
	golden(t, filepath.Join(dir, "color.out"), strings.ReplaceAll(colored, "\x1b", "ESC"))
}

func withoutRules(t *testing.T, text string) string {
	t.Helper()
	var log map[string]any
	if err := json.Unmarshal([]byte(text), &log); err != nil {
		t.Fatal(err)
	}
	driver := log["runs"].([]any)[0].(map[string]any)["tool"].(map[string]any)["driver"].(map[string]any)
	driver["rules"] = len(driver["rules"].([]any)) > 0
	for _, result := range log["runs"].([]any)[0].(map[string]any)["results"].([]any) {
		delete(result.(map[string]any), "ruleIndex")
	}
	out, err := json.MarshalIndent(log, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

// A report for people fits a terminal; only what is to be copied may be longer.
func TestHumanFits(t *testing.T) {
	for line := range strings.Lines(human(t, reported(t), lint.Style{})) {
		line = strings.TrimSuffix(line, "\n")
		copied := strings.HasPrefix(line, "  - ") || strings.HasPrefix(line, "  + ")
		if utf8.RuneCountInString(line) > lint.Width && !copied {
			t.Errorf("%d characters: %s", utf8.RuneCountInString(line), line)
		}
		if strings.Contains(line, "\x1b") {
			t.Errorf("colour: %q", line)
		}
	}
}

// What SARIF 2.1.0 requires of the parts that are used.
func TestSARIF(t *testing.T) {
	type region struct{ StartLine, StartColumn, EndLine, EndColumn int }
	type location struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI string }
			Region           *region
		}
	}
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			ColumnKind string
			Tool       struct {
				Driver struct {
					Name  string
					Rules []struct {
						ID                                      string
						ShortDescription, FullDescription, Help struct{ Text string }
						DefaultConfiguration                    struct{ Level string }
					}
				}
			}
			Invocations []struct {
				ExecutionSuccessful        *bool
				ToolExecutionNotifications []struct {
					Level     string
					Message   struct{ Text string }
					Locations []location
				}
			}
			Results []struct {
				RuleID       string
				RuleIndex    int
				Level        string
				Message      struct{ Text string }
				Locations    []location
				Suppressions []struct{ Kind string }
				Fixes        []struct {
					ArtifactChanges []struct {
						ArtifactLocation struct{ URI string }
						Replacements     []struct{ DeletedRegion *region }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(written(t, "sarif", reported(t)), &log); err != nil {
		t.Fatal(err)
	}
	levels := []string{"none", "note", "warning", "error"}
	if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 {
		t.Fatalf("version %q, schema %q, %d runs", log.Version, log.Schema, len(log.Runs))
	}
	run := log.Runs[0]
	if run.Tool.Driver.Name == "" || !slices.Contains([]string{"utf16CodeUnits", "unicodeCodePoints"}, run.ColumnKind) {
		t.Errorf("driver %q, columns %q", run.Tool.Driver.Name, run.ColumnKind)
	}
	place := func(l location) {
		uri, err := url.Parse(l.PhysicalLocation.ArtifactLocation.URI)
		if err != nil || uri.IsAbs() || uri.Path == "" {
			t.Errorf("location %+v: %v", l, err)
		}
		if r := l.PhysicalLocation.Region; r != nil && (r.StartLine < 1 || r.EndLine > 0 && r.EndLine < r.StartLine || r.StartColumn < 0) {
			t.Errorf("region %+v", r)
		}
	}
	seen := map[string]bool{}
	for _, rule := range run.Tool.Driver.Rules {
		if seen[rule.ID] || rule.ID == "" || rule.ShortDescription.Text == "" || rule.FullDescription.Text == "" || rule.Help.Text == "" ||
			!slices.Contains(levels, rule.DefaultConfiguration.Level) {
			t.Errorf("rule %+v", rule)
		}
		seen[rule.ID] = true
	}
	for _, invocation := range run.Invocations {
		if invocation.ExecutionSuccessful == nil || *invocation.ExecutionSuccessful {
			t.Error("a run that could not read everything counts as successful")
		}
		for _, n := range invocation.ToolExecutionNotifications {
			if n.Message.Text == "" || !slices.Contains(levels, n.Level) {
				t.Errorf("notification %+v", n)
			}
			place(n.Locations[0])
		}
	}
	fixes := 0
	for _, result := range run.Results {
		if result.Message.Text == "" || !slices.Contains(levels, result.Level) || len(result.Locations) != 1 ||
			result.RuleIndex < 0 || run.Tool.Driver.Rules[result.RuleIndex].ID != result.RuleID {
			t.Errorf("result %+v", result)
		}
		place(result.Locations[0])
		for _, s := range result.Suppressions {
			if s.Kind != "inSource" && s.Kind != "external" {
				t.Errorf("suppression %+v", s)
			}
		}
		for _, fix := range result.Fixes {
			fixes++
			change := fix.ArtifactChanges[0]
			if change.ArtifactLocation.URI == "" || change.Replacements[0].DeletedRegion.StartLine < 1 {
				t.Errorf("fix %+v", fix)
			}
		}
	}
	if len(run.Results) < 5 {
		t.Errorf("%d results, %d fixes", len(run.Results), fixes)
	}
}

// junitCounts are the counts of a suite, or of all of them.
type junitCounts struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
}

// What the readers of JUnit's XML require: names, and counts that are right.
func TestJUnit(t *testing.T) {
	var all struct {
		XMLName xml.Name
		junitCounts
		Suites []struct {
			junitCounts
			Cases []struct {
				Name      string `xml:"name,attr"`
				Classname string `xml:"classname,attr"`
				Failure   *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(written(t, "junit", reported(t)), &all); err != nil {
		t.Fatal(err)
	}
	if all.XMLName.Local != "testsuites" || len(all.Suites) != 5 {
		t.Fatalf("%s with %d suites", all.XMLName.Local, len(all.Suites))
	}
	total := junitCounts{Name: all.Name}
	for _, suite := range all.Suites {
		counted := junitCounts{Name: suite.Name, Tests: len(suite.Cases)}
		for _, c := range suite.Cases {
			if c.Name == "" || c.Classname == "" || c.Failure != nil && c.Failure.Message == "" {
				t.Errorf("case %+v", c)
			}
			if c.Failure != nil {
				counted.Failures++
			}
			if c.Error != nil {
				counted.Errors++
			}
			if c.Skipped != nil {
				counted.Skipped++
			}
		}
		if counted != suite.junitCounts || suite.Name == "" {
			t.Errorf("the suite says %+v, and has %+v", suite.junitCounts, counted)
		}
		total.Tests, total.Failures = total.Tests+counted.Tests, total.Failures+counted.Failures
		total.Errors, total.Skipped = total.Errors+counted.Errors, total.Skipped+counted.Skipped
	}
	all.Skipped = total.Skipped // the whole has no such count
	if total != all.junitCounts || total.Failures == 0 || total.Errors == 0 || total.Skipped == 0 {
		t.Errorf("the whole says %+v, and has %+v", all.junitCounts, total)
	}
}

// junitKnown are the elements of the schema of Jenkins' xUnit plugin that are written, with the attributes that it has for them.
var junitKnown = map[string][]string{
	"testsuites": {"name", "time", "tests", "failures", "errors"},
	"testsuite":  {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
	"testcase":   {"name", "time", "classname", "group"},
	"failure":    {"type", "message"}, "error": {"type", "message"}, "skipped": {"type", "message"}, "system-out": {},
}

func TestJUnitIsWhatJenkinsTakes(t *testing.T) {
	decoder, elements := xml.NewDecoder(bytes.NewReader(written(t, "junit", reported(t)))), 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		elements++
		attributes, known := junitKnown[element.Name.Local]
		if !known {
			t.Errorf("element %s", element.Name.Local)
		}
		for _, a := range element.Attr {
			if !slices.Contains(attributes, a.Name.Local) {
				t.Errorf("attribute %s of %s", a.Name.Local, element.Name.Local)
			}
		}
	}
	if elements < 20 {
		t.Errorf("only %d elements", elements)
	}
}

// GitLab tells issues apart, and new ones from old, by their fingerprints.
func TestGitLabFingerprints(t *testing.T) {
	type issue struct {
		Description, CheckName, Fingerprint, Severity string
		Location                                      struct {
			Path  string
			Lines struct{ Begin int }
		}
	}
	prints := func(report *lint.Report) map[string]string {
		var issues []map[string]any
		if err := json.Unmarshal(written(t, "gitlab", report), &issues); err != nil {
			t.Fatal(err)
		}
		all := map[string]string{}
		for _, i := range issues {
			text, _ := json.Marshal(i)
			var one issue
			if err := json.Unmarshal(bytes.ReplaceAll(text, []byte("check_name"), []byte("CheckName")), &one); err != nil {
				t.Fatal(err)
			}
			if one.Description == "" || one.CheckName == "" || one.Fingerprint == "" || one.Location.Path == "" || one.Location.Lines.Begin < 1 ||
				!slices.Contains([]string{"info", "minor", "major", "critical", "blocker"}, one.Severity) {
				t.Errorf("issue %s", text)
			}
			if all[one.Fingerprint] != "" {
				t.Errorf("two issues with the fingerprint of %s", text)
			}
			all[one.Fingerprint] = one.CheckName
		}
		return all
	}
	if got := prints(reported(t)); len(got) < 5 {
		t.Errorf("%d issues", len(got))
	}
	judge := &lint.Judge{Rules: newSet(t)}
	of := func(text string) map[string]string {
		s, err := lint.NewSource("a.sql", text)
		if err != nil {
			t.Fatal(err)
		}
		report, err := judge.Files(t.Context(), []*lint.Source{s})
		if err != nil {
			t.Fatal(err)
		}
		return prints(report)
	}
	const sql = "CREATE INDEX i ON t (a);\nALTER TABLE t ADD CHECK (a > 0);\nCREATE INDEX i ON t (a);\n"
	before, after := of(sql), of("SELECT 1;\n\n-- moved\n"+strings.ReplaceAll(sql, "i ON", "i\n  ON"))
	if !maps.Equal(before, after) || len(before) != 4 {
		t.Errorf("before %v, after %v", before, after)
	}
}

func TestFailed(t *testing.T) {
	report := reported(t)
	for action, want := range map[policy.Action]int{policy.Warn: 14, policy.Rewrite: 11, policy.Block: 8, policy.Block + 1: 0} {
		if got := report.Failed(action); got != want {
			t.Errorf("%s: %d findings, want %d", fmt.Sprint(action), got, want)
		}
	}
}
