package proxy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"
)

// unanswered is how long a case waits for a message before it says that none came.
const unanswered = time.Minute

// wireClient is one connection of a wire case.
type wireClient struct {
	net.Conn
	r      *bufio.Reader
	pid    uint32
	secret []byte
	// written is closed when everything sent so far has been written: the server may not read before it is read from.
	written chan struct{}
}

// dial connects and sends a startup packet. The answer is not read.
func dial(t testing.TB, a Address, packet []byte) *wireClient {
	t.Helper()
	network, address := a.network()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	c := &wireClient{Conn: conn, r: bufio.NewReader(conn), written: make(chan struct{})}
	close(c.written)
	c.send(packet)
	return c
}

// send writes in the background, after what was sent before. An error is the server's hanging up, which the reader will see.
func (c *wireClient) send(b []byte) {
	before, done := c.written, make(chan struct{})
	c.written = done
	go func() {
		defer close(done)
		<-before
		_, _ = c.Write(b)
	}()
}

// next reads one message. end says why there is none: "EOF" or "silence".
func (c *wireClient) next() (m message, end string) {
	_ = c.SetReadDeadline(time.Now().Add(unanswered))
	m, err := readMessage(c.r)
	switch {
	case err == nil:
	case errors.Is(err, os.ErrDeadlineExceeded):
		return message{}, "silence"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return message{}, "EOF inside a message"
	default: // A reset is the same for a reader, and which of both it is depends on timing.
		return message{}, "EOF"
	}
	if m.kind == 'K' {
		c.pid, c.secret = binary.BigEndian.Uint32(m.body), m.body[4:]
	}
	return m, ""
}

// until reads up to and including the last of the messages named, which come in that order with others between them. A name
// of "EOF" is the end of the connection.
func (c *wireClient) until(names []string) transcript {
	var got transcript
	for len(names) > 0 {
		m, end := c.next()
		if end != "" {
			got.end = end
			return got
		}
		got.messages = append(got.messages, m)
		if kindOf(names[0]) == m.kind {
			names = names[1:]
		}
	}
	return got
}

// close hangs up and waits for the writer.
func (c *wireClient) close() {
	_ = c.Conn.Close()
	<-c.written
}

// transcript is what a client saw during one directive.
type transcript struct {
	messages []message
	end      string // "" or why no more can come
}

func (a transcript) equal(b transcript, same func(a, b message) bool) bool {
	return a.end == b.end && slices.EqualFunc(a.messages, b.messages, same)
}

// lines shows the transcript; of equal lines in a row one is shown, with their number.
func (a transcript) lines() []string {
	var out []string
	for _, m := range a.messages {
		out = append(out, show(m))
	}
	if a.end != "" {
		out = append(out, a.end)
	}
	return out
}
