package ddl

import (
	"strings"
	"testing"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// scanAlike fails if the scanner cuts the text at other places than the server's own.
func scanAlike(t *testing.T, text string) {
	t.Helper()
	scanned, err := pgquery.Scan(text)
	if err != nil {
		return
	}
	var want, got []Span
	for _, token := range scanned.Tokens {
		want = append(want, Span{int(token.Start), int(token.End)})
	}
	for s := (scanner{text: text, asParser: true}); ; {
		token := s.next()
		if token.kind == endToken {
			break
		}
		if token.kind == stringToken && strings.IndexByte("nN", text[token.start]) >= 0 {
			// The server has a token for the N of N'…'.
			got = append(got, Span{token.start, token.start + 1})
			token.start++
		}
		got = append(got, Span{token.start, token.end})
	}
	if len(got) != len(want) {
		t.Fatalf("tokens of %q are %v, server has %v", text, got, want)
	}
	for i := range got {
		// pg_query gives U&"…" and U&'…' no end.
		if kind := scanned.Tokens[i].Token; kind == pgquery.Token_USCONST || kind == pgquery.Token_UIDENT {
			want[i].End = got[i].End
		}
		if got[i] != want[i] {
			t.Fatalf("token %d of %q is %v, server has %v", i, text, got[i], want[i])
		}
	}
}

// tokenParts are what a scanner can stumble over.
var tokenParts = strings.Fields(`' '' \ \' " "" $$ $a$ $ a$b -- /* */ e' E' U&' u&" n' B' x' 1 1.5 1e5 1e 0x1f 0b1 0o7 1_000 .5 .. :: : := => <> != + - * / @ # ~ a é
	select uescape $1 $1a ( ) , ; [ ] . | || ? 日 _x % ^ & < > = \n`)

func TestScannerCutsLikeTheServer(t *testing.T) {
	random := newRandom(1)
	for range 100_000 {
		var text strings.Builder
		for range 1 + random.IntN(8) {
			text.WriteString(tokenParts[random.IntN(len(tokenParts))])
			text.WriteString([]string{"", "", " ", "\n", "\r\n", "\t", "\f", "\v"}[random.IntN(8)])
		}
		scanAlike(t, text.String())
	}
}
