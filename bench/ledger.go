package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"
)

func newLedgerCommand() *cobra.Command {
	var rounds int
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "measure what writing schema changes down costs",
		Long: `Send the same schema changes, in turn, through a pgsluice that writes them into a ledger and an
audit trail, and through one in a database without a ledger, whose trail goes into its log: what
the first takes more is what the record costs. Each kind alone and in transactions of five, whose
COMMIT, and the message behind it that tells the ledger how they ended, count too. And send a
query that is nobody's concern.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ledger(cmd.Context(), rounds, cmd.OutOrStdout(), progress{cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().IntVar(&rounds, "rounds", 100, "statements of each kind, each way")
	return cmd
}

// recorded are schema changes, in an order in which each can follow on those before it, as formats for a number that no other round has had.
var recorded = []change{
	{name: "CREATE TABLE", format: "CREATE TABLE l%d (id bigint PRIMARY KEY, a int)"},
	{name: "ADD COLUMN", format: "ALTER TABLE l%d ADD COLUMN b int"},
	{name: "ADD COLUMN, extended protocol", format: "ALTER TABLE l%d ADD COLUMN c int", extended: true},
	{name: "DROP TABLE", format: "DROP TABLE l%d"},
}

// The other rows of the table that is printed.
var (
	inTransaction   = change{name: "in a transaction, each of five"}
	recordedFirst   = change{name: "CREATE TABLE, first of a session", format: "CREATE TABLE f%d (id bigint PRIMARY KEY)"}
	recordedNothing = change{name: "SELECT", format: "SELECT a FROM asked WHERE id = %d"}
)

// withoutLedger is a database that has none.
const withoutLedger = "plain"

// ledger sends schema changes both ways, and prints what the record adds.
func ledger(ctx context.Context, rounds int, out io.Writer, log progress) (err error) {
	lab, err := openLab(ctx, 100, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	trail := "PGSLUICE_AUDIT_FILE=" + filepath.Join(lab.dir, "trail.jsonl")
	with, err := (program{name: "with", start: lab.serve(lab.pgsluice, "enforce", trail), lab: lab}).open(ctx)
	if err != nil {
		return err
	}
	defer with.close()
	without, err := (program{name: "without", start: lab.serve(lab.pgsluice, "enforce"), lab: lab}).open(ctx)
	if err != nil {
		return err
	}
	defer without.close()
	if err := describe(ctx, out, lab, nil); err != nil {
		return err
	}
	if err := makeAsked(ctx, lab); err != nil {
		return err
	}

	log.say("changing tables")
	others, err := startForeign()
	if err != nil {
		return err
	}
	seen, err := record(ctx, without, with, rounds)
	if err != nil {
		return err
	}
	foreign, err := others.cores()
	if err != nil {
		return err
	}
	printRecorded(out, seen, rounds, foreign)
	return judge(out, recordGoals(seen))
}

// makeAsked makes the database without a ledger, and in both a table to ask.
func makeAsked(ctx context.Context, lab *lab) error {
	for _, step := range []struct{ database, sql string }{
		{database, "CREATE DATABASE " + withoutLedger},
		{database, "CREATE TABLE asked (id int PRIMARY KEY, a int)"},
		{withoutLedger, "CREATE TABLE asked (id int PRIMARY KEY, a int)"},
	} {
		conn, err := pgconn.Connect(ctx, lab.box.DSN(login, step.database))
		if err != nil {
			return err
		}
		err = conn.Exec(ctx, step.sql).Close()
		_ = conn.Close(context.WithoutCancel(ctx))
		if err != nil {
			return fmt.Errorf("%s: %w", step.sql, err)
		}
	}
	return nil
}

// openRecorded opens a session without a record, as the direct one of the pair, and one with it.
func openRecorded(ctx context.Context, without, with *route) (p pair, err error) {
	if p.direct, err = without.connect(ctx, withoutLedger); err != nil {
		return p, err
	}
	if p.proxied, err = pgconn.Connect(ctx, with.dsn("disable")); err != nil {
		p.close(ctx)
	}
	return p, err
}

// queries is how many there are in a round: the first of them runs beside what pgsluice still writes of the change before.
const queries = 10

// record makes every change both ways in turn, in one pair of sessions, and some as the first of a session.
func record(ctx context.Context, without, with *route, rounds int) (map[string]*took, error) {
	seen := map[string]*took{}
	for _, c := range append([]change{inTransaction, recordedFirst, recordedNothing}, recorded...) {
		seen[c.name] = &took{}
	}
	lasting, err := openRecorded(ctx, without, with)
	if err != nil {
		return nil, err
	}
	defer lasting.close(ctx)
	for number := range rounds + 1 {
		counts := func(c change) *took {
			if number == 0 {
				return &took{} // each is the first of its kind, which does not count
			}
			return seen[c.name]
		}
		one := func(turn int, c change) error {
			return lasting.inTurn(turn, counts(c), func(conn *pgconn.PgConn, to *[]float64) error {
				return timed(to, func() error { return c.send(ctx, conn, number) })
			})
		}
		for _, c := range recorded {
			if err := one(number, c); err != nil {
				return nil, err
			}
		}
		for turn := range queries {
			if err := one(turn, recordedNothing); err != nil {
				return nil, err
			}
		}
		send := func(conn *pgconn.PgConn, to *[]float64) error { return five(ctx, conn, number, to) }
		if err := lasting.inTurn(number, counts(inTransaction), send); err != nil {
			return nil, err
		}
		if number%5 == 0 {
			fresh, err := openRecorded(ctx, without, with)
			if err == nil {
				err = fresh.both(ctx, recordedFirst, number, number, seen[recordedFirst.name])
			}
			fresh.close(ctx)
			if err != nil {
				return nil, err
			}
		}
	}
	return seen, nil
}

// inTurn does the same each way. What a statement leaves behind, on the server or in pgsluice, the next one meets: so each way is the first in every other round.
func (p pair) inTurn(round int, t *took, send func(conn *pgconn.PgConn, to *[]float64) error) error {
	if round%2 == 1 {
		if err := send(p.proxied, &t.proxied); err != nil {
			return err
		}
		return send(p.direct, &t.direct)
	}
	if err := send(p.direct, &t.direct); err != nil {
		return err
	}
	return send(p.proxied, &t.proxied)
}

// five makes five schema changes in a transaction, and notes what each took, its part of BEGIN, COMMIT and one message behind it included.
func five(ctx context.Context, conn *pgconn.PgConn, number int, to *[]float64) error {
	var whole []float64
	statements := []string{"BEGIN", fmt.Sprintf("CREATE TABLE x%d (id bigint PRIMARY KEY)", number)}
	for column := range 3 {
		statements = append(statements, fmt.Sprintf("ALTER TABLE x%d ADD COLUMN c%d int", number, column))
	}
	statements = append(statements, fmt.Sprintf("DROP TABLE x%d", number), "COMMIT", "SELECT 1")
	err := timed(&whole, func() error {
		for _, sql := range statements {
			if err := conn.Exec(ctx, sql).Close(); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
	*to = append(*to, whole[0]/5)
	return err
}

func printRecorded(out io.Writer, seen map[string]*took, rounds int, foreign float64) {
	t := table{{"median in ms", "without a record", "with it", "added"}}
	for _, c := range append(recorded, inTransaction, recordedFirst, recordedNothing) {
		of := seen[c.name]
		t = append(t, []string{c.name, fmt.Sprintf("%.2f", median(of.direct)), fmt.Sprintf("%.2f", median(of.proxied)), fmt.Sprintf("%.2f", of.added())})
	}
	t.print(out)
	fmt.Fprintf(out, "\n%d statements of a kind, %.2f foreign cores\n\n", rounds, foreign)
}

// recordGoals are the goals of the ledger command.
func recordGoals(seen map[string]*took) []goal {
	var goals []goal
	for _, c := range append(recorded, inTransaction) {
		goals = append(goals, goal{text: "ms, what the record adds to " + c.name, most: 3, known: true, figure: seen[c.name].added()})
	}
	nothing := seen[recordedNothing.name]
	return append(goals, goal{text: "SELECT, with a record to without", most: 1.05, known: true, figure: median(nothing.proxied) / median(nothing.direct)})
}
