package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestChannelBinding(t *testing.T) {
	t.Parallel()
	authority := newAuthority(t)
	serverCert, serverKey := authority.issue(t, "server", nil)
	ownCert, ownKey := authority.issue(t, "proxy", nil)
	server := startTLSServer(t, pgbox.Options{Auth: "scram-sha-256", Password: "secret", TLSCert: serverCert, TLSKey: serverKey})

	datadriven.RunTest(t, "testdata/channel_binding", func(t *testing.T, d *datadriven.TestData) string {
		arg := func(key, otherwise string) string {
			d.MaybeScanArgs(t, key, &otherwise)
			return otherwise
		}
		o := Options{
			Upstream: Upstream{Addresses: []Address{addressOf(server)}, SSLMode: SSLDisable},
			TLS:      ClientTLS{Mode: TLSAllow, CertFile: ownCert, KeyFile: ownKey},
		}
		switch arg("server", "") {
		case "tls":
			o.Upstream.SSLMode = SSLRequire
		case "unix":
			o.Upstream.Addresses[0].Host = server.SocketDir()
		}
		if arg("certificate", "") == "server" {
			o.TLS.CertFile, o.TLS.KeyFile = serverCert, serverKey
		}
		f := start(t, o, nil)
		sslmode := map[string]string{"plain": "disable", "tls": "require"}[arg("client", "")]
		out, _ := psql(t, f.tcp.conninfo(fmt.Sprintf("user=postgres dbname=postgres sslmode=%s channel_binding=%s password=%s",
			sslmode, arg("channel_binding", ""), arg("password", "secret"))), "SELECT 'works'")
		if _, rest, found := strings.Cut(out, "failed: "); found {
			out = rest // psql begins with the address
		}
		return out + "\n"
	})
}

// Every method of Postgres that can be had on loopback, with a right and a wrong password, direct and through the proxy.
func TestMethodsAreRelayed(t *testing.T) {
	t.Parallel()
	server := startTLSServer(t, pgbox.Options{HBA: []string{
		"host all by_password 127.0.0.1/32 password",
		"host all by_md5 127.0.0.1/32 md5",
		"host all by_scram 127.0.0.1/32 scram-sha-256",
		"host all rejected 127.0.0.1/32 reject",
	}})
	admin := pgtest.Connect(t, server.DSN("postgres", "postgres"))
	for _, sql := range []string{
		"SET password_encryption = 'md5'",
		"CREATE ROLE by_md5 LOGIN PASSWORD 'secret'",
		"SET password_encryption = 'scram-sha-256'",
		"CREATE ROLE by_password LOGIN PASSWORD 'secret'",
		"CREATE ROLE by_scram LOGIN PASSWORD 'secret'",
		"CREATE ROLE by_trust LOGIN",
		"CREATE ROLE rejected LOGIN",
	} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(server)}}}, nil)
	for _, user := range []string{"by_password", "by_md5", "by_scram", "by_trust", "rejected", "nobody"} {
		for _, password := range []string{"secret", "wrong"} {
			conninfo := "dbname=postgres user=" + user + " password=" + password
			direct, _ := psql(t, addressOf(server).conninfo(conninfo), "SELECT current_user")
			through, _ := psql(t, f.tcp.conninfo(conninfo), "SELECT current_user")
			direct = strings.ReplaceAll(direct, fmt.Sprint("port ", server.Port()), fmt.Sprint("port ", f.tcp.Port))
			if direct != through {
				t.Errorf("%s with password %s\n direct: %s\nthrough: %s", user, password, direct, through)
			}
		}
	}
}

// Bytes behind the last message of the login are the session's, on both sides.
func TestEarlyMessagesWaitForTheSession(t *testing.T) {
	t.Parallel()
	server := startTLSServer(t, pgbox.Options{HBA: []string{"host all by_password 127.0.0.1/32 password"}})
	admin := pgtest.Connect(t, server.DSN("postgres", "postgres"))
	if _, err := admin.Exec(t.Context(), "CREATE ROLE by_password LOGIN PASSWORD 'secret'"); err != nil {
		t.Fatal(err)
	}
	unread := make(chan string, 1)
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(server)}}}, func(_ context.Context, l *link) error {
		if bytes.Contains(l.client.buf, []byte("secret")) {
			t.Error("the password is in the session's memory")
		}
		unread <- string(l.client.unread())
		return pipe(l)
	})
	early := query("SELECT 'early'")
	password := append([]byte("p\x00\x00\x00\x0b"), "secret\x00"...)

	for name, converse := range map[string]func(*rawClient){
		"trust": func(c *rawClient) {
			c.send(startupPacket(version30, "user", "postgres"), early)
		},
		"password": func(c *rawClient) {
			c.send(startupPacket(version30, "user", "by_password", "database", "postgres"))
			c.until('R')
			c.send(password, early)
		},
		"password before it is asked for": func(c *rawClient) {
			c.send(startupPacket(version30, "user", "by_password", "database", "postgres"), password, early)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := dialRaw(t, f.tcp)
			converse(c)
			if kinds, _ := c.until('Z'); !strings.HasSuffix(kinds, "KZ") {
				t.Errorf("login messages %s", kinds)
			}
			if kinds, _ := c.until('Z'); kinds != "TDCZ" {
				t.Errorf("the early query was answered with %s", kinds)
			}
			if got := <-unread; got != string(early) {
				t.Errorf("the session found %q unread, want the early query", got)
			}
		})
	}
}

// fakeLogin is a server that reads the startup packet and then does what the test says.
func fakeLogin(t *testing.T, converse func(conn net.Conn)) Address {
	return fakeServer(t, func(conn net.Conn) {
		if _, err := readStartup(newLeg(conn, nil)); err == nil {
			converse(conn)
		}
	})
}

// authentication returns a message 'R'.
func authentication(code uint32, rest string) []byte {
	message := binary.BigEndian.AppendUint32([]byte{'R'}, uint32(8+len(rest)))
	return append(binary.BigEndian.AppendUint32(message, code), rest...)
}

func receiveMessage(conn net.Conn) (kind byte, body []byte) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(conn, header); err != nil {
		return 0, nil
	}
	body = make([]byte, binary.BigEndian.Uint32(header[1:])-4)
	_, _ = io.ReadFull(conn, body)
	return header[0], body
}

const loggedIn = "R\x00\x00\x00\x08\x00\x00\x00\x00" + "Z\x00\x00\x00\x05I"

// GSSAPI: tokens of up to 64 KB, and a last token of the server's that the client does not answer.
func TestGSSAPIIsRelayed(t *testing.T) {
	const requestGSS, gssContinue = 7, 8
	token := strings.Repeat("t", 60<<10)
	got := make(chan string, 2)
	address := fakeLogin(t, func(conn net.Conn) {
		_, _ = conn.Write(authentication(requestGSS, ""))
		for range 2 {
			_, body := receiveMessage(conn)
			got <- string(body)
			_, _ = conn.Write(authentication(gssContinue, token))
		}
		_, _ = conn.Write([]byte(loggedIn))
		_, _ = io.Copy(io.Discard, conn)
	})
	f := start(t, Options{Upstream: plainly(address)}, nil)
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "alice"))
	c.until('R')
	for range 2 {
		c.send([]byte{'p', 0, 0, 0xf0, 4}, []byte(token))
		if body := <-got; body != token {
			t.Fatalf("the server got a token of %d bytes, want %d", len(body), len(token))
		}
		if _, body := c.until('R'); string(body[4:]) != token {
			t.Fatalf("the client got a token of %d bytes, want %d", len(body)-4, len(token))
		}
	}
	c.until('Z')
}

// The offer is one message however it is cut, and PLUS goes out of it; a mechanism that we do not know stays.
func TestOfferInPiecesIsStripped(t *testing.T) {
	address := fakeLogin(t, func(conn net.Conn) {
		const sasl = 10
		for _, b := range authentication(sasl, "SCRAM-SHA-256-PLUS\x00SCRAM-SHA-256\x00OAUTHBEARER\x00\x00") {
			_, _ = conn.Write([]byte{b})
		}
		_, _ = io.Copy(io.Discard, conn)
	})
	f := start(t, Options{Upstream: plainly(address)}, nil)
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "alice"))
	_, body := c.until('R')
	var offer pgproto3.AuthenticationSASL
	if err := offer.Decode(body); err != nil {
		t.Fatal(err)
	}
	if want := []string{"SCRAM-SHA-256", "OAUTHBEARER"}; !slices.Equal(offer.AuthMechanisms, want) {
		t.Errorf("offered %q, want %q", offer.AuthMechanisms, want)
	}
	// The flag "y", in an answer that comes in pieces as well.
	answer, err := (&pgproto3.SASLInitialResponse{AuthMechanism: "SCRAM-SHA-256", Data: []byte("y,,n=,r=nonce")}).Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range answer {
		c.send([]byte{b})
	}
	if got := c.fatal(); got != "FATAL 28000 "+errCouldBind.message {
		t.Error(got)
	}
}

// Notices, parameters and the negotiation of the version come before the login is over, also one that is longer than the buffer.
func TestMessagesOfTheLoginAreRelayed(t *testing.T) {
	notice := "NVERSION" + strings.Repeat("n", 3*bufferSize)
	message := func(kind byte, body string) string {
		return string(kind) + string(binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))) + body
	}
	before := message('v', "\x00\x03\x00\x00\x00\x00\x00\x01_pq_.x\x00") + message('N', notice) + message('S', "a\x00early\x00")
	after := message('S', "b\x00late\x00") + message('K', "\x00\x00\x00\x2a"+strings.Repeat("k", 32))
	behind := message('N', "behind") + message('A', "too")
	address := fakeLogin(t, func(conn net.Conn) {
		_, _ = conn.Write([]byte(before + string(authentication(0, "")) + after + message('Z', "T") + behind))
		_, _ = io.Copy(io.Discard, conn)
	})
	f := start(t, Options{Upstream: plainly(address)}, nil)
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "alice"))
	want := before + string(authentication(0, "")) + after + message('Z', "T") + behind
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.r, got); err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("the client got other bytes than the server sent")
	}
	l := <-f.links
	if l.pid != 42 || l.status != 'T' || l.params["a"] != "early" || l.params["b"] != "late" {
		t.Errorf("the link says pid %d, status %q, parameters %q", l.pid, l.status, l.params)
	}
}

// After the server is content, an answer that is half sent would make the two sides disagree on where messages begin.
func TestHalfAnswerNeverReachesTheServer(t *testing.T) {
	const half = "p\x00\x00\x10\x00half"
	behind := make(chan string, 1)
	proceed := make(chan struct{})
	address := fakeLogin(t, func(conn net.Conn) {
		const cleartext = 3
		_, _ = conn.Write(authentication(cleartext, ""))
		receiveMessage(conn)
		<-proceed
		_, _ = conn.Write([]byte(loggedIn))
		rest, _ := io.ReadAll(conn)
		behind <- string(rest)
	})
	unread := make(chan string, 1)
	f := start(t, Options{Upstream: plainly(address)}, func(_ context.Context, l *link) error {
		unread <- string(l.client.unread())
		return pipe(l)
	})
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "alice"))
	c.until('R')
	c.send([]byte("p\x00\x00\x00\x06x\x00" + half))
	close(proceed)
	c.until('Z')
	if got := <-unread; got != half {
		t.Errorf("the session found %q unread, want %q", got, half)
	}
	_ = c.Close()
	if got := <-behind; got != half { // from the session, which was a pipe
		t.Errorf("the server got %q behind the answer, want %q", got, half)
	}
}

// A client that goes away during the login takes its server along.
func TestClientThatLeavesDuringTheLogin(t *testing.T) {
	gone := make(chan struct{})
	address := fakeLogin(t, func(conn net.Conn) {
		_, _ = conn.Write(authentication(3, ""))
		_, _ = io.Copy(io.Discard, conn)
		close(gone)
	})
	f := start(t, Options{Upstream: plainly(address)}, nil)
	c := dialRaw(t, f.tcp)
	c.send(startupPacket(version30, "user", "alice"))
	c.until('R')
	_ = c.Close()
	<-gone
}

// What a server must not do during a login, and what the client is told.
func TestServersThatFailDuringTheLogin(t *testing.T) {
	for name, c := range map[string]struct {
		says string
		want string
	}{
		"ends":              {string(authentication(3, "")), "during the login: EOF"},
		"ends in a message": {string(authentication(0, "")) + "Z\x00", "during the login: unexpected EOF"},
		"impossible length": {string(authentication(0, "")) + "S\xff\xff\xff\xff", "has an impossible length"},
		"no type":           {"R\x00\x00\x00\x05\x00", "authentication request without a type"},
		"long ready":        {string(authentication(0, "")) + "Z\x00\x00\x00\x08IIII", "ReadyForQuery of 9 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			address := fakeLogin(t, func(conn net.Conn) { _, _ = conn.Write([]byte(c.says)) })
			f := start(t, Options{Upstream: plainly(address)}, nil)
			client := dialRaw(t, f.tcp)
			client.send(startupPacket(version30, "user", "alice"))
			for {
				kind, body := client.message()
				if kind != 'E' {
					continue
				}
				if got := errorText(t, body); !strings.HasPrefix(got, "FATAL 08006 pgsluice lost the server at "+address.String()) || !strings.Contains(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
				client.closed()
				return
			}
		})
	}
}

// A hop with TLS passes early messages and answers as well.
func TestLoginOverTLSOnBothSides(t *testing.T) {
	t.Parallel()
	cert, key := newAuthority(t).issue(t, "localhost", nil)
	server := startTLSServer(t, pgbox.Options{Auth: "md5", Password: "secret", TLSCert: cert, TLSKey: key, Settings: map[string]string{"password_encryption": "md5"}})
	f := start(t, Options{
		Upstream: Upstream{Addresses: []Address{addressOf(server)}, SSLMode: SSLRequire},
		TLS:      ClientTLS{Mode: TLSRequire, CertFile: cert, KeyFile: key},
	}, nil)
	out, err := psql(t, f.tcp.conninfo("user=postgres dbname=postgres password=secret sslmode=require"), askTLS)
	if err != nil || out != "true" {
		t.Errorf("psql says %q", out)
	}
	if l := <-f.links; !l.tls {
		t.Error("the link says that there is no TLS to the client")
	} else if _, ok := l.server.conn.(*tls.Conn); !ok {
		t.Error("there is no TLS to the server")
	}
}
