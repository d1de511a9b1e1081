package main

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

const (
	// anchorEvery is how often the head of the audit trail is written into ledgers, when there is a new one.
	anchorEvery = 5 * time.Second

	// anchorPatience bounds the last time, when the process ends.
	anchorPatience = 10 * time.Second
)

// anchorer writes the head of the audit trail into the ledgers of the databases that its lines are about, so that the end of the trail cannot be cut off, nor all
// of it be written anew, without a ledger that tells. It also asks the ledgers how transactions have ended that were in doubt.
type anchorer struct {
	trail  *revisions.Audit
	logins *logins
	name   string // of this process
	log    *slog.Logger
	every  time.Duration
	// silent is true while no ledger took an anchor, which is said once; so is that one of several did not, which waiting remembers.
	silent  bool
	waiting map[string]bool
}

// run anchors now and then until ctx is done, and once more then.
func (a *anchorer) run(ctx context.Context) {
	ticker := time.NewTicker(a.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			last, enough := context.WithTimeout(context.WithoutCancel(ctx), anchorPatience)
			defer enough()
			a.round(last)
			return
		case <-ticker.C:
			a.round(ctx)
		}
	}
}

func (a *anchorer) round(ctx context.Context) {
	a.resolve(ctx)
	head, databases, ok, err := a.trail.Unanchored()
	if err != nil {
		a.log.Warn("the audit trail is not anchored", "error", err)
		return
	}
	if !ok {
		return
	}
	done, taken := []string{}, 0
	waiting := map[string]bool{}
	var failed error
	for _, database := range databases {
		err := a.at(ctx, database, func(l *revisions.Ledger) error { return l.Anchor(ctx, a.name, head) })
		switch {
		case err == nil:
			taken++
			done = append(done, database)
		case hasNoLedger(err):
			done = append(done, database)
		default: // in the next round
			waiting[database] = true
			if !a.waiting[database] && ctx.Err() == nil {
				a.log.Warn("the audit trail is not anchored in the ledger of this database yet", "database", database, "error", err)
			}
		}
		failed = errors.Join(failed, err)
	}
	a.waiting = waiting
	// What is about no database, or about one without a ledger, is vouched for by the database of the control login.
	if taken == 0 && !slices.Contains(databases, "") {
		err := a.at(ctx, "", func(l *revisions.Ledger) error { return l.Anchor(ctx, a.name, head) })
		if err == nil {
			taken++
		}
		failed = errors.Join(failed, err)
	}
	if taken == 0 {
		if !a.silent && len(databases) > 0 && ctx.Err() == nil {
			a.log.Warn("the audit trail is anchored in no ledger: nobody could tell that its end was cut off", "error", failed, "hint", "run pgsluice install")
		}
		a.silent = a.silent || len(databases) > 0
		return
	}
	a.silent = false
	a.trail.Anchored(head, done)
}

// hasNoLedger reports whether a database will not take an anchor in the next round either: nobody has installed a ledger there, or it is gone.
func hasNoLedger(err error) bool {
	return errors.Is(err, revisions.ErrNotInstalled) || errors.Is(err, control.ErrTemplate) || run.SQLState(err) == noSuchDatabase
}

// noSuchDatabase is invalid_catalog_name.
const noSuchDatabase = "3D000"

// resolve writes down how transactions have ended that were in doubt.
func (a *anchorer) resolve(ctx context.Context) {
	for database, doubts := range a.trail.Doubts() {
		var ids []int64
		for _, d := range doubts {
			ids = append(ids, d.Statement)
		}
		var outcomes map[int64]string
		err := a.at(ctx, database, func(l *revisions.Ledger) (err error) {
			outcomes, err = l.Outcomes(ctx, ids)
			return err
		})
		if err != nil {
			a.log.Debug("cannot ask how transactions have ended", "database", database, "error", err)
		}
		for _, d := range doubts {
			outcome := outcomes[d.Statement]
			if outcome == "" {
				a.trail.Doubted(d)
				continue
			}
			if _, err := a.trail.Write(revisions.EndingOf(outcome, []revisions.Entry{d})); err != nil {
				a.log.Error("cannot write the audit trail", "error", err)
			}
		}
	}
}

// at calls f with the ledger of a database.
func (a *anchorer) at(ctx context.Context, database string, f func(*revisions.Ledger) error) error {
	conn, release, err := a.logins.Conn(ctx, database)
	if err != nil {
		return err
	}
	defer release()
	ledger, err := revisions.Open(ctx, conn)
	if err != nil {
		return err
	}
	return f(ledger)
}
