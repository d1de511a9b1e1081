package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// syslogPrefix marks an audit.file that is a syslog: "syslog:" is that of the machine, "syslog:/PATH" another socket, "syslog:udp://HOST:PORT" and
// "syslog:tcp://HOST:PORT" one elsewhere.
const syslogPrefix = "syslog:"

const (
	// syslogPriority is LOG_AUTHPRIV with severity LOG_INFO: what security is about, and not for everybody to read.
	syslogPriority = 10<<3 | 6

	// syslogPatience bounds a write together with the connecting before it: schema changes wait for it.
	syslogPatience = 2 * time.Second

	// syslogPause is the time between two tries to connect while nobody waits.
	syslogPause = time.Second
)

// localSyslogs are where a machine's syslog listens.
var localSyslogs = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

// errSyslogStalled is the error of every line from one that the daemon did not take in time until it takes them again.
var errSyslogStalled = errors.New("the syslog takes no lines: it has not answered for a while, and is tried again meanwhile")

// syslog sends each line to a syslog daemon, in the form of RFC 3164. log/syslog is not used because nothing bounds its writes: a daemon that does not read would
// hold up every schema change for ever, where it is to be refused. Only the first one waits: from then on each line fails at once, until the daemon reads again,
// which a goroutine of the syslog's own waits for.
type syslog struct {
	network, address string // "" finds the machine's own
	hostname         string
	local            bool
	patience, pause  time.Duration

	ctx   context.Context // until Close
	stop  context.CancelFunc
	probe sync.WaitGroup

	mu      sync.Mutex
	conn    net.Conn // nil when it has to be opened
	stalled bool     // a probe is at work, and has the connection
}

// syslogTarget takes audit.file apart.
func syslogTarget(target string) (network, address string, err error) {
	rest := target[len(syslogPrefix):]
	if rest == "" {
		return "", "", nil
	}
	if filepath.IsAbs(rest) {
		return "unix", rest, nil
	}
	u, err := url.Parse(rest)
	if err != nil || u.Scheme != "udp" && u.Scheme != "tcp" || u.Port() == "" || u.Path != "" || u.User != nil {
		return "", "", errors.New("a syslog is syslog:, syslog:/PATH, syslog:udp://HOST:PORT or syslog:tcp://HOST:PORT")
	}
	return u.Scheme, u.Host, nil
}

func openSyslog(target string) (*syslog, error) {
	network, address, err := syslogTarget(target)
	if err != nil {
		return nil, err
	}
	s := &syslog{network: network, address: address, local: network == "" || network == "unix", patience: syslogPatience, pause: syslogPause}
	s.ctx, s.stop = context.WithCancel(context.Background())
	if s.hostname, err = os.Hostname(); err != nil {
		s.hostname = "localhost"
	}
	if s.conn, err = s.dial(time.Now().Add(s.patience)); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// dial opens a connection.
func (s *syslog) dial(until time.Time) (net.Conn, error) {
	networks, addresses := []string{s.network}, []string{s.address}
	if s.local {
		networks = []string{"unixgram", "unix"}
	}
	if s.network == "" {
		addresses = localSyslogs
	}
	dialer := net.Dialer{Deadline: until}
	var failed error
	for _, address := range addresses {
		for _, network := range networks {
			conn, err := dialer.DialContext(s.ctx, network, address)
			if err == nil {
				return conn, nil
			}
			failed = errors.Join(failed, err)
		}
	}
	return nil, failed
}

// Write sends one line. A connection that the daemon has closed since the last one, or that breaks with this one, is opened again, once, and the line is sent
// anew. What the daemon does not take in time fails, and so do the lines behind it until it takes some.
func (s *syslog) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stalled {
		return 0, errSyslogStalled
	}
	until := time.Now().Add(s.patience)
	err := s.send(s.message(line), until)
	if isTimeout(err) {
		s.stalled = true
		conn := s.conn
		s.conn = nil
		s.probe.Go(func() { s.await(conn) })
	}
	if err != nil {
		return 0, err
	}
	return len(line), nil
}

func (s *syslog) message(line []byte) []byte {
	now := time.Now()
	if s.local {
		return append(fmt.Appendf(nil, "<%d>%s pgsluice[%d]: ", syslogPriority, now.Format(time.Stamp), os.Getpid()), line...)
	}
	return append(fmt.Appendf(nil, "<%d>%s %s pgsluice[%d]: ", syslogPriority, now.Format(time.RFC3339), s.hostname, os.Getpid()), line...)
}

// send sends a message on the connection, or on a new one where there is none, or that one is broken.
func (s *syslog) send(message []byte, until time.Time) error {
	var failed error
	for range 2 {
		if s.conn != nil && closedByPeer(s.conn) {
			_ = s.conn.Close() // what is written to it would be lost, and nobody would be told
			s.conn = nil
		}
		if s.conn == nil {
			conn, err := s.dial(until)
			if err != nil {
				return errors.Join(failed, err)
			}
			s.conn = conn
		}
		err := s.conn.SetWriteDeadline(until)
		if err == nil {
			_, err = s.conn.Write(message)
		}
		if err == nil || isTimeout(err) {
			return err
		}
		_ = s.conn.Close() // a part of the line may have gone, which only a new connection ends
		s.conn, failed = nil, err
	}
	return failed
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// await returns when the daemon takes lines again: when it has read what it would not, together with the end of the line that was cut short, or when it can be
// connected to anew; or when the syslog is closed. conn is nil when it could not even be connected to.
func (s *syslog) await(conn net.Conn) {
	if conn != nil {
		unblock := context.AfterFunc(s.ctx, func() { _ = conn.SetWriteDeadline(time.Unix(1, 0)) })
		err := conn.SetWriteDeadline(time.Time{})
		if err == nil && s.ctx.Err() == nil {
			_, err = conn.Write([]byte{'\n'})
		}
		if !unblock() || err != nil {
			_ = conn.Close()
			conn = nil
		}
	}
	for conn == nil && s.ctx.Err() == nil {
		var err error
		if conn, err = s.dial(time.Now().Add(s.patience)); err == nil {
			break
		}
		timer := time.NewTimer(s.pause)
		select {
		case <-s.ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.stalled = conn, false
}

// Close ends the connection.
func (s *syslog) Close() error {
	s.stop()
	s.probe.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}
