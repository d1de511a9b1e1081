package main

import (
	"context"
	"errors"
	"log/slog"
)

// buildServer wires the proxy and everything behind it. The checks that it returns are shown by /readyz.
func buildServer(_ context.Context, _ Config, _ *slog.Logger, _ *metrics) (server, []check, error) {
	return nil, nil, errors.New("this build of pgsluice has no proxy in it")
}
