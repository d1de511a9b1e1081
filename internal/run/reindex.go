package run

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/pgsluice/pgsluice/rewrite"
)

//go:embed rebuilt.sql
var rebuiltSQL string

// rebuildKind is the kind of artifact of a table whose indexes are rebuilt: what they are called meanwhile is the server's choice.
const rebuildKind = "rebuild"

// rebuild runs a REINDEX CONCURRENTLY, again if the server found a deadlock, and leaves none of the INVALID indexes that one leaves behind
// when it fails, not those of earlier ones either: each costs every write, and the next would add one more.
func (w *work) rebuild(ctx context.Context, step rewrite.Step) error {
	for attempt := 1; ; attempt++ {
		if err := w.sweepRebuilt(ctx, step.Table); err != nil {
			return err
		}
		if err := w.outlive(ctx, step.Table); err != nil {
			return err
		}
		made, err := w.announce(ctx, step)
		if err != nil {
			return err
		}
		err = w.inMemory(ctx, step.Table, func() error {
			return w.concurrently(ctx, step, func() error { return w.exec(ctx, step) })
		})
		if err == nil {
			made.forget()
			return nil
		}
		if SQLState(err) == "" {
			return err // the connection is lost
		}
		w.cleanUp(ctx, made, fmt.Sprintf("an INVALID index of table %s may be left behind, its name ends in _ccnew or _ccold", quote(step.Table.Schema, step.Table.Name)),
			"drop it with DROP INDEX CONCURRENTLY", func(ctx context.Context) error { return w.sweepRebuilt(ctx, step.Table) })
		yielded := errors.Is(err, errYielded)
		switch {
		case !yielded && SQLState(err) != deadlockDetected:
			return err
		case w.canceled != nil:
			return w.canceled
		case yielded:
			attempt-- // which w.yielded counts
			continue
		case attempt == builds:
			return err
		}
		if err := w.quiet(ctx, step.Table); err != nil {
			return err
		}
	}
}

// sweepRebuilt drops the leftovers of rebuilds of the table and its TOAST table. We have the table's maintenance lock and nobody builds on
// it, so nobody needs them.
func (w *work) sweepRebuilt(ctx context.Context, table rewrite.Target) error {
	for {
		left, err := w.Conn.Query(ctx, rebuiltSQL, fmt.Sprint(table.OID))
		if err != nil || len(left) == 0 {
			return err
		}
		if err := w.quiet(ctx, table); err != nil {
			return err
		}
		if err := w.dropInvalid(ctx, table, left[0]); err != nil {
			return err
		}
	}
}

// removeRebuilt drops what a rebuild of the table's indexes has left, in its turn.
func (r Runner) removeRebuilt(ctx context.Context, table rewrite.Target) error {
	return r.inTurn(ctx, table, func(w *work) error { return w.sweepRebuilt(ctx, table) })
}
