package proxy

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
)

const (
	// deskPatience bounds what is asked of a control connection on the side.
	deskPatience = 10 * time.Second
	// deskQueue bounds the wait for one while all are in use, as when many migrate at once: nothing is refused for that so soon. It is no longer than
	// deskPatience where others may be waiting for what the transaction has locked.
	deskQueue = 2 * time.Minute
	// deskAtOnce is how long the client's own connection is left alone meanwhile; then the wait goes on in slices that its cancel ends.
	deskAtOnce = 100 * time.Millisecond
)

// ledgerChecked is how long the ledger, or that there is none, need not be checked again: one schema change follows closely on the other, and nobody but those
// who are trusted with it could swap it meanwhile.
const ledgerChecked = time.Second

// desk is what the session borrows from the control login while it decides about a schema change: a connection to its own database, and the
// ledger there. It is given back before anything that may take long, and at the latest when the client's message is answered: a
// client that sits in its transaction, or a build of hours, keeps none from others.
type desk struct {
	conn    run.Conn
	release func()
	ledger  *revisions.Ledger // nil: not installed, or not to be used
	// interrupted is what the client ended the wait for it with; nil if it did not.
	interrupted error
}

// open borrows a desk, once. Without a control login, or when it cannot connect, the desk is empty: less can be done, nothing breaks.
func (s *session) open(ctx context.Context) *desk {
	if s.desk != nil {
		return s.desk
	}
	s.rejoin()
	s.desk = &desk{release: func() {}}
	if s.options.Control == nil {
		return s.desk
	}
	conn, release, err := s.queue(ctx)
	if err != nil {
		s.logger().WarnContext(ctx, "the control login cannot connect: statements cannot be deferred and blockers not named", "error", err)
		return s.desk
	}
	s.desk.conn, s.desk.release = conn, release
	if s.now().Sub(s.checkedAt) < ledgerChecked {
		if s.opened != nil {
			s.desk.ledger = s.opened.On(conn)
		}
		return s.desk
	}
	began := s.now()
	ctx, enough := context.WithTimeout(ctx, deskPatience)
	defer enough()
	ledger, err := revisions.Open(ctx, conn)
	switch {
	case err == nil:
		s.desk.ledger, s.opened, s.checkedAt = ledger, ledger, began
	case errors.Is(err, revisions.ErrNotInstalled):
		s.opened, s.checkedAt = nil, began
	default:
		s.logger().WarnContext(ctx, "the ledger cannot be used: statements cannot be deferred", "error", err)
	}
	return s.desk
}

// queue waits for a control connection: in slices on the client's own, where that can be, so that its cancel ends the wait.
func (s *session) queue(ctx context.Context) (conn run.Conn, release func(), err error) {
	type lent struct {
		conn    run.Conn
		release func()
		err     error
	}
	waiting, enough := context.WithTimeout(ctx, deskQueue)
	defer enough()
	got := make(chan lent, 1)
	go func() {
		conn, release, err := s.options.Control.Conn(waiting, s.link.startup.database)
		got <- lent{conn, release, err}
	}()
	timer := time.NewTimer(deskAtOnce)
	defer timer.Stop()
	select {
	case l := <-got:
		return l.conn, l.release, l.err
	case <-timer.C:
	}
	for began := time.Now(); ; {
		interrupted := s.slice(ctx, began)
		switch {
		case interrupted != nil && !errors.Is(interrupted, errServerGone): // of that whoever uses it next hears
			s.desk.interrupted = interrupted
			enough()
		case interrupted == nil && !s.backend.piped && s.backend.TxStatus() != 'E':
			if time.Since(began) > s.strongQueue && s.inTheWay(ctx) {
				enough()
			}
			select {
			case l := <-got:
				return l.conn, l.release, l.err
			default:
				continue
			}
		}
		if s.strong || s.altering {
			defer time.AfterFunc(s.strongQueue, enough).Stop()
		}
		l := <-got
		return l.conn, l.release, l.err
	}
}

// inTheWay reports whether others may be waiting for what the transaction at hand has locked.
func (s *session) inTheWay(ctx context.Context) bool {
	if s.backend.TxStatus() != 'T' {
		return false
	}
	strong, err := s.holdsStrong(ctx)
	return strong || err != nil
}

// slice is a slice of a wait on the client's own connection; the error is what the client has ended it with. In a pipeline, where that would be the client's
// error whatever it is about, nothing is asked.
func (s *session) slice(ctx context.Context, began time.Time) error {
	if s.backend.piped || s.backend.TxStatus() == 'E' {
		return nil
	}
	server := sheltered{s.backend}
	if _, err := server.Query(ctx, napSQL); err != nil {
		return err
	}
	if hungUp(s.link.client.conn) && !s.committed { // what is committed is done all the same
		return errClientGone
	}
	rows, err := server.Query(ctx, "SELECT pg_catalog.date_part('epoch', pg_catalog.current_setting('statement_timeout')::pg_catalog.interval)")
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(strings.Join(rows, ""), 64)
	if err != nil {
		return fmt.Errorf("cannot read the statement_timeout: %w", err)
	}
	if seconds > 0 && time.Since(began).Seconds() > seconds {
		return &run.Failure{
			Code:    canceled,
			Message: "pgsluice: canceling statement due to statement timeout: all control connections are in use; send it again later, or raise control.max_connections",
		}
	}
	return nil
}

// interrupted is what the client has ended the wait for a control connection with, or a question whose answer is not needed by who asked.
func (s *session) interrupted() error {
	if s.desk != nil && s.desk.interrupted != nil {
		return s.desk.interrupted
	}
	return s.backend.canceled
}

// leave gives the desk back.
func (s *session) leave() {
	if s.desk == nil {
		return
	}
	s.desk.release()
	s.desk = nil
}

// beside has something written at the desk, which goes with it, while the session goes on. Before the session looks at the ledger again, or ends, it waits for
// that: of what it writes one thing comes behind the other, as if it had waited at once.
func (s *session) beside(ctx context.Context, write func(context.Context)) {
	taken, done := s.desk, make(chan struct{})
	s.desk, s.writing = nil, done
	s.logger() // is made by then
	go func() {
		defer close(done)
		defer taken.release()
		defer func() {
			if reason := recover(); reason != nil { // it would end all sessions
				s.logger().ErrorContext(ctx, "panic: what was to be written beside a session is not", "reason", reason, "stack", string(debug.Stack()))
			}
		}()
		ctx, enough := context.WithTimeout(ctx, deskPatience)
		defer enough()
		write(ctx)
	}()
}

// rejoin waits until what is written beside the session is written.
func (s *session) rejoin() {
	if s.writing != nil {
		<-s.writing
		s.writing = nil
	}
}

// ledger is the ledger of the session's database; nil when there is none to be used. Where there was none a moment ago no desk is borrowed.
func (s *session) ledger(ctx context.Context) *revisions.Ledger {
	if s.desk == nil && s.opened == nil && s.now().Sub(s.checkedAt) < ledgerChecked {
		return nil
	}
	return s.open(ctx).ledger
}

// artifacts lists helper objects in the ledger, with a desk for each call.
type artifacts struct{ session *session }

func (a artifacts) Announce(ctx context.Context, artifact revisions.Artifact) (int64, error) {
	defer a.session.leave()
	ledger := a.session.ledger(ctx)
	if ledger == nil {
		return 0, errLedgerGone
	}
	return ledger.Announce(ctx, artifact)
}

func (a artifacts) Forget(ctx context.Context, id int64) error {
	defer a.session.leave()
	ledger := a.session.ledger(ctx)
	if ledger == nil {
		return errLedgerGone
	}
	return ledger.Forget(ctx, id)
}

// errLedgerGone means that the ledger, which was there a moment ago, cannot be used.
var errLedgerGone = errors.New("the ledger cannot be reached any more")

// watch is how a plan sees who blocks it and how far it is; nil without a control login.
func (s *session) watch() run.Watch {
	if s.options.Control == nil {
		return nil
	}
	return run.NewWatch(s.lend)
}

// lend is a control connection to the session's database. It may be called from any goroutine, where there is a control login.
func (s *session) lend(ctx context.Context) (run.Conn, func(), error) {
	return s.options.Control.Conn(ctx, s.link.startup.database)
}

// clear closes our own connections to a database that is about to be dropped: the server refuses while there are any.
func (s *session) clear(ctx context.Context, at occasion) {
	drop, ok := at.Action.(ddl.Drop)
	if !ok || drop.Object != "DATABASE" || s.options.Control == nil {
		return
	}
	ctx, enough := context.WithTimeout(ctx, deskPatience)
	defer enough()
	for _, name := range drop.Names {
		if err := s.options.Control.CloseDatabase(ctx, name.Name); err != nil {
			s.logger().WarnContext(ctx, "cannot close the control connections to a database that is to be dropped", "dropped", name.Name, "error", err)
		}
	}
}

// unfinished refuses a schema change while a promise of this database has failed for good: its migration is recorded as applied, and nothing else would
// ever remind anybody of what is missing. And while a deferred bulk write is still to be done it refuses what would come before it, and was to come behind it.
func (s *session) unfinished(ctx context.Context, at occasion, known facts.Facts, verdict policy.Verdict) (policy.Finding, bool) {
	switch at.Action.(type) {
	case ddl.CreateIndex, ddl.Drop, ddl.AlterTable, ddl.CreateTable:
	default:
		if verdict.Recipe() != run.BulkWrite {
			return policy.Finding{}, false
		}
	}
	if s.owes() {
		return policy.Finding{}, false
	}
	ledger := s.ledger(ctx)
	if ledger == nil {
		return policy.Finding{}, false
	}
	table := overtaken(at.Statement, known)
	c := &s.chronicle
	if table == 0 && at.inTransaction && c.open && c.xid != 0 && c.reminded == c.xid {
		return policy.Finding{}, false
	}
	left := at.left
	if left == nil {
		var err error
		if left, err = s.notDone(ctx, ledger); err != nil {
			s.logger().WarnContext(ctx, "cannot ask the ledger for work that is not done", "error", err)
			return policy.Finding{}, false
		}
		c.cleared = !slices.ContainsFunc(left, func(row revisions.PromiseRow) bool { return row.State == revisions.Failed })
	}
	if i := slices.IndexFunc(left, func(row revisions.PromiseRow) bool { return row.Kind == run.BulkWrite && row.Table == table }); i >= 0 {
		return overtakingFinding(left[i]), true
	}
	failed := slices.DeleteFunc(left, func(row revisions.PromiseRow) bool { return row.State != revisions.Failed })
	if _, write := at.Action.(ddl.Write); write || len(failed) == 0 {
		return policy.Finding{}, false
	}
	action := policy.Warn
	if s.options.BlockOnFailed {
		action = policy.Block
	}
	return unfinishedFinding(failed, action), true
}

// overtaken is the OID of the table on which a statement must not come before a bulk write that was sent earlier: it changes rows, columns that the write
// names, or what its rows must meet. 0 is none: a new column is no harm, and without the table there is nothing to write.
func overtaken(statement ddl.Statement, known facts.Facts) uint32 {
	var name ddl.Name
	switch action := statement.Action.(type) {
	case ddl.Write:
		name = action.Target
	case ddl.CreateIndex:
		if action.Unique {
			name = action.Table
		}
	case ddl.AlterTable:
		if slices.ContainsFunc(action.Commands, func(c ddl.AlterCommand) bool { return c.Op != "AddColumn" }) {
			name = action.Table
		}
	}
	if relation := known.Relations[facts.Key(name.Schema, name.Name)]; relation != nil {
		return relation.OID
	}
	return 0
}
