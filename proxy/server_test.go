package proxy

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// patience bounds each thing that a test waits for.
const patience = 30 * time.Second

// front is a Server under test, whose sessions are plain pipes.
type front struct {
	*Server
	tcp, unix Address
	links     chan *link // those that reached run
	log       *lockedBuffer
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs a Server on a loopback port and a Unix socket until the test ends. run nil means a plain pipe.
func start(t *testing.T, o Options, run func(context.Context, *link) error) *front {
	t.Helper()
	f := &front{links: make(chan *link, 1000), log: &lockedBuffer{}}
	o.Log = slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if f.Server, err = New(o); err != nil {
		t.Fatal(err)
	}
	if run == nil {
		run = func(_ context.Context, l *link) error { return pipe(l) }
	}
	f.run = func(ctx context.Context, l *link) error {
		f.links <- l
		return run(ctx, l)
	}
	tcp, err := Listen(t.Context(), Address{Host: "127.0.0.1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.tcp = Address{Host: "127.0.0.1", Port: tcp.Addr().(*net.TCPAddr).Port}
	f.unix = Address{Host: shortDir(t), Port: 5432}
	unix, err := Listen(t.Context(), f.unix, 0o777)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- f.Serve(context.Background(), tcp, unix) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if t.Failed() {
			t.Logf("log of the proxy:\n%s", f.log)
		}
	})
	return f
}

// shortDir is a temporary folder whose path leaves room for a Unix socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "pgsluice-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// addressOf is the TCP address of a test server.
func addressOf(s *pgbox.Server) Address { return Address{Host: s.Host(), Port: s.Port()} }

// psql runs one command with the real client and returns what it printed, errors included.
func psql(t *testing.T, conninfo, command string) (string, error) {
	t.Helper()
	program := filepath.Join(pgtest.Server(t).Binaries().Dir, "psql")
	if _, err := os.Stat(program); err != nil {
		program = "psql"
	}
	cmd := exec.CommandContext(t.Context(), program, "-XAtw", "-d", conninfo, "-c", command)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "PGCONNECT_TIMEOUT=30", "PGSSLROOTCERT=/nonexistent", "HOME=/nonexistent")
	out, err := cmd.CombinedOutput()
	if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
		t.Fatalf("this test needs psql: %v", err)
	}
	return strings.TrimSpace(string(out)), err
}

// conninfo names the proxy in libpq's terms.
func (a Address) conninfo(rest string) string {
	return "host=" + a.Host + " port=" + strings.TrimPrefix(a.String(), a.Host+":") + " " + rest
}

func TestPsqlWorksThroughTheProxy(t *testing.T) {
	server := pgtest.Server(t)
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(server)}}}, nil)
	for _, a := range []Address{f.tcp, f.unix} {
		out, err := psql(t, a.conninfo("user=postgres dbname=postgres"), "SELECT 40 + 2")
		if err != nil || out != "42" {
			t.Errorf("through %s: %q, %v", a, out, err)
		}
		l := <-f.links
		if l.startup.user != "postgres" || l.startup.database != "postgres" || l.startup.applicationName != "psql" ||
			l.pid == 0 || l.status != 'I' || l.params["server_version"] == "" || l.tls {
			t.Errorf("through %s: the link says %+v", a, l)
		}
	}
}
