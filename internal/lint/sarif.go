package lint

import (
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/policy"
)

// The format sarif: SARIF 2.1.0, what GitHub's code scanning and most editors read. The fields are named as the standard names them.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		ColumnKind  string            `json:"columnKind"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string             `json:"id"`
		ShortDescription     sarifText          `json:"shortDescription"`
		FullDescription      sarifText          `json:"fullDescription"`
		Help                 sarifText          `json:"help"`
		DefaultConfiguration sarifConfiguration `json:"defaultConfiguration"`
		Properties           *sarifProperties   `json:"properties,omitempty"`
	}
	sarifProperties struct {
		Tags []string `json:"tags"`
	}
	sarifConfiguration struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		ExecutionSuccessful        bool                `json:"executionSuccessful"`
		ToolExecutionNotifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifResult struct {
		RuleID              string             `json:"ruleId"`
		RuleIndex           int                `json:"ruleIndex"`
		Level               string             `json:"level"`
		Message             sarifText          `json:"message"`
		Locations           []sarifLocation    `json:"locations"`
		PartialFingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions        []sarifSuppression `json:"suppressions,omitempty"`
		Fixes               []sarifFix         `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		PhysicalLocation sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		ArtifactLocation sarifArtifact `json:"artifactLocation"`
		Region           *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifSuppression struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification,omitempty"`
	}
	sarifFix struct {
		Description     sarifText     `json:"description"`
		ArtifactChanges []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		ArtifactLocation sarifArtifact      `json:"artifactLocation"`
		Replacements     []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		DeletedRegion   sarifRegion `json:"deletedRegion"`
		InsertedContent sarifText   `json:"insertedContent"`
	}
)

func writeSARIF(w io.Writer, r *Report, rules []policy.Rule) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "pgsluice", InformationURI: "https://github.com/pgsluice/pgsluice", Rules: sarifRules(rules)}},
		ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
		Invocations: []sarifInvocation{{ExecutionSuccessful: len(r.Problems) == 0}},
	}
	for _, p := range r.Problems {
		n := sarifNotification{Level: "error", Message: sarifText{p.Message}, Locations: []sarifLocation{{sarifPhysical{ArtifactLocation: artifact(p.Path)}}}}
		if p.Line > 0 {
			n.Locations[0].PhysicalLocation.Region = &sarifRegion{StartLine: p.Line, StartColumn: p.Column}
		}
		run.Invocations[0].ToolExecutionNotifications = append(run.Invocations[0].ToolExecutionNotifications, n)
	}
	for _, n := range r.Notes {
		run.Invocations[0].ToolExecutionNotifications = append(run.Invocations[0].ToolExecutionNotifications, sarifNotification{
			Level: "note", Message: sarifText{n.Text},
			Locations: []sarifLocation{{sarifPhysical{ArtifactLocation: artifact(n.Path), Region: &sarifRegion{StartLine: n.Line}}}},
		})
	}
	for _, t := range r.told() {
		run.Results = append(run.Results, t.sarif(run.Tool.Driver.Rules))
	}
	return encode(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

func sarifRules(rules []policy.Rule) []sarifRule {
	var all []sarifRule
	for _, rule := range rules {
		one := sarifRule{
			ID: rule.Name, ShortDescription: sarifText{rule.Title}, FullDescription: sarifText{rule.Doc},
			Help: sarifText{"pgsluice rules " + rule.Name}, DefaultConfiguration: sarifConfiguration{level(rule.Default.String())},
		}
		if rule.Destroys {
			one.Properties = &sarifProperties{[]string{"destructive"}}
		}
		all = append(all, one)
	}
	return append(all,
		sarifRule{
			ID: unusedAllow, ShortDescription: sarifText{"Override that overrides nothing"},
			FullDescription: sarifText{"A comment allows a rule that finds nothing there. It would hide the next finding."},
			Help:            sarifText{"Remove the comment."}, DefaultConfiguration: sarifConfiguration{"note"},
		})
}

// sarif is a finding as a result. A safe form that can stand in the statement's own place is offered as a fix.
func (t told) sarif(rules []sarifRule) sarifResult {
	region := sarifRegion{StartLine: t.Line, StartColumn: t.Column, EndLine: t.EndLine, EndColumn: t.EndColumn}
	result := sarifResult{
		RuleID: t.Finding.Rule, RuleIndex: slices.IndexFunc(rules, func(r sarifRule) bool { return r.ID == t.Finding.Rule }),
		Level: level(t.Finding.Action), Message: sarifText{t.sentence()},
		Locations:           []sarifLocation{{sarifPhysical{artifact(t.Judged.Path), &region}}},
		PartialFingerprints: map[string]string{"pgsluice/v1": t.Fingerprint},
	}
	if advice := t.advice(); advice != "" {
		result.Message.Text += "\n" + advice
	}
	if t.Allowed {
		result.Suppressions = []sarifSuppression{{Kind: "inSource", Justification: t.Finding.Reason}}
	}
	if fix := t.Finding.Fix; fix != "" && t.Finding.inner == "" && !t.Judged.InTransaction && !t.Allowed {
		result.Fixes = []sarifFix{{
			Description: sarifText{"the safe form"},
			ArtifactChanges: []sarifChange{{artifact(t.Judged.Path), []sarifReplacement{{
				DeletedRegion: region, InsertedContent: sarifText{withoutSemicolon(fix)},
			}}}},
		}}
	}
	return result
}

// artifact is a path as a URI reference, an absolute one as a URI.
func artifact(path string) sarifArtifact {
	uri := url.URL{Path: path}
	if strings.HasPrefix(path, "/") {
		uri.Scheme = "file"
	}
	return sarifArtifact{uri.String()}
}
