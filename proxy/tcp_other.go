//go:build !linux

package proxy

import (
	"net"
	"time"
)

// setUserTimeout does nothing: TCP_USER_TIMEOUT exists on Linux alone.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }
