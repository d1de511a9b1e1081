package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestListenOnAbandonedSocket(t *testing.T) {
	directory := t.TempDir()
	address, path := unixPrefix+directory+":6432", filepath.Join(directory, ".s.PGSQL.6432")
	crashed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	crashed.SetUnlinkOnClose(false)
	if err := crashed.Close(); err != nil {
		t.Fatal(err)
	}

	listeners, err := listenAll(t.Context(), []string{address})
	if err != nil {
		t.Fatalf("the socket of a crashed process was not replaced: %v", err)
	}
	defer closeAll(listeners)
	if err := upstreamCheck([]string{directory + ":6432"}).probe(t.Context()); err != nil {
		t.Errorf("cannot connect to the new socket: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode().Perm(), os.FileMode(0o777); got != want {
		t.Errorf("the socket has mode %v, want %v: other users cannot connect", got, want)
	}
}

// What is alive, or is no socket, stays.
func TestListenReplacesNothingElse(t *testing.T) {
	directory := t.TempDir()
	alive := filepath.Join(directory, ".s.PGSQL.6432")
	listener, err := net.Listen("unix", alive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	file := filepath.Join(directory, ".s.PGSQL.6433")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tcp.Close() }()

	for _, address := range []string{unixPrefix + directory + ":6432", unixPrefix + directory + ":6433", tcp.Addr().String()} {
		_, err := listen(t.Context(), address)
		var hinted interface{ Hint() string }
		if !errors.Is(err, syscall.EADDRINUSE) || !errors.As(err, &hinted) {
			t.Errorf("listen %s: got %v, want an error for an address in use, with a hint", address, err)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "precious" {
		t.Errorf("the file in the way was touched: %q, %v", text, err)
	}
	if conn, err := net.Dial("unix", alive); err != nil {
		t.Errorf("the socket of a living process is gone: %v", err)
	} else {
		_ = conn.Close()
	}
}

func TestListenAllOrNone(t *testing.T) {
	directory := t.TempDir()
	_, err := listenAll(t.Context(), []string{unixPrefix + directory + ":6432", unixPrefix + "/no/such/directory:6432"})
	if err == nil {
		t.Fatal("listening in a directory that does not exist succeeded")
	}
	if _, err := os.Stat(filepath.Join(directory, ".s.PGSQL.6432")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the first socket was left open: %v", err)
	}
}
