package proxy

import (
	"crypto/tls"
	"net"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setUserTimeout sets TCP_USER_TIMEOUT: how long sent data may stay unacknowledged, or refused by a full window.
func setUserTimeout(conn *net.TCPConn, d time.Duration) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(d.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}

// hungUp reports whether the peer has closed its side of a connection, without reading from it.
func hungUp(conn net.Conn) bool {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	plain, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return false
	}
	const gone = unix.POLLRDHUP | unix.POLLHUP | unix.POLLERR
	over := false
	err = raw.Control(func(fd uintptr) {
		polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(polled, 0)
		over = err == nil && n > 0 && polled[0].Revents&gone != 0
	})
	return err != nil || over
}

// readNow and writeNow read and write once, on a socket that does not block. They do not tell the runtime that a system call is on its way, as
// package unix does: a call that takes microseconds is no reason to wake the thread that watches over long ones, or to give its processor to another
// thread, and doing so costs more than the call.
func readNow(fd uintptr, b []byte) (int, error) { return atOnce(unix.SYS_READ, fd, b) }

func writeNow(fd uintptr, b []byte) (int, error) { return atOnce(unix.SYS_WRITE, fd, b) }

// readTold is readNow that does tell the runtime.
func readTold(fd uintptr, b []byte) (int, error) {
	for {
		n, err := unix.Read(int(fd), b)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

func atOnce(call, fd uintptr, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		if errno == 0 {
			return int(n), nil
		}
		if errno != unix.EINTR {
			return 0, errno
		}
	}
}
