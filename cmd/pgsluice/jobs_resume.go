package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

func newJobsResumeCommand(flags *ledgerFlags, asJSON *bool) *cobra.Command {
	var steering steeringFlags
	cmd := &cobra.Command{
		Use:   "resume [ID...]",
		Short: "do now what is pending or failed",
		Long: `Do now what is pending or failed: the jobs that are named, or all of them. What somebody
else works on is left to them. Ctrl-C stops at once and leaves no INVALID index behind.

The work runs with the credentials of --dsn. Building an index and validating a
constraint can be done by the control role in the place of the login that asked for it;
what would run that login's own code cannot, and stays pending until it is resumed with
its credentials. Such a login may not read the ledger: give --dsn for it and --config for
the control.dsn.

A bulk write is gone on with only by its ID and by the login that began it. One that is
paused goes on at once where it runs; --target-time and --nice-ratio change how it goes on,
also while it runs.`,
		Example: `  pgsluice jobs resume --config config.yaml
  pgsluice jobs resume 7 --dsn "host=db.internal dbname=app user=app" --config config.yaml`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := jobIDs(cmd, args)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if err := steering.check(cmd, ids); err != nil {
				return err
			}
			return resumeJobs(ctx, cmd, flags, ids, steering, *asJSON)
		},
	}
	steering.register(cmd)
	return cmd
}

func resumeJobs(ctx context.Context, cmd *cobra.Command, flags *ledgerFlags, ids []int64, steering steeringFlags, asJSON bool) error {
	r, err := newResumption(flags, cmd)
	if err != nil {
		return err
	}
	defer r.close()
	conn, err := r.control.Conn(ctx, r.database)
	if err != nil {
		return unreachable(err)
	}
	defer r.control.Release(conn)
	if err := r.sameDatabase(ctx, conn); err != nil {
		return err
	}
	ledger, err := revisions.Open(ctx, conn)
	if errors.Is(err, revisions.ErrKeyUnreadable) && flags.file == "" {
		return &failure{
			err:  fmt.Errorf("%s may not read the ledger: add --config FILE with the control.dsn that may", r.user),
			hint: "the work still runs with --dsn; do not make a control role of it, which would take the place of the proxy's",
		}
	}
	if err != nil {
		return err
	}

	promises, writes, err := sorted(ctx, ledger, ids)
	if err != nil {
		return err
	}
	deed, err := openDeed(ctx, cmd, flags, conn, ledger, ids, steering.detail())
	if err != nil {
		return err
	}
	defer deed.close(ctx)
	var all []run.Kept
	if len(ids) == 0 || len(promises) > 0 {
		all, err = r.resume(ctx, conn, ledger, promises)
		for _, kept := range all {
			deed.tell(keptEntry(deed.database, kept))
		}
		if err != nil {
			return err
		}
	}
	bulks, err := r.resumeBulk(ctx, ledger, writes, steering)
	for _, told := range bulks {
		deed.tellOf(ctx, told.ID)
	}
	if err != nil {
		return err
	}
	left, err := openJobs(ctx, ledger)
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(cmd.OutOrStdout(), map[string]any{"resumed": append(resumedJobs(all), bulks...), "left": left})
	} else {
		printBulks(cmd.OutOrStdout(), bulks)
		err = printResumed(ctx, cmd.OutOrStdout(), ledger, all, promises, left)
	}
	if err == nil && len(left) > 0 {
		return errUnfinished
	}
	return err
}

// newResumption opens no connection yet. The caller closes it.
func newResumption(flags *ledgerFlags, cmd *cobra.Command) (*resumption, error) {
	config, _, err := flags.config()
	if err != nil {
		return nil, err
	}
	login, err := flags.login(cmd)
	if err != nil {
		return nil, err
	}
	parsed, err := pgconn.ParseConfig(login)
	if err != nil {
		return nil, errUnreadableDSN
	}
	r := &resumption{
		database: parsed.Database, user: parsed.User, name: processName(), report: lines{cmd.ErrOrStderr()}, options: config.Lock.options(),
		throttle: config.Batch.Throttle.options(),
	}
	r.options.Name, r.options.Batch = r.name, config.Batch.options()
	if r.steps, err = control.New(control.Options{DSN: login}); err != nil {
		return nil, err
	}
	r.control = r.steps
	if flags.dsn == "" || flags.file == "" || config.Control.DSN == "" {
		return r, nil
	}
	if r.control, err = control.New(control.Options{DSN: string(config.Control.DSN)}); err != nil {
		r.steps.Close()
		return nil, err
	}
	return r, nil
}

func (r *resumption) close() {
	r.steps.Close()
	if r.control != r.steps {
		r.control.Close()
	}
}

// sameDatabase makes sure that the work runs in the database of the ledger, and not in one of that name elsewhere.
func (r *resumption) sameDatabase(ctx context.Context, ledger *control.Conn) error {
	if r.control == r.steps {
		return nil
	}
	steps, err := r.steps.Conn(ctx, r.database)
	if err != nil {
		return unreachable(err)
	}
	defer r.steps.Release(steps)
	var homes []string
	for _, conn := range []*control.Conn{ledger, steps} {
		home, err := conn.Query(ctx, `SELECT pg_catalog.concat_ws(' ', s.system_identifier, d.oid)
			FROM pg_catalog.pg_control_system() AS s, pg_catalog.pg_database AS d
			WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()`)
		if err != nil {
			return fmt.Errorf("cannot ask which server this is: %w", err)
		}
		homes = append(homes, home...)
	}
	if homes[0] != homes[1] {
		return &failure{err: errors.New("--dsn and control.dsn lead to different servers"), hint: "give the --dsn of a login on the server of control.dsn"}
	}
	return nil
}

// resume makes failed jobs pending again, and does what is pending: the named jobs, or all.
func (r *resumption) resume(ctx context.Context, conn run.Conn, ledger *revisions.Ledger, ids []int64) ([]run.Kept, error) {
	failed, err := ledger.Failed(ctx)
	if err != nil {
		return nil, err
	}
	chosen := map[int64]bool{}
	for _, id := range ids {
		chosen[id] = true
	}
	for _, row := range failed {
		if len(ids) > 0 && !chosen[row.ID] {
			continue
		}
		if err := ledger.Retry(ctx, row.ID); err != nil && !errors.Is(err, revisions.ErrLost) {
			return nil, err
		}
	}
	if len(ids) == 0 {
		ids = []int64{0}
	}
	var all []run.Kept
	for _, id := range ids {
		kept, err := r.run(ctx, conn, ledger, revisions.ClaimOptions{ID: id, Early: true, Silence: keeperSilence})
		all = append(all, kept...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// lines writes what a plan has to say, a line each.
type lines struct{ w io.Writer }

// Notice implements run.Report.
func (l lines) Notice(line string) { fmt.Fprintln(l.w, strings.TrimPrefix(line, "pgsluice: ")) }

// resumed is what became of one job.
type resumed struct {
	ID       int64           `json:"id"`
	Tag      string          `json:"tag"`
	Table    string          `json:"table"`
	State    revisions.State `json:"state"`
	SQLState string          `json:"sqlstate,omitempty"`
	Error    string          `json:"error,omitempty"`
	said     string
}

func resumedJobs(all []run.Kept) []resumed {
	jobs := make([]resumed, len(all))
	for i, kept := range all {
		jobs[i] = resumed{ID: kept.Promise.ID, Tag: kept.Promise.Tag, Table: kept.Promise.TableName, State: kept.State, SQLState: run.SQLState(kept.Err)}
		if kept.Err != nil {
			jobs[i].Error = kept.Err.Error()
		}
	}
	return jobs
}

// printResumed says what became of the jobs, why a named one was not touched, and what is left.
func printResumed(ctx context.Context, w io.Writer, ledger *revisions.Ledger, all []run.Kept, ids []int64, left []job) error {
	touched := map[int64]bool{}
	for _, kept := range all {
		touched[kept.Promise.ID] = true
		what := fmt.Sprintf("Job %d (%s on %s)", kept.Promise.ID, kept.Promise.Tag, orDash(kept.Promise.TableName))
		switch kept.State {
		case revisions.Done:
			fmt.Fprintf(w, "%s is done.\n", what)
		case revisions.Void:
			fmt.Fprintf(w, "%s needs no doing any more: %v.\n", what, kept.Err)
		case revisions.Failed:
			fmt.Fprintf(w, "%s failed: %s\n", what, reasonOf(kept.Err))
		default:
			fmt.Fprintf(w, "%s is not done yet: %s\n", what, reasonOf(kept.Err))
		}
	}
	for _, id := range ids {
		if touched[id] {
			continue
		}
		row, err := ledger.Show(ctx, id)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "Job %d was not touched: %s.\n", id, whyNot(row))
	}
	if len(left) == 0 && len(all) > 0 {
		return nil
	}
	fmt.Fprintln(w)
	return printJobTable(w, left)
}

// reasonOf is an error with what the server or pgsluice says to do about it.
func reasonOf(err error) string {
	if err == nil {
		return "for a reason that is not known"
	}
	var server *pgconn.PgError
	var ours *run.Failure
	switch {
	case errors.As(err, &ours):
		return joinLines(strings.TrimPrefix(ours.Message, "pgsluice: "), ours.Detail, ours.Hint)
	case errors.As(err, &server):
		return joinLines(fmt.Sprintf("%s (SQLSTATE %s)", server.Message, server.Code), server.Detail, server.Hint)
	}
	return err.Error()
}

func joinLines(first string, more ...string) string {
	for _, text := range more {
		for line := range strings.Lines(text) {
			first += "\n  " + strings.TrimSuffix(line, "\n")
		}
	}
	return first
}

// whyNot says why a job that was named was not resumed.
func whyNot(row *revisions.PromiseRow) string {
	switch {
	case row == nil:
		return "it is gone"
	case row.State == revisions.Done:
		return "it is done already"
	case row.State == revisions.Void:
		return "it was given up: " + row.Message
	case row.ClaimedBy != "":
		return "process " + row.ClaimedBy + " works on it, or did until a minute ago"
	}
	return fmt.Sprintf("the session that promised it is still connected (pid %d) and does it itself", row.PID)
}
