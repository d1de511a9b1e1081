package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
)

// alpn is the protocol name that libpq 17 and later offer, and that direct TLS demands.
const alpn = "postgresql"

// TLSMode says whether clients may, or must, encrypt.
type TLSMode string

// The modes of ClientTLS. Unix sockets never use TLS, as with Postgres.
const (
	TLSOff     TLSMode = "off"     // SSLRequest is answered N; the default
	TLSAllow   TLSMode = "allow"   // the client decides
	TLSRequire TLSMode = "require" // a session in the clear is refused
)

// ClientTLS is the TLS that clients see.
type ClientTLS struct {
	Mode TLSMode // empty means off

	// CertFile and KeyFile are PEM files. They are read again when they change; a pair that does not fit is
	// logged and the former pair stays in use.
	CertFile, KeyFile string

	// CAFile, if not empty, is a PEM file of authorities: every client must then show a certificate of theirs. The
	// server does not see that certificate, so its method "cert" cannot work through pgsluice.
	CAFile string

	// MinVersion is tls.VersionTLS12 or later; 0 means tls.VersionTLS12.
	MinVersion uint16
}

// clientTLS ends the TLS of clients.
type clientTLS struct {
	options ClientTLS
	config  *tls.Config // without a certificate
	log     *slog.Logger

	mu      sync.Mutex
	seen    [2]os.FileInfo // of CertFile and KeyFile, when they were last read
	current tls.Certificate
}

// newClientTLS returns nil when TLS is off.
func newClientTLS(o ClientTLS, log *slog.Logger) (*clientTLS, error) {
	switch o.Mode {
	case TLSOff, "":
		return nil, nil
	case TLSAllow, TLSRequire:
	default:
		return nil, fmt.Errorf("unknown TLS mode %q: use off, allow or require", o.Mode)
	}
	t := &clientTLS{options: o, log: log, config: &tls.Config{
		MinVersion: max(o.MinVersion, tls.VersionTLS12),
		NextProtos: []string{alpn},
		// Postgres resumes no sessions either, and tickets would outlive a changed certificate.
		SessionTicketsDisabled: true,
	}}
	if o.CAFile != "" {
		pool, err := readAuthorities(o.CAFile)
		if err != nil {
			return nil, err
		}
		t.config.ClientCAs, t.config.ClientAuth = pool, tls.RequireAndVerifyClientCert
	}
	if err := t.read(); err != nil {
		return nil, fmt.Errorf("cannot use TLS certificate %s with key %s: %w", o.CertFile, o.KeyFile, err)
	}
	return t, nil
}

// accept makes the server's side of a TLS handshake on conn. It returns the leaf certificate that it showed, in DER.
func (t *clientTLS) accept(ctx context.Context, conn net.Conn) (encrypted *tls.Conn, leaf []byte, err error) {
	certificate := t.certificate()
	config := t.config.Clone()
	config.Certificates = []tls.Certificate{certificate}
	encrypted = tls.Server(conn, config)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, nil, err
	}
	return encrypted, certificate.Certificate[0], nil
}

// certificateOf is the subject of the certificate by which a client has proved who it is; "" when it has none that was verified.
func certificateOf(conn net.Conn) string {
	encrypted, ok := conn.(*tls.Conn)
	if !ok {
		return ""
	}
	if chains := encrypted.ConnectionState().VerifiedChains; len(chains) > 0 {
		return chains[0][0].Subject.String()
	}
	return ""
}

// certificate returns the pair in use, after reading it again if a file has changed.
func (t *clientTLS) certificate() tls.Certificate {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.read(); err != nil {
		t.log.Error("cannot read the changed TLS certificate and key: the former pair stays in use",
			"cert", t.options.CertFile, "key", t.options.KeyFile, "error", err)
	}
	return t.current
}

// read reads the pair unless its files are those that were last read: one failure is reported once.
func (t *clientTLS) read() error {
	cert, certErr := os.Stat(t.options.CertFile)
	key, keyErr := os.Stat(t.options.KeyFile)
	if sameFile(t.seen[0], cert) && sameFile(t.seen[1], key) && t.current.Certificate != nil {
		return nil
	}
	t.seen = [2]os.FileInfo{cert, key}
	if err := errors.Join(certErr, keyErr); err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(t.options.CertFile, t.options.KeyFile)
	if err != nil {
		return err
	}
	t.current = pair
	return nil
}

// sameFile is true for two missing files as well.
func sameFile(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// SSLMode says how to encrypt the way to the server, with libpq's meanings.
type SSLMode string

// The modes of Upstream, as in libpq. A Unix socket never uses TLS.
const (
	SSLDisable    SSLMode = "disable"
	SSLPrefer     SSLMode = "prefer"      // the default: TLS if the server has it, else, or if it fails, none
	SSLRequire    SSLMode = "require"     // TLS; the certificate is verified only if SSLRootCert is given
	SSLVerifyCA   SSLMode = "verify-ca"   // the certificate comes from an authority in SSLRootCert
	SSLVerifyFull SSLMode = "verify-full" // and it is for the host that was connected to
)

// systemRoots is the SSLRootCert that means the authorities of the operating system.
const systemRoots = "system"

// serverTLS encrypts the way to the server.
type serverTLS struct {
	roots  *x509.CertPool // nil means those of the system
	verify bool           // the certificate's chain
	name   bool           // and its name
}

// newServerTLS returns nil when TLS is never used.
func newServerTLS(mode SSLMode, rootCert string) (*serverTLS, error) {
	t := &serverTLS{verify: rootCert != "", name: mode == SSLVerifyFull}
	switch mode {
	case SSLDisable:
		return nil, nil
	case SSLPrefer, SSLRequire:
	case SSLVerifyCA, SSLVerifyFull:
		if rootCert == "" {
			return nil, fmt.Errorf("sslmode %s needs sslrootcert: a PEM file, or %q", mode, systemRoots)
		}
	default:
		return nil, fmt.Errorf("unknown sslmode %q: use disable, prefer, require, verify-ca or verify-full", mode)
	}
	if rootCert == systemRoots && !t.name {
		return nil, fmt.Errorf("sslrootcert %q needs sslmode verify-full: anybody can have a certificate of a public authority", systemRoots)
	}
	if rootCert == systemRoots || rootCert == "" {
		return t, nil
	}
	var err error
	t.roots, err = readAuthorities(rootCert)
	return t, err
}

// connect makes the client's side of a TLS handshake with host on conn.
func (t *serverTLS) connect(ctx context.Context, conn net.Conn, host string) (*tls.Conn, error) {
	encrypted := tls.Client(conn, &tls.Config{
		ServerName: host, // sent unless it is an IP address
		NextProtos: []string{alpn},
		MinVersion: tls.VersionTLS12,
		// Go can neither leave out the name nor accept a common name, so the verification is ours.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			return t.verifyServer(state.PeerCertificates, host)
		},
	})
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return encrypted, nil
}

func (t *serverTLS) verifyServer(chain []*x509.Certificate, host string) error {
	if !t.verify {
		return nil
	}
	leaf, intermediates := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: t.roots, Intermediates: intermediates}); err != nil {
		return err
	}
	if !t.name {
		return nil
	}
	err := leaf.VerifyHostname(host)
	if err != nil && len(leaf.DNSNames)+len(leaf.IPAddresses) == 0 && strings.EqualFold(leaf.Subject.CommonName, host) {
		return nil // a certificate as the Postgres manual makes it: a common name and nothing else
	}
	return err
}

func readAuthorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read certificate authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM form", file)
	}
	return pool, nil
}

// replayConn is a connection whose first bytes were read already.
type replayConn struct {
	net.Conn
	head []byte
}

func (c *replayConn) Read(p []byte) (int, error) {
	if len(c.head) == 0 {
		return c.Conn.Read(p)
	}
	n := copy(p, c.head)
	c.head = c.head[n:]
	return n, nil
}
