package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"

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

// makesUnique is what this transaction has promised that will keep rows of a table from being alike.
func (s *session) makesUnique(table uint32) (name string, ok bool) {
	for _, p := range s.promised() {
		if p.Table == table && p.Unique && !p.Drops {
			return p.Object, true
		}
	}
	return "", false
}

// catchUp does what earlier sessions of this login have deferred of bulk writes and not finished, before its next schema change or bulk write that is
// outside of a transaction: nobody else may. What cannot be done now stays pending. It returns what the ledger has of work that is not done, nil where that
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
	const looking = "cannot look for bulk writes that are left"
	if left, err = s.notDone(ctx, ledger); err != nil {
		return nil, s.aside(ctx, looking, err)
	}
	writes := slices.DeleteFunc(slices.Clone(left), func(row revisions.PromiseRow) bool {
		return row.Kind != run.BulkWrite || row.State == revisions.Failed || row.XID == but
	})
	if len(writes) == 0 {
		return left, nil
	}
	by, err := run.Identify(ctx, s.backend, s.options.Name)
	if err != nil {
		return nil, s.aside(ctx, looking, err)
	}
	login, err := s.backend.Query(ctx, "SELECT SESSION_USER")
	if err != nil {
		return nil, s.aside(ctx, looking, err)
	}
	for _, row := range writes {
		if !slices.Contains(login, row.Login.Name) {
			continue
		}
		if err := s.finishWrite(ctx, by, row); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// notDone asks what this database's ledger has of work that is not done; never nil.
func (s *session) notDone(ctx context.Context, ledger *revisions.Ledger) ([]revisions.PromiseRow, error) {
	left, err := ledger.List(ctx, revisions.Failed, revisions.Pending, revisions.Running)
	return append([]revisions.PromiseRow{}, left...), err
}

// finishWrite does one of them, unless somebody else is at it.
func (s *session) finishWrite(ctx context.Context, by revisions.Runner, row revisions.PromiseRow) error {
	ledger := s.ledger(ctx)
	if ledger == nil {
		return nil
	}
	claimed, err := ledger.Claim(ctx, by, revisions.ClaimOptions{ID: row.ID, Login: row.Login.OID})
	if err != nil || len(claimed) == 0 {
		return s.aside(ctx, "cannot claim a bulk write that is left", err)
	}
	if err := s.announce(fmt.Sprintf("first %s on %s is finished, which an earlier transaction of this login has deferred (promise %d)", row.Tag, row.TableName, row.ID)); err != nil {
		return err
	}
	err = s.keepOne(ctx, by, row, nil)
	s.met(s.carried)
	switch {
	case errors.Is(err, run.ErrGivenUp):
		return s.gaveUp(ctx, row, err)
	case err == nil, isGone(err), run.SQLState(err) == canceled:
		return err
	}
	return s.unkept(ctx, fmt.Sprintf("%s on %s is not done yet: %s", row.Tag, row.TableName, plain(err)))
}

// gaveUp tells the client of a bulk write that somebody has given up.
func (s *session) gaveUp(ctx context.Context, row revisions.PromiseRow, err error) error {
	s.log.WarnContext(ctx, "promised work was given up", "promise", row.ID, "error", err)
	return s.voice.notice("WARNING", codeCommittedNotFinished,
		fmt.Sprintf("pgsluice: the transaction is committed, but %s on %s is not done whole, and never will be: %s", row.Tag, row.TableName, plain(err)), "", "")
}
