package run

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Watch sees from outside what holds up the connection that a plan runs on. Without one (nil) a plan runs the same and says less.
// It is safe for concurrent use.
type Watch interface {
	// Contention is what the backend waits for right now, and who is in its way.
	Contention(ctx context.Context, pid int) (Contention, error)
	// Progress is one line about the index that the backend builds; "" when it builds none.
	Progress(ctx context.Context, pid int) (string, error)
	// Busy are the locks on a table that keep a SHARE UPDATE EXCLUSIVE lock away, held or awaited by others than the backend pid;
	// autovacuum, which gives way, is left out.
	Busy(ctx context.Context, pid int, table uint32) ([]Blocker, error)
}

// Contention is what a backend waits for and who is in its way.
type Contention struct {
	// Relation and Mode are the lock that it waits for; "" when it waits for no relation.
	Relation, Mode string
	// Queue counts the others that wait for the same relation.
	Queue    int
	Blockers []Blocker
}

// Blocker is a session that is in the way.
type Blocker struct {
	// PID is 0 for a prepared transaction.
	PID   int    `json:"pid"`
	User  string `json:"user"`
	State string `json:"state"`
	// Transaction is its virtual transaction id while it is in one, as pg_locks has it; "" if that was not asked.
	Transaction string `json:"transaction"`
	// Seconds is the age of its transaction.
	Seconds float64 `json:"seconds"`
	// Mode is the lock that it has or waits for, where that is what was asked.
	Mode string `json:"mode"`
	// Autovacuum is true for a worker that gives way to a waiter; one that prevents wraparound does not.
	Autovacuum bool `json:"autovacuum"`
	Wraparound bool `json:"wraparound"`
	// Maintenance is true for one that has the maintenance lock of the table: another plan.
	Maintenance bool `json:"maintenance"`
	// Query, Application and Address are set only if the login that runs the plan may read them itself.
	Query       string `json:"query"`
	Application string `json:"application"`
	Address     string `json:"address"`
}

// yields reports whether all that is in the way is autovacuum that ends for a waiter of more than deadlock_timeout.
func (c Contention) yields() bool {
	stays := func(b Blocker) bool { return !b.Autovacuum || b.Wraparound }
	return len(c.Blockers) > 0 && !slices.ContainsFunc(c.Blockers, stays)
}

// brief names the blocker for a one-line message.
func (b Blocker) brief() string {
	if b.PID == 0 {
		return "a prepared transaction (see pg_prepared_xacts)"
	}
	var about []string
	if b.Autovacuum {
		about = append(about, "autovacuum")
	} else if b.User != "" {
		about = append(about, b.User)
	}
	if b.Wraparound {
		about = append(about, "to prevent wraparound")
	}
	if b.State != "" {
		about = append(about, b.State)
	}
	if b.Seconds > 0 {
		about = append(about, "transaction open for "+seconds(b.Seconds).Round(time.Second/10).String())
	}
	if len(about) == 0 {
		return fmt.Sprintf("pid %d", b.PID)
	}
	return fmt.Sprintf("pid %d (%s)", b.PID, strings.Join(about, ", "))
}

// full names the blocker with all that the reader may know.
func (b Blocker) full() string {
	text := b.brief()
	if b.Mode != "" {
		text += ", " + b.Mode
	}
	if b.Application != "" {
		text += fmt.Sprintf(", application %q", b.Application)
	}
	if b.Address != "" {
		text += ", from " + b.Address
	}
	if b.Query != "" {
		text += ", query: " + b.Query
	}
	return text
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

func (w watch) Progress(ctx context.Context, pid int) (string, error) {
	rows, err := w.look(ctx, progressSQL, strconv.Itoa(pid))
	return strings.Join(rows, ""), err
}

func (w watch) Busy(ctx context.Context, pid int, table uint32) ([]Blocker, error) {
	rows, err := w.look(ctx, busySQL, busyArgs(pid, table)...)
	if err != nil {
		return nil, err
	}
	return blockers(rows)
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
	return []string{strconv.Itoa(pid), strconv.FormatUint(uint64(table), 10), maintenanceClass}
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
	if detail, err := w.Watch.Progress(ctx, w.session.PID); err == nil && detail != "" {
		return line + " (" + detail + ")"
	}
	if c, err := w.Watch.Contention(ctx, w.session.PID); err == nil && len(c.Blockers) > 0 {
		return line + " (waiting for " + c.Blockers[0].brief() + ")"
	}
	return line
}
