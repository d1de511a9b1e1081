package rules_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

var write = flag.Bool("write", false, "write policy/RULES.md anew")

func TestMain(m *testing.M) { pgtest.Main(m) }

// querier is a connection as facts.Read sees it.
type querier struct{ *pgx.Conn }

func (q querier) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	values := make([][]byte, len(args))
	for i, arg := range args {
		values[i] = []byte(arg)
	}
	result := q.PgConn().ExecParams(ctx, sql, values, nil, nil, nil).Read()
	rows := make([]string, len(result.Rows))
	for i, row := range result.Rows {
		rows[i] = string(row[0])
	}
	return rows, result.Err
}

// Explain implements facts.Explainer. As for the proxy, what the planner cannot say leaves no failed transaction.
func (q querier) Explain(ctx context.Context, statement string) ([]string, error) {
	if q.PgConn().TxStatus() != 'T' {
		return q.Query(ctx, facts.ExplainSQL+statement)
	}
	if _, err := q.Exec(ctx, "SAVEPOINT explained"); err != nil {
		return nil, err
	}
	rows, err := q.Query(ctx, facts.ExplainSQL+statement)
	_, undone := q.Exec(ctx, "ROLLBACK TO SAVEPOINT explained")
	return rows, errors.Join(err, undone)
}

// StatisticsOpen implements facts.Explainer.
func (querier) StatisticsOpen(context.Context) (bool, error) { return true, nil }

// TestCases runs the cases beside each rule, each file on a database of its own:
//
//	setup             runs SQL
//	begin             begins a transaction and runs SQL in it
//	rollback          ends it
//	meanwhile         runs SQL in a transaction of somebody else's; without any, ends that
//	check [ARGS]      judges a statement by this rule alone (set to block if it is off by default), with facts of the running server,
//	                  every table with a row being large
//	locks             runs a statement, prints the locks that it takes, and rolls it back
//
// Args of check: ledger (work can be deferred here), unknown (the server could not be asked), unplanned (nor its planner), unparsed=WHY (the text could not be read),
// version=N, standbys=N, rows=N (of every table, and as expected of every write) and bytes=N (of every table), busy=N (for so many seconds, of every table that is), small (with the limits of the default configuration), session=none and
// session=migration (what the session is known to be), action=A (of the rule, as configured), role (the login may override a block), file (the first statement stands in a file that lint reads, the others behind it), managed (in a
// transaction that the migration tool begins there), in (in a transaction), timeout=T and lock=T (statement_timeout and lock_timeout), agreed (with the
// conventions below), major=N (from this major on), before=N (up to the one before). A locks that holds for some majors only has these, too.
func TestCases(t *testing.T) {
	for _, rule := range rules.All() {
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			dsn := pgtest.Database(t)
			conn, other := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
			datadriven.RunTest(t, rule.Name+".sql", func(t *testing.T, d *datadriven.TestData) string {
				if isOtherMajors(t, d) {
					return d.Expected
				}
				switch d.Cmd {
				case "setup", "begin", "rollback", "meanwhile":
					stage(t, conn, other, d)
				case "check":
					return check(t, conn, rule, d)
				case "locks":
					return locks(t, conn, d.Input)
				default:
					d.Fatalf(t, "unknown directive")
				}
				return ""
			})
		})
	}
}

// isOtherMajors reports whether a case is for other majors than the server's.
func isOtherMajors(t *testing.T, d *datadriven.TestData) bool {
	t.Helper()
	major, before := 0, 1000
	d.MaybeScanArgs(t, "major", &major)
	d.MaybeScanArgs(t, "before", &before)
	version := pgtest.Server(t).Version()
	return version < major || version >= before
}

// stage does what comes before a statement is judged, meanwhile on another connection.
func stage(t *testing.T, conn, other *pgx.Conn, d *datadriven.TestData) {
	t.Helper()
	switch d.Cmd {
	case "begin":
		exec(t, conn, "BEGIN")
	case "rollback":
		exec(t, conn, "ROLLBACK")
		return
	case "meanwhile":
		conn = other
		if d.Input == "" {
			exec(t, conn, "ROLLBACK")
			return
		}
		exec(t, conn, "BEGIN")
	}
	exec(t, conn, d.Input)
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if sql == "" {
		return
	}
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
}

func check(t *testing.T, conn *pgx.Conn, rule policy.Rule, d *datadriven.TestData) string {
	t.Helper()
	stmts := statements(t, d)
	stmt := stmts[0]
	known := read(t, conn, stmt, d)
	settings := policy.Settings{Actions: map[string]policy.Action{}}
	if d.HasArg("agreed") {
		settings.Conventions = agreed
	}
	if rule.Default == policy.Off {
		settings.Actions[rule.Name] = policy.Block
	}
	if d.HasArg("small") {
		settings.Small, settings.BulkRows = policy.Small{Rows: 10000, Bytes: 1 << 20}, 10000
	}
	if d.HasArg("role") {
		settings.OverrideRoles = []string{known.SessionUser}
	}
	if d.HasArg("action") {
		var name string
		d.ScanArgs(t, "action", &name)
		action, err := policy.ParseAction(name)
		if err != nil {
			t.Fatal(err)
		}
		settings.Actions[rule.Name] = action
	}
	set, err := policy.NewSet([]policy.Rule{rule}, settings)
	if err != nil {
		t.Fatal(err)
	}
	kind := "unknown"
	d.MaybeScanArgs(t, "session", &kind)
	return show(set.Judge(stmt, known, policy.Context{
		InTransaction: d.HasArg("in") || d.HasArg("managed") || conn.PgConn().TxStatus() != 'I', Ledger: d.HasArg("ledger"),
		File: d.HasArg("file"), Managed: d.HasArg("managed"), Ahead: stmts[1:],
		Session: map[string]policy.SessionKind{"none": policy.NoMigration, "migration": policy.Migration}[kind],
	}))
}

// agreed are the conventions of cases.
var agreed = policy.Conventions{
	Names:           map[string]*regexp.Regexp{"table": regexp.MustCompile(`^[a-z_]+s$`), "column": regexp.MustCompile(`^[a-z][a-z0-9_]*$`), "index": regexp.MustCompile(`_idx$`)},
	RequiredColumns: []string{"id", "created_at"},
	Extensions:      []string{"uuid-ossp"},
}

func statements(t *testing.T, d *datadriven.TestData) []ddl.Statement {
	t.Helper()
	if !d.HasArg("file") {
		return []ddl.Statement{statement(t, d)}
	}
	statements, err := ddl.Parse(d.Input)
	if err != nil || len(statements) == 0 {
		d.Fatalf(t, "%d statements, %v", len(statements), err)
	}
	return statements
}

func statement(t *testing.T, d *datadriven.TestData) ddl.Statement {
	t.Helper()
	if d.HasArg("unparsed") {
		var why string
		d.ScanArgs(t, "unparsed", &why)
		return ddl.Statement{Text: d.Input, Action: ddl.Unparsed{Reason: strings.ReplaceAll(why, "_", " ")}}
	}
	statements, err := ddl.Parse(d.Input)
	if err != nil || len(statements) != 1 {
		d.Fatalf(t, "%d statements, %v", len(statements), err)
	}
	return statements[0]
}

func read(t *testing.T, conn *pgx.Conn, stmt ddl.Statement, d *datadriven.TestData) facts.Facts {
	t.Helper()
	if d.HasArg("unknown") {
		return facts.Facts{}
	}
	known, err := facts.Read(t.Context(), querier{conn}, facts.For(stmt))
	if err != nil {
		t.Fatal(err)
	}
	d.MaybeScanArgs(t, "version", &known.Version)
	d.MaybeScanArgs(t, "standbys", &known.Standbys)
	for arg, name := range map[string]string{"timeout": "statement_timeout", "lock": "lock_timeout"} {
		var value string
		if d.MaybeScanArgs(t, arg, &value) {
			known.Settings[name] = value
		}
	}
	if d.HasArg("unplanned") {
		known.Writing = nil
	}
	if known.Writing != nil {
		for i := range known.Writing.Changes {
			expected := int(known.Writing.Changes[i].Rows)
			d.MaybeScanArgs(t, "rows", &expected)
			known.Writing.Changes[i].Rows = float64(expected)
		}
	}
	for _, r := range known.Relations {
		if r == nil {
			continue
		}
		if r.Table != nil {
			r = r.Table
		}
		for _, arg := range d.CmdArgs {
			switch arg.Key {
			case "rows":
				r.Rows = float64(number(t, arg.Vals[0]))
			case "bytes":
				r.Bytes = number(t, arg.Vals[0])
			case "busy":
				if r.Busy != 0 {
					r.Busy = float64(number(t, arg.Vals[0]))
				}
			}
		}
	}
	return known
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func show(v policy.Verdict) string {
	var out strings.Builder
	fmt.Fprintln(&out, v.Action)
	for _, f := range v.Findings {
		fmt.Fprintf(&out, "  %s\n", f.Message)
		for _, line := range []struct{ name, text string }{{"detail", f.Detail}, {"hint", f.Hint}, {"unknown", f.Unknown}} {
			if line.text != "" {
				fmt.Fprintf(&out, "  %s: %s\n", line.name, strings.ReplaceAll(line.text, "\n", "\n    "))
			}
		}
	}
	for _, f := range v.Overridden {
		fmt.Fprintf(&out, "  overridden: %s\n", f.Message)
	}
	return out.String()
}

func locks(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	exec(t, conn, "BEGIN")
	defer exec(t, conn, "ROLLBACK")
	exec(t, conn, sql)
	taken := pgtest.Locks(t, conn, conn.PgConn().PID())
	if len(taken) == 0 {
		return "(none)\n"
	}
	return strings.Join(taken, "\n") + "\n"
}

// Every rule shows what it finds and what passes, and the locks it speaks of are observed.
func TestEveryRuleHasCases(t *testing.T) {
	if _, err := policy.NewSet(rules.All(), policy.Settings{}); err != nil {
		t.Error(err)
	}
	for _, rule := range rules.All() {
		var failing, passing, observed bool
		for _, c := range rule.ParseCases() {
			failing = failing || c.Fails()
			passing = passing || c.Passes()
			observed = observed || c.Directive == "locks"
		}
		if !failing || !passing {
			t.Errorf("rule %s needs a case that fails (has one: %t) and one that passes (has one: %t)", rule.Name, failing, passing)
		}
		if !observed && rule.Name != "unjudged" {
			t.Errorf("rule %s has no locks case", rule.Name)
		}
	}
}

// Whoever sees nothing but the first line of an error knows what would happen to what, and what to do instead.
func TestMessagesSayWhatToDo(t *testing.T) {
	for _, rule := range rules.All() {
		for _, c := range rule.ParseCases() {
			if !c.Fails() {
				continue
			}
			for _, message := range messages(c) {
				firstLine(t, rule.Name, message, c.SQL)
			}
		}
	}
}

// messages are the first lines of what a check found.
func messages(c policy.Case) []string {
	var list []string
	for line := range strings.SplitSeq(c.Outcome, "\n") {
		text, found := strings.CutPrefix(line, "  ")
		word, _, _ := strings.Cut(text, ":")
		if found && !strings.HasPrefix(text, " ") && !slices.Contains([]string{"detail", "hint", "unknown", "overridden"}, word) {
			list = append(list, text)
		}
	}
	return list
}

// namedIn are the names of what a text is about.
func namedIn(text string) []string {
	statements, err := ddl.Parse(text)
	if err != nil {
		return nil
	}
	var names []string
	add := func(s ddl.Statement) {
		for _, ref := range s.Refs {
			names = append(names, ref.Name.Name)
		}
		switch action := s.Action.(type) {
		case ddl.Drop:
			for _, name := range action.Names {
				names = append(names, name.Name)
			}
		case ddl.AlterTable:
			names = append(names, action.Table.Name)
		case ddl.Utility:
			for _, name := range action.Names {
				names = append(names, name.Name)
			}
		}
	}
	for _, s := range statements {
		add(s)
		s.Walk(func(inner ddl.Inner) { add(inner.Statement) })
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

func TestBook(t *testing.T) {
	const path = "../RULES.md"
	if *write {
		if err := os.WriteFile(path, []byte(rules.Book()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil || string(page) != rules.Book() {
		t.Errorf("policy/RULES.md is stale (%v): go test ./policy/rules -run TestBook -write", err)
	}
}
