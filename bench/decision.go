package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"
)

// decisionOptions are the flags of the decision command.
type decisionOptions struct{ tables, rounds int }

func newDecisionCommand() *cobra.Command {
	var options decisionOptions
	cmd := &cobra.Command{
		Use:   "decision",
		Short: "measure what judging a schema change takes in a database with many tables",
		Long: `Send ordinary schema changes of several kinds straight to the server and through a pgsluice
that observes, in turn: what it adds is the decision (the question for facts and the verdict, which
the trail tells the time of), the parser, the trail itself, and the way. There is no ledger: what
that takes, bench ledger measures. And send a query that no rule cares about through one that
enforces and one whose rules are off.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return decision(cmd.Context(), options, cmd.OutOrStdout(), progress{cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().IntVar(&options.tables, "tables", 10_000, "tables in the database")
	cmd.Flags().IntVar(&options.rounds, "rounds", 50, "statements of each kind, each way")
	return cmd
}

// change is a kind of schema change, as a format for the number of a table that no other statement of the kind has had.
type change struct {
	name, format string
	extended     bool
}

// changes are in an order in which each can follow on those before it, on the same table.
var changes = []change{
	{name: "CREATE TABLE", format: "CREATE TABLE n%[1]d (id bigint PRIMARY KEY, a int NOT NULL, t bigint REFERENCES t%[1]d)"},
	{name: "ADD COLUMN", format: "ALTER TABLE t%d ADD COLUMN e int"},
	{name: "ADD COLUMN DEFAULT, extended protocol", format: "ALTER TABLE t%d ADD COLUMN f timestamptz DEFAULT now()", extended: true},
	{name: "CREATE INDEX", format: "CREATE INDEX t%[1]d_b ON t%[1]d (b)"},
	{name: "ADD FOREIGN KEY", format: "ALTER TABLE t%[1]d ADD CONSTRAINT t%[1]d_g FOREIGN KEY (parent) REFERENCES n%[1]d (id)"},
	{name: "ADD CHECK", format: "ALTER TABLE t%[1]d ADD CONSTRAINT t%[1]d_d CHECK (d > 0)"},
	{name: "SET NOT NULL", format: "ALTER TABLE t%d ALTER COLUMN b SET NOT NULL"},
	{name: "ALTER TYPE", format: "ALTER TABLE t%d ALTER COLUMN b TYPE varchar(80)"},
	{name: "RENAME COLUMN", format: "ALTER TABLE t%d RENAME COLUMN e TO g"},
	{name: "DROP COLUMN", format: "ALTER TABLE t%d DROP COLUMN f"},
	{name: "DROP INDEX", format: "DROP INDEX t%d_b"},
	{name: "DROP CONSTRAINT", format: "ALTER TABLE t%[1]d DROP CONSTRAINT t%[1]d_g"},
	{name: "DROP TABLE", format: "DROP TABLE n%d"},
}

// The other rows of the table that is printed.
var (
	firstOfSession = change{name: "CREATE INDEX, first of a session", format: "CREATE INDEX ON t%d (c)"}
	harmless       = change{name: "SELECT by key, beside rules off", format: "SELECT a, b FROM t%d WHERE id = 1"}
)

// took is how long statements took, straight to the server and through pgsluice; and of the latter, as the trail tells it, their decisions.
type took struct{ direct, proxied, decided []float64 }

// decision sends every kind of statement each way, and prints what they took.
func decision(ctx context.Context, options decisionOptions, out io.Writer, log progress) (err error) {
	lab, err := openLab(ctx, 100, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	routes := map[string]*route{nameDirect: {name: nameDirect, port: lab.box.Port()}}
	trails := map[string]string{}
	for _, mode := range []string{"observe", "enforce", "pass"} {
		trails[mode] = filepath.Join(lab.dir, mode+".jsonl")
		start := lab.serve(lab.pgsluice, mode, "PGSLUICE_AUDIT_FILE="+trails[mode])
		if routes[mode], err = (program{name: mode, start: start, lab: lab}).open(ctx); err != nil {
			return err
		}
		defer routes[mode].close()
	}
	if err := describe(ctx, out, lab, nil); err != nil {
		return err
	}
	if err := makePlain(ctx, routes[nameDirect]); err != nil {
		return err
	}
	if err := makeTables(ctx, routes[nameDirect], options.tables, log); err != nil {
		return err
	}

	log.say("changing them")
	others, err := startForeign()
	if err != nil {
		return err
	}
	seen, sent, err := changeTables(ctx, routes[nameDirect], routes["observe"], options)
	if err == nil {
		err = readDecisions(trails["observe"], sent)
	}
	if err != nil {
		return err
	}
	query, err := askBoth(ctx, routes["pass"], routes["enforce"], 20*options.rounds)
	if err != nil {
		return err
	}
	foreign, err := others.cores()
	if err != nil {
		return err
	}
	printDecisions(out, seen, query, options.tables, foreign)
	return judge(out, decisionGoals(seen, query))
}

// makePlain makes the database without a ledger.
func makePlain(ctx context.Context, r *route) error {
	conn, err := r.connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := conn.Exec(ctx, "CREATE DATABASE "+withoutLedger).Close(); err != nil {
		return fmt.Errorf("cannot make a database: %w", err)
	}
	return nil
}

// makeTables makes so many tables, with an index and a CHECK, and every fifth with a foreign key.
func makeTables(ctx context.Context, r *route, tables int, log progress) error {
	conn, err := r.connect(ctx, withoutLedger)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	log.say("making %d tables", tables)
	// One transaction would need a lock for each.
	for from := 1; from <= tables; from += 500 {
		err := conn.Exec(ctx, fmt.Sprintf(`DO $$ BEGIN FOR i IN %d..%d LOOP
			EXECUTE format('CREATE TABLE t%%s (id bigint PRIMARY KEY, a int NOT NULL, b varchar(40), c timestamptz DEFAULT now(),
				d int CHECK (d > 0), parent bigint)', i);
			EXECUTE format('CREATE INDEX ON t%%s (a)', i);
			IF i %% 5 = 0 THEN EXECUTE format('ALTER TABLE t%%s ADD FOREIGN KEY (parent) REFERENCES t%%s', i, i - 1); END IF;
		END LOOP; END $$`, from, min(from+499, tables))).Close()
		if err != nil {
			return fmt.Errorf("cannot make tables: %w", err)
		}
	}
	for _, sql := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if err := conn.Exec(ctx, sql).Close(); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// pair is a session straight to the server and one through pgsluice.
type pair struct{ direct, proxied *pgconn.PgConn }

func openPair(ctx context.Context, straight, through *route) (p pair, err error) {
	if p.direct, err = straight.connect(ctx, withoutLedger); err != nil {
		return p, err
	}
	if p.proxied, err = through.connect(ctx, withoutLedger); err != nil {
		p.close(ctx)
	}
	return p, err
}

func (p pair) close(ctx context.Context) {
	for _, conn := range []*pgconn.PgConn{p.direct, p.proxied} {
		if conn != nil {
			_ = conn.Close(context.WithoutCancel(ctx))
		}
	}
}

// both sends a statement each way, the same about another table where they differ, and notes what it took.
func (p pair) both(ctx context.Context, c change, direct, proxied int, t *took) error {
	if err := timed(&t.direct, func() error { return c.send(ctx, p.direct, direct) }); err != nil {
		return err
	}
	return timed(&t.proxied, func() error { return c.send(ctx, p.proxied, proxied) })
}

// changeTables makes every change to tables in turn in one pair of sessions, and some as the first of a session. It returns what each kind of change took, and
// for each statement that was sent through pgsluice, in order, of which kind it was.
func changeTables(ctx context.Context, straight, through *route, options decisionOptions) (seen map[string]*took, sent []*took, err error) {
	seen = map[string]*took{firstOfSession.name: {}}
	for _, c := range changes {
		seen[c.name] = &took{}
	}
	lasting, err := openPair(ctx, straight, through)
	if err != nil {
		return nil, nil, err
	}
	defer lasting.close(ctx)
	table := 1
	for number := range min(options.rounds+1, options.tables/4) {
		for _, c := range changes {
			t := seen[c.name]
			if number == 0 {
				t = &took{} // each is the first of its kind, which does not count
			}
			if err := lasting.both(ctx, c, table, table+1, t); err != nil {
				return nil, nil, err
			}
			sent = append(sent, t)
		}
		if number%5 == 0 {
			fresh, err := openPair(ctx, straight, through)
			if err == nil {
				err = fresh.both(ctx, firstOfSession, table, table+1, seen[firstOfSession.name])
			}
			fresh.close(ctx)
			if err != nil {
				return nil, nil, err
			}
			sent = append(sent, seen[firstOfSession.name])
		}
		table += 2
	}
	return seen, sent, nil
}

// readDecisions adds what the trail says that the decisions about the statements took.
func readDecisions(path string, sent []*took) error {
	trail, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the trail: %w", err)
	}
	decided := 0
	for line := range bytes.Lines(trail) {
		var entry struct {
			Kind    string        `json:"kind"`
			Decided time.Duration `json:"decided_ns"`
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			return fmt.Errorf("cannot read the trail: %w", err)
		}
		if entry.Kind != "intent" && entry.Kind != "decision" {
			continue
		}
		if decided == len(sent) {
			return errors.New("the trail has more decisions than statements were sent")
		}
		sent[decided].decided = append(sent[decided].decided, entry.Decided.Seconds()*1000)
		decided++
	}
	if decided != len(sent) {
		return fmt.Errorf("the trail has %d decisions about %d statements", decided, len(sent))
	}
	return nil
}

// send makes the change to a table.
func (c change) send(ctx context.Context, conn *pgconn.PgConn, table int) error {
	sql := fmt.Sprintf(c.format, table)
	var err error
	if c.extended {
		_, err = conn.ExecParams(ctx, sql, nil, nil, nil, nil).Close()
	} else {
		err = conn.Exec(ctx, sql).Close()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// timed adds the milliseconds that something took.
func timed(to *[]float64, do func() error) error {
	began := time.Now()
	err := do()
	*to = append(*to, time.Since(began).Seconds()*1000)
	return err
}

// askBoth sends a query in turn through a pgsluice without rules, which counts as direct, and one with them.
func askBoth(ctx context.Context, without, with *route, times int) (took, error) {
	var t took
	p, err := openPair(ctx, without, with)
	if err != nil {
		return t, err
	}
	defer p.close(ctx)
	for range times {
		if err := p.both(ctx, harmless, 1, 1, &t); err != nil {
			return t, err
		}
	}
	return t, nil
}

// added is by how much the median rose.
func (t took) added() float64 { return median(t.proxied) - median(t.direct) }

// all is what all statements took that were not the first of their session.
func all(seen map[string]*took, of func(t took) []float64) []float64 {
	var list []float64
	for _, c := range changes {
		list = append(list, of(*seen[c.name])...)
	}
	return list
}

// addedToEach is what pgsluice added to each statement, against the median of its kind.
func addedToEach(t took) []float64 {
	direct := median(t.direct)
	var list []float64
	for _, ms := range t.proxied {
		list = append(list, ms-direct)
	}
	return list
}

func printDecisions(out io.Writer, seen map[string]*took, query took, tables int, foreign float64) {
	t := table{{"median in ms", "direct", "through pgsluice", "added", "of which the decision"}}
	row := func(name string, of took) {
		decided := "-"
		if len(of.decided) > 0 {
			decided = fmt.Sprintf("%.2f", median(of.decided))
		}
		t = append(t, []string{name, fmt.Sprintf("%.2f", median(of.direct)), fmt.Sprintf("%.2f", median(of.proxied)), fmt.Sprintf("%.2f", of.added()), decided})
	}
	for _, c := range changes {
		row(c.name, *seen[c.name])
	}
	row(firstOfSession.name, *seen[firstOfSession.name])
	row(harmless.name, query)
	t.print(out)
	fmt.Fprintf(out, "\n%d tables, %d statements of a kind, %.2f ms added in the median, %.2f foreign cores\n\n", tables, len(seen[changes[0].name].direct),
		median(all(seen, addedToEach)), foreign)
}

// decisionGoals are the goals of the decision command.
func decisionGoals(seen map[string]*took, query took) []goal {
	return []goal{
		{text: "ms, a decision about a schema change, median", most: 2, known: true, figure: median(all(seen, func(t took) []float64 { return t.decided }))},
		{text: harmless.name, most: 1.05, known: true, figure: median(query.proxied) / median(query.direct)},
	}
}
