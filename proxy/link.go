package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// link is a client and its server after login: the first ReadyForQuery has been relayed to the client.
type link struct {
	client, server *leg
	startup        startup
	pid            uint32            // BackendKeyData of the server; 0 if none came
	params         map[string]string // ParameterStatus values seen during login
	status         byte              // status byte of that ReadyForQuery
	clientAddr     string            // "[local]" for a Unix socket
	serverAddr     string            // the address that the login was relayed to
	tls            bool              // between the client and us
	certificate    string            // the subject of the client's certificate, which an authority of tls.client_ca has signed; "" without one
	drain          context.Context   // done when the server drains: the session ends at the next quiet point with FATAL 57P01
	passed         atomic.Int64      // statements that passed unread
}

// pipe carries a link's bytes both ways, unread, until the server has ended. The end of the client is passed on to
// the server, whose last bytes still arrive.
func pipe(l *link) error {
	var (
		both   sync.WaitGroup
		up, dn error
	)
	both.Go(func() {
		up = copyUnread(l.server, l.client)
		closeWrite(l.server.conn)
	})
	both.Go(func() {
		dn = copyUnread(l.client, l.server)
		// A client that is still sending has nobody to send to: it is let go.
		_ = l.client.conn.SetReadDeadline(longAgo)
	})
	both.Wait()
	if dn != nil {
		return fmt.Errorf("relay from server to client: %w", dn)
	}
	if up != nil && !isTimeout(up) {
		return fmt.Errorf("relay from client to server: %w", up)
	}
	return nil
}

// copyUnread writes to dst what src has read already, then everything that it will read.
func copyUnread(dst, src *leg) error {
	for ended := error(nil); ; ended = src.read() {
		if chunk := src.unread(); len(chunk) > 0 {
			src.r = src.w
			if _, err := dst.Write(chunk); err != nil {
				return err
			}
		}
		switch ended {
		case nil:
		case io.EOF:
			return nil
		default:
			return ended
		}
	}
}

// closeWrite says that nothing more will be written, and closes a connection that cannot say so.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = conn.Close()
}
