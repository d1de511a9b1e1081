//go:build !linux

package proxy

import (
	"net"
	"time"
)

// setUserTimeout does nothing: TCP_USER_TIMEOUT exists on Linux alone.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }

// hungUp knows nothing: POLLRDHUP exists on Linux alone. A write to the client finds out.
func hungUp(net.Conn) bool { return false }
