package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

const (
	cancelRequest = 1234<<16 | 5678
	sslRequest    = 1234<<16 | 5679
	gssencRequest = 1234<<16 | 5680

	maxCancel = 12 + 256 // a key of protocol 3.2

	// tlsRecord is the first byte of a TLS handshake; as the first byte of a length it would mean 369 MB.
	tlsRecord = 0x16
)

// handshake is one client's way from its first byte to its first ReadyForQuery.
type handshake struct {
	server   *Server
	client   *leg
	address  string        // of the client, for people; "[local]" for a Unix socket
	sockets  *sockets      // of the connection; those to the server join them
	patience time.Duration // for the whole handshake, to its deadline
	deadline time.Time
	code     uint32 // cancelRequest, or the protocol version
	raw      []byte // the packet with that code
	leaf     []byte // our certificate as the client saw it, DER; nil without TLS
	answers  chan error
}

// enter brings a client from its first byte to its first ReadyForQuery. It returns no link, and perhaps no error either, when that was all;
// with a link the session has begun, and its end is the caller's.
func (h *handshake) enter(ctx context.Context) (l *link, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			l, err = nil, fmt.Errorf("panic during the login: %v\n%s", reason, debug.Stack())
			h.server.log.Error("panic: the connection is closed", "client", h.address, "reason", err)
		}
	}()
	return h.begin(ctx)
}

// begin does what the client's first packet asks for.
func (h *handshake) begin(ctx context.Context) (l *link, err error) {
	if err := h.greet(ctx); err != nil {
		return nil, err
	}
	if h.code == cancelRequest {
		h.forwardCancel(ctx)
		return nil, nil
	}
	startup, err := parseStartup(h.raw)
	if err != nil {
		return nil, err
	}
	if !h.server.begin() {
		return nil, &fatal{code: "57P03", message: "pgsluice is shutting down"}
	}
	defer func() {
		if l == nil {
			h.server.end()
		}
	}()
	return h.login(ctx, startup)
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
	h.client.over(&replayConn{Conn: h.client.conn, head: bytes.Clone(h.client.unread())})
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
	h.client.over(conn)
	h.leaf = leaf
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
