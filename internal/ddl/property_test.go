package ddl

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// checkText holds what must be true of every text.
func checkText(t *testing.T, text string) {
	t.Helper()
	if strings.IndexByte(text, 0) >= 0 {
		if _, err := Parse(text); err != ErrEncoding {
			t.Fatalf("text with a zero byte is accepted: %q", text)
		}
		return
	}
	scanAlike(t, text)
	kept := hideKeys(text)
	if !HasBackslash(text) && conforming(text) != text {
		t.Fatalf("no backslash, and yet another reading: %q", text)
	}
	statements, err := Parse(text)
	if err != nil {
		return
	}
	if !strings.ContainsAny(text, "'$") && kept != text {
		t.Fatalf("no literal, and yet something is hidden: %q", text)
	}
	checkPieces(t, text, statements)
	checkDepth(t, text)
	for _, s := range statements {
		checkSpans(t, s)
		checkInner(t, s)
		checkConcurrently(t, s)
		if found := Prefilter([]byte(text)); Changes(s) && found&^Path == 0 {
			t.Fatalf("prefilter lets a write pass: %q", text)
		}
		if isPlainAction(s) {
			continue
		}
		if Prefilter([]byte(text))&Anything == 0 {
			t.Fatalf("prefilter lets pass %T %s: %q", s.Action, s.Tag, text)
		}
		if !Unsure(text) {
			t.Fatalf("unparsed it would be taken for harmless, but it is %T %s: %q", s.Action, s.Tag, text)
		}
	}
	checkInert(t, text, statements)
}

// checkInner checks that what stands within a statement stands where it says.
func checkInner(t *testing.T, s Statement) {
	t.Helper()
	for _, inner := range s.Inner {
		switch span := inner.Span; {
		case span == Span{}:
		case span.Start < 0 || span.End < span.Start || span.End > len(s.Text):
			t.Fatalf("%q is said to be at %v of %q", inner.Text, span, s.Text)
		case !inner.Dynamic && s.Text[span.Start:span.End] != inner.Text:
			t.Fatalf("%q is said to be %q of %q", inner.Text, s.Text[span.Start:span.End], s.Text)
		}
		checkInner(t, inner.Statement)
	}
}

// isPlainAction reports whether the prefilter may let the statement pass.
func isPlainAction(s Statement) bool {
	switch action := s.Action.(type) {
	case Query:
		return action.Into == Name{}
	case Write, Transaction, Setting:
		return true
	}
	return s.Tag == "ANALYZE"
}

func checkPieces(t *testing.T, text string, statements []Statement) {
	t.Helper()
	var pieces []string
	for _, s := range statements {
		if text[s.Offset:s.Offset+len(s.Text)] != s.Text {
			t.Fatalf("%q is not at %d of %q", s.Text, s.Offset, text)
		}
		for _, around := range []string{strings.ReplaceAll(s.Lead, ";", " "), s.Tail} {
			if len(tokens(around)) > 1 {
				t.Fatalf("%q around %q holds more than comments", around, s.Text)
			}
		}
		if list := tokens(s.Text); list[0].start != 0 || list[len(list)-2].end != len(s.Text) {
			t.Fatalf("%q does not begin and end with a token", s.Text)
		}
		pieces = append(pieces, s.Lead+s.Text+s.Tail)
	}
	if joined := strings.Join(pieces, ";") + Rest(text, statements); joined != text {
		t.Fatalf("pieces of %q give %q", text, joined)
	}
}

// checkDepth compares the tree with what the guard counted. The leaves' own nodes, and those of a statement before it begins to nest,
// are the slack.
func checkDepth(t *testing.T, text string) {
	t.Helper()
	const slack = 14
	_, known, _, err := parseRaw(text)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := pgquery.Parse(known)
	if err != nil {
		t.Fatal(err)
	}
	if depth := messageDepth(tree.ProtoReflect()) / 2; depth > slack && !deeperThan(text, depth-slack) {
		t.Fatalf("tree is %d deep, more than the guard counted: %q", depth, text)
	}
}

// checkSpans reads the parts that the spans mark, which must be what the model says they are.
func checkSpans(t *testing.T, s Statement) {
	t.Helper()
	name := func(span Span, want Name) {
		got, err := Reparse("TABLE " + s.Text[span.Start:span.End])
		if err != nil || len(got.Refs) != 1 || got.Refs[0].Name != want {
			t.Fatalf("%q is marked as the name %v in %q", s.Text[span.Start:span.End], want, s.Text)
		}
	}
	switch action := s.Action.(type) {
	case CreateIndex:
		name(action.TableSpan, action.Table)
		if action.Name != "" {
			name(action.NameSpan, Name{Name: action.Name})
		}
		if !strings.EqualFold(s.Text[action.AfterIndex-5:action.AfterIndex], "INDEX") || !strings.EqualFold(s.Text[action.BeforeOn:action.BeforeOn+2], "ON") {
			t.Fatalf("offsets %d and %d are wrong in %q", action.AfterIndex, action.BeforeOn, s.Text)
		}
	case Drop:
		if isRelationKind(action.Object) {
			for i := range action.Names {
				name(action.NameSpans[i], action.Names[i])
			}
		}
	case AlterTable:
		if isRelationKind(action.Object) {
			name(action.TableSpan, action.Table)
		}
		for i, command := range action.Commands {
			if command.Span == (Span{}) {
				t.Fatalf("command %d has no place in %q", i, s.Text)
			}
			if _, err := OnlyCommand(s, i); err != nil {
				t.Fatalf("command %d cannot be taken out of %q: %v", i, s.Text, err)
			}
			if c := command.Constraint; c != nil && (c.Type == Check || c.Type == ForeignKey) && !c.NotEnforced && action.Object == "TABLE" {
				if _, err := NotValid(s, i, "name"); err != nil {
					t.Fatalf("constraint cannot be NOT VALID in %q: %v", s.Text, err)
				}
			}
		}
	}
}

func isRelationKind(object ObjectKind) bool {
	switch object {
	case "TABLE", "INDEX", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "FOREIGN TABLE":
		return true
	}
	return false
}

func checkConcurrently(t *testing.T, s Statement) {
	t.Helper()
	action, ok := s.Action.(CreateIndex)
	if !ok {
		return
	}
	text, err := Concurrently(s)
	if err != nil {
		t.Fatalf("no concurrent form of %q: %v", s.Text, err)
	}
	again, err := Reparse(text)
	if err != nil {
		t.Fatal(err)
	}
	if index := again.Action.(CreateIndex); !index.Concurrently || index.Name != action.Name || index.Table != action.Table {
		t.Fatalf("%q became %q", s.Text, text)
	}
	if _, err := Qualified(s, "some", "table"); err != nil {
		t.Fatalf("cannot be qualified: %q: %v", s.Text, err)
	}
	if _, err := Probe(s, "table"); err != nil {
		t.Fatalf("cannot be probed: %q: %v", s.Text, err)
	}
}

// checkInert compares the proof for long texts with the parse, the text being given in pieces of every size up to 3.
func checkInert(t *testing.T, text string, statements []Statement) {
	t.Helper()
	utf8, _ := NewEncoding("UTF8")
	whole := NewInert(utf8)
	whole.Write([]byte(text))
	proven := whole.Inert()
	if proven && whole.Refuted() {
		t.Fatalf("both inert and refuted: %q", text)
	}
	for size := 1; size <= 3; size++ {
		pieces := NewInert(utf8)
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			pieces.Write([]byte(rest[:min(size, len(rest))]))
		}
		if pieces.Inert() != proven {
			t.Fatalf("in pieces of %d the proof is another: %q", size, text)
		}
	}
	if !proven {
		return
	}
	other, err := ParseNonconforming(text)
	if err != nil {
		other = statements
	}
	for _, reading := range [][]Statement{statements, other} {
		if len(reading) == 0 || slices.ContainsFunc(reading, func(s Statement) bool { return !isHarmless(s) }) {
			t.Fatalf("said to be inert: %q", text)
		}
	}
}

func isHarmless(s Statement) bool {
	switch action := s.Action.(type) {
	case Query:
		return action.Into == Name{} && !action.Writes && !action.Program
	case Write:
		return (action.Op == Insert || action.Op == CopyFrom) && !action.Program
	}
	return false
}

// seedTexts are the inputs of all cases.
func seedTexts(t testing.TB) []string {
	t.Helper()
	var seeds []string
	files, err := filepath.Glob("testdata/*/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "testdata/locks.txt") {
		for _, paragraph := range strings.Split(readFile(t, file), "\n\n") {
			if input, _, found := strings.Cut(paragraph, "\n----"); found {
				_, input, _ = strings.Cut(input, "\n") // the directive
				seeds = append(seeds, input)
			}
		}
	}
	seeds = append(seeds, strings.Split(readFile(t, "testdata/tools.txt"), "\n")...)
	for _, line := range strings.Split(readFile(t, "testdata/deep.txt"), "\n") {
		seeds = append(seeds, deepen(line, 2))
	}
	return seeds
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// respell writes a text anew: other white space, comments, casing and kinds of literals, statements strung together, a few bytes hit
// by chance.
func respell(random *rand.Rand, seeds []string) string {
	var out strings.Builder
	for range 1 + random.IntN(2) {
		seed := seeds[random.IntN(len(seeds))]
		for s := (scanner{text: seed}); ; {
			token := s.next()
			if token.kind == endToken {
				break
			}
			out.WriteString(respellToken(random, token.kind, seed[token.start:token.end]))
			out.WriteString([]string{" ", " ", "\n", "\t", "/* drop */", " -- '\n", "/*/* ' */*/", "\r\n"}[random.IntN(8)])
		}
		out.WriteString([]string{";", ";;", " ; -- x\n"}[random.IntN(3)])
	}
	text := out.String()
	if random.IntN(4) > 0 {
		return text
	}
	at := random.IntN(len(text) + 1)
	return text[:at] + tokenParts[random.IntN(len(tokenParts))] + text[min(len(text), at+random.IntN(3)):]
}

func respellToken(random *rand.Rand, kind tokenKind, text string) string {
	switch kind {
	case wordToken:
		letters := []byte(text)
		for i, c := range letters {
			if c < 0x80 && isWordStart(c) && c != '_' && random.IntN(2) == 0 {
				letters[i] ^= 0x20
			}
		}
		return string(letters)
	case stringToken:
		if text[0] != '\'' || strings.ContainsAny(text, "\\\n") {
			return text
		}
		return []string{text, "E" + text, "U&" + text, "$x$" + text[1:len(text)-1] + "$x$"}[random.IntN(4)]
	case commentToken:
		return "\n" + text + "\n"
	}
	return text
}

func TestEveryText(t *testing.T) {
	seeds := seedTexts(t)
	for _, seed := range seeds {
		checkText(t, seed)
	}
	random := newRandom(2)
	parsed := 0
	for range 10_000 {
		text := respell(random, seeds)
		if _, err := Parse(text); err == nil {
			parsed++
		}
		checkText(t, text)
	}
	if parsed < 3_000 {
		t.Errorf("only %d texts of 10000 are SQL, the others show little", parsed)
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range seedTexts(f) {
		f.Add(seed)
	}
	f.Fuzz(checkText)
}

func BenchmarkParse(b *testing.B) {
	for _, text := range []string{
		"CREATE INDEX CONCURRENTLY i ON s.t (a, lower(b)) WHERE c > 1",
		"ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
		"SELECT 1",
	} {
		b.Run(fmt.Sprintf("%.20s", text), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
