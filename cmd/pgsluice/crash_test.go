package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// The proxy is killed before and after every statement that it sends to the server while it deals with a migration, its own
// bookkeeping included. Afterwards the work is finished by whoever resumes it, or the migration never happened.
func TestKilledProxy(t *testing.T) {
	for _, kind := range []string{"index", "foreign-key", "check"} {
		for form, statements := range map[string]func(string) []string{"transaction": inTransaction, "autocommit": inAutocommit} {
			if form == "autocommit" && kind != "index" {
				continue
			}
			for when, before := range map[string]bool{"before": true, "after": false} {
				t.Run(fmt.Sprintf("%s/%s/%s", kind, form, when), func(t *testing.T) {
					t.Parallel()
					killAtEveryStatement(t, newSite(t, kind, statements), before)
				})
			}
		}
	}
}

func inTransaction(statement string) []string {
	return []string{"BEGIN", statement, "INSERT INTO version VALUES ('1')", "COMMIT"}
}

func inAutocommit(statement string) []string { return []string{statement} }

func killAtEveryStatement(t *testing.T, s *site, before bool) {
	proxy := s.serve(t)
	for n := 1; ; n++ {
		statement := ""
		s.tap.arm(func(at moment) bool {
			if at.number != n || at.before != before {
				return false
			}
			proxy.kill()
			statement = at.statement
			return true
		})
		known := s.migrate(t, proxy)
		heard, struck := s.tap.disarm()
		proxy.kill()
		s.awaitEnd(t)
		proxy = s.serve(t)
		if state := s.settled(t); !slices.Contains(s.possible(known), state) {
			t.Errorf("killed at statement %d, before it: %t, %s\nThe client knows: %s. There is:\n%s", n, before, statement, known, state)
		}
		if !struck {
			t.Logf("%d statements", len(heard))
			if known != answered {
				t.Errorf("the client knows %s although nothing was killed", known)
			}
			return
		}
		s.reset(t)
	}
}

// knowledge is what a client knows of its migration when its connection ends.
type knowledge string

const (
	unsent   knowledge = "it has not sent the COMMIT"
	inDoubt  knowledge = "it has sent the COMMIT and got no answer"
	answered knowledge = "it is done"
)

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

// site is a database in which a migration is run again and again, by proxies that reach it through a wiretap.
type site struct {
	tap        *wiretap
	side       *pgx.Conn // a superuser's, not through the tap
	role       string    // who migrates
	env        []string  // of all processes
	statements []string  // of the migration
	undo       string
	promised   int64 // the last promise of earlier runs
	// never and finished are the states in which nothing of the migration has happened and all of it has.
	never, finished string
}

func newSite(t *testing.T, kind string, statements func(string) []string) *site {
	t.Helper()
	role, dsn := pgtest.Role(t, "LOGIN"), pgtest.Database(t)
	migration := readMigration(t, kind)
	s := &site{side: pgtest.Connect(t, dsn), role: role, statements: statements(migration.statement), undo: migration.undo}
	config := s.side.Config()
	s.tap = tap(t, fmt.Sprintf("%s:%d", config.Host, config.Port))
	s.env = append(os.Environ(),
		"PGSLUICE_CONTROL_DSN="+s.through(s.tap.address(), config.User),
		"PGSLUICE_CONTROL_DATABASES="+config.Database,
		"PGSLUICE_UPSTREAM_SSLMODE=disable", "PGSLUICE_SMALL_TABLE_ROWS=0", "PGSLUICE_SMALL_TABLE_BYTES=0",
	)
	install := exec.CommandContext(t.Context(), "pgsluice", "install", "--dsn", dsn)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	s.exec(t, "GRANT ALL ON SCHEMA public TO "+role)
	s.exec(t, "SET ROLE "+role)
	s.exec(t, migration.setup)
	for _, sql := range s.statements {
		s.exec(t, sql)
	}
	s.exec(t, "RESET ROLE")
	s.finished = s.state(t)
	if len(s.statements) > 1 {
		lines := strings.Split(s.finished+"\npromise done", "\n")
		slices.Sort(lines)
		s.finished = strings.Join(lines, "\n")
	}
	s.exec(t, s.undo)
	s.exec(t, "TRUNCATE version")
	s.never = s.state(t)
	return s
}

// through is the connection string of a login in this database by way of the address.
func (s *site) through(address, login string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", login, address, s.side.Config().Database)
}

func (s *site) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := s.side.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// crashState tells all that a crash could leave in a database.
//
//go:embed testdata/crash/state.sql
var crashState string

func (s *site) state(t *testing.T) (state string) {
	t.Helper()
	if err := s.side.QueryRow(t.Context(), crashState, s.promised).Scan(&state); err != nil {
		t.Fatal(err)
	}
	return state
}

// reset takes the migration back, for the next run.
func (s *site) reset(t *testing.T) {
	t.Helper()
	s.exec(t, s.undo)
	s.exec(t, "TRUNCATE version")
	if err := s.side.QueryRow(t.Context(), "SELECT coalesce(max(id), 0) FROM pgsluice.promises").Scan(&s.promised); err != nil {
		t.Fatal(err)
	}
	if state := s.state(t); state != s.never {
		t.Fatalf("after what was left is undone there is:\n%s", state)
	}
}

// serving is a running proxy.
type serving struct {
	*process
	address string
}

// serve starts a proxy behind the tap, and returns when it has looked after the ledger once.
func (s *site) serve(t *testing.T) serving {
	t.Helper()
	cmd := exec.Command("pgsluice", "serve", "--listen", "127.0.0.1:0", "--upstream", s.tap.address())
	cmd.Env = s.env
	p, err := launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	_, address, _ := strings.Cut(p.awaitLine(t, "pgsluice listens on "), "listens on ")
	p.awaitLine(t, "the ledger is ready")
	return serving{p, address}
}

// migrate runs the migration by the simple protocol, and returns when the client has its answer or has lost its connection.
func (s *site) migrate(t *testing.T, proxy serving) knowledge {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := pgconn.Connect(ctx, s.through(proxy.address, s.role))
	if err != nil {
		return unsent
	}
	defer client.Close(ctx)
	for i, sql := range s.statements {
		if _, err := client.Exec(ctx, sql).ReadAll(); err != nil {
			if i == len(s.statements)-1 {
				return inDoubt
			}
			return unsent
		}
	}
	return answered
}

// possible are the states that may be after what the client knows.
func (s *site) possible(known knowledge) []string {
	switch known {
	case unsent:
		return []string{s.never}
	case inDoubt:
		return []string{s.never, s.finished}
	}
	return []string{s.finished}
}

// awaitEnd waits until the server has ended all sessions of a dead proxy: what it was at when that died, it may finish.
func (s *site) awaitEnd(t *testing.T) {
	t.Helper()
	pgtest.WaitFor(t, s.side, `SELECT NOT EXISTS (SELECT FROM pg_stat_activity
		WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid())`)
}

// settled is the state when nobody has anything to do any more.
func (s *site) settled(t *testing.T) string {
	t.Helper()
	pgtest.WaitFor(t, s.side, "SELECT NOT EXISTS (SELECT FROM pgsluice.promises WHERE state IN ('pending', 'running'))")
	return s.state(t)
}
