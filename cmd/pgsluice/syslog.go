package main

import (
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

	// syslogPatience bounds a write, and the connecting before it: schema changes wait for it.
	syslogPatience = 2 * time.Second
)

// localSyslogs are where a machine's syslog listens.
var localSyslogs = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}

// syslog sends each line to a syslog daemon, in the form of RFC 3164. log/syslog is not used because nothing bounds its writes: a daemon that does not read would
// hold up every schema change for ever, where it is to be refused.
type syslog struct {
	network, address string // "" finds the machine's own
	hostname         string
	local            bool

	mu   sync.Mutex
	conn net.Conn // nil when it has to be opened
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
	s := &syslog{network: network, address: address, local: network == "" || network == "unix"}
	if s.hostname, err = os.Hostname(); err != nil {
		s.hostname = "localhost"
	}
	return s, s.dial()
}

// dial opens the connection.
func (s *syslog) dial() error {
	networks, addresses := []string{s.network}, []string{s.address}
	if s.local {
		networks = []string{"unixgram", "unix"}
	}
	if s.network == "" {
		addresses = localSyslogs
	}
	var failed error
	for _, address := range addresses {
		for _, network := range networks {
			conn, err := net.DialTimeout(network, address, syslogPatience)
			if err == nil {
				s.conn = conn
				return nil
			}
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// Write sends one line. A connection that has broken since the last one is opened again, once.
func (s *syslog) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	message := fmt.Appendf(nil, "<%d>%s %s pgsluice[%d]: ", syslogPriority, now.Format(time.RFC3339), s.hostname, os.Getpid())
	if s.local {
		message = fmt.Appendf(nil, "<%d>%s pgsluice[%d]: ", syslogPriority, now.Format(time.Stamp), os.Getpid())
	}
	message = append(message, line...)
	var failed error
	for range 2 {
		if s.conn == nil {
			if err := s.dial(); err != nil {
				return 0, errors.Join(failed, err)
			}
		}
		err := s.conn.SetWriteDeadline(now.Add(syslogPatience))
		if err == nil {
			_, err = s.conn.Write(message)
		}
		if err == nil {
			return len(line), nil
		}
		_ = s.conn.Close() // a part of the line may have gone, which only a new connection ends
		s.conn, failed = nil, err
	}
	return 0, failed
}

// Close ends the connection.
func (s *syslog) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}
