package lint

import (
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

// unusedAllow is the name of the note on an override that overrides nothing.
const unusedAllow = "unused-allow"

// allowance is an override in a comment.
type allowance struct {
	ddl.Allowance
	at, end int
	taken   bool // it belongs to a statement
}

// allowancesOf are the overrides in the comments of a statement.
func (p *readPart) allowancesOf(s *readStatement) []*allowance {
	var list []*allowance
	for _, place := range ddl.AllowComments(s.Statement) {
		for i := range p.comments {
			if a := &p.comments[i]; a.at == s.at-len(s.Lead)+place.Start {
				a.taken = true
				list = append(list, a)
			}
		}
	}
	return list
}

// allowed notes the overrides that overrode nothing.
func (judged *Judged) allowed(rules *policy.Set) {
	for _, a := range judged.allowances {
		for _, rule := range a.Rules {
			if rule == "unjudged" && judged.Unread != "" {
				judged.excused = judged.excused || a.Reason != ""
				continue
			}
			has := func(f Finding) bool { return f.Rule == rule }
			if !slices.ContainsFunc(judged.Overridden, has) && !slices.ContainsFunc(judged.Findings, has) {
				judged.unused = append(judged.unused, judged.source.unused(a, rule, rules))
			}
		}
	}
}

// unused is the note on an override that overrides nothing.
func (s *Source) unused(a *allowance, rule string, rules *policy.Set) Finding {
	f := Finding{Rule: unusedAllow, Action: "note", Message: fmt.Sprintf("nothing to allow: %s finds nothing in this statement; remove the comment", rule)}
	exists := slices.ContainsFunc(rules.Rules(), func(r policy.Rule) bool { return r.Name == rule })
	if !exists {
		f.Message = fmt.Sprintf("there is no rule %q to allow: pgsluice rules lists them", rule)
	}
	f.at = s.place(a.at, a.end)
	return f
}

// leftovers notes the overrides that no statement has, and counts what was hidden.
func (r *Report) leftovers(scripts []*script) {
	for _, s := range scripts {
		for i := range s.parts {
			for k := range s.parts[i].comments {
				a := &s.parts[i].comments[k]
				if a.taken {
					continue
				}
				line, _ := s.source.Position(a.at)
				r.Notes = append(r.Notes, Note{
					Path: s.source.Path, Line: line, Text: "this override belongs to no statement: put it before or within the one that it is about",
				})
			}
		}
	}
	for _, judged := range r.Judged {
		if judged.hidden {
			r.Hidden++
		}
	}
}
