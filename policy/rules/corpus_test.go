package rules_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// The corpora are statements of all kinds with what comes of them by all rules together, on a server with the tables of testdata/corpus/tables.sql
// and under the default limit of what is small. testdata/corpus/harmless.txt passes without a word, in a transaction and, behind "out | ", only outside of one. A line of dangerous.txt begins with the verdict:
//
//	ACTION RULE[,RULE] [in] [major=N] [before=N] | STATEMENTS
//
// "in" judges as inside a transaction; a line may hold from one major on, or before one. A \n stands for a newline. The verdict of several statements is that of the strictest. Rules that only
// warn besides need not be named; the ones named must be found. A verdict that the rules at hand cannot give yet has no place in the file.
func TestHarmlessCorpus(t *testing.T) {
	conn := corpusServer(t)
	lines := corpus(t, "harmless.txt")
	if len(lines) < 150 {
		t.Errorf("only %d statements", len(lines))
	}
	for _, line := range lines {
		text, outside := strings.CutPrefix(line.text, "out | ")
		for _, in := range []bool{false, true} {
			if in && outside {
				continue
			}
			if v := judged(t, conn, text, in); v.Action != policy.Pass {
				t.Errorf("line %d, in a transaction: %t: %s\n%s", line.number, in, text, show(v))
			}
		}
	}
}

func TestDangerousCorpus(t *testing.T) {
	conn := corpusServer(t)
	lines := corpus(t, "dangerous.txt")
	if len(lines) < 250 {
		t.Errorf("only %d statements", len(lines))
	}
	for _, line := range lines {
		expected, text, ok := strings.Cut(line.text, " | ")
		words := strings.Fields(expected)
		if !ok || len(words) < 2 {
			t.Fatalf("line %d: want ACTION RULES | STATEMENTS: %s", line.number, line.text)
		}
		in, from, before := false, 0, 1000
		for _, word := range words[2:] {
			if _, err := fmt.Sscanf(word, "major=%d", &from); err == nil {
				continue
			}
			if _, err := fmt.Sscanf(word, "before=%d", &before); err == nil {
				continue
			}
			in = word == "in"
		}
		if major := pgtest.Server(t).Version(); major < from || major >= before {
			continue
		}
		v := judged(t, conn, text, in)
		wellSaid(t, v, text)
		found := map[string]bool{}
		for _, f := range v.Findings {
			found[f.Rule] = true
		}
		missing := ""
		for rule := range strings.SplitSeq(words[1], ",") {
			if !found[rule] {
				missing += " " + rule
			}
		}
		if v.Action.String() != words[0] || missing != "" {
			t.Errorf("line %d: wanted %s, missing:%s\n%s\n%s", line.number, expected, missing, text, show(v))
		}
	}
}

// elsewhere are the rules that no statement by itself offends: what they need beside it.
var elsewhere = map[string]string{
	"build-under-timeout": "a timeout", "standby-queries-cancelled": "a standby", "transaction-cut-short": "a file", "setting-without-effect": "a file",
	"locks-add-up": "locks that are held", "slow-behind-lock": "locks that are held", "enum-value-used-at-once": "a value of the same transaction's",
	"foreign-key-behind-writer": "a transaction of somebody else's",
}

func TestEveryRuleIsInTheDangerousCorpus(t *testing.T) {
	spellings := map[string]int{}
	for _, line := range corpus(t, "dangerous.txt") {
		for rule := range strings.SplitSeq(strings.Fields(line.text)[1], ",") {
			spellings[rule]++
		}
	}
	for _, rule := range rules.All() {
		if n := spellings[rule.Name]; n < 4 && rule.Default != policy.Off && elsewhere[rule.Name] == "" {
			t.Errorf("rule %s is found in %d statements only", rule.Name, n)
		}
	}
}

type corpusLine struct {
	number int
	text   string
}

// corpus reads the lines of a file, comments and empty ones left out.
func corpus(t *testing.T, file string) []corpusLine {
	t.Helper()
	f, err := os.Open("testdata/corpus/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var lines []corpusLine
	scan := bufio.NewScanner(f)
	for n := 1; scan.Scan(); n++ {
		if text := scan.Text(); text != "" && !strings.HasPrefix(text, "#") {
			lines = append(lines, corpusLine{n, strings.ReplaceAll(text, `\n`, "\n")})
		}
	}
	if err := scan.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

func corpusServer(t *testing.T) *pgx.Conn {
	t.Helper()
	conn := pgtest.Connect(t, pgtest.Database(t))
	tables, err := os.ReadFile("testdata/corpus/tables.sql")
	if err != nil {
		t.Fatal(err)
	}
	exec(t, conn, string(tables))
	return conn
}

// judged is the verdict of all rules over the statements of a text: the findings of all, the strictest action.
func judged(t *testing.T, conn *pgx.Conn, text string, in bool) policy.Verdict {
	t.Helper()
	set, err := policy.NewSet(rules.All(), policy.Settings{Small: policy.Small{Rows: 10000, Bytes: 1 << 20}, BulkRows: 10000})
	if err != nil {
		t.Fatal(err)
	}
	statements, err := ddl.Parse(text)
	if err != nil {
		statements = []ddl.Statement{{Text: text, Action: ddl.Unparsed{Reason: fmt.Sprint(err)}}}
	}
	var all policy.Verdict
	for _, stmt := range statements {
		known, err := facts.Read(t.Context(), querier{conn}, facts.For(stmt))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		v := set.Judge(stmt, known, policy.Context{InTransaction: in || len(statements) > 1})
		for _, f := range v.Findings {
			all.Add(f)
		}
		all.Locks = append(all.Locks, v.Locks...)
	}
	return all
}
