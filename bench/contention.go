package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// contentionOptions are the flags of the contention command.
type contentionOptions struct{ rows, rounds, sessions int }

func newContentionCommand() *cobra.Command {
	var options contentionOptions
	cmd := &cobra.Command{
		Use:   "contention",
		Short: "measure how long a strong lock takes, and whom it holds up, on a table that is never free",
		Long: `Change a table that is in use all the time: four readers and four writers, sessions that each
keep a transaction on it open for 0.2 to 3 s again and again, and autovacuum. Each statement needs
a lock that shuts out writers or everybody. Straight to the server, and through pgsluice.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return contention(cmd.Context(), options, cmd.OutOrStdout(), progress{cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().IntVar(&options.rows, "rows", 300_000, "size of the table")
	cmd.Flags().IntVar(&options.rounds, "rounds", 3, "do everything so often; the median of the longest waits counts")
	cmd.Flags().IntVar(&options.sessions, "sessions", 2, "sessions that keep transactions open")
	return cmd
}

// strong are statements that take a lock others wait for, each with the one that takes it back.
func strong() [][2]string {
	return [][2]string{
		{"ALTER TABLE orders ADD COLUMN note text", "ALTER TABLE orders DROP COLUMN note"},
		{"ALTER TABLE orders ALTER COLUMN status SET DEFAULT 'new'", "ALTER TABLE orders ALTER COLUMN status DROP DEFAULT"},
		{"ALTER TABLE orders ADD CONSTRAINT orders_paid CHECK (amount >= 0) NOT VALID", "ALTER TABLE orders DROP CONSTRAINT orders_paid"},
		{"CREATE TRIGGER orders_same BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
			"DROP TRIGGER orders_same ON orders"},
	}
}

// lockBudget is what a statement through pgsluice has for its lock by default.
const lockBudget = 10 * time.Minute

// contended is one statement on the busy table.
type contended struct {
	took             time.Duration
	readers, writers time.Duration // the longest waits
	foreign          float64
}

// contention runs each statement each way, several times, and prints how long it took and who waited how long.
func contention(ctx context.Context, options contentionOptions, out io.Writer, log progress) (err error) {
	lab, err := openLab(ctx, 100, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	direct := &route{name: nameDirect, port: lab.box.Port()}
	proxied, err := program{name: namePgsluice, start: lab.serve(lab.pgsluice, "enforce"), lab: lab}.open(ctx)
	if err != nil {
		return err
	}
	defer proxied.close()
	if err := describe(ctx, out, lab, nil); err != nil {
		return err
	}
	shop, err := openShop(ctx, direct, options.rows, log)
	if err != nil {
		return err
	}
	defer shop.close()
	// A worker that is slow and begins again at once is nearly always there.
	for _, sql := range []string{
		`ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1, autovacuum_vacuum_cost_delay = 20,
			autovacuum_vacuum_cost_limit = 50, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 1)`,
		"ALTER SYSTEM SET autovacuum_naptime = '1s'", "SELECT pg_reload_conf()",
	} {
		if _, err := shop.admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}

	seen := map[string][]contended{}
	for round := range options.rounds {
		for _, statement := range strong() {
			for _, r := range []*route{direct, proxied} {
				c, err := shop.contend(ctx, r, statement, options.sessions)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", statement[0], r.name, err)
				}
				log.say("round %d, %s, %s: took %s, writers waited at most %s, readers %s (%.2f foreign cores)", round+1, statement[0], r.name,
					seconds(c.took), milliseconds(c.writers), milliseconds(c.readers), c.foreign)
				seen[statement[0]+r.name] = append(seen[statement[0]+r.name], c)
			}
		}
	}
	printContention(out, seen)
	return judge(out, contentionGoals(seen))
}

// contend runs one statement while the table is busy, and takes it back afterwards.
func (s *shop) contend(ctx context.Context, r *route, statement [2]string, sessions int) (contended, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*lockBudget)
	defer cancel()
	others, err := startForeign()
	if err != nil {
		return contended{}, err
	}
	conn, err := pgconn.Connect(ctx, r.dsn("disable"))
	if err != nil {
		return contended{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var began, ended time.Time
	served, err := s.serve(ctx, customers(), func() error {
		stop := make(chan struct{})
		group, busy := errgroup.WithContext(ctx)
		for range sessions {
			group.Go(func() error { return s.linger(busy, stop) })
		}
		// The sessions are to be in the midst of it, at different places.
		err := idleFor(2 * time.Second)(busy)
		if err == nil {
			began = time.Now()
			err = conn.Exec(busy, statement[0]).Close()
			ended = time.Now()
		}
		close(stop)
		return errors.Join(err, group.Wait())
	})
	if err != nil {
		return contended{}, err
	}
	c := contended{took: ended.Sub(began)}
	if c.foreign, err = others.cores(); err != nil {
		return contended{}, err
	}
	for _, one := range served {
		longest := one.during(began, ended).longest()
		if one.writes {
			c.writers = max(c.writers, longest)
		} else {
			c.readers = max(c.readers, longest)
		}
	}
	_, err = s.admin.Exec(ctx, statement[1])
	return c, err
}

// linger keeps transactions on the table open, one after the other, every other one of which writes, until stop is closed.
func (s *shop) linger(ctx context.Context, stop <-chan struct{}) error {
	conn, err := pgx.Connect(ctx, s.direct.dsn("disable"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for n := 0; ; n++ {
		open := 200*time.Millisecond + time.Duration(rand.Int64N(int64(2800*time.Millisecond)))
		touch := "SELECT amount FROM orders WHERE id = $1"
		if n%2 == 1 {
			touch = "INSERT INTO orders (customer_id, amount, status) VALUES ($1, 1, 'new')"
		}
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, touch, 1+rand.IntN(buyers)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "SELECT pg_sleep($1)", open.Seconds())
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", touch, err)
		}
		select {
		case <-stop:
			return nil
		case <-time.After(time.Duration(rand.Int64N(int64(200 * time.Millisecond)))):
		}
	}
}

// printContention writes one row for each statement: the medians of the time that it took, and of the longest waits.
func printContention(out io.Writer, seen map[string][]contended) {
	t := table{{"", "direct: until done", "longest wait of a writer", "of a reader", "pgsluice: until done", "longest wait of a writer", "of a reader",
		"foreign cores"}}
	for _, statement := range strong() {
		row := []string{statement[0]}
		foreign := 0.0
		for _, name := range []string{nameDirect, namePgsluice} {
			rounds := seen[statement[0]+name]
			row = append(row, seconds(medianOf(rounds, func(c contended) time.Duration { return c.took })),
				milliseconds(medianOf(rounds, func(c contended) time.Duration { return c.writers })),
				milliseconds(medianOf(rounds, func(c contended) time.Duration { return c.readers })))
			for _, c := range rounds {
				foreign = max(foreign, c.foreign)
			}
		}
		t = append(t, append(row, fmt.Sprintf("%.2f", foreign)))
	}
	t.print(out)
	fmt.Fprintln(out)
}

func medianOf(rounds []contended, of func(contended) time.Duration) time.Duration {
	var values []float64
	for _, c := range rounds {
		values = append(values, float64(of(c)))
	}
	return time.Duration(median(values))
}

// contentionGoals are the goals of the contention command.
func contentionGoals(seen map[string][]contended) (goals []goal) {
	var slowest, longest time.Duration
	for _, statement := range strong() {
		rounds := seen[statement[0]+namePgsluice]
		longest = max(longest, medianOf(rounds, func(c contended) time.Duration { return max(c.readers, c.writers) }))
		for _, c := range rounds {
			slowest = max(slowest, c.took)
		}
	}
	return []goal{
		{text: "ms, median of the longest waits through pgsluice, of the worst statement", most: 300, known: true, figure: float64(longest) / float64(time.Millisecond)},
		{text: "s, slowest statement through pgsluice", most: lockBudget.Seconds(), known: true, figure: slowest.Seconds()},
	}
}
