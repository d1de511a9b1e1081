package policy

import (
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// overrides are what is allowed for one statement: by its comments, by the session's setting pgsluice.allow, and by the caller.
func overrides(_ ddl.Statement, known facts.Facts, where Context) []Override {
	var doors []Override
	if value := known.Settings["pgsluice.allow"]; value != "" {
		doors = append(doors, parseAllow(value))
	}
	if len(where.Override.Rules) > 0 {
		doors = append(doors, where.Override)
	}
	return doors
}

// parseAllow reads the value of the setting: RULE[,RULE] reason="…".
func parseAllow(value string) Override {
	allow := Override{Source: "setting"}
	rules, reason, found := strings.Cut(value, "reason=")
	for _, name := range strings.FieldsFunc(rules, func(r rune) bool { return r == ',' || r == ' ' }) {
		allow.Rules = append(allow.Rules, name)
	}
	if found {
		allow.Reason = strings.TrimSpace(strings.Trim(strings.TrimSpace(reason), `"`))
	}
	return allow
}
