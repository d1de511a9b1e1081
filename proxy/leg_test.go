package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"
)

// readerConn is a connection from which r is read. Nothing else of it works.
type readerConn struct {
	net.Conn
	r io.Reader
}

func (c readerConn) Read(p []byte) (int, error) { return c.r.Read(p) }

func legOf(r io.Reader) *leg { return newLeg(readerConn{r: r}, nil) }

// A stream means the same however it is cut into reads, also where a message is longer than the buffer.
func TestMessagesSurviveEveryReadSize(t *testing.T) {
	long := "D\x00\x00\xc0\x04" + strings.Repeat("x", 0xc000)
	stream := "R\x00\x00\x00\x08\x00\x00\x00\x00" + long + "Z\x00\x00\x00\x05I"
	readers := map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r },
		"bytes": iotest.OneByteReader,
		"half":  iotest.HalfReader,
		"eof":   iotest.DataErrReader,
	}
	for name, cut := range readers {
		l := legOf(cut(strings.NewReader(stream)))
		var out bytes.Buffer
		var kinds string
		for {
			kind, size, err := l.header()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			kinds += string(kind)
			if err := l.forward(&out, size); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if kinds != "RDZ" || out.String() != stream {
			t.Errorf("%s: messages %s, %d bytes, want RDZ and %d bytes unchanged", name, kinds, out.Len(), len(stream))
		}
	}
}

func TestStreamThatEndsInsideAMessage(t *testing.T) {
	l := legOf(strings.NewReader("R\x00\x00"))
	if _, _, err := l.header(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("inside a header: %v, want %v", err, io.ErrUnexpectedEOF)
	}
	l = legOf(strings.NewReader("R\x00\x00\x00\x08\x00"))
	if err := l.need(9); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("inside a body: %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func TestImpossibleLengthIsRefused(t *testing.T) {
	for _, header := range []string{"Q\x00\x00\x00\x03", "Q\xff\xff\xff\xff", "Q\x80\x00\x00\x00", "Q\x40\x00\x00\x00"} {
		if _, _, err := legOf(strings.NewReader(header)).header(); err == nil {
			t.Errorf("header %q was accepted", header)
		}
	}
}

// A password must not stay in memory after the login, and what was not consumed must.
func TestForgetKeepsOnlyWhatIsUnread(t *testing.T) {
	l := legOf(strings.NewReader("p\x00\x00\x00\x0bsecret\x00Q\x00\x00\x00\x05\x00"))
	if err := l.need(18); err != nil {
		t.Fatal(err)
	}
	if err := l.forward(io.Discard, 12); err != nil {
		t.Fatal(err)
	}
	l.forget()
	if bytes.Contains(l.buf, []byte("secret")) {
		t.Error("the password is still in the buffer")
	}
	if got := string(l.unread()); got != "Q\x00\x00\x00\x05\x00" {
		t.Errorf("unread: %q", got)
	}
}
