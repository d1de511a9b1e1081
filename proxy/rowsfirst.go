package proxy

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/revisions"
)

// toldRevision is a revision of a tool of which nobody knows whether its row comes before or behind what is run for it.
type toldRevision struct {
	id int64
	// given are the statements that stood before the row.
	given []int64
	// within is true when it was told in a transaction that has not ended, implicit when that is no block.
	within, implicit bool
	// parted is true once the session has turned to something else, or done nothing for long; behind are the statements that had come until then.
	parted bool
	behind []int64
}

// aloneFor is how long a session may do nothing behind the row of a revision before what it does next is taken for something else.
const aloneFor = time.Minute

// mostTold bounds how many of them a session remembers.
const mostTold = 1000

// noteOrder notes that a revision was told, and what stood before its row.
func (s *session) noteOrder(course *revisions.Course, event revisions.Event, id int64, given []int64) {
	c := &s.chronicle
	if id == 0 || !course.Tool.Described() || event.Direction == revisions.Force || len(c.told) == mostTold {
		return
	}
	c.acted = s.now()
	block := s.backend.TxStatus() == 'T'
	c.told = append(c.told, toldRevision{id: id, given: given, within: block || s.backend.piped, implicit: !block})
}

// orderWithin gives the revisions that were told within a transaction, which has ended, what was run for them; ledger may be nil.
func (s *session) orderWithin(ctx context.Context, ledger *revisions.Ledger) {
	c := &s.chronicle
	within := slices.IndexFunc(c.told, func(r toldRevision) bool { return r.within })
	if within < 0 {
		return
	}
	told := c.told[within:]
	if alone := len(told) == 1 && told[0].implicit && len(c.pending) == 0; alone {
		told[0].within = false // the row had a transaction of its own
		return
	}
	c.told = c.told[:within]
	s.order(ctx, ledger, told)
}

// order gives revisions what stands behind their rows, if nothing stands before the first row and something behind the last: then rows come first. What
// stands before a row was given to it when it came. Behind a row is what comes before the next one, or before the session turned to something else.
func (s *session) order(ctx context.Context, ledger *revisions.Ledger, told []toldRevision) {
	c := &s.chronicle
	if len(told) == 0 {
		return
	}
	last := &told[len(told)-1]
	if !last.parted {
		last.behind = c.pending
	}
	if ledger == nil || len(told[0].given) > 0 || len(last.behind) == 0 {
		return
	}
	for i, revision := range told {
		behind := revision.behind
		if i+1 < len(told) && !revision.parted {
			behind = told[i+1].given
		}
		if err := ledger.Give(ctx, revision.id, behind); err != nil {
			s.logger().WarnContext(ctx, "the statements of a revision are not in the ledger", "error", err)
		}
	}
	newest := last.behind[len(last.behind)-1]
	c.pending = slices.DeleteFunc(c.pending, func(id int64) bool { return id <= newest })
}

// part notes that the session has turned to something else than the revision that it has told last, unless a transaction shows what belongs to that.
func (c *chronicle) part() {
	if len(c.told) == 0 {
		return
	}
	if last := &c.told[len(c.told)-1]; !last.parted && !last.within {
		last.parted, last.behind = true, slices.Clone(c.pending)
	}
}

// partIdle parts a session that has done nothing for long.
func (s *session) partIdle() {
	c := &s.chronicle
	if acted := latest(c.acted, c.turn.worked); len(c.told) > 0 && s.now().Sub(acted) > aloneFor {
		c.part()
	}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

var (
	// reads finds a query of tables, catalog those of which a migration may ask, returned what a pool does with a connection that is given back.
	reads    = regexp.MustCompile(`(?is)^(select|fetch)\b.*\bfrom\b|^table\b`)
	catalog  = regexp.MustCompile(`(?i)\b(pg_\w|information_schema\b)`)
	discards = regexp.MustCompile(`(?i)^discard\s+all\b`)
	returned = regexp.MustCompile(`(?i)^(discard|reset)\s+all\b|^(set|reset)\s+session\s+authorization\b`)
)

// isApart reports whether a text that names no version table is no part of a migration: an application asks for its rows, or a pool gives the connection
// to somebody else.
func isApart(text []byte) bool {
	text = pastComments(text)
	return reads.Match(text) && !catalog.Match(text) || returned.Match(text)
}

// areApart is isApart for the statements of one text.
func (s *session) areApart(statements []ddl.Statement) bool {
	return !slices.ContainsFunc(statements, func(statement ddl.Statement) bool { return s.changesSchema(statement) || s.namesVersions(statement) }) &&
		slices.ContainsFunc(statements, func(statement ddl.Statement) bool { return isApart([]byte(statement.Text)) })
}
