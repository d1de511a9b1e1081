package rules_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
	"github.com/pgsluice/pgsluice/rewrite"
)

// TestCatalogue goes through every operation on a schema that can hurt, in each of its variants, on a server with the tables of the corpora, and tells what
// becomes of it by all rules together, under the limits of the default configuration: the verdict, the rules that found something, the steps of the plan
// where it is rewritten, and what the server itself says about the statement where it refuses it.
//
//	setup             runs SQL
//	begin             begins a transaction and runs SQL in it
//	rollback          ends it
//	meanwhile         runs SQL in a transaction of somebody else's; without any, ends that
//	judge [ARGS]      judges a statement a line, with facts of the running server
//
// Args of judge: in (in a transaction), ledger (work can be deferred here), on=RULE (which is off by default, made a warning), file (the first line stands in a
// file that is only read, the others behind it) and managed (in a transaction that the migration tool begins there), unknown (the server could not be asked),
// version=N, standbys=N, busy=N, rows=N and session=none (as for the cases of rules), unrun (the server is not asked to
// run it), major=N (from this major on), before=N (up to the one before).
func TestCatalogue(t *testing.T) {
	files, err := filepath.Glob("testdata/catalogue/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			conn := corpusServer(t)
			other, err := pgx.ConnectConfig(t.Context(), conn.Config())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = other.Close(context.WithoutCancel(t.Context())) })
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				if isOtherMajors(t, d) {
					return d.Expected
				}
				switch d.Cmd {
				case "setup", "begin", "rollback", "meanwhile":
					stage(t, conn, other, d)
				case "judge":
					return catalogued(t, conn, d)
				default:
					d.Fatalf(t, "unknown directive")
				}
				return ""
			})
		})
	}
}

// catalogued tells what becomes of the statements of a judge.
func catalogued(t *testing.T, conn *pgx.Conn, d *datadriven.TestData) string {
	t.Helper()
	settings := policy.Settings{Actions: map[string]policy.Action{}, Small: policy.Small{Rows: 10000, Bytes: 1 << 20}, BulkRows: 10000, Conventions: agreed}
	var on string
	if d.MaybeScanArgs(t, "on", &on) {
		settings.Actions[on] = policy.Warn
	}
	set, err := policy.NewSet(rules.All(), settings)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(d.Input, "\n")
	if d.HasArg("file") {
		return verdictOf(t, conn, d, set, parsed(d.Input), 1)
	}
	var out strings.Builder
	for _, line := range lines {
		statements := parsed(line)
		verdicts := verdictOf(t, conn, d, set, statements, len(statements))
		if len(lines) > 1 { // the statement stands behind its verdict
			verdict, plan, _ := strings.Cut(verdicts, "\n")
			verdicts = fmt.Sprintf("%s | %s\n%s", verdict, line, plan)
		}
		out.WriteString(verdicts)
		if d.HasArg("unknown") || d.HasArg("unrun") || slices.ContainsFunc(statements, func(s ddl.Statement) bool { _, is := s.Action.(ddl.Transaction); return is }) {
			continue
		}
		if code := refusal(t, conn, line); code != "" {
			fmt.Fprintf(&out, "    the server: %s\n", code)
		}
	}
	return out.String()
}

// parsed are the statements of a text, as the proxy reads them: one that nobody can read if it cannot.
func parsed(text string) []ddl.Statement {
	statements, err := ddl.Parse(text)
	if err != nil {
		return []ddl.Statement{{Text: text, Action: ddl.Unparsed{Reason: fmt.Sprint(err)}}}
	}
	return statements
}

// verdictOf is the verdict on the first n statements that are sent together, a line for each that is no mere part of a transaction, and the steps of its plan.
func verdictOf(t *testing.T, conn *pgx.Conn, d *datadriven.TestData, set *policy.Set, statements []ddl.Statement, n int) string {
	t.Helper()
	var out strings.Builder
	kind := "unknown"
	d.MaybeScanArgs(t, "session", &kind)
	for i, stmt := range statements[:n] {
		if _, control := stmt.Action.(ddl.Transaction); control && n > 1 {
			continue
		}
		known := read(t, conn, stmt, d)
		v := set.Judge(stmt, known, policy.Context{
			InTransaction: d.HasArg("in") || d.HasArg("managed") || n > 1 || conn.PgConn().TxStatus() != 'I', Ledger: d.HasArg("ledger"),
			File: d.HasArg("file"), Managed: d.HasArg("managed"), Ahead: statements[i+1:],
			Session: map[string]policy.SessionKind{"none": policy.NoMigration, "migration": policy.Migration}[kind],
		})
		wellSaid(t, v, stmt.Text)
		fmt.Fprintf(&out, "%s\n", told(v))
		if v.Action == policy.Rewrite && v.Recipe() != policy.BudgetRecipe {
			out.WriteString(steps(stmt, known, v.Recipe()))
		}
	}
	return out.String()
}

// told is a verdict, and the rules behind it with their own actions where these are others.
func told(v policy.Verdict) string {
	words := []string{v.Action.String()}
	for _, f := range v.Findings {
		word := f.Rule
		if f.Action != v.Action {
			word = fmt.Sprintf("(%s %s)", f.Action, f.Rule)
		}
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// steps are those of the plan, one a line.
func steps(stmt ddl.Statement, known facts.Facts, recipe string) string {
	plan, err := rewrite.Build(stmt, known, recipe)
	if err != nil {
		return fmt.Sprintf("    no plan: %v\n", err)
	}
	var out strings.Builder
	for _, check := range plan.DataChecks {
		fmt.Fprintf(&out, "    looks for %s\n", check.Code)
	}
	for _, step := range plan.Steps {
		fmt.Fprintf(&out, "    %s: %s\n", step.Where, strings.Join(step.Statements(), "; "))
	}
	return out.String()
}

// refusal is the SQLSTATE by which the server refuses a text in a transaction, which is rolled back; "" if it takes it.
func refusal(t *testing.T, conn *pgx.Conn, text string) string {
	t.Helper()
	begin, end := "BEGIN", "ROLLBACK"
	if conn.PgConn().TxStatus() != 'I' {
		begin, end = "SAVEPOINT tried", "ROLLBACK TO tried; RELEASE tried"
	}
	exec(t, conn, begin)
	defer exec(t, conn, end)
	_, err := conn.PgConn().Exec(t.Context(), text).ReadAll()
	var refused *pgconn.PgError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &refused):
		return refused.Code
	}
	t.Fatalf("%s\n%v", text, err)
	return ""
}

// Every rule is found in the catalogue.
func TestEveryRuleIsInTheCatalogue(t *testing.T) {
	files, err := filepath.Glob("testdata/catalogue/*")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for word := range strings.FieldsSeq(string(text)) {
			found[strings.TrimSuffix(word, ")")] = true
		}
	}
	for _, rule := range rules.All() {
		if !found[rule.Name] {
			t.Errorf("rule %s is found in no statement of the catalogue", rule.Name)
		}
	}
}
