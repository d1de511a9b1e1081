package proxy

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	// maxAuthToken mirrors PG_MAX_AUTH_TOKEN_LENGTH, the longest answer that Postgres reads during a login.
	maxAuthToken = 65535

	readySize = headerSize + 1 // of ReadyForQuery

	// loginBurst is enough for what a server says between the end of the authentication and ReadyForQuery, so that it is one write.
	loginBurst = 1 << 10

	// saslHead is enough of a SASLInitialResponse to hold the mechanism's name and the first byte of its data.
	saslHead = 256
)

// errRefused is a login that the server refused. Its client has been told, in the server's own words.
var errRefused = errors.New("the server refused the login")

// login relays a login from the startup packet to the first ReadyForQuery. What either side sent behind its last
// message of the login stays unread in its leg.
func (h *handshake) login(ctx context.Context, s startup) (*link, error) {
	server, address, err := h.server.upstream.start(ctx, h.sockets, s.raw, h.deadline)
	if err != nil {
		return nil, err
	}
	l := &link{
		client: h.client, server: server, startup: s, params: map[string]string{},
		clientAddr: h.address, serverAddr: address.String(), tls: h.leaf != nil, certificate: certificateOf(h.client.conn), drain: h.server.drain,
	}
	toClient := bufio.NewWriterSize(h.client, loginBurst)
	err = h.relayLogin(l, toClient)
	if stopped := h.stopAnswers(); stopped != nil {
		err = stopped // and relayLogin failed because of it
	}
	if err == nil {
		err = h.server.upstream.checkTarget(address, l.params)
	}
	if err == nil {
		err = l.server.forward(toClient, readySize)
	}
	if flushed := toClient.Flush(); err == nil && flushed != nil {
		err = fmt.Errorf("write to client: %w", flushed)
	}
	if err != nil {
		_ = server.conn.Close()
		return nil, err
	}
	h.client.forget()
	return l, nil
}

// relayLogin passes the server's messages to the client and notes what the session must know. It returns nil with
// ReadyForQuery unread.
func (h *handshake) relayLogin(l *link, toClient *bufio.Writer) error {
	for {
		if !l.server.complete() {
			if err := toClient.Flush(); err != nil {
				return fmt.Errorf("write to client: %w", err)
			}
		}
		kind, size, err := l.server.header()
		if err != nil {
			return h.serverFailed(l, err)
		}
		held := min(size, bufferSize) // the rest of a longer message is passed on unread
		if err := l.server.need(held); err != nil {
			return h.serverFailed(l, err)
		}
		body := l.server.unread()[headerSize:held]
		switch kind {
		case 'R':
			instead, err := h.readAuthentication(l, body)
			if err != nil {
				return err
			}
			if instead != nil {
				l.server.r += size
				_, _ = toClient.Write(instead) // its error comes again with Flush
				continue
			}
		case 'S':
			var p pgproto3.ParameterStatus
			if p.Decode(body) == nil {
				l.params[p.Name] = p.Value
			}
		case 'K':
			if len(body) >= 4 {
				l.pid = binary.BigEndian.Uint32(body)
			}
		case 'Z':
			if size != readySize {
				return h.serverFailed(l, fmt.Errorf("ReadyForQuery of %d bytes", size))
			}
			l.status = body[0]
			return nil
		}
		if err := l.server.forward(toClient, size); err != nil {
			return h.serverFailed(l, err)
		}
		if kind == 'E' {
			return errRefused
		}
	}
}

// readAuthentication looks at a request of the server's for what concerns us: whether the client will answer, and an
// offer of channel binding. It returns a message to send in place of the request, nil for the request itself.
func (h *handshake) readAuthentication(l *link, body []byte) (instead []byte, err error) {
	if len(body) < 4 {
		return nil, h.serverFailed(l, errors.New("authentication request without a type"))
	}
	if binary.BigEndian.Uint32(body) == pgproto3.AuthTypeOk {
		return nil, h.stopAnswers()
	}
	if binary.BigEndian.Uint32(body) == pgproto3.AuthTypeSASL && !h.showsCertificateOf(l.server) {
		instead, err = withoutChannelBinding(body)
		if err != nil {
			return nil, h.serverFailed(l, err)
		}
	}
	if h.answers == nil {
		h.answers = make(chan error, 1)
		go func() {
			err := h.relayAnswers(l.server, instead != nil)
			if err != nil && !isTimeout(err) {
				_ = l.server.conn.SetReadDeadline(longAgo) // relayLogin waits there
			}
			h.answers <- err
		}()
	}
	return instead, nil
}

// showsCertificateOf is true if the client sees the server's own certificate: then channel binding works through us,
// because tls-server-end-point binds to the certificate alone.
func (h *handshake) showsCertificateOf(server *leg) bool {
	leaf := peerCertificate(server.conn)
	return leaf != nil && slices.Equal(leaf, h.leaf)
}

// withoutChannelBinding takes the -PLUS mechanisms out of an AuthenticationSASL. It returns nil if there are none.
func withoutChannelBinding(body []byte) ([]byte, error) {
	var offer pgproto3.AuthenticationSASL
	if err := offer.Decode(body); err != nil {
		return nil, err
	}
	all := len(offer.AuthMechanisms)
	offer.AuthMechanisms = slices.DeleteFunc(offer.AuthMechanisms, func(name string) bool {
		return strings.HasSuffix(name, "-PLUS")
	})
	if len(offer.AuthMechanisms) == all {
		return nil, nil
	}
	return offer.Encode(nil)
}

// relayAnswers passes the client's answers to the server, until its read deadline or until something else comes,
// which stays unread: it belongs to the session.
func (h *handshake) relayAnswers(server *leg, stripped bool) error {
	for {
		kind, size, err := h.client.header()
		if err != nil {
			return fmt.Errorf("read from client: %w", err)
		}
		if kind != 'p' {
			return nil
		}
		if size > headerSize+maxAuthToken {
			return &fatal{code: "08P01", message: "invalid length of an authentication message"}
		}
		if err := h.client.need(min(size, bufferSize)); err != nil {
			return fmt.Errorf("read from client: %w", err)
		}
		if stripped && saysCouldBind(h.client.unread()[headerSize:min(size, saslHead)]) {
			return errCouldBind
		}
		stripped = false // only the first answer carries the flag
		if err := h.client.forward(server.conn, size); err != nil {
			// Not wrapped: half of a message is with the server, so being stopped here is an error like any.
			return fmt.Errorf("relay answer to server: %v", err)
		}
	}
}

// saysCouldBind is true if a SASLInitialResponse carries the flag "y": the client could bind to the channel, but was
// not offered to. The flag is signed, and a server that did offer must take it for an attack.
func saysCouldBind(body []byte) bool {
	var initial pgproto3.SASLInitialResponse
	return initial.Decode(body) == nil && len(initial.Data) > 0 && initial.Data[0] == 'y'
}

var errCouldBind = &fatal{
	code:    "28000",
	message: "pgsluice cannot relay SCRAM between two TLS connections while the client supports channel binding: connect with channel_binding=disable",
	detail:  "TLS ends at pgsluice, so the login cannot be bound to it, and the server refuses a client that could bind and was not offered to.",
	hint:    "Or let pgsluice show the server's own certificate (tls.cert and tls.key), or reach the server over a Unix socket or with upstream.sslmode=disable.",
}

// stopAnswers ends relayAnswers and returns why it ended before, if that was an error. Nothing more is read from the
// client during the login.
func (h *handshake) stopAnswers() error {
	if h.answers == nil {
		return nil
	}
	_ = h.client.conn.SetReadDeadline(longAgo)
	err := <-h.answers
	h.answers = nil
	if isTimeout(err) {
		return nil
	}
	return err
}

func (h *handshake) serverFailed(l *link, err error) error {
	if isTimeout(err) {
		return &fatal{
			code:    "57014",
			message: fmt.Sprintf("pgsluice canceled the login: it took more than %s", h.patience),
		}
	}
	return &fatal{
		code:    "08006",
		message: fmt.Sprintf("pgsluice lost the server at %s during the login: %v", l.serverAddr, err),
		hint:    "The log of the server has the reason.",
	}
}
