package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
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

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}
