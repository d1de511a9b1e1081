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
