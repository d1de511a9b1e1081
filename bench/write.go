package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/pgsluice/pgsluice/internal/pgbox"
)

// writeOptions are the flags of the bulk command.
type writeOptions struct{ rows int }

func newWriteCommand() *cobra.Command {
	var options writeOptions
	cmd := &cobra.Command{
		Use:   "bulk",
		Short: "measure one large UPDATE: as it is, in batches of pgsluice's, and by the loop that people write",
		Long: `Change every row of a table while four sessions write to it and a standby replays: as one
UPDATE, as the same UPDATE through pgsluice (without throttling, and as it is configured by
default), and with the loop that people write by hand: 10000 rows at a time FOR UPDATE SKIP
LOCKED, and a rest of 0.1 s. Each begins with a fresh table.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bulkWrite(cmd.Context(), options, cmd.OutOrStdout(), progress{cmd.ErrOrStderr()})
		},
	}
	cmd.Flags().IntVar(&options.rows, "rows", 5_000_000, "size of the table")
	return cmd
}

// The names of the ways, as they are printed.
const (
	writePlain     = "one UPDATE, direct"
	writeFree      = "through pgsluice, not throttled"
	writeThrottled = "through pgsluice"
	writeByHand    = "SKIP LOCKED loop, direct"
)

// targetTime is batch.target_time as pgsluice has it by default; replicaLimit is batch.throttle.replica_lag_bytes.
const (
	targetTime   = 300 * time.Millisecond
	replicaLimit = 128 << 20
)

const archive = "UPDATE items SET state = 'archived' WHERE state = 'open'"

// written is what one way did.
type written struct {
	took            time.Duration
	changed, missed int64
	writers         waits
	lagBytes        float64
	lag             time.Duration
	dead            int64
	before, after   int64   // size of the table with its index
	memory          float64 // MB that the proxy took more
	foreign         float64
}

// bulkWrite changes the table in each way and prints what that did to the others.
func bulkWrite(ctx context.Context, options writeOptions, out io.Writer, log progress) (err error) {
	lab, err := openLab(ctx, 100, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.close()) }()
	log.say("making a standby")
	standby, err := pgbox.StartStandby(ctx, lab.box, map[string]string{"shared_buffers": "256MB"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(standby.Stop(context.WithoutCancel(ctx)), err) }()
	direct := route{name: nameDirect, port: lab.box.Port()}
	var proxies []*route
	for _, more := range [][]string{{
		"PGSLUICE_BATCH_THROTTLE_REPLICA_LAG=0", "PGSLUICE_BATCH_THROTTLE_REPLICA_LAG_BYTES=0", "PGSLUICE_BATCH_THROTTLE_SLOT_RETENTION=0",
		"PGSLUICE_BATCH_THROTTLE_LOCK_WAITERS=0", "PGSLUICE_BATCH_THROTTLE_ARCHIVE_BACKLOG=0", "PGSLUICE_BATCH_THROTTLE_AUTOVACUUM=false",
	}, nil} {
		r, err := program{name: namePgsluice, start: lab.serve(lab.pgsluice, "enforce", more...), lab: lab}.open(ctx)
		if err != nil {
			return err
		}
		defer r.close()
		proxies = append(proxies, r)
	}
	if err := describe(ctx, out, lab, nil); err != nil {
		return err
	}

	admin, err := pgx.Connect(ctx, direct.dsn("disable"))
	if err != nil {
		return err
	}
	defer admin.Close(context.WithoutCancel(ctx))
	b := &bulkBench{shop: shop{direct: &direct, rows: options.rows, admin: admin}, log: log}
	seen := map[string]written{}
	for _, way := range []struct {
		name  string
		route *route
		write func(ctx context.Context, r *route) (int64, error)
	}{
		{writePlain, &direct, atOneGo}, {writeFree, proxies[0], atOneGo}, {writeThrottled, proxies[1], atOneGo}, {writeByHand, &direct, inLoop},
	} {
		w, err := b.measure(ctx, way.route, way.write)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		log.say("%s: took %s, writers waited at most %s, the standby was %.0f MB behind (%.2f foreign cores)", way.name, seconds(w.took),
			milliseconds(w.writers.longest()), w.lagBytes/1e6, w.foreign)
		seen[way.name] = w
	}
	printWritten(out, seen)
	return judge(out, writeGoals(seen))
}

// bulkBench is the table, those who write to it, and the standby.
type bulkBench struct {
	shop
	log progress
}

// fill makes the table anew.
func (b *bulkBench) fill(ctx context.Context) error {
	b.log.say("filling a table of %d rows", b.rows)
	for _, sql := range []string{
		"DROP TABLE IF EXISTS items",
		`CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL, amount numeric NOT NULL, seen int NOT NULL DEFAULT 0,
			note text NOT NULL)`,
		fmt.Sprintf("INSERT INTO items (state, amount, note) SELECT 'open', i %% 1000, repeat('x', 40) FROM generate_series(1, %d) AS i", b.rows),
		"VACUUM (ANALYZE) items",
		"CHECKPOINT",
	} {
		if _, err := b.admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	for {
		var behind bool
		err := b.admin.QueryRow(ctx, "SELECT count(*) = 0 OR bool_or(replay_lsn < pg_current_wal_lsn()) FROM pg_stat_replication").Scan(&behind)
		if err != nil || !behind {
			return err
		}
		if err := idleFor(50 * time.Millisecond)(ctx); err != nil {
			return err
		}
	}
}

// writers are the sessions that write to the table meanwhile; $1 is a random row.
func writers() []*customer {
	return []*customer{
		{sql: "UPDATE items SET seen = seen + 1 WHERE id = $1 AND $2::bigint > 0", writes: true},
		{sql: "UPDATE items SET seen = seen + 1 WHERE id = $1 AND $2::bigint > 0", writes: true},
		{sql: "UPDATE items SET amount = amount + 1 WHERE id = $1 AND $2::bigint > 0", writes: true},
		{sql: "INSERT INTO items (state, amount, note) VALUES ('new', $1::bigint % 1000, $2::bigint::text)", writes: true},
	}
}

// measure changes the table in one way while others write to it.
func (b *bulkBench) measure(ctx context.Context, r *route, write func(ctx context.Context, r *route) (int64, error)) (w written, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	if err := b.fill(ctx); err != nil {
		return w, err
	}
	if err := b.admin.QueryRow(ctx, "SELECT pg_total_relation_size('items')").Scan(&w.before); err != nil {
		return w, err
	}
	others, err := startForeign()
	if err != nil {
		return w, err
	}
	var began, ended time.Time
	over := make(chan struct{})
	group, watching := errgroup.WithContext(ctx)
	group.Go(func() error { return b.observe(watching, r, &w, over) })
	all, err := b.serve(ctx, writers(), func() (err error) {
		began = time.Now()
		w.changed, err = write(ctx, r)
		ended = time.Now()
		return err
	})
	close(over)
	if err := errors.Join(err, group.Wait()); err != nil {
		return w, err
	}
	w.took = ended.Sub(began)
	if w.foreign, err = others.cores(); err != nil {
		return w, err
	}
	for _, c := range all {
		w.writers = append(w.writers, c.during(began, ended)...)
	}
	// The statistics of a session arrive a second later.
	if err := idleFor(2 * time.Second)(ctx); err != nil {
		return w, err
	}
	err = b.admin.QueryRow(ctx, `SELECT (SELECT count(*) FROM items WHERE state = 'open'), pg_total_relation_size('items'),
		(SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'items')`).Scan(&w.missed, &w.after, &w.dead)
	return w, err
}

// observe looks at the standby and at the proxy until it is over.
func (b *bulkBench) observe(ctx context.Context, r *route, w *written, over <-chan struct{}) error {
	conn, err := pgx.Connect(ctx, b.direct.dsn("disable"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var first int64
	for {
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		var bytes, lag float64
		if err := conn.QueryRow(ctx, `SELECT COALESCE(max(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)), 0)::float8,
			COALESCE(max(extract(epoch FROM replay_lag)), 0)::float8 FROM pg_stat_replication`).Scan(&bytes, &lag); err != nil {
			return err
		}
		w.lagBytes, w.lag = max(w.lagBytes, bytes), max(w.lag, time.Duration(lag*float64(time.Second)))
		if r.process == nil {
			continue
		}
		memory, err := r.process.memory()
		if err != nil {
			return err
		}
		if first == 0 {
			first = memory
		}
		w.memory = max(w.memory, float64(memory-first)/1e6)
	}
}

// atOneGo sends the statement as a migration would.
func atOneGo(ctx context.Context, r *route) (int64, error) {
	conn, err := pgconn.Connect(ctx, r.dsn("disable"))
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	results, err := conn.Exec(ctx, archive).ReadAll()
	if err != nil {
		return 0, err
	}
	return results[0].CommandTag.RowsAffected(), nil
}

// inLoop is what people write instead.
func inLoop(ctx context.Context, r *route) (int64, error) {
	conn, err := pgconn.Connect(ctx, r.dsn("disable"))
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for all := int64(0); ; {
		results, err := conn.Exec(ctx, `WITH batch AS (SELECT id FROM items WHERE state = 'open' LIMIT 10000 FOR UPDATE SKIP LOCKED)
			UPDATE items SET state = 'archived' FROM batch WHERE items.id = batch.id`).ReadAll()
		if err != nil {
			return all, err
		}
		n := results[0].CommandTag.RowsAffected()
		if all += n; n == 0 {
			return all, nil
		}
		if err := idleFor(100 * time.Millisecond)(ctx); err != nil {
			return all, err
		}
	}
}

func printWritten(out io.Writer, seen map[string]written) {
	t := table{{"", "total time", "rows/s", "longest wait of a writer", "p99", "standby behind", "", "dead rows", "growth", "rows missed", "proxy's memory", "foreign cores"}}
	for _, name := range []string{writePlain, writeFree, writeThrottled, writeByHand} {
		w := seen[name]
		memory := "-"
		if name == writeFree || name == writeThrottled {
			memory = fmt.Sprintf("+%.1f MB", w.memory)
		}
		t = append(t, []string{
			name, seconds(w.took), fmt.Sprintf("%.0f", float64(w.changed)/w.took.Seconds()), milliseconds(w.writers.longest()), milliseconds(w.writers.percentile(99)),
			fmt.Sprintf("%.0f MB", w.lagBytes/1e6), seconds(w.lag), fmt.Sprint(w.dead), fmt.Sprintf("%.0f%%", 100*float64(w.after-w.before)/float64(w.before)),
			fmt.Sprint(w.missed), memory, fmt.Sprintf("%.2f", w.foreign),
		})
	}
	t.print(out)
	fmt.Fprintln(out)
}

// writeGoals are the goals of the bulk command.
func writeGoals(seen map[string]written) []goal {
	rate := func(name string) float64 { return float64(seen[name].changed) / seen[name].took.Seconds() }
	wait := func(name string) float64 {
		return float64(seen[name].writers.longest()) / float64(time.Millisecond)
	}
	most := 2 * float64(targetTime) / float64(time.Millisecond)
	return []goal{
		{text: "rows/s, not throttled, to one UPDATE", least: 0.7, known: true, figure: rate(writeFree) / rate(writePlain)},
		{text: "ms, longest wait of a writer, not throttled", most: most, known: true, figure: wait(writeFree)},
		{text: "ms, longest wait of a writer", most: most, known: true, figure: wait(writeThrottled)},
		{text: "MB that the standby was behind", most: replicaLimit / 1e6 * 1.25, known: true, figure: seen[writeThrottled].lagBytes / 1e6},
		{text: "MB more of the proxy's memory", most: 16, known: true, figure: max(seen[writeFree].memory, seen[writeThrottled].memory)},
	}
}
