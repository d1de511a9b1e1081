package ddl

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// joinedLiterals are string literals that || joins to one text, up to an offset; one alone is not joined.
type joinedLiterals struct {
	end    int
	secret bool
}

// readJoined reads the literals that begin with t, and that || joins directly: casts to types of one word may stand between them, brackets and functions not.
func readJoined(text string, t token) joinedLiterals {
	var whole strings.Builder
	whole.WriteString(literalText(text, t))
	joined := joinedLiterals{end: t.end}
	follow := scanner{text: text, pos: t.end}
	next := func() (token, string) {
		for {
			if t := follow.next(); t.kind != commentToken {
				return t, text[t.start:t.end]
			}
		}
	}
	for {
		t, word := next()
		for word == "::" {
			next()
			t, word = next()
		}
		if t.kind != operatorToken || word != "||" {
			break
		}
		if t, _ = next(); !isLiteral(t.kind) {
			break
		}
		whole.WriteString(literalText(text, t))
		joined.end = t.end
	}
	joined.secret = joined.end > t.end && LooksSecret(whole.String())
	return joined
}

func isLiteral(kind tokenKind) bool {
	return kind == stringToken || kind == escapeToken || kind == dollarToken
}

// literalText is what the server reads in a string literal: its parts, which may stand in several lines, without their quotes, and its escapes resolved. A
// backslash is an escape in any '…': the client may have said so.
func literalText(text string, t token) string {
	word := text[t.start:t.end]
	if t.kind == dollarToken {
		tag := strings.IndexByte(word[1:], '$') + 2
		return word[tag : len(word)-tag]
	}
	open := strings.IndexByte(word, '\'')
	if open < 0 {
		return word
	}
	escape, unicode := byte('\\'), strings.EqualFold(word[:open], "U&")
	if unicode {
		escape = escapeOf(text, t)
	}
	var out strings.Builder
	for i, s := open+1, (scanner{text: word}); i < len(word); i++ {
		switch c := word[i]; {
		case c == escape:
			read, size := escaped(word[i+1:], unicode)
			out.WriteString(read)
			i += size
		case c == '\'' && s.at(i+1) == '\'':
			out.WriteByte(c)
			i++
		case c == '\'':
			if i = s.continued(i + 1); i < 0 {
				return out.String()
			}
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// escapeOf is what escapes in U&'…': a backslash, or what UESCAPE says behind it.
func escapeOf(text string, t token) byte {
	follow := scanner{text: text, pos: t.end}
	word, char := follow.next(), follow.next()
	if strings.EqualFold(text[word.start:word.end], "UESCAPE") && char.kind == stringToken && char.end-char.start == 3 {
		return text[char.start+1]
	}
	return '\\'
}

// escaped reads what stands behind an escape character, and how long it is; unicode is true in U&'…'.
func escaped(text string, unicode bool) (read string, size int) {
	if text == "" {
		return "", 0
	}
	digits, from, base := 0, 1, 16
	switch c := text[0]; {
	case unicode && c == '+':
		digits = 6
	case unicode && isHex(c):
		digits, from = 4, 0
	case unicode:
		return text[:1], 1
	case c == 'x':
		digits = 2
	case c == 'u':
		digits = 4
	case c == 'U':
		digits = 8
	case c >= '0' && c <= '7':
		digits, from, base = 3, 0, 8
	case c == 'n', c == 'r', c == 't', c == 'b', c == 'f':
		return " ", 1
	default:
		return text[:1], 1
	}
	end := from
	for end < len(text) && end < from+digits && isHex(text[end]) && (base == 16 || text[end] <= '7') {
		end++
	}
	code, err := strconv.ParseUint(text[from:end], base, 32)
	switch {
	case err != nil:
		return text[:1], 1
	case digits <= 3 && code >= utf8.RuneSelf: // a byte of a character
		return string([]byte{byte(code)}), end
	}
	return string(rune(code)), end
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
