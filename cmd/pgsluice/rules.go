package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

func newRulesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rules [NAME]",
		Short: "list the rules, or show the page of one",
		Long: `List the rules with what they do by default, or show the page of one: what it is about, and
cases that were run on a real server. What a rule does is set in the section rules of
the configuration.`,
		Example: `  pgsluice rules
  pgsluice rules index-not-concurrent`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch len(args) {
			case 0:
				return printRules(cmd.OutOrStdout(), rules.All())
			case 1:
				return printRule(cmd.OutOrStdout(), rules.All(), args[0])
			}
			return &usageError{message: cmd.CommandPath() + " takes one NAME", hint: "pgsluice rules lists them"}
		},
	}
}

func printRules(w io.Writer, all []policy.Rule) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, rule := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\n", rule.Name, rule.Default, rule.Title)
	}
	return table.Flush()
}

func printRule(w io.Writer, all []policy.Rule, name string) error {
	at := slices.IndexFunc(all, func(rule policy.Rule) bool { return rule.Name == name })
	if at < 0 {
		var names []string
		for _, rule := range all {
			names = append(names, rule.Name)
		}
		hint := "pgsluice rules lists them"
		if near := didYouMean(name, names); near != "" {
			hint = near
		}
		return &usageError{message: fmt.Sprintf("there is no rule %q", name), hint: hint}
	}
	rule := all[at]
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
		paragraphs = append(paragraphs, strings.Join(broken(paragraph, pageWidth), "\n"))
	}
	return strings.Join(paragraphs, "\n\n")
}

// broken is text in lines of at most so many characters; a longer word has a line of its own.
func broken(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
