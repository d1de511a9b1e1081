package run

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

//go:embed index.sql
var indexSQL string

// builds is how often a build is begun before it is given up.
const builds = 3

// index is a relation that a step on an index meets.
type index struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Ours is true for an index of the step's table.
	Ours       bool   `json:"ours"`
	Valid      bool   `json:"valid"`
	Definition string `json:"definition"`
}

func (w *work) indexes(ctx context.Context, step rewrite.Step) ([]index, error) {
	rows, err := w.Conn.Query(ctx, indexSQL, strconv.FormatUint(uint64(step.Table.OID), 10), step.Index.Schema, step.Index.Name,
		strconv.FormatUint(uint64(step.Index.OID), 10))
	if err != nil {
		return nil, err
	}
	found := make([]index, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal([]byte(row), &found[i]); err != nil {
			return nil, fmt.Errorf("cannot read the indexes of %s: %w", quote(step.Table.Schema, step.Table.Name), err)
		}
	}
	return found, nil
}

// named is the relation with the name of the step's index; the zero index if there is none.
func named(step rewrite.Step, found []index) index {
	for _, i := range found {
		if i.Schema == step.Index.Schema && i.Name == step.Index.Name {
			return i
		}
	}
	return index{}
}

// leftovers are the INVALID indexes that a build of the step has left. We have the table's maintenance lock and nobody builds on the
// table, so nobody needs them. An index that is rebuilt is not its own leftover.
func leftovers(step rewrite.Step, found []index) []index {
	rebuild := step.Index.OID != 0
	var left []index
	for _, i := range found {
		if i.Ours && !i.Valid && (i.Name == step.Index.Name) != rebuild && i.OID != step.Index.OID {
			left = append(left, i)
		}
	}
	return left
}

// build runs a CREATE INDEX or REINDEX CONCURRENTLY until the index is valid, and leaves no INVALID one.
func (w *work) build(ctx context.Context, step rewrite.Step) error {
	for attempt := 1; ; attempt++ {
		before, err := w.indexes(ctx, step)
		if err != nil {
			return err
		}
		there := named(step, before)
		if there.Ours && there.Valid && step.Index.Key != "" && there.Definition == step.Index.Key {
			w.found(step)
			return nil
		}
		if err := w.sweep(ctx, step); err != nil {
			return err
		}
		if err := w.outlive(ctx, step.Table); err != nil {
			return err
		}
		err = w.buildOnce(ctx, step, there)
		yielded := errors.Is(err, errYielded)
		switch {
		case err == nil || !yielded && !errors.Is(err, errInvalid) && SQLState(err) != deadlockDetected:
			return err
		case w.canceled != nil:
			return w.canceled
		case yielded:
			attempt-- // which w.yielded counts
			continue
		}
		if attempt == builds {
			return w.unbuilt(ctx, step, err)
		}
		if err := w.quiet(ctx, step.Table); err != nil {
			return err
		}
	}
}

var errInvalid = errors.New("the server reports success, but the index is not valid")

// buildOnce builds, and when that fails drops what it left, even if the failure is a cancel.
func (w *work) buildOnce(ctx context.Context, step rewrite.Step, before index) error {
	if before.Valid {
		step.Index.Servant = false // the server says that the name is taken, and whoever cleans up leaves that one alone
	}
	made, err := w.announce(ctx, step)
	if err != nil {
		return err
	}
	if err := w.inMemory(ctx, step.Table, func() error {
		return w.concurrently(ctx, step, func() error { return w.exec(ctx, step) })
	}); err != nil {
		return w.cleaned(ctx, step, made, err)
	}
	var found []index
	// The index is there: a cancel comes too late.
	if err := w.persist(ctx, func(ctx context.Context) (err error) {
		found, err = w.indexes(ctx, step)
		return err
	}); err != nil {
		return err
	}
	built := named(step, found)
	if built.Ours && !built.Valid {
		return w.cleaned(ctx, step, made, errInvalid)
	}
	if step.Index.Servant && built.Ours {
		w.servants.add(made)
	} else {
		made.forget()
	}
	// IF NOT EXISTS looks at nothing but the name.
	if !built.Ours || built.OID == before.OID && step.Index.Key != "" {
		return &Failure{
			Code:    "42P07", // duplicate_table
			Message: fmt.Sprintf("pgsluice: %s exists already and is not the index that was asked for", quote(step.Index.Schema, step.Index.Name)),
			Detail:  built.Definition,
			Hint:    "Give the new index another name, or drop the one that is there.",
		}
	}
	return nil
}

// cleaned drops what a failed build left and returns why it failed. A lost connection leaves it for later.
func (w *work) cleaned(ctx context.Context, step rewrite.Step, made listed, cause error) error {
	if SQLState(cause) == "" && !errors.Is(cause, errInvalid) {
		return cause
	}
	what := "the INVALID index " + quote(step.Index.Schema, step.Index.Name) + " is left behind"
	w.cleanUp(ctx, made, what, "drop it with DROP INDEX CONCURRENTLY", func(ctx context.Context) error { return w.sweep(ctx, step) })
	return cause
}

// cleanUp removes what a plan that has failed left, as often as the client cancels that, too: the cancel was for the plan, which heeds it afterwards. What
// cannot be removed in time is told, with what to do, and left to others where they know of it.
func (w *work) cleanUp(ctx context.Context, made listed, what, remedy string, remove func(context.Context) error) {
	patience := w.Options.lockBudget()
	if made.handOver != nil {
		patience = min(patience, w.Options.cleanUpBudget())
	}
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	defer w.unwatched()()
	canceled := w.canceled
	w.canceled = nil
	err := remove(budget)
	for SQLState(err) == queryCanceled && budget.Err() == nil {
		w.canceled, canceled = nil, err
		err = remove(budget)
	}
	w.heed(canceled)
	switch {
	case err == nil:
		made.forget()
	case made.handOver != nil && made.handOver() == nil:
		w.notice(fmt.Sprintf("pgsluice: %s until nobody is in the way any more, and is removed by pgsluice then: %v", what, err))
	default:
		w.notice(fmt.Sprintf("pgsluice: %s, %s: %v", what, remedy, err))
	}
}

// sweep drops the INVALID indexes of earlier builds. It waits until nobody else works on the table, because the server waits for
// them with a snapshot.
func (w *work) sweep(ctx context.Context, step rewrite.Step) error {
	for {
		found, err := w.indexes(ctx, step)
		if err != nil {
			return err
		}
		left := leftovers(step, found)
		if len(left) == 0 {
			return nil
		}
		if err := w.quiet(ctx, step.Table); err != nil {
			return err
		}
		if err := w.dropInvalid(ctx, step.Table, quote(left[0].Schema, left[0].Name)); err != nil {
			return err
		}
	}
}

// dropInvalid drops an index, unless it has to give way: then it is not gone yet.
func (w *work) dropInvalid(ctx context.Context, table rewrite.Target, index string) error {
	drop := rewrite.Step{SQL: "DROP INDEX CONCURRENTLY IF EXISTS " + index, Table: table}
	err := w.concurrently(ctx, drop, func() error {
		_, err := w.within(ctx, drop.SQL)
		return err
	})
	w.ran(drop)
	if SQLState(err) == deadlockDetected || errors.Is(err, errYielded) {
		return nil
	}
	return err
}

// concurrently runs what takes long and lets others work: it says how far it is, and gives way to those who cannot go on for it.
func (w *work) concurrently(ctx context.Context, step rewrite.Step, f func() error) error {
	return w.yielding(ctx, step.Table, func() error { return w.reported(ctx, brief(step.SQL), f) })
}

// removeInvalid drops what a build of the step has left, in the table's turn.
func (r Runner) removeInvalid(ctx context.Context, step rewrite.Step) error {
	return r.inTurn(ctx, step.Table, func(w *work) error { return w.sweep(ctx, step) })
}

// inTurn does work of ours on a table, in its turn.
func (r Runner) inTurn(ctx context.Context, table rewrite.Target, f func(*work) error) error {
	w := &work{Runner: r, result: &Result{}, said: time.Now()}
	if err := w.readSession(ctx); err != nil {
		return err
	}
	return w.maintenance(ctx, func() error {
		return w.turn(ctx, table, func() error { return f(w) })
	})
}

// within runs a statement that the server itself ends when the context's time is up: a proxy may not close the connection that
// it lends.
func (w *work) within(ctx context.Context, sql string) (tag string, err error) {
	deadline, limited := ctx.Deadline()
	if !limited {
		return w.Conn.Exec(ctx, sql)
	}
	left := max(time.Until(deadline), 0) + time.Millisecond // the server's time is not up before the context's, or it would look like a cancel
	err = w.under(ctx, map[string]string{"statement_timeout": milliseconds(left)}, func() error {
		tag, err = w.Conn.Exec(context.WithoutCancel(ctx), sql)
		return err
	})
	return tag, err
}

// announce writes down the index before it is made, so that a crash cannot hide it; of one that is rebuilt, the table whose indexes are.
func (w *work) announce(ctx context.Context, step rewrite.Step) (listed, error) {
	if step.Index.OID != 0 || step.Rebuild {
		return w.list(ctx, revisions.Artifact{Kind: rebuildKind, Schema: step.Table.Schema, Name: step.Table.Name, Table: step.Table.OID})
	}
	kind := "index"
	if step.Index.Servant {
		kind = servantKind
	}
	return w.list(ctx, revisions.Artifact{Kind: kind, Schema: step.Index.Schema, Name: step.Index.Name, Table: step.Table.OID})
}

// listed is an artifact that is written down.
type listed struct {
	forget func()
	// handOver leaves it to whoever resumes; nil where it is not written down.
	handOver func() error
}

// list writes an artifact down as made by this backend for this plan.
func (w *work) list(ctx context.Context, artifact revisions.Artifact) (listed, error) {
	if w.Artifacts == nil {
		return listed{forget: func() {}}, nil
	}
	artifact.Promise, artifact.PID, artifact.BackendStart = w.Options.Promise, int32(w.session.PID), w.Options.BackendStart
	id, err := w.Artifacts.Announce(ctx, artifact)
	if err != nil {
		return listed{}, err
	}
	ctx = context.WithoutCancel(ctx)
	forget := func() {
		// A row too many does no harm: whoever cleans up looks at the object first.
		_ = w.Artifacts.Forget(ctx, id)
	}
	return listed{forget, func() error {
		artifact.PID, artifact.BackendStart = 0, 0 // a maker that has ended
		if _, err := w.Artifacts.Announce(ctx, artifact); err != nil {
			return err
		}
		forget()
		return nil
	}}, nil
}

// unbuilt is the failure of an index that could not be built in several tries. The usual cause is a session that waits inside the
// server for an advisory lock of ours: its snapshot and our lock wait for each other.
func (w *work) unbuilt(ctx context.Context, step rewrite.Step, cause error) error {
	code := SQLState(cause)
	if code == "" {
		code = "55000" // object_not_in_prerequisite_state
	}
	failure := &Failure{
		Code:    code,
		Message: fmt.Sprintf("pgsluice: %s could not be built in %d tries: %v", quote(step.Index.Schema, step.Index.Name), builds, cause),
		Hint:    "Run it again when nothing else works on the table.",
		Err:     cause,
	}
	waiting, err := w.Conn.Query(ctx, `SELECT l.pid FROM pg_catalog.pg_locks AS l
		WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND NOT l.granted
		AND pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(l.pid))`)
	if err == nil && len(waiting) > 0 {
		failure.Message += fmt.Sprintf("; pid %s waits for an advisory lock of this session, and the build waits for it", waiting[0])
		failure.Hint = "Let the other instance of the migration tool connect through pgsluice, or stop it, and run this again."
	}
	return failure
}

// drop runs a DROP INDEX CONCURRENTLY until the index is gone.
func (w *work) drop(ctx context.Context, step rewrite.Step) error {
	for attempt := 1; ; attempt++ {
		found, err := w.indexes(ctx, step)
		if err != nil {
			return err
		}
		there := named(step, found)
		if i := slices.IndexFunc(found, func(i index) bool { return i.OID == step.Index.OID }); step.Index.OID != 0 && i >= 0 && found[i].OID != there.OID {
			return &Failure{
				Code: notFound,
				Message: fmt.Sprintf("pgsluice: index %s is now %s, not run: %s", quote(step.Index.Schema, step.Index.Name),
					quote(found[i].Schema, found[i].Name), brief(step.SQL)),
				Hint: "Send the statement again, with the name that the index has now.",
			}
		}
		if there.OID == 0 || step.Index.OID != 0 && there.OID != step.Index.OID {
			if attempt == 1 {
				w.found(step)
			}
			return nil
		}
		err = w.concurrently(ctx, step, func() error { return w.exec(ctx, step) })
		yielded := errors.Is(err, errYielded)
		if yielded {
			attempt--
		}
		again := err == nil || yielded || SQLState(err) == deadlockDetected
		if !again || attempt > builds {
			return err
		}
		if err != nil {
			if err := w.quiet(ctx, step.Table); err != nil {
				return err
			}
		}
	}
}
