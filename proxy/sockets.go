package proxy

import (
	"net"
	"sync"
)

// sockets are those of one connection, the client's and those to the server. Whoever has one is told of the end of the connection by that: it is closed.
type sockets struct {
	mu     sync.Mutex
	closed bool
	all    []net.Conn
}

// add takes one more, which is closed at once when the others are.
func (s *sockets) add(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, conn)
	if s.closed {
		_ = conn.Close()
	}
}

// join takes those of a connection that nobody else has any more.
func (s *sockets) join(other *sockets) {
	for _, conn := range other.all {
		s.add(conn)
	}
}

// close closes all of them. It may be called more than once, from any goroutine.
func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, conn := range s.all {
		_ = conn.Close()
	}
	s.all = nil
}
