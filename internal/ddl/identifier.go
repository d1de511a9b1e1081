package ddl

import "strings"

// MaxIdentifier is how many bytes of an identifier the server keeps (NAMEDATALEN - 1).
const MaxIdentifier = 63

// CutIdentifiers are the identifiers of a text, unquoted, that are longer than the server keeps, each once. The tree has them cut already.
// Those with Unicode escapes are left out.
func CutIdentifiers(text string) []string {
	var found []string
	seen := map[string]bool{}
	for s := (scanner{text: text}); ; {
		t := s.next()
		if t.kind == endToken {
			return found
		}
		name := text[t.start:t.end]
		switch {
		case t.kind == wordToken:
		case t.kind == nameToken && name[0] == '"':
			name = strings.ReplaceAll(name[1:len(name)-1], `""`, `"`)
		default:
			continue
		}
		if len(name) > MaxIdentifier && !seen[name] {
			seen[name] = true
			found = append(found, name)
		}
	}
}
