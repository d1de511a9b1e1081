package pgbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// poll is how often we look whether something that Postgres does not announce has happened.
const poll = 10 * time.Millisecond

// postmaster is the server's first process, the parent of all others.
type postmaster struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// startPostmaster starts the process; its output goes to the log.
func (s *Server) startPostmaster() (*postmaster, error) {
	log, err := os.OpenFile(s.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the log of Postgres: %w", err)
	}
	defer log.Close()

	// Not bound to a context: the server outlives the call that starts it.
	cmd := s.account.command(context.Background(), s.dir, filepath.Join(s.binaries.Dir, "postgres"), "-D", s.DataDir())
	cmd.Stdout, cmd.Stderr = log, log
	s.watchdog.join(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start Postgres: %w", err)
	}
	p := &postmaster{cmd: cmd, done: make(chan struct{})}
	go func() {
		cmd.Wait() // how it ended is in the log
		close(p.done)
	}()
	return p, nil
}

func (p *postmaster) pid() int { return p.cmd.Process.Pid }

// end sends the signal and waits until the process has ended.
func (p *postmaster) end(ctx context.Context, signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// kill kills the process and its children. A child that computes would otherwise go on, and could even commit: it
// looks for its parent only when it waits.
func (p *postmaster) kill() error {
	select {
	case <-p.done: // on its own, and its process id may be somebody else's by now
		return nil
	default:
	}
	offspring, err := children(p.pid())
	if err != nil {
		return err
	}
	if err := p.end(context.Background(), syscall.SIGKILL); err != nil {
		return err
	}
	for _, pid := range offspring {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// awaitReady returns when the server accepts connections.
func (s *Server) awaitReady(ctx context.Context, p *postmaster) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for !s.accepts(ctx) {
		select {
		case <-ticker.C:
		case <-p.done:
			return fmt.Errorf("cannot start Postgres, its log ends with:\n%s", s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("cannot start Postgres in time: %w; its log ends with:\n%s", ctx.Err(), s.logTail())
		}
	}
	return nil
}

// accepts asks as pg_isready does: any answer to a startup message but "the database system is starting up" will do,
// a refused login too. It asks on the socket, whose folder is ours; on the port somebody else may answer.
func (s *Server) accepts(ctx context.Context) bool {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", filepath.Join(s.socketDir, fmt.Sprintf(".s.PGSQL.%d", s.port)))
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()

	frontend := pgproto3.NewFrontend(conn, conn)
	frontend.Send(&pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersion30,
		Parameters:      map[string]string{"user": s.opts.Superuser, "database": "postgres"},
	})
	if err := frontend.Flush(); err != nil {
		return false
	}
	answer, err := frontend.Receive()
	if err != nil {
		return false
	}
	refusal, refused := answer.(*pgproto3.ErrorResponse)
	const cannotConnectNow = "57P03"
	return !refused || refusal.Code != cannotConnectNow
}

// logTail returns the last few lines of the log.
func (s *Server) logTail() string {
	log, err := os.Open(s.Log())
	if err != nil {
		return err.Error()
	}
	defer log.Close()
	const tail = 4096
	if info, err := log.Stat(); err == nil && info.Size() > tail {
		log.Seek(-tail, io.SeekEnd)
	}
	text, err := io.ReadAll(log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}
