package proxy

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// perform runs a plan on the spot and answers the client's statement with the tag that it expects.
func (s *session) perform(ctx context.Context, at occasion, known facts.Facts, plan rewrite.Plan, record *record) error {
	if at.alone {
		if err := s.endSegment(); err != nil {
			return err
		}
	}
	// What the data forbids is said before the first step has changed anything.
	if waits(plan) && s.backend.TxStatus() == 'I' {
		if err := s.checkData(ctx, plan); err != nil {
			return s.answerFailure(ctx, at, plan, err)
		}
	}
	if err := s.announce(plan.Notice); err != nil {
		return err
	}
	result, err := s.runner(ctx, known).Run(ctx, plan)
	record.ran(result)
	if err != nil {
		return s.answerFailure(ctx, at, plan, err)
	}
	return s.voice.complete(plan.Tag)
}

// runner runs plans on the client's server connection.
func (s *session) runner(ctx context.Context, known facts.Facts) run.Runner {
	r := run.Runner{Conn: s.backend, Watch: s.watch(), Report: notices{s.voice}, Options: s.options.Lock}
	r.HoldsStrong, r.Pipeline = known.HoldsStrong, s.backend.piped
	if s.ledger(ctx) != nil {
		r.Artifacts = artifacts{s}
	}
	s.leave()
	return r
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
		return s.reportFailure(ctx, at, shifted(server.fields, at.before+at.Lead))
	}
	return s.reportFailure(ctx, at, unplaced(server.fields))
}

// reportFailure is fail for work that has failed on the server already: a transaction is aborted by that itself.
func (s *session) reportFailure(ctx context.Context, at occasion, report *pgproto3.ErrorResponse) error {
	if at.inTransaction {
		return s.fail(ctx, report)
	}
	return s.answer(report)
}
