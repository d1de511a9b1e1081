package main

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// moment is the time just before or just after a statement is sent to the server.
type moment struct {
	// number counts the statements since the tap was armed, from 1, over all connections.
	number int
	// statement is the text; statements that are sent as one are one, their texts joined by "; ".
	statement string
	before    bool
}

// wiretap stands between processes and their server, hears every statement that they send, and can strike at one of them.
// It needs connections without TLS.
type wiretap struct {
	listener net.Listener
	server   string // HOST:PORT
	open     sync.WaitGroup

	// ends are both ends of all connections that are open.
	endsMu sync.Mutex
	ends   map[net.Conn]bool

	mu     sync.Mutex // held during a strike: nothing is sent meanwhile
	heard  []string
	strike func(moment) bool // nil after it has returned true

	// A process that dies while vanish is set does not close its connections to the server, as when its host vanishes, until noticed.
	vanish  atomic.Bool
	noticed chan struct{}
	notice  func() // closes noticed; may be called again
}

// tap starts a wiretap in front of a server; it ends with the test, after the processes that use it.
func tap(t testing.TB, server string) *wiretap {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wiretap{listener: listener, server: server, noticed: make(chan struct{})}
	w.notice = sync.OnceFunc(func() { close(w.noticed) })
	w.open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.open.Go(func() { w.carry(conn) })
		}
	})
	t.Cleanup(func() {
		w.notice()
		_ = listener.Close()
		w.open.Wait()
	})
	return w
}

func (w *wiretap) address() string { return w.listener.Addr().String() }

// arm forgets what was heard, and calls strike at every moment until it returns true. A statement before which it does is
// never sent, nor is anything after it on the same connection.
func (w *wiretap) arm(strike func(moment) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard, w.strike = nil, strike
}

// disarm returns the statements since arm, and whether it has struck.
func (w *wiretap) disarm() (heard []string, struck bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	heard, struck = w.heard, w.strike == nil
	w.heard, w.strike = nil, func(moment) bool { return false }
	return heard, struck
}

func (w *wiretap) strikes(at moment) bool {
	if w.strike == nil || !w.strike(at) {
		return false
	}
	w.strike = nil
	return true
}

// carry is one connection. Either side is closed when the other one is, and not before.
func (w *wiretap) carry(process net.Conn) {
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		_ = process.Close()
		return
	}
	var answers sync.WaitGroup
	defer w.joined(process, server)()
	answers.Go(func() {
		_, _ = io.Copy(process, server) // however it ends, the connection has
		_ = process.Close()
	})
	_ = w.listen(process, server) // the same
	_, _ = io.Copy(io.Discard, process)
	if w.vanish.Load() {
		<-w.noticed
	}
	_ = server.Close()
	answers.Wait()
}

// joined notes the ends of a connection until the result is called.
func (w *wiretap) joined(ends ...net.Conn) (parted func()) {
	w.endsMu.Lock()
	defer w.endsMu.Unlock()
	if w.ends == nil {
		w.ends = map[net.Conn]bool{}
	}
	for _, end := range ends {
		w.ends[end] = true
	}
	return func() {
		w.endsMu.Lock()
		defer w.endsMu.Unlock()
		for _, end := range ends {
			delete(w.ends, end)
		}
	}
}

// cut ends all connections that are open, as when the network fails. New ones can be made.
func (w *wiretap) cut() {
	w.endsMu.Lock()
	defer w.endsMu.Unlock()
	for end := range w.ends {
		_ = end.Close()
	}
}

// listen sends on what the process says until either side is gone or a strike has kept something back.
func (w *wiretap) listen(process io.Reader, server io.Writer) error {
	said := pgproto3.NewBackend(process, nil)
	startup, err := said.ReceiveStartupMessage()
	if err != nil {
		return err
	}
	raw, err := startup.Encode(nil)
	if err != nil {
		return err
	}
	for statements := []string(nil); err == nil; raw, statements, err = messages(said) {
		if len(statements) == 0 {
			_, err = server.Write(raw)
		} else if sent, lost := w.deliver(strings.Join(statements, "; "), raw, server); !sent {
			return lost
		}
		if err != nil {
			return err
		}
	}
	return err
}

// messages reads up to a message that the server acts upon, and returns all as they came, with the statements in them.
func messages(said *pgproto3.Backend) (raw []byte, statements []string, err error) {
	for {
		message, err := said.Receive()
		if err != nil {
			return nil, nil, err
		}
		if raw, err = message.Encode(raw); err != nil {
			return nil, nil, err
		}
		switch m := message.(type) {
		case *pgproto3.Parse:
			statements = append(statements, m.Query)
		case *pgproto3.Bind, *pgproto3.Describe, *pgproto3.Execute, *pgproto3.Close:
		case *pgproto3.Query:
			return raw, append(statements, m.String), nil
		default:
			return raw, statements, nil
		}
	}
}

// deliver sends a statement, unless it strikes before.
func (w *wiretap) deliver(statement string, raw []byte, server io.Writer) (sent bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, statement)
	if w.strikes(moment{len(w.heard), statement, true}) {
		return false, nil
	}
	if _, err := server.Write(raw); err != nil {
		return false, err
	}
	w.strikes(moment{len(w.heard), statement, false})
	return true, nil
}
