package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// patience bounds each thing that a test waits for.
const patience = 2 * time.Minute

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
		if strings.Contains(f.log.String(), "panic:") != strings.HasPrefix(t.Name(), "TestPanic") {
			t.Error("the log has a panic that is not the test's, or the reverse")
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

// login is a raw client that has logged in through the proxy.
func login(t *testing.T, f *front) (*rawClient, *link) {
	t.Helper()
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "postgres"))
	c.until('Z')
	return c, <-f.links
}

// untilDrain is a session that ends when it is asked to drain.
func untilDrain(ctx context.Context, l *link) error {
	select {
	case <-l.drain.Done():
		_, err := l.client.conn.Write((&fatal{code: "57P01", message: "draining"}).encode())
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// shutdown begins a Shutdown and returns its result, after the server has begun to drain.
func shutdown(ctx context.Context, f *front) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f.Shutdown(ctx) }()
	<-f.drain.Done()
	return done
}

func TestDrain(t *testing.T) {
	server := pgtest.Server(t)
	proceed := make(chan struct{})
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(server)}}}, func(ctx context.Context, l *link) error {
		go func() { <-proceed; _ = l.client.conn.SetReadDeadline(longAgo) }()
		if err := pipe(l); err != nil {
			return err
		}
		return untilDrain(ctx, l)
	})
	idle := dialRaw(t, f.tcp) // connected before, and says nothing yet
	key, ended := sleeping(t, server, f.tcp, version30)
	done := shutdown(t.Context(), f)

	for _, a := range []Address{f.tcp, f.unix} {
		c := dialRaw(t, a)
		c.send(startupPacket(version30, "user", "postgres"))
		if got := c.fatal(); got != "FATAL 57P03 pgsluice is shutting down" {
			t.Errorf("a new client on %s got %q", a, got)
		}
	}
	idle.send(startupPacket(version30, "user", "postgres"))
	if got := idle.fatal(); got != "FATAL 57P03 pgsluice is shutting down" {
		t.Errorf("a client that had connected before got %q", got)
	}
	select {
	case err := <-done:
		t.Fatalf("Shutdown did not wait for a session: %v", err)
	default:
	}
	// A cancel is how a person ends what the drain is waiting for.
	c := dialRaw(t, f.tcp)
	c.send(cancelPacket(key))
	c.closed()
	if said := <-ended; !strings.Contains(said, "57014") {
		t.Errorf("the statement ended with %q", said)
	}
	close(proceed)
	if err := <-done; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := net.Dial("tcp", f.tcp.String()); err == nil {
		t.Error("the listener is open after Shutdown")
	}
	if _, socket := f.unix.network(); fileExists(socket) {
		t.Error("the Unix socket is there after Shutdown")
	}
	awaitNoGoroutines(t)
}

func TestDrainEndsIdleSessions(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, untilDrain)
	var clients []*rawClient
	for range 5 {
		c, _ := login(t, f)
		clients = append(clients, c)
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	for _, c := range clients {
		if got := c.fatal(); got != "FATAL 57P01 draining" {
			t.Errorf("a client got %q", got)
		}
	}
}

// When the patience of the drain ends, whatever the clients, the servers and the sessions are doing, all is closed.
func TestShutdownAtOnce(t *testing.T) {
	silent := fakeServer(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	server := pgtest.Server(t)
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(server)}}}, nil)
	stuck := start(t, Options{Upstream: plainly(silent)}, nil)
	c, _ := login(t, f)
	_, ended := sleeping(t, server, f.tcp, version30)
	halfway := dialRaw(t, f.tcp)
	halfway.send([]byte{0, 0, 0, 100})
	waiting := dialRaw(t, stuck.tcp)
	waiting.send(startupPacket(version30, "user", "postgres"))
	canceling := dialRaw(t, stuck.tcp)
	canceling.send(cancelPacket([]byte("12345678")))

	ctx, cancel := context.WithCancel(t.Context())
	done := shutdown(ctx, f)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	<-shutdown(ctx, stuck)
	for _, c := range []*rawClient{c, halfway, canceling} {
		c.closed()
	}
	if said := <-ended; said != "" {
		t.Errorf("the statement ended with %q", said)
	}
	awaitNoGoroutines(t)
}

func TestServeEndsWithItsContext(t *testing.T) {
	server := pgtest.Server(t)
	s, err := New(Options{Upstream: Upstream{Addresses: []Address{addressOf(server)}}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l, err := Listen(t.Context(), Address{Host: "127.0.0.1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l) }()
	c := dialRaw(t, Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port})
	c.send(startupPacket(version30, "user", "postgres"))
	c.until('Z')
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	c.closed()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown behind it: %v", err)
	}
	if err := s.Serve(t.Context()); err == nil {
		t.Error("a server was used twice")
	}
}

// A listener that somebody else has closed ends Serve with an error, and so all the others.
func TestServeEndsWithAListener(t *testing.T) {
	s, err := New(Options{Upstream: Upstream{Addresses: []Address{{Host: "localhost", Port: 1}}}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var listeners []net.Listener
	for range 2 {
		l, err := Listen(t.Context(), Address{Host: "127.0.0.1"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
	}
	if err := listeners[1].Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), listeners...); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

// awaitNoGoroutines waits until nothing of a Server runs.
func awaitNoGoroutines(t *testing.T) {
	t.Helper()
	eventually(t, func() (ok bool, left string) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		running := bytes.Contains(stacks, []byte("proxy.(*Server)")) || bytes.Contains(stacks, []byte("proxy.(*handshake)"))
		return !running, "goroutines are left:\n" + string(stacks)
	})
}

// eventually waits for something that nobody announces; what says why it is not so.
func eventually(t *testing.T, look func() (ok bool, what string)) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		ok, what := look()
		if ok {
			return
		}
		select {
		case <-deadline:
			t.Fatal(what)
		case <-tick.C:
		}
	}
}

func fileExists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// Who has not logged in yet is counted: all together, and by address.
func TestLimitOfLogins(t *testing.T) {
	const limit = 20
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}, MaxLogins: limit, MaxLoginsPerAddress: limit - 5}, nil)
	const refusal = "FATAL 53300 pgsluice refuses the connection: too many others are logging in"

	sessions := make([]*rawClient, 0, 30)
	for range cap(sessions) { // who has logged in does not count
		c, _ := login(t, f)
		sessions = append(sessions, c)
	}
	var waiting []*rawClient
	for range limit - 5 {
		waiting = append(waiting, dialRaw(t, f.tcp))
	}
	for range 300 {
		c := dialRaw(t, f.tcp)
		if got := c.fatal(); got != refusal {
			t.Fatalf("over the limit of its address a client got %q", got)
		}
		_ = c.Close()
	}
	for range 5 { // another address has the rest
		waiting = append(waiting, dialRaw(t, f.unix))
	}
	if got := dialRaw(t, f.unix).fatal(); got != refusal {
		t.Errorf("over the limit of all a client got %q", got)
	}
	// Who logs in makes room.
	waiting[0].send(startupPacket(version30, "user", "postgres"))
	waiting[0].until('Z')
	<-f.links
	login(t, f)
	dialRaw(t, f.tcp) // and the next one fills it again
	if got := dialRaw(t, f.tcp).fatal(); got != refusal {
		t.Errorf("over the limit again a client got %q", got)
	}
	if n := strings.Count(f.log.String(), "too many connections are logging in"); n != 1 {
		t.Errorf("the log says it %d times, want once while it lasts", n)
	}
	sessions[0].send(query("SELECT 1"))
	sessions[0].until('Z')
}

// The deadline is the login's: a migration may take hours, and its client may be silent for as long.
func TestSessionsOutliveTheLoginTimeout(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}, LoginTimeout: 2 * time.Second}, nil)
	c, _ := login(t, f)
	for _, sql := range []string{"SELECT pg_catalog.pg_sleep(2.1)", "SELECT 1"} {
		c.send(query(sql))
		c.until('Z')
	}
}

func TestAddressesThatCountAsOne(t *testing.T) {
	at := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1} }
	same := [][2]net.Addr{
		{at("192.0.2.1"), at("::ffff:192.0.2.1")},
		{at("2001:db8::1"), at("2001:db8::2")},
		{&net.UnixAddr{Name: "@"}, &net.UnixAddr{Name: ""}},
	}
	for _, pair := range same {
		if networkOf(pair[0]) != networkOf(pair[1]) {
			t.Errorf("%v and %v count apart", pair[0], pair[1])
		}
	}
	if networkOf(at("192.0.2.1")) == networkOf(at("192.0.2.2")) || networkOf(at("2001:db8:0:1::1")) == networkOf(at("2001:db8::1")) {
		t.Error("two networks count as one")
	}
}

// A panic is one client's trouble. That the log has it is checked at the end, as for every test that no log has one.
func TestPanicEndsOneConnection(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, func(_ context.Context, l *link) error {
		if l.startup.applicationName == "panic" {
			panic("on purpose")
		}
		return pipe(l)
	})
	other, _ := login(t, f)
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "postgres", "application_name", "panic"))
	c.until('Z')
	c.closed()
	other.send(query("SELECT 1"))
	other.until('Z')
}

// What the server says at its end arrives, and so does the end, also at a client that would go on for ever.
func TestEndOfTheServerReachesTheClient(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, nil)
	c, _ := login(t, f)
	c.send(query("SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())"))
	if _, body := c.until('E'); !strings.HasPrefix(errorText(t, body), "FATAL 57P01 ") {
		t.Error(errorText(t, body))
	}
	c.closed()
}

// Physical replication runs no SQL and is piped; logical replication runs SQL and is a session like any.
func TestReplicationConnections(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, nil)
	for sessions, mode := range []string{"true", "database"} {
		out, err := psql(t, f.tcp.conninfo("user=postgres dbname=postgres replication="+mode), "IDENTIFY_SYSTEM")
		if err != nil || !strings.Contains(out, "|") {
			t.Errorf("replication=%s: psql says %q", mode, out)
		}
		if len(f.links) != sessions {
			t.Errorf("replication=%s: %d links for the session, want %d", mode, len(f.links), sessions)
		}
	}
}

func TestListenOnUnixSocket(t *testing.T) {
	a := Address{Host: shortDir(t), Port: 6543}
	_, file := a.network()
	l, err := Listen(t.Context(), a, 0o660)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o660 || filepath.Base(file) != ".s.PGSQL.6543" {
		t.Errorf("the socket is %v, %v", info, err)
	}
	if _, err := Listen(t.Context(), a, 0o660); err == nil || !strings.Contains(err.Error(), "another process does") {
		t.Errorf("a second listener on a living socket: %v", err)
	}
	// A process that died leaves its socket.
	_ = l.Close()
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: file})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	if !fileExists(file) {
		t.Fatal("the test left no stale socket")
	}
	l, err = Listen(t.Context(), a, 0o600)
	if err != nil {
		t.Fatalf("the stale socket was not replaced: %v", err)
	}
	_ = l.Close()
	if fileExists(file) {
		t.Error("the socket is there after Close")
	}
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), a, 0o600); err == nil || !strings.Contains(err.Error(), "is no socket") || !fileExists(file) {
		t.Errorf("a file in the place of the socket: %v", err)
	}
}
