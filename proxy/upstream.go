package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

// DefaultPort is the port of an address that names none.
const DefaultPort = 5432

// DefaultConnectTimeout bounds one attempt to reach one address, TLS included.
const DefaultConnectTimeout = 10 * time.Second

// Address is where a Postgres listens, or pgsluice in its place. Host is a name, an IP address, or the directory of a
// Unix socket, which begins with a slash.
type Address struct {
	Host string
	Port int
}

// ParseAddress reads HOST:PORT, HOST, [IPV6]:PORT, DIRECTORY:PORT or DIRECTORY. Without a port it is DefaultPort.
func ParseAddress(s string) (Address, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port, err = net.SplitHostPort(fmt.Sprintf("%s:%d", s, DefaultPort))
	}
	if err != nil {
		return Address{}, fmt.Errorf("cannot read address %q: use HOST:PORT, [IPV6]:PORT or DIRECTORY:PORT", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return Address{}, fmt.Errorf("cannot read address %q: the port must be a number up to 65535", s)
	}
	return Address{Host: host, Port: int(n)}, nil
}

// String returns what ParseAddress reads.
func (a Address) String() string {
	if a.unix() {
		return fmt.Sprintf("%s:%d", a.Host, a.Port)
	}
	return net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
}

func (a Address) unix() bool { return strings.HasPrefix(a.Host, "/") }

// network returns what package net wants: the network and the address in it.
func (a Address) network() (network, address string) {
	if a.unix() {
		return "unix", path.Join(a.Host, fmt.Sprintf(".s.PGSQL.%d", a.Port))
	}
	return "tcp", a.String()
}

// Values of Upstream.TargetSessionAttrs, with libpq's meanings.
const (
	TargetAny       = "any" // the default
	TargetReadWrite = "read-write"
)

// Upstream is the server, or the servers of which one is to be found.
type Upstream struct {
	// Addresses are tried in order for each new connection, each name resolved anew.
	Addresses []Address

	// TargetSessionAttrs is TargetAny (also if empty) or TargetReadWrite. What a server is, it tells only after the
	// login, which belongs to the client and cannot be repeated: a client that met a read-only server gets an
	// error, and the next one is sent to the next address first. Servers before 14 do not tell at all, so they
	// can serve TargetAny only.
	TargetSessionAttrs string

	SSLMode        SSLMode       // empty means SSLPrefer
	SSLRootCert    string        // a PEM file of authorities, "system", or empty
	ConnectTimeout time.Duration // of one address; 0 means DefaultConnectTimeout

	// ConnectAhead lets a connection be opened ahead of its login, once logins come so close behind each other, and wait for so long; 0 does not.
	ConnectAhead time.Duration
}

// upstream opens connections to the server.
type upstream struct {
	options Upstream
	tls     *serverTLS // nil: never
	tcp     tcpOptions
	buffers *sync.Pool
	ahead   *ahead

	mu    sync.Mutex
	first int // the address to begin with, an index
}

func newUpstream(o Upstream, tcp tcpOptions, buffers *sync.Pool) (*upstream, error) {
	if len(o.Addresses) == 0 {
		return nil, errors.New("no upstream address is given")
	}
	for _, a := range o.Addresses {
		if a.Host == "" || a.Port == 0 {
			return nil, fmt.Errorf("upstream address %q needs a host and a port", a)
		}
	}
	switch o.TargetSessionAttrs {
	case "":
		o.TargetSessionAttrs = TargetAny
	case TargetAny, TargetReadWrite:
	default:
		return nil, fmt.Errorf("unknown target_session_attrs %q: use %s or %s", o.TargetSessionAttrs, TargetAny, TargetReadWrite)
	}
	if o.SSLMode == "" {
		o.SSLMode = SSLPrefer
	}
	if o.ConnectTimeout == 0 {
		o.ConnectTimeout = DefaultConnectTimeout
	}
	encryption, err := newServerTLS(o.SSLMode, o.SSLRootCert)
	if err != nil {
		return nil, err
	}
	u := &upstream{options: o, tls: encryption, tcp: tcp, buffers: buffers}
	u.ahead = newAhead(o.ConnectAhead, u.connect, u.beginConnect, tcp.log)
	return u, nil
}

// start finds a server that takes the startup packet, and returns it with at least the header of its first message
// unread. The connection is one of ours; its reads and writes are bounded by deadline.
func (u *upstream) start(ctx context.Context, ours *sockets, packet []byte, deadline time.Time) (*leg, Address, error) {
	var failures []error
	for i, a := range u.order() {
		server, err := u.startAt(ctx, ours, a, packet, deadline)
		last := i == len(u.options.Addresses)-1
		if err == nil && !last && firstError(server) == "57P03" {
			err = errors.New("the server is starting up or shutting down")
			_ = server.conn.Close()
		}
		if err == nil {
			return server, a, nil
		}
		failures = append(failures, fmt.Errorf("%s: %w", a, err))
	}
	return nil, Address{}, &fatal{
		code:    "08006",
		message: "pgsluice cannot connect to the server at " + strings.ReplaceAll(errors.Join(failures...).Error(), "\n", "; "),
		hint:    "Is Postgres running there, and is that address right in the configuration of pgsluice (upstream)?",
	}
}

func (u *upstream) startAt(ctx context.Context, ours *sockets, a Address, packet []byte, deadline time.Time) (*leg, error) {
	server, err := u.greet(ctx, ours, a, packet, deadline)
	if err != nil || u.options.SSLMode != SSLPrefer || peerCertificate(server.conn) == nil || firstError(server) == "" {
		return server, err
	}
	// As libpq does: pg_hba.conf may refuse TLS and accept the same login without it.
	_ = server.conn.Close()
	conn, err := u.dial(ctx, ours, a)
	if err != nil {
		return nil, err
	}
	return u.send(conn, packet, deadline)
}

// greet sends the startup packet to a, on the connection that waits there if one does.
func (u *upstream) greet(ctx context.Context, ours *sockets, a Address, packet []byte, deadline time.Time) (*leg, error) {
	waiting, close := u.ahead.take(a, ours)
	if waiting != nil {
		u.ahead.follow(a)
		if server, err := u.send(waiting, packet, deadline); err == nil && !outdated(server) || isTimeout(err) {
			return server, err
		}
		_ = waiting.Close()
	}
	conn, err := u.connect(ctx, ours, a)
	if err != nil {
		return nil, err
	}
	if close {
		u.ahead.follow(a)
	}
	return u.send(conn, packet, deadline)
}

// outdated reports whether a server says, on a connection that has waited, that it has ended since, or was not ready then: a new connection tells
// whether that is still so.
func outdated(server *leg) bool { return strings.HasPrefix(firstError(server), "57P") }

// send sends the startup packet and waits for the reply.
func (u *upstream) send(conn net.Conn, packet []byte, deadline time.Time) (*leg, error) {
	_ = conn.SetDeadline(deadline)
	server := newLeg(conn, u.buffers)
	if _, err := server.Write(packet); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("cannot send startup packet: %w", err)
	}
	if _, _, err := server.header(); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("no answer to the startup packet: %w", err)
	}
	return server, nil
}

// firstError returns the SQLSTATE if the first message of a server is an error, else nothing. It consumes nothing.
func firstError(server *leg) string {
	kind, size, err := server.header()
	if err != nil || kind != 'E' || size > bufferSize || server.need(size) != nil {
		return ""
	}
	var e pgproto3.ErrorResponse
	if e.Decode(server.unread()[headerSize:size]) != nil {
		return ""
	}
	return e.Code
}

// connect opens a connection as sslmode says.
func (u *upstream) connect(ctx context.Context, ours *sockets, a Address) (net.Conn, error) {
	conn, err := u.dial(ctx, ours, a)
	if err != nil || u.tls == nil || a.unix() {
		return conn, err
	}
	encrypted, err := u.encrypt(ctx, conn, a)
	if err == nil {
		return encrypted, nil
	}
	_ = conn.Close()
	if u.options.SSLMode == SSLPrefer {
		return u.dial(ctx, ours, a)
	}
	return nil, fmt.Errorf("sslmode %s: %w", u.options.SSLMode, err)
}

// beginConnect is connect where nothing has to be waited for, nil elsewhere.
func (u *upstream) beginConnect(a Address) net.Conn {
	if u.tls != nil && !a.unix() {
		return nil
	}
	conn := beginDial(a)
	if conn != nil {
		u.tcp.apply(conn)
	}
	return conn
}

func (u *upstream) dial(ctx context.Context, ours *sockets, a Address) (net.Conn, error) {
	conn, found, err := dialNow(ctx, a, u.options.ConnectTimeout)
	if !found {
		dialer := net.Dialer{Timeout: u.options.ConnectTimeout, KeepAlive: -1} // tcpOptions sets it
		network, address := a.network()
		conn, err = dialer.DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	u.tcp.apply(conn)
	ours.add(conn)
	return conn, nil
}

// encrypt asks for TLS and makes the handshake. In mode prefer a server without TLS gets its connection back as it is.
func (u *upstream) encrypt(ctx context.Context, conn net.Conn, a Address) (net.Conn, error) {
	_ = conn.SetDeadline(time.Now().Add(u.options.ConnectTimeout))
	if _, err := conn.Write([]byte{0, 0, 0, 8, sslRequest >> 24, sslRequest >> 16 & 0xff, sslRequest >> 8 & 0xff, sslRequest & 0xff}); err != nil {
		return nil, fmt.Errorf("cannot ask for TLS: %w", err)
	}
	var answer [1]byte // one byte only: what follows it in the clear must not be taken for encrypted (CVE-2021-23222)
	if _, err := conn.Read(answer[:]); err != nil {
		return nil, fmt.Errorf("no answer to the request for TLS: %w", err)
	}
	switch {
	case answer[0] == 'S':
		encrypted, err := u.tls.connect(ctx, conn, a.Host)
		if err != nil {
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		return encrypted, nil
	case answer[0] == 'N' && u.options.SSLMode == SSLPrefer:
		return conn, nil
	case answer[0] == 'N':
		return nil, errors.New("the server does not support TLS")
	default:
		return nil, fmt.Errorf("the server answered %q to the request for TLS", answer[0])
	}
}

// peerCertificate returns the server's leaf certificate in DER, nil without TLS.
func peerCertificate(conn net.Conn) []byte {
	encrypted, ok := conn.(*tls.Conn)
	if !ok {
		return nil
	}
	return encrypted.ConnectionState().PeerCertificates[0].Raw
}

// order returns the addresses, the one to begin with first.
func (u *upstream) order() []Address {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append(append([]Address{}, u.options.Addresses[u.first:]...), u.options.Addresses[:u.first]...)
}

// checkTarget says whether a server that has answered a login at a with these parameters is one that was asked for.
// If it is not, the next login begins elsewhere.
func (u *upstream) checkTarget(a Address, params map[string]string) error {
	if u.options.TargetSessionAttrs == TargetAny {
		return nil
	}
	standby, known := params["in_hot_standby"]
	if !known {
		return &fatal{
			code:    "0A000",
			message: fmt.Sprintf("pgsluice cannot tell whether the server at %s is writable: set upstream.target_session_attrs to any", a),
			detail:  "It does not report in_hot_standby, which Postgres does from version 14 on.",
		}
	}
	if standby == "off" && params["default_transaction_read_only"] == "off" {
		return nil
	}
	readOnly := &fatal{
		code:    "57P03",
		message: fmt.Sprintf("the server at %s is read-only", a),
		detail:  "upstream.target_session_attrs is read-write in the configuration of pgsluice.",
	}
	if next := u.avoid(a); next != a {
		readOnly.message += fmt.Sprintf(": connect again, pgsluice will try %s first", next)
	}
	return readOnly
}

// avoid makes the address behind a the first one, unless that happened already.
func (u *upstream) avoid(a Address) (next Address) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.options.Addresses[u.first] == a {
		u.first = (u.first + 1) % len(u.options.Addresses)
	}
	return u.options.Addresses[u.first]
}
