package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// bufferSize is what one leg can always read before somebody must consume it. Longer messages are streamed.
	bufferSize = 16 << 10

	// lentSize is the size of the buffers that legs over a plain socket share. A bulk transfer fills them; most messages do not.
	lentSize = 64 << 10

	// headerSize is the type byte and the length of a message; the length counts itself but not the type.
	headerSize = 5

	// maxMessage mirrors MaxAllocSize of Postgres: no peer sends a longer message.
	maxMessage = 1<<30 - 1
)

// longAgo is a deadline that ends a blocked read or write at once.
var longAgo = time.Unix(1, 0)

// leg is one side of a session: its connection and the bytes that were read from it and not yet consumed.
// Invariant: 0 <= r <= w <= len(buf), and buf[r:w] is read and not consumed.
//
// A leg over a plain socket has a buffer only while something is unread: it borrows one when there is something to read, and gives it back
// before it waits. So an idle session holds none.
type leg struct {
	conn net.Conn // TCP, Unix or TLS
	buf  []byte   // nil while nothing is unread
	r, w int

	stock *sync.Pool      // where buffers are borrowed
	lent  *[lentSize]byte // what buf is part of; nil for a buffer of the leg's own
	// socket is set for a plain socket; try reads from it once, and the result of that is in n and err.
	socket syscall.RawConn
	try    func(fd uintptr) bool
	n      int
	err    error
	reads  streak
	// put writes what is left to the socket, and the result of that is in failed. These belong to whoever writes, which may be another goroutine than the
	// one that reads.
	put    func(fd uintptr) bool
	left   []byte
	failed error
	// ended is true when all has been read that the peer will ever send.
	ended bool
	// wary is true while what is read may be a password: then a buffer is given back empty, of which used is what was ever written to.
	wary bool
	used int

	// received counts the bytes that were read, those of an encrypted connection behind the encryption.
	received atomic.Int64
}

// newBuffers is a stock of buffers for legs to share. Only what the last read put into one is ever looked at.
func newBuffers() *sync.Pool { return &sync.Pool{New: func() any { return new([lentSize]byte) }} }

// newLeg reads from conn into buffers of the stock; without one (nil) the leg keeps a buffer of its own.
func newLeg(conn net.Conn, stock *sync.Pool) *leg {
	l := &leg{stock: stock}
	l.try, l.put = l.tryRead, l.tryWrite
	l.over(conn)
	return l
}

// over makes the leg, in which nothing is unread, go on over another connection: the same one encrypted, for instance.
func (l *leg) over(conn net.Conn) {
	l.r, l.w = 0, 0
	l.giveBack()
	l.conn, l.socket = conn, nil
	if plain, ok := conn.(syscall.Conn); ok && l.stock != nil {
		l.socket, _ = plain.SyscallConn() // without it the connection is read as any other
	}
}

// read puts more behind what is unread, for which there must be room, or a leg without anything unread.
func (l *leg) read() error {
	if l.r == l.w {
		l.rest()
	}
	if l.socket == nil {
		if l.buf == nil {
			l.buf = make([]byte, bufferSize)
		}
		n, err := l.conn.Read(l.buf[l.w:])
		l.w += n
		l.received.Add(int64(n))
		l.ended = err == io.EOF
		return err
	}
	if err := l.socket.Read(l.try); err != nil {
		return err
	}
	l.w += l.n
	l.received.Add(int64(l.n))
	return l.err
}

// tryRead reads once without blocking, and reports false when there is nothing yet: then the runtime waits, and the leg needs no buffer.
func (l *leg) tryRead(fd uintptr) bool {
	if l.buf == nil {
		l.lent = l.stock.Get().(*[lentSize]byte)
		l.buf, l.used = l.lent[:], 0
	}
	l.n, l.err = l.reads.read(fd, l.buf[l.w:])
	switch {
	case l.n > 0:
		l.used = max(l.used, l.w+l.n)
		return true
	case l.err == nil:
		l.err, l.ended = io.EOF, true
	}
	l.n = 0
	if l.r == l.w {
		l.rest()
	}
	if l.err == unix.EAGAIN {
		l.err = nil
		return false
	}
	return true
}

// Write writes all of b, and waits where the peer does not read.
func (l *leg) Write(b []byte) (int, error) {
	if l.socket == nil {
		return l.conn.Write(b)
	}
	l.left = b
	err := l.socket.Write(l.put)
	if err == nil {
		err = l.failed
	}
	written := len(b) - len(l.left)
	l.left = nil
	return written, err
}

// tryWrite writes without blocking, and reports false while something is left.
func (l *leg) tryWrite(fd uintptr) bool {
	for len(l.left) > 0 {
		n, err := writeNow(fd, l.left)
		if err == unix.EAGAIN {
			return false
		}
		if l.failed = err; err != nil {
			return true
		}
		l.left = l.left[n:]
	}
	return true
}

// rest gives up a buffer in which nothing is unread.
func (l *leg) rest() {
	l.r, l.w = 0, 0
	if l.socket == nil {
		return // its own buffer serves again
	}
	l.giveBack()
}

// giveBack lets go of the buffer, whatever is in it.
func (l *leg) giveBack() {
	if l.lent != nil {
		if l.wary {
			clear(l.lent[:l.used])
		}
		l.stock.Put(l.lent)
	}
	l.buf, l.lent = nil, nil
}

// unread returns what was read and not consumed. It is valid until the next read.
func (l *leg) unread() []byte { return l.buf[l.r:l.w] }

// need reads until at least n bytes are unread; n must not be larger than the buffer. At the end of the stream it
// returns io.EOF when nothing is unread and io.ErrUnexpectedEOF otherwise.
func (l *leg) need(n int) error {
	for l.w-l.r < n {
		if l.r+n > len(l.buf) && l.r > 0 {
			l.w = copy(l.buf, l.unread())
			l.r = 0
		}
		err := l.read()
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

// forget overwrites what was consumed, so that a password does not stay in memory after the login.
func (l *leg) forget() {
	clear(l.buf[:l.r])
	if l.lent != nil {
		clear(l.buf[l.w:max(l.w, l.used)])
	} else {
		clear(l.buf[l.w:])
	}
	l.wary = false
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// streak counts the reads in a row that have found something.
type streak int

// tellEvery is how many reads in a row the runtime hears nothing of.
const tellEvery = 32

// read reads once. Of one read of many the runtime is told: where nothing else tells it that there is work, its watch sleeps, and a goroutine that always
// finds something to read would keep its processor from all others.
func (s *streak) read(fd uintptr, b []byte) (n int, err error) {
	if *s++; *s%tellEvery == 0 {
		n, err = readTold(fd, b)
	} else {
		n, err = readNow(fd, b)
	}
	if err != nil {
		*s = 0
	}
	return n, err
}
