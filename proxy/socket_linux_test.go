package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A socket of ours is what package net's is: addresses, bytes both ways, ends, deadlines and errors.
func TestSocket(t *testing.T) {
	hosts := []string{"127.0.0.1", shortDir(t)}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil { // a machine may have no IPv6
		_ = l.Close()
		hosts = append(hosts, "::1", "::")
	}
	for _, host := range hosts {
		t.Run(host, func(t *testing.T) {
			a := Address{Host: host}
			if a.unix() {
				a.Port = 5432
			}
			l, err := Listen(t.Context(), a, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if tcp, ok := l.Addr().(*net.TCPAddr); ok {
				a.Port = tcp.Port
			}
			if host == "::" {
				a.Host = "127.0.0.1" // it listens there, too
			}
			dialed, found, err := dialNow(t.Context(), a, patience)
			if err != nil || !found {
				t.Fatalf("found %v, %v", found, err)
			}
			defer dialed.Close()
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer accepted.Close()
			if a.unix() {
				if got := dialed.RemoteAddr().String(); got != filepath.Join(host, ".s.PGSQL.5432") || accepted.RemoteAddr().Network() != "unix" {
					t.Errorf("the other ends are %s and %s", got, accepted.RemoteAddr())
				}
			} else if dialed.RemoteAddr().String() != a.String() || accepted.LocalAddr().String() != a.String() ||
				accepted.RemoteAddr().String() != dialed.LocalAddr().String() {
				t.Errorf("at %s: %s -> %s and %s -> %s", a, dialed.LocalAddr(), dialed.RemoteAddr(), accepted.RemoteAddr(), accepted.LocalAddr())
			}

			much := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // more than the kernel takes at once
			for _, way := range [][2]net.Conn{{dialed, accepted}, {accepted, dialed}} {
				sent := make(chan error, 1)
				go func() {
					_, err := way[0].Write(much)
					sent <- errors.Join(err, way[0].(interface{ CloseWrite() error }).CloseWrite())
				}()
				got, err := io.ReadAll(way[1])
				if err := errors.Join(err, <-sent); err != nil || !bytes.Equal(got, much) {
					t.Errorf("%d of %d bytes came, %v", len(got), len(much), err)
				}
			}
		})
	}

	l, err := Listen(t.Context(), Address{Host: "127.0.0.1"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	a := Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	conn, _, err := dialNow(t.Context(), a, patience)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(longAgo)
	if _, err := conn.Read(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("behind its deadline it reads %v", err)
	}
	_ = conn.SetReadDeadline(time.Time{})
	ended := make(chan error, 2)
	go func() { _, err := conn.Read(make([]byte, 1)); ended <- err }()
	go func() {
		for {
			if _, err := l.Accept(); err != nil {
				ended <- err
				return
			}
		}
	}()
	_ = conn.Close()
	_ = l.Close()
	for range 2 {
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed, it says %v", err)
		}
	}
	if _, err := conn.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed, it says %v", err)
	}
	for range 20_000 { // often enough to get that very port for its own end
		if conn, _, err := dialNow(t.Context(), a, patience); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("where nobody listens: %v, %v", conn, err)
		}
	}
}

// Connecting ends with its context, and in its time.
func TestSocketDoesNotStand(t *testing.T) {
	// A listener with a full queue answers nobody.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var full error
	if err := raw.Control(func(fd uintptr) { full = syscall.Listen(int(fd), 0) }); err != nil || full != nil {
		t.Fatal(err, full)
	}
	a := Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
	for range 3 {
		if conn := beginDial(a); conn != nil {
			defer conn.Close()
		}
	}
	if _, _, err := dialNow(t.Context(), a, 10*time.Millisecond); !isTimeout(err) {
		t.Errorf("behind its time: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, _, err := dialNow(ctx, a, patience); !errors.Is(err, context.Canceled) {
		t.Errorf("behind its context: %v", err)
	}
}
