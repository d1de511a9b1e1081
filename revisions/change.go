package revisions

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"
)

//go:embed sql/changes.sql
var changesSQL string

//go:embed sql/count_changes.sql
var countChangesSQL string

// sortCall has the ledger's own function decide which changes were judged: the control role could not delete any.
const sortCall = `SELECT pgsluice.sort_changes($1::integer)`

// mostSorted is how many changes are sorted in one transaction.
const mostSorted = 1000

// Change is a schema change that no proxy has judged, as the server saw it: its event triggers are those of SetEventTriggers. It came past every proxy, or out of
// a function or trigger, or while a proxy could not write into the ledger or was in mode pass.
type Change struct {
	ID      int64     `json:"id"`
	Changed time.Time `json:"changed"`
	Login   string    `json:"login"`
	Role    string    `json:"role"` // what SET ROLE made of the login
	// Client is the address that the server saw, "" for a Unix socket; Application what the client said of itself.
	Client      string          `json:"client"`
	Application string          `json:"application_name"`
	PID         int32           `json:"pid"`
	XID         uint64          `json:"xid,string"`
	Tag         string          `json:"tag"`
	Dropped     bool            `json:"dropped"`
	Objects     []ChangedObject `json:"objects"`
	// Further is how many more objects there were.
	Further int64 `json:"further"`
	// Session is the proxy's session whose backend it was, "" when none is known: then it came past every proxy, or a session that changed nothing else called a
	// function.
	Session string `json:"session"`
	// LeftOut is how many more changes the login has made within the hour, which are not kept.
	LeftOut int64 `json:"left_out"`
}

// ChangedObject is an object as the server describes it. GRANT and REVOKE have no identity.
type ChangedObject struct {
	Type     string `json:"type"`
	Identity string `json:"identity"`
}

// ChangeFilter chooses changes; the zero value is all.
type ChangeFilter struct {
	Login  string `json:"login"`
	Tag    string `json:"tag"`    // the command: ALTER TABLE
	Object string `json:"object"` // a part of an object's identity
	Since  string `json:"since"`  // a time that the server can read
	Limit  int    `json:"limit"`
}

// SortChanges tells, of what the event triggers have written down since, what was judged, and forgets that. The rest is what Changes lists. Several may sort at
// once.
func (l *Ledger) SortChanges(ctx context.Context) error {
	for {
		looked, err := queryRow[int64](ctx, l.conn, sortCall, strconv.Itoa(mostSorted))
		if err != nil {
			return fmt.Errorf("cannot find out which schema changes were judged: %w", err)
		}
		if looked < mostSorted {
			return nil
		}
	}
}

// Changes lists schema changes that no proxy has judged, newest first, as far as they are sorted.
func (l *Ledger) Changes(ctx context.Context, filter ChangeFilter) ([]Change, error) {
	text, err := asciiJSON(filter)
	if err != nil {
		return nil, fmt.Errorf("cannot list schema changes: %w", err)
	}
	changes, err := queryRows[Change](ctx, l.conn, changesSQL, append(l.home.args(), text)...)
	if err != nil {
		return nil, fmt.Errorf("cannot list schema changes: %w", err)
	}
	return changes, nil
}

// CountChanges counts those of the last so much time, of all time for 0, and those that are only counted, too.
func (l *Ledger) CountChanges(ctx context.Context, last time.Duration) (int64, error) {
	n, err := queryRow[int64](ctx, l.conn, countChangesSQL, append(l.home.args(), microseconds(last))...)
	if err != nil {
		return 0, fmt.Errorf("cannot count schema changes: %w", err)
	}
	return n, nil
}

// Attend writes down that a backend is at work for pgsluice itself, so that what it changes counts as judged; done is to be called when it is not any more.
func (l *Ledger) Attend(ctx context.Context, who Who) (done func(context.Context) error, err error) {
	const work = "(work that was left, carried out by pgsluice)"
	statement := Statement{
		Who: who, Own: true, Tag: "?", Asked: work, Digest: Digest(work), Verdict: "pass",
		Rules: []string{}, Overrides: []Override{}, Ran: []string{}, Locks: []StatementLock{},
	}
	if statement.ID, err = l.Begin(ctx, statement); err != nil {
		return nil, err
	}
	statement.Outcome = OutcomeCommitted
	return func(ctx context.Context) error { return l.End(ctx, statement) }, nil
}
