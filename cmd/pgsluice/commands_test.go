package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Whatever a page or a help text tells people to type is a command line that this program takes.
func TestCommandsInTextsExist(t *testing.T) {
	texts := map[string]string{}
	pages, err := filepath.Glob("../../*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		texts[page] = string(text)
	}
	for _, cmd := range everyCommand(newRootCommand()) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		texts[cmd.CommandPath()+" --help"] = cmd.Example
	}
	for from, text := range texts {
		for line := range strings.Lines(text) {
			for _, words := range commandLines(line) {
				if problem := refused(words); problem != "" {
					t.Errorf("%s: %s: %s", from, strings.Join(words, " "), problem)
				}
			}
		}
	}
}

func TestCommandLinesAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		"pgsluice jbos":                   `unknown command "jbos"`,
		"pgsluice jobs list --jsno":       "unknown flag: --jsno",
		"pgsluice jobs finish 7":          `unknown command "finish"`,
		"A=b pgsluice serve --upstraem x": "unknown flag: --upstraem",
		`pgsluice explain "SELECT '|'" -`: "",
		"cd pgsluice; ls":                 "",
	} {
		got := ""
		for _, words := range commandLines(line) {
			got = refused(words)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

func everyCommand(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, child := range cmd.Commands() {
		all = append(all, everyCommand(child)...)
	}
	return all
}

var (
	// typed is a command line of ours: at the beginning of a line or within backticks, behind a prompt or variables if there are any.
	typed = regexp.MustCompile("(?:^|`)\\s*(?:\\$ )?(?:[A-Z_]+=\\S+ )*pgsluice( [^`\n]*)?")
	word  = regexp.MustCompile(`"[^"]*"|'[^']*'|[^\s"']+`)
)

// commandLines are the command lines of ours within a line, taken apart, up to what the shell would take for itself.
func commandLines(line string) (all [][]string) {
	for _, match := range typed.FindAllStringSubmatch(line, -1) {
		words := []string{"pgsluice"}
		for _, w := range word.FindAllString(match[1], -1) {
			if slices.Contains([]string{"|", "<", ">", "&&", "&", "#", ";", "\\"}, w) {
				break
			}
			words = append(words, strings.Trim(w, `"'`))
		}
		all = append(all, words)
	}
	return all
}

// refused says what is wrong with a command line before it is run; "" if nothing is.
func refused(words []string) string {
	root := newRootCommand()
	root.SetOut(io.Discard)
	cmd, rest, err := root.Find(words[1:])
	if err != nil {
		return err.Error()
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err.Error()
	}
	if args := cmd.Flags().Args(); cmd.HasSubCommands() && len(args) > 0 {
		return `unknown command "` + args[0] + `"`
	}
	return ""
}
