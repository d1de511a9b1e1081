package ddl

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// keyText finds literals that are secrets by their looks: a connection string, a private key, the tokens of well-known services, in their own case.
	keyText = regexp.MustCompile(`(?i)://([^/\s]*|[^\s:/@]+:[^\s@]+)@|\bauthorization["'\\]*\s*[:=]\s*\S|\baccountkey=|[?&;]sig=\S{16}|\bhooks\.slack\.com/services/|(\bpass["'\\]*\s*=|(passw\w*|passphrase|pwd|secret|token|credentials?|(api|access|private).?key)["'\\]*\s*[=:])\s*\S|` +
		`-----BEGIN|\bbearer\s+(\S{16}|\S*\d)|(?-i:\beyJ[\w-]{8}|(^|[^A-Za-z0-9])A[KS]IA[A-Z0-9]{16}($|[^A-Z0-9])|` +
		`\b(AIza[\w-]{20}|gh[oprsu]_\w{8}|github_pat_|glpat-|xox[abeprs]-|[rs]k_(live|test)_|whsec_\w{8}|SG\.[\w-]{16}|npm_\w{16}|hf_\w{16}|ya29\.\S{8}))`)
	// skText finds what begins like the keys of some services, and like words: those have no digits.
	skText = regexp.MustCompile(`\bsk-[\w-]{16,}`)
	// passText finds a pass and what is said of it: a password, or what is done in the second one.
	passText = regexp.MustCompile(`(?i)(?:\b(\w+)[\s-]+)?\bpass(["'\\]*)\s*:\s*(\S+)`)
	ordinal  = regexp.MustCompile(`(?i)^(first|second|third|fourth|fifth|next|last|final|previous|initial|another|each|every|this|that|same|single|one|two|three|\d+(st|nd|rd|th))$`)
	chosen   = regexp.MustCompile(`[A-Za-z].*\d|\d.*[A-Za-z]|[a-z].*[A-Z]|[!@#$%^&*=+?~]`)
	// keyName finds columns that hold one, keyFunction functions that are called with one.
	keyName     = regexp.MustCompile(`(?i)passw|pwd|secret|token|credential|(api|access|private).?key`)
	keyFunction = regexp.MustCompile(`(?i)^"?(dblink\w*|pgp_\w+|hmac|digest|sha(224|256|384|512)|crypt|encrypt|decrypt|encrypt_iv|decrypt_iv)"?$`)
)

// LooksSecret reports whether a text has in it what looks like a password, a key or a connection string.
func LooksSecret(text string) bool {
	return keyText.MatchString(text) || slices.ContainsFunc(skText.FindAllString(text, -1), func(key string) bool { return strings.ContainsAny(key, "0123456789") }) ||
		slices.ContainsFunc(passText.FindAllStringSubmatch(text, -1), func(found []string) bool {
			before, quotes, value := found[1], found[2], strings.TrimRight(found[3], `.,;:!?)'"`)
			return quotes != "" || !ordinal.MatchString(before) || chosen.MatchString(value)
		})
}

// hideKeys is the text of a statement about a schema with those of its string literals hidden that are a password, a key or a connection string: by
// their looks, as they are spelled or as the server reads them, alone or with those that they are joined to; by the column whose default they are or that they
// are compared with; or by the function that is called with them.
func hideKeys(text string) string {
	var out strings.Builder
	copied, last := 0, ""
	column, subject := "", "" // the name of the column at hand, and the last name at all, "" when what is said of it has ended
	depth, call := 0, 0       // of parentheses, and that in which such a function's arguments stand, 0 for none
	list := 0                 // that in which columns begin: of CREATE TABLE they stand in parentheses
	var joined joinedLiterals
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
			if t.start >= joined.end {
				joined = readJoined(text, t)
			}
			if call > 0 || keyName.MatchString(column) || keyName.MatchString(subject) || joined.secret || LooksSecret(word) || LooksSecret(literalText(text, t)) {
				out.WriteString(hidden)
				continue
			}
		case wordToken, nameToken:
			switch {
			case last == "" && strings.EqualFold(word, "CREATE"):
				list = 1
			case beginsColumn(last) && depth == list, strings.EqualFold(last, "DOMAIN"):
				column = word
			}
			subject = word
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
		case ",":
			subject = ""
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
