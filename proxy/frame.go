package proxy

import (
	"encoding/binary"
	"io"
)

// PQ_LARGE_MESSAGE_LIMIT and PQ_SMALL_MESSAGE_LIMIT of Postgres. After a longer message, or one of an unknown type, the server hangs up.
const (
	largeMessage = 1<<30 - 2
	smallMessage = 10000
)

// hold reads until the next size bytes are unread and contiguous. The buffer grows with what arrives, never by what a
// peer declares; slim gives it back.
func (l *leg) hold(size int) error {
	for l.w-l.r < size {
		if l.r > 0 {
			l.w, l.r = copy(l.buf, l.unread()), 0
		}
		if l.w == len(l.buf) && l.w > 0 {
			grown := make([]byte, min(2*len(l.buf), max(size, bufferSize)))
			unread := copy(grown, l.unread())
			l.giveBack()
			l.buf, l.w = grown, unread
		}
		err := l.read()
		if err != nil && l.w-l.r < size {
			if err == io.EOF {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// slim replaces a grown buffer by an ordinary one as soon as what is unread fits.
func (l *leg) slim() {
	if l.lent != nil || len(l.buf) <= bufferSize || l.w-l.r > bufferSize {
		return
	}
	ordinary := make([]byte, bufferSize)
	l.w = copy(ordinary, l.unread())
	l.r, l.buf = 0, ordinary
}

// take consumes the next size bytes, which must be unread, and returns them. They are valid until the next read.
func (l *leg) take(size int) []byte {
	frame := l.buf[l.r : l.r+size]
	l.r += size
	return frame
}

// discard consumes the next size bytes, read or not.
func (l *leg) discard(size int) error {
	for size > 0 {
		if err := l.need(1); err != nil {
			return err
		}
		size -= len(l.take(min(size, l.w-l.r)))
	}
	return nil
}

// frameAt returns type and whole size of the message whose header stands at b[0:headerSize]; ok is false for an impossible length.
func frameAt(b []byte) (kind byte, size int, ok bool) {
	length := binary.BigEndian.Uint32(b[1:])
	return b[0], int(length) + 1, length >= 4 && length <= maxMessage
}

// limitOf is the largest length that the server reads in the header of a client's message, 0 for a type that no client may send
// after login (SocketBackend in src/backend/tcop/postgres.c).
func limitOf(kind byte) int {
	switch kind {
	case 'Q', 'P', 'B', 'F', 'd':
		return largeMessage
	case 'E', 'D', 'C', 'S', 'X', 'c', 'f':
		return smallMessage
	case 'H':
		// To a longer one the server answers with an error and skips to Sync. No correct client needs that.
		return 4
	}
	return 0
}

// cString cuts the next NUL-terminated string off b. ok is false when there is no NUL.
func cString(b []byte) (s string, rest []byte, ok bool) {
	for i, c := range b {
		if c == 0 {
			return string(b[:i]), b[i+1:], true
		}
	}
	return "", nil, false
}
