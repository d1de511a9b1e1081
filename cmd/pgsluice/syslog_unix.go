//go:build unix

package main

import (
	"net"
	"syscall"
)

// closedByPeer reports whether the other side has closed a connection on which it never says anything.
func closedByPeer(conn net.Conn) bool {
	switch conn.RemoteAddr().Network() {
	case "udp", "unixgram":
		return false // they have no end that could be seen
	}
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	closed := false
	err = raw.Control(func(fd uintptr) {
		n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = n == 0 && err == nil || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return closed || err != nil
}
