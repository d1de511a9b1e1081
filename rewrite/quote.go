package rewrite

import (
	"strings"

	"github.com/pgsluice/pgsluice/internal/facts"
)

// quote writes a name as an identifier, a relation with its schema.
func quote(names ...string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = facts.QuoteIdent(name)
	}
	return strings.Join(list, ".")
}

// literal writes a text as a constant that reads the same whatever standard_conforming_strings says.
func literal(text string) string {
	prefix := ""
	if strings.Contains(text, `\`) {
		prefix, text = "E", strings.ReplaceAll(text, `\`, `\\`)
	}
	return prefix + "'" + strings.ReplaceAll(text, "'", "''") + "'"
}

// dollar writes a text as a constant in dollar quotes, with a tag that is not in it.
func dollar(text string) string {
	tag := "$pgsluice$"
	for strings.Contains(text, tag[:len(tag)-1]) {
		tag = tag[:len(tag)-1] + "_$"
	}
	return tag + text + tag
}
