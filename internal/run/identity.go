package run

import (
	"context"
	_ "embed"

	"github.com/pgsluice/pgsluice/rewrite"
)

//go:embed identity.sql
var identitySQL string

// same fails unless every relation that the step is about is still the one it was planned for: a name can mean another table by now.
func (w *work) same(ctx context.Context, step rewrite.Step) error {
	var targets []rewrite.Target
	for _, target := range append([]rewrite.Target{step.Table}, step.Others...) {
		if target.OID != 0 {
			targets = append(targets, target)
		}
	}
	if len(targets) == 0 {
		return nil
	}
	changed, err := w.Conn.Query(ctx, identitySQL, encode(targets))
	if err != nil || len(changed) == 0 {
		return err
	}
	return &Failure{
		Code:    "42P01", // undefined_table
		Message: "pgsluice: " + changed[0] + " since this was planned, not run: " + brief(step.SQL),
		Hint:    "Send the statement again, so that it is planned for what is there now.",
	}
}

// done asks whether the step needs no more doing.
func (w *work) done(ctx context.Context, step rewrite.Step) (bool, error) {
	if step.Done == "" {
		return false, nil
	}
	answer, err := ask(ctx, w.Conn, step.Done)
	return answer == "t", err
}
