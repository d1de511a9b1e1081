package rules

import (
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/policy"
)

// Page is a rule's page in Markdown: what it is about, an example of what it finds, one of what passes, and the locks that were observed. All
// of it comes from the rule and its cases, which a running server has confirmed.
func Page(rule policy.Rule) string {
	var page strings.Builder
	fmt.Fprintf(&page, "## %s\n\n%s. Default: %s. Since %s.\n\n%s\n", rule.Name, rule.Title, standing(rule), rule.Since, rule.Doc)

	var failing, passing *policy.Case
	var locks []policy.Case
	for _, c := range rule.ParseCases() {
		switch {
		case c.Fails() && failing == nil:
			failing = &c
		case c.Passes() && passing == nil:
			passing = &c
		case c.Directive == "locks":
			locks = append(locks, c)
		}
	}
	example(&page, "Instead of", failing)
	example(&page, "Use", passing)
	if len(locks) > 0 {
		page.WriteString("\nLocks, as a server takes them:\n\n| statement | locks |\n| --- | --- |\n")
		for _, c := range locks {
			fmt.Fprintf(&page, "| `%s`%s | %s |\n", strings.Join(strings.Fields(c.SQL), " "), majors(c.Args), strings.ReplaceAll(c.Outcome, "\n", "<br>"))
		}
	}
	return page.String()
}

// standing is the rule's default action in words.
func standing(rule policy.Rule) string {
	if rule.Default == policy.Off {
		return fmt.Sprintf("off; `rules: {%s: warn}` switches it on", rule.Name)
	}
	return fmt.Sprintf("`%s`", rule.Default)
}

// majors says of which servers a case is, where it is not of all.
func majors(args []string) string {
	for _, arg := range args {
		if major, ok := strings.CutPrefix(arg, "before="); ok {
			return " before PostgreSQL " + major
		}
		if major, ok := strings.CutPrefix(arg, "major="); ok {
			return " since PostgreSQL " + major
		}
	}
	return ""
}

func example(page *strings.Builder, title string, c *policy.Case) {
	if c == nil {
		return
	}
	fmt.Fprintf(page, "\n%s", title)
	if c.Why != "" {
		fmt.Fprintf(page, " (%s)", strings.TrimSuffix(c.Why, "."))
	}
	fmt.Fprintf(page, ":\n\n```sql\n%s\n```\n", c.SQL)
	if c.Fails() {
		fmt.Fprintf(page, "\n```\n%s\n```\n", c.Outcome)
	}
}

// Book is the pages of all rules.
func Book() string {
	var book strings.Builder
	book.WriteString("# Rules\n\nMade from policy/rules by `go test ./policy/rules -run TestBook -write`; do not edit.\n")
	for _, rule := range All() {
		book.WriteString("\n" + Page(rule))
	}
	return book.String()
}
