package policy

import "strings"

// Case is one case of a rule, as its .sql file has it: what is done and what comes of it.
type Case struct {
	// Why is the comment above the case, without its marks.
	Why string
	// Directive is setup, begin, rollback, check or locks; Args stand behind it.
	Directive string
	Args      []string
	SQL       string
	// Outcome is what comes of it: of a check the action and the findings, of locks a lock a line.
	Outcome string
}

// Fails reports whether a check found something.
func (c Case) Fails() bool { return c.Directive == "check" && !strings.HasPrefix(c.Outcome, "pass") }

// Passes reports whether a check found nothing.
func (c Case) Passes() bool { return c.Directive == "check" && strings.HasPrefix(c.Outcome, "pass") }

// ParseCases reads the rule's Cases.
func (r Rule) ParseCases() []Case {
	var cases []Case
	for _, block := range blocks(r.Cases) {
		var c Case
		input, outcome, _ := strings.Cut(block, "\n----\n")
		lines := strings.Split(strings.TrimSuffix(input, "\n"), "\n")
		var why []string
		for len(lines) > 0 && strings.HasPrefix(lines[0], "#") {
			why = append(why, strings.TrimSpace(strings.TrimPrefix(lines[0], "#")))
			lines = lines[1:]
		}
		if len(lines) == 0 {
			continue // a comment that stands alone
		}
		words := strings.Fields(lines[0])
		c.Why, c.Directive, c.Args = strings.Join(why, " "), words[0], words[1:]
		c.SQL, c.Outcome = strings.Join(lines[1:], "\n"), strings.TrimSpace(outcome)
		cases = append(cases, c)
	}
	return cases
}

// blocks cuts a file of cases at its empty lines. SQL has none, because a case ends there.
func blocks(text string) []string {
	var list []string
	for block := range strings.SplitSeq(text, "\n\n") {
		if block = strings.Trim(block, "\n"); block != "" {
			list = append(list, block+"\n")
		}
	}
	return list
}
