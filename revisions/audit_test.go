package revisions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// trail is an audit trail of n entries, split into lines.
func trail(t testing.TB, n int) []string {
	t.Helper()
	var file bytes.Buffer
	audit := NewAudit(&file)
	for i := range n {
		write(t, audit, Entry{Kind: Decision, Time: time.Now(), Asked: fmt.Sprintf("DROP TABLE t%d", i), Verdict: "block"})
	}
	return slices.Collect(strings.Lines(file.String()))
}

// write writes an entry that must be accepted.
func write(t testing.TB, audit *Audit, e Entry) {
	t.Helper()
	before := audit.Head().Seq
	if seq, err := audit.Write(e); err != nil || seq != before+1 {
		t.Fatalf("number %d behind %d: %v", seq, before, err)
	}
}

// verify returns what is found in the lines of one file, as text.
func verify(t testing.TB, lines []string) []string {
	t.Helper()
	return verifyFiles(t, Verification{}, lines)
}

func verifyFiles(t testing.TB, how Verification, files ...[]string) []string {
	t.Helper()
	var parts []TrailFile
	for i, lines := range files {
		parts = append(parts, TrailFile{Name: fmt.Sprintf("%c", 'a'+i), Text: strings.NewReader(strings.Join(lines, ""))})
	}
	verified, err := VerifyTrail(t.Context(), parts, how)
	want(t, err, nil)
	var found []string
	for _, f := range verified.Findings {
		found = append(found, f.String())
	}
	return found
}

// isWhole fails the test when anything is found.
func isWhole(t testing.TB, lines []string) {
	t.Helper()
	if found := verify(t, lines); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}

// isFound fails the test unless the first finding is at the line.
func isFound(t testing.TB, found []string, line string) {
	t.Helper()
	if len(found) == 0 || !strings.HasPrefix(found[0], line+": ") {
		t.Errorf("found %v, want one at %s", found, line)
	}
}

func TestEntryIsOneLineOfJSON(t *testing.T) {
	entry := Entry{
		Version: EntryVersion, Kind: Result, Intent: 1,
		Time: time.Date(2024, 2, 29, 12, 0, 0, 123456000, time.UTC), AuditSession: &AuditSession{Session: "s1", User: "alice", Role: "dba", Database: "shop",
			Client: "10.0.0.7:5123", TLS: true, Application: "alembic", PID: 4711, Claims: []string{"application_name"}},
		Asked: "CREATE INDEX i\n ON \"größe\" (a) WHERE a <> 'x\",\"hash\":\"y' & b > 1", Verdict: "rewrite", Rules: []string{"index-not-concurrent"},
		Overrides: []Override{{Rule: "index-not-concurrent", Verdict: "rewrite", Source: "comment", Reason: "because"}}, Policy: "0123456789ab", Ran: []string{"CREATE INDEX CONCURRENTLY …"}, Promise: 7, Took: 1500 * time.Millisecond, Outcome: "failed",
		SQLState: "23505", Error: "could not create unique index",
	}
	var file bytes.Buffer
	audit := NewAudit(&file)
	write(t, audit, entry)

	line := file.String()
	if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
		t.Fatalf("not one line: %q", line)
	}
	if !strings.Contains(line, "a <> 'x") {
		t.Errorf("SQL is escaped beyond need: %s", line)
	}
	var got Entry
	want(t, json.Unmarshal([]byte(line), &got), nil)
	if !reflect.DeepEqual(got, entry) {
		t.Errorf("got  %+v\nwant %+v", got, entry)
	}
	isWhole(t, []string{line})
}

func TestHeadIsTheLastLine(t *testing.T) {
	var file bytes.Buffer
	audit := NewAudit(&file)
	if head := audit.Head(); head.Seq != 0 || head.Hash != "" || head.Chain == "" {
		t.Errorf("before the first line the head is %+v", head)
	}
	write(t, audit, Entry{})
	write(t, audit, Entry{})
	head := audit.Head()
	if head.Seq != 2 || !strings.HasSuffix(file.String(), `,"hash":"`+head.Hash+"\"}\n") {
		t.Errorf("the head is %+v of\n%s", head, file.String())
	}
}

func TestVerificationFindsEveryChange(t *testing.T) {
	whole := trail(t, 5)
	isWhole(t, whole)
	isWhole(t, nil)
	other := trail(t, 5)
	for _, c := range []struct {
		name  string
		lines []string
		line  int
	}{
		{"edited", replace(whole, 2, strings.Replace(whole[2], "DROP", "KEEP", 1)), 3},
		{"edited, hash and all", replace(whole, 2, rehash(strings.Replace(whole[2], "DROP", "KEEP", 1))), 4},
		{"first removed", whole[1:], 1},
		{"one removed", slices.Delete(slices.Clone(whole), 2, 3), 3},
		{"reordered", []string{whole[0], whole[2], whole[1], whole[3], whole[4]}, 2},
		{"repeated", slices.Insert(slices.Clone(whole), 2, whole[1]), 3},
		{"inserted", slices.Insert(slices.Clone(whole), 2, `{"asked":"x"}`+"\n"), 3},
		{"renumbered", replace(whole, 3, rehash(strings.Replace(whole[3], `"seq":4`, `"seq":5`, 1))), 4},
		{"white space", replace(whole, 1, strings.Replace(whole[1], ",", ", ", 1)), 2},
		{"appended to a line", replace(whole, 1, strings.TrimSuffix(whole[1], "\n")+" \n"), 2},
		{"torn", replace(whole, 4, whole[4][:40]), 5},
		{"without its line end", replace(whole, 4, strings.TrimSuffix(whole[4], "\n")), 5},
		{"line of another chain renamed", replace(whole, 2, rehash(strings.Replace(other[2], chainOf(t, other[2]), chainOf(t, whole[0]), 1))), 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			isFound(t, verify(t, c.lines), fmt.Sprintf("a:%d", c.line))
		})
	}
}

func replace(lines []string, at int, line string) []string {
	lines = slices.Clone(lines)
	lines[at] = line
	return lines
}

// rehash gives an edited line the hash of its content, as whoever edits it would.
func rehash(line string) string {
	content, _, _ := strings.Cut(line, hashKey)
	return content + hashKey + hashOf([]byte(content)) + "\"}\n"
}

func chainOf(t testing.TB, line string) string {
	t.Helper()
	var l link
	want(t, json.Unmarshal([]byte(line), &l), nil)
	return l.Chain
}

// Several processes append to one file.
func TestChainsMayBeMixed(t *testing.T) {
	a, b := trail(t, 3), trail(t, 3)
	mixed := []string{a[0], b[0], b[1], a[1], a[2], b[2]}
	isWhole(t, mixed)
	isFound(t, verify(t, slices.Delete(mixed, 2, 3)), "a:5")
}

func TestAuditIsSafeForConcurrentUse(t *testing.T) {
	var file writes
	audit := NewAudit(&file)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if _, err := audit.Write(Entry{Asked: strings.Repeat("x", 1000)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if len(file.lines) != 400 {
		t.Errorf("%d lines in as many writes", len(file.lines))
	}
	isWhole(t, file.lines)
}

// writes keeps each Write apart. It accepts only limit bytes, then fails, until it is given more; 0 is no limit.
type writes struct {
	lines []string
	limit int
}

func (w *writes) Write(p []byte) (int, error) {
	if w.limit > 0 && len(p) > w.limit {
		w.lines = append(w.lines, string(p[:w.limit]))
		return w.limit, errors.New("no space left on device")
	}
	w.lines = append(w.lines, string(p))
	return len(p), nil
}

func TestFailedWriteIsToldAndDoesNotBreakTheChain(t *testing.T) {
	var file writes
	audit := NewAudit(&file)
	write(t, audit, Entry{})
	file.limit = 30
	if _, err := audit.Write(Entry{Asked: "lost"}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("got %v", err)
	}
	if !audit.Broken() || audit.Failures() != 1 {
		t.Errorf("broken: %v, failures: %d", audit.Broken(), audit.Failures())
	}
	file.limit = 0
	write(t, audit, Entry{Asked: "kept"})
	if audit.Broken() {
		t.Error("it is still broken")
	}

	// The torn line is seen, and what follows is whole and in its place.
	text := strings.Join(file.lines, "")
	lines := slices.Collect(strings.Lines(text))
	isFound(t, verify(t, lines), "a:2")
	isWhole(t, slices.Delete(lines, 1, 2))
}

func TestVerificationTellsAReadError(t *testing.T) {
	broken := io.MultiReader(strings.NewReader(trail(t, 1)[0]), brokenReader{})
	_, err := VerifyTrail(t.Context(), []TrailFile{{Name: "a", Text: broken}}, Verification{})
	want(t, err, errBroken)
}

var errBroken = errors.New("input/output error")

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errBroken }

// The databases that a head is not anchored in yet are remembered, each until the lines about it are.
func TestUnanchoredDatabasesAreRemembered(t *testing.T) {
	audit := NewAudit(io.Discard)
	about := func(database string) {
		t.Helper()
		write(t, audit, Entry{AuditSession: &AuditSession{Database: database}})
	}
	unanchored := func(want ...string) Head {
		t.Helper()
		head, databases, ok, err := audit.Unanchored()
		if err != nil || ok != (len(want) > 0) || !slices.Equal(databases, want) {
			t.Errorf("got %v, %v, %v, want %v", databases, ok, err, want)
		}
		return head
	}
	about("a")
	about("b")
	about("c")
	head := unanchored("a", "b", "c")
	about("b")
	audit.Anchored(head, []string{"a", "b"})
	head = unanchored("b", "c")
	audit.Anchored(head, []string{"b"})
	head = unanchored("c") // it failed there, and no line has come since
	audit.Anchored(head, []string{"c"})
	unanchored()
}
