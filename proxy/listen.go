package proxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// Listen opens a listener for Serve. On a Unix socket mode sets the socket's permission bits; a socket that a dead
// process left there is replaced, and the listener removes its own when it is closed. On TCP mode has no meaning.
func Listen(ctx context.Context, a Address, mode fs.FileMode) (net.Listener, error) {
	network, address := a.network()
	if a.unix() {
		if err := removeStale(ctx, address); err != nil {
			return nil, err
		}
	}
	config := net.ListenConfig{KeepAlive: -1} // tcpOptions sets it
	l, err := config.Listen(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", a, err)
	}
	if a.unix() {
		if err := os.Chmod(address, mode); err != nil {
			_ = l.Close()
			return nil, fmt.Errorf("cannot set the permissions of the Unix socket: %w", err)
		}
	}
	return listenOn(l)
}

// removeStale removes a Unix socket on which nobody listens.
func removeStale(ctx context.Context, file string) error {
	info, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", file, err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("cannot listen on %s: the file exists and is no socket", file)
	}
	var dialer net.Dialer
	if conn, err := dialer.DialContext(ctx, "unix", file); err == nil {
		_ = conn.Close()
		return fmt.Errorf("cannot listen on %s: another process does", file)
	}
	if err := os.Remove(file); err != nil {
		return fmt.Errorf("cannot remove the Unix socket of a dead process: %w", err)
	}
	return nil
}
