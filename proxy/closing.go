package proxy

import (
	"net"
	"sync"
	"time"
)

// closingDelay is how long a socket that has ended waits for others to be closed with it.
const closingDelay = 50 * time.Millisecond

// closing closes the sockets of sessions that are over, many at a time: closing is the one system call on a socket that cannot be kept from the runtime; see
// readNow.
type closing struct {
	mu      sync.Mutex
	waiting []net.Conn
}

// end ends a connection for the other side at once.
func end(conn net.Conn) {
	if own, ok := conn.(interface{ end() }); ok {
		own.end()
		return
	}
	_ = conn.Close()
}

// add ends connections, which it owns from here on: nobody may be waiting in one.
func (c *closing) add(conns ...net.Conn) {
	for _, conn := range conns {
		end(conn)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		time.AfterFunc(closingDelay, c.flush)
	}
	c.waiting = append(c.waiting, conns...)
}

// flush closes all that wait.
func (c *closing) flush() {
	c.mu.Lock()
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	for _, conn := range waiting {
		_ = conn.Close() // twice is nothing
	}
}
