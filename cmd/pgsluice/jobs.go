package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

func newJobsCommand() *cobra.Command {
	var (
		flags  ledgerFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "list and steer what was promised behind a COMMIT, and bulk writes",
		Long: `List and steer the work that was promised behind a COMMIT and is not done yet: an index
to build, a constraint to validate. Its migration is recorded as applied already, so
nothing else would ever remind anybody.

  pending   it will be tried again, by a proxy or by pgsluice jobs resume
  running   somebody works on it, or died doing so; then a proxy takes over
  failed    trying again alone does not cure it: mend the data, then resume

NEXT TRY says who goes on with it, and when: a proxy ("due" is with its next look), the
session that asked for it, its login by sending the statement again or resuming it, or a
person by hand. Below a job stands why it is not done.

An UPDATE or DELETE that runs in batches is a job, too:

  running   a client waits for it; paused, while somebody wants it to wait
  stopped   it ended early, and what it did is kept: the same statement of the same
            login goes on with it, and so does pgsluice jobs resume

The exit status is 1 while anything is left to do, else 0.`,
		Example: `  pgsluice jobs --dsn "host=db.internal dbname=app user=postgres"
  pgsluice jobs show 7 --config config.yaml
  pgsluice jobs resume 7 --config config.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return listJobs(cmd, &flags, false, asJSON) },
	}
	flags.register(cmd)
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(
		newJobsListCommand(&flags, &asJSON),
		newJobsShowCommand(&flags, &asJSON),
		newJobsPauseCommand(&flags),
		newJobsResumeCommand(&flags, &asJSON),
		newJobsCancelCommand(&flags, &asJSON),
	)
	return cmd
}

func newJobsListCommand(flags *ledgerFlags, asJSON *bool) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list what is not done yet",
		Long:    "List what is not done yet; with --all, what is done or was given up too.",
		Example: `  pgsluice jobs list --all --dsn "host=db.internal dbname=app user=postgres"`,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return listJobs(cmd, flags, all, *asJSON) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "list what is done or void too")
	return cmd
}

func newJobsShowCommand(flags *ledgerFlags, asJSON *bool) *cobra.Command {
	return &cobra.Command{
		Use:                   "show ID",
		Short:                 "show one job with its steps and its last error",
		Long:                  "Show one job: what was asked, what is run for it, how often it was tried, and its last error.",
		Example:               `  pgsluice jobs show 7 --config config.yaml`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := jobIDs(cmd, args)
			if err != nil {
				return err
			}
			if len(ids) != 1 {
				return &usageError{message: cmd.CommandPath() + " takes one ID", hint: "pgsluice jobs list shows them"}
			}
			return showJob(cmd, flags, ids[0], *asJSON)
		},
	}
}

func newJobsCancelCommand(flags *ledgerFlags, asJSON *bool) *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ID...",
		Short: "give jobs up: what they would have done is never done",
		Long: `Give jobs up. The index is never built and the constraint never validated, although the
migration that asked for it is recorded as applied: write another migration for what is
still wanted. Helpers of the job, such as a CHECK that was to prove a NOT NULL, are removed,
and so is the INVALID index of a build that was broken off.
A job that somebody works on cannot be given up; cancel its backend first.

A bulk write that is given up keeps what it has done; a running one ends behind its batch.`,
		Example:               `  pgsluice jobs cancel 7 --config config.yaml`,
		DisableFlagsInUseLine: true,
		Args:                  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := jobIDs(cmd, args)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				return &usageError{message: cmd.CommandPath() + " takes the IDs of jobs", hint: "pgsluice jobs list shows them"}
			}
			return cancelJobs(cmd, flags, ids, *asJSON)
		},
	}
}

// jobIDs reads the arguments of a command.
func jobIDs(cmd *cobra.Command, args []string) ([]int64, error) {
	ids := make([]int64, len(args))
	for i, arg := range args {
		id, err := strconv.ParseInt(arg, 10, 64)
		if err != nil || id < 1 {
			return nil, &usageError{message: fmt.Sprintf("%s: %q is no ID of a job", cmd.CommandPath(), arg), hint: "an ID is a number; pgsluice jobs list shows them"}
		}
		ids[i] = id
	}
	return ids, nil
}

// job is a promise or a bulk write as people and scripts see it.
type job struct {
	ID       int64           `json:"id"`
	State    revisions.State `json:"state"`
	Tag      string          `json:"tag"`
	Table    string          `json:"table"` // "" when it is gone
	Recipe   string          `json:"recipe"`
	Asked    string          `json:"asked"`
	Steps    []string        `json:"steps"`
	Login    string          `json:"login"`
	Role     string          `json:"role"`
	Attempts int             `json:"attempts"`
	SQLState string          `json:"sqlstate,omitempty"`
	Error    string          `json:"error,omitempty"`
	Runner   string          `json:"runner,omitempty"`
	Created  time.Time       `json:"created"`
	Started  *time.Time      `json:"started,omitempty"`
	Finished *time.Time      `json:"finished,omitempty"`
	NotUntil *time.Time      `json:"not_before,omitempty"`
	// Next is who goes on with it; nil when it has ended.
	Next *nextTry `json:"next_try,omitempty"`
	// Building is how far its index is; nil for none.
	Building *revisions.Building `json:"building,omitempty"`
	Bulk     *bulk               `json:"bulk,omitempty"` // nil for a promise
}

func jobOf(row revisions.PromiseRow) (job, error) {
	j := job{
		ID: row.ID, State: row.State, Tag: row.Tag, Table: row.TableName, Recipe: row.Kind, Asked: row.Asked, Steps: []string{},
		Login: row.Login.Name, Role: row.Role.Name, Attempts: row.Attempts, SQLState: row.SQLState, Error: row.Message,
		Runner: row.ClaimedBy, Created: row.Created, Started: row.Started, Finished: row.Finished, NotUntil: row.NotBefore,
		Next: nextTryOf(row), Building: row.Building,
	}
	var steps []rewrite.Step
	if err := json.Unmarshal(row.Steps, &steps); err != nil {
		return job{}, fmt.Errorf("cannot read the steps of promise %d: %w", row.ID, err)
	}
	for _, step := range steps {
		j.Steps = append(j.Steps, strings.Join(step.Statements(), "; "))
	}
	return j, nil
}

// open reports whether something is left to do.
func (j job) open() bool {
	return j.State != revisions.Done && j.State != revisions.Void
}

func listJobs(cmd *cobra.Command, flags *ledgerFlags, all, asJSON bool) error {
	conn, ledger, err := flags.open(cmd.Context(), cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := tellOthers(cmd.Context(), cmd.ErrOrStderr(), conn); err != nil {
		return err
	}
	return printJobs(cmd.Context(), cmd.OutOrStdout(), ledger, all, asJSON)
}

// tellOthers names the other databases of the server that hold a ledger: each has jobs of its own.
func tellOthers(ctx context.Context, w io.Writer, conn *control.Conn) error {
	homes, err := conn.Query(ctx, homesSQL)
	if err != nil {
		return fmt.Errorf("cannot look for other ledgers: %w", err)
	}
	here, err := conn.Query(ctx, "SELECT pg_catalog.current_database()")
	if err != nil {
		return fmt.Errorf("cannot ask for the database: %w", err)
	}
	others := slices.DeleteFunc(homes, func(database string) bool { return slices.Contains(here, database) })
	if len(others) > 0 {
		fmt.Fprintf(w, "note: these are the jobs of database %s; --database NAME shows those of %s\n", here[0], few(others, "database"))
	}
	return nil
}

// printJobs prints the jobs of a ledger; errUnfinished if one of them is open.
func printJobs(ctx context.Context, w io.Writer, ledger *revisions.Ledger, all, asJSON bool) error {
	jobs, err := openJobs(ctx, ledger)
	if err == nil && all {
		jobs, err = readJobs(ctx, ledger)
	}
	if err != nil {
		return err
	}
	if asJSON {
		err = printJSON(w, jobs)
	} else {
		err = printJobTable(w, jobs)
	}
	if err == nil && slices.ContainsFunc(jobs, job.open) {
		return errUnfinished
	}
	return err
}

// openJobs are the jobs that are not done and not given up.
func openJobs(ctx context.Context, ledger *revisions.Ledger) ([]job, error) {
	return readJobs(ctx, ledger, revisions.Pending, revisions.Running, revisions.Failed, revisions.Stopped)
}

// readJobs are the jobs in these states, all if none is given.
func readJobs(ctx context.Context, ledger *revisions.Ledger, states ...revisions.State) ([]job, error) {
	rows, err := ledger.List(ctx, states...)
	if err != nil {
		return nil, err
	}
	jobs := make([]job, len(rows))
	for i, row := range rows {
		if jobs[i], err = jobOf(row); err != nil {
			return nil, err
		}
	}
	writes, err := ledger.Jobs(ctx, states...)
	if err != nil {
		return nil, err
	}
	for _, row := range writes {
		jobs = append(jobs, bulkOf(row))
	}
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(a.ID, b.ID) })
	return jobs, nil
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // SQL is full of < and >
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

func printJobTable(w io.Writer, jobs []job) error {
	if len(jobs) == 0 {
		_, err := fmt.Fprintln(w, "Nothing is left to do.")
		return err
	}
	const whatColumn, tableColumn, progressColumn = 2, 3, 5
	table := [][]string{{"ID", "STATE", "WHAT", "TABLE", "AGE", "PROGRESS", "NEXT TRY"}}
	var failed []string
	for _, j := range jobs {
		table = append(table, []string{
			strconv.FormatInt(j.ID, 10), j.shownState(), j.Tag, orDash(j.Table), age(j.Created), j.progress(), j.Next.String(),
		})
		if j.State == revisions.Failed {
			failed = append(failed, strconv.FormatInt(j.ID, 10))
		}
	}
	lines := fitted(table, []shrinkage{{tableColumn, 16}, {whatColumn, 12}, {tableColumn, 10}, {progressColumn, 8}, {whatColumn, 8}}, nil)
	for i, line := range lines {
		if i > 0 {
			if why := printable(jobs[i-1].trouble()); why != "" {
				line += "\n" + clipped("    "+why, lineWidth)
			}
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	if len(failed) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nThe migrations that asked for failed jobs are recorded as applied.\nMend the data, then run\n"+
		"  pgsluice jobs resume %s\nor give them up with pgsluice jobs cancel.\n", strings.Join(failed, " "))
	return err
}

func showJob(cmd *cobra.Command, flags *ledgerFlags, id int64, asJSON bool) error {
	conn, ledger, err := flags.open(cmd.Context(), cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	j, err := findJob(cmd.Context(), ledger, id)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), j)
	}
	return printJob(cmd.OutOrStdout(), j)
}

// findJob is the promise or the bulk write with an id.
func findJob(ctx context.Context, ledger *revisions.Ledger, id int64) (job, error) {
	promise, err := ledger.Show(ctx, id)
	if err != nil {
		return job{}, err
	}
	if promise != nil {
		return jobOf(*promise)
	}
	write, err := ledger.ShowJob(ctx, id)
	if err != nil {
		return job{}, err
	}
	if write == nil {
		return job{}, noSuchJob(id)
	}
	return bulkOf(*write), nil
}

func noSuchJob(id int64) error {
	return &failure{err: fmt.Errorf("there is no job %d in this database", id), hint: "pgsluice jobs list --all shows all of them"}
}

func printJob(w io.Writer, j job) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, value string) { fmt.Fprintf(table, "%s\t%s\n", name, value) }
	line("job", strconv.FormatInt(j.ID, 10))
	line("state", j.shownState())
	line("table", orDash(j.Table))
	login := j.Login
	if j.Role != j.Login {
		login += " as " + j.Role
	}
	line("login", login)
	if j.Bulk == nil {
		line("attempts", strconv.Itoa(j.Attempts))
	} else {
		j.Bulk.print(line)
	}
	line("created", j.Created.Format(time.RFC3339))
	for _, at := range []struct {
		name string
		when *time.Time
	}{{"started", j.Started}, {"finished", j.Finished}, {"not before", j.NotUntil}} {
		if at.when != nil {
			line(at.name, at.when.Format(time.RFC3339))
		}
	}
	if j.Next != nil {
		line("next try", j.Next.String())
	}
	if j.Building != nil {
		line("building", j.progress())
	}
	if j.Runner != "" {
		line("worked on by", j.Runner)
	}
	if j.Error != "" {
		text := printable(j.Error)
		if j.SQLState != "" {
			text += " (SQLSTATE " + j.SQLState + ")"
		}
		line("last error", text)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nasked\n  %s\n", printable(j.Asked))
	if len(j.Steps) == 0 {
		return nil
	}
	fmt.Fprintf(w, "\nsteps (%s)\n", j.Recipe)
	for i, step := range j.Steps {
		fmt.Fprintf(w, "  %d. %s\n", i+1, printable(step))
	}
	return nil
}

func cancelJobs(cmd *cobra.Command, flags *ledgerFlags, ids []int64, asJSON bool) error {
	ctx := cmd.Context()
	conn, ledger, err := flags.open(ctx, cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	r, err := newResumption(flags, cmd)
	if err != nil {
		return err
	}
	defer r.close()
	work, err := r.work(ctx, conn, ledger, revisions.ClaimOptions{})
	if err != nil {
		return err
	}
	deed, err := openDeed(ctx, cmd, flags, conn, ledger, ids, map[string]string{})
	if err != nil {
		return err
	}
	defer deed.close(ctx)
	reason := "given up with pgsluice jobs cancel by " + person()
	for _, id := range ids {
		said := fmt.Sprintf("Job %d is given up.", id)
		j, err := findJob(ctx, ledger, id)
		if err != nil {
			return err
		}
		if j.Bulk != nil {
			err = ledger.SteerJob(ctx, id, "cancel", revisions.SameTime, revisions.SameNice, reason)
			if err == nil && j.State != revisions.Running {
				err = giveUpPromise(ctx, ledger, id, reason)
			}
			if j.State == revisions.Running {
				said = fmt.Sprintf("Job %d ends behind the batch at hand; its client gets an error that says how many rows are done.", id)
			}
		} else {
			err = giveUp(ctx, work, ledger, id, reason)
		}
		deed.tellOf(ctx, id)
		if errors.Is(err, revisions.ErrLost) {
			return notCancelled(j)
		}
		if err != nil {
			return err
		}
		if !asJSON {
			fmt.Fprintln(cmd.OutOrStdout(), said)
		}
	}
	err = printJobs(ctx, cmd.OutOrStdout(), ledger, false, asJSON)
	if errors.Is(err, errUnfinished) {
		return nil // it did what it was asked for
	}
	return err
}

// giveUp voids a promise, and removes what it would have removed itself.
func giveUp(ctx context.Context, work run.Resume, ledger *revisions.Ledger, id int64, reason string) error {
	row, err := ledger.Show(ctx, id)
	if err != nil {
		return err
	}
	if err := ledger.Void(ctx, id, reason); err != nil || row == nil {
		return err
	}
	if err := giveUpJob(ctx, ledger, *row, reason); err != nil {
		return err
	}
	if err := work.Abandon(ctx, *row); err != nil {
		return fmt.Errorf("job %d is given up, but what it has left could not be removed: %w", id, err)
	}
	return nil
}

// giveUpJob gives up what a bulk write that was promised had begun.
func giveUpJob(ctx context.Context, ledger *revisions.Ledger, row revisions.PromiseRow, reason string) error {
	if row.Kind != run.BulkWrite {
		return nil
	}
	begun, err := ledger.FindJob(ctx, run.JobLike(row))
	if err != nil || begun == nil {
		return err
	}
	err = ledger.SteerJob(ctx, begun.ID, "cancel", revisions.SameTime, revisions.SameNice, reason)
	if errors.Is(err, revisions.ErrLost) {
		return nil // it has ended
	}
	return err
}

// giveUpPromise gives up the promise that a job was begun for, if there is one.
func giveUpPromise(ctx context.Context, ledger *revisions.Ledger, id int64, reason string) error {
	given, err := ledger.ShowJob(ctx, id)
	if err != nil || given == nil {
		return err
	}
	open, err := ledger.List(ctx, revisions.Pending, revisions.Failed)
	if err != nil {
		return err
	}
	for _, row := range open {
		if row.Kind != run.BulkWrite || run.JobLike(row).Fingerprint != given.Fingerprint {
			continue
		}
		if err := ledger.Void(ctx, row.ID, reason); err != nil && !errors.Is(err, revisions.ErrLost) {
			return err
		}
	}
	return nil
}

// notCancelled says why a job could not be given up.
func notCancelled(j job) error {
	switch j.State {
	case revisions.Done:
		return fmt.Errorf("cannot give up job %d: it is done", j.ID)
	case revisions.Void:
		return fmt.Errorf("cannot give up job %d: it was given up before: %s", j.ID, j.Error)
	}
	return &failure{
		err:  fmt.Errorf("cannot give up job %d: it is running", j.ID),
		hint: "end its statement with pg_cancel_backend; pg_stat_activity shows who runs it. Then cancel the job",
	}
}

// person is who runs this command, as far as the operating system knows.
func person() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// oneLine is text for one line of a table.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// age is how long ago it was, in one unit or two.
func age(since time.Time) string {
	d := time.Since(since)
	switch {
	case d < time.Minute:
		return d.Round(time.Second).String()
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
