package ddl

import "hash/maphash"

// Shapes gives texts that differ in nothing but their constants the same number. It is used by one goroutine at a time; those with the same seed
// give the same numbers.
type Shapes struct {
	seed maphash.Seed
	text []byte
}

// NewShapes gives numbers that nobody outside of this process can foresee.
func NewShapes(seed maphash.Seed) *Shapes { return &Shapes{seed: seed} }

// longestShape bounds the texts that have one.
const longestShape = 16 << 10

// Of is the number of a text in the encoding, without its numbers, strings and comments; but with the numbers of LIMIT and FETCH, which say how many rows
// a statement touches. ok is false where it is not certain in every reading what those are: a backslash in a string, a string with a prefix, a dollar
// quote, a number that a word follows.
func (s *Shapes) Of(raw []byte, e Encoding) (shape uint64, ok bool) {
	if len(raw) > longestShape {
		return 0, false
	}
	out := s.text[:0]
	limit := false
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c >= 0x80 && (e.wide || !e.known), c == 0:
			return 0, false
		case isWordStart(c):
			end := nameEnd(raw, i)
			limit = limits(raw[i:end], limit)
			out, i = append(out, raw[i:end]...), end
		case c == '\'', c == '"':
			end, certain := quoteEnd(raw, i)
			if !certain || (e.wide || !e.known) && !ascii(raw[i:end]) {
				return 0, false
			}
			if c == '\'' {
				out = append(out, '\'', '\'')
			} else {
				out = append(out, raw[i:end]...)
			}
			i = end
		case isDigit(c), c == '.' && i+1 < len(raw) && isDigit(raw[i+1]):
			end, certain := numberEnd(raw, i)
			if !certain {
				return 0, false
			}
			if limit {
				out = append(out, raw[i:end]...)
			} else {
				out = append(out, '0')
			}
			i = end
		case c == '$':
			end := i + 1
			for end < len(raw) && isDigit(raw[end]) {
				end++
			}
			if end == i+1 || end < len(raw) && (isWordStart(raw[end]) || raw[end] == '$') {
				return 0, false
			}
			out, i = append(out, raw[i:end]...), end
		case commentAt(raw, i):
			end, certain := commentEnd(raw, i)
			if !certain {
				return 0, false
			}
			out, i = append(out, ' '), end
		default:
			out, i = append(out, c), i+1
		}
	}
	s.text = out
	return maphash.Bytes(s.seed, out), true
}

// limits reports whether the numbers up to the next word are those of LIMIT or FETCH; behind is whether those before the word were.
func limits(word []byte, behind bool) bool {
	switch len(word) {
	case len("next"):
		return behind && startsWith(word, "next")
	case len("limit"): // and FETCH, FIRST
		return startsWith(word, "limit") || startsWith(word, "fetch") || behind && startsWith(word, "first")
	}
	return false
}

// numberEnd is the end of a decimal number, if no word follows on it: versions differ in what that is.
func numberEnd(raw []byte, i int) (end int, certain bool) {
	for i < len(raw) && (isDigit(raw[i]) || raw[i] == '.') {
		i++
	}
	if i+1 < len(raw) && raw[i]|0x20 == 'e' {
		exponent := i + 1
		if raw[exponent] == '+' || raw[exponent] == '-' {
			exponent++
		}
		for i = exponent; i < len(raw) && isDigit(raw[i]); {
			i++
		}
		if i == exponent {
			return 0, false
		}
	}
	return i, i == len(raw) || !isWordStart(raw[i]) && raw[i] != '$'
}

// commentEnd is the end of the comment that begins at i, if no other begins in it.
func commentEnd(raw []byte, i int) (end int, certain bool) {
	line := raw[i] == '-'
	for i += 2; i < len(raw); i++ {
		switch {
		case line && (raw[i] == '\n' || raw[i] == '\r'):
			return i, true
		case !line && raw[i] == '*' && i+1 < len(raw) && raw[i+1] == '/':
			return i + 2, true
		case !line && raw[i] == '/' && i+1 < len(raw) && raw[i+1] == '*':
			return 0, false
		}
	}
	return i, line
}

func ascii(raw []byte) bool {
	for _, c := range raw {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
