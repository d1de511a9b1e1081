package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
)

// audit opens the audit trail: a file, standard output ("-"), or the log ("").
func (p *plant) audit(config Config, out outputs) (*revisions.Audit, error) {
	switch config.Audit.File {
	case "":
		// Whatever log.level says: a trail with holes would be none.
		log, _, err := newLogger(out.stderr, logConfig{Level: "info", Format: config.Log.Format})
		if err != nil {
			return nil, err
		}
		return revisions.NewAudit(logTrail{log.Handler()}), nil
	case "-":
		return revisions.NewAudit(out.stdout), nil
	}
	file, err := os.OpenFile(config.Audit.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, &failure{err: fmt.Errorf("cannot open the audit trail: %w", err), hint: "mend audit.file; its directory must exist"}
	}
	p.close = append(p.close, file.Close)
	return revisions.NewAudit(file), nil
}

// logTrail makes each line of the trail a record of the log.
type logTrail struct{ handler slog.Handler }

var _ io.Writer = logTrail{}

func (t logTrail) Write(line []byte) (int, error) {
	record := slog.NewRecord(time.Now(), slog.LevelInfo, "audit", 0)
	record.AddAttrs(slog.Any("entry", json.RawMessage(bytes.TrimSuffix(line, []byte("\n")))))
	if err := t.handler.Handle(context.Background(), record); err != nil {
		return 0, err
	}
	return len(line), nil
}
