package ddl

// Prefilter reports whether the raw bytes of a client's text, in any encoding, may hold a statement that a rule cares about: one that
// begins with, or has a part that begins with, one of
//
//	CREATE ALTER DROP TRUNCATE LOCK REINDEX CLUSTER VACUUM REFRESH IMPORT REASSIGN DO CALL REPACK
//
// or that calls pg_advisory_…. When it answers false, Parse would find nothing but Query, Write, Transaction, Setting, and Utility
// statements with the tags GRANT, REVOKE, GRANT ROLE, REVOKE ROLE, COMMENT, SECURITY LABEL and ANALYZE.
//
// It keeps no lexical state: a word counts in a string or a comment too, so no quoting and no setting can hide one. It only looks at the
// bytes beside a word, and lets them rule it out where that is safe in every encoding that Postgres knows:
//
//   - A keyword is written in ASCII letters, cannot be quoted or escaped, and every client encoding is ASCII where the first byte of a
//     character is below 0x80. So the keyword's own bytes are there as they are.
//   - A letter or underscore on the left means that the word began earlier. In SJIS, BIG5, GBK, UHC, JOHAB and GB18030 such a byte can
//     also be the second half of a character; but that character is not ASCII, so it is a letter of an identifier to the server, and the
//     word began earlier all the same. A digit may be the end of a number or a parameter (1create, $1create: two tokens up to
//     version 14), a dollar sign the end of a dollar-quoted string: these rule nothing out, nor does any byte from 0x80 up.
//   - A letter, digit or underscore on the right means that the word goes on: the first byte of a character of several bytes is never
//     ASCII, so this byte is a character of its own.
//   - DO before the words NOTHING or UPDATE is ON CONFLICT's: a DO block's next token is a string or LANGUAGE.
//
// It allocates nothing.
func Prefilter(raw []byte) bool {
	for i := range raw {
		if !isWordByte(before(raw, i)) && keywordAt(raw, i) {
			return true
		}
	}
	return false
}

// before is the byte before i, a space at the start of the text.
func before(raw []byte, i int) byte {
	if i == 0 {
		return ' '
	}
	return raw[i-1]
}

// isWordByte reports whether c, before a keyword, means that the word began earlier.
func isWordByte(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }

// keywordAt reports whether one of the words stands at i.
func keywordAt(raw []byte, i int) bool {
	switch raw[i] | 0x20 {
	case 'a':
		return wordAt(raw, i, "alter")
	case 'c':
		return wordAt(raw, i, "create") || wordAt(raw, i, "cluster") || wordAt(raw, i, "call")
	case 'd':
		return wordAt(raw, i, "drop") || wordAt(raw, i, "do") && !conflictAction(raw[i+2:])
	case 'i':
		return wordAt(raw, i, "import")
	case 'l':
		return wordAt(raw, i, "lock")
	case 'p':
		return startsWith(raw[i:], "pg_advisory_")
	case 'r':
		return wordAt(raw, i, "reindex") || wordAt(raw, i, "refresh") || wordAt(raw, i, "reassign") || wordAt(raw, i, "repack")
	case 't':
		return wordAt(raw, i, "truncate")
	case 'v':
		return wordAt(raw, i, "vacuum")
	}
	return false
}

// wordAt reports whether the word stands at i and may end there.
func wordAt(raw []byte, i int, word string) bool {
	if !startsWith(raw[i:], word) {
		return false
	}
	end := i + len(word)
	return end == len(raw) || !isWordByte(raw[end]) && !isDigit(raw[end])
}

// startsWith compares letters without their case; word is lower case.
func startsWith(raw []byte, word string) bool {
	if len(raw) < len(word) {
		return false
	}
	for i := 0; i < len(word); i++ {
		c := raw[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// conflictAction reports whether what follows the word DO is the rest of ON CONFLICT … DO NOTHING or DO UPDATE.
func conflictAction(raw []byte) bool {
	i := 0
	for i < len(raw) && isSpace(raw[i]) {
		i++
	}
	return i > 0 && (wordAt(raw, i, "nothing") || wordAt(raw, i, "update"))
}
