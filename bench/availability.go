package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// availabilityOptions are the flags of the availability command.
type availabilityOptions struct{ rows, rounds int }

func newAvailabilityCommand() *cobra.Command {
	var options availabilityOptions
	cmd := &cobra.Command{
		Use:   "availability",
		Short: "measure how long readers and writers wait while their table is changed",
		Long: `Change a large table (an index, a foreign key and a CHECK constraint in one transaction, as
Alembic sends them) while four readers and four writers use it: straight to the server,
through pgsluice, and by hand with the safe statements that pgsluice spares you.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return availability(cmd.Context(), options, cmd.OutOrStdout(), progress{cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().IntVar(&options.rows, "rows", 3_000_000, "size of the table")
	cmd.Flags().IntVar(&options.rounds, "rounds", 3, "do everything so often; the longest wait of all rounds counts")
	return cmd
}

// way is one way to bring a schema change to a table in use.
type way struct {
	name    string
	migrate func(ctx context.Context) error
	changes bool // it leaves the table changed
}

// The names of the ways, as they are printed.
const (
	wayNone    = "no migration (10 s)"
	wayNaive   = "one transaction, direct"
	wayProxied = "one transaction, through pgsluice"
	wayByHand  = "safe statements by hand, direct"
)

// outcome is what one migration did to the application.
type outcome struct {
	took             time.Duration
	readers, writers waits
	foreign          float64
	worst            string // the longest wait, when it began, what for, and of which statement
}

// availability does the migration in each way, several times, and prints who waited how long.
func availability(ctx context.Context, options availabilityOptions, out io.Writer, log progress) (err error) {
	lab, err := openLab(ctx, 100, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	direct := route{name: nameDirect, port: lab.box.Port()}
	proxied, err := program{name: namePgsluice, start: lab.serve(lab.pgsluice, "enforce"), lab: lab}.open(ctx)
	if err != nil {
		return err
	}
	defer proxied.close()
	if err := describe(ctx, out, lab, nil); err != nil {
		return err
	}

	shop, err := openShop(ctx, &direct, options.rows, log)
	if err != nil {
		return err
	}
	defer shop.close()
	ways := []way{
		{wayNone, idleFor(10 * time.Second), false},
		{wayNaive, func(ctx context.Context) error { return migrateAtOnce(ctx, &direct) }, true},
		{wayProxied, func(ctx context.Context) error { return migrateAtOnce(ctx, proxied) }, true},
		{wayByHand, func(ctx context.Context) error { return migrateByHand(ctx, &direct) }, true},
	}
	seen := map[string][]outcome{}
	for round := range options.rounds {
		for _, w := range ways {
			o, err := shop.watch(ctx, w)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			log.say("round %d, %s: took %s, writers waited at most %s, readers %s (%.2f foreign cores); the longest: %s", round+1, w.name,
				seconds(o.took), milliseconds(o.writers.longest()), milliseconds(o.readers.longest()), o.foreign, o.worst)
			seen[w.name] = append(seen[w.name], o)
		}
	}
	printOutcomes(out, ways, seen)
	return judge(out, availabilityGoals(seen))
}

// watch migrates in one way while the shop is open, checks what is left, and takes it back.
func (s *shop) watch(ctx context.Context, w way) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	// The server leaves what it writes to the kernel, which would write it out some time later, in the middle of a migration, and on a virtual machine take the
	// processors for it.
	syscall.Sync()
	others, err := startForeign()
	if err != nil {
		return outcome{}, err
	}
	looks, err := startLookout(ctx, s.direct)
	if err != nil {
		return outcome{}, err
	}
	var o outcome
	var began, ended time.Time
	customers, err := s.serve(ctx, customers(), func() error {
		began = time.Now()
		err := w.migrate(ctx)
		ended = time.Now()
		return err
	})
	seen, failed := looks.end()
	if err := errors.Join(err, failed); err != nil {
		return outcome{}, err
	}
	if o.foreign, err = others.cores(); err != nil {
		return outcome{}, err
	}
	o.took = ended.Sub(began)
	longest := time.Duration(0)
	for _, c := range customers {
		for _, s := range c.served {
			if wait := s.answered.Sub(s.due); wait > longest && s.answered.After(began) && s.due.Before(ended) {
				longest = wait
				o.worst = fmt.Sprintf("%s after %s, %s: %s", milliseconds(wait), seconds(s.due.Sub(began)), reason(seen, c.pid, s.due, s.answered), c.sql)
			}
		}
		during := c.during(began, ended)
		if c.writes {
			o.writers = append(o.writers, during...)
		} else {
			o.readers = append(o.readers, during...)
		}
	}
	if w.changes {
		err = s.undo(ctx)
	}
	return o, err
}

func idleFor(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// printOutcomes writes one row for each way: its worst waits, and the median of how long it took.
func printOutcomes(out io.Writer, ways []way, seen map[string][]outcome) {
	t := table{{"", "longest wait of a writer", "p99.9", "longest wait of a reader", "p99.9", "total time", "to by hand", "foreign cores"}}
	byHand := medianTime(seen[wayByHand])
	for _, w := range ways {
		var readers, writers waits
		var foreign []float64
		for _, o := range seen[w.name] {
			readers, writers = append(readers, o.readers...), append(writers, o.writers...)
			foreign = append(foreign, o.foreign)
		}
		took := medianTime(seen[w.name])
		row := []string{w.name, milliseconds(writers.longest()), milliseconds(writers.percentile(99.9)),
			milliseconds(readers.longest()), milliseconds(readers.percentile(99.9)), seconds(took), "-", fmt.Sprintf("%.2f", median(foreign))}
		if w.changes {
			row[6] = fmt.Sprintf("%.2f", took.Seconds()/byHand.Seconds())
		}
		t = append(t, row)
	}
	t.print(out)
	fmt.Fprintln(out)
}

func medianTime(outcomes []outcome) time.Duration {
	var values []float64
	for _, o := range outcomes {
		values = append(values, float64(o.took))
	}
	return time.Duration(median(values))
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// availabilityGoals are the goals of the availability command.
func availabilityGoals(seen map[string][]outcome) []goal {
	var longest time.Duration
	for _, o := range seen[wayProxied] {
		longest = max(longest, o.readers.longest(), o.writers.longest())
	}
	return []goal{
		{text: "ms, longest wait of anybody through pgsluice", most: 100, known: true, figure: float64(longest) / float64(time.Millisecond)},
		{text: "total time through pgsluice to by hand", most: 1.25, known: true,
			figure: medianTime(seen[wayProxied]).Seconds() / medianTime(seen[wayByHand]).Seconds()},
	}
}
