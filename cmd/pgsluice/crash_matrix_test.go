package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// matrixVariable, when it is "all", has every disaster strike at every step of every kind of migration, and when it is a number at each so many-th step; else a
// sample is taken.
const matrixVariable = "PGSLUICE_CRASH_MATRIX"

// matrix is a site at whose steps disasters strike.
type matrix struct {
	*site
	proxy  serving
	box    *pgbox.Server // the site's own; nil when others use it, too
	hand   *pgx.Conn     // with which disasters are brought about
	client atomic.Pointer[pgconn.PgConn]
	dead   atomic.Bool // the client is
	pipe   *os.File    // the other end of the audit trail
	trail  string      // its path
	config string      // the path of an empty configuration
}

// disaster is something that goes wrong between two moments.
type disaster struct {
	name string
	// own is true when it needs a server of its own.
	own bool
	// ends is true when the proxy is to be replaced afterwards.
	ends   bool
	strike func(m *matrix) error
}

func disasters() []disaster {
	return []disaster{
		{name: "proxy killed", ends: true, strike: func(m *matrix) error { m.proxy.kill(); return nil }},
		{name: "client killed", strike: func(m *matrix) error { m.dead.Store(true); return m.client.Load().Conn().Close() }},
		{name: "backend terminated", strike: func(m *matrix) error {
			_, err := m.hand.Exec(context.Background(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1 AND datname = current_database()", m.role)
			return err
		}},
		{name: "network cut", strike: func(m *matrix) error { m.tap.cut(); return nil }},
		// A pipe that nobody reads any more fails every write, as a full disk does.
		{name: "audit trail full", ends: true, strike: func(m *matrix) error { return m.pipe.Close() }},
		{name: "server restarted", own: true, strike: func(m *matrix) error { return m.box.Kill() }},
	}
}

// TestCrashMatrix: whatever dies at whichever step, afterwards the migration is done, or whoever resumes it does it, or it was never asked for; no index is
// INVALID, no helper is left, and the ledger agrees with the catalog.
func TestCrashMatrix(t *testing.T) {
	asked := os.Getenv(matrixVariable)
	whole, step := asked != "", 1
	switch {
	case !whole:
		step = 4
	case asked != "all":
		var err error
		if step, err = strconv.Atoi(asked); err != nil || step < 1 {
			t.Fatalf("%s is neither all nor a number: %s", matrixVariable, asked)
		}
	}
	var cases atomic.Int64
	t.Cleanup(func() { fmt.Printf("crash matrix: %d cases\n", cases.Load()) })
	for _, kind := range matrixKinds(t) {
		for form, statements := range map[string]func(string) []string{"transaction": inTransaction, "autocommit": inAutocommit} {
			for _, d := range disasters() {
				if !whole && (kind != "not-null" || form != "transaction") {
					continue
				}
				t.Run(kind+"/"+form+"/"+d.name, func(t *testing.T) {
					t.Parallel()
					m := newMatrix(t, kind, statements, d)
					for n, more := step, true; more; n += step {
						if more = m.hit(t, d, n); more {
							cases.Add(1)
						}
					}
				})
			}
		}
	}
}

// matrixKinds are the migrations of testdata/crash.
func matrixKinds(t *testing.T) (kinds []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/crash/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	for _, file := range files {
		kinds = append(kinds, strings.TrimSuffix(filepath.Base(file), ".txt"))
	}
	return kinds
}

func newMatrix(t *testing.T, kind string, statements func(string) []string, d disaster) *matrix {
	t.Helper()
	m := &matrix{trail: filepath.Join(t.TempDir(), "trail")}
	dsn, role := "", "migrator"
	if d.own {
		box, err := pgbox.Start(t.Context(), pgbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := box.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
		m.box, dsn = box, box.DSN(box.Superuser(), "postgres")
		if _, err := pgtest.Connect(t, dsn).Exec(t.Context(), "CREATE ROLE migrator LOGIN"); err != nil {
			t.Fatal(err)
		}
	} else {
		dsn, role = pgtest.Database(t), pgtest.Role(t, "LOGIN")
	}
	m.site = newSite(t, dsn, role, kind, statements)
	if err := syscall.Mkfifo(m.trail, 0o600); err != nil {
		t.Fatal(err)
	}
	m.config = filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(m.config, []byte("mode: enforce\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.env = append(m.env, "PGSLUICE_AUDIT_FILE="+m.trail, "PGSLUICE_CONTROL_IDLE=100ms")
	m.hand = pgtest.Connect(t, dsn)
	m.start(t)
	return m
}

// start starts a proxy, and reads its audit trail.
func (m *matrix) start(t *testing.T) {
	t.Helper()
	pipe, err := os.OpenFile(m.trail, os.O_RDONLY|syscall.O_NONBLOCK, 0) // which does not wait for a writer
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Close() })
	m.pipe = pipe
	m.proxy = m.serve(t)
	go func() { _, _ = io.Copy(io.Discard, pipe) }()
}

// hit runs the migration until its n-th lasting statement is sent, or answered in every other case, brings the disaster about, and looks at what becomes of
// it. It returns false when there is no such step.
func (m *matrix) hit(t *testing.T, d disaster, n int) bool {
	t.Helper()
	var (
		steps   int
		step    string
		done    bool
		failed  error
		answers = n%2 == 0
	)
	m.dead.Store(false)
	m.tap.arm(func(at moment) bool {
		if !at.before && lasting.MatchString(at.statement) {
			steps, step = steps+1, at.statement
		}
		if done || steps != n || at.before != answers || m.client.Load() == nil {
			return false
		}
		done, failed = true, d.strike(m)
		return d.ends && d.name != "audit trail full" // what a dead process has not sent is never sent
	})
	known := m.migrateOnce(t)
	_, _ = m.tap.disarm()
	if failed != nil {
		t.Fatalf("%s at step %d, %s: %v", d.name, n, step, failed)
	}
	m.mend(t, d)
	if state := settledOnly(m.settled(t)); !slices.ContainsFunc(m.possible(known), func(s string) bool { return settledOnly(s) == state }) {
		t.Errorf("%s at step %d (answered: %t), %s\nWhat the client knows: %s. There is:\n%s", d.name, n, answers, step, known, state)
	}
	m.reset(t)
	return done
}

// migrateOnce is migrate by a client that can be killed.
func (m *matrix) migrateOnce(t *testing.T) knowledge {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	config, err := pgconn.ParseConfig(m.through(m.proxy.address, m.role))
	if err != nil {
		t.Fatal(err)
	}
	dial := config.DialFunc
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if m.dead.Load() {
			return nil, errors.New("the client is dead") // and sends no cancel
		}
		return dial(ctx, network, address)
	}
	client, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return unsent
	}
	m.client.Store(client)
	defer m.client.Store(nil)
	defer client.Close(ctx)
	for i, sql := range m.statements {
		if _, err := client.Exec(ctx, sql).ReadAll(); err != nil {
			if i == len(m.statements)-1 {
				return inDoubt
			}
			return unsent
		}
	}
	return answered
}

// mend puts everything up again after a disaster, and finishes by hand what nobody has begun to finish.
func (m *matrix) mend(t *testing.T, d disaster) {
	t.Helper()
	if d.own {
		if err := m.box.Kill(); err != nil { // it may not have struck
			t.Fatal(err)
		}
		if err := m.box.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.side, m.hand = pgtest.Connect(t, m.dsn), pgtest.Connect(t, m.dsn)
	}
	if d.ends {
		m.proxy.kill()
	}
	pgtest.WaitFor(t, m.side, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = $1 AND datname = current_database())", m.role)
	if d.ends {
		m.start(t)
	}
	for range 3 { // what waits for something else comes next
		// What runs code of its login's is left to that.
		for _, dsn := range []string{m.dsn, m.through(fmt.Sprintf("%s:%d", m.side.Config().Host, m.side.Config().Port), m.role)} {
			resume := exec.CommandContext(t.Context(), "pgsluice", "jobs", "resume", "--dsn", dsn, "--config", m.config)
			resume.Env = append(os.Environ(), "PGSLUICE_CONTROL_DSN="+m.dsn)
			out, err := resume.CombinedOutput()
			if err == nil {
				return
			}
			if t.Context().Err() != nil {
				t.Fatalf("pgsluice jobs resume: %v\n%s", err, out)
			}
		}
	}
}

// settledOnly is a state without the promises that are kept or void: whether there was one to keep differs from step to step.
func settledOnly(state string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(state, "\n"), func(line string) bool {
		return line == "promise done" || line == "promise void"
	}), "\n")
}
