package lint

import (
	"regexp"
	"strings"
)

// changesets are the parts of Liquibase's formatted SQL: each changeset, and its rollback, which stands in comments.
func changesets(s *Source) ([]Part, error) {
	line := regexp.MustCompile(`(?i)^\s*--\s*changeset\s+(\S+)(.*)$`)
	back := regexp.MustCompile(`(?i)^\s*--\s*rollback\b`)
	blockBack := regexp.MustCompile(`(?i)^\s*/\*\s*liquibase\s+rollback\b`)

	c := changesetReader{text: s.Text}
	inBlock := false
	for start := 0; start < len(s.Text); {
		end := len(s.Text)
		if n := strings.IndexByte(s.Text[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		text := s.Text[start:end]
		switch match := line.FindStringSubmatch(strings.TrimRight(text, "\r\n")); {
		case match != nil:
			c.begin(match[1], match[2], start)
		case inBlock:
			if stop := strings.Index(text, "*/"); stop >= 0 {
				inBlock = false
				c.rolls(start, start+stop)
				break
			}
			c.rolls(start, end)
		case blockBack.MatchString(text):
			inBlock = !strings.Contains(text, "*/")
			stop := end
			if !inBlock {
				stop = start + strings.Index(text, "*/")
			}
			c.rolls(start+len(blockBack.FindString(text)), stop)
		default:
			if words := back.FindString(text); words != "" {
				c.rolls(start+len(words), end)
			}
		}
		start = end
	}
	return c.end(len(s.Text)), nil
}

// changesetReader collects the changesets of a file and their rollbacks.
type changesetReader struct {
	text      string
	parts     []Part
	open      *Part
	delimiter string // what ends a statement of the open changeset; "" for a semicolon
	back      []byte // the text of the open changeset with all but its rollback blanked out; nil if it has none
}

func (c *changesetReader) begin(id, options string, at int) {
	c.close(at)
	sent := Inside
	if regexp.MustCompile(`(?i)runInTransaction\s*[:=]\s*"?false`).MatchString(options) {
		sent = Singly
	}
	c.open = &Part{Name: "changeset " + id, Sent: sent, Offset: at}
	c.delimiter = ""
	if match := regexp.MustCompile(`(?i)\bendDelimiter\s*[:=]\s*"?([^\s"]+)`).FindStringSubmatch(options); match != nil && match[1] != ";" {
		c.delimiter = match[1]
	}
}

// rolls takes the text from start to end for the rollback of the open changeset. Words instead of SQL say that there is none to do.
func (c *changesetReader) rolls(start, end int) {
	if c.open == nil {
		return
	}
	switch word, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(c.text[start:end])), " "); word {
	case "empty", "not", "changesetid:", "changesetpath:", "":
		return
	}
	from := c.open.Offset
	if c.back == nil {
		c.back = []byte(blank(c.text[from:start]))
	}
	c.back = append(c.back, blank(c.text[from+len(c.back):start])...)
	c.back = append(c.back, c.text[start:end]...)
}

func (c *changesetReader) close(at int) {
	if c.open == nil {
		return
	}
	c.open.Text = c.delimited(c.text[c.open.Offset:at])
	c.parts = append(c.parts, *c.open)
	if c.back != nil {
		c.parts = append(c.parts, Part{
			Name: c.open.Name + ", rollback", Down: true, Sent: c.open.Sent, Text: c.delimited(string(c.back)), Offset: c.open.Offset,
		})
	}
	c.open, c.back = nil, nil
}

// delimited has semicolons where the changeset has its own delimiter, at the ends of lines.
func (c *changesetReader) delimited(text string) string {
	if c.delimiter == "" {
		return text
	}
	ends := regexp.MustCompile(`(?m)` + regexp.QuoteMeta(c.delimiter) + `[ \t\r]*$`)
	return ends.ReplaceAllStringFunc(text, func(end string) string { return ";" + blank(end[1:]) })
}

func (c *changesetReader) end(at int) []Part {
	c.close(at)
	return c.parts
}

// blank is as many spaces as the text has bytes, line ends kept.
func blank(text string) string {
	blanks := []byte(text)
	for i, c := range blanks {
		if c != '\n' {
			blanks[i] = ' '
		}
	}
	return string(blanks)
}
