package run

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgsluice/pgsluice/rewrite"
)

// The pauses between tries grow between the first two; in a stream of transactions, where only a try that happens to meet the end of them all gets through,
// up to streamPause. One in which the blocker's transaction goes on lasts until that has ended, but no longer than blockerPatience: another try tells
// whether it is still in the way. In a stream it lasts until one of them has ended, which is looked for every streamLook: the next may begin at once.
const (
	shortestPause   = 100 * time.Millisecond
	longestPause    = 2 * time.Second
	streamPause     = 500 * time.Millisecond
	streamLook      = 50 * time.Millisecond
	blockerPatience = 10 * time.Second
)

// An autovacuum that the control login may not cancel is waited for one part in vacuumPatience of the budget before the server is made to cancel it, for which all
// have to wait; when that was in vain, twice as long before it is again.
const vacuumPatience = 20

// once is one try of a step under a lock_timeout. When that ends it, nothing of the try is left.
type once func(ctx context.Context, timeout time.Duration) error

// ladder takes the lock of a step that others would queue behind: short tries, pauses in which the others get through, and an
// end. Only autovacuum, which gives way after deadlock_timeout, is waited for longer than that; again is false where a pause would
// itself keep others waiting.
func (w *work) ladder(ctx context.Context, step rewrite.Step, again bool, try once) error {
	var (
		start   = time.Now()
		seen    Contention
		earlier []Blocker // of the try before
		stream  bool      // whether others were in the way then than before that
		behind  bool      // whether anybody was seen to wait behind a try
		pause   = shortestPause
		circle  = cycle{step: step}
		forced  = start // when autovacuum was made to give way
		bearing = w.lockBudget() / vacuumPatience
	)
	for n := 0; ; n++ {
		tried := time.Now()
		left := w.lockBudget() - tried.Sub(start)
		force := again && seen.yields() && tried.Sub(forced) > bearing && w.vacuumTry() <= left
		timeout := w.timeout(n, again, stream, behind)
		if force || again && seen.yields() && !behind && n%(rungs+1) == rungs && w.vacuumTry() <= left {
			timeout = w.notLonger(w.vacuumTry())
		}
		w.recalled = false
		var met Contention
		err := w.sampled(ctx, timeout, again && !force, &met, try)
		if force {
			forced, bearing = time.Now(), 2*bearing
		}
		w.result.Tries++
		w.note(met.Blockers)
		if len(met.Blockers) > 0 {
			seen, behind = met, behind || met.Queue > 0
		}
		deadlock := SQLState(err) == deadlockDetected && again && w.Conn.TxStatus() == 'I'
		if !w.inVain(err) && !deadlock {
			w.result.Waited += tried.Sub(start)
			w.meter().LockTried(n+1, tried.Sub(start), err == nil)
			return err
		}
		outlast := met
		if earlier != nil {
			outlast.Blockers = stillThere(met.Blockers, earlier)
		}
		stream = earlier != nil && len(outlast.Blockers) == 0
		if len(met.Blockers) > 0 {
			earlier = met.Blockers
		}
		if stream {
			pause, outlast = min(pause, streamPause), met
		}
		jittered := time.Duration(float64(pause) * (0.5 + rand.Float64()))
		if !again || time.Since(start)+jittered > w.lockBudget() {
			w.result.Waited += time.Since(start)
			w.meter().LockTried(n+1, time.Since(start), false)
			return w.gaveUp(ctx, step, n+1, time.Since(start), seen, err)
		}
		if n == 0 {
			if err := w.await(ctx, step); err != nil {
				return err
			}
		}
		w.unblock(ctx, n+1, &seen)
		most := min(blockerPatience, w.lockBudget()-time.Since(start))
		if seen.yields() {
			most = min(most, bearing-time.Since(forced))
		}
		look := func() error { return circle.check(ctx, w, seen) }
		say := func() string { return "pgsluice: waiting for the lock of " + brief(step.SQL) + blockedBy(seen) }
		if err := w.pause(ctx, jittered, most, outlast, stream, look, say); err != nil {
			return err
		}
		w.makeWay(ctx, &seen)
		pause = min(2*pause, longestPause)
	}
}

// stillThere are those that were in the way before already, by the same transaction.
func stillThere(now, before []Blocker) []Blocker {
	return slices.DeleteFunc(slices.Clone(now), func(b Blocker) bool {
		return b.Behind != 0 || !slices.ContainsFunc(before, func(was Blocker) bool { return was.PID == b.PID && was.Transaction == b.Transaction })
	})
}

// pause lets the others through, for so long at least. While a transaction that was in the way goes on, another try would only hold them up
// again; so it is waited for, without being in the queue, most at the longest. In a stream, where there is always another, the end of one of them is
// the moment to try. look may end the wait.
func (w *work) pause(ctx context.Context, least, most time.Duration, seen Contention, stream bool, look func() error, say func() string) error {
	began, length, before := time.Now(), least, 0
	for {
		if w.canceled != nil {
			return w.canceled
		}
		if err := w.client.check(); err != nil {
			return err
		}
		if err := look(); err != nil {
			return err
		}
		w.say(say)
		if err := w.sleep(ctx, length); err != nil {
			return err
		}
		goOn, err := w.goOn(ctx, seen.Blockers)
		if err != nil || goOn == 0 || stream && goOn < before || time.Since(began) > most {
			return err
		}
		before, length = goOn, shortestPause
		if stream {
			length = streamLook
		}
	}
}

// goOn counts the blockers that are still in the transaction in which they were one. Where others are in the way, too, autovacuum does not
// count: it can be made to give way.
func (w *work) goOn(ctx context.Context, found []Blocker) (int, error) {
	var transactions []string
	onlyVacuum := Contention{Blockers: found}.yields()
	for _, b := range found {
		if b.Transaction != "" && b.Behind == 0 && (onlyVacuum || !b.Autovacuum || b.Wraparound) {
			transactions = append(transactions, b.Transaction)
		}
	}
	if len(transactions) == 0 {
		return 0, nil
	}
	rows, err := w.Conn.Query(ctx, `SELECT DISTINCT l.virtualtransaction FROM pg_catalog.pg_locks AS l WHERE l.locktype OPERATOR(pg_catalog.=) 'virtualxid'
		AND l.virtualtransaction OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[])`, "{"+strings.Join(transactions, ",")+"}")
	return len(rows), err
}

// rungs is how many tries grow in length before those of the longest.
const rungs = 5

// timeout is the lock_timeout of the n-th try. A stream is waited for no longer than others can bear again and again. Where somebody was seen behind an earlier
// try the server itself ends each that they would have to wait too long for: a recall can come late on a busy machine.
func (w *work) timeout(n int, again, stream, behind bool) time.Duration {
	longest := w.Options.longestTry()
	growing := [rungs]time.Duration{1, 2, 2, 4, 4} // times the first
	rung := longest
	if stream {
		rung = min(longest, growing[rungs-1]*w.Options.firstTry())
	}
	if step := n % (rungs + 1); again && step < rungs {
		rung = min(growing[step]*w.Options.firstTry(), longest)
	}
	if again && behind {
		rung = min(rung, w.Options.maxQueueWait())
	}
	return w.notLonger(rung)
}

// vacuumTry is how long a try must last for the server to cancel an autovacuum that is in the way.
func (w *work) vacuumTry() time.Duration { return w.session.DeadlockTimeout * 12 / 10 }

// notLonger is a lock_timeout of ours as the session lets it be: a shorter one of its own is kept; one that reached statement_timeout would hide what failed.
func (w *work) notLonger(timeout time.Duration) time.Duration {
	if own := w.session.LockTimeout; own > 0 {
		timeout = min(timeout, own)
	}
	for _, own := range []time.Duration{w.session.StatementTimeout, w.session.TransactionTimeout} {
		if own > 0 {
			timeout = min(timeout, own*9/10)
		}
	}
	return max(timeout, time.Millisecond) // 0 would be no timeout at all
}

// lockBudget is how long a step may try in total: no longer than the session lets a statement run, or a transaction be open.
func (w *work) lockBudget() time.Duration {
	budget := w.Options.lockBudget()
	for _, own := range []time.Duration{w.session.StatementTimeout, w.session.TransactionTimeout} {
		if own > 0 {
			budget = min(budget, own)
		}
	}
	return budget
}

// inVain reports whether a try has ended without the lock: by its timeout, or because we have recalled it.
func (w *work) inVain(err error) bool {
	return SQLState(err) == lockNotAvailable || w.recalled && SQLState(err) == queryCanceled
}

// makeWay has autovacuum that is in the way cancelled at once, which the server does only for whoever waits for deadlock_timeout, with everybody
// behind it. A login that may not do it leaves that to the long try.
func (w *work) makeWay(ctx context.Context, seen *Contention) {
	if w.Watch == nil {
		return
	}
	seen.Blockers = slices.DeleteFunc(slices.Clone(seen.Blockers), func(b Blocker) bool {
		if !b.Autovacuum || b.Wraparound {
			return false
		}
		_, err := w.Watch.GiveWay(ctx, b)
		return err == nil // it went, or had gone by itself
	})
}

// sampled runs one try and looks, shortly before its timeout would end it, who is in the way: afterwards nobody can tell. A polite one that may last
// longer than others are to wait behind it is recalled when the first of them has.
func (w *work) sampled(ctx context.Context, timeout time.Duration, polite bool, seen *Contention, try once) error {
	w.recalls = func() bool { return false }
	if w.Watch == nil {
		return try(ctx, timeout)
	}
	var (
		finished, looked = make(chan struct{}), make(chan struct{})
		looking, enough  = context.WithCancel(ctx)
		recalled         bool
	)
	defer enough()
	go func() {
		defer close(looked)
		recalled = w.observe(ctx, looking, timeout, polite, seen, finished)
	}()
	stop := sync.OnceFunc(func() { close(finished); <-looked })
	w.recalls = func() bool { stop(); return recalled }
	err := try(ctx, timeout)
	if err == nil {
		enough() // who was in the way does not matter any more, and in a transaction others wait for what comes next
	}
	w.recalled = w.recalls()
	return err
}

// observe watches one try until it is finished, and reports whether it has recalled it. It looks under a context of its own: a recall, once begun, is never
// cut short, or it could hit what comes next.
func (w *work) observe(ctx, looking context.Context, timeout time.Duration, polite bool, seen *Contention, finished <-chan struct{}) (recalled bool) {
	most := w.Options.maxQueueWait()
	polite = polite && timeout > most
	first, step := timeout*6/10, timeout
	if polite {
		first, step = min(first, most/2), max(most/8, time.Millisecond)
	}
	var queue time.Time // when others were first seen behind us
	timer := time.NewTimer(first)
	defer timer.Stop()
	for {
		select {
		case <-finished:
			return false
		case <-timer.C:
		}
		now, err := w.Watch.Contention(looking, w.session.PID)
		if err == nil && len(now.Blockers) > 0 {
			*seen = now
		}
		if !polite {
			return false
		}
		switch {
		case err != nil || now.Queue == 0:
			queue = time.Time{}
		case queue.IsZero():
			queue = time.Now().Add(-seconds(now.Queued))
		}
		if !queue.IsZero() && time.Since(queue) >= most-step && looking.Err() == nil {
			recalled, err = w.Watch.Recall(ctx, w.session.PID)
			if recalled || err != nil {
				return recalled // Who may not cancel leaves it to the timeout.
			}
		}
		timer.Reset(step)
	}
}

// inTransaction tries a step in a transaction of ours, behind what is to be done beside it, nil for nothing.
//
// From the moment the lock is taken others wait, so the statements and the COMMIT go to the server in one round trip, and all else goes before them.
func (w *work) inTransaction(step rewrite.Step, beside func(context.Context) error) once {
	return func(ctx context.Context, timeout time.Duration) error {
		err := w.committed(ctx, step, timeout, beside)
		if err == nil || w.Conn.TxStatus() == 'I' {
			return err
		}
		if lost := w.persist(ctx, func(ctx context.Context) error { _, err := w.Conn.Exec(ctx, "ROLLBACK"); return err }); lost != nil {
			return lost
		}
		return err
	}
}

func (w *work) committed(ctx context.Context, step rewrite.Step, timeout time.Duration, beside func(context.Context) error) error {
	chain := []string{"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", trySettings(timeout)}
	if beside != nil {
		if _, err := w.Conn.Chain(ctx, chain...); err != nil {
			return err
		}
		if err := beside(ctx); err != nil {
			return err
		}
		chain = nil
	}
	w.ran(step)
	chain = append(chain, step.Statements()...)
	last := len(chain) - 1
	tags, err := w.Conn.Chain(ctx, append(chain, "COMMIT")...)
	if err == nil && last < len(tags) {
		w.result.Tag = tags[last]
	}
	return err
}

// trySettings are those of a transaction of ours. A session that only reads must not write because the transaction is ours.
func trySettings(timeout time.Duration) string {
	return fmt.Sprintf(`SELECT pg_catalog.set_config('lock_timeout', '%s', true),
		pg_catalog.set_config('transaction_read_only', pg_catalog.current_setting('default_transaction_read_only'), true)`, milliseconds(timeout))
}

// carried tries a step that is run in a way of its own, in a transaction of ours.
func (w *work) carried(before, exec func(context.Context) error) once {
	return func(ctx context.Context, timeout time.Duration) error {
		return w.Conn.InTx(ctx, func(ctx context.Context) error {
			if _, err := w.Conn.Exec(ctx, trySettings(timeout)); err != nil {
				return err
			}
			if err := before(ctx); err != nil {
				return err
			}
			return exec(ctx)
		})
	}
}

// inBlock tries a step in the client's transaction, behind a savepoint of ours, which when the lock is not to be had gives back
// what the try took.
//
// From the moment the lock is taken others wait, so everything goes to the server in one round trip.
func (w *work) inBlock(step rewrite.Step) once {
	return func(ctx context.Context, timeout time.Duration) error {
		err := w.locally(ctx, step, timeout, []string{"SAVEPOINT pgsluice"}, []string{"RELEASE SAVEPOINT pgsluice"})
		if SQLState(err) == lockNotAvailable || SQLState(err) == queryCanceled && w.recalls() {
			if _, failed := w.Conn.Chain(ctx, "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"); failed != nil {
				return failed
			}
		}
		return err
	}
}

// locally runs a step between two others, under a lock_timeout of the surrounding transaction's, and puts the session's own back. After
// an error there is nothing to put back: the transaction, or the savepoint, takes it along.
func (w *work) locally(ctx context.Context, step rewrite.Step, timeout time.Duration, before, behind []string) error {
	set := func(d time.Duration) string {
		return fmt.Sprintf("SELECT pg_catalog.set_config('lock_timeout', '%s', true)", milliseconds(d))
	}
	w.ran(step)
	statements := append(before, set(timeout))
	first := len(statements)
	statements = append(statements, step.Statements()...)
	last := len(statements) - 1
	tags, err := w.Conn.Chain(ctx, append(append(statements, set(w.session.LockTimeout)), behind...)...)
	if err == nil && last < len(tags) && first <= last {
		w.result.Tag = tags[last]
	}
	return err
}

// alone tries a step that must be outside any transaction.
func (w *work) alone(exec func(context.Context) error) once {
	return func(ctx context.Context, timeout time.Duration) error {
		return w.under(ctx, map[string]string{"lock_timeout": milliseconds(timeout)}, func() error { return exec(ctx) })
	}
}

// gaveUp says what was waited for, how long, and who was in the way. In a transaction the server is made to fail too, so that
// client and server agree that it failed.
func (w *work) gaveUp(ctx context.Context, step rewrite.Step, tries int, waited time.Duration, seen Contention, cause error) error {
	seen.Blockers = w.readable(ctx, seen.Blockers)
	w.note(seen.Blockers)
	if err := w.failBlock(ctx); err != nil {
		return err
	}
	lock := "the lock of " + brief(step.SQL)
	if seen.Relation != "" {
		lock = seen.Mode + " on " + seen.Relation
	}
	return &Failure{
		Code: lockNotAvailable,
		Message: fmt.Sprintf("pgsluice: %s was not to be had within %s (%s)%s", lock, waited.Round(time.Second/10),
			plural(tries, "try", "tries"), blockedBy(seen)),
		Detail: detail(seen.Blockers) + queued(seen.Queue),
		Hint:   advice(seen.Blockers),
		Err:    cause,
	}
}

// failBlock makes the server fail the client's transaction, where there is one.
func (w *work) failBlock(ctx context.Context) error {
	if w.Conn.TxStatus() != 'T' || w.Options.Pipeline {
		return nil
	}
	if _, err := w.Conn.Exec(ctx, "SELECT 1 OPERATOR(pg_catalog./) 0"); err == nil || SQLState(err) == "" {
		return errors.Join(errors.New("cannot fail the transaction"), err)
	}
	return nil
}

// brief is a statement for one line of a message.
func brief(sql string) string {
	line := strings.Join(strings.Fields(sql), " ")
	if runes := []rune(line); len(runes) > 100 {
		return string(runes[:100]) + "…"
	}
	return line
}
