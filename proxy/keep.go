package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// keep does what the transaction that has just committed promised, on the client's own connection and under the client's
// own rights, before the COMMIT is answered. What a retry can cure stays pending, with a WARNING; what it cannot cure is returned as one error
// for all. The ledger says what there is to do: what ROLLBACK TO SAVEPOINT took back is not in it.
func (s *session) keep(ctx context.Context) error {
	of := s.owed
	rows, err := s.pending(ctx, of)
	if err != nil {
		return s.unkept(ctx, "the ledger cannot be read: "+err.Error())
	}
	by := revisions.Runner{Name: s.options.Name, PID: of.PID, BackendStart: of.BackendStart}
	var (
		failed []failedPromise
		undone []revisions.PromiseRow
	)
	for i, row := range rows {
		if waitsFor(row, undone) {
			undone = append(undone, row)
			if err := s.unkept(ctx, fmt.Sprintf("%s on %s waits for what is not done before it", row.Tag, row.TableName)); err != nil {
				return err
			}
			s.release(ctx, by, rows[i:i+1], "", "it waits for what is not done before it")
			continue
		}
		before, err := s.inTurn(ctx, by, row)
		if before != nil && err == nil {
			undone = append(undone, row)
			if err := s.unkept(ctx, fmt.Sprintf("%s on %s waits for promise %d, which was sent before it and is not done yet", row.Tag, row.TableName, before.ID)); err != nil {
				return err
			}
			s.release(ctx, by, rows[i:i+1], "", fmt.Sprintf("it waits for promise %d", before.ID))
			continue
		}
		if err != nil {
			s.release(ctx, by, rows[i:i+1], run.SQLState(err), plain(err))
		} else {
			err = s.keepOne(ctx, by, row, nil)
			s.met(s.carried)
		}
		if err != nil {
			undone = append(undone, row)
		}
		switch {
		case err == nil:
			continue
		case isGone(err):
			return err
		case errors.Is(err, run.ErrGivenUp):
			if err := s.gaveUp(ctx, row, err); err != nil {
				return err
			}
			continue
		case !run.Retryable(err):
			failed = append(failed, failedPromise{row, err})
		default:
			if err := s.unkept(ctx, fmt.Sprintf("%s on %s is not done yet: %v", row.Tag, row.TableName, err)); err != nil {
				return err
			}
		}
		if run.SQLState(err) == canceled && i+1 < len(rows) {
			if err := s.unkept(ctx, fmt.Sprintf("%d more statement(s) are not done, because the client cancelled", len(rows)-i-1)); err != nil {
				return err
			}
			s.release(ctx, by, rows[i+1:], canceled, "the client cancelled")
			break
		}
	}
	if len(undone) == 0 {
		_, err := s.finishWrites(ctx, of.XID)
		if run.SQLState(err) == canceled {
			return s.unkept(ctx, plain(err))
		}
		return err
	}
	if len(failed) == 0 {
		return nil
	}
	given := unkeptError(failed)
	if s.options.WarnOnFailure {
		return s.voice.notice("WARNING", given.Code, given.Message, given.Detail, given.Hint)
	}
	return given
}

// waitsFor reports whether a promise may rely on one that is not kept.
func waitsFor(row revisions.PromiseRow, undone []revisions.PromiseRow) bool {
	for _, earlier := range undone {
		// Steps that cannot be read fail by themselves.
		if depends, err := run.DependsOn(row, earlier); depends && err == nil {
			return true
		}
	}
	return false
}

// pending are the promises of a committed transaction.
func (s *session) pending(ctx context.Context, of revisions.Transaction) ([]revisions.PromiseRow, error) {
	ledger := s.ledger(ctx)
	if ledger == nil {
		return nil, errLedgerGone
	}
	return ledger.Pending(ctx, of)
}

// restarted is how long a bulk write that was stopped is left alone.
const restarted = time.Minute

// keepOne does one piece of promised work and writes down how it ended. undo, if it is not nil, is tried when the work fails after so many steps: when
// it returns true the promise is void.
func (s *session) keepOne(ctx context.Context, by revisions.Runner, row revisions.PromiseRow, undo func(done int) bool) error {
	ledger := s.ledger(ctx)
	if ledger == nil {
		return errLedgerGone
	}
	started, err := ledger.Start(ctx, row.ID, by)
	if errors.Is(err, revisions.ErrLost) {
		return takenAway(ctx, ledger, row)
	}
	if err != nil {
		return err
	}
	row = started
	s.tellWork(ctx, workOn(row, revisions.Outcome{State: revisions.Running}), nil)
	done, err := s.carryOut(ctx, row)
	gone, lost := s.targetGone(ctx, row.Table)
	given := errors.Is(err, run.ErrGivenUp)
	void := err != nil && lost == nil && gone
	undone := err != nil && !void && !isGone(err) && undo != nil && undo(done)
	if ledger = s.ledger(ctx); ledger == nil {
		s.logger().ErrorContext(ctx, "cannot write down the end of a promise", "promise", row.ID, "error", errLedgerGone)
		return err
	}
	end := revisions.Outcome{State: revisions.Done}
	switch {
	case err == nil:
	case given:
		end = revisions.Outcome{State: revisions.Void, Message: run.Recordable(err, plain(err))}
	case void:
		err = nil
		end = revisions.Outcome{State: revisions.Void, Message: "the table is gone"}
	case undone:
		end = revisions.Outcome{State: revisions.Void, Message: "taken back: " + run.Recordable(err, plain(err))}
	case run.Retryable(err):
		end = revisions.Outcome{State: revisions.Pending, SQLState: run.SQLState(err), Message: run.Recordable(err, err.Error())}
	default:
		end = revisions.Outcome{State: revisions.Failed, SQLState: run.SQLState(err), Message: run.Recordable(err, plain(err))}
	}
	var written error
	if end.State == revisions.Pending {
		delay := time.Duration(0)
		if row.Kind == run.BulkWrite {
			delay = restarted // whoever has stopped it is not to meet it again with the next statement
		}
		written = ledger.Postpone(ctx, row.ID, by, end.SQLState, end.Message, delay)
	} else {
		written = ledger.Finish(ctx, row.ID, by, end)
	}
	s.tellWork(ctx, workOn(row, end), s.carried.Ran)
	if written != nil {
		s.logger().ErrorContext(ctx, "cannot write down the end of a promise", "promise", row.ID, "error", written)
	}
	return err
}

// takenAway is why a promise is not this session's to keep any more; nil if somebody else has kept it.
func takenAway(ctx context.Context, ledger *revisions.Ledger, row revisions.PromiseRow) error {
	now, err := shownNow(ctx, ledger, row)
	switch {
	case err != nil:
		return err
	case now.State == revisions.Done:
		return nil
	case now.State == revisions.Void:
		return &run.Failure{Code: canceled, Message: fmt.Sprintf("pgsluice: promise %d was given up: %s", row.ID, now.Message), Err: run.ErrGivenUp}
	}
	return &run.Failure{Code: "55P03", Message: fmt.Sprintf("pgsluice: somebody else works on promise %d", row.ID)} // lock_not_available
}

// carryOut runs the steps of a promise in the environment that the statement was given in, and returns how many were done.
func (s *session) carryOut(ctx context.Context, row revisions.PromiseRow) (done int, err error) {
	var environment map[string]string
	plan, err := run.Promised(row)
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(row.Environment, &environment); err != nil {
		return 0, fmt.Errorf("cannot read the environment of promise %d: %w", row.ID, err)
	}
	runner := s.runner(ctx, facts.Facts{})
	runner.Promise, runner.BackendStart, runner.Environment = row.ID, row.BackendStart, environment
	s.carried = run.Result{}
	defer s.backend.hear()
	under, err := run.As(ctx, s.backend, environment, row.Role)
	if err != nil {
		return 0, err
	}
	err = run.Under(ctx, s.backend, under, func() error {
		s.carried, err = runner.Run(ctx, plan)
		return err
	})
	if err == nil && plan.Job != "" {
		err = s.announce(fmt.Sprintf("%s on %s, which was deferred, is done: %s", row.Tag, row.TableName, s.carried.Tag))
	}
	return s.carried.Done, err
}

// release lets others do what this session will not, and says why.
func (s *session) release(ctx context.Context, by revisions.Runner, rows []revisions.PromiseRow, code, why string) {
	ledger := s.ledger(ctx)
	if ledger == nil {
		return
	}
	for _, row := range rows {
		if _, err := ledger.Start(ctx, row.ID, by); err != nil {
			continue
		}
		if err := ledger.Postpone(ctx, row.ID, by, code, why, 0); err != nil {
			s.logger().ErrorContext(ctx, "cannot postpone a promise", "promise", row.ID, "error", err)
		}
	}
}

// unkept warns the client of work that stays pending.
func (s *session) unkept(ctx context.Context, what string) error {
	s.logger().WarnContext(ctx, "promised work is not done yet", "what", what)
	return s.voice.notice("WARNING", codeCommittedNotFinished, "pgsluice: the transaction is committed, but "+what,
		"", "It stays pending in the ledger: run pgsluice jobs resume, or wait for the proxy to try again.")
}

// failedPromise is committed work that no retry cures.
type failedPromise struct {
	row revisions.PromiseRow
	err error
}

// unkeptError is the one error of a COMMIT for all that failed for good. It never has the class of its cause: tools replay or
// reword those, and the transaction is committed.
func unkeptError(failed []failedPromise) *run.Failure {
	first := failed[0]
	var detail []string
	for _, f := range failed {
		detail = append(detail, fmt.Sprintf("promise %d, %s on %s: %s (SQLSTATE %s)", f.row.ID, f.row.Tag, f.row.TableName, plain(f.err), run.SQLState(f.err)))
	}
	return &run.Failure{
		Code: codeCommittedNotFinished,
		Message: fmt.Sprintf("pgsluice: the transaction is COMMITTED, but %s on %s could not be finished: %s; when that is mended, run: pgsluice jobs resume %d",
			first.row.Tag, first.row.TableName, plain(first.err), first.row.ID),
		Detail: strings.Join(detail, "\n"),
		Hint:   "Do not run the migration again. Mend the data, then run pgsluice jobs resume; or give the work up with pgsluice jobs cancel.",
	}
}

// plain is an error's own message, without severity and code.
func plain(err error) string {
	if server, ok := asServerError(err); ok {
		return server.fields.Message
	}
	return strings.TrimPrefix(err.Error(), "pgsluice: ")
}

func isGone(err error) bool { return errors.Is(err, errClientGone) || errors.Is(err, errServerGone) }

// reportUnkept answers a COMMIT that took effect with the error that work behind it failed.
func (s *session) reportUnkept(failed error) error {
	var given *run.Failure
	if !errors.As(failed, &given) {
		return failed
	}
	return s.answer(s.voice.report(given.Code, given.Message, given.Detail, given.Hint))
}

// answer answers the statement at hand with an error whose effect on the server is there already.
func (s *session) answer(report *pgproto3.ErrorResponse) error {
	s.failed, s.failure = true, report.Code
	s.voice.withdraw()
	return s.voice.say(report)
}
