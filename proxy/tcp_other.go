//go:build !linux

package proxy

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setUserTimeout does nothing: TCP_USER_TIMEOUT exists on Linux alone.
func setUserTimeout(*net.TCPConn, time.Duration) error { return nil }

// hungUp knows nothing: POLLRDHUP exists on Linux alone. A write to the client finds out.
func hungUp(net.Conn) bool { return false }

// readNow and writeNow read and write once, on a socket that does not block.
func readNow(fd uintptr, b []byte) (int, error) { return atOnce(unix.Read, fd, b) }

func writeNow(fd uintptr, b []byte) (int, error) { return atOnce(unix.Write, fd, b) }

func readTold(fd uintptr, b []byte) (int, error) { return readNow(fd, b) }

func atOnce(call func(int, []byte) (int, error), fd uintptr, b []byte) (int, error) {
	for {
		n, err := call(int(fd), b)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}
