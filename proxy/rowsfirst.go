package proxy

import (
	"context"
	"slices"

	"github.com/pgsluice/pgsluice/revisions"
)

// toldRevision is a revision of a tool of which nobody knows whether its row comes before or behind what is run for it.
type toldRevision struct {
	id int64
	// given are the statements that stood before the row.
	given []int64
	// within is true when it was told in a transaction that has not ended.
	within bool
}

// mostTold bounds how many of them a session remembers.
const mostTold = 1000

// noteOrder notes that a revision was told, and what stood before its row.
func (s *session) noteOrder(course *revisions.Course, event revisions.Event, id int64, given []int64) {
	c := &s.chronicle
	if id == 0 || !course.Tool.Described() || event.Direction == revisions.Force || len(c.told) == mostTold {
		return
	}
	c.told = append(c.told, toldRevision{id: id, given: given, within: s.backend.TxStatus() == 'T' || s.backend.piped})
}

// orderWithin gives the revisions that were told within a transaction, which has ended, what was run for them; ledger may be nil.
func (s *session) orderWithin(ctx context.Context, ledger *revisions.Ledger) {
	c := &s.chronicle
	within := slices.IndexFunc(c.told, func(r toldRevision) bool { return r.within })
	if within < 0 {
		return
	}
	told := c.told[within:]
	c.told = c.told[:within]
	s.order(ctx, ledger, told)
}

// order gives revisions what stands behind their rows, if nothing stands before the first row and something behind the last: then rows come first. What
// stands before a row was given to it when it came.
func (s *session) order(ctx context.Context, ledger *revisions.Ledger, told []toldRevision) {
	c := &s.chronicle
	if ledger == nil || len(told) == 0 || len(told[0].given) > 0 || len(c.pending) == 0 {
		return
	}
	for i, revision := range told {
		behind := c.pending
		if i+1 < len(told) {
			behind = told[i+1].given
		}
		if err := ledger.Give(ctx, revision.id, behind); err != nil {
			s.logger().WarnContext(ctx, "the statements of a revision are not in the ledger", "error", err)
		}
	}
	c.pending = nil
}
