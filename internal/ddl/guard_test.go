package ddl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	pgquery "github.com/pganalyze/pg_query_go/v5"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Variables that make the test binary a child of one of its tests.
const (
	parseChild = "PGSLUICE_DDL_PARSE_CHILD"
	stackChild = "PGSLUICE_DDL_STACK_CHILD"
)

// patterns are the lines of a file of testdata, their repeated parts in «…».
func patterns(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []string
	depth := 0
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if depth > 0 { // a repeated part may hold a newline
			cases[len(cases)-1] += "\n" + line
		} else {
			cases = append(cases, line)
		}
		depth += strings.Count(line, "«") - strings.Count(line, "»")
	}
	return cases
}

// deepen repeats the repeated parts of a pattern.
func deepen(pattern string, n int) string {
	var out strings.Builder
	for _, part := range strings.Split(pattern, "«") {
		repeated, rest, found := strings.Cut(part, "»")
		if !found {
			out.WriteString(part)
			continue
		}
		times := n
		if fixed, rest, found := strings.Cut(repeated, "×"); found {
			times, _ = strconv.Atoi(fixed)
			repeated = rest
		}
		out.WriteString(strings.Repeat(repeated, times))
		out.WriteString(rest)
	}
	return out.String()
}

// deepest is the pattern as deep and as long as the guard and the limit let it become.
func deepest(pattern string, limit int) string {
	n := sort.Search(limit, func(n int) bool {
		text := deepen(pattern, n+1)
		return len(text) > limit || tooComplex(text)
	})
	return deepen(pattern, n)
}

// The C parser overflows the stack without a word, so what the guard lets through is parsed in a process of its own, whose threads have a
// stack of 1 MiB: an eighth of the usual one.
func TestDeepText(t *testing.T) {
	cases := patterns(t, "deep.txt")
	texts := make([]string, len(cases))
	for i, pattern := range cases {
		texts[i] = deepest(pattern, 64<<10)
		if short := deepen(pattern, 3); tooComplex(short) {
			t.Errorf("too complex already when repeated three times: %s", short)
		}
	}
	parseApart(t, cases, texts)
}

// The inspect limit is 1 MiB. Whatever the text, it is read in seconds of a processor's time.
func TestLongText(t *testing.T) {
	cases := patterns(t, "long.txt")
	texts := make([]string, len(cases))
	for i, pattern := range cases {
		limit := 1 << 20
		if strings.HasPrefix(pattern, "DO") {
			limit = readBodyLimit // longer ones are not read
		}
		texts[i] = deepest(pattern, limit)
	}
	for i, took := range parseApart(t, cases, texts) {
		t.Logf("%6d ms, %7d bytes: %s", took.Milliseconds(), len(texts[i]), cases[i])
		if took > 20*time.Second {
			t.Errorf("%s to parse %d bytes of %s", took, len(texts[i]), cases[i])
		}
	}
}

// parseApart parses the texts in a process of its own and returns how much of a processor's time each took.
func parseApart(t *testing.T, cases, texts []string) []time.Duration {
	t.Helper()
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command("sh", "-c", `ulimit -s 1024 && exec "$0"`, os.Args[0])
	child.Env = append(os.Environ(), parseChild+"=1")
	child.Stdin = bytes.NewReader(input)
	out, err := child.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil {
		t.Fatalf("parser died (%v) of the text after these %d outcomes, repeated as often as the guard allows:\n%.4000s", err, len(lines), out)
	}
	durations := make([]time.Duration, len(cases))
	for i, line := range lines {
		took, outcome, _ := strings.Cut(line, " ")
		if durations[i], err = time.ParseDuration(took); err != nil || outcome != "ok" && outcome != "ok <nil>" {
			t.Errorf("%s: %s", cases[i], line)
		}
	}
	return durations
}

// parseInChild parses the texts on its standard input and prints a line for each: the processor's time that it took, and the outcome.
func parseInChild() {
	runtime.LockOSThread() // the main thread's stack is another, so the others do the work
	var texts []string
	if err := json.NewDecoder(os.Stdin).Decode(&texts); err != nil {
		panic(err)
	}
	for _, text := range texts {
		done := make(chan string)
		go func() {
			start := processorTime()
			outcome := "ok"
			if _, err := Parse(text); err != nil {
				outcome = fmt.Sprintf("%.40s", strings.ReplaceAll(err.Error(), "\n", " "))
			} else if len(text) < 128<<10 { // fingerprints of the longest take as long again
				_, err = Fingerprint(text)
				outcome = fmt.Sprintf("ok %v", err)
			}
			done <- fmt.Sprintf("%s %s", processorTime()-start, outcome)
		}()
		fmt.Println(<-done)
	}
}

// processorTime is what this process has had of the processors, whatever else the machine does.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func TestCheckStack(t *testing.T) {
	if err := CheckStack(); err != nil {
		t.Errorf("the tests themselves run on too small a stack: %v", err)
	}
	child := exec.Command("sh", "-c", `ulimit -s 512 && exec "$0"`, os.Args[0])
	child.Env = append(os.Environ(), stackChild+"=1")
	if out, err := child.CombinedOutput(); err != nil || !strings.Contains(string(out), "512 KiB") {
		t.Errorf("with 512 KiB: %v, %s", err, out)
	}
}

// The guard counts at least what the tree has.
func TestGuardBoundsDepth(t *testing.T) {
	for _, pattern := range patterns(t, "deep.txt") {
		text := deepen(pattern, 60)
		if tooComplex(text) {
			continue
		}
		if _, err := pgquery.Parse(text); err == nil {
			checkDepth(t, text)
		}
	}
}

// The same of everything within everything.
func TestGuardBoundsDepthOfMixtures(t *testing.T) {
	var wrap []func(expression string) string
	for _, pattern := range patterns(t, "deep.txt") {
		if strings.Count(pattern, "«") != 2 {
			continue
		}
		head, rest, _ := strings.Cut(pattern, "«")
		opening, rest, _ := strings.Cut(rest, "»")
		middle, rest, _ := strings.Cut(rest, "«")
		closing, tail, _ := strings.Cut(rest, "»")
		switch {
		case head == "SELECT " && tail == "":
			wrap = append(wrap, func(e string) string { return opening + "(" + e + ")" + closing })
			wrap = append(wrap, func(e string) string { return opening + e + closing })
		case head == "" && middle == "SELECT 1" && tail == "":
			wrap = append(wrap, func(e string) string { return "(" + opening + "SELECT " + e + closing + ")" })
		}
	}
	wrap = append(wrap, func(e string) string { return e + " + 1" }, func(e string) string { return "1, " + e },
		func(e string) string { return "NOT - " + e }, func(e string) string { return e + " IS NULL" })
	random := newRandom(4)
	checked := 0
	for range 5000 {
		expression := "a"
		for range random.IntN(60) {
			expression = wrap[random.IntN(len(wrap))](expression)
		}
		text := "SELECT " + expression
		if tooComplex(text) {
			continue
		}
		if _, err := pgquery.Parse(text); err == nil {
			checked++
			checkDepth(t, text)
		}
	}
	if checked < 500 {
		t.Errorf("only %d texts are SQL", checked)
	}
}

// messageDepth counts nested protobuf messages, of which a node of the tree is two.
func messageDepth(m protoreflect.Message) int {
	deepest := 0
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.MessageKind:
		case field.IsList():
			for i := range value.List().Len() {
				deepest = max(deepest, messageDepth(value.List().Get(i).Message()))
			}
		default:
			deepest = max(deepest, messageDepth(value.Message()))
		}
		return true
	})
	return deepest + 1
}
