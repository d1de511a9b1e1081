package ddl

import "strings"

// Allowance is a client's own exception from rules, written as a comment of a statement:
//
//	/* pgsluice:allow RULE[,RULE] reason="…" */   or   -- pgsluice:allow RULE[,RULE] reason="…"
type Allowance struct {
	Rules []string
	// Reason is "" when none is given.
	Reason string
}

// Allow lists the allowances in a statement's Lead and Text, in their order. Only comments count, never a string.
func Allow(lead, text string) []Allowance {
	return append(allowances(lead), allowances(text)...)
}

func allowances(text string) []Allowance {
	var list []Allowance
	for s := (scanner{text: text}); ; {
		t := s.next()
		if t.kind == endToken {
			return list
		}
		if t.kind != commentToken {
			continue
		}
		if allowance, ok := parseAllowance(commentText(text[t.start:t.end])); ok {
			list = append(list, allowance)
		}
	}
}

// commentText is what stands within a comment's marks.
func commentText(comment string) string {
	if inner, ok := strings.CutPrefix(comment, "--"); ok {
		return inner
	}
	return strings.TrimSuffix(strings.TrimPrefix(comment, "/*"), "*/")
}

func parseAllowance(comment string) (Allowance, bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(comment), "pgsluice:allow")
	if !ok || rest == "" || !isSpace(rest[0]) {
		return Allowance{}, false
	}
	rules, reason, _ := strings.Cut(rest, "reason=")
	allowance := Allowance{Rules: strings.FieldsFunc(rules, func(r rune) bool { return r == ',' || r < 0x80 && isSpace(byte(r)) })}
	if quoted, ok := strings.CutPrefix(reason, `"`); ok {
		if end := strings.IndexByte(quoted, '"'); end >= 0 {
			allowance.Reason = strings.TrimSpace(quoted[:end])
		}
	}
	return allowance, len(allowance.Rules) > 0
}
