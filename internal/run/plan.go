package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// Runner carries out plans on one connection. It is used by one goroutine at a time.
type Runner struct {
	// Conn is where the steps run.
	Conn Conn
	// Watch sees the connection from outside; nil: plans run the same and say less.
	Watch Watch
	// Artifacts lists the indexes under construction and the helper constraints; nil: nobody does.
	Artifacts Artifacts
	// Report is told how it goes; nil: nobody is.
	Report Report
	// Meter counts; nil: nobody does.
	Meter Meter
	// Beside is done in the transaction of the first step that is the client's, outside of one of the client's own; nil: nothing is.
	Beside func(context.Context) error
	// Jobs writes bulk writes down; nil: nobody does, and only those that may be run twice are run in batches.
	Jobs Jobs
	// Throttle tells when a bulk write must wait; nil: it never does.
	Throttle Throttle
	// Gone reports whether the client has gone; nil: it never has. What waits for nobody any more ends, unless it was promised.
	Gone func() bool
	Options
	// servants are those of the plan, where more than one run carries it out; nil: each has its own.
	servants *servants
	// unasked is true when the client has its answer, or does not count.
	unasked bool
}

// Artifacts remembers helper objects before they are made, so that a crash cannot hide them.
type Artifacts interface {
	// Announce has stored the artifact when it returns, whatever becomes of the plan.
	Announce(context.Context, revisions.Artifact) (id int64, err error)
	// Forget strikes it: it is finished or removed.
	Forget(ctx context.Context, id int64) error
}

// Report tells whoever waits for a plan how it goes.
type Report interface {
	// Notice is one line for a person. It may come from another goroutine while a call of the plan's Conn is under way, never twice
	// at the same time.
	Notice(line string)
}

// Options is what a plan must be told. The zero value is usable.
type Options struct {
	// LockBudget is how long a step may try for its lock, pauses included; 0 is 10 minutes.
	LockBudget time.Duration
	// FirstTry and LongestTry are the lock_timeouts of the first try and of the longest, which only autovacuum in the way exceeds; 0 are 50 ms
	// and 500 ms.
	FirstTry, LongestTry time.Duration
	// MaxQueueWait is how long others may wait behind a try before it is given up for them; only autovacuum that cannot be made to give way
	// otherwise is waited for longer. 0 is 200 ms.
	MaxQueueWait time.Duration
	// CancelBlockers is after how many tries in vain whoever is in the way is canceled, and after one more terminated; 0 is never.
	CancelBlockers int
	// OldTransaction is how long a transaction has been open that a concurrent build waits for before it begins: once begun, it would leave
	// everybody with an index that costs and does not serve. 0 is 5 seconds.
	OldTransaction time.Duration
	// TurnBudget is how long a step waits, without being in anyone's way, until other schema changes on its table have ended; 0 is an hour. A client's own
	// statement waits no longer than its statement_timeout.
	TurnBudget time.Duration
	// CleanUpBudget is how long the client of a plan that failed is kept waiting for what is left to be removed, where there are Artifacts and so
	// somebody else to do it; 0 is 10 seconds. Elsewhere it is LockBudget.
	CleanUpBudget time.Duration
	// NoticeEvery is the time between two lines of the Report; 0 is 5 seconds.
	NoticeEvery time.Duration
	// HoldsStrong is true in a transaction that holds a lock stronger than ROW EXCLUSIVE: then a lock is tried for once.
	HoldsStrong bool
	// Pipeline is true within the implicit transaction of a pipeline, where neither BEGIN nor SAVEPOINT may be sent, and after an
	// error nothing at all.
	Pipeline bool
	// Name is the process's own in the ledger: unique, never empty where there are Jobs.
	Name string
	// Environment is what gives the client's statement its meaning, for a job that is gone on with in another session.
	Environment map[string]string
	// Batch is how rows are written in batches.
	Batch BatchOptions
	// Session is what the caller knows of Conn's session now; the zero Session is asked for before each step.
	Session Session
	// Promise is the promise that the plan keeps, for its artifacts; 0 for none.
	Promise int64
	// BackendStart is when Conn's backend started, in microseconds since 1970, for the same; 0 if it is not known.
	BackendStart int64
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func (o Options) lockBudget() time.Duration     { return orElse(o.LockBudget, 10*time.Minute) }
func (o Options) firstTry() time.Duration       { return orElse(o.FirstTry, 50*time.Millisecond) }
func (o Options) longestTry() time.Duration     { return orElse(o.LongestTry, 500*time.Millisecond) }
func (o Options) maxQueueWait() time.Duration   { return orElse(o.MaxQueueWait, 200*time.Millisecond) }
func (o Options) oldTransaction() time.Duration { return orElse(o.OldTransaction, 5*time.Second) }
func (o Options) turnBudget() time.Duration     { return orElse(o.TurnBudget, time.Hour) }
func (o Options) cleanUpBudget() time.Duration  { return orElse(o.CleanUpBudget, 10*time.Second) }
func (o Options) noticeEvery() time.Duration    { return orElse(o.NoticeEvery, 5*time.Second) }

// Result is what a plan did, also when it failed.
type Result struct {
	// Tag is the command tag of the last step that ran.
	Tag string
	// Ran are the statements that were run, our clean-up included, in order. Those that failed are among them.
	Ran []string
	// Done counts the steps that are done, those that needed no doing included.
	Done int
	// Found are the steps that needed no doing.
	Found []string
	// Tries counts the tries for locks.
	Tries int
	// Waited is the time that went into waiting for locks and turns.
	Waited time.Duration
	// Blockers are those that were seen in the way, the plan may have got through all the same; the first few of them.
	Blockers []Blocker
}

// add appends what another plan did.
func (r *Result) add(other Result) {
	if other.Tag != "" {
		r.Tag = other.Tag
	}
	r.Ran = append(r.Ran, other.Ran...)
	r.Found = append(r.Found, other.Found...)
	r.Done += other.Done
	r.Tries += other.Tries
	r.Waited += other.Waited
	r.Blockers = append(r.Blockers, other.Blockers...)
}

// work is one run of a Runner.
type work struct {
	Runner
	session Session
	result  *Result
	said    time.Time // when say last spoke
	// recalls reports whether the try at hand was recalled for those behind it, and recalled whether the last one was.
	recalls  func() bool
	recalled bool
	// warned are the transactions that were canceled because they were in the way.
	warned map[string]bool
	// canceled is the client's cancel where it could not end what was under way: it ends what comes next. nil for none.
	canceled error
	// client is whoever waits for the step at hand.
	client client
	// yielded is how often builds have given way.
	yielded int
	// helpers are the helper constraints that this run has made outside of a client's transaction and not removed yet
	helpers []helper
	// how a statement is run, when not simply by Conn
	carry func(ctx context.Context, sql string) (tag string, err error)
}

// Run carries out a plan's steps: all of them outside a transaction; in one, those that run in place. It stops at the first
// error, which is the server's own or a *Failure. Whatever happens, the session has its own settings back, no index that it
// built is left INVALID and no helper constraint that it made outside of a client's transaction is left (unless the connection is lost, or the leftover resists for
// longer than a client is to wait: then a notice says so, and a Resume removes it), and no maintenance lock is held. In a transaction an error leaves the server in a failed transaction.
//
// A plan that has a Job runs as one: what is committed when it ends early stays, and its error says how to go on.
func (r Runner) Run(ctx context.Context, plan rewrite.Plan) (Result, error) {
	if plan.Job != "" {
		return r.bulk(ctx, plan)
	}
	return r.run(ctx, plan.Steps, nil)
}

// RunStep carries out one step.
func (r Runner) RunStep(ctx context.Context, step rewrite.Step) (Result, error) {
	return r.run(ctx, []rewrite.Step{step}, nil)
}

// Undo takes back what the steps of a plan have done so far, however often the client cancels. The plan can be undone.
func (r Runner) Undo(ctx context.Context, plan rewrite.Plan) error {
	table := plan.Steps[0].Table
	if plan.Table.OID != 0 {
		table = plan.Table
	}
	table.Columns = nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.lockBudget())
	defer cancel()
	r.unasked = true
	for {
		// What is not there any more, or not yet, is nobody's business.
		err := Under(ctx, r.Conn, map[string]string{"client_min_messages": "error"}, func() error {
			_, err := r.RunStep(ctx, rewrite.Step{SQL: plan.Undo[0], Then: plan.Undo[1:], Where: rewrite.AfterCommit, Table: table, Budget: true})
			return err
		})
		if SQLState(err) != queryCanceled || ctx.Err() != nil {
			return err
		}
	}
}

func (r Runner) run(ctx context.Context, steps []rewrite.Step, carry func(context.Context, string) (string, error)) (_ Result, err error) {
	w := &work{Runner: r, result: &Result{}, said: time.Now(), carry: carry}
	if w.servants == nil {
		w.servants = &servants{}
		defer func() {
			if err == nil {
				w.servants.serve()
			}
		}()
	}
	if err := w.adopt(ctx, steps); err != nil {
		return *w.result, err
	}
	for _, step := range steps {
		err := w.canceled
		if err == nil {
			err = w.step(ctx, step)
		}
		w.meter().StepRun(err == nil)
		if err != nil {
			w.abandon(ctx, err)
			return *w.result, err
		}
		if err := w.left(ctx, step); err != nil {
			return *w.result, err
		}
		w.result.Done++
	}
	return *w.result, nil
}

func (w *work) step(ctx context.Context, step rewrite.Step) error {
	if step.Where == rewrite.InPlace && !step.Budget && step.Done == "" && len(step.Then) == 0 {
		return w.exec(ctx, step)
	}
	if err := w.readSession(ctx); err != nil {
		return err
	}
	w.client = w.whoAsks()
	inBlock := w.Options.Pipeline || w.Conn.TxStatus() != 'I'
	switch {
	case step.Where == rewrite.InPlace && inBlock:
		return w.unlessDone(ctx, step, func() error { return w.stepInBlock(ctx, step) })
	case step.Where == rewrite.InPlace && !step.Budget:
		return w.unlessDone(ctx, step, func() error {
			return w.Conn.InTx(ctx, func(ctx context.Context) error { return w.exec(ctx, step) })
		})
	case !inBlock && step.Budget && (step.Where == rewrite.InPlace || step.Client):
		// In the queue for the lock of a table that a plan works on it would hold up everyone until that plan ends.
		return w.turn(ctx, step.Table, func() error {
			return w.unlessDone(ctx, step, func() error {
				return w.helped(ctx, step, func() error { return w.stepOnTheSpot(ctx, step) })
			})
		})
	case inBlock:
		return fmt.Errorf("cannot run in a transaction: %s", brief(step.SQL))
	}
	return w.maintenance(ctx, func() error {
		return w.turn(ctx, step.Table, func() error {
			return w.unlessDone(ctx, step, func() error {
				return w.helped(ctx, step, func() error { return w.stepOfOurs(ctx, step) })
			})
		})
	})
}

func (w *work) unlessDone(ctx context.Context, step rewrite.Step, f func() error) error {
	done, err := w.done(ctx, step)
	if err != nil {
		return err
	}
	if done {
		w.found(step)
		return nil
	}
	return f()
}

// stepInBlock runs a step in the client's transaction.
func (w *work) stepInBlock(ctx context.Context, step rewrite.Step) error {
	exec := func(ctx context.Context) error { return w.exec(ctx, step) }
	switch {
	case !step.Budget:
		return exec(ctx)
	case w.Options.Pipeline:
		return w.ladder(ctx, step, false, func(ctx context.Context, timeout time.Duration) error {
			return w.locally(ctx, step, timeout, nil, nil)
		})
	}
	return w.ladder(ctx, step, !w.Options.HoldsStrong, w.inBlock(step))
}

// stepOnTheSpot runs a step of a statement that the client sent outside a transaction, under the client's own settings.
func (w *work) stepOnTheSpot(ctx context.Context, step rewrite.Step) error {
	if step.Where == rewrite.Alone {
		exec := func(ctx context.Context) error { return w.exec(ctx, step) }
		return w.ladder(ctx, step, true, w.alone(exec))
	}
	return w.ladder(ctx, step, true, w.inTransaction(step, w.Beside))
}

// stepOfOurs runs a step that the client did not send, with the settings of a plan.
func (w *work) stepOfOurs(ctx context.Context, step rewrite.Step) error {
	if err := w.same(ctx, step); err != nil {
		return err
	}
	exec := func(ctx context.Context) error {
		return w.reported(ctx, brief(step.SQL), func() error { return w.exec(ctx, step) })
	}
	switch {
	case step.Batch != nil:
		return w.fill(ctx, step)
	case step.Where == rewrite.AfterCommit:
		// A VALIDATE, too, must not wait inside the server: it would hold a snapshot that a build waits for.
		same := func(ctx context.Context) error { return w.same(ctx, step) }
		if w.carry != nil {
			return w.serving(ctx, step, func() error { return w.ladder(ctx, step, true, w.carried(same, exec)) })
		}
		try := w.inTransaction(step, same)
		return w.serving(ctx, step, func() error {
			return w.ladder(ctx, step, true, func(ctx context.Context, timeout time.Duration) error {
				return w.reported(ctx, brief(step.SQL), func() error { return try(ctx, timeout) })
			})
		})
	case step.Rebuild:
		return w.rebuild(ctx, step)
	case step.Index.Name != "" && step.Index.Drop:
		return w.drop(ctx, step)
	case step.Index.Name != "":
		return w.build(ctx, step)
	case step.Budget:
		return w.ladder(ctx, step, true, w.alone(exec))
	}
	return exec(ctx)
}

// exec runs the step's statements once. Several are in a transaction that somebody else has begun.
func (w *work) exec(ctx context.Context, step rewrite.Step) error {
	run := w.carry
	if run == nil {
		run = func(ctx context.Context, sql string) (string, error) { return w.Conn.Exec(ctx, sql) }
	}
	w.ran(step)
	for _, sql := range step.Statements() {
		tag, err := run(ctx, sql)
		if err != nil {
			return err
		}
		w.result.Tag = tag
	}
	return nil
}

// ran notes a step's statements; that it was tried again is told by Tries.
func (w *work) ran(step rewrite.Step) {
	statements := step.Statements()
	if n := len(w.result.Ran) - len(statements); n < 0 || !slices.Equal(w.result.Ran[n:], statements) {
		w.result.Ran = append(w.result.Ran, statements...)
	}
}

func (w *work) found(step rewrite.Step) {
	w.result.Found = append(w.result.Found, step.Statements()...)
}

func (w *work) notice(line string) {
	if w.Report != nil {
		w.Report.Notice(line)
	}
}
