package main

import (
	"fmt"
	"io"
	"log/slog"
)

// newLogger returns the logger that config describes. It writes to w, one line a record; its level may be changed.
func newLogger(w io.Writer, config logConfig) (*slog.Logger, *slog.LevelVar, error) {
	level := &slog.LevelVar{}
	if err := level.UnmarshalText([]byte(config.Level)); err != nil {
		return nil, nil, fmt.Errorf("cannot log at level %q: %w", config.Level, err)
	}
	options := &slog.HandlerOptions{Level: level}
	if config.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), level, nil
	}
	return slog.New(slog.NewTextHandler(w, options)), level, nil
}
