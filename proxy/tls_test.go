package proxy

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// authority issues certificates. Its own is in file.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), file: filepath.Join(t.TempDir(), "root.crt")}
	a.cert = &x509.Certificate{
		// A name of its own: two authorities of one name are told apart by failing signatures, in other words.
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: rand.Text()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

// issue makes a certificate with a common name, and its key.
func (a *authority) issue(t *testing.T, name string, change func(*x509.Certificate)) (certFile, keyFile string) {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	if change != nil {
		change(template)
	}
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "PRIVATE KEY", secret)
	return certFile, keyFile
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startTLSServer runs a server of its own with TLS.
func startTLSServer(t *testing.T, o pgbox.Options) *pgbox.Server {
	t.Helper()
	server, err := pgbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	stopAtEnd(t, server)
	return server
}

func stopAtEnd(t *testing.T, server *pgbox.Server) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Errorf("cannot stop the server: %v", err)
		}
	})
}

const askTLS = "SELECT coalesce((SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()), 'none')"

// What libpq says of a proxy that offers, or wants, TLS.
func TestClientTLS(t *testing.T) {
	authority, stranger := newAuthority(t), newAuthority(t)
	cert, key := authority.issue(t, "localhost", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} })
	clientCert, clientKey := authority.issue(t, "postgres", nil)
	upstream := Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}, SSLMode: SSLDisable}

	for _, c := range []struct {
		mode     TLSMode
		ca       string
		conninfo string
		want     string // "" means that it works, with TLS if tls
		tls      bool
	}{
		{mode: TLSOff, conninfo: "sslmode=prefer"},
		{mode: TLSOff, conninfo: "sslmode=require", want: "server does not support SSL, but SSL was required"},
		{mode: TLSAllow, conninfo: "sslmode=disable"},
		{mode: TLSAllow, conninfo: "sslmode=prefer", tls: true},
		{mode: TLSAllow, conninfo: "sslmode=verify-full sslrootcert=" + authority.file, tls: true},
		{mode: TLSAllow, conninfo: "sslmode=verify-ca sslrootcert=" + stranger.file, want: "certificate verify failed"},
		{mode: TLSAllow, conninfo: "sslmode=require ssl_max_protocol_version=TLSv1.2", tls: true},
		{mode: TLSAllow, conninfo: "sslmode=require gssencmode=disable", tls: true},
		{mode: TLSRequire, conninfo: "sslmode=require", tls: true},
		{mode: TLSRequire, conninfo: "sslmode=disable", want: "pgsluice accepts only TLS connections here: connect with sslmode=require"},
		{mode: TLSRequire, ca: authority.file, conninfo: "sslmode=require", want: "certificate required"},
		{mode: TLSRequire, ca: authority.file, conninfo: "sslmode=require sslcert=" + clientCert + " sslkey=" + clientKey, tls: true},
		{mode: TLSRequire, ca: stranger.file, conninfo: "sslmode=require sslcert=" + clientCert + " sslkey=" + clientKey, want: "unknown ca"},
	} {
		t.Run(string(c.mode)+" "+c.conninfo, func(t *testing.T) {
			f := start(t, Options{Upstream: upstream, TLS: ClientTLS{Mode: c.mode, CertFile: cert, KeyFile: key, CAFile: c.ca}}, nil)
			out, err := psql(t, f.tcp.conninfo("user=postgres dbname=postgres "+c.conninfo), "SELECT 'works'")
			if c.want != "" {
				if err == nil || !strings.Contains(out, c.want) {
					t.Errorf("psql says %q, want %q", out, c.want)
				}
				return
			}
			if err != nil || out != "works" {
				t.Fatalf("psql says %q", out)
			}
			if l := <-f.links; l.tls != c.tls {
				t.Errorf("TLS %v, want %v", l.tls, c.tls)
			}
			// A Unix socket has no TLS, and needs none.
			if out, err := psql(t, f.unix.conninfo("user=postgres dbname=postgres sslmode=prefer"), "SELECT 'works'"); err != nil || out != "works" {
				t.Errorf("on the Unix socket psql says %q", out)
			}
		})
	}
}

// sslnegotiation=direct, which libpq has from 17 on: TLS from the first byte, and ALPN.
func TestDirectTLS(t *testing.T) {
	cert, key := newAuthority(t).issue(t, "localhost", nil)
	f := start(t, Options{
		Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}},
		TLS:      ClientTLS{Mode: TLSRequire, CertFile: cert, KeyFile: key, MinVersion: tls.VersionTLS13},
	}, nil)
	login := startupPacket(version30, "user", "postgres")

	t.Run("with ALPN", func(t *testing.T) {
		cache := tls.NewLRUClientSessionCache(1)
		c := wrapRaw(t, tls.Client(dialRaw(t, f.tcp).Conn, &tls.Config{
			InsecureSkipVerify: true, NextProtos: []string{alpn}, ClientSessionCache: cache, ServerName: "localhost",
		}))
		c.send(login)
		c.until('Z')
		if l := <-f.links; !l.tls {
			t.Error("the link says that there is no TLS")
		}
		if _, ticket := cache.Get("localhost"); ticket {
			t.Error("the client got a ticket, which outlives a changed certificate")
		}
	})
	t.Run("without ALPN", func(t *testing.T) {
		c := wrapRaw(t, tls.Client(dialRaw(t, f.tcp).Conn, &tls.Config{InsecureSkipVerify: true}))
		c.send(login)
		c.closed()
	})
	t.Run("with another ALPN", func(t *testing.T) {
		c := tls.Client(dialRaw(t, f.tcp).Conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err := c.Handshake(); err == nil || !strings.Contains(err.Error(), "no application protocol") {
			t.Errorf("the handshake ended with %v", err)
		}
	})
	t.Run("below the minimal version", func(t *testing.T) {
		c := tls.Client(dialRaw(t, f.tcp).Conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}, MaxVersion: tls.VersionTLS12})
		if err := c.Handshake(); err == nil || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("the handshake ended with %v", err)
		}
	})
	t.Run("nonsense behind the first byte", func(t *testing.T) {
		c := dialRaw(t, f.tcp)
		c.send([]byte{tlsRecord}, []byte(strings.Repeat("x", 100)))
		for { // an alert may come first
			if _, err := c.r.ReadByte(); err != nil {
				if isTimeout(err) {
					t.Error("the connection stays open")
				}
				return
			}
		}
	})
}

func TestCertificateIsReadAgain(t *testing.T) {
	authority := newAuthority(t)
	cert, key := authority.issue(t, "first", nil)
	f := start(t, Options{
		Upstream: Upstream{Addresses: []Address{{Host: "localhost", Port: 1}}},
		TLS:      ClientTLS{Mode: TLSAllow, CertFile: cert, KeyFile: key},
	}, nil)
	shown := func() string {
		t.Helper()
		c := tls.Client(dialRaw(t, f.tcp).Conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}})
		defer c.Close()
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	replace := func(file, by string) {
		t.Helper()
		if err := os.Rename(by, file); err != nil {
			t.Fatal(err)
		}
	}
	if got := shown(); got != "first" {
		t.Fatalf("the first certificate is of %q", got)
	}
	newCert, newKey := authority.issue(t, "second", nil)
	replace(cert, newCert)
	for range 3 { // the key does not fit yet
		if got := shown(); got != "first" {
			t.Errorf("with half of the new pair the certificate is of %q", got)
		}
	}
	if n := strings.Count(f.log.String(), "the former pair stays in use"); n != 1 {
		t.Errorf("%d messages about the pair that does not fit, want 1", n)
	}
	replace(key, newKey)
	if got := shown(); got != "second" {
		t.Errorf("the new certificate is of %q", got)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if got := shown(); got != "second" {
		t.Errorf("after the key was removed the certificate is of %q", got)
	}
}

// sslmode towards the server means what libpq means by it. Each server says whether it sees TLS.
func TestServerTLS(t *testing.T) {
	t.Parallel()
	authority, stranger := newAuthority(t), newAuthority(t)
	cert, key := authority.issue(t, "127.0.0.1", func(c *x509.Certificate) { c.DNSNames = []string{"localhost"} })
	commonName, commonKey := authority.issue(t, "localhost", nil)
	only := func(kind, auth string) []string { return []string{kind + " all all 127.0.0.1/32 " + auth} }

	plain := pgtest.Server(t)
	both := startTLSServer(t, pgbox.Options{TLSCert: cert, TLSKey: key})
	named := startTLSServer(t, pgbox.Options{TLSCert: commonName, TLSKey: commonKey})
	noTLS := startTLSServer(t, pgbox.Options{TLSCert: cert, TLSKey: key, HBA: only("hostssl", "reject")})

	for _, c := range []struct {
		name   string
		server *pgbox.Server
		host   string
		mode   SSLMode
		root   string
		want   string // pg_stat_ssl.ssl, or a part of the error
	}{
		{"disable", both, "127.0.0.1", SSLDisable, "", "false"},
		{"prefer is the default", both, "127.0.0.1", "", "", "true"},
		{"prefer without TLS", plain, "127.0.0.1", SSLPrefer, "", "false"},
		{"prefer where pg_hba.conf rejects TLS", noTLS, "127.0.0.1", SSLPrefer, "", "false"},
		{"prefer where the handshake fails", both, "127.0.0.1", SSLPrefer, stranger.file, "false"},
		{"require", both, "127.0.0.1", SSLRequire, "", "true"},
		{"require without TLS", plain, "127.0.0.1", SSLRequire, "", "sslmode require: the server does not support TLS"},
		{"require where pg_hba.conf rejects TLS", noTLS, "127.0.0.1", SSLRequire, "", "pg_hba.conf rejects connection"},
		{"require with a root verifies", both, "127.0.0.1", SSLRequire, stranger.file, "certificate signed by unknown authority"},
		{"verify-ca ignores the name", both, "127.0.0.1", SSLVerifyCA, authority.file, "true"},
		{"verify-ca with a stranger", both, "127.0.0.1", SSLVerifyCA, stranger.file, "certificate signed by unknown authority"},
		{"verify-full", both, "localhost", SSLVerifyFull, authority.file, "true"},
		{"verify-full with a common name beside others", both, "127.0.0.1", SSLVerifyFull, authority.file, "doesn't contain any IP SANs"},
		{"verify-full with a common name", named, "localhost", SSLVerifyFull, authority.file, "true"},
		{"verify-full with another common name", named, "127.0.0.1", SSLVerifyFull, authority.file, "doesn't contain any IP SANs"},
		{"verify-full with the system's roots", named, "localhost", SSLVerifyFull, "system", "certificate signed by unknown authority"},
		{"a Unix socket has no TLS", both, both.SocketDir(), SSLRequire, "", "false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := start(t, Options{Upstream: Upstream{
				Addresses: []Address{{Host: c.host, Port: c.server.Port()}}, SSLMode: c.mode, SSLRootCert: c.root,
			}}, nil)
			out, _ := psql(t, f.tcp.conninfo("user=postgres dbname=postgres sslmode=disable"), askTLS)
			if out != c.want && !(len(c.want) > 5 && strings.Contains(out, c.want)) {
				t.Errorf("psql says %q, want %q", out, c.want)
			}
		})
	}
}

// SNI names the host, as libpq's sslsni does, and never an IP address.
func TestServerNameIsSent(t *testing.T) {
	cert, key := newAuthority(t).issue(t, "localhost", nil)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	names := make(chan string, 1)
	fake := fakeServer(t, func(conn net.Conn) {
		request := make([]byte, 8)
		if _, err := conn.Read(request); err != nil {
			return
		}
		_, _ = conn.Write([]byte{'S'})
		encrypted := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			names <- hello.ServerName + " " + strings.Join(hello.SupportedProtos, ",")
			return nil, nil
		}})
		_ = encrypted.Handshake()
	})
	for host, want := range map[string]string{"localhost": "localhost postgresql", "127.0.0.1": " postgresql"} {
		f := start(t, Options{Upstream: Upstream{Addresses: []Address{{Host: host, Port: fake.Port}}, SSLMode: SSLRequire}}, nil)
		dialRaw(t, f.tcp).send(startupPacket(version30, "user", "postgres"))
		if got := <-names; got != want {
			t.Errorf("connecting to %s sends the name and protocol %q, want %q", host, got, want)
		}
	}
}

func TestTLSOptionsThatCannotWork(t *testing.T) {
	authority := newAuthority(t)
	cert, key := authority.issue(t, "localhost", nil)
	_, otherKey := authority.issue(t, "localhost", nil)
	addresses := []Address{{Host: "localhost", Port: DefaultPort}}
	for want, o := range map[string]Options{
		"no upstream address":           {},
		"needs a host and a port":       {Upstream: Upstream{Addresses: []Address{{Host: "db"}}}},
		"unknown target_session_attrs":  {Upstream: Upstream{Addresses: addresses, TargetSessionAttrs: "primary"}},
		"unknown sslmode \"allow\"":     {Upstream: Upstream{Addresses: addresses, SSLMode: "allow"}},
		"verify-full needs sslrootcert": {Upstream: Upstream{Addresses: addresses, SSLMode: SSLVerifyFull}},
		"needs sslmode verify-full":     {Upstream: Upstream{Addresses: addresses, SSLMode: SSLVerifyCA, SSLRootCert: "system"}},
		"cannot read certificate":       {Upstream: Upstream{Addresses: addresses, SSLMode: SSLVerifyCA, SSLRootCert: "/nonexistent"}},
		"holds no certificate":          {Upstream: Upstream{Addresses: addresses, SSLMode: SSLVerifyCA, SSLRootCert: key}},
		"unknown TLS mode \"on\"":       {Upstream: Upstream{Addresses: addresses}, TLS: ClientTLS{Mode: "on"}},
		"no such file":                  {Upstream: Upstream{Addresses: addresses}, TLS: ClientTLS{Mode: TLSAllow, CertFile: cert, KeyFile: "/nonexistent"}},
		"private key does not match":    {Upstream: Upstream{Addresses: addresses}, TLS: ClientTLS{Mode: TLSAllow, CertFile: cert, KeyFile: otherKey}},
		"read certificate authorities":  {Upstream: Upstream{Addresses: addresses}, TLS: ClientTLS{Mode: TLSAllow, CertFile: cert, KeyFile: key, CAFile: "/nonexistent"}},
	} {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
