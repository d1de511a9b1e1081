package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	minStartup = 8      // a length and a code
	maxStartup = 10_000 // MAX_STARTUP_PACKET_LENGTH
	maxCancel  = 12 + 256

	cancelRequest = 1234<<16 | 5678
	sslRequest    = 1234<<16 | 5679
	gssencRequest = 1234<<16 | 5680

	// tlsRecord is the first byte of a TLS handshake; as the first byte of a length it would mean 369 MB.
	tlsRecord = 0x16
)

// startup is what a StartupMessage says, read as the server reads it.
type startup struct {
	user, database  string
	applicationName string
	options         string
	replication     string // "", "true" (physical, opaque) or "database"
	version         uint32 // protocol version that the client asked for: major<<16 | minor
	raw             []byte // the packet as it came; it goes to the server unchanged
}

// parseStartup reads a whole startup packet, length included. It accepts nothing that the server would understand in
// another way: of a name that comes twice the last value counts, but "database" for replication sticks.
func parseStartup(raw []byte) (startup, error) {
	if len(raw) < minStartup {
		return startup{}, errors.New("invalid length of startup packet")
	}
	s := startup{raw: raw, version: binary.BigEndian.Uint32(raw[4:])}
	if s.version>>16 != 3 {
		return startup{}, &fatal{
			code: "0A000",
			message: fmt.Sprintf("unsupported frontend protocol %d.%d: pgsluice supports 3.0 and the later minor versions that the server knows",
				s.version>>16, s.version&0xffff),
		}
	}
	var walsender, logical bool
	rest := raw[8:]
	for len(rest) > 0 && rest[0] != 0 {
		name, value, ok := "", "", false
		if name, rest, ok = cString(rest); ok {
			value, rest, ok = cString(rest)
		}
		if !ok {
			break
		}
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
	}
	if len(rest) != 1 || rest[0] != 0 {
		return startup{}, &fatal{code: "08P01", message: "invalid startup packet layout: expected terminator as last byte"}
	}
	switch {
	case walsender && logical:
		s.replication = "database"
	case walsender:
		s.replication = "true"
	}
	if s.database == "" {
		s.database = s.user
	}
	return s, nil
}

// parseBool follows parse_bool of Postgres for what is true. What Postgres would not accept is false here: the server
// ends that connection itself.
func parseBool(v string) bool {
	v = strings.ToLower(v)
	return v == "on" || v == "1" || v != "" && (strings.HasPrefix("true", v) || strings.HasPrefix("yes", v))
}

// handshake is one client's way from its first byte to its first ReadyForQuery.
type handshake struct {
	server   *Server
	client   *leg
	address  string    // of the client, for people; "[local]" for a Unix socket
	deadline time.Time // of the whole handshake
	code     uint32    // cancelRequest, or the protocol version
	raw      []byte    // the packet with that code
	leaf     []byte    // our certificate as the client saw it, DER; nil without TLS
	answers  chan error
}

// greet answers requests for encryption and reads the packet behind them, a StartupMessage or a CancelRequest, into
// raw. An error that is no *fatal is not for the client: Postgres too closes such a connection without a word.
func (h *handshake) greet(ctx context.Context) error {
	if err := h.client.need(1); err != nil {
		return fmt.Errorf("read first byte: %w", err)
	}
	ssl, gss := false, false // each may be asked for once, and neither inside TLS
	if h.client.unread()[0] == tlsRecord {
		if err := h.acceptDirectTLS(ctx); err != nil {
			return err
		}
		ssl, gss = true, true
	}
	for {
		raw, err := readStartup(h.client)
		if err != nil {
			return err
		}
		code := binary.BigEndian.Uint32(raw[4:])
		switch {
		case code == sslRequest && !ssl && len(raw) == minStartup:
			ssl = true
			encrypted, err := h.answerSSLRequest(ctx)
			if err != nil {
				return err
			}
			gss = gss || encrypted
		case code == gssencRequest && !gss && len(raw) == minStartup:
			gss = true
			if err := h.answer('N'); err != nil {
				return err
			}
		case code == cancelRequest:
			if len(raw) > maxCancel {
				return fmt.Errorf("invalid length %d of cancel request", len(raw))
			}
			h.code, h.raw = code, raw
			return nil
		default:
			h.code, h.raw = code, raw
			return h.requireTLS()
		}
	}
}

// readStartup reads one packet of the kind that has no type byte. Its length is checked before anything depends on it.
func readStartup(l *leg) ([]byte, error) {
	if err := l.need(4); err != nil {
		return nil, fmt.Errorf("read length of startup packet: %w", err)
	}
	size := binary.BigEndian.Uint32(l.unread())
	if size < minStartup || size > maxStartup {
		return nil, fmt.Errorf("invalid length %d of startup packet", int32(size))
	}
	if err := l.need(int(size)); err != nil {
		return nil, fmt.Errorf("read startup packet: %w", err)
	}
	raw := bytes.Clone(l.unread()[:size])
	l.r += int(size)
	return raw, nil
}

// answer sends the one byte that follows a request for encryption. Bytes that came in the clear behind such a request
// would later be taken for encrypted ones (CVE-2021-23214), so they end the connection.
func (h *handshake) answer(b byte) error {
	if len(h.client.unread()) > 0 {
		return errors.New("received unencrypted data after a request for encryption")
	}
	if _, err := h.client.conn.Write([]byte{b}); err != nil {
		return fmt.Errorf("answer request for encryption: %w", err)
	}
	return nil
}

func (h *handshake) answerSSLRequest(ctx context.Context) (encrypted bool, err error) {
	if !h.offersTLS() {
		return false, h.answer('N')
	}
	if err := h.answer('S'); err != nil {
		return false, err
	}
	return true, h.acceptTLS(ctx)
}

// acceptDirectTLS serves sslnegotiation=direct, where TLS begins without a request. ALPN is mandatory there: it
// proves that the peer means Postgres.
func (h *handshake) acceptDirectTLS(ctx context.Context) error {
	if !h.offersTLS() {
		return errors.New("received a direct TLS connection, but TLS is off here")
	}
	h.client.conn = &replayConn{Conn: h.client.conn, head: bytes.Clone(h.client.unread())}
	h.client.r = h.client.w
	if err := h.acceptTLS(ctx); err != nil {
		return err
	}
	if h.client.conn.(*tls.Conn).ConnectionState().NegotiatedProtocol != alpn {
		return errors.New("received a direct TLS connection without the ALPN protocol postgresql")
	}
	return nil
}

// offersTLS is false on a Unix socket, as it is with Postgres.
func (h *handshake) offersTLS() bool {
	return h.server.clientTLS != nil && h.address != localAddress
}

func (h *handshake) acceptTLS(ctx context.Context) error {
	conn, leaf, err := h.server.clientTLS.accept(ctx, h.client.conn)
	if err != nil {
		return fmt.Errorf("TLS handshake with client: %w", err)
	}
	h.client.conn, h.leaf = conn, leaf
	return nil
}

// requireTLS refuses a session in the clear where the configuration wants TLS. A CancelRequest never comes here: most
// clients send it in the clear.
func (h *handshake) requireTLS() error {
	if h.leaf != nil || !h.offersTLS() || h.server.options.TLS.Mode != TLSRequire {
		return nil
	}
	return &fatal{
		code:    "28000",
		message: "pgsluice accepts only TLS connections here: connect with sslmode=require",
	}
}

// fatal is an error that ends a connection and that its client is told, in the form of Postgres.
type fatal struct {
	code                  string // SQLSTATE
	message, detail, hint string
}

func (f *fatal) Error() string {
	if f.detail == "" {
		return f.message
	}
	return f.message + ": " + f.detail
}

// encode returns the ErrorResponse.
func (f *fatal) encode() []byte {
	response := pgproto3.ErrorResponse{
		Severity: "FATAL", SeverityUnlocalized: "FATAL",
		Code: f.code, Message: f.message, Detail: f.detail, Hint: f.hint,
	}
	encoded, err := response.Encode(nil)
	if err != nil {
		return nil // over a gigabyte of our own text: there is nothing left to say
	}
	return encoded
}
