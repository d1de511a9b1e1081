package run

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/rewrite"
)

// The server finds a deadlock only when each side of it waits inside the server for longer than deadlock_timeout. A plan waits in short tries with pauses between
// them, so that it has to look itself whether whoever is in its way waits for it in turn. Concurrent builds do that most of all: where a plain build waits behind
// a transaction that holds nothing yet, a concurrent one has a lock on the table already while it waits for the transaction to end. Nobody is to fail for
// that who would not have failed without us: our build gives way.

// awaitClass is the first key of the advisory locks by which a transaction tells that it waits between its tries for the lock of a table; the second is the
// table's OID. It spells "pgsw". They are shared, and the transaction's.
const awaitClass = "1885827959"

const (
	// yields is how often the builds of a plan give way. A build that does not end then is not the one to blame.
	yields = 5
	// cycleEvery is how often, at least, a plan that pauses looks whether it waits for somebody who waits for it.
	cycleEvery = 500 * time.Millisecond
	// cyclePatience is how long a plan of ours has to give way.
	cyclePatience = 10 * time.Second
)

var (
	//go:embed cycle.sql
	cycleSQL string
	//go:embed yield.sql
	yieldSQL string
)

// await tells the builds of others, in the client's transaction, what it waits for from now on: to look for that in the moment of a try is to miss it.
func (w *work) await(ctx context.Context, step rewrite.Step) error {
	if w.Conn.TxStatus() != 'T' {
		return nil // between two tries it holds nothing, and has no turn of others' to fear
	}
	for _, table := range tables(step) {
		if _, err := w.Conn.Exec(ctx, `SELECT pg_catalog.pg_try_advisory_xact_lock_shared($1::pg_catalog.int4, $2::pg_catalog.int4)`,
			awaitClass, advisoryKey(table)); err != nil {
			return err
		}
	}
	return nil
}

// tables are the OIDs of the relations that a step locks, as far as they are known.
func tables(step rewrite.Step) (oids []uint32) {
	for _, target := range targetsOf(step) {
		oids = append(oids, target.OID)
	}
	return oids
}

// cycle is what a plan that waits for a lock knows of those who wait for it.
type cycle struct {
	step   rewrite.Step
	looked time.Time // when it looked last
	// since is when each of those that it saw then was first seen, look after look.
	since map[waiter]time.Time
}

// waiter is a transaction that waits for this session.
type waiter struct {
	pid         int
	transaction string
}

// check fails, with a *Failure, if one of those in the way waits for this very session, and has done so for as long as the server leaves a deadlock alone, which
// is what it would call it if it saw both waits. One look proves nothing: the locks of many sessions are not read in one moment, and a wait may be just about
// to end.
func (c *cycle) check(ctx context.Context, w *work, seen Contention) error {
	patience := min(w.session.DeadlockTimeout, w.lockBudget()/2)
	if time.Since(c.looked) < min(cycleEvery, patience) {
		return nil
	}
	found, err := w.waitingForUs(ctx, c.step, seen)
	if err != nil {
		return err
	}
	c.looked = time.Now()
	before := c.since
	c.since = map[waiter]time.Time{}
	stay := slices.DeleteFunc(found, func(b Blocker) bool {
		who := waiter{b.PID, b.Transaction}
		first, again := before[who]
		if !again {
			first = c.looked
		}
		c.since[who] = first
		enough := patience
		if b.Maintenance { // it may still give way
			enough = min(cyclePatience, w.lockBudget()/2)
		}
		return !again || c.looked.Sub(first) < enough
	})
	if len(stay) == 0 {
		return nil
	}
	return w.deadlocked(ctx, c.step, stay)
}

// waitingForUs are those in the way that wait for this session.
func (w *work) waitingForUs(ctx context.Context, step rewrite.Step, seen Contention) ([]Blocker, error) {
	var transactions, oids []string
	for _, b := range seen.Blockers {
		if b.Behind == 0 && b.Transaction != "" {
			transactions = append(transactions, b.Transaction)
		}
	}
	for _, oid := range tables(step) {
		oids = append(oids, strconv.FormatUint(uint64(oid), 10))
	}
	if len(transactions)+len(oids) == 0 {
		return nil, nil
	}
	rows, err := w.Conn.Query(ctx, cycleSQL, "{"+strings.Join(transactions, ",")+"}", "{"+strings.Join(oids, ",")+"}", maintenanceClass)
	if err != nil {
		return nil, err
	}
	return blockers(rows)
}

// deadlocked is the failure of a step whose lock can never be had while this session holds what it holds.
func (w *work) deadlocked(ctx context.Context, step rewrite.Step, found []Blocker) error {
	found = w.readable(ctx, found)
	w.note(found)
	ours, end := "session", "end what it waits for"
	if w.Conn.TxStatus() == 'T' {
		ours, end = "transaction", "roll back"
	}
	if err := w.failBlock(ctx); err != nil {
		return err
	}
	return &Failure{
		Code: deadlockDetected,
		Message: fmt.Sprintf("pgsluice: the lock of %s and %s wait for each other: it is in the way, and waits for this %s; %s, and run it again",
			brief(step.SQL), found[0].brief(), ours, end),
		Detail: detail(found),
	}
}

// errYielded is the end of a build that was cancelled because somebody else could not go on.
var errYielded = errors.New("it gave way to a transaction that it would have waited for in vain")

// yielding runs one concurrent build, or whatever else waits for transactions while it has a lock on the table, and cancels it when such a transaction waits for
// that lock: often enough to be ahead of the server, which would end one of the two.
func (w *work) yielding(ctx context.Context, table rewrite.Target, f func() error) error {
	if w.Watch == nil || table.OID == 0 || w.yielded >= yields {
		return f()
	}
	finished, watched := make(chan struct{}), make(chan struct{})
	gaveWay := false
	go func() {
		defer close(watched)
		gaveWay = w.watchCycle(ctx, table, finished)
	}()
	err := f()
	close(finished)
	<-watched
	if !gaveWay || SQLState(err) != queryCanceled {
		return err
	}
	w.yielded++
	w.notice(fmt.Sprintf("pgsluice: work on %s stands back for a transaction that waits for its lock, and is begun again", quote(table.Schema, table.Name)))
	return fmt.Errorf("%w: %w", errYielded, err)
}

// watchCycle looks until it is finished, and reports whether it has cancelled what the plan does.
func (w *work) watchCycle(ctx context.Context, table rewrite.Target, finished <-chan struct{}) bool {
	every := cycleEvery
	if limit := w.session.DeadlockTimeout / 3; limit > 0 {
		every = min(every, max(limit, shortestPause))
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-finished:
			return false
		case <-ticker.C:
		}
		// Who may not cancel leaves it to the other side, which fails.
		if gaveWay, err := w.Watch.Yield(ctx, w.session.PID, table.OID); gaveWay && err == nil {
			return true
		}
	}
}
