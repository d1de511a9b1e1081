package run

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/rewrite"
)

//go:embed rebuilt.sql
var rebuiltSQL string

// rebuild runs a REINDEX CONCURRENTLY, again if the server found a deadlock, and leaves none of the INVALID indexes that one leaves behind
// when it fails, not those of earlier ones either: each costs every write, and the next would add one more.
func (w *work) rebuild(ctx context.Context, step rewrite.Step) error {
	for attempt := 1; ; attempt++ {
		if err := w.sweepRebuilt(ctx, step); err != nil {
			return err
		}
		if err := w.outlive(ctx, step.Table); err != nil {
			return err
		}
		err := w.reported(ctx, brief(step.SQL), func() error { return w.exec(ctx, step) })
		if err == nil {
			return nil
		}
		if SQLState(err) == "" {
			return err // the connection is lost
		}
		w.clean(ctx, step)
		if SQLState(err) != deadlockDetected || attempt == builds {
			return err
		}
		if err := w.quiet(ctx, step.Table); err != nil {
			return err
		}
	}
}

// clean removes what a rebuild left, within a time of its own, even if the client cancels that, too.
func (w *work) clean(ctx context.Context, step rewrite.Step) {
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.Options.lockBudget())
	defer cancel()
	err := w.sweepRebuilt(budget, step)
	for SQLState(err) == queryCanceled && budget.Err() == nil {
		err = w.sweepRebuilt(budget, step)
	}
	if err != nil {
		w.notice(fmt.Sprintf("pgsluice: an INVALID index of table %s may be left behind, its name ends in _ccnew or _ccold; drop it with DROP INDEX CONCURRENTLY: %v",
			quote(step.Table.Schema, step.Table.Name), err))
	}
}

// sweepRebuilt drops the leftovers of rebuilds of the table and its TOAST table. We have the table's maintenance lock and nobody builds on
// it, so nobody needs them.
func (w *work) sweepRebuilt(ctx context.Context, step rewrite.Step) error {
	for {
		left, err := w.Conn.Query(ctx, rebuiltSQL, fmt.Sprint(step.Table.OID))
		if err != nil || len(left) == 0 {
			return err
		}
		if err := w.quiet(ctx, step.Table); err != nil {
			return err
		}
		sql := "DROP INDEX CONCURRENTLY IF EXISTS " + left[0]
		err = w.reported(ctx, sql, func() error {
			_, err := w.within(ctx, sql)
			return err
		})
		w.ran(rewrite.Step{SQL: sql})
		if err != nil && SQLState(err) != deadlockDetected {
			return err
		}
	}
}
