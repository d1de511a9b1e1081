package pgbox

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sys/unix"
)

// testMajor is the major that most tests use: PGSLUICE_TEST_MAJOR, else any.
func testMajor(t *testing.T) int {
	t.Helper()
	env := os.Getenv("PGSLUICE_TEST_MAJOR")
	if env == "" {
		return 0
	}
	major, err := strconv.Atoi(env)
	if err != nil {
		t.Fatalf("PGSLUICE_TEST_MAJOR: %v", err)
	}
	return major
}

func start(t *testing.T, opts Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func mustExec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func ask[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var answer T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

// eventually waits for something that nobody announces.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	deadline := time.After(2 * time.Minute)
	for !happened() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func alive(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// footprint is all that a server has outside of its own memory.
type footprint struct {
	folders []string
	pids    []int
	segment int
}

func footprintOf(t *testing.T, s *Server) footprint {
	t.Helper()
	pids, err := children(s.PID())
	if err != nil {
		t.Fatal(err)
	}
	if len(pids) == 0 {
		t.Fatal("found no children of the postmaster")
	}
	lock, err := os.ReadFile(filepath.Join(s.DataDir(), "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	segment, ok := memorySegment(string(lock))
	if !ok {
		t.Fatalf("found no memory segment in %q", lock)
	}
	if !segmentExists(segment) {
		t.Fatalf("the memory segment %d of a running server does not exist", segment)
	}
	return footprint{
		folders: []string{s.dir, s.socketDir},
		pids:    append(pids, s.PID(), s.watchdog.cmd.Process.Pid),
		segment: segment,
	}
}

func segmentExists(id int) bool {
	var segment unix.SysvShmDesc
	_, err := unix.SysvShmCtl(id, unix.IPC_STAT, &segment)
	return err == nil
}

func (f footprint) awaitGone(t *testing.T) {
	t.Helper()
	for _, folder := range f.folders {
		eventually(t, folder+" is gone", func() bool { return !exists(folder) })
	}
	for _, pid := range f.pids {
		eventually(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !alive(pid) })
	}
	eventually(t, "the memory segment is gone", func() bool { return !segmentExists(f.segment) })
}

func TestServerOfEachMajor(t *testing.T) {
	t.Parallel()
	majors := []int{0, 18}
	if major := testMajor(t); major != 0 {
		majors = []int{major}
	}
	for _, major := range majors {
		t.Run(fmt.Sprintf("%d", major), func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{Major: major, Settings: map[string]string{"application_name": `it's \ odd`}})
			if major != 0 && s.Version() != major {
				t.Errorf("got major %d", s.Version())
			}
			conn := connect(t, s.DSN("postgres", "postgres"))
			if got := ask[int](t, conn, "SELECT current_setting('server_version_num')::int / 10000"); got != s.Version() {
				t.Errorf("the server says that it is %d, Version %d", got, s.Version())
			}
			for setting, want := range map[string]string{
				"data_directory":   s.DataDir(),
				"port":             strconv.Itoa(s.Port()),
				"server_encoding":  "UTF8",
				"lc_messages":      "C",
				"fsync":            "off",
				"application_name": `it's \ odd`,
			} {
				if got := ask[string](t, conn, "SELECT current_setting($1)", setting); got != want {
					t.Errorf("%s is %q, want %q", setting, got, want)
				}
			}
			if got := ask[string](t, conn, "SELECT datcollate FROM pg_database WHERE datname = 'template1'"); got != "C" {
				t.Errorf("collation is %q", got)
			}
			mustExec(t, conn, "CREATE EXTENSION pgcrypto") // a library of the package itself, with libraries of its own

			bySocket := connect(t, fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres", s.SocketDir(), s.Port()))
			if !ask[bool](t, bySocket, "SELECT inet_server_addr() IS NULL") {
				t.Error("the socket leads through TCP")
			}
			if _, err := os.Stat(s.Log()); err != nil {
				t.Error(err)
			}

			left := footprintOf(t, s)
			if err := s.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			left.awaitGone(t)
		})
	}
}

func TestKillIsACrashWithDataKept(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Major: testMajor(t)})
	port, conn := s.Port(), connect(t, s.DSN("postgres", "postgres"))
	mustExec(t, conn, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)")
	mustExec(t, conn, "BEGIN; INSERT INTO kept VALUES (2)")

	// A backend that computes does not notice on its own that the postmaster is gone.
	busy := connect(t, s.DSN("postgres", "postgres"))
	ended := make(chan error, 1)
	go func() {
		_, err := busy.Exec(context.Background(), "INSERT INTO kept SELECT count(*) FROM generate_series(1, 100000000000)")
		ended <- err
	}()
	watcher := connect(t, s.DSN("postgres", "postgres"))
	eventually(t, "the query runs", func() bool {
		return ask[bool](t, watcher, "SELECT state = 'active' FROM pg_stat_activity WHERE pid = $1", busy.PgConn().PID())
	})

	before := footprintOf(t, s)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range before.pids {
		if pid != s.watchdog.cmd.Process.Pid {
			eventually(t, fmt.Sprintf("process %d is gone", pid), func() bool { return !alive(pid) })
		}
	}
	if segmentExists(before.segment) {
		t.Errorf("memory segment %d outlived Kill", before.segment)
	}
	if err := <-ended; err == nil {
		t.Error("the busy query came to its end")
	}
	if s.PID() != 0 {
		t.Errorf("the PID of a killed server is %d", s.PID())
	}

	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Port() != port {
		t.Errorf("the port changed from %d to %d", port, s.Port())
	}
	again := connect(t, s.DSN("postgres", "postgres"))
	if got := ask[string](t, again, "SELECT string_agg(n::text, ' ') FROM kept"); got != "1" {
		t.Errorf("after the crash the table holds %q, want what was committed", got)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Major: testMajor(t)})
	mustExec(t, connect(t, s.DSN("postgres", "postgres")), "CREATE TABLE kept (n int)")
	pid := s.PID()

	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.PID() == pid || s.PID() == 0 {
		t.Errorf("the PID was %d and is %d", pid, s.PID())
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := pgx.Connect(t.Context(), s.DSN("postgres", "postgres")); err == nil {
		t.Error("a server that is shut down accepts a connection")
	}

	taken, err := net.Listen("tcp", net.JoinHostPort(s.Host(), strconv.Itoa(s.Port())))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err == nil || !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("restart on a port that is taken: %v", err)
	}
	taken.Close()
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustExec(t, connect(t, s.DSN("postgres", "postgres")), "TABLE kept")

	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err == nil || !strings.Contains(err.Error(), "it was stopped") {
		t.Errorf("restart after Stop: %v", err)
	}
}

func TestStopClearsUpAfterAPostmasterThatWasKilledByOthers(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Major: testMajor(t)})
	left := footprintOf(t, s)
	if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	left.awaitGone(t)
}

func TestAnotherPortIsTriedWhenTheFirstIsTaken(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Major: testMajor(t)})
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", net.JoinHostPort(s.Host(), "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	ports := []func() (int, error){
		func() (int, error) { return taken.Addr().(*net.TCPAddr).Port, nil },
		freePort,
	}
	pick := func() (int, error) {
		next := ports[0]
		ports = ports[1:]
		return next()
	}
	if err := s.firstBoot(t.Context(), pick); err != nil {
		t.Fatal(err)
	}
	mustExec(t, connect(t, s.DSN("postgres", "postgres")), "SELECT")
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"scram-sha-256", "md5", "password"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			const password = `p'a\s@s:w/ord`
			s := start(t, Options{Major: testMajor(t), Auth: method, Superuser: "the boss", Password: password})
			conn := connect(t, s.DSN("the boss", "postgres"))
			if method != "password" {
				stored := ask[string](t, conn, "SELECT rolpassword FROM pg_authid WHERE rolname = current_user")
				if !strings.HasPrefix(strings.ToLower(stored), method[:3]) {
					t.Errorf("the password is stored as %.10s", stored)
				}
			}
			mustExec(t, conn, "CREATE ROLE app LOGIN PASSWORD 'x'")
			_, err := pgx.Connect(t.Context(), s.DSN("app", "postgres"))
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || refused.Code != "28P01" {
				t.Errorf("a login without password: %v", err)
			}
			connect(t, strings.Replace(s.DSN("app", "postgres"), "app@", "app:x@", 1))
		})
	}
}

func TestHBALinesComeFirst(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Major: testMajor(t), HBA: []string{"host all barred 127.0.0.1/32 reject"}})
	mustExec(t, connect(t, s.DSN("postgres", "postgres")), "CREATE ROLE barred LOGIN; CREATE ROLE welcome LOGIN")
	_, err := pgx.Connect(t.Context(), s.DSN("barred", "postgres"))
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "28000" {
		t.Errorf("the barred role: %v", err)
	}
	connect(t, s.DSN("welcome", "postgres"))
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, key := certificate(t)
	s := start(t, Options{Major: testMajor(t), TLSCert: cert, TLSKey: key})
	conn := connect(t, s.DSN("postgres", "postgres"))
	if !ask[bool](t, conn, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") {
		t.Error("the connection is not encrypted")
	}
}

// certificate makes a self-signed one and returns the paths of its two PEM files.
func certificate(t *testing.T) (certPath, keyPath string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", cert), write("key.pem", "PRIVATE KEY", pkcs8)
}

func TestFailedStartSaysWhyAndLeavesNothing(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		opts Options
		want string
	}{
		"setting":       {t.Context(), Options{Settings: map[string]string{"shared_buffers": "a lot"}}, `invalid value for parameter "shared_buffers": "a lot"`},
		"hba":           {t.Context(), Options{HBA: []string{"nonsense"}}, `invalid connection type "nonsense"`},
		"method":        {t.Context(), Options{Auth: "ldap"}, `unknown auth method "ldap"`},
		"no password":   {t.Context(), Options{Auth: "md5"}, "needs a password"},
		"superuser":     {t.Context(), Options{Superuser: "pg_me"}, `superuser name "pg_me" is disallowed`},
		"key only":      {t.Context(), Options{TLSKey: "key.pem"}, "both a certificate and a key"},
		"no such cert":  {t.Context(), Options{TLSCert: "no.pem", TLSKey: "no.pem"}, "no.pem: no such file"},
		"our setting":   {t.Context(), Options{Settings: map[string]string{"port": "5432"}}, "port is chosen by pgsluice"},
		"too old":       {t.Context(), Options{Major: 9}, "the oldest that pgsluice runs is 12"},
		"ctx cancelled": {cancelled, Options{}, "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.opts.Dir = openFolder(t)
			if c.opts.Major == 0 {
				c.opts.Major = testMajor(t)
			}
			s, err := Start(c.ctx, c.opts)
			if err == nil {
				s.Stop(t.Context())
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want %q", err, c.want)
			}
			left, err := os.ReadDir(c.opts.Dir)
			if err != nil || len(left) != 0 {
				t.Errorf("left behind: %v %v", left, err)
			}
		})
	}
}

// openFolder is a temporary folder that the server's account can reach, unlike t.TempDir.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgbox-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLongFolderHasItsSocketElsewhere(t *testing.T) {
	t.Parallel()
	deep := filepath.Join(openFolder(t), strings.Repeat("long/", 20))
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Major: testMajor(t), Dir: deep})
	if !strings.HasPrefix(s.DataDir(), deep) {
		t.Errorf("the data is in %s", s.DataDir())
	}
	left := footprintOf(t, s)
	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	left.awaitGone(t)
}

func TestStopDoesNotNeedTimeToRemoveEverything(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Major: testMajor(t)})
	left := footprintOf(t, s)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Stop(cancelled); err != nil {
		t.Fatal(err)
	}
	left.awaitGone(t)
}

func TestToolBesideTheServerOrNewEnoughElsewhere(t *testing.T) {
	local, err := Find(t.Context(), Options{Major: testMajor(t)})
	if err != nil {
		t.Fatal(err)
	}
	if path, ok := local.Tool("initdb"); !ok || path != filepath.Join(local.Dir, "initdb") {
		t.Errorf("initdb is %q, %v", path, ok)
	}

	elsewhere := t.TempDir()
	tool := filepath.Join(elsewhere, "pg_dump")
	if err := os.WriteFile(tool, []byte("#!/bin/sh\necho 'pg_dump (PostgreSQL) 99.1'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", elsewhere)
	for major, want := range map[int]bool{98: true, 99: true, 100: false} {
		path, ok := Binaries{Dir: t.TempDir(), Major: major}.Tool("pg_dump")
		if ok != want || ok && path != tool {
			t.Errorf("pg_dump for %d is %q, %v", major, path, ok)
		}
	}
	if path, ok := local.Tool("no_such_tool"); ok {
		t.Errorf("found %q", path)
	}
}
