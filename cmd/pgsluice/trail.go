package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
)

// audit opens the audit trail: a file, standard output ("-"), a syslog ("syslog:…"), or the log ("").
func (p *plant) audit(config Config, out outputs) (*revisions.Audit, error) {
	switch target := config.Audit.File; {
	case target == "":
		// Whatever log.level says: a trail with holes would be none.
		log, _, err := newLogger(out.stderr, logConfig{Level: "info", Format: config.Log.Format})
		if err != nil {
			return nil, err
		}
		return revisions.NewAudit(logTrail{log.Handler()}), nil
	case target == "-":
		return revisions.NewAudit(out.stdout), nil
	case strings.HasPrefix(target, syslogPrefix):
		syslog, err := openSyslog(target)
		if err != nil {
			return nil, &failure{err: fmt.Errorf("cannot open the audit trail: %w", err), hint: "mend audit.file; the syslog must be there when pgsluice starts"}
		}
		p.close = append(p.close, syslog.Close)
		return revisions.NewAudit(syslog), nil
	}
	file, err := openTrailFile(config.Audit.File)
	if err != nil {
		return nil, &failure{err: fmt.Errorf("cannot open the audit trail: %w", err), hint: "mend audit.file; its directory must exist"}
	}
	p.close = append(p.close, file.Close)
	return revisions.NewAudit(file), nil
}

// note writes into the audit trail what has happened to the proxy itself.
func (p *plant) note(event string, detail map[string]string) {
	if p.trail == nil {
		return
	}
	if _, err := p.trail.Write(revisions.Entry{Kind: revisions.Admin, Time: time.Now(), Event: event, Detail: detail}); err != nil {
		p.figures.AuditFailed()
		p.log.Error("cannot write the audit trail", "error", err)
	}
}

// logTrail makes each line of the trail a record of the log.
type logTrail struct{ handler slog.Handler }

var _ io.Writer = logTrail{}

func (t logTrail) Write(line []byte) (int, error) {
	record := slog.NewRecord(time.Now(), slog.LevelInfo, "audit", 0)
	record.AddAttrs(slog.Any("entry", json.RawMessage(bytes.TrimSpace(line))))
	if err := t.handler.Handle(context.Background(), record); err != nil {
		return 0, err
	}
	return len(line), nil
}

// trailFile appends to the file that has the path. Whoever rotates it moves it away, and the next line begins a new one.
type trailFile struct {
	path string
	mu   sync.Mutex
	file *os.File
}

func openTrailFile(path string) (*trailFile, error) {
	t := &trailFile{path: path}
	return t, t.open()
}

// open opens the file anew.
func (t *trailFile) open() error {
	file, err := appendTo(t.path, os.O_CREATE)
	if err != nil {
		return err
	}
	if t.file != nil {
		_ = t.file.Close() // what was written is written
	}
	t.file = file
	return nil
}

// appendTo opens a file that lines are appended to, and ends a line that a crash has left in it.
func appendTo(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|flags, 0o600)
	if err != nil {
		return nil, err
	}
	torn, err := endsTorn(file, path)
	if err == nil && torn {
		_, err = file.WriteString("\n")
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// endsTorn reports whether a file does not end with the end of a line. Of a pipe nobody knows.
func endsTorn(file *os.File, path string) (bool, error) {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false, err
	}
	reader, err := os.Open(path)
	if err != nil {
		return false, nil // it may be for writing only
	}
	defer func() { _ = reader.Close() }()
	last := make([]byte, 1)
	if _, err := reader.ReadAt(last, info.Size()-1); err != nil {
		return false, nil // somebody has cut it meanwhile
	}
	return last[0] != '\n', nil
}

// Write appends one line.
func (t *trailFile) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.moved() {
		if err := t.open(); err != nil {
			return 0, err
		}
	}
	return t.file.Write(line)
}

// moved reports whether the path is another regular file's now, or nobody's. A pipe is never opened anew: that would wait for a reader.
func (t *trailFile) moved() bool {
	now, err := os.Stat(t.path)
	if err != nil {
		return os.IsNotExist(err)
	}
	ours, err := t.file.Stat()
	return err == nil && now.Mode().IsRegular() && ours.Mode().IsRegular() && !os.SameFile(now, ours)
}

// Sync returns when what was written outlasts a crash of the machine.
func (t *trailFile) Sync() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if info, err := t.file.Stat(); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return t.file.Sync()
}

// Close ends the file.
func (t *trailFile) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.file.Close()
}
