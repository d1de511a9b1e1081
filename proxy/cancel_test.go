package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// sleeping starts a statement that only a cancel ends, and returns its session's key and where its error will be.
func sleeping(t *testing.T, server *pgbox.Server, through Address, version uint32) (key []byte, ended <-chan string) {
	t.Helper()
	c := dialRaw(t, through)
	c.send(startupPacket(version, "user", "postgres"))
	_, key = c.until('K')
	c.until('Z')
	c.send(query("SELECT pg_catalog.pg_sleep(1000)"))
	pgtest.WaitFor(t, pgtest.Connect(t, server.DSN("postgres", "postgres")),
		"SELECT state = 'active' AND wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1", int(binary.BigEndian.Uint32(key)))
	said := make(chan string, 1)
	go func() {
		for {
			kind, body := receiveMessage(c)
			if kind == 0 || kind == 'E' {
				said <- string(bytes.ReplaceAll(body, []byte{0}, []byte{' '}))
				return
			}
		}
	}()
	return key, said
}

func cancelPacket(key []byte) []byte {
	packet := append(startupPacket(cancelRequest), key...)
	binary.BigEndian.PutUint32(packet, uint32(len(packet)))
	return packet
}

// A cancel reaches the server on each way that a client may send it: in the clear also where sessions must use TLS.
func TestCancelRequestIsForwarded(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	cert, key := authority.issue(t, "localhost", nil)
	server := startTLSServer(t, pgbox.Options{TLSCert: cert, TLSKey: key})
	for _, mode := range []SSLMode{SSLDisable, SSLRequire} {
		f := start(t, Options{
			Upstream: Upstream{Addresses: []Address{addressOf(server)}, SSLMode: mode},
			TLS:      ClientTLS{Mode: TLSAllow, CertFile: cert, KeyFile: key},
		}, nil)
		ways := map[string]func() *rawClient{
			"plain": func() *rawClient { return dialRaw(t, f.tcp) },
			"unix":  func() *rawClient { return dialRaw(t, f.unix) },
			"TLS": func() *rawClient {
				c := dialRaw(t, f.tcp)
				if c.send(startupPacket(sslRequest)); c.byte() != 'S' {
					t.Fatal("SSLRequest was not answered with S")
				}
				return wrapRaw(t, tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true}))
			},
		}
		for name, dial := range ways {
			t.Run(string(mode)+" "+name, func(t *testing.T) {
				key, ended := sleeping(t, server, f.tcp, version30)
				c := dial()
				c.send(cancelPacket(key))
				c.closed() // no earlier than the server has taken it
				if said := <-ended; !strings.Contains(said, "57014") {
					t.Errorf("the statement ended with %q", said)
				}
			})
		}
		t.Run(string(mode)+" with a wrong key", func(t *testing.T) {
			key, ended := sleeping(t, server, f.tcp, version30)
			wrong := bytes.Clone(key)
			wrong[len(wrong)-1]++
			c := dialRaw(t, f.tcp)
			c.send(cancelPacket(wrong))
			c.closed()
			select {
			case said := <-ended:
				t.Errorf("a wrong key ended the statement: %q", said)
			default:
			}
			c = dialRaw(t, f.tcp)
			c.send(cancelPacket(key))
			<-ended
		})
	}
}

// Protocol 3.2 brings keys of up to 256 bytes. An older server says 'v' and gives a short one: both go through.
func TestCancelWithTheKeyOfProtocol32(t *testing.T) {
	server := pgtest.Server(t)
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(server)}}}, nil)
	key, ended := sleeping(t, server, f.tcp, 3<<16|2)
	if long := len(key) > 8; long != (server.Version() >= 18) {
		t.Errorf("version %d gave a key of %d bytes", server.Version(), len(key)-4)
	}
	c := dialRaw(t, f.tcp)
	c.send(cancelPacket(key))
	c.closed()
	if said := <-ended; !strings.Contains(said, "57014") {
		t.Errorf("the statement ended with %q", said)
	}
}

// A version from the future, and options that nobody knows: the server negotiates, before it authenticates.
func TestTheServerNegotiatesTheVersion(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, nil)
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(3<<16|9999, "user", "postgres", "_pq_.grease", "1"))
	kind, body := c.message()
	if kind != 'v' || !bytes.Contains(body, []byte("_pq_.grease\x00")) {
		t.Errorf("the first message is %q with %q", kind, body)
	}
	c.until('Z')
}

// Keys are opaque and of any length that the protocol allows; with several servers each gets the request, since nobody
// here knows whose key it is. The client is let go when the last of them has closed.
func TestCancelRequestGoesToEveryServerAsItCame(t *testing.T) {
	got, proceed := make(chan string, 2), make(chan struct{})
	listen := func(conn net.Conn) {
		packet := make([]byte, 1000)
		n, _ := conn.Read(packet)
		got <- string(packet[:n])
		<-proceed
	}
	f := start(t, Options{Upstream: plainly(fakeServer(t, listen), fakeServer(t, listen))}, nil)
	for _, length := range []int{0, 8, 36, 4 + 256} {
		packet := cancelPacket(bytes.Repeat([]byte{'k'}, length))
		c := dialRaw(t, f.tcp)
		c.send(packet)
		for range 2 {
			if have := <-got; have != string(packet) {
				t.Errorf("a server got %q, want %q", have, packet)
			}
		}
		for range 2 {
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := c.r.ReadByte(); !isTimeout(err) {
				t.Errorf("the client was let go before every server had closed: %v", err)
			}
			_ = c.SetReadDeadline(time.Now().Add(patience))
			proceed <- struct{}{}
		}
		c.closed()
	}
}

// A server that cannot be reached must not keep the request from the others.
func TestCancelRequestWithOneServerDown(t *testing.T) {
	server := pgtest.Server(t)
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{{Host: "127.0.0.1", Port: 1}, addressOf(server)}}}, nil)
	key, ended := sleeping(t, server, f.tcp, version30)
	c := dialRaw(t, f.tcp)
	c.send(cancelPacket(key))
	c.closed()
	if said := <-ended; !strings.Contains(said, "57014") {
		t.Errorf("the statement ended with %q", said)
	}
	if !strings.Contains(f.log.String(), "cannot forward a cancel request") {
		t.Error("the log does not say that a server was not reached")
	}
}

// pgx cancels on its own connection when its context ends, as a driver does.
func TestDriverCancels(t *testing.T) {
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}, nil)
	config, err := pgconn.ParseConfig("postgres://postgres@" + f.tcp.String() + "/postgres")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	results := conn.Exec(t.Context(), "SELECT 1; SELECT pg_catalog.pg_sleep(1000)")
	pgtest.WaitFor(t, pgtest.Connect(t, pgtest.Server(t).DSN("postgres", "postgres")),
		"SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $1", int(conn.PID()))
	if err := conn.CancelRequest(t.Context()); err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if _, err := results.ReadAll(); err == nil || !strings.Contains(err.Error(), "57014") {
		t.Errorf("the statement ended with %v", err)
	}
}
