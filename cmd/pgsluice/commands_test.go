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
	var pages []string
	for _, pattern := range []string{"../../*.md", "../../docs/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		texts[page] = code(string(text))
	}
	for _, cmd := range everyCommand(newRootCommand()) {
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		texts[cmd.CommandPath()+" --help"] = cmd.Example
	}
	for from, text := range texts {
		for _, name := range tabled(text) {
			if problem := refused([]string{"pgsluice", name}); problem != "" {
				t.Errorf("%s: %s", from, problem)
			}
		}
		for line := range strings.Lines(text) {
			if problem := refused(commandLine(line)); problem != "" {
				t.Errorf("%s: %s: %s", from, strings.TrimSpace(line), problem)
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
		"go run ./cmd/pgsluice tyr":       `unknown command "tyr"`,
		"cd pgsluice; ls":                 "",
	} {
		if got := refused(commandLine(line)); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}

func TestCodeOfAPage(t *testing.T) {
	page := "Type `pgsluice jbos`.\n\n```sh\npgsluice srve\n```\n\n| command | does |\n| --- | --- |\n| `tyr` | x |\n\n`| a |`\n"
	var lines []string
	for line := range strings.Lines(code(page)) {
		if words := commandLine(line); words != nil {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	if want := []string{"pgsluice jbos", "pgsluice srve"}; !slices.Equal(lines, want) {
		t.Errorf("got the command lines %q, want %q", lines, want)
	}
	if names, want := tabled(code(page)), []string{"tyr"}; !slices.Equal(names, want) {
		t.Errorf("got the commands %q, want %q", names, want)
	}
}

func everyCommand(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, child := range cmd.Commands() {
		all = append(all, everyCommand(child)...)
	}
	return all
}

// code is what a page shows as code, a piece a line, and its tables.
func code(page string) string {
	var pieces []string
	for i, part := range strings.Split(page, "\n```") {
		if i%2 == 1 {
			pieces = append(pieces, part)
			continue
		}
		for line := range strings.Lines(part) {
			if strings.HasPrefix(line, "|") {
				pieces = append(pieces, strings.TrimSpace(line))
			}
			for j, span := range strings.Split(line, "`") {
				if j%2 == 1 {
					pieces = append(pieces, span)
				}
			}
		}
	}
	return strings.Join(pieces, "\n")
}

// tabled are the commands in the rows of a table whose first column is headed "command".
func tabled(text string) (names []string) {
	inside := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "| command "):
			inside = true
		case strings.HasPrefix(line, "|") && inside:
			if name := strings.Split(line, "`"); len(name) > 1 {
				names = append(names, name[1])
			}
		case strings.Contains(line, "|"):
			inside = false
		}
	}
	return names
}

var (
	// typed is a command line of ours, behind a prompt or variables if there are any.
	typed = regexp.MustCompile(`^\s*(?:\$ )?(?:[A-Z_]+=(?:"[^"]*"|\S*) )*(?:pgsluice|\./pgsluice|go run \./cmd/pgsluice)( .*)?$`)
	word  = regexp.MustCompile(`"[^"]*"|'[^']*'|[^\s"']+`)
)

// commandLine is a command line of ours, taken apart, up to what the shell would take for itself; nil for any other line.
func commandLine(line string) []string {
	match := typed.FindStringSubmatch(strings.TrimRight(line, "\n"))
	if match == nil {
		return nil
	}
	words := []string{"pgsluice"}
	for _, w := range word.FindAllString(match[1], -1) {
		if slices.Contains([]string{"|", "<", ">", "&&", "&", "#", ";", "\\"}, w) {
			break
		}
		words = append(words, strings.Trim(w, `"'`))
	}
	return words
}

// refused says what is wrong with a command line before it is run; "" if nothing is.
func refused(words []string) string {
	if words == nil {
		return ""
	}
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
