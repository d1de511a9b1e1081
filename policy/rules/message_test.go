package rules_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

// nameless are the rules whose messages may name no object: what is not read has no names, and a transaction is nobody's.
var nameless = []string{"unjudged", "not-in-transaction", "transaction-cut-short", "setting-without-effect"}

// formless are the rules that know no other statement to type in the place of what they refuse or warn of, and why.
var formless = map[string]string{
	"unjudged":                     "nobody knows what it does",
	"not-in-transaction":           "the same statement, elsewhere",
	"transaction-cut-short":        "the file's own transaction",
	"setting-without-effect":       "the file's own transaction",
	"ledger-dropped":               "nothing is meant by it",
	"table-dropped":                "a drop is a drop",
	"column-dropped":               "a drop is a drop",
	"schema-dropped":               "a drop is a drop",
	"cascade-dropped":              "what is named is chosen by who sends it",
	"view-dropped":                 "a drop is a drop",
	"table-truncated":              "rows are gone one way or the other",
	"sequence-changed":             "the number is chosen by who sends it",
	"exclusion-built-in-place":     "there is none",
	"foreign-key-cascades":         "what is meant is chosen by who sends it",
	"not-null-dropped":             "what is meant is what is sent",
	"constraint-dropped":           "a drop is a drop",
	"json-without-equality":        "another type, in the first line",
	"cluster-or-vacuum-full":       "another program",
	"storage-copied":               "another program, or another table",
	"recurses-to-partitions":       "the same statement, at another time",
	"filled-in-transaction":        "the same statement, elsewhere",
	"enum-value-used-at-once":      "the same statement, later",
	"replica-identity-changed":     "the identity is chosen by who sends it",
	"trigger-disabled":             "the trigger is chosen by who sends it",
	"trigger-created":              "the same statement, looked at",
	"row-security-changed":         "the policies are chosen by who sends it",
	"privilege-widened":            "the privileges are chosen by who sends it",
	"role-changed":                 "the password is chosen by who sends it",
	"function-changed":             "the same statement with a setting, in the first line",
	"extension-changed":            "the same statement, agreed on",
	"setting-changed":              "the same statement, by who runs the server",
	"table-locked":                 "the same statement, or none",
	"locks-add-up":                 "the same statement, elsewhere",
	"slow-behind-lock":             "the same statement, elsewhere",
	"identifier-too-long":          "the name is chosen by who sends it",
	"table-without-primary-key":    "the key is chosen by who sends it",
	"constraint-enforced-at-once":  "a new constraint beside the old",
	"bulk-write":                   "the same statement, split",
	"bulk-write-reads-tables":      "the same statement, split by who knows the tables",
	"write-without-where":          "the condition is chosen by who sends it",
	"copy-program":                 "the data, sent by the client",
	"standby-queries-cancelled":    "the same statement, elsewhere",
	"foreign-keys-added-together":  "the same statement, in parts",
	"build-under-timeout":          "the same statement, behind a setting",
	"partition-detached-at-once":   "the same statement, elsewhere",
	"column-assigned-twice":        "the value is chosen by who sends it",
	"foreign-key-behind-writer":    "the same statement, later",
	"foreign-keys-dropped-at-once": "the same statement, elsewhere",
}

// noForm are what rules that know a safe form say where there is none.
var noForm = []string{"after an upgrade to", "in a maintenance window", "rebuild those that need it", "is partitioned by it", "generated column"}

// wellSaid holds what is found in a text, and will be told to somebody, against what everybody needs who reads it: the rule, what it is about, the lock and
// who waits where a lock is the matter, and the safe form, with names of the text's own, where the rule knows one.
func wellSaid(t *testing.T, v policy.Verdict, text string) {
	t.Helper()
	for _, f := range v.Findings {
		if f.Action == policy.Rewrite {
			continue // it is done in its safe form, and nobody reads of it
		}
		if f.Rule == "" {
			t.Errorf("no rule: %s", f.Message)
		}
		firstLine(t, f.Rule, f.Message, text)
		if told := f.Message + v.DetailOf(f); says(f.Message, "blocks ", "waiting", "wait ", "locks ", "keeps everybody") && !says(told, "Lock on ") && len(v.Locks) > 0 {
			t.Errorf("%s: names no lock: %s\n%s", f.Rule, told, text)
		}
		if _, none := formless[f.Rule]; !none && f.Action == policy.Block && !typable(f) && !says(f.Message, noForm...) {
			t.Errorf("%s: no safe form: %s\n%s\n%s", f.Rule, f.Message, f.Hint, text)
		}
	}
}

// firstLine holds the first line of a message against what whoever sees no other needs: the harm, a semicolon, the fix, and what it is about.
func firstLine(t *testing.T, rule, message, text string) {
	t.Helper()
	harm, fix, _ := strings.Cut(message, "; ")
	if harm == "" || fix == "" || strings.HasSuffix(message, ".") && !strings.HasSuffix(message, "...") {
		t.Errorf("%s: no harm, a semicolon and a fix: %s\n%s", rule, message, text)
	}
	if len(message) > 300 {
		t.Errorf("%s: %d bytes are too many: %s", rule, len(message), message)
	}
	names := namedIn(text)
	if slices.Contains(nameless, rule) || len(names) == 0 {
		return
	}
	if !strings.Contains(message, `"`) && !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(message, name) }) {
		t.Errorf("%s: names none of %s: %s\n%s", rule, names, message, text)
	}
}

func says(text string, any ...string) bool {
	return slices.ContainsFunc(any, func(words string) bool { return strings.Contains(text, words) })
}

// typable reports whether a finding says what to type: a statement in its hint, or at the end of its first line.
func typable(f policy.Finding) bool {
	var lines []string
	for line := range strings.SplitSeq(f.Hint+"\n"+f.Message+";", "\n") {
		_, behindNumber, _ := strings.Cut(line, ". ")
		_, behindWords, _ := strings.Cut(line, ": ")
		lines = append(lines, line, behindNumber, behindWords)
	}
	return slices.ContainsFunc(lines, func(line string) bool {
		statements, err := ddl.Parse(line)
		return strings.HasSuffix(line, ";") && err == nil && len(statements) > 0
	})
}
