package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// Defaults of Options.
const (
	DefaultLoginTimeout        = time.Minute
	DefaultMaxLogins           = 500
	DefaultMaxLoginsPerAddress = 100
)

const (
	// localAddress stands for every Unix socket, as in Postgres's own log.
	localAddress = "[local]"

	// acceptPause is the wait after a failed accept: no file descriptors are left, for example.
	acceptPause = 100 * time.Millisecond

	// partingTimeout bounds the last message to a client that may not be reading.
	partingTimeout = time.Second
)

// Options configure a Server. Only Upstream.Addresses is needed.
type Options struct {
	Upstream Upstream
	TLS      ClientTLS

	// LoginTimeout bounds the time from accept to the first ReadyForQuery; 0 means DefaultLoginTimeout.
	LoginTimeout time.Duration

	// MaxLogins and MaxLoginsPerAddress limit the connections that have not logged in yet, all together and from one IP
	// address (of IPv6 one /64; all Unix sockets count as one address). 0 means the default.
	MaxLogins, MaxLoginsPerAddress int

	// KeepAlive of both sides. The zero value means: after a minute without traffic, then six times every ten seconds.
	KeepAlive net.KeepAliveConfig

	// TCPUserTimeout sets TCP_USER_TIMEOUT on both sides (Linux). 0 leaves it to the kernel, which gives up on a dead
	// peer after about 15 minutes of retransmission. Beware: Linux also cuts a peer that is alive and has merely
	// not read for so long, such as a slow consumer of a COPY.
	TCPUserTimeout time.Duration

	// Session is what sessions decide by; nil pipes every session unread.
	Session *SessionOptions

	Log *slog.Logger // nil means slog.Default()
}

// Server accepts clients, logs them in to the server and hands the pair over to a session. It is used once.
type Server struct {
	options   Options
	log       *slog.Logger
	upstream  *upstream
	clientTLS *clientTLS // nil: off
	tcp       tcpOptions
	logins    logins
	buffers   *sync.Pool
	following atomic.Pointer[SessionOptions] // what sessions decide by; nil: none does

	// run owns a link from its call to its return; the sockets are closed afterwards.
	run func(ctx context.Context, l *link) error

	drain    context.Context // done when no new session may begin
	halt     context.Context // done when everything is closed
	haltNow  context.CancelFunc
	drainNow context.CancelFunc

	mu       sync.Mutex
	serving  chan struct{} // closed when Serve returns; nil before it was called
	sessions int           // that began and have not ended
	quiet    chan struct{} // closed when draining and without sessions
	traffic  tally
	closing  closing
}

// New checks the options and reads the files that they name. It opens no connection.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.LoginTimeout == 0 {
		o.LoginTimeout = DefaultLoginTimeout
	}
	if o.MaxLogins == 0 {
		o.MaxLogins = DefaultMaxLogins
	}
	if o.MaxLoginsPerAddress == 0 {
		o.MaxLoginsPerAddress = DefaultMaxLoginsPerAddress
	}
	if o.KeepAlive == (net.KeepAliveConfig{}) {
		o.KeepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 10 * time.Second, Count: 6}
	}
	tcp := tcpOptions{keepAlive: o.KeepAlive, userTimeout: o.TCPUserTimeout, log: o.Log}
	buffers := newBuffers()
	upstream, err := newUpstream(o.Upstream, tcp, buffers)
	if err != nil {
		return nil, err
	}
	clientTLS, err := newClientTLS(o.TLS, o.Log)
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: o, log: o.Log, upstream: upstream, clientTLS: clientTLS, tcp: tcp, buffers: buffers,
		logins:  logins{timeout: o.LoginTimeout, max: o.MaxLogins, maxPerAddress: o.MaxLoginsPerAddress, byAddress: map[netip.Prefix]int{}},
		run:     func(_ context.Context, l *link) error { return pipe(l) },
		quiet:   make(chan struct{}),
		traffic: tally{open: map[*link]bool{}},
	}
	if o.Session != nil {
		session := o.Session.complete(o.Log)
		s.following.Store(&session)
		s.run = func(ctx context.Context, l *link) error { return newFollower(&s.following, l).run(ctx) }
	}
	s.drain, s.drainNow = context.WithCancel(context.Background())
	s.halt, s.haltNow = context.WithCancel(context.Background())
	return s, nil
}

// SetSession puts other options of sessions into force. A session goes by them from its next statement on, and by the old ones to the end of
// a transaction that owes deferred work. Name and RedactKey stay when they are not given. The Server must have been made with Options.Session.
func (s *Server) SetSession(o SessionOptions) {
	old := s.following.Load()
	if o.Name == "" {
		o.Name = old.Name
	}
	if o.RedactKey == nil {
		o.RedactKey = old.RedactKey
	}
	o.quota = old.quota
	o = o.complete(s.options.Log)
	s.following.Store(&o)
}

// SetLogins changes the limits on logins, for connections that come from now on; see Options.
func (s *Server) SetLogins(timeout time.Duration, most, mostPerAddress int) {
	s.logins.set(timeout, most, mostPerAddress)
}

// Serve accepts connections from the listeners, which it owns from here on, until Shutdown has ended, ctx is done
// (then everything is closed at once) or a listener fails for good. It returns when the last connection has ended: nil in the
// first two cases.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	s.mu.Lock()
	if s.serving != nil {
		s.mu.Unlock()
		return errors.New("Serve was called before")
	}
	s.serving = make(chan struct{})
	s.mu.Unlock()
	defer close(s.serving)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.halt, cancel)()
	accepting, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() {
		for _, l := range listeners {
			_ = l.Close()
		}
	})()
	var connections sync.WaitGroup
	for _, l := range listeners {
		accepting.Go(func() error {
			return s.accept(ctx, l, func(conn net.Conn, patience time.Duration, loggedIn func()) {
				connections.Go(func() { s.connection(ctx, conn, patience, loggedIn, &connections) })
			})
		})
	}
	err := accepting.Wait()
	connections.Wait()
	s.upstream.ahead.close()
	s.closing.flush()
	return err
}

// accept gives every connection from l that the limits admit to serve, until ctx is done. What is over them costs no
// goroutine.
func (s *Server) accept(ctx context.Context, l net.Listener, serve func(conn net.Conn, patience time.Duration, loggedIn func())) error {
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			patience, loggedIn, err := s.logins.admit(conn.RemoteAddr(), s.log)
			if err != nil {
				s.refused(err)
				part(conn, err)
				continue
			}
			serve(conn, patience, loggedIn)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("cannot accept on %s: %w", l.Addr(), err)
		default:
			s.log.Error("cannot accept a connection", "listener", l.Addr(), "error", err)
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
		}
	}
}

// Shutdown drains: a new client is told that pgsluice is shutting down, cancel requests still work, and each session ends at
// its next quiet point. When the last one has ended, or ctx is done, everything is closed. It returns when Serve has
// returned, with ctx's error if sessions were cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.drainNow()
	s.closeIfQuiet()
	serving := s.serving
	s.mu.Unlock()

	var err error
	select {
	case <-s.quiet:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.haltNow()
	if serving != nil {
		<-serving
	}
	return err
}

// begin counts a session, unless the server drains.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drain.Err() != nil {
		return false
	}
	s.sessions++
	return true
}

// Sessions is how many sessions have begun and not ended.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions
}

func (s *Server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions--
	s.closeIfQuiet()
}

// closeIfQuiet is called with mu held.
func (s *Server) closeIfQuiet() {
	if s.drain.Err() == nil || s.sessions > 0 {
		return
	}
	select {
	case <-s.quiet:
	default:
		close(s.quiet)
	}
}

// connection serves one connection from its accept to its end, and calls loggedIn as soon as it does not count among
// the logins any more. A panic ends this connection alone.
//
// The session has a goroutine of its own, which belongs to all like this one. The stack of a login ends with it: TLS and dialing make it grow, and
// sessions keep theirs for hours.
func (s *Server) connection(ctx context.Context, conn net.Conn, patience time.Duration, loggedIn func(), all *sync.WaitGroup) {
	deepen()
	ctx, cancel := context.WithCancel(ctx)
	ours := &sockets{}
	unwatch := context.AfterFunc(ctx, ours.close)
	end := func() {
		unwatch() // or cancel would start a goroutine to close them once more
		ours.close()
		cancel()
	}
	var l *link
	defer func() {
		if l == nil {
			end()
		}
	}()
	defer s.survive(conn)
	l, err := s.welcome(ctx, conn, ours, patience, loggedIn)
	if l == nil {
		s.parted(ctx, conn, err)
		return
	}
	all.Go(func() {
		defer cancel()
		defer unwatch()
		defer s.survive(conn)
		s.parted(ctx, conn, s.session(ctx, l))
	})
}

// deepen makes the stack as large as a login needs it, at once and while there is nothing on it that would have to be moved.
//
//go:noinline
func deepen() {
	var room [6 << 10]byte
	runtime.KeepAlive(&room)
}

// survive is deferred: a panic becomes a line of the log.
func (s *Server) survive(conn net.Conn) {
	if reason := recover(); reason != nil {
		s.log.Error("panic: the connection is closed", "client", clientAddress(conn), "reason", reason, "stack", string(debug.Stack()))
	}
}

// welcome logs a client in, which counts among the logins until loggedIn is called. Without a link there is no session, and the
// client has been told why if that is for its ears.
func (s *Server) welcome(ctx context.Context, conn net.Conn, ours *sockets, patience time.Duration, loggedIn func()) (l *link, err error) {
	defer loggedIn()
	ours.add(conn)
	s.tcp.apply(conn)
	h := &handshake{server: s, address: clientAddress(conn), sockets: ours, patience: patience}
	h.deadline = time.Now().Add(h.patience)
	h.client = newLeg(conn, s.buffers)
	h.client.wary = true
	_ = conn.SetDeadline(h.deadline)
	if l, err = h.enter(ctx); l == nil {
		part(h.client.conn, err)
	}
	return l, err
}

// parted is the end of a connection. The log has how it ended.
func (s *Server) parted(ctx context.Context, conn net.Conn, err error) {
	s.refused(err)
	if f, ours := errors.AsType[*fatal](err); ours {
		s.log.WarnContext(ctx, "refused a connection", "client", clientAddress(conn), "sqlstate", f.code, "error", f)
		return
	}
	if s.log.Enabled(ctx, slog.LevelDebug) {
		s.log.DebugContext(ctx, "a connection has ended", "client", clientAddress(conn), "error", err)
	}
}

// session serves a client that has logged in, and counts as one until it ends.
func (s *Server) session(ctx context.Context, l *link) error {
	defer s.left(l)
	s.traffic.begin(l)
	_ = l.client.conn.SetDeadline(time.Time{})
	_ = l.server.conn.SetDeadline(time.Time{})
	if l.startup.replication == "true" {
		return pipe(l)
	}
	return s.run(ctx, l)
}

// left ends both connections before the session counts as ended.
func (s *Server) left(l *link) {
	defer s.end()
	s.closing.add(l.server.conn, l.client.conn)
	s.traffic.end(l)
}

// refused counts a client that is sent away.
func (s *Server) refused(err error) {
	if f, ours := errors.AsType[*fatal](err); ours && s.options.Session != nil && s.options.Session.Meter != nil {
		s.options.Session.Meter.ConnectionRefused(f.code)
	}
}

// Traffic is what all sessions together have moved since the start.
func (s *Server) Traffic() Traffic { return s.traffic.sum() }

// part closes a client's connection, after telling it why if that is for its ears.
func part(conn net.Conn, err error) {
	if f, ours := errors.AsType[*fatal](err); ours {
		_ = conn.SetDeadline(time.Now().Add(partingTimeout))
		_, _ = conn.Write(f.encode())
	}
	_ = conn.Close()
}

// clientAddress is how people call the other end of conn.
func clientAddress(conn net.Conn) string {
	if conn.RemoteAddr().Network() == "unix" {
		return localAddress
	}
	return conn.RemoteAddr().String()
}
