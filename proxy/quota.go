package proxy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
)

// quota bounds what a login can have written into the ledger, for all sessions. Most of what is judged needs no right at all: a DO block that does
// nothing, a DROP IF EXISTS of nothing, a temporary table, whatever fails or is refused. Of each login so many statements an hour are written down before
// they run. Of what comes behind them only what has changed a table that stays, or has made, altered or dropped a schema, function, type or extension is, once it
// has run: that takes a right to it. The others are counted in one row. The audit trail has each.
type quota struct {
	most int

	mu    sync.Mutex
	spent map[string]*spending
}

// spending is what a login has had written down since: statements, or revisions that it told of.
type spending struct {
	since      time.Time
	statements int
	leftOut    int
	row        int64 // the row that counts those, 0 for none
}

const (
	// mostAnHour is how many statements it is: as many as one transaction may have written down.
	mostAnHour = 10_000
	// mostSpenders bounds how many logins are remembered.
	mostSpenders = 10_000
)

func newQuota() *quota { return &quota{most: mostAnHour, spent: map[string]*spending{}} }

// of is what a login has spent this hour. The caller holds the mutex.
func (q *quota) of(login string, now time.Time) *spending {
	s := q.spent[login]
	if s == nil || now.Sub(s.since) >= time.Hour {
		makeRoom(q.spent, mostSpenders)
		s = &spending{since: now}
		q.spent[login] = s
	}
	return s
}

// spend counts so many statements, and reports whether they are to be written down before they run.
func (q *quota) spend(login string, now time.Time, n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.of(login, now)
	s.statements += n
	return s.statements <= q.most
}

// leaveOut counts a statement that is not written down, and tells how many there are, and the row that counts them, 0 for none.
func (q *quota) leaveOut(login string, now time.Time) (n int, row int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.of(login, now)
	s.leftOut++
	return s.leftOut, s.row
}

// countedBy notes the row that counts what is left out.
func (q *quota) countedBy(login string, now time.Time, row int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.of(login, now).row = row
}

// spender is whose quota this session spends, teller that of revisions.
func (s *session) spender() string { return s.link.startup.database + "\x00" + s.link.startup.user }
func (s *session) teller() string  { return s.spender() + "\x00revisions" }

// lasts reports whether a statement, if it succeeds, has changed a table or an index that stays, or has needed a right to make or drop something else, as far as
// is known.
func (s *session) lasts(statement ddl.Statement, known facts.Facts) bool {
	stays := func(table ddl.Name) bool {
		path, found := known.Settings["search_path"]
		if table.Schema != "" {
			path, found = table.Schema, true
		}
		return found && !strings.Contains(strings.ToLower(path), "pg_temp")
	}
	switch action := statement.Action.(type) {
	case ddl.CreateTable:
		if !action.Temp && stays(action.Table) {
			return true
		}
	case ddl.Query:
		if action.Into != (ddl.Name{}) && !action.Temp && stays(action.Into) {
			return true
		}
	case ddl.Drop:
		if !action.IfExists && needsRight(statement.Tag) && slices.ContainsFunc(action.Names, stays) {
			return true
		}
	case ddl.Utility:
		if needsRight(statement.Tag) && slices.ContainsFunc(action.Names, stays) {
			return true
		}
	}
	return s.changesSchema(statement) && slices.ContainsFunc(statement.Refs, func(ref ddl.Ref) bool {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		return ref.Lock >= ddl.ShareUpdateExclusive && relation != nil && relation.Persistence != "t"
	})
}

// needsRight reports whether a command tag is of what nobody does without a right to, if not in pg_temp, to an object that is no relation.
func needsRight(tag string) bool {
	verb, object, _ := strings.Cut(tag, " ")
	return slices.Contains([]string{"CREATE", "ALTER", "DROP"}, verb) &&
		slices.Contains([]string{"SCHEMA", "FUNCTION", "PROCEDURE", "ROUTINE", "AGGREGATE", "TYPE", "DOMAIN", "EXTENSION"}, object)
}

// beyond writes down a statement beyond the quota, once it has run: it begins it if it has changed what stays, or may have, and counts it otherwise.
func (r *record) beyond(ctx context.Context) {
	s := r.session
	ledger := s.ledger(ctx)
	if ledger == nil {
		return
	}
	if r.lasting && slices.Contains([]string{"done", "deferred", "lost"}, r.entry.Outcome) {
		// It must not seem to have begun behind what the server wrote down of it meanwhile: the ledger may take a while to answer.
		r.statement.Late = (time.Since(r.began) + time.Second).Microseconds()
		r.beginStatement(ctx, ledger)
		return
	}
	s.chronicle.ran()
	if r.entry.Outcome == "done" {
		s.chronicle.wrote = true // a version row behind it is no stamp
	}
	s.leaveOut(ctx, ledger, s.spender(), leftOut)
}

// leaveOut counts, in one row of the ledger, what is not written down there.
func (s *session) leaveOut(ctx context.Context, ledger *revisions.Ledger, spender, what string) {
	n, row := s.options.quota.leaveOut(spender, s.now())
	if n&(n-1) != 0 {
		return // the count is told whenever it has doubled
	}
	statement := revisions.Statement{
		ID: row, Who: s.who(), Tag: "?", Asked: what, Digest: revisions.Digest(what), Verdict: policy.Pass.String(), Outcome: revisions.OutcomeObserved,
		Error: fmt.Sprintf("%d or more since %s", n, s.now().UTC().Format(time.RFC3339)),
		Rules: []string{}, Overrides: []revisions.Override{}, Ran: []string{}, Locks: []revisions.StatementLock{},
	}
	if row == 0 {
		var err error
		if statement.ID, err = ledger.Begin(ctx, statement); err != nil {
			s.logger().WarnContext(ctx, "what is left out of the ledger is not counted there", "error", err)
			return
		}
		s.options.quota.countedBy(spender, s.now(), statement.ID)
		s.logger().WarnContext(ctx, "the login has more than the ledger takes in an hour: the rest is counted there, but for what changes a table or needs a right",
			"most", s.options.quota.most, "counted", what)
	}
	s.writeEnd(ctx, ledger, statement)
}

// leftOut and leftOutRevisions are what the ledger has in place of the statements, and of the writes to version tables, that are counted.
const (
	leftOut          = "(further statements, left out: the audit trail has each)"
	leftOutRevisions = "(further writes to version tables, left out)"
)
