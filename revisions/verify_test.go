package revisions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

// anchorsOf are anchors at some lines of a chain.
func anchorsOf(t testing.TB, lines []string, numbers ...int) []Anchor {
	t.Helper()
	anchors := []Anchor{}
	for _, n := range numbers {
		line := strings.TrimSuffix(lines[n-1], "\"}\n")
		anchors = append(anchors, Anchor{
			Head:    Head{Chain: chainOf(t, line+"\"}"), Seq: int64(n), Hash: line[len(line)-64:]},
			Process: "host-1", At: time.Date(2026, 11, 29, 16, 0, n, 0, time.UTC),
		})
	}
	return anchors
}

// rewritten is a chain with one line changed and every hash from there on made anew, as whoever can write the file would.
func rewritten(t testing.TB, lines []string, from int, change func(string) string) []string {
	t.Helper()
	lines = slices.Clone(lines)
	lines[from] = rehash(change(lines[from]))
	for i := from + 1; i < len(lines); i++ {
		var before struct {
			Hash string `json:"hash"`
		}
		want(t, json.Unmarshal([]byte(lines[i-1]), &before), nil)
		var l link
		want(t, json.Unmarshal([]byte(lines[i]), &l), nil)
		lines[i] = rehash(strings.Replace(lines[i], l.Prev, before.Hash, 1))
	}
	return lines
}

func TestAnchorsFindWhatTheChainDoesNot(t *testing.T) {
	whole := trail(t, 9)
	anchors := anchorsOf(t, whole, 3, 7)
	changed := rewritten(t, whole, 4, func(line string) string { return strings.Replace(line, "DROP", "KEEP", 1) })
	isWhole(t, changed)
	stranger := trail(t, 4)
	for _, c := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"a truncated tail", whole[:5], "a:5: it is the last of its chain, number 5, but number 7 was anchored at 2026-11-29T16:00:07Z: the lines behind it were cut off"},
		{"a tail written anew", changed, "a:7: it is not the line 7 that was anchored at 2026-11-29T16:00:07Z: its chain was written anew"},
		{"all written anew", rewritten(t, whole, 0, func(line string) string { return strings.Replace(line, "DROP", "KEEP", 1) }),
			"a:3: it is not the line 3 that was anchored at 2026-11-29T16:00:03Z: its chain was written anew"},
		{"all removed", nil, "chain " + chainOf(t, whole[0]) + " of process host-1 is missing, whose line 7 was anchored at 2026-11-29T16:00:07Z: " +
			"its lines were removed, or are in a file that was not given"},
		{"another in its place", stranger, "a:4: it ends chain " + chainOf(t, stranger[0]) + ", of which no line is anchored: the chain was made up, or is anchored in the ledger of another database"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := verifyFiles(t, Verification{Anchors: anchors}, c.lines)
			if len(found) == 0 || found[0] != c.want {
				t.Errorf("found %q,\nwant %s", found, c.want)
			}
		})
	}
	if found := verifyFiles(t, Verification{Anchors: anchors}, whole); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

func TestVerifiedTellsHowFarTheLedgerVouches(t *testing.T) {
	whole := trail(t, 9)
	verified, err := VerifyTrail(t.Context(), []TrailFile{{Name: "a", Text: strings.NewReader(strings.Join(whole, ""))}}, Verification{Anchors: anchorsOf(t, whole, 3, 7)})
	want(t, err, nil)
	if c := verified.Chains[0]; verified.Lines != 9 || c.First != 1 || c.Last != 9 || c.Anchored != 7 || c.Process != "host-1" || c.At.Second() != 7 {
		t.Errorf("got %+v", verified)
	}
}

// A chain goes on over rotated files, and a process that was restarted begins another.
func TestChainsGoOnOverFiles(t *testing.T) {
	one, two := trail(t, 6), trail(t, 3)
	for _, how := range []Verification{{}, {Anchors: slices.Concat(anchorsOf(t, one, 5), anchorsOf(t, two, 3))}} {
		if found := verifyFiles(t, how, one[:2], one[2:5], slices.Concat(one[5:], two)); len(found) > 0 {
			t.Errorf("found %v", found)
		}
	}
	isFound(t, verifyFiles(t, Verification{}, one[:2], one[3:5]), "b:1")
	isFound(t, verifyFiles(t, Verification{}, one[2:5]), "a:1")

	// Of a part of the trail only what is there is verified.
	part := Verification{Elsewhere: BothElsewhere, Anchors: anchorsOf(t, one, 2, 4, 6)}
	if found := verifyFiles(t, part, one[2:4], one[4:5]); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	isFound(t, verifyFiles(t, part, one[2:3], one[4:5]), "b:1")
	isFound(t, verifyFiles(t, part, rewritten(t, one[2:5], 0, func(line string) string { return strings.Replace(line, "DROP", "KEEP", 1) })), "a:2")
}

// In which order the files are given makes no difference, whatever their lines say of the time: a result has that of when its statement was judged.
func TestFilesMayComeInAnyOrder(t *testing.T) {
	one, two := trail(t, 9), trail(t, 3)
	files := [][]string{one[:3], slices.Concat(one[3:4], two[:1]), slices.Concat(two[1:2], one[4:8]), slices.Concat(one[8:], two[2:])}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}} {
		var given [][]string
		for _, i := range order {
			given = append(given, files[i])
		}
		if found := verifyFiles(t, Verification{Anchors: slices.Concat(anchorsOf(t, one, 4, 9), anchorsOf(t, two, 2))}, given...); len(found) > 0 {
			t.Errorf("%v: found %v", order, found)
		}
	}
	changed := rewritten(t, one[4:8], 0, func(line string) string { return strings.Replace(line, "DROP", "KEEP", 1) })
	found := verifyFiles(t, Verification{}, one[8:], changed, one[:4])
	if len(found) != 1 || !strings.HasPrefix(found[0], "a:1: it does not follow line 8 ") {
		t.Errorf("found %q", found)
	}
	// The first line of a file is as good as any other.
	edited := slices.Clone(one[4:8])
	edited[0] = strings.Replace(edited[0], `"seq":5`, `"seq":7`, 1)
	if found := verifyFiles(t, Verification{}, one[8:], edited, one[:4]); len(found) != 1 || !strings.HasPrefix(found[0], "b:1: it was changed") {
		t.Errorf("found %q", found)
	}
	if found := verifyFiles(t, Verification{}, one[4:], one[:5]); len(found) != 1 || !strings.HasPrefix(found[0], "a:1: it has number 5 of its chain and stands behind number 5") {
		t.Errorf("found %q", found)
	}
}

// Where old files have been deleted, no more than they is forgiven.
func TestPartOfATrailIsVerified(t *testing.T) {
	one, two := trail(t, 9), trail(t, 3)
	anchors := slices.Concat(anchorsOf(t, one, 2, 4, 8), anchorsOf(t, two, 3))
	for i := range anchors {
		anchors[i].At = time.Now().Add(time.Hour)
	}
	old := anchorsOf(t, trail(t, 2), 2)
	old[0].At = time.Now().Add(-time.Hour) // of a process that had ended before
	all := slices.Concat(anchors, old)
	older, both := Verification{Elsewhere: OlderElsewhere, Anchors: all}, Verification{Elsewhere: BothElsewhere, Anchors: all}
	if found := verifyFiles(t, older, one[2:6], slices.Concat(one[6:], two)); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	for _, c := range []struct {
		name string
		how  Verification
		part []string
		want string // "" for nothing
	}{
		{"a truncated tail", older, slices.Concat(two, one[2:6]), "a:7: it is the last of its chain, number 6, but number 8 was anchored"},
		{"the same, with newer files elsewhere", both, slices.Concat(two, one[2:6]), ""},
		{"a missing chain", older, one[2:], "chain " + chainOf(t, two[0]) + " of process host-1 is missing"},
		{"the same, with newer files elsewhere", both, one[2:], ""},
		{"nothing left", older, nil, "chain "},
		{"a gap", both, slices.Concat(one[2:4], one[5:]), "a:3: line 5 of its chain is missing before it"},
		{"written anew from its first line", both, rewritten(t, one[4:7], 0, func(line string) string {
			return strings.Replace(line, anchors[1].Hash, strings.Repeat("0", 64), 1)
		}), "a:1: it does not follow the line 4 that was anchored"},
	} {
		found := verifyFiles(t, c.how, c.part)
		if c.want == "" && len(found) > 0 || c.want != "" && (len(found) == 0 || !strings.HasPrefix(found[0], c.want)) {
			t.Errorf("%s: found %q, want %q", c.name, found, c.want)
		}
	}
}

// One edit is one finding, and all of them are found.
func TestEveryFindingIsTold(t *testing.T) {
	lines := trail(t, 20)
	lines[3] = strings.Replace(lines[3], "DROP", "KEEP", 1)
	lines[8] = strings.Replace(lines[8], `"seq":9`, `"seq":7`, 1)
	lines[12], lines[13] = lines[13], lines[12]
	lines = slices.Delete(lines, 16, 18)
	found := verify(t, lines)
	var at []string
	for _, f := range found {
		at = append(at, f[:strings.Index(f, ": ")])
	}
	if got := strings.Join(at, " "); got != "a:4 a:9 a:13 a:14 a:17" {
		t.Errorf("found %s: %q", got, found)
	}
}

// The smallest change is found, wherever it is.
func TestEveryFlippedByteIsFound(t *testing.T) {
	lines := trail(t, 4)
	text := strings.Join(lines, "")
	for i := range len(text) {
		flipped := []byte(text)
		flipped[i] ^= 1
		changed := slices.Collect(strings.Lines(string(flipped)))
		found := verify(t, changed)
		line := 1 + strings.Count(text[:i], "\n")
		if len(found) == 0 || !strings.HasPrefix(found[0], fmt.Sprintf("a:%d: ", line)) {
			t.Fatalf("byte %d of line %d: found %v", i, line, found)
		}
	}
}

// What is in a log is found among its other lines, as it is or quoted.
func TestTrailInALogIsVerified(t *testing.T) {
	for _, handler := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		var text bytes.Buffer
		log := slog.New(handler(&text))
		for _, line := range trail(t, 3) {
			log.Info("something else", "a", "b")
			log.Info("audit", "entry", json.RawMessage(strings.TrimSuffix(line, "\n")))
		}
		lines := slices.Collect(strings.Lines(text.String()))
		if found := verifyFiles(t, Verification{Log: true}, lines); len(found) > 0 {
			t.Errorf("found %v in\n%s", found, text.String())
		}
		isFound(t, verifyFiles(t, Verification{Log: true}, slices.Delete(slices.Clone(lines), 3, 4)), "a:5")
		lines[3] = strings.Replace(lines[3], "DROP", "KEEP", 1)
		isFound(t, verifyFiles(t, Verification{Log: true}, lines), "a:4")
	}
	var syslog []string
	for _, line := range trail(t, 3) {
		syslog = append(syslog, "<86>Nov 29 16:00:00 host pgsluice[7]: "+line, "<30>Nov 29 16:00:00 host cron[8]: hello\n")
	}
	if found := verifyFiles(t, Verification{Log: true}, syslog); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

func TestAnchorsAreKept(t *testing.T) {
	f := withLedger(t)
	var file bytes.Buffer
	audit := NewAudit(&file)
	if _, _, ok, err := audit.Unanchored(); ok || err != nil {
		t.Fatalf("there is something to anchor: %v", err)
	}
	write(t, audit, Entry{AuditSession: &AuditSession{Database: "shop"}})
	write(t, audit, Entry{Kind: Admin})
	head, databases, ok, err := audit.Unanchored()
	want(t, err, nil)
	if !ok || head != audit.Head() || !slices.Equal(databases, []string{"shop"}) {
		t.Fatalf("got %+v of %v", head, databases)
	}
	want(t, f.ledger.Anchor(t.Context(), "host-1", head), nil)
	want(t, f.ledger.Anchor(t.Context(), "host-1", head), nil) // the answer may have been lost
	audit.Anchored(head, databases)
	if _, databases, ok, _ := audit.Unanchored(); ok || len(databases) > 0 {
		t.Fatalf("it is not anchored for %v", databases)
	}
	write(t, audit, Entry{Kind: Admin})

	anchors, err := f.ledger.Anchors(t.Context())
	want(t, err, nil)
	if len(anchors) != 1 || anchors[0].Head != head || anchors[0].Process != "host-1" || time.Since(anchors[0].At) > time.Hour {
		t.Fatalf("got %+v", anchors)
	}
	lines := slices.Collect(strings.Lines(file.String()))
	if found := verifyFiles(t, Verification{Anchors: anchors}, lines); len(found) > 0 {
		t.Errorf("found %v", found)
	}
	isFound(t, verifyFiles(t, Verification{Anchors: anchors}, lines[:1]), "a:1")
}

// A line that is anchored must not be lost by a crash of the machine.
func TestTrailIsSyncedBeforeItIsAnchored(t *testing.T) {
	var file syncedFile
	audit := NewAudit(&file)
	write(t, audit, Entry{})
	if _, _, _, err := audit.Unanchored(); err != nil || file.synced != 1 {
		t.Errorf("synced %d times: %v", file.synced, err)
	}
	file.broken = errBroken
	if _, _, _, err := audit.Unanchored(); err == nil {
		t.Error("what is not on the disk is anchored")
	}
}

type syncedFile struct {
	bytes.Buffer
	synced int
	broken error
}

func (f *syncedFile) Sync() error {
	f.synced++
	return f.broken
}

// BenchmarkVerifyTrail reports how many lines of a usual length are verified in a second.
func BenchmarkVerifyTrail(b *testing.B) {
	var file bytes.Buffer
	audit := NewAudit(&file)
	const lines = 100_000
	for i := range lines {
		write(b, audit, Entry{
			Kind: Result, Time: time.Now(), Intent: int64(i), Verdict: "rewrite", Rules: []string{"index-not-concurrent", "lock-without-budget"}, Outcome: "done",
			AuditSession: &AuditSession{Session: "IPYYU2IUZXQ7H5Q4RQ2HHGQ3QE", User: "migrator", Database: "shop", Client: "10.0.0.7:51234", Application: "alembic", PID: 4711},
			Asked:        "CREATE INDEX orders_customer ON shop.orders (customer_id) WHERE deleted_at IS NULL", Policy: "0123456789ab", Took: time.Second,
			Ran: []string{`CREATE INDEX CONCURRENTLY orders_customer ON "shop"."orders" (customer_id) WHERE deleted_at IS NULL`},
		})
	}
	b.SetBytes(int64(file.Len()))
	for b.Loop() {
		verified, err := VerifyTrail(b.Context(), []TrailFile{{Name: "a", Text: bytes.NewReader(file.Bytes())}}, Verification{})
		if err != nil || verified.Lines != lines || len(verified.Findings) > 0 {
			b.Fatalf("%v: %+v", err, verified)
		}
	}
	b.ReportMetric(lines*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
