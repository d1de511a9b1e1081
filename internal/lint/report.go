package lint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/pgsluice/pgsluice/policy"
)

// Format writes a report.
type Format func(w io.Writer, r *Report, rules []policy.Rule) error

// Formats are the ways to write a report for machines, by name; for people it is Human.
func Formats() map[string]Format {
	return map[string]Format{
		"json": writeJSON, "sarif": writeSARIF, "github": writeGitHub, "gitlab": writeGitLab, "junit": writeJUnit,
	}
}

// Failed is how many findings are of the action or a stricter one.
func (r *Report) Failed(threshold policy.Action) int {
	n := 0
	for _, judged := range r.Judged {
		for _, f := range judged.Findings {
			if action, err := policy.ParseAction(f.Action); err == nil && action >= threshold {
				n++
			}
		}
	}
	return n
}

// told is one finding with all that a report says of it.
type told struct {
	Judged  *Judged
	Finding Finding
	// Line, Column, EndLine and EndColumn are where it is, as in Judged.
	Line, Column, EndLine, EndColumn int
	// Allowed is true when it is overridden.
	Allowed bool
	// Fingerprint stays the same when the file changes elsewhere.
	Fingerprint string
}

// Note is true when it is only to be known.
func (t told) Note() bool { return t.Finding.Action == "note" }

// told lists the findings in the order of the files: those in force, those overridden, and the notes.
func (r *Report) told() []told {
	var all []told
	seen := map[string]int{}
	for i := range r.Judged {
		judged := &r.Judged[i]
		add := func(f Finding, allowed bool) {
			at := judged.place(f)
			t := told{judged, f, at.line, at.column, at.endLine, at.endColumn, allowed, ""}
			base := judged.Path + "\x00" + judged.Part + "\x00" + f.Rule + "\x00" + strings.Join(strings.Fields(judged.about(f)), " ")
			t.Fingerprint = fingerprint(fmt.Sprintf("%s\x00%d", base, seen[base]))
			seen[base]++
			all = append(all, t)
		}
		for _, f := range judged.Findings {
			add(f, false)
		}
		for _, f := range judged.Overridden {
			add(f, true)
		}
		for _, f := range judged.unused {
			add(f, false)
		}
	}
	return all
}

func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// sentence is a finding in one paragraph, with what is locked and what would decide it.
func (t told) sentence() string {
	parts := []string{t.Finding.Message}
	if t.Finding.Detail != "" {
		parts = append(parts, t.Finding.Detail)
	}
	if t.Finding.Unknown != "" {
		parts = append(parts, "Not known, and it would decide: "+t.Finding.Unknown+".")
	}
	return strings.Join(parts, "\n")
}

// advice is what to do instead, "" if there is nothing to say.
func (t told) advice() string {
	parts := []string{}
	for _, part := range []string{t.Finding.Fix, t.Finding.Hint} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "\n")
}

// level is the word that most formats have for an action.
func level(action string) string {
	switch action {
	case "block":
		return "error"
	case "note":
		return "note"
	}
	return "warning"
}

// jsonReport is the format json: one finding, one entry.
type jsonReport struct {
	Version    int           `json:"version"`
	Files      int           `json:"files"`
	Statements int           `json:"statements"`
	Findings   []jsonFinding `json:"findings"`
	Overridden []jsonFinding `json:"overridden"`
	Problems   []Problem     `json:"problems"`
	Notes      []Note        `json:"notes"`
	NotRead    []string      `json:"not_read"`
	// Hidden is how many statements would have findings if what other files of the run make were not new.
	Hidden int `json:"hidden"`
}

type jsonFinding struct {
	Path          string `json:"path"`
	Line          int    `json:"line"`
	Column        int    `json:"column"`
	EndLine       int    `json:"end_line"`
	EndColumn     int    `json:"end_column"`
	Part          string `json:"part,omitempty"`
	Down          bool   `json:"down"`
	Tool          string `json:"tool"`
	InTransaction bool   `json:"in_transaction"`
	Finding
	Statement   string `json:"statement"`
	Locks       []Lock `json:"locks"`
	Fingerprint string `json:"fingerprint"`
}

func writeJSON(w io.Writer, r *Report, _ []policy.Rule) error {
	out := jsonReport{
		Version: 1, Files: r.Files, Statements: len(r.Judged), Findings: []jsonFinding{}, Overridden: []jsonFinding{},
		Problems: append([]Problem{}, r.Problems...), Notes: append([]Note{}, r.Notes...), NotRead: append([]string{}, r.NotRead...), Hidden: r.Hidden,
	}
	for _, t := range r.told() {
		f := jsonFinding{
			Path: t.Judged.Path, Line: t.Line, Column: t.Column, EndLine: t.EndLine, EndColumn: t.EndColumn, Part: t.Judged.Part, Down: t.Judged.Down,
			Tool: t.Judged.Tool, InTransaction: t.Judged.InTransaction, Finding: t.Finding, Statement: t.Judged.about(t.Finding),
			Locks: append([]Lock{}, t.Judged.Locks...), Fingerprint: t.Fingerprint,
		}
		if t.Allowed {
			out.Overridden = append(out.Overridden, f)
		} else {
			out.Findings = append(out.Findings, f)
		}
	}
	return encode(w, out)
}

func encode(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // SQL is full of < and >
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
