package run

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
)

// Throttle sees from outside whether the server has room for a job's batches. Its method is called by one goroutine at a time.
type Throttle interface {
	// Reasons are why batches of the backend on the tables must wait now, a few words each; none: they need not.
	Reasons(ctx context.Context, pid int, tables []uint32) []string
	// Every is the time between two looks.
	Every() time.Duration
	// Signals are what the last reasons came from, of a fixed set of words; it is called by the same goroutine.
	Signals() []string
}

// brake holds a job back: for the server, for a person, or because its client has gone.
type brake struct {
	// wanted, millis and nice are what people want of the job now.
	wanted string
	millis *int
	nice   *float64

	mu      sync.Mutex
	reasons []string
	// signals are what the reasons come from.
	signals []string
	// since is when it began to wait; zero while it goes on.
	since time.Time
	beat  time.Time
}

// steer takes over what people want.
func (b *brake) steer(wanted revisions.Steering) {
	b.wanted, b.millis, b.nice = wanted.Wanted, wanted.TargetTime, wanted.NiceRatio
}

// target is how long a batch is to take now.
func (j *job) target() time.Duration {
	if j.millis != nil && *j.millis > 0 {
		return time.Duration(*j.millis) * time.Millisecond
	}
	return j.Options.Batch.targetTime()
}

// rest waits behind a batch that took so long.
func (j *job) rest(ctx context.Context, took time.Duration) error {
	ratio := j.Options.Batch.NiceRatio
	if j.nice != nil {
		ratio = *j.nice
	}
	return j.sleep(ctx, time.Duration(ratio*float64(took)))
}

// watch looks after the server beside the batches, from now on until stop is called. The first look is over when it returns.
func (j *job) watch(ctx context.Context) (stop func()) {
	if j.Throttle == nil {
		return func() {}
	}
	var tables []uint32
	for _, step := range j.task.Steps {
		tables = append(tables, step.Table.OID)
	}
	look := func(ctx context.Context) {
		reasons := j.Throttle.Reasons(ctx, j.session.PID, tables)
		signals := j.Throttle.Signals()
		j.mu.Lock()
		j.reasons, j.signals = reasons, signals
		j.mu.Unlock()
	}
	look(ctx)
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(j.Throttle.Every())
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				look(ctx)
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// why is why the job must wait right now, "" if it need not.
func (j *job) why() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	reasons := j.reasons
	if j.wanted == "pause" {
		reasons = append([]string{fmt.Sprintf("paused by pgsluice jobs pause, until pgsluice jobs resume %d", j.row.ID)}, reasons...)
	}
	return strings.Join(reasons, "; ")
}

// mayGoOn waits, in the server, until the next batch may run.
func (j *job) mayGoOn(ctx context.Context) error {
	for {
		switch {
		case j.wanted == "cancel":
			return &Failure{Code: queryCanceled, Message: fmt.Sprintf("pgsluice: job %d was given up with pgsluice jobs cancel", j.row.ID), Err: ErrGivenUp}
		case j.Gone != nil && !j.Options.Batch.GoOnAlone && j.Gone():
			return &Failure{Code: "08006", Message: "pgsluice: the client has gone"} // connection_failure
		}
		why := j.why()
		if why == "" {
			if !j.since.IsZero() {
				waited := time.Since(j.since)
				j.result.Waited += waited
				j.notice(fmt.Sprintf("pgsluice: going on after waiting %s", waited.Round(time.Second/10)))
				j.since = time.Time{}
				return j.alive(ctx, "")
			}
			return nil
		}
		if j.since.IsZero() {
			j.since, j.noticed, j.beat = time.Now(), time.Now(), time.Time{}
			j.notice("pgsluice: waiting: " + why)
		}
		if waited := time.Since(j.since); waited > j.Options.Batch.maxThrottled() {
			return &Failure{Code: jobStopped, Message: fmt.Sprintf("pgsluice: stopped after waiting %s: %s", waited.Round(time.Second), why)}
		}
		if time.Since(j.noticed) >= j.Options.Batch.noticeEvery() {
			j.noticed = time.Now()
			j.notice(j.progress(time.Since(j.began)) + "; waiting: " + why)
		}
		if time.Since(j.beat) >= beatEvery {
			if err := j.alive(ctx, why); err != nil {
				return err
			}
		}
		began, because := time.Now(), j.because()
		err := j.sleep(ctx, slice)
		for _, signal := range because {
			j.meter().Throttled(signal, time.Since(began))
		}
		if err != nil {
			return err
		}
	}
}

// because are the signals for which the job must wait right now.
func (j *job) because() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	signals := slices.Clone(j.signals)
	if j.wanted == "pause" {
		signals = append(signals, "pause")
	}
	return signals
}

// alive gives a sign of life, and hears what people want. A control connection that fails is no reason to end: the next batch needs none.
func (j *job) alive(ctx context.Context, why string) error {
	if j.jobs == nil {
		return nil
	}
	j.beat = time.Now()
	wanted, err := j.jobs.BeatJob(ctx, j.row.ID, j.by, why)
	if err == nil {
		j.steer(wanted)
	}
	return ctx.Err()
}
