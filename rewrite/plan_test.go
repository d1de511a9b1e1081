package rewrite_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
	"github.com/pgsluice/pgsluice/rewrite"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// pair is two databases with the same content: in one the statements run as they are, in the other their plans.
type pair struct {
	plainDSN, planDSN string
	plain, plan       *pgx.Conn
	// writer has the planned table open for writing while a step runs; observer looks on.
	writer, observer *pgx.Conn
	// notices are what the server said about the step at hand, its debug messages included.
	notices []string
	// block is true when plans run as in a client's transaction: the steps in place in one block, the others behind its COMMIT.
	block bool
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{plainDSN: pgtest.Database(t), planDSN: pgtest.Database(t)}
	p.plain, p.plan = pgtest.Connect(t, p.plainDSN), p.listen(t, p.planDSN)
	p.writer, p.observer = pgtest.Connect(t, p.planDSN), pgtest.Connect(t, p.planDSN)
	return p
}

// listen connects as somebody who hears what the server does.
func (p *pair) listen(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["client_min_messages"] = "debug1"
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { p.notices = append(p.notices, n.Message) }
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// long are the beginnings of what the server says when it does something that takes time.
var long = []string{"verifying table", "rewriting table", "building index", "validating foreign key"}

// TestCases runs the cases beside each recipe, each file on two databases of its own:
//
//	setup         runs SQL on both
//	begun         runs SQL only where plans run: what an earlier try has left there
//	plan          prints the plan of a statement and proves it: the probe and the data checks find nothing, every step takes the locks that
//	              it declares, no rule objects to a step, Done turns true, and the schema is in the end what the statement itself leaves
//	              (with validates=NAME, and a VALIDATE of that constraint; what follows a line -- is done there, too); with "leaves" what
//	              it leaves beyond that is printed
//	refused       a statement that the server refuses: what is found before anything is promised is the server's own error
//	unplanned     a statement for which there is no plan, and why
func TestCases(t *testing.T) {
	for _, file := range caseFiles(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			runCases(t, newPair(t), file)
		})
	}
}

// TestPlansInTransaction runs the same cases with plans as in a transaction of the client's: their steps in place in one block, the others behind its
// COMMIT. What is found, and what is left in the end, is the same.
func TestPlansInTransaction(t *testing.T) {
	for _, file := range caseFiles(t) {
		if file == "bulk-write" { // which no transaction runs
			continue
		}
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			p.block = true
			runCases(t, p, file)
		})
	}
}

// caseFiles are the files of cases, by their names without .sql.
func caseFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = strings.TrimSuffix(files[i], ".sql")
	}
	return files
}

// proven is a statement for each safe form, as the cases have it.
var proven = map[string][]string{
	"index-not-concurrent":         {"CREATE INDEX", "CREATE UNIQUE INDEX"},
	"partitioned-index":            {"CREATE INDEX", "CREATE UNIQUE INDEX"},
	"drop-index-not-concurrent":    {"DROP INDEX"},
	"reindex-not-concurrent":       {"REINDEX INDEX", "REINDEX TABLE"},
	"refresh-not-concurrent":       {"REFRESH MATERIALIZED VIEW"},
	"alter-table":                  {"ADD CONSTRAINT orders_user FOREIGN KEY", "ADD CONSTRAINT positive CHECK", "VALIDATE CONSTRAINT"},
	"alter-table-keys":             {"ADD UNIQUE (", "ADD PRIMARY KEY (", "PRIMARY KEY USING INDEX", "UNIQUE USING INDEX"},
	"alter-table-not-null":         {"SET NOT NULL"},
	"alter-table-not-null-18":      {"SET NOT NULL"},
	"alter-table-columns":          {"DEFAULT random()", "s serial", "AS IDENTITY", "CHECK (c1 > 0)", "REFERENCES parent", "int UNIQUE"},
	"alter-table-partitions":       {"ADD FOREIGN KEY", "ADD UNIQUE", "PRIMARY KEY"},
	"partition":                    {"ATTACH PARTITION", "PARTITION OF", "DETACH PARTITION", "DROP TABLE"},
	"foreign-keys-dropped-at-once": {"DROP TABLE", "DROP COLUMN"},
	"domain-validated-at-once":     {"ALTER DOMAIN"},
	"table-renamed":                {"RENAME TO"},
	"lock-without-budget":          {"add column", "DROP TABLE"},
}

// Every recipe has a plan that is run and compared, and every safe form is among those.
func TestEverySafeFormIsProven(t *testing.T) {
	planned := map[string]bool{}
	for _, file := range caseFiles(t) {
		text, err := os.ReadFile(file + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		var statements []string
		for _, c := range (policy.Rule{Cases: string(text)}).ParseCases() {
			if c.Directive != "plan" {
				continue
			}
			statements = append(statements, c.SQL)
			planned[recipeOf(file)] = true
			for _, arg := range c.Args {
				if recipe, ok := strings.CutPrefix(arg, "recipe="); ok {
					planned[recipe] = true
				}
			}
		}
		for _, form := range proven[file] {
			if !slices.ContainsFunc(statements, func(sql string) bool { return strings.Contains(strings.ToUpper(sql), strings.ToUpper(form)) }) {
				t.Errorf("%s.sql plans no %s", file, form)
			}
		}
	}
	for _, rule := range rules.All() {
		if recipe := cmp.Or(rule.Recipe, rule.Name); rule.Default == policy.Rewrite && !planned[recipe] {
			t.Errorf("no case has a plan by the recipe %s", recipe)
		}
	}
}

// recipeOf is the recipe of a file of cases.
func recipeOf(file string) string {
	if strings.HasPrefix(file, "alter-table") {
		return "alter-table"
	}
	return file
}

func runCases(t *testing.T, p *pair, file string) {
	datadriven.RunTest(t, file+".sql", func(t *testing.T, d *datadriven.TestData) string {
		major, before := 0, 1000
		if strings.HasSuffix(file, "-18") {
			major = 18
		}
		d.MaybeScanArgs(t, "major", &major)
		d.MaybeScanArgs(t, "before", &before)
		if version := pgtest.Server(t).Version(); version < major || version >= before {
			return d.Expected
		}
		rule := recipeOf(file)
		d.MaybeScanArgs(t, "recipe", &rule)
		switch d.Cmd {
		case "setup":
			exec(t, p.plain, d.Input)
			exec(t, p.plan, d.Input)
			return ""
		case "begun":
			exec(t, p.plan, d.Input)
			return ""
		case "plan":
			also := ""
			d.MaybeScanArgs(t, "validates", &also)
			return p.prove(t, d.Input, rule, also, d.HasArg("leaves"))
		case "refused":
			return p.refused(t, d.Input, rule)
		case "unplanned":
			stmt, known := p.read(t, d.Input)
			if plan, err := rewrite.Build(stmt, known, rule); err == nil {
				return show(plan, d.Input, nil)
			} else {
				return err.Error() + "\n"
			}
		}
		d.Fatalf(t, "unknown directive")
		return ""
	})
}

// For any two rules that ask for a rewrite there is one recipe that serves both, or the statement is refused and told to be sent in two.
func TestEveryPairOfRulesHasARecipeOrIsRefused(t *testing.T) {
	stmt, err := ddl.Reparse("ALTER TABLE t ADD a int")
	if err != nil {
		t.Fatal(err)
	}
	find := func(rule policy.Rule) policy.Rule {
		rule.Run = func(c *policy.Check) { c.Report(policy.Finding{Message: "found", Action: policy.Rewrite}) }
		return rule
	}
	recipe := func(rule policy.Rule) string { return cmp.Or(rule.Recipe, rule.Name) }
	for _, a := range rules.All() {
		if a.Default != policy.Rewrite {
			continue
		}
		if _, err := rewrite.Build(stmt, facts.Facts{}, recipe(a)); err != nil && strings.Contains(err.Error(), "there is no recipe") {
			t.Errorf("rule %s: %v", a.Name, err)
		}
		for _, b := range rules.All() {
			if b.Default != policy.Rewrite || a.Name == b.Name {
				continue
			}
			set, err := policy.NewSet([]policy.Rule{find(a), find(b)}, policy.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			v := set.Judge(stmt, facts.Facts{}, policy.Context{})
			shared := recipe(a) == recipe(b) || recipe(a) == policy.BudgetRecipe || recipe(b) == policy.BudgetRecipe
			want := recipe(a)
			if want == policy.BudgetRecipe {
				want = recipe(b)
			}
			switch {
			case shared && (v.Action != policy.Rewrite || v.Recipe() != want):
				t.Errorf("%s and %s give %s with %q, want rewrite with %q", a.Name, b.Name, v.Action, v.Recipe(), want)
			case !shared && (v.Action != policy.Block || !strings.Contains(v.Findings[1].Message, "send this as a statement of its own")):
				t.Errorf("%s and %s, which no recipe shares, give %s: %s", a.Name, b.Name, v.Action, v.Findings[1].Message)
			}
		}
	}
}

func (p *pair) read(t *testing.T, sql string) (ddl.Statement, facts.Facts) {
	t.Helper()
	stmt, err := ddl.Reparse(sql)
	if err != nil {
		t.Fatal(err)
	}
	known, err := facts.Read(t.Context(), querier{p.plan}, facts.For(stmt))
	if err != nil {
		t.Fatal(err)
	}
	return stmt, known
}

// prove runs the statement here and its plan there, and compares.
func (p *pair) prove(t *testing.T, sql, recipe, validates string, leaves bool) string {
	t.Helper()
	sql, more, _ := strings.Cut(sql, "\n--\n")
	stmt, known := p.read(t, sql)
	plan, err := rewrite.Build(stmt, known, recipe)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	p.harmless(t, plan)
	p.undo(t, plan)
	asked := p.asked(t, sql, len(plan.Steps) == 1)
	exec(t, p.plain, sql)
	exec(t, p.plain, more)
	if validates != "" {
		exec(t, p.plain, "ALTER TABLE "+pgx.Identifier{plan.Steps[0].Table.Schema, plan.Steps[0].Table.Name}.Sanitize()+" VALIDATE CONSTRAINT "+validates)
	}
	found := make([]bool, len(plan.Steps))
	block := p.block && plan.Unprobed == ""
	if block {
		p.inPlace(t, plan, found)
	}
	for i, step := range plan.Steps {
		if block && step.Where == rewrite.InPlace {
			continue
		}
		for _, statement := range step.Statements() {
			p.judge(t, step, statement, asked)
		}
		if found[i] = query(t, p.plan, orFalse(step.Done))[0] == "t"; !found[i] {
			p.step(t, step)
		}
		if step.Left != "" {
			if left := query(t, p.plan, step.Left); len(left) > 0 {
				t.Errorf("%s\nleaves %v", step.SQL, left)
			}
		}
	}
	beyond := p.compare(t)
	if beyond != "" && !leaves {
		t.Errorf("%s\nleaves another schema than its plan:\n%s", sql, beyond)
	}
	p.redo(t, plan)
	return show(plan, sql, found) + beyond
}

// inPlace runs the steps of a plan that hold from now on in one block, and notes which were found done.
func (p *pair) inPlace(t *testing.T, plan rewrite.Plan, found []bool) {
	t.Helper()
	exec(t, p.plan, "BEGIN")
	for i, step := range plan.Steps {
		if step.Where != rewrite.InPlace {
			continue
		}
		if found[i] = query(t, p.plan, orFalse(step.Done))[0] == "t"; found[i] {
			continue
		}
		for _, statement := range step.Statements() {
			exec(t, p.plan, statement)
		}
	}
	exec(t, p.plan, "COMMIT")
}

// undo runs the first steps, as far as they can be in a transaction, and takes them back after each: nothing may be left.
func (p *pair) undo(t *testing.T, plan rewrite.Plan) {
	t.Helper()
	if len(plan.Undo) == 0 {
		return
	}
	before := strings.Join(query(t, p.plan, catalog), "\n")
	for n := range plan.Steps {
		if slices.ContainsFunc(plan.Steps[:n], func(step rewrite.Step) bool { return step.Where == rewrite.Alone }) {
			return
		}
		exec(t, p.plan, "BEGIN")
		for _, step := range plan.Steps[:n] {
			exec(t, p.plan, strings.Join(step.Statements(), ";\n"))
		}
		exec(t, p.plan, strings.Join(plan.Undo, ";\n"))
		if after := strings.Join(query(t, p.plan, catalog), "\n"); after != before {
			t.Errorf("%d steps and %v leave\n%s", n, plan.Undo, difference(before, after))
		}
		exec(t, p.plan, "ROLLBACK")
	}
}

// redo is what a resume meets when all steps were done, and nobody could write it down: each step says so, or does nothing.
func (p *pair) redo(t *testing.T, plan rewrite.Plan) {
	t.Helper()
	for _, step := range plan.Steps {
		switch {
		case step.Where == rewrite.InPlace || step.Client || step.Rebuild: // what a client runs on the spot is never resumed
		case step.Batch != nil && step.Batch.Column == "": // a job knows by itself how far it came
		case step.Batch != nil:
			if tag, err := p.plan.Exec(t.Context(), step.SQL); err != nil || tag.RowsAffected() != 0 {
				t.Errorf("done again it changes %s (%v): %s", tag, err, step.SQL)
			}
		case step.Done == "":
			t.Errorf("a resume cannot know whether this is done: %s", step.SQL)
		default:
			if answer := query(t, p.plan, step.Done); answer[0] != "t" {
				t.Errorf("not done when all is done: %s\n%s", step.SQL, step.Done)
			}
		}
	}
}

// compare holds the two schemas against each other, as the catalogs describe them, and as pg_dump does where there is one for this major: it is
// what differs.
func (p *pair) compare(t *testing.T) string {
	t.Helper()
	plain, planned := strings.Join(query(t, p.plain, catalog), "\n"), strings.Join(query(t, p.plan, catalog), "\n")
	if plain == planned {
		if _, ok := pgtest.Server(t).Binaries().Tool("pg_dump"); ok {
			plain, planned = pgtest.Dump(t, p.plainDSN), pgtest.Dump(t, p.planDSN)
		}
	}
	if plain == planned {
		return ""
	}
	return difference(plain, planned)
}

// catalog is what there is, one object a line, without what differs from one database to the next.
const catalog = `
	SELECT format('%s %s %s', c.oid::regclass, c.relkind, a.columns) FROM pg_class c
	CROSS JOIN LATERAL (SELECT string_agg(format('%s %s%s %s', attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' not null' END,
		pg_get_expr(d.adbin, d.adrelid)), ', ' ORDER BY attnum) AS columns
		FROM pg_attribute LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) a
	WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'pg_toast'::regnamespace)
	UNION ALL
	SELECT format('%s valid=%s ready=%s live=%s', pg_get_indexdef(indexrelid), indisvalid, indisready, indislive) FROM pg_index WHERE indexrelid >= 16384
		AND indrelid NOT IN (SELECT oid FROM pg_class WHERE relkind = 't')
	UNION ALL
	SELECT format('%s %s %s validated=%s inherited=%s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated, coninhcount)
		FROM pg_constraint WHERE oid >= 16384
	UNION ALL
	SELECT format('trigger %s %s', tgrelid::regclass, count(*)) FROM pg_trigger GROUP BY tgrelid
	ORDER BY 1`

// harmless runs what comes before a promise, in a transaction as a client has one: it must find nothing, leave nothing, and lock nothing
// that anybody waits for.
func (p *pair) harmless(t *testing.T, plan rewrite.Plan) {
	t.Helper()
	exec(t, p.plan, "BEGIN")
	for _, check := range plan.DataChecks {
		if rows := query(t, p.plan, check.SQL); len(rows) > 0 {
			t.Errorf("a data check finds %v: %s", rows, check.SQL)
		}
	}
	if plan.Probe != "" {
		exec(t, p.plan, plan.Probe)
	}
	for _, lock := range pgtest.Locks(t, p.observer, p.plan.PgConn().PID()) {
		if !strings.HasSuffix(lock, " AccessShareLock") && !strings.Contains(lock, "(uncommitted)") {
			t.Errorf("before anything is promised there is a lock: %s", lock)
		}
	}
	left := query(t, p.plan, "SELECT relname FROM pg_class WHERE relname LIKE 'pgsluice%'")
	exec(t, p.plan, "COMMIT")
	if len(left) > 0 {
		t.Errorf("the probe leaves %v", left)
	}
}

// asked are the rules that only warn of what the statement asks for, however it is done; all that find something, where the plan is no more than
// the statement itself.
func (p *pair) asked(t *testing.T, sql string, itself bool) []string {
	t.Helper()
	var rules []string
	for _, f := range p.findings(t, sql) {
		if f.Action == policy.Warn || itself {
			rules = append(rules, f.Rule)
		}
	}
	return rules
}

// findings are what our own rules find in a statement as if a client had sent it. One that only a newer grammar has is looked at as the check that
// says the same.
func (p *pair) findings(t *testing.T, sql string) []policy.Finding {
	t.Helper()
	set, err := policy.NewSet(rules.All(), policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	stmt, known := p.read(t, namedNotNull.ReplaceAllString(sql, `CHECK ($1 IS NOT NULL) NOT VALID`))
	return set.Judge(stmt, known, policy.Context{}).Findings
}

// judge lets our own rules look at a statement of a step; asked are the rules that warn of the client's own.
func (p *pair) judge(t *testing.T, step rewrite.Step, statement string, asked []string) {
	t.Helper()
	for _, f := range p.findings(t, statement) {
		known := slices.Contains(asked, f.Rule) && (f.Action == policy.Warn || step.Client) ||
			f.Rule == "domain-validated-at-once" && f.Action == policy.Warn || // the server has no better form
			f.Rule == "identity-starts-over" && strings.Contains(strings.Join(step.Then, ""), "setval") // as it asks for
		if !known && !admitted[f.Rule] && (f.Rule != "lock-without-budget" && f.Rule != "recurses-to-partitions" || !step.Budget) {
			t.Errorf("rule %s objects to the step %s: %s", f.Rule, statement, f.Message)
		}
	}
}

// admitted are the rules that find what a plan does on purpose: a drop that was allowed, a rename that leaves a view and the privileges
// that are there, and what a step changes in batches.
var admitted = map[string]bool{"table-dropped": true, "column-dropped": true, "cascade-dropped": true, "table-renamed": true, "privilege-widened": true,
	"constraint-dropped": true, "bulk-write": true, "bulk-write-reads-tables": true}

// namedNotNull is a form that a server knows since 18.
var namedNotNull = regexp.MustCompile(`NOT NULL ("[^"]+") NOT VALID`)

// step runs one step while somebody else has written to its table and not committed yet, where the step lets him; a step with a lock budget
// has the table for itself.
func (p *pair) step(t *testing.T, step rewrite.Step) {
	t.Helper()
	p.notices = nil
	switch {
	case step.Where == rewrite.Alone && !step.Client:
		p.alone(t, step)
	case step.Where == rewrite.Alone:
		exec(t, p.plan, step.SQL)
	default:
		exec(t, p.plan, "BEGIN")
		for _, statement := range step.Statements() {
			exec(t, p.plan, statement)
		}
		p.declared(t, step)
		exec(t, p.plan, "COMMIT")
	}
	stmt, _ := p.read(t, step.SQL)
	made := stmt.Tag == "CREATE TABLE" // and empty: nothing takes long
	for _, said := range p.notices {
		if step.Budget && step.Where == rewrite.AfterCommit && !made && slices.ContainsFunc(long, func(s string) bool { return strings.HasPrefix(said, s) }) {
			t.Errorf("under its strong lock the server is %s: %s", said, step.SQL)
		}
	}
	if step.Done != "" {
		if answer := query(t, p.plan, step.Done); answer[0] != "t" {
			t.Errorf("not done after it was run: %s\n%s", step.SQL, step.Done)
		}
	}
}

func orFalse(done string) string {
	if done == "" {
		return "SELECT false"
	}
	return done
}

// alone runs a concurrent step. It has to wait for the writer; until then its locks are looked at, and the writer goes on.
func (p *pair) alone(t *testing.T, step rewrite.Step) {
	t.Helper()
	table := pgx.Identifier{step.Table.Schema, step.Table.Name}.Sanitize()
	exec(t, p.writer, "BEGIN; DELETE FROM "+table+" WHERE false")
	ended := make(chan error, 1)
	go func() {
		_, err := p.plan.Exec(t.Context(), step.SQL)
		ended <- err
	}()
	pid := p.plan.PgConn().PID()
	pgtest.WaitFor(t, p.observer, "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND locktype = 'virtualxid')", pid)
	p.declared(t, step)
	exec(t, p.writer, "SET LOCAL lock_timeout = '1s'; DELETE FROM "+table+" WHERE false; COMMIT")
	if err := <-ended; err != nil {
		t.Fatalf("%s\n%v", step.SQL, err)
	}
}

// declared holds the locks of a step against what it says: without a budget it must let readers and writers of every table work.
func (p *pair) declared(t *testing.T, step rewrite.Step) {
	t.Helper()
	if step.Budget {
		return
	}
	for _, lock := range pgtest.Locks(t, p.observer, p.plan.PgConn().PID()) {
		if strings.Contains(lock, "(uncommitted)") || lock == step.Index.Name+" AccessExclusiveLock" || lock == step.Index.Name+" ExclusiveLock" {
			continue // nobody else can use what is being made
		}
		for _, strong := range []string{" ShareLock", " ShareRowExclusiveLock", " ExclusiveLock", " AccessExclusiveLock"} {
			if strings.HasSuffix(lock, strong) {
				t.Errorf("step declares no strong lock and takes %s: %s", lock, step.SQL)
			}
		}
	}
}

// refused compares what is found before anything is promised with the error of the server.
func (p *pair) refused(t *testing.T, sql, recipe string) string {
	t.Helper()
	stmt, known := p.read(t, sql)
	plan, err := rewrite.Build(stmt, known, recipe)
	if err != nil {
		t.Fatal(err)
	}
	var server *pgconn.PgError
	if _, err := p.plain.Exec(t.Context(), sql); !errors.As(err, &server) {
		t.Fatalf("the server does not refuse: %s (%v)", sql, err)
	}
	found := p.found(t, plan)
	if found == nil {
		t.Fatalf("%s\nis refused by the server (%s), and nothing is found before it is promised", sql, server.Message)
	}
	if found.Code != server.Code || found.Message != server.Message {
		t.Errorf("%s\nfound       %s %s\nthe server  %s %s", sql, found.Code, found.Message, server.Code, server.Message)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s\n%s", found.Code, found.Message, found.Detail)) + "\n"
}

// found is the error of the probe, or of the first data check that finds something.
func (p *pair) found(t *testing.T, plan rewrite.Plan) *pgconn.PgError {
	t.Helper()
	if plan.Probe != "" {
		var refusal *pgconn.PgError
		if _, err := p.plan.Exec(t.Context(), plan.Probe); errors.As(err, &refusal) {
			return refusal
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, check := range plan.DataChecks {
		if rows := query(t, p.plan, check.SQL); len(rows) > 0 {
			return &pgconn.PgError{Code: check.Code, Message: check.Message, Detail: rows[0]}
		}
	}
	return nil
}

// show prints a plan, and which of its steps were found done.
func show(plan rewrite.Plan, sql string, found []bool) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s", plan.Tag)
	if plan.Notice != "" {
		fmt.Fprintf(&out, ": %s", plan.Notice)
	}
	fmt.Fprintln(&out)
	if plan.Probe != "" {
		fmt.Fprintln(&out, "  probe")
	}
	if plan.Unprobed != "" {
		fmt.Fprintf(&out, "  no probe: %s\n", plan.Unprobed)
	}
	for _, check := range plan.DataChecks {
		fmt.Fprintf(&out, "  check %s %s\n", check.Code, check.Message)
		fmt.Fprintf(&out, "    %s\n", strings.ReplaceAll(check.SQL, "\n", "\n    "))
	}
	for _, undo := range plan.Undo {
		fmt.Fprintf(&out, "  undo: %s\n", undo)
	}
	for i, step := range plan.Steps {
		text := step.SQL
		if text == sql {
			text = "(as it is)"
		}
		fmt.Fprintf(&out, "  %s: %s\n", step.Where, text)
		for _, statement := range step.Then {
			fmt.Fprintf(&out, "    then %s\n", statement)
		}
		fmt.Fprintf(&out, "    on %s%s%s%s%s%s\n", targetName(step.Table), others(step.Others), flag(step.Budget, ", lock budget"),
			flag(step.Client, ", client's text"), flag(step.Rebuild, ", rebuild"), flag(found != nil && found[i], ", found done"))
		for _, helper := range step.Helpers {
			fmt.Fprintf(&out, "    helper %s%s\n", helper.Name, flag(helper.Drop, ", dropped"))
		}
		if step.Batch != nil {
			fmt.Fprint(&out, "    in batches")
			if key := step.Batch.Key; key != nil {
				fmt.Fprintf(&out, " along %q by %s%s%s", key.Columns, key.Less, flag(step.Batch.Once, ", each row once"), flag(step.Batch.Joined, ", joined"))
			}
			fmt.Fprintln(&out)
		}
		if step.Index.Name != "" {
			fmt.Fprintf(&out, "    index %s.%s%s\n", step.Index.Schema, step.Index.Name, flag(step.Index.Drop, ", dropped"))
		}
	}
	return passing.ReplaceAllString(out.String(), "${3}N$1$2")
}

// passing is what differs from run to run: OIDs, and the names that are made from them.
var passing = regexp.MustCompile(`\d+((?:::| AS )pg_catalog\.oid\b)|'\{[\d,]+\}'(::pg_catalog\.oid)|(pgsluice_bound_)[0-9a-f]+`)

func targetName(target rewrite.Target) string {
	if target.OID == 0 {
		return "nothing"
	}
	var columns []string
	for _, number := range slices.Sorted(maps.Keys(target.Columns)) {
		columns = append(columns, fmt.Sprintf("%d=%s", number, target.Columns[number]))
	}
	return target.Schema + "." + target.Name + flag(len(columns) > 0, fmt.Sprintf(" %v", columns))
}

func others(targets []rewrite.Target) string {
	var names string
	for _, target := range targets {
		names += " and " + targetName(target)
	}
	return names
}

func flag(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// difference is the lines that only one of two texts has.
func difference(a, b string) string {
	var out strings.Builder
	for _, side := range []struct{ mark, of, not string }{{"- ", a, b}, {"+ ", b, a}} {
		for line := range strings.Lines(side.of) {
			if !strings.Contains(side.not, line) {
				out.WriteString(side.mark + line)
			}
		}
	}
	return out.String()
}

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

func query(t *testing.T, conn *pgx.Conn, sql string) []string {
	t.Helper()
	rows, err := querier{conn}.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	return rows
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
}
