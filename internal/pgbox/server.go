package pgbox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
)

// Server is a running throwaway Postgres. Its methods may be called from several goroutines; Stop ends its life.
type Server struct {
	opts     Options
	account  *account
	binaries Binaries
	watchdog *watchdog

	dir, socketDir string
	port           int

	mu         sync.Mutex // held by those who start or end the postmaster
	postmaster *postmaster
}

// Start makes a cluster in a fresh temporary folder and returns when the server answers; ctx bounds only that. The
// caller ends it with Stop; if the caller's process dies first, the server and its folder are removed all the same.
func Start(ctx context.Context, opts Options) (_ *Server, err error) {
	opts = opts.withDefaults()
	if err := opts.check(); err != nil {
		return nil, err
	}
	s := &Server{opts: opts}
	if s.account, err = serverAccount(); err != nil {
		return nil, err
	}
	if s.binaries, err = Find(ctx, opts); err != nil {
		return nil, err
	}
	if err := s.makeFolders(); err != nil {
		return nil, err
	}
	if s.watchdog, err = startWatchdog(s.dir, s.socketDir); err != nil {
		return nil, errors.Join(err, s.removeFolders())
	}

	if err := s.initdb(ctx); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	if err := s.firstBoot(ctx, freePort); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// Host is the address the server listens on.
func (s *Server) Host() string { return "127.0.0.1" }

// Port is the TCP port; the socket in SocketDir carries the same number.
func (s *Server) Port() int { return s.port }

// SocketDir is the folder of the Unix socket.
func (s *Server) SocketDir() string { return s.socketDir }

// DataDir is the server's data folder.
func (s *Server) DataDir() string { return filepath.Join(s.dir, "data") }

// Log is the path of the server's log, from its first start on.
func (s *Server) Log() string { return filepath.Join(s.dir, "log") }

// Version is the server's major version.
func (s *Server) Version() int { return s.binaries.Major }

// Binaries are the programs that the server runs from.
func (s *Server) Binaries() Binaries { return s.binaries }

// PID is the postmaster's process id, 0 while the server is down.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.postmaster == nil {
		return 0
	}
	return s.postmaster.pid()
}

// Superuser is the name of the bootstrap superuser.
func (s *Server) Superuser() string { return s.opts.Superuser }

// DSN is the URL of a database for a login. It carries the password only for the superuser, whose password is known.
func (s *Server) DSN(user, database string) string {
	dsn := url.URL{
		Scheme:   "postgres",
		User:     url.User(user),
		Host:     net.JoinHostPort(s.Host(), strconv.Itoa(s.port)),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	if s.opts.tls() {
		dsn.RawQuery = "sslmode=require"
	}
	if user == s.opts.Superuser && s.opts.Password != "" {
		dsn.User = url.UserPassword(user, s.opts.Password)
	}
	return dsn.String()
}

// Shutdown ends the server cleanly, as pg_ctl's fast mode does, and keeps its data for Restart. If ctx ends first the
// server goes on shutting down and the error is that of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shutdown(ctx)
}

func (s *Server) shutdown(ctx context.Context) error {
	if s.postmaster == nil {
		return nil
	}
	if err := s.postmaster.end(ctx, syscall.SIGINT); err != nil {
		return fmt.Errorf("cannot shut Postgres down: %w", err)
	}
	s.postmaster = nil
	return s.clearCrash()
}

// Kill ends the server as a crash does: no process of it gets to do anything more. It returns when all are gone; the
// data stays for Restart.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kill()
}

func (s *Server) kill() error {
	if s.postmaster == nil {
		return nil
	}
	if err := s.postmaster.kill(); err != nil {
		return fmt.Errorf("cannot kill Postgres: %w", err)
	}
	s.postmaster = nil
	return s.clearCrash()
}

// Restart starts the server on the same port and data after Shutdown or Kill; a running server is shut down first.
// ctx bounds both, crash recovery included.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.shutdown(ctx); err != nil {
		return err
	}
	return s.boot(ctx)
}

// Stop shuts the server down and removes all that it had. If ctx ends before a clean shutdown, the server is killed.
// A second Stop does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watchdog == nil {
		return nil
	}
	err := s.shutdown(ctx)
	if err != nil {
		err = s.kill()
	}
	err = errors.Join(err, s.watchdog.release(), s.removeFolders())
	s.watchdog = nil
	return err
}

// firstBoot starts the server on a port that pick says is free, and picks again if Postgres finds it taken.
func (s *Server) firstBoot(ctx context.Context, pick func() (int, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	const attempts = 5
	for attempt := 1; ; attempt++ {
		var err error
		if s.port, err = pick(); err != nil {
			return err
		}
		if err := s.configure(); err != nil {
			return err
		}
		err = s.boot(ctx)
		// A port that is free when we ask may be taken when Postgres binds it.
		if err == nil || attempt == attempts || portFree(s.port) {
			return err
		}
	}
}

// boot starts a postmaster and waits until it accepts connections.
func (s *Server) boot(ctx context.Context) error {
	if s.watchdog == nil {
		return errors.New("cannot start Postgres: it was stopped and its data removed")
	}
	p, err := s.startPostmaster()
	if err != nil {
		return err
	}
	s.postmaster = p
	if err := s.awaitReady(ctx, p); err != nil {
		return errors.Join(err, s.kill())
	}
	return nil
}

// maxSocketPath is what macOS allows for the path of a Unix socket; Linux allows a little more.
const maxSocketPath = 103

// makeFolders makes the server's folder and one for its socket, which is the same unless its path is too long.
func (s *Server) makeFolders() error {
	dir, err := s.makeFolder(s.opts.Dir)
	if err != nil {
		return err
	}
	s.dir, s.socketDir = dir, dir
	if len(filepath.Join(dir, ".s.PGSQL.65535")) <= maxSocketPath {
		return nil
	}
	if s.socketDir, err = s.makeFolder("/tmp"); err != nil {
		return errors.Join(err, s.removeFolders())
	}
	return nil
}

func (s *Server) makeFolder(parent string) (string, error) {
	dir, err := os.MkdirTemp(parent, "pgsluice-")
	if err != nil {
		return "", fmt.Errorf("cannot make a folder for Postgres: %w", err)
	}
	if err := s.account.own(dir); err != nil {
		return "", errors.Join(fmt.Errorf("cannot make a folder for Postgres: %w", err), os.Remove(dir))
	}
	return dir, nil
}

func (s *Server) removeFolders() error {
	return errors.Join(os.RemoveAll(s.dir), os.RemoveAll(s.socketDir))
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("cannot find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func portFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
