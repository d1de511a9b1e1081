package run

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// Engine is the version of how a bulk write is cut into batches. A job is gone on with by the version that began it only.
const Engine = 1

// Jobs is where bulk writes are written down. *revisions.Ledger is one.
type Jobs interface {
	// FindJob is the open job that does the same; nil if there is none.
	FindJob(ctx context.Context, like revisions.Job) (*revisions.JobRow, error)
	// EndedJob is the last one of those that do the same and have ended; nil if there is none.
	EndedJob(ctx context.Context, like revisions.Job) (*revisions.JobRow, error)
	AdoptJob(ctx context.Context, id int64, by revisions.Runner) (revisions.JobRow, error)
	BeginJob(ctx context.Context, job revisions.Job, by revisions.Runner) error
	BeatJob(ctx context.Context, id int64, by revisions.Runner, reason string) (revisions.Steering, error)
	EndJob(ctx context.Context, id int64, by revisions.Runner, outcome revisions.Outcome) error
	// NewKey is the key in use, read anew.
	NewKey(ctx context.Context) (revisions.Key, error)
}

// SQLSTATEs of ours for jobs.
const (
	// jobStopped: a bulk write was stopped, and can be gone on with.
	jobStopped = "PS005"
	// jobBusy: another session does the same.
	jobBusy = "55006" // object_in_use
)

// adoptPatience is how long the backend of a client that has died may take to notice.
const adoptPatience = 10 * time.Second

// beatEvery is the time between two signs of life of a job that waits.
const beatEvery = time.Second

// task is what a job's row says of its work.
type task struct {
	Steps []rewrite.Step `json:"steps"`
	// Last are the last keys at the beginning, by the OIDs of the tables; one that was empty has none.
	Last map[uint32]bound `json:"last"`
	// Environment is what gave the statement its meaning, and Encoding what its text parameters are in.
	Environment map[string]string `json:"environment,omitempty"`
	Encoding    string            `json:"encoding"`
}

// job is a bulk write of a client's, under way.
type job struct {
	*work
	plan rewrite.Plan
	task task
	// jobs is nil where nothing is written down: then nothing needs to be.
	jobs Jobs
	row  revisions.JobRow
	by   revisions.Runner
	key  revisions.Key
	brake

	began, noticed time.Time
	// at is how far it is, by the OIDs of the tables.
	at map[uint32]revisions.Checkpoint
	// changed, passed and batches are what is done, all runs together; begun and here are the rows that were changed before this run, and those
	// that it has gone over.
	changed, passed, batches int64
	begun, here              int64
	// expected are the rows to go over, all tables together, as the server estimates them.
	expected float64
	// retried counts the batches that were run again because of the ledger.
	retried int
}

// bulk carries out a client's UPDATE or DELETE in batches, as a job of the ledger if there is one. What an unfinished job of the same statement
// has done is not done again. The tag of the result has the sum of all rows. The error of a job that can be gone on with says so.
func (r Runner) bulk(ctx context.Context, plan rewrite.Plan) (Result, error) {
	w := &work{Runner: r, result: &Result{}, said: time.Now()}
	if err := w.readSession(ctx); err != nil {
		return *w.result, err
	}
	j := &job{work: w, plan: plan, jobs: r.Jobs, began: time.Now(), noticed: time.Now(), at: map[uint32]revisions.Checkpoint{}}
	err := w.guarded(ctx, func() error {
		if err := j.open(ctx); err != nil {
			return err
		}
		if j.row.Finished != nil {
			j.result.Tag = j.sum()
			return nil
		}
		return j.runAsBegun(ctx)
	})
	return *w.result, err
}

// runAsBegun is run under the settings that the job was begun under.
func (j *job) runAsBegun(ctx context.Context) error {
	if j.jobs == nil {
		return j.run(ctx) // it was begun just now
	}
	environment, err := As(ctx, j.Conn, j.task.Environment, j.row.Role)
	if err != nil {
		return j.broken(ctx, err)
	}
	begun := false
	err = Under(ctx, j.Conn, environment, func() error {
		begun = true
		return j.run(ctx)
	})
	if err != nil && !begun {
		return j.broken(ctx, err)
	}
	return err
}

// ResumeJob goes on with a job of the ledger on a connection of the login that began it. Any other login is refused.
func (r Runner) ResumeJob(ctx context.Context, id int64) (Result, error) {
	w := &work{Runner: r, result: &Result{}, said: time.Now()}
	if err := w.readSession(ctx); err != nil {
		return *w.result, err
	}
	j := &job{work: w, jobs: r.Jobs, began: time.Now(), noticed: time.Now(), at: map[uint32]revisions.Checkpoint{}}
	nonce, err := revisions.NewNonce(ctx, r.Conn)
	if err != nil {
		return *w.result, err
	}
	j.by = revisions.Runner{Name: r.Name, PID: nonce.PID, BackendStart: nonce.BackendStart}
	if err := j.adopt(ctx, id, nonce); err != nil {
		return *w.result, err
	}
	err = w.guarded(ctx, func() error { return j.runAsBegun(ctx) })
	return *w.result, err
}

// guarded runs f so that a server whose client is gone notices it. Not every platform can.
func (w *work) guarded(ctx context.Context, f func() error) error {
	if w.session.Version < 140000 {
		return f()
	}
	const setting = "client_connection_check_interval"
	_, err := w.Conn.Exec(ctx, `SELECT pg_catalog.set_config('`+setting+`', '500ms', true)`)
	if SQLState(err) == invalidParameter {
		return f()
	}
	if err != nil {
		return err
	}
	return Under(ctx, w.Conn, map[string]string{setting: "500ms"}, f)
}

// open begins the job, or takes over the one that is there.
func (j *job) open(ctx context.Context) error {
	if j.jobs == nil {
		if slices.ContainsFunc(j.plan.Steps, func(s rewrite.Step) bool { return s.Batch.Once }) {
			return &Failure{
				Code:    "55000", // object_not_in_prerequisite_state
				Message: "pgsluice: cannot run this in batches: without the ledger nobody could tell after a crash which rows are changed; run pgsluice install",
				Detail:  "The statement would change a row again if it were run again.",
			}
		}
		return j.prepare(ctx)
	}
	nonce, err := revisions.NewNonce(ctx, j.Conn)
	if err != nil {
		return err
	}
	j.by = revisions.Runner{Name: j.Name, PID: nonce.PID, BackendStart: nonce.BackendStart}
	asked := revisions.Job{
		ID: nonce.Number, Login: revisions.Role{OID: nonce.Login}, Role: revisions.Role{OID: nonce.Role}, Table: j.table().OID,
		Fingerprint: fingerprint(j.plan.Job), Engine: Engine, Tag: j.plan.Tag, Asked: j.plan.Asked,
	}
	if j.Promise != 0 {
		if done, err := j.promised(ctx, asked); done || err != nil {
			return err
		}
	}
	for range 2 {
		found, err := j.jobs.FindJob(ctx, asked)
		if err != nil {
			return err
		}
		if found != nil {
			return j.adopt(ctx, found.ID, nonce)
		}
		if err := j.prepare(ctx); err != nil {
			return err
		}
		if asked.Work, err = json.Marshal(j.task); err != nil {
			return fmt.Errorf("cannot write down the work of a job: %w", err)
		}
		if j.key, err = j.jobs.NewKey(ctx); err != nil {
			return err
		}
		err = j.jobs.BeginJob(ctx, asked, j.by)
		if errors.Is(err, revisions.ErrBusy) {
			continue // the same was begun between the two questions
		}
		j.row.Job = asked
		return err
	}
	return fmt.Errorf("cannot begin job %d: others begin and end the same", asked.ID)
}

// table is the one that the statement names.
func (j *job) table() rewrite.Target {
	if j.plan.Table.OID != 0 {
		return j.plan.Table
	}
	return j.plan.Steps[0].Table
}

// prepare fixes where each table ends, before the first batch.
func (j *job) prepare(ctx context.Context) error {
	encoding, err := ask(ctx, j.Conn, "SELECT pg_catalog.current_setting('client_encoding')")
	if err != nil {
		return err
	}
	j.task = task{Steps: slices.Clone(j.plan.Steps), Last: map[uint32]bound{}, Environment: j.Options.Environment, Encoding: encoding}
	for i, step := range j.task.Steps {
		w, err := j.newWalk(ctx, step)
		if err != nil {
			return err
		}
		batch := *step.Batch
		batch.Key = &w.Key
		j.task.Steps[i].Batch = &batch
		j.task.Encoding = cmp.Or(batch.Encoding, j.task.Encoding)
		if batch.Last != nil {
			j.task.Last[step.Table.OID] = batch.Last
			continue
		}
		last, err := j.lastKey(ctx, w.course)
		if err != nil {
			return err
		}
		if last != nil {
			j.task.Last[step.Table.OID] = last
		}
	}
	return nil
}

// adopt takes over a job whose runner has ended. A backend whose client has died may need a moment to notice.
func (j *job) adopt(ctx context.Context, id int64, nonce revisions.Nonce) (err error) {
	if j.key, err = j.jobs.NewKey(ctx); err != nil {
		return err
	}
	var busy error
	ok, err := j.poll(ctx, adoptPatience, func() string { return fmt.Sprintf("pgsluice: waiting for the session that ran job %d to end", id) }, func() (bool, error) {
		j.row, busy = j.jobs.AdoptJob(ctx, id, j.by)
		if errors.Is(busy, revisions.ErrBusy) {
			return false, nil
		}
		return busy == nil, busy
	})
	if errors.Is(err, revisions.ErrLost) {
		return &Failure{
			Code: jobBusy,
			Message: fmt.Sprintf("pgsluice: job %d, which did this in another session, has ended meanwhile (pgsluice jobs show %[1]d); "+
				"send the statement again only if it is to be done once more", id),
			Err: err,
		}
	}
	if err != nil {
		return err
	}
	if !ok {
		return &Failure{
			Code:    jobBusy,
			Message: fmt.Sprintf("pgsluice: job %d does this already, in the session with pid %d; wait for it, or see pgsluice jobs show %d", id, j.row.PID, id),
			Hint:    fmt.Sprintf("To end it: pgsluice jobs cancel %d.", id),
			Err:     busy,
		}
	}
	if j.row.Login.OID != nonce.Login || j.row.Engine != Engine {
		failed := &Failure{
			Code:    insufficientPrivilege,
			Message: fmt.Sprintf("pgsluice: job %d is left to login %s, who began it", id, j.row.Login.Name),
			Hint:    fmt.Sprintf("Run pgsluice jobs resume %d --dsn DSN --config FILE: DSN with the credentials of %[2]s, FILE with control.dsn. Or let %[2]s send the statement again.", id, j.row.Login.Name),
		}
		if j.row.Login.OID == nonce.Login {
			failed.Code = "0A000" // feature_not_supported
			failed.Message = fmt.Sprintf("pgsluice: job %d was begun by version %d of the engine, this one has %d; see pgsluice jobs show %[1]d", id, j.row.Engine, Engine)
			failed.Hint = fmt.Sprintf("Go on with the pgsluice that began it, or give it up with pgsluice jobs cancel %d.", id)
		}
		return errors.Join(failed, j.end(ctx, revisions.Stopped, "", j.row.Message))
	}
	if err := json.Unmarshal(j.row.Work, &j.task); err != nil {
		return fmt.Errorf("cannot read the work of job %d: %w", id, err)
	}
	j.plan.Tag = j.row.Tag
	j.read()
	j.begun = j.changed
	if len(j.plan.Steps) == 0 {
		j.plan.Steps = j.task.Steps // what the ledger has is run in any case: it was frozen at the beginning
	}
	j.notice(fmt.Sprintf("pgsluice: going on with job %d of %s: %d rows in %s are done", id, j.row.Created.Format(time.DateTime), j.changed,
		plural(int(j.batches), "batch", "batches")))
	return nil
}

// run goes over the tables, one after the other, and writes down how it ended.
func (j *job) run(ctx context.Context) error {
	if err := j.recode(ctx); err != nil {
		return j.broken(ctx, err)
	}
	for _, step := range j.task.Steps {
		j.ran(step)
	}
	if own := j.session.StatementTimeout; own > 0 {
		j.notice(fmt.Sprintf("pgsluice: the statement_timeout of %s holds for each batch", own))
	}
	stop := j.watch(ctx)
	defer stop()
	err := j.tables(ctx)
	j.meter().StepRun(err == nil)
	if err == nil {
		j.meter().JobEnded(string(revisions.Done))
		j.result.Tag = j.sum()
		return j.end(ctx, revisions.Done, "", "")
	}
	return j.broken(ctx, err)
}

// sum is the command tag with all rows that were changed.
func (j *job) sum() string { return j.plan.Tag + " " + strconv.FormatInt(j.changed, 10) }

// tables goes over all tables, from where each of them is.
func (j *job) tables(ctx context.Context) error {
	walks, err := j.walks(ctx)
	if err != nil {
		return err
	}
	if j.jobs != nil && j.batches == 0 {
		j.notice(fmt.Sprintf("pgsluice: job %d runs in batches of about %s; what is done stays done, also when it ends early", j.row.ID, j.target()))
	}
	for _, w := range walks {
		for more := true; more; {
			if err := j.mayGoOn(ctx); err != nil {
				return err
			}
			if w.pace.target != j.target() {
				w.pace.target = j.target()
				w.pace.resize()
			}
			changed, passed, began := w.changed, w.passed, time.Now()
			more, err = w.next(ctx)
			if err != nil && j.again(ctx, w, err) == nil {
				more = !j.at[w.table.OID].Finished
				continue
			}
			if w.changed != changed || w.passed != passed {
				j.batches++
			}
			j.changed, j.passed, j.here = j.changed+w.changed-changed, j.passed+w.passed-passed, j.here+w.passed-passed
			if err != nil {
				return err
			}
			j.tell()
			if err := j.rest(ctx, time.Since(began)); err != nil {
				return err
			}
		}
	}
	return nil
}

// walks are the ways over the tables that are not done yet.
func (j *job) walks(ctx context.Context) ([]*walk, error) {
	var walks []*walk
	for _, step := range j.task.Steps {
		last, at := j.task.Last[step.Table.OID], j.at[step.Table.OID]
		if last == nil || at.Finished {
			continue
		}
		changes, err := Changes(ctx, j.Conn, []rewrite.Step{step})
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(changes, func(c Change) bool { return c.Gone }) {
			j.notice(fmt.Sprintf("pgsluice: %s is gone, and its rows with it", quote(step.Table.Schema, step.Table.Name)))
			continue
		}
		if err := Misplanned(step, changes); err != nil {
			return nil, err
		}
		w, err := j.newWalk(ctx, step)
		if err != nil {
			return nil, err
		}
		w.last = last
		if at.Position != "" {
			if err := json.Unmarshal([]byte(at.Position), &w.lo); err != nil {
				return nil, fmt.Errorf("cannot read how far job %d is: %w", j.row.ID, err)
			}
		}
		if j.jobs != nil {
			w.told = j
		}
		if err := w.survey(ctx); err != nil {
			return nil, err
		}
		w.pace.target = j.target()
		j.expected += max(w.expected, float64(at.Passed))
		walks = append(walks, w)
	}
	return walks, nil
}

// before implements teller.
func (j *job) before() Call { return Call{SQL: revisions.NonceSQL} }

// checkpoint implements teller.
func (j *job) checkpoint(w *walk, answer Answer, b done) (Call, error) {
	if len(answer.Rows) != 1 {
		return Call{}, errors.New("the ledger gave no nonce")
	}
	nonce, err := revisions.ReadNonce(answer.Rows[0])
	if err != nil {
		return Call{}, err
	}
	position, err := revisions.Position(b.hi)
	if err != nil {
		return Call{}, err
	}
	args, err := revisions.Reached{
		Job: j.row.ID, Table: w.table.OID, Previous: j.at[w.table.OID].Position, Position: position,
		Changed: int64(b.changed), Passed: int64(b.keys), Finished: b.finished,
	}.Signed(j.key, nonce)
	return Call{SQL: revisions.CheckpointSQL, Args: args}, err
}

// committed implements teller.
func (j *job) committed(w *walk, answer Answer, b done) error {
	position, err := revisions.Position(b.hi)
	if err != nil {
		return err
	}
	at := j.at[w.table.OID]
	at.Position, at.Finished = position, b.finished
	j.at[w.table.OID] = at
	var wanted revisions.Steering
	if len(answer.Rows) != 1 || json.Unmarshal([]byte(answer.Rows[0]), &wanted) != nil {
		return errors.New("cannot read what is wanted of the job from the ledger's answer")
	}
	j.steer(wanted)
	return nil
}

// again returns nil when the batch can simply be run again: the key was changed, or the batch of a dying backend came in between.
func (j *job) again(ctx context.Context, w *walk, cause error) error {
	if j.jobs == nil || j.retried > 3 {
		return cause
	}
	var err error
	switch SQLState(cause) {
	case revisions.StateNotSigned:
		j.key, err = j.jobs.NewKey(ctx)
	case revisions.StateElsewhere:
		if j.row, err = j.jobs.AdoptJob(ctx, j.row.ID, j.by); err == nil {
			j.read()
			w.lo, w.hi = nil, nil
			if at := j.at[w.table.OID]; at.Position != "" {
				err = json.Unmarshal([]byte(at.Position), &w.lo)
			}
		}
	default:
		return cause
	}
	j.retried++
	return err
}

// read takes over how far the job is from its row.
func (j *job) read() {
	j.steer(j.row.Steering)
	j.changed, j.batches, j.passed, j.at = 0, 0, 0, map[uint32]revisions.Checkpoint{}
	for _, c := range j.row.Checkpoints {
		j.at[c.Table] = c
		j.changed, j.batches, j.passed = j.changed+c.Changed, j.batches+c.Batches, j.passed+c.Passed
	}
}

// end writes down how the job ended, however often the client cancels.
func (j *job) end(ctx context.Context, state revisions.State, code, message string) error {
	if j.jobs == nil {
		return nil
	}
	return j.jobs.EndJob(context.WithoutCancel(ctx), j.row.ID, j.by, revisions.Outcome{State: state, SQLState: code, Message: message})
}

// broken is the error of a job that ended early. What it has done is not taken back, and its error says how to go on.
func (j *job) broken(ctx context.Context, cause error) error {
	code, message := SQLState(cause), plainly(cause)
	if code == "" && ctx.Err() != nil {
		code, message = queryCanceled, "cancelled" // by whoever runs this, between two statements
	}
	var ours *Failure
	errors.As(cause, &ours)
	state := revisions.Stopped
	// A connection that is lost may have committed a batch.
	known := code != "" && code[:2] != "08" && code[:2] != "57" || code == queryCanceled
	if j.batches == 0 && known && j.Promise == 0 || j.wanted == "cancel" {
		state = revisions.Void // there is nothing to go on with
	}
	j.meter().JobEnded(string(state))
	if failed := j.end(ctx, state, code, Recordable(cause, message)); failed != nil && code != "" {
		j.notice("pgsluice: cannot write down in the ledger that the job has ended: " + failed.Error())
	}
	if code == "" || j.batches == 0 && ours == nil {
		return cause // as the statement itself would have failed
	}
	done := fmt.Sprintf("%d rows in %s", j.changed, plural(int(j.batches), "batch", "batches"))
	failure := &Failure{
		Code:    code,
		Message: fmt.Sprintf("pgsluice: %s; %s are done and stay: send the statement again to go on", message, done),
		Detail:  fmt.Sprintf("Job %d on %s: %s are committed, the batch at hand is rolled back.", j.row.ID, quote(j.table().Schema, j.table().Name), done),
		Hint:    fmt.Sprintf("The same statement with the same parameters goes on where it ended; or run pgsluice jobs resume %d, or give the rest up with pgsluice jobs cancel %[1]d.", j.row.ID),
		Err:     cause,
	}
	switch {
	case j.Promise != 0 && state == revisions.Stopped:
		failure.Message = fmt.Sprintf("pgsluice: %s; %s are done and stay: run pgsluice jobs resume %d to go on", message, done, j.Promise)
		failure.Hint = fmt.Sprintf("Or give the rest up with pgsluice jobs cancel %d.", j.row.ID)
	case j.jobs == nil:
		failure.Message = fmt.Sprintf("pgsluice: %s; %s are done and stay", message, done)
		failure.Detail = "Without the ledger nobody knows how far it came: sent again, the statement goes over all rows."
		failure.Hint = "Run pgsluice install, so that bulk writes can be gone on with."
	case state == revisions.Void:
		failure.Message = fmt.Sprintf("pgsluice: %s; %s are done and stay", message, done)
		failure.Hint = "Sent again, the statement begins anew."
	}
	if ours != nil && ours.Detail != "" {
		failure.Detail += "\n" + ours.Detail
	}
	return failure
}

// plainly is an error's own message, without severity, code and our name.
func plainly(err error) string {
	text := err.Error()
	var ours *Failure
	if errors.As(err, &ours) {
		return strings.TrimPrefix(ours.Message, "pgsluice: ")
	}
	if SQLState(err) != "" {
		if _, after, ok := strings.Cut(text, ": "); ok {
			text = after
		}
		text, _, _ = strings.Cut(text, " (SQLSTATE ")
	}
	return text
}

// tell says now and then how far the job is.
func (j *job) tell() {
	if j.Report == nil || time.Since(j.noticed) < j.Options.Batch.noticeEvery() {
		return
	}
	j.noticed = time.Now()
	j.notice(j.progress(time.Since(j.began)))
}

// progress is one line about a job that has run for so long.
func (j *job) progress(ran time.Duration) string {
	line := fmt.Sprintf("pgsluice: %s of %s: %d rows in %s", j.plan.Tag, quote(j.table().Schema, j.table().Name), j.changed,
		plural(int(j.batches), "batch", "batches"))
	rate := float64(j.here) / max(ran.Seconds(), 1e-3)
	if j.expected > 0 {
		line += fmt.Sprintf(" (%.0f%%)", min(100*float64(j.passed)/j.expected, 99))
	}
	line += fmt.Sprintf(", %.0f rows/s", float64(j.changed-j.begun)/max(ran.Seconds(), 1e-3))
	if left := j.expected - float64(j.passed); left > 0 && rate > 0 {
		line += ", about " + seconds(left/rate).Round(time.Second).String() + " left"
	}
	return line
}
