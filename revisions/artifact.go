package revisions

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"
)

//go:embed sql/announce.sql
var announceSQL string

//go:embed sql/forget.sql
var forgetSQL string

//go:embed sql/leftovers.sql
var leftoversSQL string

// Artifact is a helper object that we make outside the client's transaction and must not leave behind: an index under
// construction, a constraint that proves another. It is announced before it is made, so that a crash cannot hide it.
type Artifact struct {
	ID     int64  `json:"id"`     // given by Announce
	Kind   string `json:"kind"`   // "index", "servant" (an index that serves a later step), "rebuild", "constraint"
	Schema string `json:"schema"` // as in the catalog, not quoted
	Name   string `json:"name"`
	Table  uint32 `json:"table"` // OID of the table it is on
	// Promise is the id of the promise it is made for, 0 when the client's statement is run on the spot.
	Promise int64 `json:"promise"`
	// PID and BackendStart (microseconds since 1970, 0 if it is not known) are the backend that makes it.
	PID          int32     `json:"pid"`
	BackendStart int64     `json:"backend_start"`
	Created      time.Time `json:"created"` // given by Announce
}

// Announce writes down that the artifact is about to be made, and returns its id. When it returns, the row is committed,
// unless the control connection is in a transaction.
func (l *Ledger) Announce(ctx context.Context, a Artifact) (id int64, err error) {
	args := append(l.home.args(), a.Kind, a.Schema, a.Name, oid(a.Table), strconv.FormatInt(a.Promise, 10),
		strconv.Itoa(int(a.PID)), strconv.FormatInt(a.BackendStart, 10))
	id, err = queryRow[int64](ctx, l.conn, announceSQL, args...)
	if err != nil {
		return 0, fmt.Errorf("cannot announce %s %s.%s: %w", a.Kind, a.Schema, a.Name, err)
	}
	return id, nil
}

// Forget strikes an artifact that is finished or removed. To forget one twice is no error.
func (l *Ledger) Forget(ctx context.Context, id int64) error {
	if _, err := l.conn.Exec(ctx, forgetSQL, append(l.home.args(), strconv.FormatInt(id, 10))...); err != nil {
		return fmt.Errorf("cannot forget artifact %d: %w", id, err)
	}
	return nil
}

// Leftovers returns the artifacts of this database whose maker has ended, oldest first. Each may be there or not, whole or
// not, and its name may be somebody else's by now: look before dropping anything.
func (l *Ledger) Leftovers(ctx context.Context) ([]Artifact, error) {
	leftovers, err := queryRows[Artifact](ctx, l.conn, leftoversSQL, l.home.args()...)
	if err != nil {
		return nil, fmt.Errorf("cannot list what was left behind: %w", err)
	}
	return leftovers, nil
}
