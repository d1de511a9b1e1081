package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/pgsluice/pgsluice/internal/pgbox"
)

const (
	login    = "postgres"
	database = "postgres"
)

// lab is a running Postgres with the ledger, a pgsluice built from this source, and a folder for everything else.
type lab struct {
	box      *pgbox.Server
	dir      string
	pgsluice string // path of the binary
	pgbench  string // path of the binary
	// certificate and key are the paths of the PEM files that proxies show to clients.
	certificate, key string
	rows             int // of pgbench_accounts
	log              progress
}

// openLab starts Postgres for so many connections and builds pgsluice. The caller ends it with close.
func openLab(ctx context.Context, connections int, log progress) (_ *lab, err error) {
	l := &lab{log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close())
		}
	}()
	if l.dir, err = os.MkdirTemp("", "pgsluice-bench-"); err != nil {
		return nil, err
	}
	// pgbouncer reads its files as somebody else.
	if err := os.Chmod(l.dir, 0o755); err != nil {
		return nil, err
	}
	log.say("building pgsluice")
	l.pgsluice = filepath.Join(l.dir, "pgsluice")
	build := exec.CommandContext(ctx, "go", "build", "-o", l.pgsluice, "github.com/pgsluice/pgsluice/cmd/pgsluice")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot build pgsluice: %w\n%s", err, out)
	}
	log.say("starting Postgres")
	l.box, err = pgbox.Start(ctx, pgbox.Options{Settings: map[string]string{
		"shared_buffers":  "1GB",
		"max_connections": strconv.Itoa(connections),
		"max_wal_size":    "4GB", // no checkpoint in the middle of a run
	}})
	if err != nil {
		return nil, err
	}
	if l.certificate, l.key, err = l.makeCertificate(); err != nil {
		return nil, err
	}
	return l, l.installLedger(ctx)
}

// close ends Postgres and removes the folder.
func (l *lab) close() error {
	var err error
	if l.box != nil {
		err = l.box.Stop(context.Background())
	}
	return errors.Join(err, os.RemoveAll(l.dir))
}

// fill makes pgbench's tables.
func (l *lab) fill(ctx context.Context, scale int) error {
	path, ok := l.box.Binaries().Tool("pgbench")
	if !ok {
		return fmt.Errorf("cannot find pgbench for Postgres %d: install it (postgresql-contrib in some systems)", l.box.Version())
	}
	l.pgbench = path
	l.rows = scale * 100_000
	l.log.say("filling pgbench's tables, scale %d", scale)
	cmd := exec.CommandContext(ctx, path, "-i", "-q", "-s", strconv.Itoa(scale), "-h", l.box.Host(), "-p", strconv.Itoa(l.box.Port()),
		"-U", login, database)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot fill pgbench's tables: %w\n%s", err, out)
	}
	return nil
}

// write makes a file in the lab's folder that everyone may read, and returns its path.
func (l *lab) write(name string, content []byte) (string, error) {
	path := filepath.Join(l.dir, name)
	return path, os.WriteFile(path, content, 0o644)
}
