package run

import (
	"context"
	"strconv"
	"time"
)

// slice is how long one statement that only waits may take.
const slice = 200 * time.Millisecond

// sleep waits in the server on the plan's own connection, so that a cancel through any proxy ends it with 57014.
func (w *work) sleep(ctx context.Context, d time.Duration) error {
	longest := slice
	if own := w.session.StatementTimeout; own > 0 {
		longest = max(min(longest, own/2), time.Millisecond)
	}
	for ; d > 0; d -= longest {
		length := strconv.FormatFloat(min(d, longest).Seconds(), 'f', -1, 64)
		if _, err := w.Conn.Query(ctx, `SELECT pg_catalog.pg_sleep($1::pg_catalog.float8)`, length); err != nil {
			return err
		}
	}
	return nil
}

// poll asks until the answer is yes, and reports whether it came within the budget. Every now and then it tells whoever waits why;
// say may be nil.
func (w *work) poll(ctx context.Context, budget time.Duration, say func() string, ask func() (bool, error)) (bool, error) {
	for start := time.Now(); ; {
		yes, err := ask()
		if yes || err != nil {
			return yes, err
		}
		if time.Since(start)+slice > budget {
			return false, nil
		}
		w.say(say)
		if err := w.sleep(ctx, slice); err != nil {
			return false, err
		}
		w.result.Waited += slice
	}
}

// client is whoever waits for a step. The zero client is nobody.
type client struct {
	gone     func() bool   // nil: never
	patience time.Duration // 0: without end
}

// whoAsks is who waits for the step at hand. What was promised is done for nobody in particular.
func (w *work) whoAsks() client {
	if w.unasked || w.Promise != 0 {
		return client{}
	}
	c := client{gone: w.Gone}
	for _, own := range []time.Duration{w.session.StatementTimeout, w.session.TransactionTimeout} {
		if own > 0 && (c.patience == 0 || own < c.patience) {
			c.patience = own
		}
	}
	return c
}

// check fails when nobody waits any more.
func (c client) check() error {
	if c.gone != nil && c.gone() {
		return &Failure{Code: "08006", Message: "pgsluice: the client has gone"} // connection_failure
	}
	return nil
}

// unwatched makes what follows a matter of ours, as a clean-up is, until the result is called.
func (w *work) unwatched() (asked func()) {
	before := w.client
	w.client = client{}
	return func() { w.client = before }
}

// wait is poll for what a step needs before it begins: no longer than its client lets it, and only while that is there.
func (w *work) wait(ctx context.Context, say func() string, ask func() (bool, error)) (bool, error) {
	return w.poll(ctx, w.turnBudget(), say, func() (bool, error) {
		if err := w.client.check(); err != nil {
			return false, err
		}
		return ask()
	})
}

// turnBudget is how long a step may wait for its turn.
func (w *work) turnBudget() time.Duration {
	budget := w.Options.turnBudget()
	if w.client.patience > 0 {
		budget = min(budget, w.client.patience)
	}
	return budget
}

// say tells whoever waits for the plan one line, but not more often than they want to hear.
func (w *work) say(line func() string) {
	if w.Report == nil || time.Since(w.said) < w.Options.noticeEvery() {
		return
	}
	w.said = time.Now()
	w.Report.Notice(line())
}

// reported runs one long statement while it tells whoever waits how far it is, as the control connection sees it.
func (w *work) reported(ctx context.Context, step string, f func() error) error {
	if w.Report == nil && w.Meter == nil {
		return f()
	}
	defer w.meter().Building(w.session.PID, "", 0)
	finished, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		ticker := time.NewTicker(w.Options.noticeEvery())
		defer ticker.Stop()
		for start := time.Now(); ; {
			select {
			case <-finished:
				return
			case <-ticker.C:
				w.notice(w.progress(ctx, step, time.Since(start)))
			}
		}
	}()
	err := f()
	close(finished)
	<-told
	return err
}
