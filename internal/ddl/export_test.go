package ddl

import (
	"math/rand/v2"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// Respell writes statements anew for tests of other packages: other white space, comments, case of words, and names quoted. Text within
// dollar quotes is respelled as the body that it may be.
func Respell(random *rand.Rand, text string) string {
	names := map[int]bool{}
	if scanned, err := pgquery.Scan(text); err == nil {
		for _, t := range scanned.Tokens {
			names[int(t.Start)] = t.Token == pgquery.Token_IDENT
		}
	}
	var out strings.Builder
	for s := (scanner{text: text}); ; {
		t := s.next()
		word := text[t.start:t.end]
		switch {
		case t.kind == endToken:
			return out.String()
		case strings.HasPrefix(word, "U&"), looksAhead[strings.ToUpper(word)]:
			out.WriteString(word + " ") // libpg_query takes no comment there
			continue
		case t.kind == wordToken && names[t.start] && ownsItsQuotes(text, t) && random.IntN(3) == 0:
			out.WriteString(quoted(strings.ToLower(word)))
		case t.kind == wordToken:
			out.WriteString(respellToken(random, t.kind, word))
		case t.kind == dollarToken:
			tag := strings.IndexByte(word[1:], '$') + 2
			out.WriteString(word[:tag] + respellBody(random, word[tag:len(word)-tag]) + word[len(word)-tag:])
		case t.kind == commentToken:
			out.WriteString(word + "\n")
		default:
			out.WriteString(word)
		}
		out.WriteString([]string{" ", "  ", "\n", "\t", " /* drop table x; */ ", " -- '\n", " /*/* $$ */*/ ", "\r\n"}[random.IntN(8)])
	}
}

// looksAhead are words behind which libpg_query takes no comment, although a server does: it looks at the next token to know what they are.
var looksAhead = wordSet("UESCAPE WITH WITHOUT NULLS NOT FORMAT")

// newerKeywords are keywords of 17 to 19 that the parser takes for names.
var newerKeywords = wordSet("ENFORCED VIRTUAL OVERLAPS PERIOD SOURCE TARGET EXPRESSION SPLIT PARTITIONS")

// ownsItsQuotes reports whether a name can be quoted where it stands: not behind a literal's or an operator's U& and E.
func ownsItsQuotes(text string, t token) bool {
	return !newerKeywords[strings.ToUpper(text[t.start:t.end])] && !strings.HasPrefix(text[t.end:], "'") && !strings.HasPrefix(text[t.end:], "&")
}

func respellBody(random *rand.Rand, body string) string {
	var out strings.Builder
	for s := (scanner{text: body}); ; {
		t := s.next()
		if t.kind == endToken {
			return out.String()
		}
		word := body[t.start:t.end]
		if t.kind == wordToken {
			word = respellToken(random, t.kind, word)
		}
		out.WriteString(word)
		if t.kind == commentToken && !strings.HasPrefix(word, "--") {
			out.WriteString(" ") // one that ends a line belongs to that
			continue
		}
		out.WriteString([]string{" ", "\n", " /* x; */ ", " -- x;\n"}[random.IntN(4)])
	}
}
