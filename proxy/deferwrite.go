package proxy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// deferredWrite promises a bulk write, for the rows that the table has now. How many of them it changes nobody knows yet, so that the tag has no
// number: what drivers make of that is "not known", where any number would be taken for the truth.
func (s *session) deferredWrite(ctx context.Context, at occasion, known facts.Facts, plan rewrite.Plan, record *record) error {
	if name, ok := s.makesUnique(plan.Table.OID); ok {
		return s.answerFailure(ctx, at, plan, &run.Failure{
			Code:    codeRefused,
			Message: fmt.Sprintf("pgsluice: put this %s into a later transaction: it may meet what %q will not let it do, which is deferred to COMMIT, too [%s]", at.Tag, name, plan.Recipe),
		})
	}
	if name, err := s.unrepeatable(ctx, known); err != nil {
		return s.answerFailure(ctx, at, plan, err)
	} else if name != "" {
		return s.answerFailure(ctx, at, plan, &run.Failure{
			Code:    codeRefused,
			Message: fmt.Sprintf("pgsluice: run this %s outside of the transaction: %s is set, which another session of this login could not set to go on with it [%s]", at.Tag, name, plan.Recipe),
		})
	}
	plan, err := s.runner(ctx, known).Bounded(ctx, plan)
	if err != nil {
		return s.answerFailure(ctx, at, plan, err)
	}
	if len(plan.Steps) == 0 {
		return s.voice.complete(at.Tag + " 0")
	}
	if err := s.takePen(ctx); err != nil {
		return s.answerFailure(ctx, at, plan, err)
	}
	if err := s.ink(ctx, known); err != nil {
		return s.answerFailure(ctx, at, plan, err)
	}
	if err := s.promise(ctx, at, known, plan); err != nil {
		return s.answerFailure(ctx, at, plan, err)
	}
	record.promised(s.promises[len(s.promises)-1].id)
	if err := s.announce(fmt.Sprintf("%s of %q is deferred: it runs in batches right after COMMIT, and how many rows it changes is not known yet", at.Tag, plan.Object)); err != nil {
		return err
	}
	return s.voice.complete(plan.Tag)
}

// unrepeatable is a setting that this session has, and that the login by itself could not set again; "" for none.
func (s *session) unrepeatable(ctx context.Context, known facts.Facts) (name string, err error) {
	for _, name := range slices.Sorted(maps.Keys(known.Writing.Settings)) {
		if setting := known.Writing.Settings[name]; !setting.Privileged || !setting.Changed {
			continue
		}
		question := "SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) SESSION_USER AND $1::pg_catalog.text IS NOT NULL"
		if known.Version >= 150000 {
			question = "SELECT pg_catalog.has_parameter_privilege(SESSION_USER, $1::pg_catalog.text, 'SET')"
		}
		may, err := sheltered{s.backend}.Query(ctx, question, name)
		if err != nil {
			return "", err
		}
		if !slices.Contains(may, "t") {
			return name, nil
		}
	}
	return "", nil
}

// makesUnique is what this transaction has promised that will keep rows of a table from being alike.
func (s *session) makesUnique(table uint32) (name string, ok bool) {
	for _, p := range s.promised() {
		if p.Table == table && p.Unique && !p.Drops {
			return p.Object, true
		}
	}
	return "", false
}

// catchUp does what earlier sessions of this login have deferred and not finished and nobody else may, as bulk writes are, before its next schema change or
// bulk write that is outside of a transaction. What cannot be done now stays pending. It returns what the ledger has of work that is not done, nil where that
// was not asked, or has changed.
func (s *session) catchUp(ctx context.Context, at occasion) ([]revisions.PromiseRow, error) {
	if at.inTransaction || s.backend.piped || s.backend.TxStatus() != 'I' || s.owes() || s.options.Mode != Enforce || !s.options.Deferred || !opensTable(at.Statement) {
		return nil, nil
	}
	return s.finishWrites(ctx, 0)
}

// opensTable reports whether a statement may be about a table whose rows are still to be changed.
func opensTable(statement ddl.Statement) bool {
	switch statement.Action.(type) {
	case ddl.CreateIndex, ddl.AlterTable, ddl.Write:
		return true
	}
	return false
}

// finishWrites is catchUp, also behind a COMMIT that had work of its own, which is not looked at once more. The error is a cancel of the client's, or a
// lost connection.
func (s *session) finishWrites(ctx context.Context, but uint64) (left []revisions.PromiseRow, err error) {
	ledger := s.ledger(ctx)
	if ledger == nil {
		return nil, nil
	}
	const looking = "cannot look for work that is left to the login"
	if left, err = s.notDone(ctx, ledger); err != nil {
		return nil, s.ahead(ctx, looking, err)
	}
	writes := slices.DeleteFunc(slices.Clone(left), func(row revisions.PromiseRow) bool {
		return row.Kind != run.BulkWrite && !run.LeftToLogin(row) || row.XID == but
	})
	if !slices.ContainsFunc(writes, func(row revisions.PromiseRow) bool { return row.State != revisions.Failed }) {
		return left, nil
	}
	by, err := run.Identify(ctx, s.backend, s.options.Name)
	if err != nil {
		return nil, s.ahead(ctx, looking, err)
	}
	login, err := run.Login(ctx, s.backend)
	if err != nil {
		return nil, s.ahead(ctx, looking, err)
	}
	var undone []revisions.PromiseRow
	for _, row := range writes {
		if row.Login.OID != login || row.State == revisions.Failed || waitsFor(row, undone) {
			undone = append(undone, row)
			continue
		}
		done, err := s.finishWrite(ctx, by, row, run.LeftToLogin(row))
		if err != nil {
			return nil, err
		}
		if !done {
			undone = append(undone, row)
		}
	}
	return nil, nil
}

// inTurn finishes, before a bulk write that is promised, those of its table that were sent before it and whose transactions are committed, too. before is the
// one that cannot be finished now, so that it has to wait; nil if there is none. The error is a cancel of the client's, or a lost connection.
func (s *session) inTurn(ctx context.Context, by revisions.Runner, row revisions.PromiseRow) (before *revisions.PromiseRow, err error) {
	began, shown := time.Now(), time.Time{}
	for row.Kind == run.BulkWrite {
		ledger := s.ledger(ctx)
		if ledger == nil {
			return nil, errLedgerGone
		}
		left, err := s.notDone(ctx, ledger)
		if err != nil {
			return nil, err
		}
		left = slices.DeleteFunc(left, func(other revisions.PromiseRow) bool {
			return other.XID == row.XID || !waitsFor(row, []revisions.PromiseRow{other})
		})
		if len(left) == 0 {
			return nil, nil
		}
		first := left[0]
		if first.State != revisions.Failed && first.Login.OID == row.Login.OID {
			if done, err := s.finishWrite(ctx, by, first, true); done || err != nil {
				if err != nil {
					return &first, err
				}
				continue
			}
		}
		// Who has promised it, and is there still, does it; so does who is at it.
		if first, err = shownNow(ctx, ledger, first); err != nil {
			return nil, err
		}
		about := first.State == revisions.Pending && !first.Released && time.Since(began) < deskPatience // behind its COMMIT, or stuck there
		works := first.Alive && (first.State == revisions.Running || about)
		if first.State == revisions.Done || first.State == revisions.Void {
			continue
		}
		if !works {
			return &first, nil
		}
		if time.Since(shown) > turnShown {
			shown = time.Now()
			if err := s.announce(fmt.Sprintf("waiting until %s on %s is done, which was sent before (promise %d)", first.Tag, first.TableName, first.ID)); err != nil {
				return &first, err
			}
		}
		s.leave()
		if hungUp(s.link.client.conn) {
			return &first, nil // it stays pending: it may take hours
		}
		if _, err := s.backend.Exec(ctx, napSQL); err != nil {
			return &first, err
		}
	}
	return nil, nil
}

// shownNow is a promise as the ledger has it now.
func shownNow(ctx context.Context, ledger *revisions.Ledger, row revisions.PromiseRow) (revisions.PromiseRow, error) {
	now, err := ledger.Show(ctx, row.ID)
	if err != nil || now == nil {
		return row, err
	}
	return *now, nil
}

// notDone asks what this database's ledger has of work that is not done; never nil.
func (s *session) notDone(ctx context.Context, ledger *revisions.Ledger) ([]revisions.PromiseRow, error) {
	left, err := ledger.List(ctx, revisions.Failed, revisions.Pending, revisions.Running)
	return append([]revisions.PromiseRow{}, left...), err
}

// finishWrite does one of them, unless somebody else is at it; early: also when it was stopped a moment ago. done is true when nothing is left to do.
func (s *session) finishWrite(ctx context.Context, by revisions.Runner, row revisions.PromiseRow, early bool) (done bool, err error) {
	ledger := s.ledger(ctx)
	if ledger == nil {
		return false, nil
	}
	claimed, err := ledger.Claim(ctx, by, revisions.ClaimOptions{ID: row.ID, Login: row.Login.OID, Early: early})
	if err != nil || len(claimed) == 0 {
		return false, s.aside(ctx, "cannot claim work that is left", err)
	}
	if err := s.announce(fmt.Sprintf("first %s on %s is finished, which an earlier transaction of this login has deferred (promise %d)", row.Tag, row.TableName, row.ID)); err != nil {
		return false, err
	}
	err = s.keepOne(ctx, by, row, nil)
	s.met(s.carried)
	switch {
	case errors.Is(err, run.ErrGivenUp):
		return true, s.gaveUp(ctx, row, err)
	case err == nil:
		return true, nil
	case isGone(err), run.SQLState(err) == canceled:
		return false, err
	}
	return false, s.unkept(ctx, fmt.Sprintf("%s on %s is not done yet: %s", row.Tag, row.TableName, plain(err)))
}

// gaveUp tells the client of promised work that somebody has given up.
func (s *session) gaveUp(ctx context.Context, row revisions.PromiseRow, err error) error {
	s.logger().WarnContext(ctx, "promised work was given up", "promise", row.ID, "error", err)
	return s.voice.notice("WARNING", codeCommittedNotFinished,
		fmt.Sprintf("pgsluice: the transaction is committed, but %s on %s is not done whole, and never will be: %s", row.Tag, row.TableName, plain(err)), "", "")
}
