package revisions

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// pruneCall has the ledger's own function decide what goes: the control role could not delete anything else.
const pruneCall = `SELECT pgsluice.prune($1::bigint OPERATOR(pg_catalog.*) '1 microsecond'::pg_catalog.interval, $2::integer)`

// ShortestKeep is the least that a ledger keeps what has ended.
const ShortestKeep = 24 * time.Hour

// Pruned are how many rows were deleted, of each kind. What belongs to a row goes with it: the checkpoints of a job, the statements of a revision,
// the attestation of a statement.
type Pruned struct {
	Promises   int64 `json:"promises"`
	Jobs       int64 `json:"jobs"`
	Revisions  int64 `json:"revisions"`
	Statements int64 `json:"statements"`
	Anchors    int64 `json:"anchors"`
	Changes    int64 `json:"changes"`
}

// Sum is how many they are together.
func (p Pruned) Sum() int64 {
	return p.Promises + p.Jobs + p.Revisions + p.Statements + p.Anchors + p.Changes
}

// Add adds others.
func (p *Pruned) Add(other Pruned) {
	p.Promises += other.Promises
	p.Jobs += other.Jobs
	p.Revisions += other.Revisions
	p.Statements += other.Statements
	p.Anchors += other.Anchors
	p.Changes += other.Changes
}

// Prune deletes, of each kind, at most so many of the oldest rows that have ended longer ago than they are kept, in one transaction. What is open or has
// failed stays, and so does what became of each revision the last time, with its statements; and of each chain of an audit trail the last anchor of each
// day, for ever. Several may prune at once: none waits for another. Nothing
// deleted means that nothing is left to be.
func (l *Ledger) Prune(ctx context.Context, keep time.Duration, most int) (Pruned, error) {
	if keep < ShortestKeep {
		return Pruned{}, fmt.Errorf("cannot prune the ledger: what has ended is kept for %s at least", ShortestKeep)
	}
	pruned, err := queryRow[Pruned](ctx, l.conn, pruneCall, microseconds(keep), strconv.Itoa(most))
	if err != nil {
		return Pruned{}, fmt.Errorf("cannot prune the ledger: %w", err)
	}
	return pruned, nil
}
