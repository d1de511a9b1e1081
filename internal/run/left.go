package run

import (
	"context"

	"github.com/pgsluice/pgsluice/rewrite"
)

// left fails if something is still missing when a step is done: it was planned for what was there before, and what has been added
// meanwhile it cannot know.
func (w *work) left(ctx context.Context, step rewrite.Step) error {
	if step.Left == "" {
		return nil
	}
	missing, err := w.Conn.Query(ctx, step.Left)
	if err != nil || len(missing) == 0 {
		return err
	}
	return &Failure{Code: "55000", Message: "pgsluice: " + missing[0]} // object_not_in_prerequisite_state
}
