package proxy

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What net.KeepAliveConfig leaves to package net.
const (
	keepAlivePause = 15 * time.Second
	keepAliveCount = 9
)

// socket is a plain stream socket, TCP or Unix, which waits in the runtime's poller. Its system calls do not tell the runtime that they are on their way; see
// readNow for why.
type socket struct {
	file   *os.File // owns the descriptor
	raw    syscall.RawConn
	remote net.Addr
	reads  streak
}

func newSocket(fd int, remote net.Addr) (*socket, error) {
	file := os.NewFile(uintptr(fd), "socket")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &socket{file: file, raw: raw, remote: remote}, nil
}

func (s *socket) Read(b []byte) (n int, err error) {
	if len(b) == 0 {
		return 0, nil
	}
	var failed error
	err = s.raw.Read(func(fd uintptr) bool {
		n, failed = s.reads.read(fd, b)
		return failed != unix.EAGAIN
	})
	if err = cmp.Or(err, failed); err != nil {
		return 0, s.failed("read", err)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (s *socket) Write(b []byte) (written int, err error) {
	var failed error
	err = s.raw.Write(func(fd uintptr) bool {
		for written < len(b) {
			var n int
			if n, failed = writeNow(fd, b[written:]); failed != nil {
				return failed != unix.EAGAIN
			}
			written += n
		}
		return true
	})
	if err = cmp.Or(err, failed); err != nil {
		return written, s.failed("write", err)
	}
	return written, nil
}

// failed is an error in the words of package net.
func (s *socket) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: s.remote.Network(), Addr: s.remote, Err: inWords(op, err)}
}

// inWords names the system call that has failed. When none has, and there was time, the descriptor is closed.
func inWords(call string, err error) error {
	if errno, ok := errors.AsType[unix.Errno](err); ok {
		return os.NewSyscallError(call, errno)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return os.ErrDeadlineExceeded
	}
	return net.ErrClosed
}

func (s *socket) Close() error                          { return s.file.Close() }
func (s *socket) SetDeadline(t time.Time) error         { return s.file.SetDeadline(t) }
func (s *socket) SetReadDeadline(t time.Time) error     { return s.file.SetReadDeadline(t) }
func (s *socket) SetWriteDeadline(t time.Time) error    { return s.file.SetWriteDeadline(t) }
func (s *socket) RemoteAddr() net.Addr                  { return s.remote }
func (s *socket) SyscallConn() (syscall.RawConn, error) { return s.raw, nil }

// LocalAddr is our end of the connection.
func (s *socket) LocalAddr() net.Addr {
	var name unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(name))
	_ = s.raw.Control(func(fd uintptr) {
		_, _, _ = unix.RawSyscall(unix.SYS_GETSOCKNAME, fd, uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&size)))
	})
	return addressIn(&name)
}

// CloseWrite says that nothing more will be written.
func (s *socket) CloseWrite() error { return s.shutdown(unix.SHUT_WR) }

// end says that nothing more will be written or read, as Close does: what the other side sends from now on is answered with a reset.
func (s *socket) end() { _ = s.shutdown(unix.SHUT_RDWR) }

func (s *socket) shutdown(how uintptr) error {
	var errno unix.Errno
	err := s.raw.Control(func(fd uintptr) { _, _, errno = unix.RawSyscall(unix.SYS_SHUTDOWN, fd, how, 0) })
	if err == nil && errno != 0 {
		err = os.NewSyscallError("shutdown", errno)
	}
	return err
}

func zone(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}

// listener accepts connections as sockets.
type listener struct {
	file    *os.File
	raw     syscall.RawConn
	address net.Addr
	unlink  sync.Once
}

// listenOn takes the place of l.
func listenOn(l net.Listener) (net.Listener, error) {
	whole, ok := l.(interface{ File() (*os.File, error) })
	if !ok {
		return l, nil
	}
	file, err := whole.File()
	if err != nil {
		return nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	if l, ok := l.(*net.UnixListener); ok {
		l.SetUnlinkOnClose(false)
	}
	return &listener{file: file, raw: raw, address: l.Addr()}, l.Close()
}

func (l *listener) Addr() net.Addr { return l.address }

func (l *listener) Close() error {
	if l.address.Network() == "unix" {
		l.unlink.Do(func() { _ = os.Remove(l.address.String()) })
	}
	return l.file.Close()
}

func (l *listener) Accept() (net.Conn, error) {
	var (
		fd     int
		from   unix.RawSockaddrAny
		failed error
	)
	err := l.raw.Read(func(listening uintptr) bool {
		for {
			size := uint32(unsafe.Sizeof(from))
			n, _, errno := unix.RawSyscall6(unix.SYS_ACCEPT4, listening, uintptr(unsafe.Pointer(&from)), uintptr(unsafe.Pointer(&size)),
				unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
			switch errno {
			case 0:
				fd = int(n)
				return true
			case unix.EAGAIN:
				return false
			case unix.EINTR, unix.ECONNABORTED: // the client has gone already
			default:
				failed = errno
				return true
			}
		}
	})
	if err = cmp.Or(err, failed); err != nil {
		return nil, &net.OpError{Op: "accept", Net: l.address.Network(), Addr: l.address, Err: inWords("accept4", err)}
	}
	return newSocket(fd, addressIn(&from))
}

// bigEndian is a port as it stands in a socket address, and back.
func bigEndian(port uint16) uint16 {
	b := (*[2]byte)(unsafe.Pointer(&port))
	return uint16(b[0])<<8 | uint16(b[1])
}

// addressIn is the address that a kernel has written, in the terms of package net.
func addressIn(raw *unix.RawSockaddrAny) net.Addr {
	switch raw.Addr.Family {
	case unix.AF_INET:
		a := (*unix.RawSockaddrInet4)(unsafe.Pointer(raw))
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4(a.Addr), bigEndian(a.Port)))
	case unix.AF_INET6:
		a := (*unix.RawSockaddrInet6)(unsafe.Pointer(raw))
		ip := netip.AddrFrom16(a.Addr).Unmap()
		if a.Scope_id != 0 {
			ip = ip.WithZone(zone(int(a.Scope_id)))
		}
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, bigEndian(a.Port)))
	}
	return &net.UnixAddr{Net: "unix"} // a client's has no name
}

// target is an address in the kernel's terms.
type target struct {
	family int
	raw    unsafe.Pointer // a raw socket address, of so many bytes as size
	size   uintptr
	remote net.Addr
}

// targetOf reports false for what is no IP address and no Unix socket: package net must find it.
func targetOf(a Address) (t target, known bool) {
	network, name := a.network()
	ip, _ := netip.ParseAddr(a.Host)
	switch ip = ip.Unmap(); {
	case a.unix() && len(name) < len(unix.RawSockaddrUnix{}.Path):
		raw := &unix.RawSockaddrUnix{Family: unix.AF_UNIX}
		for i, c := range []byte(name) {
			raw.Path[i] = int8(c)
		}
		return target{unix.AF_UNIX, unsafe.Pointer(raw), unsafe.Sizeof(*raw), &net.UnixAddr{Net: network, Name: name}}, true
	case ip.Is4():
		raw := &unix.RawSockaddrInet4{Family: unix.AF_INET, Port: bigEndian(uint16(a.Port)), Addr: ip.As4()}
		t = target{unix.AF_INET, unsafe.Pointer(raw), unsafe.Sizeof(*raw), nil}
	case ip.Is6() && ip.Zone() == "":
		raw := &unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: bigEndian(uint16(a.Port)), Addr: ip.As16()}
		t = target{unix.AF_INET6, unsafe.Pointer(raw), unsafe.Sizeof(*raw), nil}
	default:
		return target{}, false
	}
	t.remote = net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(a.Port)))
	return t, true
}

// connect begins to connect. Where nobody listens on a port of this machine's own range, a socket may get that port itself, and connect to itself: then it
// is made again, as package net does.
func (t target) connect() (s *socket, stands bool, err error) {
	for range 3 {
		if s, stands, err = t.connectOnce(); err != nil || t.family == unix.AF_UNIX || s.LocalAddr().String() != t.remote.String() {
			return s, stands, err
		}
		_ = s.Close()
	}
	return nil, false, os.NewSyscallError("connect", unix.ECONNREFUSED)
}

// connectOnce begins to connect. What is written to a socket that does not stand yet waits until it does.
func (t target) connectOnce() (s *socket, stands bool, err error) {
	fd, err := unix.Socket(t.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, false, os.NewSyscallError("socket", err)
	}
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(t.raw), t.size)
	if errno != 0 && errno != unix.EINPROGRESS && errno != unix.EINTR {
		_ = unix.Close(fd)
		return nil, false, os.NewSyscallError("connect", errno)
	}
	s, err = newSocket(fd, t.remote)
	return s, errno == 0, err
}

// stands reports whether a socket is connected.
func (s *socket) stands() (connected bool) {
	_ = s.raw.Control(func(fd uintptr) { connected = hasPeer(fd) })
	return connected
}

func hasPeer(fd uintptr) bool {
	var peer unix.RawSockaddrAny
	size := uint32(unsafe.Sizeof(peer))
	_, _, errno := unix.RawSyscall(unix.SYS_GETPEERNAME, fd, uintptr(unsafe.Pointer(&peer)), uintptr(unsafe.Pointer(&size)))
	return errno == 0
}

// beginDial begins to connect to an address, nil where that cannot be begun at once.
func beginDial(a Address) net.Conn {
	t, known := targetOf(a)
	if !known {
		return nil
	}
	s, _, err := t.connect()
	if err != nil {
		return nil
	}
	return s
}

// dialNow connects to an IP address or a Unix socket. It reports false for any other address.
func dialNow(ctx context.Context, a Address, timeout time.Duration) (conn net.Conn, found bool, err error) {
	t, known := targetOf(a)
	if !known {
		return nil, false, nil
	}
	s, stands, err := t.connect()
	if err == nil && !stands {
		if err = s.established(ctx, timeout); err != nil {
			_ = s.Close()
		}
	}
	if err != nil {
		return nil, true, &net.OpError{Op: "dial", Net: t.remote.Network(), Addr: t.remote, Err: err}
	}
	return s, true, nil
}

// established waits until a connection stands.
func (s *socket) established(ctx context.Context, timeout time.Duration) error {
	_ = s.SetDeadline(time.Now().Add(timeout))
	stop := context.AfterFunc(ctx, func() { _ = s.SetDeadline(longAgo) })
	var failed error
	err := s.raw.Write(func(fd uintptr) bool {
		code, size := int32(0), uint32(4)
		_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_ERROR, uintptr(unsafe.Pointer(&code)), uintptr(unsafe.Pointer(&size)), 0)
		switch {
		case errno != 0:
			failed = os.NewSyscallError("getsockopt", errno)
		case code != 0:
			failed = os.NewSyscallError("connect", unix.Errno(code))
		default:
			return hasPeer(fd)
		}
		return true
	})
	if !stop() {
		return context.Cause(ctx)
	}
	_ = s.SetDeadline(time.Time{})
	return cmp.Or(err, failed)
}

// set sets the options of a TCP connection. Those of keepalive mean what net.KeepAliveConfig says.
func (s *socket) set(o tcpOptions) (failed error) {
	if s.remote.Network() != "tcp" {
		return nil
	}
	err := s.raw.Control(func(fd uintptr) {
		put := func(level, option, value int) {
			v := int32(value)
			_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, fd, uintptr(level), uintptr(option), uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
			if errno != 0 && failed == nil {
				failed = os.NewSyscallError("setsockopt", errno)
			}
		}
		put(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		if o.userTimeout > 0 {
			put(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(o.userTimeout.Milliseconds()))
		}
		if !o.keepAlive.Enable {
			return
		}
		put(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
		if idle := cmp.Or(o.keepAlive.Idle, keepAlivePause); idle > 0 {
			put(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, seconds(idle))
		}
		if interval := cmp.Or(o.keepAlive.Interval, keepAlivePause); interval > 0 {
			put(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, seconds(interval))
		}
		if count := cmp.Or(o.keepAlive.Count, keepAliveCount); count > 0 {
			put(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, count)
		}
	})
	return cmp.Or(err, failed)
}

// seconds rounds up, as package net does.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
