package ddl

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// Prefilter reports whether the raw bytes of a client's text, in any encoding, may hold a statement that a rule cares about: one that
// begins with, or has a part that begins with, one of
//
//	CREATE ALTER DROP TRUNCATE LOCK REINDEX CLUSTER VACUUM REFRESH IMPORT REASSIGN GRANT DO CALL REPACK MERGE
//
// or that calls pg_advisory_…, or has the word PROGRAM of COPY, or UPDATE or DELETE without a condition that is seen to be one, or that names a
// table in which a migration tool may keep its revisions (versionTableParts). When it answers false, Parse would find nothing but Query, Write, Transaction, Setting, and Utility statements with the tags REVOKE, REVOKE ROLE, COMMENT,
// SECURITY LABEL and ANALYZE; and no Write of every row.
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
//   - UPDATE and DELETE pass only if what follows is certain in every reading (conditioned).
//
// It allocates nothing. Most of the text is read two bytes at a time and 16 bytes in one step (pairs).
func Prefilter(raw []byte) bool { return prefilter(raw, true) }

// PrefilterPart is Prefilter for a part of a text: it says nothing of UPDATE, DELETE and MERGE, whose condition may stand in another part, nor of
// version tables.
func PrefilterPart(raw []byte) bool { return prefilter(raw, false) }

func prefilter(raw []byte, writes bool) bool {
	i, suspects := nextSuspects(raw, 0)
	for suspects != 0 {
		for ; suspects != 0; suspects &= suspects - 1 {
			second := i + bits.TrailingZeros64(suspects)/8*2
			if keywordIn(raw, second-farthest, second+1, writes) {
				return true
			}
		}
		i, suspects = nextSuspects(raw, i+step)
	}
	// The rest, and words that reach into it.
	return keywordIn(raw, i-len("pg_advisory_"), len(raw), writes)
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
	farthest = len("pg_advis") - 1
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
	{" update ", 3, 2}, {" delete ", 3, 3}, {" merge ", 1, 3}, {" program ", 2, 3},
	{"migration", 1, 2}, {"alembic", 2, 3}, {"izemeta", 1, 3}, {"maversion", 0, 3}, {"a_version", 0, 2}, {"goose_db", 1, 3}, {"flyway", 0, 2},
	{"changelog", 4, 2}, {"a_revisions", 0, 2}, {"planner_", 1, 3},
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

// keywordIn reports whether one of the words begins at one of the places from first up to, not including, end.
func keywordIn(raw []byte, first, end int, writes bool) bool {
	first = max(first, 0)
	goesOn := first > 0 && isWordByte(raw[first-1])
	for i, c := range raw[first:end] {
		if !goesOn && (keywordAt(raw, first+i) || writes && unboundedAt(raw, first+i)) || writes && versionTableAt(raw, first+i) {
			return true
		}
		goesOn = isWordByte(c)
	}
	return false
}

// isWordByte reports whether c, before a keyword, means that the word began earlier.
func isWordByte(c byte) bool { return (c|0x20)-'a' < 26 || c == '_' }

// keywordAt reports whether one of the words stands at i.
func keywordAt(raw []byte, i int) bool {
	switch raw[i] | 0x20 {
	case 'a':
		return wordAt(raw, i, "alter")
	case 'c':
		return wordAt(raw, i, "create") || wordAt(raw, i, "cluster") || wordAt(raw, i, "call")
	case 'd':
		return wordAt(raw, i, "drop") || wordAt(raw, i, "do") && !conflictAction(raw[i+2:])
	case 'g':
		return wordAt(raw, i, "grant")
	case 'i':
		return wordAt(raw, i, "import")
	case 'l':
		return wordAt(raw, i, "lock")
	case 'p':
		return startsWith(raw[i:], "pg_advisory_") || wordAt(raw, i, "program")
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
