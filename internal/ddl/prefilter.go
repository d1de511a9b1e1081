package ddl

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// Concern is what the raw bytes of a client's text may hold that matters, a set.
type Concern uint8

const (
	// Writes is an UPDATE, DELETE or MERGE, or an INSERT whose rows a query gives.
	Writes Concern = 1 << iota
	// Path is the name search_path: what a name stands for may change.
	Path
	// Anything is everything else that a rule could care about.
	Anything
)

// Prefilter finds out what the raw bytes of a client's text, in any encoding, may hold that matters: Anything for a statement that begins with, or
// has a part that begins with, one of
//
//	CREATE ALTER DROP TRUNCATE LOCK REINDEX CLUSTER VACUUM REFRESH IMPORT REASSIGN GRANT REVOKE DO CALL REPACK
//
// or with COMMENT ON or SECURITY LABEL; or that has an INTO that is not certainly an INSERT's or a MERGE's; or that calls pg_advisory_…, or has the word
// PROGRAM of COPY; or that names a table in which a migration tool may
// keep its revisions (versionTableParts); Writes for UPDATE, DELETE, MERGE, and INSERT without VALUES. When it
// finds nothing but Path, Parse would find nothing but Query without Into, Write, Transaction, Setting, and Utility statements with the tag ANALYZE; and
// nothing of which Changes speaks.
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
//   - COMMENT and LABEL count only before ON and behind SECURITY, or where a comment stands between: applications call columns so.
//   - INTO passes only where what follows shows that it is that of INSERT or MERGE (intoOfWrite).
//   - DO before the words NOTHING or UPDATE is ON CONFLICT's: a DO block's next token is a string or LANGUAGE.
//   - UPDATE behind FOR, KEY or DO is a clause, and INSERT passes only if VALUES is certain to follow (insertsValues).
//
// It allocates nothing. Most of the text is read two bytes at a time and 16 bytes in one step (pairs). Behind Anything it looks no further.
func Prefilter(raw []byte) Concern { return prefilter(raw, allWrites) }

// PrefilterPart is Prefilter for the words that begin at one of the places from first up to, not including, end of a part of a text. It leaves out version tables,
// and INSERT, of which only what stands far behind it says where its rows come from.
func PrefilterPart(raw []byte, first, end int) Concern { return keywordIn(raw, first, end, changes) }

// looked says which writes are looked for: all, those that are not seen to have a condition (unboundedAt), or all but INSERT.
type looked uint8

const (
	allWrites looked = iota
	unboundedWrites
	changes
)

func prefilter(raw []byte, writes looked) (found Concern) {
	i, suspects := nextSuspects(raw, 0)
	for suspects != 0 {
		for ; suspects != 0; suspects &= suspects - 1 {
			second := i + bits.TrailingZeros64(suspects)/8*2
			if found |= keywordIn(raw, second-farthest, second+1, writes); found&Anything != 0 {
				return found
			}
		}
		i, suspects = nextSuspects(raw, i+step)
	}
	// The rest, and words that reach into it.
	return found | keywordIn(raw, i-len("pg_advisory_"), len(raw), writes)
}

// step is how many bytes are looked at in one go.
const step = 16

// nextSuspects finds the next step of the text, from i on, that may hold a keyword: byte n of suspects is not 0 if the pair at 2n of it
// follows on the pair before it. Without one it returns where the last incomplete step begins, and no suspects.
func nextSuspects(raw []byte, i int) (at int, suspects uint64) {
	last := uint64(allBuckets) // before the text may be anything
	if i > 0 {
		last = uint64(pairs[binary.LittleEndian.Uint16(raw[i-2:])])
	}
	for ; i+step <= len(raw); i += step {
		b := (*[step]byte)(raw[i:])
		seen := uint64(pairs[binary.LittleEndian.Uint16(b[0:])]) |
			uint64(pairs[binary.LittleEndian.Uint16(b[2:])])<<8 |
			uint64(pairs[binary.LittleEndian.Uint16(b[4:])])<<16 |
			uint64(pairs[binary.LittleEndian.Uint16(b[6:])])<<24 |
			uint64(pairs[binary.LittleEndian.Uint16(b[8:])])<<32 |
			uint64(pairs[binary.LittleEndian.Uint16(b[10:])])<<40 |
			uint64(pairs[binary.LittleEndian.Uint16(b[12:])])<<48 |
			uint64(pairs[binary.LittleEndian.Uint16(b[14:])])<<56
		if suspects = (seen<<8 | last) & (seen >> secondPair) & 0x0f0f0f0f0f0f0f0f; suspects != 0 {
			return i, suspects
		}
		last = seen >> 56
	}
	return i, 0
}

// A keyword is found by four bytes of it, as two pairs that follow each other: both must be in pairs, the first in its low half and the
// second in its high half, in the same bucket. The four bytes begin at one of two neighbouring places, so that one of them is met when only
// every second pair is looked at.
const (
	allBuckets = 0x0f
	secondPair = 4 // bits that the second pair's buckets are shifted by

	// farthest is how far behind a keyword's first byte the second pair can begin.
	farthest = len("search_pa") - 1
)

// keywordPairs says which four bytes of each keyword are looked for: at the offset and at the one behind it. A space stands for
// a byte that no word goes on with. They are the ones that are rare in other text.
var keywordPairs = []struct {
	padded string
	offset int
	bucket int
}{
	{" create ", 3, 2}, {" alter ", 2, 3}, {" drop ", 1, 2}, {" truncate ", 2, 3}, {" lock ", 1, 2}, {" reindex ", 3, 3}, {" cluster ", 1, 2},
	{" vacuum ", 2, 3}, {" refresh ", 3, 2}, {" import ", 2, 3}, {" reassign ", 3, 2}, {" call ", 1, 2}, {" repack ", 3, 3}, {" grant ", 1, 3},
	{" pg_advisory_", 5, 3}, {" do ", 0, 0}, {"? do", 0, 1},
	{" update ", 3, 2}, {" delete ", 3, 3}, {" merge ", 1, 3}, {" program ", 2, 3}, {" insert ", 2, 3}, {" search_path ", 6, 2},
	{"migration", 1, 2}, {"alembic", 2, 3}, {"izemeta", 1, 3}, {"maversion", 0, 3}, {"a_version", 0, 2}, {"goose_db", 1, 3}, {"flyway", 0, 2},
	{"changelog", 4, 2}, {"a_revisions", 0, 2}, {"planner_", 1, 3},
	{" revoke ", 2, 3}, {" comment ", 3, 2}, {" security ", 3, 3}, {" into ", 1, 3},
}

// pairs holds for each pair of bytes the buckets in which it is a first pair, and in the high half those in which it is a second.
var pairs = pairTable()

func pairTable() (table [1 << 16]uint8) {
	for _, k := range keywordPairs {
		for offset := k.offset; offset < k.offset+2 && offset+4 <= len(k.padded); offset++ {
			four := k.padded[offset : offset+4]
			for a := range 256 {
				for b := range 256 {
					if pairMatches(four[:2], byte(a), byte(b)) {
						table[a|b<<8] |= 1 << k.bucket
					}
					if pairMatches(four[2:], byte(a), byte(b)) {
						table[a|b<<8] |= 1 << (k.bucket + secondPair)
					}
				}
			}
		}
	}
	return table
}

func pairMatches(pair string, a, b byte) bool {
	return byteMatches(pair[0], a) && byteMatches(pair[1], b)
}

// byteMatches reports whether c is the letter in any case; a space means any byte but a letter and _, a question mark any byte.
func byteMatches(letter, c byte) bool {
	switch letter {
	case ' ':
		return !isWordByte(c)
	case '?':
		return true
	}
	return strings.EqualFold(string(letter), string(rune(c)))
}

// keywordIn finds the words that begin at one of the places from first up to, not including, end.
func keywordIn(raw []byte, first, end int, writes looked) (found Concern) {
	first = max(first, 0)
	goesOn := first > 0 && isWordByte(raw[first-1])
	for i, c := range raw[first:end] {
		if !goesOn {
			found |= concernAt(raw, first+i, writes)
		}
		if writes == allWrites && versionTableAt(raw, first+i) {
			found |= Anything
		}
		if found&Anything != 0 {
			return found
		}
		goesOn = isWordByte(c)
	}
	return found
}

// concernAt is what a word that stands at i is.
func concernAt(raw []byte, i int, writes looked) Concern {
	switch {
	case keywordAt(raw, i):
		return Anything
	case writes == unboundedWrites && unboundedAt(raw, i), writes != unboundedWrites && writeAt(raw, i) && (writes == allWrites || raw[i]|0x20 != 'i'):
		return Writes
	case raw[i]|0x20 == 's' && startsWith(raw[i:], "search_path"):
		return Path
	}
	return 0
}

// writeAt reports whether UPDATE, DELETE or MERGE stands at i and is not part of another clause, or INSERT without VALUES.
func writeAt(raw []byte, i int) bool {
	switch raw[i] | 0x20 {
	case 'd':
		return wordAt(raw, i, "delete")
	case 'i':
		return wordAt(raw, i, "insert") && !insertsValues(raw[i+len("insert"):])
	case 'm':
		return wordAt(raw, i, "merge")
	case 'u':
		return wordAt(raw, i, "update") && !clauseBefore(raw[:i])
	}
	return false
}

// insertsValues reports whether what follows INSERT is certainly INTO, a table, its columns, and then VALUES or DEFAULT VALUES. In the encodings that
// only clients have, a byte of a name may look like a bracket or a quote; but then the words behind it are not there.
func insertsValues(raw []byte) bool {
	i := pastSpace(raw, 0)
	if !wordAt(raw, i, "into") {
		return false
	}
	i = pastSpace(raw, i+len("into"))
	name, i := operand(raw, i)
	if len(name) == 0 {
		return false
	}
	if i < len(raw) && raw[i] == '(' {
		for i++; i < len(raw) && raw[i] != ')'; {
			switch {
			case raw[i] == '"':
				end, certain := quoteEnd(raw, i)
				if !certain {
					return false
				}
				i = end
			case raw[i] == ',' || isSpace(raw[i]) || isWordStart(raw[i]) || isDigit(raw[i]):
				i++
			default:
				return false
			}
		}
		i = pastSpace(raw, i+1)
	}
	return wordAt(raw, i, "values") || wordAt(raw, i, "default")
}

func pastSpace(raw []byte, i int) int {
	for i < len(raw) && isSpace(raw[i]) {
		i++
	}
	return min(i, len(raw))
}

// isWordByte reports whether c, before a keyword, means that the word began earlier.
func isWordByte(c byte) bool { return (c|0x20)-'a' < 26 || c == '_' }

// keywordAt reports whether one of the words stands at i.
func keywordAt(raw []byte, i int) bool {
	switch raw[i] | 0x20 {
	case 'a':
		return wordAt(raw, i, "alter")
	case 'c':
		return wordAt(raw, i, "create") || wordAt(raw, i, "cluster") || wordAt(raw, i, "call") || wordsAt(raw, i, "comment", "on")
	case 'd':
		return wordAt(raw, i, "drop") || wordAt(raw, i, "do") && !conflictAction(raw[i+2:])
	case 'g':
		return wordAt(raw, i, "grant")
	case 'i':
		return wordAt(raw, i, "import") || wordAt(raw, i, "into") && !intoOfWrite(raw[i+len("into"):])
	case 'l':
		return wordAt(raw, i, "lock")
	case 'p':
		return startsWith(raw[i:], "pg_advisory_") || wordAt(raw, i, "program")
	case 'r':
		return wordAt(raw, i, "reindex") || wordAt(raw, i, "refresh") || wordAt(raw, i, "reassign") || wordAt(raw, i, "repack") || wordAt(raw, i, "revoke")
	case 's':
		return wordsAt(raw, i, "security", "label")
	case 't':
		return wordAt(raw, i, "truncate")
	case 'v':
		return wordAt(raw, i, "vacuum")
	}
	return false
}

// wordAt reports whether the word stands at i and may end there.
func wordAt(raw []byte, i int, word string) bool {
	if i > len(raw) || !startsWith(raw[i:], word) {
		return false
	}
	end := i + len(word)
	return end == len(raw) || !isWordByte(raw[end]) && !isDigit(raw[end])
}

// wordsAt reports whether two words stand at i, one behind the other, or may do so behind a comment.
func wordsAt(raw []byte, i int, first, second string) bool {
	if !wordAt(raw, i, first) {
		return false
	}
	i = pastSpace(raw, i+len(first))
	return wordAt(raw, i, second) || startsWith(raw[i:], "/*") || startsWith(raw[i:], "--")
}

// intoOfWrite reports whether what follows INTO is certainly that of INSERT or MERGE: a table, and a word that no SELECT … INTO goes on with behind its own.
// What stands before would not tell: both words can be names (SELECT 1 AS insert INTO t). Where SELECT … INTO has a word before its table, that could be
// taken for the table, and the table for the word behind it. In the encodings that only clients have it is as in insertsValues; a bracket is in none of them
// half of a character.
func intoOfWrite(raw []byte) bool {
	name, i := operand(raw, pastSpace(raw, 0))
	if len(name) == 0 {
		return false
	}
	for _, word := range [...]string{"temp", "temporary", "local", "global", "unlogged", "table"} {
		if sameName(name, []byte(word)) {
			return false
		}
	}
	if i < len(raw) && raw[i] == '(' {
		return true
	}
	for _, word := range [...]string{"values", "default", "select", "table", "with", "overriding", "as", "using"} {
		if wordAt(raw, i, word) {
			return true
		}
	}
	_, i = operand(raw, i) // the table's other name
	return wordAt(raw, i, "using")
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
