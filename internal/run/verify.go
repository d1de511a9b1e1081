package run

import (
	"context"

	"github.com/pgsluice/pgsluice/rewrite"
)

// Verify fails, with a *Failure, unless every relation and column that the plan's steps are about is still the one it was planned for.
func (r Runner) Verify(ctx context.Context, plan rewrite.Plan) error {
	w := &work{Runner: r, result: &Result{}}
	for _, step := range plan.Steps {
		if err := w.same(ctx, step); err != nil {
			return err
		}
	}
	return nil
}
