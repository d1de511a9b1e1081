package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/lint"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

var (
	//go:embed demo/seed.sql
	demoSeed string
	//go:embed demo/migration.sql
	demoMigration string
	//go:embed demo/schema.sql
	demoSchema string
)

// leastDemoRows is well over the default of small_table.rows.
const leastDemoRows = 20_000

// The databases of the demo.
const (
	directDatabase  = "direct"
	proxiedDatabase = "proxied"
)

// demonstration is one demo: the same migration twice.
type demonstration struct {
	*trial
	w         io.Writer
	rows      int
	migration []ddl.Statement
	judged    *judgedTrail
}

// demoRun is one of the two runs.
type demoRun struct {
	took          time.Duration
	reads, writes tally
	schema        []string
}

// runDemo tells the story, and fails unless the migration through the proxy was finished.
func runDemo(ctx context.Context, major, rows int, out outputs) (err error) {
	d := demonstration{w: out.stdout, rows: rows, judged: &judgedTrail{}}
	if d.migration, err = ddl.Parse(demoMigration); err != nil {
		return err
	}
	if err := d.say("Starting a throwaway Postgres", func() (err error) {
		d.trial, err = startTrial(ctx, major, out.stderr, d.judged)
		return err
	}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	if err := d.say(fmt.Sprintf("Filling two identical tables with %s orders each", thousands(rows)), func() error { return d.fill(ctx) }); err != nil {
		return err
	}
	var direct, proxied demoRun
	if err := d.say("Running the migration directly", func() (err error) {
		direct, err = d.migrate(ctx, directDatabase, d.box.DSN(d.box.Superuser(), directDatabase))
		return err
	}); err != nil {
		return err
	}
	if err := d.say("Running the same migration through pgsluice", func() (err error) {
		proxied, err = d.migrate(ctx, proxiedDatabase, d.dsn(proxiedDatabase))
		return err
	}); err != nil {
		return err
	}
	ran, err := d.ran(ctx)
	if err != nil {
		return err
	}
	d.printRan(ran)
	d.printFigures(direct, proxied)
	return d.verify(direct, proxied)
}

// say names what is done and how long it took.
func (d *demonstration) say(what string, do func() error) error {
	fmt.Fprintf(d.w, "%s ... ", what)
	began := time.Now()
	if err := do(); err != nil {
		fmt.Fprintln(d.w)
		return err
	}
	fmt.Fprintln(d.w, seconds(time.Since(began)))
	return nil
}

// fill makes both databases, the ledger in one of them.
func (d *demonstration) fill(ctx context.Context) error {
	if err := d.makeDatabase(ctx, directDatabase, ""); err != nil {
		return err
	}
	if err := d.seed(ctx); err != nil {
		return err
	}
	if err := d.makeDatabase(ctx, proxiedDatabase, directDatabase); err != nil {
		return err
	}
	if err := d.install(ctx, proxiedDatabase); err != nil {
		return err
	}
	// So that neither run pays for writing down what was filled in.
	conn, err := d.connect(ctx, "postgres")
	if err != nil {
		return err
	}
	defer closeSoon(conn)
	_, err = conn.Exec(ctx, "CHECKPOINT")
	return err
}

func (d *demonstration) seed(ctx context.Context) error {
	conn, err := d.connect(ctx, directDatabase)
	if err != nil {
		return err
	}
	defer closeSoon(conn)
	if _, err := conn.Exec(ctx, "SELECT set_config('pgsluice.demo_rows', $1, false)", strconv.Itoa(d.rows)); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, demoSeed)
	return err
}

// migrate runs the migration on a connection of its own while readers and writers work on the same database.
func (d *demonstration) migrate(ctx context.Context, database, dsn string) (r demoRun, err error) {
	load, err := startLoad(ctx, d.rows, func(ctx context.Context) (*pgx.Conn, error) { return d.connect(ctx, database) })
	if err != nil {
		return r, err
	}
	load.measure()
	began := time.Now()
	failed := d.apply(ctx, dsn)
	r.took = time.Since(began)
	if r.reads, r.writes, err = load.stop(); err != nil || failed != nil {
		return r, errors.Join(failed, err)
	}
	r.schema, err = d.schema(ctx, database)
	return r, err
}

// apply sends the migration, one statement after the other, as a tool does.
func (d *demonstration) apply(ctx context.Context, dsn string) error {
	conn, err := pgconn.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, stmt := range d.migration {
		if _, err := conn.Exec(ctx, stmt.Text).ReadAll(); err != nil {
			return fmt.Errorf("%s: %w", oneLine(stmt.Text), err)
		}
	}
	return nil
}

// schema lists what a migration has left behind.
func (d *demonstration) schema(ctx context.Context, database string) ([]string, error) {
	conn, err := d.connect(ctx, database)
	if err != nil {
		return nil, err
	}
	defer closeSoon(conn)
	rows, err := conn.Query(ctx, demoSchema)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// judgedTrail keeps the audit trail: each Write is one line of it.
type judgedTrail struct {
	mu      sync.Mutex
	entries []revisions.Entry
}

func (t *judgedTrail) Write(line []byte) (int, error) {
	var e revisions.Entry
	if err := json.Unmarshal(line, &e); err != nil {
		return 0, fmt.Errorf("cannot read a line of the audit trail: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.entries = append(t.entries, e)
	return len(line), nil
}

// demoStep is a statement that ran in place of another, or because of it.
type demoStep struct{ when, sql string }

// ran tells, from the audit trail and the ledger, what ran for each statement of the migration.
func (d *demonstration) ran(ctx context.Context) (map[string][]demoStep, error) {
	conn, err := connect(ctx, d.box.DSN(d.box.Superuser(), proxiedDatabase))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ledger, err := revisions.Open(ctx, conn)
	if err != nil {
		return nil, err
	}
	d.judged.mu.Lock()
	defer d.judged.mu.Unlock()
	ran := map[string][]demoStep{}
	for _, e := range d.judged.entries {
		if _, told := ran[e.Asked]; told || e.Kind != revisions.Result {
			continue
		}
		var steps []demoStep
		for _, sql := range e.Ran {
			steps = append(steps, demoStep{"at once", sql})
		}
		if e.Promise != 0 {
			row, err := ledger.Show(ctx, e.Promise)
			if err != nil {
				return nil, err
			}
			if row == nil {
				return nil, fmt.Errorf("the ledger lacks promise %d of the audit trail", e.Promise)
			}
			var promised []rewrite.Step
			if err := json.Unmarshal(row.Steps, &promised); err != nil {
				return nil, fmt.Errorf("cannot read the steps of promise %d: %w", row.ID, err)
			}
			for _, step := range promised {
				steps = append(steps, demoStep{"after COMMIT", strings.Join(step.Statements(), "; ")})
			}
		}
		ran[e.Asked] = steps
	}
	return ran, nil
}

// demoWidth is how wide the output of the demo is at most.
const demoWidth = 100

func (d *demonstration) printRan(ran map[string][]demoStep) {
	fmt.Fprintf(d.w, "\nThe migration, one transaction, and what ran for it through pgsluice:\n\n")
	for _, stmt := range d.migration {
		printIndented(d.w, "  ", stmt.Text)
		for _, step := range ran[stmt.Text] {
			sql := oneLine(step.sql)
			if step.sql == stmt.Text {
				sql = "as it is, its lock taken in short tries"
			}
			printIndented(d.w, fmt.Sprintf("    %-14s", step.when), sql)
		}
	}
}

// printIndented prints text behind a first column, as wide on every further line.
func printIndented(w io.Writer, first, text string) {
	for _, line := range lint.Broken(text, demoWidth-len(first)) {
		fmt.Fprintf(w, "%s%s\n", first, line)
		first = strings.Repeat(" ", len(first))
	}
}

func (d *demonstration) printFigures(direct, proxied demoRun) {
	fmt.Fprintf(d.w, "\n%d readers and %d writers were at work on the same table all the time:\n\n", demoReaders, demoWriters)
	line := func(what string, direct, proxied any) { fmt.Fprintf(d.w, "  %-26s %12v %18v\n", what, direct, proxied) }
	line("", "directly", "through pgsluice")
	line("longest wait of a reader", seconds(direct.reads.longest), seconds(proxied.reads.longest))
	line("longest wait of a writer", seconds(direct.writes.longest), seconds(proxied.writes.longest))
	line("reads meanwhile", thousands(direct.reads.done), thousands(proxied.reads.done))
	line("writes meanwhile", thousands(direct.writes.done), thousands(proxied.writes.done))
	line("the migration took", seconds(direct.took), seconds(proxied.took))
}

// verify compares what the two runs have left behind.
func (d *demonstration) verify(direct, proxied demoRun) error {
	for _, line := range proxied.schema {
		if !strings.HasSuffix(line, " [valid]") {
			return fmt.Errorf("the migration through pgsluice was not finished: %s", line)
		}
	}
	if !slices.Equal(direct.schema, proxied.schema) {
		return fmt.Errorf("the two runs left different schemas:\n%s\nand through pgsluice:\n%s",
			strings.Join(direct.schema, "\n"), strings.Join(proxied.schema, "\n"))
	}
	_, err := fmt.Fprintf(d.w, "\nBoth ended with the same schema: every index is valid, every constraint validated.\n")
	return err
}

// seconds is a duration for people.
func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// thousands is a number with a comma between every three digits.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}
