package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// Note is something to know about a file that is no finding.
type Note struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	Text string `json:"text"`
}

// sqlOnly blanks out what psql takes for itself: its backslash commands, and the data behind COPY … FROM STDIN. What a command runs that
// is not in the text is told by tell.
func sqlOnly(text string, tell func(offset int, message string)) string {
	var out strings.Builder
	done := 0 // up to where text is written
	blankOut := func(from, to int) {
		out.WriteString(text[done:from])
		out.WriteString(blank(text[from:to]))
		done = to
	}
	stdin := regexp.MustCompile(`(?is)^(\s|--[^\n]*\n)*COPY\s.*\sFROM\s+STDIN\b`)
	for from, begun := 0, 0; from < len(text); {
		at, why := ddl.NextStop(text, from)
		switch why {
		case ddl.AtEnd:
			from = len(text)
		case ddl.AtSemicolon:
			from = at + 1
			if stdin.MatchString(text[begun:at]) {
				data := lineEnd(text, at)
				from = dataEnd(text, data)
				blankOut(data, from)
			}
			begun = from
		case ddl.AtBackslash:
			from = lineEnd(text, at)
			if strings.TrimSpace(text[begun:at]) == "" {
				begun = from // no statement is begun
			}
			command, _, _ := strings.Cut(strings.TrimSpace(text[at+1:from]), " ")
			if about := beyond(command); about != "" {
				tell(at, about)
			}
			if sendsQuery(command) {
				// It stands in the place of the semicolon.
				out.WriteString(text[done:at] + ";")
				done = at + 1
				begun = from
			}
			blankOut(max(at, done), from)
		}
	}
	out.WriteString(text[done:])
	return out.String()
}

func lineEnd(text string, from int) int {
	if n := strings.IndexByte(text[from:], '\n'); n >= 0 {
		return from + n
	}
	return len(text)
}

// dataEnd is behind the line \. that ends the data of a COPY.
func dataEnd(text string, from int) int {
	for from < len(text) {
		start := from + 1
		from = lineEnd(text, min(start, len(text)))
		if start <= from && strings.TrimRight(text[start:from], "\r") == `\.` {
			return from
		}
	}
	return len(text)
}

// sendsQuery reports whether a command of psql sends what was typed so far.
func sendsQuery(command string) bool {
	return slices.Contains([]string{"g", "gx", "gexec", "gset", "gdesc", "crosstabview", "watch"}, command)
}

// beyond says what a command of psql runs that the file does not show; "" for nothing.
func beyond(command string) string {
	switch command {
	case "i", "ir", "include", "include_relative":
		return `\` + command + " is not followed: name that file, too"
	case "gexec":
		return `what \gexec runs is made by the query, and not judged`
	case "!":
		return `what \! runs is not judged`
	}
	return ""
}

// substituted is the text with the variables of psql (:name, :'name') and of templates (${name}, {{name}}) replaced by names or strings of
// as many bytes, so that its form can be judged.
func substituted(text string) string {
	plain := func(s string) string {
		name := []byte(s)
		for i, c := range name {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				name[i] = '_'
			}
		}
		return string(name)
	}
	text = regexp.MustCompile(`\$\{[A-Za-z_][\w.:-]*\}|\{\{[^{}\n]*\}\}`).ReplaceAllStringFunc(text, plain)
	variable := regexp.MustCompile(`(^|[^:\w]):([A-Za-z_]\w*|'[A-Za-z_]\w*'|"[A-Za-z_]\w*")`)
	return variable.ReplaceAllStringFunc(text, func(match string) string {
		before, name, _ := strings.Cut(match, ":")
		if name[0] == '\'' || name[0] == '"' {
			return before + " " + name
		}
		return before + "_" + name
	})
}
