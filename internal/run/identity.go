package run

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/pgsluice/pgsluice/rewrite"
)

//go:embed identity.sql
var identitySQL string

// Change is what is no longer so of a relation that a step was planned for.
type Change struct {
	OID uint32 `json:"oid"`
	// Gone is true when the relation has been dropped.
	Gone bool `json:"gone"`
	// What says it in words.
	What string `json:"what"`
}

// Changes asks, in one round trip, which relations and columns that steps are about are no longer those they were planned for: a name can
// mean another table by now.
func Changes(ctx context.Context, conn Conn, steps []rewrite.Step) ([]Change, error) {
	var targets []rewrite.Target
	for _, step := range steps {
		targets = append(targets, targetsOf(step)...)
	}
	if len(targets) == 0 {
		return nil, nil
	}
	rows, err := conn.Query(ctx, identitySQL, encode(targets))
	if err != nil {
		return nil, err
	}
	changes := make([]Change, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal([]byte(row), &changes[i]); err != nil {
			return nil, fmt.Errorf("cannot read what has changed: %w", err)
		}
	}
	return changes, nil
}

func targetsOf(step rewrite.Step) []rewrite.Target {
	var targets []rewrite.Target
	for _, target := range append([]rewrite.Target{step.Table}, step.Others...) {
		if target.OID != 0 {
			targets = append(targets, target)
		}
	}
	return targets
}

// Misplanned is the *Failure of a step that is about one of the changed relations, nil for any other step.
func Misplanned(step rewrite.Step, changes []Change) error {
	for _, target := range targetsOf(step) {
		for _, change := range changes {
			if change.OID != target.OID {
				continue
			}
			return &Failure{
				Code:    "42P01", // undefined_table
				Message: "pgsluice: " + change.What + " since this was planned, not run: " + brief(step.SQL),
				Hint:    "Send the statement again, so that it is planned for what is there now.",
			}
		}
	}
	return nil
}

// same fails, with a *Failure, unless every relation and column that the step is about is still the one it was planned for.
func (w *work) same(ctx context.Context, step rewrite.Step) error {
	changes, err := Changes(ctx, w.Conn, []rewrite.Step{step})
	if err != nil {
		return err
	}
	return Misplanned(step, changes)
}

// done asks whether the step needs no more doing.
func (w *work) done(ctx context.Context, step rewrite.Step) (bool, error) {
	if step.Done == "" {
		return false, nil
	}
	answer, err := ask(ctx, w.Conn, step.Done)
	return answer == "t", err
}
