// Package pgtest gives tests a real Postgres: one throwaway server per test binary, databases and roles per test.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
// The server is of the major in PGSLUICE_TEST_MAJOR, else the newest on this machine. It starts when the first test
// asks for it.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox"
)

// server belongs to Main; a test binary has only one TestMain, so there is one server.
var server struct {
	main  bool // Main was called
	once  sync.Once
	opts  pgbox.Options
	box   *pgbox.Server
	err   error
	names atomic.Int64 // of databases and roles, made so far
}

// admin is the DSN of a database of the server for its superuser.
func admin(t testing.TB, database string) string {
	t.Helper()
	box := Server(t)
	return box.DSN(box.Superuser(), database)
}

// patience bounds each thing that a test waits for.
const patience = 2 * time.Minute

// Main runs the tests of a package, stops the server that they used, and exits. The options change how the server is
// started; without them it allows prepared transactions and logical slots, which a fresh Postgres does not, and its autovacuum
// sleeps: the statistics would come now and then, and change what the planner expects. (Switched off it would change what CREATE INDEX writes down, on 18.)
func Main(m *testing.M, opts ...func(*pgbox.Options)) { os.Exit(Run(m, opts...)) }

// Run is Main for a package that has something of its own to clean up: it returns the status to exit with.
func Run(m *testing.M, opts ...func(*pgbox.Options)) int {
	server.main = true
	server.opts.Settings = map[string]string{"max_prepared_transactions": "10", "wal_level": "logical", "autovacuum_naptime": "1d"}
	for _, opt := range opts {
		opt(&server.opts)
	}
	if env := os.Getenv("PGSLUICE_TEST_MAJOR"); env != "" {
		major, err := strconv.Atoi(env)
		if err != nil {
			fmt.Fprintf(os.Stderr, "PGSLUICE_TEST_MAJOR must be a Postgres major version, not %q\n", env)
			return 2
		}
		server.opts.Major = major
	}

	code := m.Run()
	if server.box != nil {
		if err := server.box.Stop(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	return code
}

// Server returns the server of this test binary, and fails the test if there can be none. Tests must leave it running.
func Server(t testing.TB) *pgbox.Server {
	t.Helper()
	server.once.Do(func() {
		if !server.main {
			server.err = fmt.Errorf("the package has no TestMain that calls pgtest.Main")
			return
		}
		// A fetch is part of it, so the patience is that of a slow network.
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		server.box, server.err = pgbox.Start(ctx, server.opts)
	})
	if server.err != nil {
		t.Fatalf("this test needs a Postgres server: %v", server.err)
	}
	return server.box
}
