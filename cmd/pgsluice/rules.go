package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

func newRulesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "rules [NAME]",
		Short: "list the rules, or show the page of one",
		Long: `List the rules with what they do by default, or show the page of one: what it is about, and
cases that were run on a real server. What a rule does is set in the section rules of
the configuration.`,
		Example: `  pgsluice rules
  pgsluice rules index-not-concurrent`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return &usageError{message: cmd.CommandPath() + " takes one NAME", hint: "pgsluice rules lists them"}
			}
			all := rules.All()
			if len(args) == 1 {
				rule, err := ruleNamed(all, args[0])
				if err != nil {
					return err
				}
				if !asJSON {
					return printRule(cmd.OutOrStdout(), rule)
				}
				return printJSON(cmd.OutOrStdout(), page(rule))
			}
			if !asJSON {
				return printRules(cmd.OutOrStdout(), all)
			}
			pages := []rulePage{}
			for _, rule := range all {
				pages = append(pages, page(rule))
			}
			return printJSON(cmd.OutOrStdout(), pages)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// rulePage is a rule as JSON has it.
type rulePage struct {
	Name    string     `json:"name"`
	Title   string     `json:"title"`
	Default string     `json:"default"`
	Since   string     `json:"since"`
	Doc     string     `json:"doc"`
	Cases   []ruleCase `json:"cases"`
}

// ruleCase is one case of a rule as it was run on a server.
type ruleCase struct {
	Why       string   `json:"why,omitempty"`
	Directive string   `json:"directive"`
	Args      []string `json:"args,omitempty"`
	SQL       string   `json:"sql,omitempty"`
	Outcome   string   `json:"outcome,omitempty"`
}

func page(rule policy.Rule) rulePage {
	p := rulePage{rule.Name, rule.Title, rule.Default.String(), rule.Since, rule.Doc, []ruleCase{}}
	for _, c := range rule.ParseCases() {
		p.Cases = append(p.Cases, ruleCase(c))
	}
	return p
}

func printRules(w io.Writer, all []policy.Rule) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, rule := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\n", rule.Name, rule.Default, rule.Title)
	}
	return table.Flush()
}

func ruleNamed(all []policy.Rule, name string) (policy.Rule, error) {
	at := slices.IndexFunc(all, func(rule policy.Rule) bool { return rule.Name == name })
	if at >= 0 {
		return all[at], nil
	}
	var names []string
	for _, rule := range all {
		names = append(names, rule.Name)
	}
	hint := "pgsluice rules lists them"
	if near := didYouMean(name, names); near != "" {
		hint = near
	}
	return policy.Rule{}, &usageError{message: fmt.Sprintf("there is no rule %q", name), hint: hint}
}

func printRule(w io.Writer, rule policy.Rule) error {
	_, err := fmt.Fprintf(w, "%s\n%s\n\nrule     %s\ndefault  %s\nsince    %s\n\n%s\n\nCases, as they were run on a server:\n\n%s",
		rule.Title, strings.Repeat("=", len(rule.Title)), rule.Name, rule.Default, rule.Since, wrapped(rule.Doc), rule.Cases)
	return err
}

// pageWidth is how wide a page of text is printed.
const pageWidth = 92

// wrapped breaks the paragraphs of a text anew.
func wrapped(text string) string {
	var paragraphs []string
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		paragraphs = append(paragraphs, strings.Join(lint.Broken(paragraph, pageWidth), "\n"))
	}
	return strings.Join(paragraphs, "\n\n")
}
