package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"
)

// DefaultConnectAhead is how long the configuration lets a connection wait that was opened ahead of its login.
const DefaultConnectAhead = time.Second

// ahead keeps one connection to the server on which nothing has been sent yet, while logins come one close behind the other. Opening one costs the server a
// new process, and TLS its handshake: that is done while the client before is still busy. A server forgets such a connection without a word when it is
// closed; its authentication_timeout bounds it, too.
type ahead struct {
	// patience is how long the connection may wait for its login, and how close logins must come for one to be opened; 0 opens none.
	patience time.Duration
	open     func(ctx context.Context, ours *sockets, a Address) (net.Conn, error)
	// begin is open that does not wait: its connection may be under way. It returns nil where there is something to wait for.
	begin func(a Address) net.Conn
	log   *slog.Logger

	ctx     context.Context // done when it is closed
	cancel  context.CancelFunc
	opening sync.WaitGroup

	mu   sync.Mutex
	last struct { // login
		address Address
		at      time.Time
	}
	busy  bool   // one is being opened
	spare *spare // nil: there is none
	timed bool   // expire will be called
}

// spare is a connection that waits for its login.
type spare struct {
	conn    net.Conn
	address Address
	sockets *sockets
	due     time.Time // when it is closed
}

func newAhead(patience time.Duration, open func(context.Context, *sockets, Address) (net.Conn, error), begin func(Address) net.Conn,
	log *slog.Logger) *ahead {
	h := &ahead{patience: patience, open: open, begin: begin, log: log}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// take returns the connection to a that waits, which joins ours; nil if there is none. It is called once for each login, and reports whether that came close
// behind another.
func (h *ahead) take(a Address, ours *sockets) (conn net.Conn, close bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	close = h.last.address == a && now.Sub(h.last.at) < h.patience
	h.last.address, h.last.at = a, now
	s := h.spare
	if s == nil || s.address != a {
		return nil, close
	}
	h.spare = nil
	if own, ok := s.conn.(interface{ stands() bool }); ok && !own.stands() {
		_ = s.conn.Close() // nobody may be there any more: connecting anew tells, and in its time
		return nil, close
	}
	ours.join(s.sockets)
	return s.conn, close
}

// follow opens a connection to a for the next login, unless one waits already.
func (h *ahead) follow(a Address) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy || h.spare != nil || h.ctx.Err() != nil {
		return
	}
	s := &spare{address: a, sockets: &sockets{}}
	if s.conn = h.begin(a); s.conn != nil {
		s.sockets.add(s.conn)
		h.keep(s)
		return
	}
	h.busy = true
	h.opening.Go(func() {
		var err error
		defer func() {
			if reason := recover(); reason != nil {
				h.log.Error("panic: no connection is opened ahead", "reason", reason, "stack", string(debug.Stack()))
				err = errPanic
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			h.busy = false
			switch {
			case err != nil: // the next login will meet, and tell, the reason
				s.sockets.close()
			case h.ctx.Err() != nil:
				_ = s.conn.Close()
			default:
				h.keep(s)
			}
		}()
		stop := context.AfterFunc(h.ctx, s.sockets.close)
		defer stop()
		s.conn, err = h.open(h.ctx, s.sockets, a)
	})
}

var errPanic = errors.New("panic")

// keep is called with mu held.
func (h *ahead) keep(s *spare) {
	h.spare = s
	s.due = time.Now().Add(h.patience)
	h.expireIn(h.patience)
}

// expire closes the connection for which nobody came, or looks again when it is due.
func (h *ahead) expire() {
	h.mu.Lock()
	h.timed = false
	over := h.spare
	if over != nil && time.Now().Before(over.due) {
		h.expireIn(time.Until(over.due))
		over = nil
	}
	if over != nil {
		h.spare = nil
	}
	h.mu.Unlock()
	if over != nil {
		_ = over.conn.Close() // over TLS it writes, and may wait
	}
}

// expireIn is called with mu held. One timer serves connections that follow each other: it costs more to set one than to look again.
func (h *ahead) expireIn(d time.Duration) {
	if !h.timed {
		h.timed = true
		time.AfterFunc(d, h.expire)
	}
}

// close closes what waits, and ends what is being opened. Nothing is opened any more.
func (h *ahead) close() {
	h.cancel()
	h.opening.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.spare != nil {
		_ = h.spare.conn.Close()
		h.spare = nil
	}
}
