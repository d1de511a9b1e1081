package proxy

import (
	"context"

	"github.com/pgsluice/pgsluice/revisions"
)

// jobs writes bulk writes down in the ledger, with a desk for each call: a job of hours keeps no control connection from others.
type jobs struct{ session *session }

// at calls f with the ledger of the session's database.
func (j jobs) at(ctx context.Context, f func(*revisions.Ledger) error) error {
	defer j.session.leave()
	ledger := j.session.ledger(ctx)
	if ledger == nil {
		return errLedgerGone
	}
	return f(ledger)
}

func (j jobs) FindJob(ctx context.Context, like revisions.Job) (row *revisions.JobRow, err error) {
	err = j.at(ctx, func(l *revisions.Ledger) error { row, err = l.FindJob(ctx, like); return err })
	return row, err
}

func (j jobs) EndedJob(ctx context.Context, like revisions.Job) (row *revisions.JobRow, err error) {
	err = j.at(ctx, func(l *revisions.Ledger) error { row, err = l.EndedJob(ctx, like); return err })
	return row, err
}

func (j jobs) AdoptJob(ctx context.Context, id int64, by revisions.Runner) (row revisions.JobRow, err error) {
	err = j.at(ctx, func(l *revisions.Ledger) error { row, err = l.AdoptJob(ctx, id, by); return err })
	if err == nil {
		j.session.tellWork(ctx, work{id: id, tag: row.Tag, table: row.TableName, end: revisions.Outcome{State: revisions.Running}}, nil)
	}
	return row, err
}

func (j jobs) BeginJob(ctx context.Context, job revisions.Job, by revisions.Runner) error {
	err := j.at(ctx, func(l *revisions.Ledger) error { return l.BeginJob(ctx, job, by) })
	if err == nil {
		j.session.tellWork(ctx, work{id: job.ID, tag: job.Tag, end: revisions.Outcome{State: revisions.Running}}, nil)
	}
	return err
}

func (j jobs) BeatJob(ctx context.Context, id int64, by revisions.Runner, reason string) (wanted revisions.Steering, err error) {
	err = j.at(ctx, func(l *revisions.Ledger) error { wanted, err = l.BeatJob(ctx, id, by, reason); return err })
	return wanted, err
}

func (j jobs) EndJob(ctx context.Context, id int64, by revisions.Runner, outcome revisions.Outcome) error {
	err := j.at(ctx, func(l *revisions.Ledger) error { return l.EndJob(ctx, id, by, outcome) })
	if err == nil {
		j.session.tellWork(ctx, work{id: id, end: outcome}, nil)
	}
	return err
}

func (j jobs) NewKey(ctx context.Context) (key revisions.Key, err error) {
	err = j.at(ctx, func(l *revisions.Ledger) error { key, err = l.NewKey(ctx); return err })
	return key, err
}
