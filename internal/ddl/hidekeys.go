package ddl

import (
	"regexp"
	"strings"
)

var (
	// keyText finds literals that are secrets by their looks: a connection string, a private key, the tokens of well-known services.
	keyText = regexp.MustCompile(`(?i)://[^/\s]*@|(\bpass|passw\w*|passphrase|pwd|secret|token|credentials?|(api|access|private).?key)["'\\]*\s*[=:]\s*\S|` +
		`-----BEGIN|\bbearer\s|\beyJ[\w-]{8}|` +
		`\b(A[KS]IA[A-Z0-9]{12}|AIza[\w-]{20}|gh[opsu]_\w{8}|github_pat_|glpat-|xox[abps]-|[rs]k_live_|sk-[\w-]{16})`)
	// keyName finds columns that hold one, keyFunction functions that are called with one.
	keyName     = regexp.MustCompile(`(?i)passw|pwd|secret|token|credential|(api|access|private).?key`)
	keyFunction = regexp.MustCompile(`(?i)^"?(dblink\w*|pgp_\w+|hmac|crypt|encrypt|decrypt|encrypt_iv|decrypt_iv)"?$`)
)

// LooksSecret reports whether a text has in it what looks like a password, a key or a connection string.
func LooksSecret(text string) bool { return keyText.MatchString(text) }

// hideKeys is the text of a statement about a schema with those of its string literals hidden that are a password, a key or a connection string: by
// their looks, by the column whose default they are, or by the function that is called with them.
func hideKeys(text string) string {
	var out strings.Builder
	copied, last, column := 0, "", "" // the word before, and the first word of the column at hand
	depth, call := 0, 0               // of parentheses, and that in which such a function's arguments stand, 0 for none
	for scan := (scanner{text: text}); ; {
		t := scan.next()
		out.WriteString(text[copied:t.start])
		copied = t.end
		word := text[t.start:t.end]
		switch t.kind {
		case endToken:
			return out.String()
		case commentToken:
			out.WriteString(word)
			continue
		case stringToken, escapeToken, dollarToken, brokenToken:
			if call > 0 || keyName.MatchString(column) || keyText.MatchString(word) {
				out.WriteString(hidden)
				continue
			}
		case wordToken, nameToken:
			if beginsColumn(last) {
				column = word
			}
		}
		switch word {
		case "(":
			depth++
			if call == 0 && keyFunction.MatchString(last) {
				call = depth
			}
		case ")":
			if depth == call {
				call = 0
			}
			depth--
		}
		out.WriteString(word)
		last = word
	}
}

// beginsColumn reports whether a column's name may stand behind the word, in CREATE and ALTER TABLE.
func beginsColumn(word string) bool {
	switch strings.ToUpper(word) {
	case "(", ",", "ADD", "ALTER", "COLUMN", "EXISTS":
		return true
	}
	return false
}
