package ddl

import "strings"

const (
	// maxDepth bounds how deep the tree of a text can be, as tooComplex counts it.
	//
	// The C parser writes its tree out recursively and without a stack check: 356 bytes of stack a level at most, measured with each
	// construct of testdata/deep.txt. Threads that the Go runtime starts for cgo have the size of the soft limit of the stack, 8 MiB
	// nearly everywhere, 2 MiB where that is unlimited. So the bound needs 490 KiB: a sixteenth of the one, a quarter of the other,
	// half of a stack of 1 MiB. (protobuf's own bound, 10 000 nested messages, comes after the C parser has done its work.)
	maxDepth = 1400

	// maxRescans bounds how many bytes the C scanner reads again because it begins a run of operator characters anew at each of its
	// tokens: 160 KB of "/*/*/*…" kept it busy for 50 seconds.
	maxRescans = 32 << 20

	// maxCopies bounds the tokens that the tree has in copies.
	maxCopies = 128 << 10
)

// tooComplex reports whether the C parser could overflow its stack on the text, or would take very long. What kills the process cannot be
// recovered from, so this must be asked first, and must not be wrong.
func tooComplex(text string) bool { return deeperThan(text, maxDepth) }

// deeperThan reports whether the tree of the text could be deeper than the limit.
//
// It counts an upper bound of the tree's depth from the tokens: a level of the tree owes itself to an operator or a word like NOT or
// SELECT, up to three of them to a bracket; names and constants are leaves. Tokens on both sides of a comma, or of AND and OR, which make
// flat lists, are not on one path from the root: of such parts only the deepest counts.
//
// It counts copies as well, because SET (a, b) = (SELECT …) puts its right side into the tree once for each column: thirty of them within
// each other are a short text and would need more memory than there is.
func deeperThan(text string, limit int) bool {
	levels := []level{{copies: 1, times: 1}}
	above := 0 // depth of all levels but the innermost
	copied := 0
	columns := 0 // parts of the bracket that the token before closed
	rescans := rescanCount{text: text}
	previous := token{}
	for s := (scanner{text: text, asParser: true}); ; {
		t := s.next()
		if t.kind == endToken {
			return false
		}
		if rescans.add(t) > maxRescans {
			return true
		}
		if t.kind == commentToken {
			continue
		}
		top := &levels[len(levels)-1]
		if columns > 1 && text[t.start:t.end] == "=" {
			top.times = top.copies * columns
		}
		columns = 0
		if copied += top.times - 1; copied > maxCopies {
			return true
		}
		switch top.effect(text, previous, t) {
		case opens:
			above += top.links + top.chain
			levels = append(levels, level{isCase: t.kind == wordToken, links: 3, copies: top.times, times: top.times})
		case closes:
			if len(levels) > 1 {
				inner := top.depth()
				columns = top.commas + 1
				levels = levels[:len(levels)-1]
				outer := &levels[len(levels)-1]
				above -= outer.links + outer.chain
				outer.inner = max(outer.inner, inner)
			}
		case parts:
			top.peak = max(top.peak, top.chain+top.inner)
			top.chain, top.inner = 0, 0
			if t.kind == markToken {
				top.commas++
				top.times = top.copies
			}
		case links:
			top.links++
		case nests:
			above += 6
		case deepens:
			top.chain++
		}
		if above+levels[len(levels)-1].depth() > limit {
			return true
		}
		previous = t
	}
}

// level is the text between two brackets, or CASE and END, as far as it was read.
type level struct {
	isCase bool
	links  int // what goes round all else on the level: set operations, joins, and the brackets themselves
	chain  int // what deepens the part at hand
	inner  int // depth of the deepest brackets within the part at hand
	peak   int // depth of the deepest part before
	commas int
	copies int // how often the tree has the level
	times  int // how often it has the part at hand
}

func (l *level) depth() int { return l.links + max(l.peak, l.chain+l.inner) }

// effect is what a token does to the depth.
type effect int

const (
	none    effect = iota
	deepens        // by one
	opens          // a level
	closes         // the level
	parts          // ends a part of the level; the next is beside it, not below
	links          // goes round everything on its level
	nests          // goes round everything, also behind a semicolon
)

func (l *level) effect(text string, previous, t token) effect {
	word := text[t.start:t.end]
	switch t.kind {
	case operatorToken:
		return deepens
	case markToken:
		switch word {
		case "(", "[":
			return opens
		case ")", "]":
			return closes
		case ",", ";":
			return parts
		case ".":
			return none
		}
		return deepens
	case wordToken:
		before := text[previous.start:previous.end]
		if before == "." || len(word) > len("INTERSECT") {
			return none // the name of a column, or of anything
		}
		return l.keywordEffect(strings.ToUpper(word), before)
	}
	return none
}

func (l *level) keywordEffect(word, before string) effect {
	switch word {
	case "CASE":
		return opens
	case "END":
		if l.isCase {
			return closes
		}
	case "AND", "OR":
		return parts
	case "WHEN", "THEN", "ELSE":
		if l.isCase {
			return parts
		}
	case "UNION", "INTERSECT", "EXCEPT", "JOIN":
		return links
	case "ATOMIC":
		if strings.EqualFold(before, "BEGIN") {
			return nests
		}
	case "NOT", "IS", "ISNULL", "NOTNULL", "LIKE", "ILIKE", "SIMILAR", "ESCAPE", "BETWEEN", "IN", "OVERLAPS", "COLLATE", "AT", "OPERATOR",
		"SELECT", "VALUES", "TABLE", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE":
		return deepens
	}
	return none
}

// rescanCount counts the bytes that the C scanner reads in vain: at each token in a run of operator characters it reads the run to its end.
type rescanCount struct {
	text  string
	end   int // of the last run
	total int
}

func (r *rescanCount) add(t token) int {
	switch {
	case t.kind == operatorToken:
		r.read(t.start)
	case strings.HasPrefix(r.text[t.start:t.end], "/*"):
		for i := t.start; ; i += len("/*") {
			n := strings.Index(r.text[i:t.end], "/*")
			if n < 0 {
				break
			}
			i += n
			r.read(i)
		}
	}
	return r.total
}

// read counts one reading of the run from start to its end.
func (r *rescanCount) read(start int) {
	r.end = max(r.end, start)
	for r.end < len(r.text) && isOperator(r.text[r.end]) {
		r.end++
	}
	r.total += r.end - start
}
