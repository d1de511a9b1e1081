package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// crashState.sql tells all that a crash could leave in a database.
//
//go:embed testdata/crash/state.sql
var crashState string

// migration is a file of testdata/crash.
type migration struct{ setup, statement, undo string }

func readMigration(t *testing.T, kind string) migration {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata/crash", kind+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, file := range archive.Files {
		parts[file.Name] = strings.TrimSpace(string(file.Data))
	}
	return migration{parts["setup.sql"], parts["statement.sql"], parts["undo.sql"]}
}

// site is a database, reached by proxies through a wiretap, in which one migration is run over and over.
type site struct {
	*testing.T
	migration
	tap  *wiretap
	dsn  string // of a superuser, not through the tap
	side *pgx.Conn
	role string // who migrates
	env  []string
	// promised is the last promise of earlier runs.
	promised int64
	// never and finished are the state when nothing of the migration has happened, and when all of it has.
	never, finished string
}

func newSite(t *testing.T, kind string, statements func(string) []string) *site {
	t.Helper()
	s := &site{T: t, migration: readMigration(t, kind), role: pgtest.Role(t, "LOGIN"), dsn: pgtest.Database(t)}
	s.side = pgtest.Connect(t, s.dsn)
	config := s.side.Config()
	s.tap = tap(t, fmt.Sprintf("%s:%d", config.Host, config.Port))
	s.env = append(os.Environ(),
		"PGSLUICE_CONTROL_DSN="+fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", config.User, s.tap.address(), config.Database),
		"PGSLUICE_CONTROL_DATABASES="+config.Database,
		"PGSLUICE_UPSTREAM_SSLMODE=disable", "PGSLUICE_SMALL_TABLE_ROWS=0", "PGSLUICE_SMALL_TABLE_BYTES=0",
	)
	s.command("install", "--dsn", s.dsn)
	s.exec("GRANT ALL ON SCHEMA public TO " + s.role)
	s.exec("SET ROLE " + s.role)
	s.exec(s.setup)
	s.never = s.state()
	for _, sql := range statements(s.statement) {
		s.exec(sql)
	}
	s.finished = s.state()
	s.reset()
	return s
}

func (s *site) command(args ...string) {
	s.Helper()
	cmd := exec.Command("pgsluice", args...)
	cmd.Env = s.env
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("pgsluice %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (s *site) exec(sql string) {
	s.Helper()
	if _, err := s.side.Exec(s.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		s.Fatalf("%s: %v", sql, err)
	}
}

func (s *site) state() string {
	s.Helper()
	var state string
	if err := s.side.QueryRow(s.Context(), crashState, s.promised).Scan(&state); err != nil {
		s.Fatal(err)
	}
	return state
}

// reset takes the migration back for the next run.
func (s *site) reset() {
	s.Helper()
	s.exec(s.undo)
	s.exec("TRUNCATE version")
	if err := s.side.QueryRow(s.Context(), "RESET ROLE; SELECT coalesce(max(id), 0) FROM pgsluice.promises", pgx.QueryExecModeSimpleProtocol).Scan(&s.promised); err != nil {
		s.Fatal(err)
	}
	if state := s.state(); state != s.never {
		s.Fatalf("not as it was before:\n%s", state)
	}
}

// serve starts a proxy in front of the tap and returns when it has looked after the ledger once.
func (s *site) serve() *process {
	s.Helper()
	p := &process{
		cmd:  exec.Command("pgsluice", "serve", "--listen", "127.0.0.1:0", "--upstream", s.tap.address()),
		done: make(chan struct{}), more: make(chan struct{}),
	}
	p.cmd.Env = s.env
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		s.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(p.kill)
	go func() {
		defer close(p.done)
		var reading sync.WaitGroup
		reading.Go(func() { p.read(stdout, &p.out) })
		reading.Go(func() { p.read(stderr, &p.err) })
		reading.Wait()
		_ = p.cmd.Wait()
	}()
	s.await(p, "the ledger is ready")
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}
