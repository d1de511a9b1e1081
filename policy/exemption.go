package policy

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/cel-go/cel"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// Exemption takes findings out of force by configuration, where a statement cannot say so itself: a generated downgrade carries no comment.
// It covers a finding when each of its lists that is not empty has a pattern (as of path.Match) that matches, and the condition holds.
// What is not known matches nothing.
type Exemption struct {
	Rules []string // of the names of rules; at least one
	// Tables are SCHEMA.TABLE, each part a pattern. Every table that the statement does more to than read must match one; where there is
	// none, every table that it makes, or else reads. An index stands for its table.
	Tables       []string
	Roles        []string // of logins (session_user)
	Databases    []string
	Applications []string // of application_name, which the client chooses
	Revisions    []string // of the id of the revision that is being applied
	// When is a CEL condition about the Variables; it must hold for each of the tables. "" holds.
	When string
	// Until is when it ceases to count; zero is never.
	Until time.Time
	// Reason is why; it is recorded with every finding that the exemption covers. Never empty.
	Reason string
	// Origin is where it is written, for messages: config.yaml:12:5.
	Origin string
}

// ExemptionError says what is wrong with one exemption.
type ExemptionError struct {
	Index int    // among Settings.Exemptions
	Key   string // of the exemption: "rules", "when"
	Item  int    // of that list; -1 when the key itself is at fault
	// Line and Column are where in the condition, from 1, in characters; 0 elsewhere.
	Line, Column int
	Message      string
	Hint         string // "" for none
}

func (e *ExemptionError) Error() string {
	where := fmt.Sprintf("exemptions[%d].%s", e.Index, e.Key)
	if e.Item >= 0 {
		where += fmt.Sprintf("[%d]", e.Item)
	}
	return where + ": " + e.Message
}

// exemption is an Exemption ready for use.
type exemption struct {
	Exemption
	when cel.Program // nil: no condition
}

// exempting makes the exemptions ready, and reports all that is wrong with them: an ExemptionError each, joined.
func exempting(list []Exemption, rules []string) ([]exemption, error) {
	if len(list) == 0 {
		return nil, nil
	}
	conditions, err := newConditions()
	if err != nil {
		return nil, err
	}
	ready := make([]exemption, len(list))
	var problems []error
	for i, e := range list {
		fail := func(key string, item int, hint, format string, args ...any) {
			problems = append(problems, &ExemptionError{Index: i, Key: key, Item: item, Message: fmt.Sprintf(format, args...), Hint: hint})
		}
		ready[i] = exemption{Exemption: e}
		if len(e.Rules) == 0 {
			fail("rules", -1, `write rules: [index-not-concurrent], or ["*"] for every rule`, "must name at least one rule")
		}
		if strings.TrimSpace(e.Reason) == "" {
			fail("reason", -1, "say who asked for it and why; it is recorded with every statement that it lets through", "must not be empty")
		}
		for _, list := range []struct {
			key      string
			patterns []string
		}{
			{"rules", e.Rules}, {"tables", e.Tables}, {"roles", e.Roles}, {"databases", e.Databases},
			{"applications", e.Applications}, {"revisions", e.Revisions},
		} {
			for item, pattern := range list.patterns {
				message, hint := wrongPattern(list.key, pattern, rules)
				if message != "" {
					fail(list.key, item, hint, "%s", message)
				}
			}
		}
		if e.When == "" {
			continue
		}
		program, wrong := conditions.compile(e.When)
		for _, w := range wrong {
			w.Index = i
			problems = append(problems, w)
		}
		ready[i].when = program
	}
	return ready, errors.Join(problems...)
}

// wrongPattern says what is wrong with an item of a list; "" for nothing.
func wrongPattern(key, pattern string, rules []string) (message, hint string) {
	if pattern == "" {
		return "must not be empty", `"*" stands for everything`
	}
	if _, err := path.Match(pattern, ""); err != nil {
		return "is not a pattern: a [ is not closed, or the text ends in a backslash", `* stands for any text, ? for one character, [ab] for one of them; a backslash takes the meaning away`
	}
	switch key {
	case "rules":
		named := func(rule string) bool { return matches(pattern, rule) }
		if slices.ContainsFunc(rules, named) {
			return "", ""
		}
		if isGlob(pattern) {
			return "matches the name of no rule", "pgsluice rules lists them"
		}
		hint = "pgsluice rules lists them"
		if near := near(pattern, rules); near != "" {
			hint = "did you mean " + near + "?"
		}
		return fmt.Sprintf("there is no rule %q", pattern), hint
	case "tables":
		if schema, table := splitTable(pattern); schema == "" || table == "" {
			return "must be SCHEMA.TABLE", fmt.Sprintf("write public.%s, or *.%[1]s for every schema", strings.Trim(pattern, "."))
		}
	}
	return "", ""
}

func isGlob(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// matches reports whether a name matches a pattern that is known to be one. Unlike in a path, a slash is a letter like any other.
func matches(pattern, name string) bool {
	const letter = "\uffff" // no name has it
	ok, _ := path.Match(strings.ReplaceAll(pattern, "/", letter), strings.ReplaceAll(name, "/", letter))
	return ok
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

// splitTable cuts a pattern at its first dot; schema is "" when there is none.
func splitTable(pattern string) (schema, table string) {
	schema, table, qualified := strings.Cut(pattern, ".")
	if !qualified {
		return "", ""
	}
	return schema, table
}

// table is a table that a statement is about.
type table struct {
	schema, name string          // schema is "" when it is not known
	relation     *facts.Relation // nil: not known, or does not exist
}

// about are the tables that a statement does more to than read; where there are none, those that it makes, or else those that it reads.
func about(stmt ddl.Statement, known facts.Facts) []table {
	var touched, made, read []table
	for _, ref := range stmt.Refs {
		switch one := resolved(ref, known); {
		case ref.Lock > ddl.AccessShare || ref.Written:
			touched = append(touched, one)
		case ref.Created && ref.Kind == "INDEX": // is about its table
		case ref.Created:
			made = append(made, one)
		default:
			read = append(read, one)
		}
	}
	for _, tables := range [][]table{touched, made} {
		if len(tables) > 0 {
			return tables
		}
	}
	return read
}

// resolved is the table that a name stands for: as the server resolved it, or would.
func resolved(ref ddl.Ref, known facts.Facts) table {
	relation, asked := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
	switch {
	case relation != nil && relation.Table != nil:
		relation = relation.Table
		fallthrough
	case relation != nil:
		return table{relation.Schema, relation.Name, relation}
	case ref.Kind == "INDEX":
		return table{} // of which table it would be is not known
	}
	named := table{schema: ref.Name.Schema, name: ref.Name.Name}
	if named.schema == "" && known.Known && (asked || ref.Created) && len(known.SearchPath) > 0 {
		named.schema = known.SearchPath[0]
	}
	return named
}

// matchesTables reports whether every table matches one of the patterns. A schema that is not known matches only "*".
func (e exemption) matchesTables(tables []table) bool {
	if len(e.Tables) == 0 {
		return true
	}
	for _, one := range tables {
		covers := func(pattern string) bool {
			schema, name := splitTable(pattern)
			return one.name != "" && matches(name, one.name) && (schema == "*" || one.schema != "" && matches(schema, one.schema))
		}
		if !slices.ContainsFunc(e.Tables, covers) {
			return false
		}
	}
	return len(tables) > 0
}

// mayCover reports whether the exemption is about the finding's rule.
func (e exemption) mayCover(f Finding) bool { return matchesAny(e.Rules, f.Rule) }

// covers reports whether the exemption covers a finding of a rule that it is about, its Until left out. An error is that of the condition; then it does not.
func (e exemption) covers(f Finding, c circumstances) (bool, error) {
	lists := []struct {
		patterns []string
		value    string // "" is not known
	}{
		{e.Roles, c.known.SessionUser},
		{e.Databases, c.known.Database},
		{e.Applications, c.known.Settings["application_name"]},
		{e.Revisions, c.where.Revision},
	}
	for _, list := range lists {
		if len(list.patterns) > 0 && (list.value == "" || !matchesAny(list.patterns, list.value)) {
			return false, nil
		}
	}
	if !e.matchesTables(c.tables) {
		return false, nil
	}
	return holds(e.when, f, c)
}

// expired reports whether the exemption does not count any more. When it is not known how late it is, one that can expire does not count.
func (e exemption) expired(now time.Time) bool {
	return !e.Until.IsZero() && (now.IsZero() || !now.Before(e.Until))
}

// circumstances are what a finding was made in.
type circumstances struct {
	stmt   ddl.Statement
	known  facts.Facts
	where  Context
	tables []table
}
