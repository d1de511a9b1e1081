package run

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// helper is a constraint that this run has made for a plan.
type helper struct {
	on   rewrite.Target
	name string
	row  listed
	// promised is true when a promise needs it, however this run ends
	promised bool
}

// adopt takes charge of the helpers that a transaction before has made, beside the promise to go on with them: they are listed, so that
// somebody removes them if the promise is given up.
func (w *work) adopt(ctx context.Context, steps []rewrite.Step) error {
	var made []rewrite.Helper
	for _, step := range steps {
		for _, h := range step.Helpers {
			if !h.Drop {
				made = append(made, h)
				continue
			}
			if slices.Contains(made, rewrite.Helper{Name: h.Name}) {
				continue
			}
			if err := w.readSession(ctx); err != nil {
				return err
			}
			made, err := w.list(ctx, revisions.Artifact{Kind: "constraint", Schema: step.Table.Schema, Name: h.Name, Table: step.Table.OID})
			if err != nil {
				return err
			}
			w.helpers = append(w.helpers, helper{on: step.Table, name: h.Name, row: made, promised: w.Options.Promise != 0})
		}
	}
	return nil
}

// helped runs a step that is outside of a client's transaction: a helper constraint is written down before it is made, and struck when a
// step has removed it. One that is made in a client's transaction, or beside a promise, needs none of it: it goes with the transaction, or the
// promise needs it.
func (w *work) helped(ctx context.Context, step rewrite.Step, f func() error) error {
	for _, h := range step.Helpers {
		if h.Drop || w.Beside != nil {
			continue
		}
		made, err := w.list(ctx, revisions.Artifact{Kind: "constraint", Schema: step.Table.Schema, Name: h.Name, Table: step.Table.OID})
		if err != nil {
			return err
		}
		w.helpers = append(w.helpers, helper{on: step.Table, name: h.Name, row: made})
	}
	if err := f(); err != nil {
		return err
	}
	w.helpers = slices.DeleteFunc(w.helpers, func(made helper) bool {
		gone := made.on.OID == step.Table.OID && slices.Contains(step.Helpers, rewrite.Helper{Name: made.name, Drop: true})
		if gone {
			made.row.forget()
		}
		return gone
	})
	return nil
}

// abandon removes the helpers of a plan that ended with an error, even if that is a cancel. A lost connection leaves them for a Resume, to which the indexes
// that were built for a later step are left anyhow: a promise may need them.
func (w *work) abandon(ctx context.Context, cause error) {
	if SQLState(cause) == "" {
		return
	}
	w.servants.handOver()
	for _, h := range w.helpers {
		if h.promised {
			continue
		}
		what := fmt.Sprintf("the constraint %s of %s is left behind", ident(h.name), quote(h.on.Schema, h.on.Name))
		w.cleanUp(ctx, h.row, what, "drop it with ALTER TABLE … DROP CONSTRAINT", func(ctx context.Context) error { return w.removeHelper(ctx, h.on, h.name) })
	}
	w.helpers = nil
}

// removeHelper drops a helper if it is there, in the table's turn.
func (w *work) removeHelper(ctx context.Context, table rewrite.Target, name string) error {
	step := rewrite.Step{
		SQL:   fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", quote(table.Schema, table.Name), ident(name)),
		Where: rewrite.AfterCommit, Table: rewrite.Target{OID: table.OID, Schema: table.Schema, Name: table.Name}, Budget: true,
	}
	return w.maintenance(ctx, func() error {
		return w.turn(ctx, step.Table, func() error {
			there, err := w.Conn.Query(ctx, helperSQL, fmt.Sprint(table.OID), name)
			if err != nil || len(there) == 0 {
				return err
			}
			return w.stepOfOurs(ctx, step)
		})
	})
}

// helperSQL is the table, as JSON, that has the check constraint $2, if the table with the OID $1 still has it.
const helperSQL = `SELECT pg_catalog.json_build_object('oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname)
	FROM pg_catalog.pg_constraint AS k
	JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) k.conrelid
	JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
	WHERE k.conrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND k.conname OPERATOR(pg_catalog.=) $2 AND k.contype OPERATOR(pg_catalog.=) 'c'`

// isHelper reports whether an artifact can only be a constraint of ours.
func isHelper(a revisions.Artifact) bool {
	return a.Kind == "constraint" && strings.HasPrefix(a.Name, rewrite.HelperPrefix)
}

// removeConstraint drops a helper whose maker is gone. The table may have another name by now.
func (r Runner) removeConstraint(ctx context.Context, artifact revisions.Artifact) error {
	there, err := r.Conn.Query(ctx, helperSQL, fmt.Sprint(artifact.Table), artifact.Name)
	if err != nil || len(there) == 0 {
		return err
	}
	var table rewrite.Target
	if err := json.Unmarshal([]byte(there[0]), &table); err != nil {
		return fmt.Errorf("cannot read the table of constraint %s: %w", ident(artifact.Name), err)
	}
	w := &work{Runner: r, result: &Result{}, said: time.Now()}
	if err := w.readSession(ctx); err != nil {
		return err
	}
	return w.removeHelper(ctx, table, artifact.Name)
}
