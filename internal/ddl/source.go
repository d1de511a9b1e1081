package ddl

import (
	"slices"
	"strings"
)

// source is a statement's text cut into tokens, for what the tree does not tell: where the words are that it was made of.
// Indexes are those of tokens; the last token is the end.
type source struct {
	text   string
	known  string // the text in the grammar's words, where it has newer ones; else ""
	offset int    // of text within what was parsed, which is what the tree's locations count from
	tokens []token
}

func newSource(s *Statement) *source {
	return &source{text: s.Text, known: s.known, offset: s.Offset, tokens: tokens(s.Text)}
}

func (s *source) end() int { return len(s.tokens) - 1 }

// at is the index of the token that the tree locates; the end if there is none.
func (s *source) at(location int32) int {
	i, _ := slices.BinarySearchFunc(s.tokens[:s.end()], int(location)-s.offset, func(t token, at int) int { return t.start - at })
	return i
}

// is reports whether the token is the keyword, the mark or the operator; before the first and behind the last is none.
func (s *source) is(i int, word string) bool {
	if i < 0 || i >= s.end() {
		return false
	}
	t := s.tokens[i]
	written := s.text[t.start:t.end]
	if s.known != "" {
		written = strings.TrimRight(s.known[t.start:t.end], " ")
	}
	return (t.kind == wordToken || t.kind == markToken || t.kind == operatorToken) && strings.EqualFold(written, word)
}

// skip returns the index behind the words if they stand at i, and i if they do not.
func (s *source) skip(i int, words ...string) int {
	for n, word := range words {
		if !s.is(i+n, word) {
			return i
		}
	}
	return i + len(words)
}

// find is the index of the first such word or mark from i up to end, outside of all brackets opened since; end if there is none.
func (s *source) find(i, end int, word string) int {
	for i < end && !s.is(i, word) {
		i = s.over(i)
	}
	return min(i, end)
}

// over is the index behind the token at i, or behind its closing bracket if it opens one.
func (s *source) over(i int) int {
	if !s.is(i, "(") && !s.is(i, "[") {
		return i + 1
	}
	depth := 0
	for ; i < s.end(); i++ {
		switch {
		case s.is(i, "("), s.is(i, "["):
			depth++
		case s.is(i, ")"), s.is(i, "]"):
			depth--
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// name is the index behind the possibly qualified name at i.
func (s *source) name(i int) int {
	for {
		unicode := i < s.end() && s.tokens[i].kind == nameToken && s.text[s.tokens[i].start] != '"'
		i++
		if unicode && s.is(i, "UESCAPE") {
			i += 2
		}
		if !s.is(i, ".") {
			return min(i, s.end())
		}
		i++
	}
}

// list returns the parts of what stands between commas from i on, up to the index end.
func (s *source) list(i, end int) [][2]int {
	var parts [][2]int
	for i < end {
		comma := s.find(i, end, ",")
		parts = append(parts, [2]int{i, comma})
		i = comma + 1
	}
	return parts
}

// span is the text of the tokens from i up to, not including, j.
func (s *source) span(i, j int) Span {
	if i >= j || i >= s.end() {
		return Span{}
	}
	return Span{s.tokens[i].start, s.tokens[j-1].end}
}

// within is the text between the brackets that open at i; zero if none do.
func (s *source) within(i int) Span {
	if !s.is(i, "(") && !s.is(i, "[") {
		return Span{}
	}
	behind := s.over(i)
	return Span{s.tokens[i].end, s.tokens[behind-1].start}
}
