package ddl

// unboundedAt reports whether UPDATE, DELETE or MERGE stands at i, unless it is seen to have a condition, or to be part of another
// clause: FOR UPDATE, FOR NO KEY UPDATE, ON CONFLICT DO UPDATE.
func unboundedAt(raw []byte, i int) bool {
	switch raw[i] | 0x20 {
	case 'm':
		return wordAt(raw, i, "merge")
	case 'd':
		return wordAt(raw, i, "delete") && !conditioned(raw[i+len("delete"):])
	case 'u':
		return wordAt(raw, i, "update") && !clauseBefore(raw[:i]) && !conditioned(raw[i+len("update"):])
	}
	return false
}

// clauseBefore reports whether the text ends in DO, FOR or KEY and blanks. Behind a newline nothing is certain: a comment may have ended there.
func clauseBefore(raw []byte) bool {
	end := len(raw)
	for end > 0 && (raw[end-1] == ' ' || raw[end-1] == '\t') {
		end--
	}
	if end == len(raw) {
		return false
	}
	for _, word := range []string{"do", "for", "key"} {
		if start := end - len(word); start >= 0 && startsWith(raw[start:end], word) && (start == 0 || !isWordByte(raw[start-1])) {
			return true
		}
	}
	return false
}

// conditioned reports whether what follows UPDATE or DELETE certainly has a WHERE of its own that compares a column with something that is not a
// column, and no OR behind it. It gives up, which costs a parse and no more, at whatever reads in more than one way: a comment, a string with a
// backslash or a prefix, a dollar quote.
//
// The second byte of a character of several can be a letter, a digit or one of @ [ \ ] ^ ` { | } ~ in the encodings that only clients have. So a
// name may be cut in two here, the end of it taken for WHERE; but then what follows is not a comparison, because it is none to the server.
func conditioned(raw []byte) bool {
	depth := 0
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case isWordStart(c):
			end := nameEnd(raw, i)
			if depth == 0 && wordAt(raw, i, "where") && end == i+len("where") {
				return compares(raw[end:])
			}
			i = end
		case c == '"' || c == '\'':
			end, certain := quoteEnd(raw, i)
			if !certain {
				return false
			}
			i = end
		case c == '(':
			depth++
			i++
		case c == ')' && depth > 0:
			depth--
			i++
		case c == '$' && i+1 < len(raw) && isDigit(raw[i+1]):
			i += 2
		case c == ';' || c == ')' || c == '$' || c == 0 || commentAt(raw, i):
			return false
		default:
			i++
		}
	}
	return false
}

// compares reports whether the text begins with a column and a comparison of it with anything but itself, and has no OR.
func compares(raw []byte) bool {
	i := 0
	for i < len(raw) && (isSpace(raw[i]) || raw[i] == '(') {
		i++
	}
	if wordAt(raw, i, "current") && i+len("current of") <= len(raw) && wordAt(raw, i+len("current "), "of") {
		return true // a cursor's row
	}
	column, i := operand(raw, i)
	if len(column) == 0 {
		return false
	}
	if wordAt(raw, i, "is") || wordAt(raw, i, "in") {
		return !hasOr(raw)
	}
	if i >= len(raw) || !isOperator(raw[i]) || raw[i] == '&' { // U&"..." is a name
		return false
	}
	for i < len(raw) && isOperator(raw[i]) {
		if commentAt(raw, i) {
			return false
		}
		i++
	}
	for i < len(raw) && isSpace(raw[i]) {
		i++
	}
	if i < len(raw) && (raw[i] == '$' || raw[i] == '\'' || isDigit(raw[i])) {
		return !hasOr(raw)
	}
	other, end := operand(raw, i)
	return len(other) > 0 && !sameName(column, other) && !sameName(other, []byte("cast")) && (end == len(raw) || raw[end] != '.') && !hasOr(raw)
}

// operand reads a possibly qualified name and the blanks behind it. The name is empty for anything else, and for a word that begins a condition
// which no column decides.
func operand(raw []byte, i int) (name []byte, end int) {
	start := i
	for i < len(raw) {
		switch {
		case raw[i] == '"':
			end, certain := quoteEnd(raw, i)
			if !certain {
				return nil, i
			}
			i = end
		case isWordStart(raw[i]):
			for _, word := range [...]string{"not", "true", "exists", "case"} {
				if wordAt(raw, i, word) {
					return nil, i
				}
			}
			i = nameEnd(raw, i)
		default:
			return nil, i
		}
		if i == len(raw) || raw[i] != '.' {
			break
		}
		i++
	}
	name = raw[start:i]
	for i < len(raw) && isSpace(raw[i]) {
		i++
	}
	return name, i
}

// sameName compares names without their quotes and case, so that it errs to the same.
func sameName(a, b []byte) bool {
	i, j := 0, 0
	for {
		for i < len(a) && a[i] == '"' {
			i++
		}
		for j < len(b) && b[j] == '"' {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i]|0x20 != b[j]|0x20 {
			return false
		}
		i, j = i+1, j+1
	}
}

// longestCondition is how far behind a condition's beginning an OR is looked for; one that is longer is left to the parser.
const longestCondition = 8 << 10

// hasOr reports whether the statement goes on with an OR, or may.
func hasOr(raw []byte) bool {
	if len(raw) > longestCondition {
		raw = raw[:longestCondition]
	}
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case isWordStart(c):
			if wordAt(raw, i, "or") {
				return true
			}
			i = nameEnd(raw, i)
		case c == '"' || c == '\'':
			end, certain := quoteEnd(raw, i)
			if !certain {
				return true
			}
			i = end
		case c == ';':
			return false
		case c == '$' && (i+1 == len(raw) || !isDigit(raw[i+1])), commentAt(raw, i):
			return true
		default:
			i++
		}
	}
	return len(raw) == longestCondition
}

func commentAt(raw []byte, i int) bool {
	return i+1 < len(raw) && (raw[i] == '-' && raw[i+1] == '-' || raw[i] == '/' && raw[i+1] == '*')
}

func nameEnd(raw []byte, i int) int {
	for i < len(raw) && (isWordStart(raw[i]) || isDigit(raw[i]) || raw[i] == '$') {
		i++
	}
	return i
}

// quoteEnd is the end of the string or quoted name that begins at i, if it is certain: a name has no other reading, a string no backslash and
// nothing in front of it that could be its prefix.
func quoteEnd(raw []byte, i int) (end int, certain bool) {
	quote := raw[i]
	if quote == '\'' && i > 0 && (isWordStart(raw[i-1]) || raw[i-1] == '&') {
		return 0, false
	}
	for i++; i < len(raw); i++ {
		switch {
		case raw[i] == '\\' && quote == '\'':
			return 0, false
		case raw[i] == quote && i+1 < len(raw) && raw[i+1] == quote:
			i++
		case raw[i] == quote:
			return i + 1, true
		}
	}
	return 0, false
}
