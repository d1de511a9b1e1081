package ddl

import (
	"slices"
	"strings"
)

// Allowance is a client's own exception from rules, written as a comment of a statement:
//
//	/* pgsluice:allow RULE[,RULE] reason="…" */   or   -- pgsluice:allow RULE[,RULE] reason="…"
//
// One comment may hold several, one behind the other.
type Allowance struct {
	Rules []string
	// Reason is "" when none is given.
	Reason string
}

// Allow lists the allowances in the comments before a statement and inside, in their order. Only comments count, never a string; where a
// setting decides which of both a text is, it must be a comment either way. A comment that ends the line of the statement before is
// none of this one's.
func Allow(s Statement) []Allowance {
	readings := []bool{s.NoSplice}
	if _, unparsed := s.Action.(Unparsed); unparsed {
		readings = []bool{false, true}
	}
	var list []Allowance
	for i, nonconforming := range readings {
		var found []Allowance
		for _, place := range allowComments(s, nonconforming) {
			comment := (s.Lead + s.Text)[place.Start:place.End]
			if inner, ok := strings.CutPrefix(commentText(comment), "pgsluice:allow"); ok && inner != "" && isSpace(inner[0]) {
				found = append(found, Allowances(inner)...)
			}
		}
		if i == 0 {
			list = found
			continue
		}
		same := func(a Allowance) bool {
			return slices.ContainsFunc(found, func(b Allowance) bool { return a.Reason == b.Reason && slices.Equal(a.Rules, b.Rules) })
		}
		list = slices.DeleteFunc(list, func(a Allowance) bool { return !same(a) })
	}
	return list
}

// Defers reports whether a comment of the statement asks to have its rows changed behind the COMMIT: /* pgsluice:defer */. It counts where one that
// allows something does.
func Defers(s Statement) bool {
	return slices.ContainsFunc(AllowComments(s), func(place Span) bool {
		return commentText((s.Lead + s.Text)[place.Start:place.End]) == "pgsluice:defer"
	})
}

// AllowComments are the comments in which Allow looks, as places in Lead and Text one behind the other.
func AllowComments(s Statement) []Span { return allowComments(s, s.NoSplice) }

func allowComments(s Statement, nonconforming bool) []Span {
	list := leading(s)
	scan(s.Text, nonconforming, func(t token) { list = append(list, Span{len(s.Lead) + t.start, len(s.Lead) + t.end}) })
	return list
}

// leading are the comments in a statement's Lead, without those that end the line of the statement before.
func leading(s Statement) []Span {
	first := s.Offset <= len(s.Lead)
	var list []Span
	scan(s.Lead, false, func(t token) {
		before, behind := s.Lead[:t.start], s.Lead[t.end:]
		if first || strings.Contains(before, "\n") || !strings.Contains(behind, "\n") {
			list = append(list, Span{t.start, t.end})
		}
	})
	return list
}

// scan calls with for each comment.
func scan(text string, nonconforming bool, with func(token)) {
	for s := (scanner{text: text, nonconforming: nonconforming}); ; {
		switch t := s.next(); t.kind {
		case endToken:
			return
		case commentToken:
			with(t)
		}
	}
}

// commentText is what stands within a comment's marks, without white space around it.
func commentText(comment string) string {
	if inner, ok := strings.CutPrefix(comment, "--"); ok {
		return strings.TrimSpace(inner)
	}
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(comment, "/*"), "*/"))
}

// Allowances reads RULE[,RULE] reason="…", and as many more as follow; what stands behind the last reason is a remark and no rule.
func Allowances(text string) []Allowance {
	var list []Allowance
	for {
		rules, rest, given := strings.Cut(text, "reason=")
		allowance := Allowance{Rules: strings.FieldsFunc(rules, func(r rune) bool { return r == ',' || r == ';' || r < 0x80 && isSpace(byte(r)) })}
		quoted, ok := strings.CutPrefix(rest, `"`)
		end := strings.IndexByte(quoted, '"')
		if ok && end >= 0 {
			allowance.Reason = strings.TrimSpace(quoted[:end])
		}
		if len(allowance.Rules) > 0 && (given || len(list) == 0) {
			list = append(list, allowance)
		}
		if !ok || end < 0 {
			return list
		}
		text = quoted[end+1:]
	}
}
