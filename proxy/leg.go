package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// bufferSize is what one leg reads at most before somebody must consume it. Longer messages are streamed.
	bufferSize = 16 << 10

	// headerSize is the type byte and the length of a message; the length counts itself but not the type.
	headerSize = 5

	// maxMessage mirrors MaxAllocSize of Postgres: no peer sends a longer message.
	maxMessage = 1<<30 - 1
)

// longAgo is a deadline that ends a blocked read or write at once.
var longAgo = time.Unix(1, 0)

// leg is one side of a session: its connection and the bytes that were read from it and not yet consumed.
// Invariant: 0 <= r <= w <= len(buf), and buf[r:w] is read and not consumed.
type leg struct {
	conn net.Conn // TCP, Unix or TLS
	buf  []byte
	r, w int
}

func newLeg(conn net.Conn) *leg {
	return &leg{conn: conn, buf: make([]byte, bufferSize)}
}

// unread returns what was read and not consumed. It is valid until the next read.
func (l *leg) unread() []byte { return l.buf[l.r:l.w] }

// need reads until at least n bytes are unread; n must not be larger than the buffer. At the end of the stream it
// returns io.EOF when nothing is unread and io.ErrUnexpectedEOF otherwise.
func (l *leg) need(n int) error {
	for l.w-l.r < n {
		if l.r+n > len(l.buf) {
			l.w = copy(l.buf, l.unread())
			l.r = 0
		}
		read, err := l.conn.Read(l.buf[l.w:])
		l.w += read
		if errors.Is(err, io.EOF) && l.w-l.r > 0 && l.w-l.r < n {
			return io.ErrUnexpectedEOF
		}
		if err != nil && l.w-l.r < n {
			return err
		}
	}
	return nil
}

// header waits for the header of the next message and returns its type and its whole size, header included. Nothing
// is consumed.
func (l *leg) header() (kind byte, size int, err error) {
	if err := l.need(headerSize); err != nil {
		return 0, 0, err
	}
	kind, size, ok := frameAt(l.unread())
	if !ok {
		return 0, 0, fmt.Errorf("message %q has an impossible length", kind)
	}
	return kind, size, nil
}

// complete is true if the next message is unread as a whole: header and need will not block for it.
func (l *leg) complete() bool {
	if l.w-l.r < headerSize {
		return false
	}
	_, size, ok := frameAt(l.unread())
	return ok && size <= l.w-l.r
}

// forward writes the next n bytes to dst, through the buffer, and consumes them.
func (l *leg) forward(dst io.Writer, n int) error {
	for n > 0 {
		if err := l.need(1); err != nil {
			return err
		}
		chunk := l.buf[l.r:min(l.w, l.r+n)]
		if _, err := dst.Write(chunk); err != nil {
			return err
		}
		l.r += len(chunk)
		n -= len(chunk)
	}
	return nil
}

// forget overwrites what was consumed, so that a password does not stay in memory for the life of a session.
func (l *leg) forget() { clear(l.buf[:l.r]); clear(l.buf[l.w:]) }

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
	drain          context.Context   // done when the server drains: the session ends at the next quiet point with FATAL 57P01
}

// pipe carries a link's bytes both ways, unread, until both directions have ended. The end of one direction
// is passed on as the end of that direction, so that the last bytes of the other one still arrive.
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
		// Nothing more can come from the server: a client that is still sending has nobody to send to.
		closeWrite(l.client.conn)
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
	if err := src.forward(dst.conn, src.w-src.r); err != nil {
		return err
	}
	_, err := io.Copy(dst.conn, src.conn)
	return err
}

// closeWrite says that nothing more will be written, and closes a connection that cannot say so.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = conn.Close()
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
