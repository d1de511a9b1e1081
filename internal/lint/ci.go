package lint

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/pgsluice/pgsluice/policy"
)

// writeGitHub writes workflow commands, which GitHub Actions shows beside the lines of a change.
func writeGitHub(w io.Writer, r *Report, _ []policy.Rule) error {
	var out strings.Builder
	text := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, t := range r.told() {
		if t.Allowed {
			continue
		}
		command := level(t.Finding.Action)
		if t.Note() {
			command = "notice"
		}
		message := t.sentence()
		if advice := t.advice(); advice != "" {
			message += "\n" + advice
		}
		fmt.Fprintf(&out, "::%s file=%s,line=%d,endLine=%d,col=%d,title=%s::%s\n", command, property.Replace(t.Judged.Path), t.Line, t.EndLine, t.Column,
			property.Replace("pgsluice "+t.Finding.Rule), text.Replace(message))
	}
	for _, p := range r.Problems {
		fmt.Fprintf(&out, "::error file=%s,line=%d,col=%d,title=pgsluice::%s\n", property.Replace(p.Path), max(p.Line, 1), max(p.Column, 1), text.Replace(p.Message))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&out, "::notice file=%s,line=%d,title=pgsluice::%s\n", property.Replace(n.Path), n.Line, text.Replace(n.Text))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// codeQuality is an issue as GitLab's Code Quality report has it.
type codeQuality struct {
	Description string `json:"description"`
	CheckName   string `json:"check_name"`
	Fingerprint string `json:"fingerprint"`
	Severity    string `json:"severity"`
	Location    struct {
		Path  string `json:"path"`
		Lines struct {
			Begin int `json:"begin"`
			End   int `json:"end,omitempty"`
		} `json:"lines"`
	} `json:"location"`
}

func writeGitLab(w io.Writer, r *Report, _ []policy.Rule) error {
	issues := []codeQuality{}
	add := func(path string, line, end int, rule, severity, print, description string) {
		issue := codeQuality{Description: strings.Join(strings.Fields(description), " "), CheckName: rule, Fingerprint: print, Severity: severity}
		issue.Location.Path, issue.Location.Lines.Begin, issue.Location.Lines.End = path, max(line, 1), end
		issues = append(issues, issue)
	}
	severities := map[string]string{"block": "critical", "rewrite": "major", "warn": "minor", "note": "info"}
	for _, t := range r.told() {
		if !t.Allowed {
			add(t.Judged.Path, t.Line, t.EndLine, t.Finding.Rule, severities[t.Finding.Action], t.Fingerprint,
				strings.ReplaceAll(strings.ReplaceAll(t.sentence(), ".\n", "\n"), "\n", ". "))
		}
	}
	for _, p := range r.Problems {
		add(p.Path, p.Line, p.Line, "unread", "blocker", fingerprint("unread\x00"+p.Path+"\x00"+p.Message), p.Message)
	}
	for _, n := range r.Notes {
		add(n.Path, n.Line, n.Line, "note", "info", fingerprint("note\x00"+n.Path+"\x00"+n.Text), n.Text)
	}
	return encode(w, issues)
}

// The format junit: a suite a file, a case a finding; a file without findings is one case that passes. It has nothing that the schema of Jenkins' xUnit plugin
// (junit-10.xsd), which refuses the whole report for one attribute, does not know.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		File     string      `xml:"file,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name      string      `xml:"name,attr"`
		Classname string      `xml:"classname,attr"`
		Failure   *junitFault `xml:"failure"`
		Error     *junitFault `xml:"error"`
		Skipped   *junitFault `xml:"skipped"`
		Output    string      `xml:"system-out,omitempty"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(w io.Writer, r *Report, _ []policy.Rule) error {
	all := junitSuites{Name: "pgsluice lint"}
	place := map[string]int{}
	suite := func(path string) *junitSuite {
		if _, seen := place[path]; !seen {
			place[path] = len(all.Suites)
			all.Suites = append(all.Suites, junitSuite{Name: path, File: path})
		}
		return &all.Suites[place[path]]
	}
	for _, path := range r.paths {
		suite(path)
	}
	for _, t := range r.told() {
		name := fmt.Sprintf("line %d: %s", t.Line, t.Finding.Rule)
		c := junitCase{Name: name, Classname: t.Judged.Path}
		s := suite(t.Judged.Path)
		switch {
		case t.Allowed:
			c.Skipped = &junitFault{Message: "allowed: " + t.Finding.Reason}
			s.Skipped++
		case t.Note():
			c.Output = t.sentence()
		default:
			c.Failure = &junitFault{Message: t.Finding.Message, Type: t.Finding.Action, Text: excerpt(t.Judged.source, t.Judged.place(t.Finding), 80) + "\n" + t.sentence() + "\n" + t.advice()}
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
	}
	for _, p := range r.Problems {
		s := suite(p.Path)
		s.Errors++
		s.Cases = append(s.Cases, junitCase{Name: fmt.Sprintf("line %d: unread", max(p.Line, 1)), Classname: p.Path,
			Error: &junitFault{Message: p.Message, Type: "unread"}})
	}
	for i := range all.Suites {
		s := &all.Suites[i]
		if len(s.Cases) == 0 {
			s.Cases = []junitCase{{Name: "no findings", Classname: s.Name}}
		}
		s.Tests = len(s.Cases)
		all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
