package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// unixPrefix marks an address in listen that is DIRECTORY:PORT of a Unix socket.
const unixPrefix = "unix:"

// joinPort returns HOST:PORT or DIRECTORY:PORT.
func joinPort(host, port string) string {
	if filepath.IsAbs(host) {
		return host + ":" + port
	}
	return net.JoinHostPort(host, port)
}

// dialName returns what package net needs for HOST:PORT or DIRECTORY:PORT. The name of the socket is the one that libpq
// looks for in its directory.
func dialName(address string) (network, name string) {
	if directory, port, err := net.SplitHostPort(address); err == nil && filepath.IsAbs(directory) {
		return "unix", filepath.Join(directory, ".s.PGSQL."+port)
	}
	return "tcp", address
}

// listenAll opens every address, or none: on an error those already open are closed.
func listenAll(ctx context.Context, addresses []string) ([]net.Listener, error) {
	var listeners []net.Listener
	for _, address := range addresses {
		listener, err := listen(ctx, address)
		if err != nil {
			closeAll(listeners)
			return nil, err
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, listener := range listeners {
		_ = listener.Close() // nobody has connected yet
	}
}

// listen opens one address. A Unix socket is opened as Postgres does it: everybody may connect, and who they are is for the
// authentication to find out. A socket that a crashed process left behind is replaced.
func listen(ctx context.Context, address string) (net.Listener, error) {
	network, name := dialName(strings.TrimPrefix(address, unixPrefix))
	if network == "unix" && isAbandoned(ctx, name) {
		if err := os.Remove(name); err != nil {
			return nil, fmt.Errorf("cannot replace the socket of a crashed process: %w", err)
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, network, name)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &failure{
			err:  fmt.Errorf("cannot listen on %s: %w", address, err),
			hint: "another process has this address; end it, or choose another one with --listen or metrics.listen",
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	if network == "unix" {
		if err := os.Chmod(name, 0o777); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot open the socket to its users: %w", err), listener.Close())
		}
	}
	return listener, nil
}

// isAbandoned is true when path is a socket that no process listens on. To connect to any other kind of file is refused too.
func isAbandoned(ctx context.Context, path string) bool {
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSocket {
		return false
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close() // it answered, which is all that was asked
		return false
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
