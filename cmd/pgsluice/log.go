package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/pgsluice/pgsluice/internal/run"
)

// newLogger returns the logger that config describes. It writes to w, one line a record; its level may be changed. What an error of the server's may quote
// of data or secrets does not get into it.
func newLogger(w io.Writer, config logConfig) (*slog.Logger, *slog.LevelVar, error) {
	level := &slog.LevelVar{}
	if err := level.UnmarshalText([]byte(config.Level)); err != nil {
		return nil, nil, fmt.Errorf("cannot log at level %q: %w", config.Level, err)
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, attribute slog.Attr) slog.Attr {
		if err, ok := attribute.Value.Any().(error); ok {
			attribute.Value = slog.StringValue(run.Recordable(err, err.Error()))
		}
		return attribute
	}}
	if config.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), level, nil
	}
	return slog.New(slog.NewTextHandler(w, options)), level, nil
}
