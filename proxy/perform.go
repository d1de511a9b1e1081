package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// perform runs a plan on the spot and answers the client's statement with the tag that it expects.
func (s *session) perform(ctx context.Context, at occasion, known facts.Facts, plan rewrite.Plan, record *record) error {
	if at.alone {
		if err := s.endSegment(); err != nil {
			return err
		}
	}
	// The steps of a plan are not bound by that, and the client is.
	if waits(plan) && s.backend.TxStatus() == 'I' && known.Settings["default_transaction_read_only"] == "on" && plan.Tag != "REINDEX" {
		return s.reportFailure(ctx, at, s.voice.report(readOnly, inReadOnly(at), "", ""))
	}
	// What the server or the data forbids is said before the first step has changed anything.
	if waits(plan) && s.backend.TxStatus() == 'I' {
		if plan.Probe != "" && len(plan.Steps) > 1 {
			if _, err := s.backend.Exec(ctx, plan.Probe); err != nil {
				return s.answerFailure(ctx, at, plan, err)
			}
		}
		if err := s.checkData(ctx, plan); err != nil {
			return s.answerFailure(ctx, at, plan, err)
		}
	}
	if err := s.announce(plan.Notice); err != nil {
		return err
	}
	err := s.runAndUndo(ctx, at, known, plan, record)
	if err != nil {
		return s.answerFailure(ctx, at, plan, err)
	}
	if plan.Job != "" {
		return s.voice.complete(record.tag)
	}
	return s.voice.complete(plan.Tag)
}

// runAndUndo runs a plan outside of a transaction, all of it or, as far as it can be undone, nothing. What its steps in place have begun is
// promised in their own transaction, so that whatever dies in between, the rest is done; so is a plan that builds an index for itself, where nothing is
// in place.
func (s *session) runAndUndo(ctx context.Context, at occasion, known facts.Facts, plan rewrite.Plan, record *record) error {
	defer s.backend.hear() // a plan cancels what is its own, and says what was not
	here, later := split(plan)
	runner := s.runner(ctx, known)
	alone := s.backend.TxStatus() == 'I' && !s.backend.piped
	build := plan.Unprobed == "" && buildsForItself(later)
	promised := alone && len(later.Steps) > 0 && (len(here.Steps) > 0 || build) && s.mayDefer(ctx)
	s.leave()
	if !promised && (len(here.Steps) == 0 || len(later.Steps) == 0 || !alone) {
		result, err := runner.Run(ctx, plan)
		record.ran(result)
		if err != nil && alone && !isGone(err) && len(plan.Undo) > 0 {
			err = errors.Join(err, runner.Undo(ctx, plan))
		}
		return err
	}
	defer s.forget()
	var beside func(context.Context) error
	if promised {
		if err := s.takePen(ctx); err != nil {
			return err
		}
		s.leave()
		beside = func(ctx context.Context) error {
			s.pen.nonce, s.promises = revisions.Nonce{}, nil // a try before this one was rolled back
			if err := s.ink(ctx, known); err != nil {
				return err
			}
			return s.promise(ctx, at, known, later)
		}
	}
	if len(here.Steps) == 0 {
		if err := s.backend.InTx(ctx, beside); err != nil {
			return err
		}
	} else {
		runner.Beside = beside
		result, err := runner.Run(ctx, here)
		record.ran(result)
		if err != nil {
			return err
		}
		runner.Beside = nil
	}
	if promised {
		record.promised(s.promises[0].id)
		err := s.keepNow(ctx, runner, plan, len(here.Steps) > 0)
		record.ran(s.carried)
		if err == nil {
			record.entry.Outcome = "done"
		}
		return err
	}
	result, err := runner.Run(ctx, later)
	record.ran(result)
	if err != nil && !isGone(err) && len(plan.Undo) > 0 {
		err = errors.Join(err, runner.Undo(ctx, plan))
	}
	return err
}

// buildsForItself reports whether a plan builds an index for a later step of its own. What dies in between would leave one that nobody has asked for.
func buildsForItself(plan rewrite.Plan) bool {
	return len(plan.Steps) > 1 && slices.ContainsFunc(plan.Steps, func(step rewrite.Step) bool { return step.Index.Name != "" && !step.Index.Drop })
}

// keepNow keeps the promise that was just made outside of a transaction of the client's. One that cannot be kept is undone and void where
// that is possible, or where nothing was begun: the client's statement has failed, and is to leave nothing.
func (s *session) keepNow(ctx context.Context, runner run.Runner, plan rewrite.Plan, begun bool) error {
	rows, err := s.pending(ctx, s.owed)
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("the ledger has %d promises of one statement", len(rows))
	}
	row, left, nothing := rows[0], "", false
	err = s.keepOne(ctx, revisions.Runner{Name: s.options.Name, PID: s.owed.PID, BackendStart: s.owed.BackendStart}, row, func(done int) bool {
		nothing = !begun && done == 0
		if nothing || len(plan.Undo) == 0 {
			return nothing
		}
		undone := runner.Undo(ctx, plan)
		if undone != nil {
			left = "; what was begun could not be taken back: " + plain(undone)
		}
		nothing = undone == nil
		return nothing
	})
	if err == nil || isGone(err) || nothing || errors.Is(err, run.ErrGivenUp) {
		return err
	}
	return &run.Failure{
		Code:    run.SQLState(err),
		Message: fmt.Sprintf("pgsluice: %s is begun and not finished: %s; to finish it, run: pgsluice jobs resume %d", row.Tag, plain(err), row.ID),
		Detail:  fmt.Sprintf("Promise %d, %s on %s%s.", row.ID, row.Tag, row.TableName, left),
		Hint:    "Or give it up with pgsluice jobs cancel, and take back by hand what is there.",
		Err:     err,
	}
}

// runner runs plans on the client's server connection.
func (s *session) runner(ctx context.Context, known facts.Facts) run.Runner {
	r := run.Runner{Conn: s.backend, Watch: s.watch(), Report: notices{s.voice}, Meter: s.options.Meter, Options: s.options.Lock}
	r.HoldsStrong, r.Pipeline = known.HoldsStrong, s.backend.piped
	r.Session = s.known(known)
	if s.owes() || s.ledger(ctx) != nil {
		r.Artifacts, r.Jobs = artifacts{s}, jobs{s}
	}
	if s.options.Control != nil {
		r.Throttle = run.NewThrottle(s.lend, s.options.Throttle)
	}
	r.Environment = environment(known)
	r.Gone = func() bool { return hungUp(s.link.client.conn) }
	s.leave()
	return r
}

// known is what facts say of the session; the zero Session when they do not.
func (s *session) known(known facts.Facts) run.Session {
	session := run.Session{PID: s.backendPID(), Version: known.Version}
	for _, t := range []struct {
		name  string
		value *time.Duration
	}{
		{"lock_timeout", &session.LockTimeout}, {"statement_timeout", &session.StatementTimeout}, {"deadlock_timeout", &session.DeadlockTimeout},
	} {
		value, ok := known.Timeout(t.name)
		if !ok {
			return run.Session{}
		}
		*t.value = value
	}
	session.TransactionTimeout, _ = known.Timeout("transaction_timeout") // none before 17
	return session
}

// notices passes on to the client what a plan has to say while it runs.
type notices struct{ voice *voice }

// Notice implements run.Report. A client that has gone hears nothing, and the plan goes on.
func (n notices) Notice(message string) { _ = n.voice.notice("NOTICE", "00000", message, "", "") }

// answerFailure answers the client's statement with what ended its plan.
func (s *session) answerFailure(ctx context.Context, at occasion, plan rewrite.Plan, err error) error {
	var given *run.Failure
	if errors.As(err, &given) {
		return s.reportFailure(ctx, at, s.voice.report(given.Code, given.Message, given.Detail, given.Hint))
	}
	server, ok := asServerError(err)
	if !ok {
		return err
	}
	if len(plan.Steps) == 1 && plan.Steps[0].Client {
		return s.reportFailure(ctx, at, at.shifted(server.fields, at.before+at.Lead))
	}
	if server.fields.Code == readOnly && plan.Recipe != "" {
		server.fields.Message = inReadOnly(at) // and not what was tried, or written down, in its place
	}
	return s.reportFailure(ctx, at, unplaced(server.fields))
}

// readOnly is read_only_sql_transaction, and inReadOnly what the server says then. It lets REINDEX pass.
const readOnly = "25006"

func inReadOnly(at occasion) string {
	return fmt.Sprintf("cannot execute %s in a read-only transaction", at.Tag)
}

// reportFailure is fail for work that has failed on the server already: a transaction is aborted by that itself.
func (s *session) reportFailure(ctx context.Context, at occasion, report *pgproto3.ErrorResponse) error {
	if at.inTransaction {
		return s.fail(ctx, report)
	}
	return s.answer(report)
}
