package run

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Watch sees from outside what holds up the connection that a plan runs on. Without one (nil) a plan runs the same and says less.
// It is safe for concurrent use.
type Watch interface {
	// Contention is what the backend waits for right now, and who is in its way.
	Contention(ctx context.Context, pid int) (Contention, error)
	// Progress is how far the index is that the backend builds; the zero Progress when it builds none.
	Progress(ctx context.Context, pid int) (Progress, error)
	// Busy are the locks on a table that keep a SHARE UPDATE EXCLUSIVE lock away, held or awaited by others than the backend pid, between the tries of a
	// plan, too; autovacuum, which gives way, is left out.
	Busy(ctx context.Context, pid int, table uint32) ([]Blocker, error)
	// Old are the transactions that have been open for so long and that a concurrent build by the backend pid on the table would wait for: those that
	// hold a snapshot, or a lock of writers on the table. Who waits for the backend itself is left out.
	Old(ctx context.Context, pid int, table uint32, open time.Duration) ([]Blocker, error)
	// Recall cancels what the backend does if it still waits for the lock of a relation, and reports whether it was canceled.
	Recall(ctx context.Context, pid int) (bool, error)
	// Yield cancels what the backend does if it waits for somebody who waits in turn for the lock of the table that it has, and reports whether it was canceled.
	Yield(ctx context.Context, pid int, table uint32) (bool, error)
	// GiveWay cancels an autovacuum worker that the server would cancel for whoever waits longer than deadlock_timeout, if it is still in the
	// transaction in which it was in the way, and reports whether it did.
	GiveWay(ctx context.Context, worker Blocker) (bool, error)
	// End cancels a blocker of the backend, or terminates it, unless it is one that is never to be ended, and reports whether it did.
	End(ctx context.Context, pid int, blocker Blocker, terminate bool) (bool, error)
}

// Progress is how far a build is.
type Progress struct {
	// Phase is the server's word for it; "" for no build.
	Phase string
	// Done is the part of the phase that is done, from 0 to 1; nil if its length is not known.
	Done *float64
	// Waits says who is waited for; "" for nobody.
	Waits string
}

// String is one line for a person, "" for no build.
func (p Progress) String() string {
	line := p.Phase
	if p.Done != nil && p.Waits == "" {
		line += fmt.Sprintf(", %.0f %%", math.Floor(100**p.Done))
	}
	if p.Waits != "" {
		line += ", " + p.Waits
	}
	return line
}

// patience bounds one look from the control connection: a plan must not hang on it.
const patience = 5 * time.Second

var (
	//go:embed contention.sql
	contentionSQL string
	//go:embed progress.sql
	progressSQL string
	//go:embed busy.sql
	busySQL string
	//go:embed old.sql
	oldSQL string
	//go:embed recall.sql
	recallSQL string
	//go:embed giveway.sql
	giveWaySQL string
	//go:embed end.sql
	endSQL string
)

// watch is a Watch over connections that are lent for one look each.
type watch struct {
	lend func(context.Context) (conn Conn, release func(), err error)
}

// NewWatch makes a Watch that borrows a connection to the plan's database for each look. Without pg_read_all_stats that
// login sees less of the others.
func NewWatch(lend func(context.Context) (conn Conn, release func(), err error)) Watch {
	return watch{lend}
}

func (w watch) Contention(ctx context.Context, pid int) (Contention, error) {
	rows, err := w.look(ctx, contentionSQL, strconv.Itoa(pid))
	if err != nil || len(rows) == 0 {
		return Contention{}, err
	}
	var c Contention
	if err := json.Unmarshal([]byte(rows[0]), &c); err != nil {
		return Contention{}, fmt.Errorf("cannot read who blocks: %w", err)
	}
	return c, nil
}

func (w watch) Progress(ctx context.Context, pid int) (Progress, error) {
	rows, err := w.look(ctx, progressSQL, strconv.Itoa(pid))
	if err != nil || len(rows) == 0 {
		return Progress{}, err
	}
	var p Progress
	if err := json.Unmarshal([]byte(rows[0]), &p); err != nil {
		return Progress{}, fmt.Errorf("cannot read the progress of a build: %w", err)
	}
	return p, nil
}

func (w watch) Busy(ctx context.Context, pid int, table uint32) ([]Blocker, error) {
	rows, err := w.look(ctx, busySQL, busyArgs(pid, table)...)
	if err != nil {
		return nil, err
	}
	return blockers(rows)
}

func (w watch) Old(ctx context.Context, pid int, table uint32, open time.Duration) ([]Blocker, error) {
	rows, err := w.look(ctx, oldSQL, strconv.Itoa(pid), strconv.FormatUint(uint64(table), 10), strconv.FormatFloat(open.Seconds(), 'f', -1, 64))
	if err != nil {
		return nil, err
	}
	return blockers(rows)
}

func (w watch) Recall(ctx context.Context, pid int) (bool, error) {
	return w.signal(ctx, recallSQL, strconv.Itoa(pid))
}

func (w watch) Yield(ctx context.Context, pid int, table uint32) (bool, error) {
	return w.signal(ctx, yieldSQL, strconv.Itoa(pid), strconv.FormatUint(uint64(table), 10), awaitClass)
}

func (w watch) GiveWay(ctx context.Context, worker Blocker) (bool, error) {
	return w.signal(ctx, giveWaySQL, strconv.Itoa(worker.PID), worker.Transaction)
}

func (w watch) End(ctx context.Context, pid int, blocker Blocker, terminate bool) (bool, error) {
	return w.signal(ctx, endSQL, strconv.Itoa(pid), strconv.Itoa(blocker.PID), blocker.Transaction, maintenanceClass, strconv.FormatBool(terminate))
}

// signal asks the server to signal a backend, and reports whether it did.
func (w watch) signal(ctx context.Context, sql string, args ...string) (bool, error) {
	rows, err := w.look(ctx, sql, args...)
	return err == nil && slices.Contains(rows, "t"), err
}

func (w watch) look(ctx context.Context, sql string, args ...string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, release, err := w.lend(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	return conn.Query(ctx, sql, args...)
}

func busyArgs(pid int, table uint32) []string {
	return []string{strconv.Itoa(pid), strconv.FormatUint(uint64(table), 10), maintenanceClass, awaitClass}
}

func blockers(rows []string) ([]Blocker, error) {
	found := make([]Blocker, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal([]byte(row), &found[i]); err != nil {
			return nil, fmt.Errorf("cannot read who blocks: %w", err)
		}
	}
	return found, nil
}

// busy asks the control connection, and without one the plan's own, which sees the locks but not always whose they are.
func (w *work) busy(ctx context.Context, table uint32) ([]Blocker, error) {
	if w.Watch != nil {
		if found, err := w.Watch.Busy(ctx, w.session.PID, table); err == nil {
			return found, nil
		}
	}
	rows, err := w.Conn.Query(ctx, busySQL, busyArgs(w.session.PID, table)...)
	if err != nil {
		return nil, err
	}
	return blockers(rows)
}

// progress is one line for a person who waits.
func (w *work) progress(ctx context.Context, step string, running time.Duration) string {
	line := fmt.Sprintf("pgsluice: still running after %s: %s", running.Round(time.Second), step)
	if w.Watch == nil {
		return line
	}
	if p, err := w.Watch.Progress(ctx, w.session.PID); err == nil && p.Phase != "" {
		done := 0.0
		if p.Done != nil {
			done = *p.Done
		}
		w.meter().Building(w.session.PID, p.Phase, done)
		return fmt.Sprintf("%s (%s)", line, p)
	}
	if c, err := w.Watch.Contention(ctx, w.session.PID); err == nil && len(c.Blockers) > 0 {
		return line + " (waiting for " + c.Blockers[0].brief() + ")"
	}
	return line
}
