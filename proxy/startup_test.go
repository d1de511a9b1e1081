package proxy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

const version30 = 3 << 16

// startupPacket returns a packet with its length, its code and the strings in it, each ended by NUL.
func startupPacket(code uint32, rest ...string) []byte {
	packet := binary.BigEndian.AppendUint32(make([]byte, 4), code)
	for _, s := range rest {
		packet = append(append(packet, s...), 0)
	}
	if len(rest) > 0 {
		packet = append(packet, 0)
	}
	binary.BigEndian.PutUint32(packet, uint32(len(packet)))
	return packet
}

// rawClient is a client that says what the test wants.
type rawClient struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func dialRaw(t *testing.T, a Address) *rawClient {
	t.Helper()
	network, address := a.network()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return wrapRaw(t, conn)
}

func wrapRaw(t *testing.T, conn net.Conn) *rawClient {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &rawClient{Conn: conn, t: t, r: bufio.NewReader(conn)}
}

func (c *rawClient) send(packets ...[]byte) {
	c.t.Helper()
	if _, err := c.Write(bytes.Join(packets, nil)); err != nil {
		c.t.Fatalf("cannot send: %v", err)
	}
}

// byte reads the answer to a request for encryption.
func (c *rawClient) byte() byte {
	c.t.Helper()
	b, err := c.r.ReadByte()
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	return b
}

// message reads one message of the server.
func (c *rawClient) message() (kind byte, body []byte) {
	c.t.Helper()
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(c.r, header); err != nil {
		c.t.Fatalf("no message: %v", err)
	}
	body = make([]byte, binary.BigEndian.Uint32(header[1:])-4)
	if _, err := io.ReadFull(c.r, body); err != nil {
		c.t.Fatalf("half a message: %v", err)
	}
	return header[0], body
}

// until reads messages up to one of a kind and returns the kinds, with that message's body.
func (c *rawClient) until(last byte) (kinds string, body []byte) {
	c.t.Helper()
	for {
		kind, body := c.message()
		kinds += string(kind)
		if kind == last {
			return kinds, body
		}
		if kind == 'E' {
			c.t.Fatalf("got %s instead of %q", errorText(c.t, body), last)
		}
	}
}

// fatal reads an ErrorResponse and then the end of the connection.
func (c *rawClient) fatal() string {
	c.t.Helper()
	kind, body := c.message()
	if kind != 'E' {
		c.t.Fatalf("message %q, want an ErrorResponse", kind)
	}
	c.closed()
	return errorText(c.t, body)
}

// closed waits for the end of the connection, before which nothing may come.
func (c *rawClient) closed() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err == nil || isTimeout(err) {
		c.t.Errorf("the connection is open: byte %q, %v", b, err)
	}
}

func errorText(t *testing.T, body []byte) string {
	t.Helper()
	var e pgproto3.ErrorResponse
	if err := e.Decode(body); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %s", e.Severity, e.Code, e.Message)
}

func query(sql string) []byte {
	encoded, _ := (&pgproto3.Query{String: sql}).Encode(nil)
	return encoded
}

func TestStartup(t *testing.T) {
	datadriven.RunTest(t, "testdata/startup", func(t *testing.T, d *datadriven.TestData) string {
		body, err := strconv.Unquote(d.Input)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		major, minor, _ := strings.Cut(d.CmdArgs[0].Vals[0], ".")
		code := number(t, major)<<16 | number(t, minor)
		packet := append(startupPacket(code), body...)
		s, err := parseStartup(packet)
		if f, ours := errors.AsType[*fatal](err); ours {
			return fmt.Sprintf("FATAL %s %s", f.code, f.message)
		}
		if err != nil {
			return err.Error()
		}
		if s.version != code || !bytes.Equal(s.raw, packet) {
			return fmt.Sprintf("version %d or the raw packet differ", s.version)
		}
		return describe(s)
	})
}

func number(t *testing.T, s string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(n)
}

func describe(s startup) string {
	return fmt.Sprintf("user=%q database=%q application_name=%q options=%q replication=%q",
		s.user, s.database, s.applicationName, s.options, s.replication)
}

// Only a session in which the server runs no SQL may be opaque. The server decides: every way to say "replication" is tried.
func TestOnlyPhysicalReplicationIsOpaque(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, nil)
	values := []string{"true", "false", "database", "on", "off", "o", "t", "Y", "1", "0", "DATABASE", "tru", "yes!", ""}
	var attempts [][]string
	for _, v := range values {
		attempts = append(attempts, []string{v})
		for _, w := range values[:3] {
			attempts = append(attempts, []string{v, w})
		}
	}
	for _, attempt := range attempts {
		rest := []string{"user", "postgres", "database", "postgres"}
		for _, v := range attempt {
			rest = append(rest, "replication", v)
		}
		c := dialRaw(t, f.tcp)
		c.send(startupPacket(version30, rest...), query("SELECT 'SQL'"))
		kind, body := byte(0), []byte(nil)
		for kind != 'Z' && kind != 'E' {
			kind, body = c.message()
		}
		if kind == 'E' { // refused at login
			continue
		}
		for kind != 'D' && kind != 'E' {
			kind, body = c.message()
		}
		runsSQL := kind == 'D' && bytes.Contains(body, []byte("SQL"))
		_ = c.Close()
		understood := false
		select {
		case <-f.links:
			understood = true
		default:
		}
		if runsSQL && !understood {
			t.Errorf("replication=%q: the server runs SQL and the session was opaque", attempt)
		}
		if !runsSQL && understood {
			t.Errorf("replication=%q: the server runs no SQL (%s) and the session was not opaque", attempt, errorText(t, body))
		}
	}
}

// asServer is the loop of ProcessStartupPacket (src/backend/postmaster/postmaster.c), index by index.
func asServer(packet []byte) (s startup, ok bool) {
	buf := append(bytes.Clone(packet[4:]), 0)
	size, offset := len(packet)-4, 4
	cstring := func(at int) string { return string(buf[at : at+bytes.IndexByte(buf[at:], 0)]) }
	walsender, logical := false, false
	for offset < size {
		name := cstring(offset)
		if name == "" {
			break
		}
		at := offset + len(name) + 1
		if at >= size {
			break
		}
		value := cstring(at)
		switch name {
		case "user":
			s.user = value
		case "database":
			s.database = value
		case "application_name":
			s.applicationName = value
		case "options":
			s.options = value
		case "replication":
			if value == "database" {
				walsender, logical = true, true
			} else {
				walsender = parseBool(value)
			}
		}
		offset = at + len(value) + 1
	}
	if walsender {
		s.replication = map[bool]string{true: "database", false: "true"}[logical]
	}
	if s.database == "" {
		s.database = s.user
	}
	return s, offset == size-1
}

// What we accept the server must read in the same way, or a session could be taken for another user's, or for an opaque one.
func FuzzStartup(f *testing.F) {
	f.Add(startupPacket(version30, "user", "alice", "replication", "database", "replication", "true"))
	f.Add(startupPacket(version30, "user", "alice", "options", ""))
	f.Add(startupPacket(version30))
	f.Add(startupPacket(sslRequest))
	f.Add([]byte{0, 0, 0, 8})
	f.Fuzz(func(t *testing.T, packet []byte) {
		got, err := parseStartup(packet)
		if err != nil {
			return
		}
		want, ok := asServer(packet)
		if !ok || describe(got) != describe(want) {
			t.Errorf("packet %q\n got %s\nwant %s (accepted: %v)", packet, describe(got), describe(want), ok)
		}
	})
}

// The reader of first packets must end for every input, must not read past the packet, and takes no more memory than its buffer.
func FuzzGreet(f *testing.F) {
	f.Add(append(startupPacket(gssencRequest), startupPacket(version30, "user", "alice")...), 1)
	f.Add(append(startupPacket(sslRequest), startupPacket(sslRequest)...), 8)
	f.Add(startupPacket(cancelRequest, "12345678"), 3)
	f.Add([]byte{0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0}, 100)
	f.Add([]byte{tlsRecord, 3, 1, 0, 0}, 100)
	s, err := New(Options{Upstream: Upstream{Addresses: []Address{{Host: "localhost", Port: 1}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, stream []byte, chunk int) {
		conn := &chunkConn{in: stream, chunk: max(1, chunk%len(append(stream, 0)))}
		h := &handshake{server: s, client: newLeg(conn, nil), address: localAddress, sockets: &sockets{}}
		if err := h.greet(t.Context()); err != nil {
			return
		}
		if len(h.raw) < minStartup || len(h.raw) > maxStartup || len(h.client.buf) != bufferSize {
			t.Errorf("packet of %d bytes in a buffer of %d", len(h.raw), len(h.client.buf))
		}
		if answers := conn.out.String(); len(answers) > 2 || strings.Trim(answers, "N") != "" {
			t.Errorf("answered %q", answers)
		}
	})
}

// chunkConn gives its input in chunks and keeps what is written.
type chunkConn struct {
	net.Conn
	in    []byte
	chunk int
	out   bytes.Buffer
}

func (c *chunkConn) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.in[:min(c.chunk, len(c.in))])
	c.in = c.in[n:]
	return n, nil
}

func (c *chunkConn) Write(p []byte) (int, error) { return c.out.Write(p) }

func TestHostileFirstBytes(t *testing.T) {
	authority := newAuthority(t)
	cert, key := authority.issue(t, "proxy", nil)
	upstream := Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}
	off := start(t, Options{Upstream: upstream}, nil)
	on := start(t, Options{Upstream: upstream, TLS: ClientTLS{Mode: TLSAllow, CertFile: cert, KeyFile: key}}, nil)
	ssl := startupPacket(sslRequest)
	login := startupPacket(version30, "user", "postgres")
	tooLong := startupPacket(version30, "user", strings.Repeat("a", maxStartup))
	exact := startupPacket(version30, "user", strings.Repeat("a", maxStartup-len(startupPacket(version30, "user", ""))))

	// Postgres too ends these without a word: such a peer does not speak the protocol.
	for name, bytes := range map[string][]byte{
		"length 0":              {0, 0, 0, 0, 0, 3, 0, 0},
		"length 7":              {0, 0, 0, 7, 0, 3, 0},
		"negative length":       {0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0},
		"length 0x7fffffff":     {0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0},
		"length 10001":          tooLong[:8],
		"HTTP":                  []byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
		"cancel of 269 bytes":   startupPacket(cancelRequest, strings.Repeat("k", 259)),
		"plain text behind SSL": append(ssl[:8:8], login...),
		"plain text behind GSS": append(startupPacket(gssencRequest), login...),
		"TLS where it is off":   {tlsRecord, 3, 1, 0, 5, 1, 0, 0, 1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			c := dialRaw(t, off.tcp)
			c.send(bytes)
			c.closed()
		})
	}
	t.Run("plain text behind SSL where TLS is on", func(t *testing.T) {
		c := dialRaw(t, on.tcp)
		c.send(ssl, login)
		c.closed()
	})
	// Each of the two requests is answered once, in either order.
	for _, requests := range [][2]uint32{{sslRequest, gssencRequest}, {gssencRequest, sslRequest}} {
		c := dialRaw(t, off.tcp)
		for _, code := range requests {
			if c.send(startupPacket(code)); c.byte() != 'N' {
				t.Error("a request for encryption was not answered with N")
			}
		}
		c.send(login)
		c.until('Z')
	}
	for _, code := range []uint32{sslRequest, gssencRequest} {
		c := dialRaw(t, off.tcp)
		if c.send(startupPacket(code)); c.byte() != 'N' {
			t.Error("the request for encryption was not answered with N")
		}
		c.send(startupPacket(code))
		if got := c.fatal(); !strings.HasPrefix(got, "FATAL 0A000 unsupported frontend protocol 1234.56") {
			t.Errorf("a second request: %s", got)
		}
	}
	for _, direct := range []bool{false, true} {
		for _, code := range []uint32{sslRequest, gssencRequest} {
			t.Run(fmt.Sprintf("request %d inside TLS, direct %v", code&0xffff, direct), func(t *testing.T) {
				c := dialRaw(t, on.tcp)
				if !direct {
					if c.send(ssl); c.byte() != 'S' {
						t.Fatal("SSLRequest was not answered with S")
					}
				}
				inside := wrapRaw(t, tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}}))
				inside.send(startupPacket(code))
				if got := inside.fatal(); !strings.HasPrefix(got, "FATAL 0A000") {
					t.Error(got)
				}
			})
		}
	}
	// The longest packet goes to the server, whose own error comes back.
	t.Run("length 10000", func(t *testing.T) {
		c := dialRaw(t, off.tcp)
		c.send(exact)
		if _, body := c.until('E'); !strings.HasPrefix(errorText(t, body), `FATAL 28000 role "aaa`) {
			t.Error(errorText(t, body))
		}
	})
	for name, packet := range map[string][]byte{
		"FATAL 0A000": startupPacket(2<<16, "user", "postgres"),
		"FATAL 08P01": append([]byte{0, 0, 0, 12, 0, 3, 0, 0}, "user"...),
		"FATAL 28000": startupPacket(version30, "database", "postgres"), // by the server: no user
	} {
		t.Run(name, func(t *testing.T) {
			c := dialRaw(t, off.tcp)
			c.send(packet)
			if got := c.fatal(); !strings.HasPrefix(got, name) {
				t.Error(got)
			}
		})
	}
}

// One deadline covers the whole login, however busy the client is in it.
func TestSlowLoginsEnd(t *testing.T) {
	silent := fakeServer(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	o := Options{Upstream: plainly(silent), LoginTimeout: 200 * time.Millisecond}
	f := start(t, o, nil)

	t.Run("says nothing", func(t *testing.T) {
		dialRaw(t, f.tcp).closed()
	})
	t.Run("stops inside the packet", func(t *testing.T) {
		c := dialRaw(t, f.tcp)
		c.send(startupPacket(version30, "user", "postgres")[:20])
		c.closed()
	})
	t.Run("one byte after the other", func(t *testing.T) {
		c := dialRaw(t, f.tcp)
		packet := startupPacket(version30, "user", strings.Repeat("a", 9000))
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for sent := range packet {
			if _, err := c.Write(packet[sent : sent+1]); err != nil {
				return
			}
			<-tick.C
		}
		t.Error("9000 slow bytes were read")
	})
	t.Run("the server is silent", func(t *testing.T) {
		c := dialRaw(t, f.tcp)
		c.send(startupPacket(version30, "user", "postgres"))
		if got := c.fatal(); !strings.HasPrefix(got, "FATAL 08006 pgsluice cannot connect to the server at "+silent.String()) {
			t.Error(got)
		}
	})
}

// fakeServer listens on loopback and gives each connection to handle, until the test ends.
func fakeServer(t *testing.T, handle func(net.Conn)) Address {
	t.Helper()
	return numberingServer(t, func(_ int, conn net.Conn) { handle(conn) })
}

// numberingServer is a fakeServer that knows of each connection which one it is, from 1 on.
func numberingServer(t *testing.T, handle func(n int, conn net.Conn)) Address {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				handle(n, conn)
			}()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return Address{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}

// plainly is an upstream without TLS, which a fake server does not answer.
func plainly(addresses ...Address) Upstream {
	return Upstream{Addresses: addresses, SSLMode: SSLDisable}
}
