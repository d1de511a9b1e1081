package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// bulk is what a job has beside the fields of a promise when it is a bulk write.
type bulk struct {
	Rows    int64 `json:"rows"`
	Batches int64 `json:"batches"`
	// Wanted is run, pause or cancel; Reason is why it waits right now.
	Wanted string `json:"wanted"`
	Reason string `json:"reason,omitempty"`
	// PID is the backend that works on it, or did last.
	PID int32 `json:"pid"`
	// TargetTime is in milliseconds. It and NiceRatio are nil where the configuration of the proxy holds.
	TargetTime *int      `json:"target_time,omitempty"`
	NiceRatio  *float64  `json:"nice_ratio,omitempty"`
	Heartbeat  time.Time `json:"heartbeat"`
}

func bulkOf(row revisions.JobRow) job {
	rows, batches := row.Changed()
	j := job{
		ID: row.ID, State: row.State, Tag: row.Tag, Table: row.TableName, Recipe: "bulk-write", Asked: row.Asked, Steps: []string{},
		Login: row.Login.Name, Role: row.Role.Name, SQLState: row.SQLState, Error: row.Message, Runner: row.Runner,
		Created: row.Created, Started: &row.Started, Finished: row.Finished,
		Bulk: &bulk{
			Rows: rows, Batches: batches, Wanted: row.Wanted, Reason: row.Reason, PID: row.PID,
			TargetTime: row.TargetTime, NiceRatio: row.NiceRatio, Heartbeat: row.Heartbeat,
		},
	}
	if row.State == revisions.Running && !row.Alive {
		j.State, j.Error = revisions.Stopped, "its session has ended"
		j.Bulk.Reason = "" // nobody waits any more
	}
	switch {
	case !j.open():
	case j.Bulk.Wanted == "pause":
		j.Next = &nextTry{By: byPerson}
	case j.State == revisions.Stopped:
		j.Next = &nextTry{By: byLogin}
	default:
		j.Next = &nextTry{By: byRunner}
	}
	return j
}

// The states of a bulk write that is not done, for figures.
const (
	bulkRunning = "running"
	bulkWaiting = "waiting" // until the server has room for it
	bulkPaused  = "paused"  // by a person
	bulkStopped = "stopped"
)

func bulkStates() []string { return []string{bulkRunning, bulkWaiting, bulkPaused, bulkStopped} }

// bulkState is the state of a bulk write that is not done.
func (j job) bulkState() string {
	switch {
	case j.State == revisions.Stopped:
		return bulkStopped
	case j.Bulk.Wanted == "pause":
		return bulkPaused
	case j.Bulk.Reason != "":
		return bulkWaiting
	}
	return bulkRunning
}

// shownState is a job's state for people.
func (j job) shownState() string {
	if j.Bulk != nil && j.Bulk.Wanted == "pause" && j.open() {
		return "paused"
	}
	return string(j.State)
}

// progress is how far a job is, for one column.
func (j job) progress() string {
	switch {
	case j.Bulk != nil:
		return plural(int(j.Bulk.Rows), "row")
	case j.Building != nil && j.Building.Done != nil:
		return fmt.Sprintf("%.0f%% %s", 100**j.Building.Done, j.Building.Phase)
	case j.Building != nil:
		return j.Building.Phase
	case j.Attempts > 0:
		return fmt.Sprintf("tried %d×", j.Attempts)
	}
	return "-"
}

// trouble is what is wrong with a job, or why it waits.
func (j job) trouble() string {
	if j.Bulk != nil && j.Bulk.Reason != "" {
		return "waits: " + j.Bulk.Reason
	}
	return j.Error
}

// print tells a line each.
func (b bulk) print(line func(name, value string)) {
	line("done", fmt.Sprintf("%d rows in %d batches", b.Rows, b.Batches))
	if b.Reason != "" {
		line("waits", b.Reason)
	}
	if b.TargetTime != nil {
		line("target time", (time.Duration(*b.TargetTime) * time.Millisecond).String())
	}
	if b.NiceRatio != nil {
		line("nice ratio", strconv.FormatFloat(*b.NiceRatio, 'g', -1, 64))
	}
	line("backend", "pid "+strconv.Itoa(int(b.PID)))
	line("last sign of life", b.Heartbeat.Format(time.RFC3339))
}

func newJobsPauseCommand(flags *ledgerFlags) *cobra.Command {
	return &cobra.Command{
		Use:   "pause ID...",
		Short: "let bulk writes wait behind their batch",
		Long: `Let bulk writes wait behind the batch at hand, until pgsluice jobs resume. Their clients
keep waiting and are told why. One that is paused for longer than batch.max_throttled is
stopped, and can be resumed all the same.`,
		Example:               `  pgsluice jobs pause 7 --config config.yaml`,
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
			return pauseJobs(cmd, flags, ids)
		},
	}
}

func pauseJobs(cmd *cobra.Command, flags *ledgerFlags, ids []int64) error {
	conn, ledger, err := flags.open(cmd.Context(), cmd)
	if err != nil {
		return err
	}
	defer conn.Close()
	deed, err := openDeed(cmd.Context(), cmd, flags, conn, ledger, ids, map[string]string{})
	if err != nil {
		return err
	}
	defer deed.close(cmd.Context())
	for _, id := range ids {
		j, err := findJob(cmd.Context(), ledger, id)
		if err != nil {
			return err
		}
		if j.Bulk == nil {
			return fmt.Errorf("cannot pause job %d: only bulk writes can be paused", id)
		}
		err = ledger.SteerJob(cmd.Context(), id, "pause", revisions.SameTime, revisions.SameNice, "")
		if errors.Is(err, revisions.ErrLost) {
			return fmt.Errorf("cannot pause job %d: it is %s", id, j.State)
		}
		if err != nil {
			return err
		}
		deed.tellOf(cmd.Context(), id)
		fmt.Fprintf(cmd.OutOrStdout(), "Job %d waits behind the batch at hand, until pgsluice jobs resume %[1]d.\n", id)
	}
	return nil
}

// steeringFlags are how a bulk write is to go on.
type steeringFlags struct {
	target time.Duration // 0 leaves it
	nice   float64       // negative leaves it
}

func (f *steeringFlags) register(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.target, "target-time", 0, "what a batch of a bulk write is to take from now on, like `300ms`")
	cmd.Flags().Float64Var(&f.nice, "nice-ratio", revisions.SameNice, "rest behind each batch for this `part` of the time it took")
}

func (f *steeringFlags) check(cmd *cobra.Command, ids []int64) error {
	set := cmd.Flags().Changed("target-time") || cmd.Flags().Changed("nice-ratio")
	switch {
	case set && len(ids) == 0:
		return &usageError{message: cmd.CommandPath() + ": --target-time and --nice-ratio are for bulk writes that are named", hint: "pgsluice jobs list shows them"}
	case cmd.Flags().Changed("target-time") && (f.target < 10*time.Millisecond || f.target > time.Minute):
		return &usageError{message: cmd.CommandPath() + ": --target-time must be from 10ms to 1m"}
	case cmd.Flags().Changed("nice-ratio") && !(f.nice >= 0 && f.nice <= 100):
		return &usageError{message: cmd.CommandPath() + ": --nice-ratio must be from 0 to 100"}
	}
	return nil
}

// detail is what the audit trail is told of them.
func (f *steeringFlags) detail() map[string]string {
	detail := map[string]string{}
	if f.target != 0 {
		detail["target_time"] = f.target.String()
	}
	if f.nice >= 0 {
		detail["nice_ratio"] = strconv.FormatFloat(f.nice, 'g', -1, 64)
	}
	return detail
}

// milliseconds is the target time for the ledger.
func (f *steeringFlags) milliseconds() int {
	if f.target == 0 {
		return revisions.SameTime
	}
	return int(f.target.Milliseconds())
}

// sorted tells the ids of promises from those of bulk writes.
func sorted(ctx context.Context, ledger *revisions.Ledger, ids []int64) (promises, writes []int64, err error) {
	for _, id := range ids {
		j, err := findJob(ctx, ledger, id)
		switch {
		case err != nil:
			return nil, nil, err
		case j.Bulk != nil:
			writes = append(writes, id)
		default:
			promises = append(promises, id)
		}
	}
	return promises, writes, nil
}

// resumeBulk lets bulk writes go on: where they run, or here.
func (r *resumption) resumeBulk(ctx context.Context, ledger *revisions.Ledger, ids []int64, steering steeringFlags) ([]resumed, error) {
	var all []resumed
	for _, id := range ids {
		err := ledger.SteerJob(ctx, id, "run", steering.milliseconds(), steering.nice, "")
		if err != nil && !errors.Is(err, revisions.ErrLost) {
			return all, err
		}
		j, err := findJob(ctx, ledger, id)
		if err != nil {
			return all, err
		}
		told := resumed{ID: id, Tag: j.Tag, Table: j.Table, State: j.State}
		switch j.State {
		case revisions.Running:
			told.said = fmt.Sprintf("goes on in the session with pid %d", j.Bulk.PID)
		case revisions.Stopped:
			told = r.runBulk(ctx, ledger, told)
		case revisions.Done:
			told.said = "was not touched: it is done already"
		default:
			told.said = "was not touched: it was given up: " + j.Error
		}
		all = append(all, told)
	}
	return all, nil
}

// runBulk goes on with a stopped job on a connection of the login that was given.
func (r *resumption) runBulk(ctx context.Context, ledger *revisions.Ledger, told resumed) resumed {
	conn, err := r.steps.Conn(ctx, r.database)
	if err == nil {
		defer r.steps.Discard(conn) // code of the login's has run in it
		var result run.Result
		result, err = run.Runner{
			Conn: conn, Jobs: ledger, Report: r.report, Options: r.options,
			Throttle: r.throttled(),
		}.ResumeJob(ctx, told.ID)
		if err == nil {
			told.State, told.said = revisions.Done, "is done: "+result.Tag
			return told
		}
	}
	told.SQLState, told.Error = run.SQLState(err), err.Error()
	told.said = "is not done yet: " + reasonOf(err)
	return told
}

func printBulks(w io.Writer, all []resumed) {
	for _, told := range all {
		fmt.Fprintf(w, "Job %d (%s on %s) %s.\n", told.ID, told.Tag, orDash(told.Table), told.said)
	}
}
