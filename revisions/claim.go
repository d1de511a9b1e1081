package revisions

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

//go:embed sql/pending.sql
var pendingSQL string

//go:embed sql/list.sql
var listSQL string

//go:embed sql/claim.sql
var claimSQL string

//go:embed sql/start.sql
var startSQL string

//go:embed sql/heartbeat.sql
var heartbeatSQL string

//go:embed sql/finish.sql
var finishSQL string

//go:embed sql/postpone.sql
var postponeSQL string

//go:embed sql/void.sql
var voidSQL string

//go:embed sql/retry.sql
var retrySQL string

// ErrLost means that a promise is not, or no longer, in the state and the hands that the call needs: another proxy has
// it, or it is finished. Whoever gets it stops working on the promise.
var ErrLost = errors.New("the promise is not ours to work on")

// Runner is who works on a promise.
type Runner struct {
	// Name is unique to a process and never empty, for example its host, pid and some random bytes.
	Name string
	// PID and BackendStart (microseconds since 1970) are the backend on which the steps run. Nobody else takes over while it lives,
	// because it may still be building.
	PID          int32
	BackendStart int64
}

func (r Runner) args() []string {
	return []string{r.Name, strconv.Itoa(int(r.PID)), strconv.FormatInt(r.BackendStart, 10)}
}

// Pending returns the promises that a transaction has made and that nobody has begun, in their order. Asked after the
// transaction's COMMIT it is the truth, whatever savepoints there were; before, it is empty.
func (l *Ledger) Pending(ctx context.Context, of Transaction) ([]PromiseRow, error) {
	rows, err := l.queryPromises(ctx, pendingSQL, of.args()...)
	if err != nil {
		return nil, fmt.Errorf("cannot read the promises of transaction %d: %w", of.XID, err)
	}
	return rows, nil
}

// ClaimOptions narrow down what Claim takes. The zero value takes anything.
type ClaimOptions struct {
	Kinds []string
	Login uint32 // OID of the login that made the promise
	ID    int64
	// Early takes also what was postponed and whose delay has not passed.
	Early bool
	// Limit is how many to take at most; 0 is one.
	Limit int
	// Personal are kinds that nobody but the login which made the promise may keep: of those only the promises of Keeper, an OID, are taken. 0 takes all.
	Personal []string
	Keeper   uint32
	// Silence is how long a claimer must have given no heartbeat before its promises pass on; 0 is a minute.
	Silence time.Duration
}

// Claim takes over pending and interrupted promises whose backend has ended or let go of them, and whose last claimer, if
// any, is silent and has lost its backend too. Two claimers never get the same one. They are pending then, and the runner's,
// as long as it calls Heartbeat; next comes Start, from which on they are the runner's as long as its backend lives, too. A runner that claims by its ID
// what is its own already gets it again: it is not at work on it.
func (l *Ledger) Claim(ctx context.Context, by Runner, opts ClaimOptions) ([]PromiseRow, error) {
	if by.Name == "" {
		return nil, errors.New("cannot claim promises: the runner has no name")
	}
	kinds, err := json.Marshal(append([]string{}, opts.Kinds...)) // null is not an array
	if err != nil {
		return nil, err
	}
	personal, err := json.Marshal(append([]string{}, opts.Personal...))
	if err != nil {
		return nil, err
	}
	limit, silence := max(opts.Limit, 1), opts.Silence
	if silence == 0 {
		silence = time.Minute
	}
	args := append(by.args(), microseconds(silence), strconv.Itoa(limit), string(kinds), oid(opts.Login), strconv.FormatInt(opts.ID, 10),
		strconv.FormatBool(opts.Early), string(personal), oid(opts.Keeper))
	rows, err := l.queryPromises(ctx, claimSQL, args...)
	if err != nil {
		return nil, fmt.Errorf("cannot claim promises: %w", err)
	}
	return rows, nil
}

// Start makes a pending promise running and returns it. It must belong to the runner: by a claim, or because the runner's
// backend wrote it and has not let go. A row whose signature does not hold becomes failed, and the error is ErrForged.
func (l *Ledger) Start(ctx context.Context, id int64, by Runner) (PromiseRow, error) {
	if by.Name == "" {
		return PromiseRow{}, fmt.Errorf("cannot start promise %d: the runner has no name", id)
	}
	rows, err := l.queryPromises(ctx, startSQL, append([]string{strconv.FormatInt(id, 10)}, by.args()...)...)
	if err != nil {
		return PromiseRow{}, fmt.Errorf("cannot start promise %d: %w", id, err)
	}
	if len(rows) == 0 {
		return PromiseRow{}, fmt.Errorf("cannot start promise %d: %w", id, ErrLost)
	}
	if err := l.Verify(ctx, rows[0]); err != nil {
		outcome := Outcome{State: Failed, SQLState: StateNotSigned, Message: err.Error()}
		return PromiseRow{}, errors.Join(err, l.Finish(ctx, id, by, outcome))
	}
	return rows[0], nil
}

// Heartbeat tells the others that the runner still works on the promise. ErrLost: it belongs to somebody else now.
func (l *Ledger) Heartbeat(ctx context.Context, id int64, by Runner) error {
	return l.change(ctx, "keep up", id, heartbeatSQL, by.args()...)
}

// Outcome is how work on a promise ended.
type Outcome struct {
	State State // Done, Failed or Void
	// SQLState and Message are the error, or the reason of Void; "" for Done. No secrets, no query text of others.
	SQLState string
	Message  string
}

// Finish writes down the outcome of a running promise. It can be repeated, as when an answer was lost.
func (l *Ledger) Finish(ctx context.Context, id int64, by Runner, outcome Outcome) error {
	if outcome.State != Done && outcome.State != Failed && outcome.State != Void {
		return fmt.Errorf("cannot finish promise %d as %q", id, outcome.State)
	}
	return l.change(ctx, "finish", id, finishSQL, append(by.args(), string(outcome.State), outcome.SQLState, outcome.Message)...)
}

// Postpone gives a promise back, with the error that stopped it, for anyone to claim after the delay. It can be repeated,
// as when an answer was lost.
func (l *Ledger) Postpone(ctx context.Context, id int64, by Runner, sqlState, message string, delay time.Duration) error {
	return l.change(ctx, "postpone", id, postponeSQL, append(by.args(), microseconds(delay), sqlState, message)...)
}

// Void gives up a promise that is pending or failed, or that whoever worked on it has left behind, for the reason. ErrLost: somebody works on it, or it
// is done.
func (l *Ledger) Void(ctx context.Context, id int64, reason string) error {
	return l.change(ctx, "void", id, voidSQL, reason)
}

// Retry makes a failed promise pending again, for anyone to claim. ErrLost: it has not failed.
func (l *Ledger) Retry(ctx context.Context, id int64) error {
	return l.change(ctx, "retry", id, retrySQL)
}

// Failed returns the promises of this database that no retry cures and nobody has dealt with.
func (l *Ledger) Failed(ctx context.Context) ([]PromiseRow, error) {
	return l.List(ctx, Failed)
}

// List returns the promises of this database in these states, all if none is given, oldest first.
func (l *Ledger) List(ctx context.Context, states ...State) ([]PromiseRow, error) {
	return l.list(ctx, 0, states)
}

// Show returns one promise of this database, or nil if there is none with this id.
func (l *Ledger) Show(ctx context.Context, id int64) (*PromiseRow, error) {
	rows, err := l.list(ctx, id, nil)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

func (l *Ledger) list(ctx context.Context, id int64, states []State) ([]PromiseRow, error) {
	if len(states) == 0 {
		states = []State{Pending, Running, Done, Void, Failed}
	}
	array, err := json.Marshal(states)
	if err != nil {
		return nil, err
	}
	rows, err := l.queryPromises(ctx, listSQL, string(array), strconv.FormatInt(id, 10))
	if err != nil {
		return nil, fmt.Errorf("cannot list promises: %w", err)
	}
	return rows, nil
}

// change runs an update of one promise that returns its id, or no row if the promise is not as the call needs it.
func (l *Ledger) change(ctx context.Context, verb string, id int64, sql string, args ...string) error {
	args = append(append(l.home.args(), strconv.FormatInt(id, 10)), args...)
	ids, err := l.conn.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("cannot %s promise %d: %w", verb, id, err)
	}
	if len(ids) == 0 {
		return fmt.Errorf("cannot %s promise %d: %w", verb, id, ErrLost)
	}
	return nil
}

func microseconds(d time.Duration) string { return strconv.FormatInt(d.Microseconds(), 10) }
