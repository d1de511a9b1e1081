package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// What Options leaves zero.
const (
	defaultMaxConnections = 8
	defaultIdle           = 10 * time.Second
)

// ErrTemplate is the error for a database that new databases are copied from: a connection to it would make CREATE DATABASE fail.
var ErrTemplate = errors.New("cannot open a control connection to a template database")

var errClosed = errors.New("the control connections are closed")

// Options is what a Pool needs to know.
type Options struct {
	// DSN is the login, and the database that is used when none is named.
	DSN string
	// MaxConnections bounds the open connections over all databases; 0 is 8.
	MaxConnections int
	// Idle is how long an unused connection stays open; 0 is 10 seconds.
	Idle time.Duration
	// Log gets the server's notices; nil drops them.
	Log *slog.Logger
}

// Pool opens the same login in the databases that are asked for, and closes what is not used. It is safe for concurrent use.
type Pool struct {
	config  *pgconn.Config
	idle    time.Duration
	notice  func(string)
	slots   chan struct{} // one for each open connection, idle ones included
	closing chan struct{}
	reaper  sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	free      []resting      // oldest first
	lent      map[*Conn]bool // true for one that is closed when it comes back
	templates map[string]bool
	changed   chan struct{} // closed and made new whenever free or lent changes
}

// resting is a connection that nobody uses.
type resting struct {
	conn  *Conn
	since time.Time
}

// New makes a pool without opening a connection. The caller closes it.
func New(options Options) (*Pool, error) {
	config, err := parse(options.DSN)
	if err != nil {
		return nil, err
	}
	p := &Pool{
		config:    config,
		idle:      options.Idle,
		closing:   make(chan struct{}),
		lent:      map[*Conn]bool{},
		templates: map[string]bool{"template0": true, "template1": true},
		changed:   make(chan struct{}),
	}
	if p.idle == 0 {
		p.idle = defaultIdle
	}
	if options.MaxConnections == 0 {
		options.MaxConnections = defaultMaxConnections
	}
	p.slots = make(chan struct{}, options.MaxConnections)
	if options.Log != nil {
		p.notice = func(message string) { options.Log.Debug("notice on a control connection", "message", message) }
	}
	p.reaper.Go(p.reap)
	return p, nil
}

// Conn lends a connection to the database; "" is that of the DSN. It waits while MaxConnections are in use. The caller gives it
// back with Release.
func (p *Pool) Conn(ctx context.Context, database string) (*Conn, error) {
	if database == "" {
		database = p.config.Database
	}
	for {
		rested, err := p.lend(ctx, database)
		if err != nil {
			return nil, err
		}
		conn := rested.conn
		if conn == nil {
			break
		}
		if time.Since(rested.since) < trusted && silent(conn.pg.Conn()) {
			return conn, nil
		}
		if conn.answers(ctx) {
			return conn, nil
		}
		p.Discard(conn) // the server has closed it meanwhile
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	config := p.config.Copy()
	config.Database = database
	conn, err := connect(ctx, config, p.notice)
	if err != nil {
		<-p.slots
		return nil, err
	}
	if err := p.refuseTemplate(ctx, conn); err != nil {
		conn.Close()
		<-p.slots
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		conn.Close()
		<-p.slots
		return nil, errClosed
	}
	p.lent[conn] = false
	return conn, nil
}

// trusted is how long a connection may have rested that is lent without asking the server, if it has not heard of its end: what is between us and the
// server may drop one that rests longer without a word.
const trusted = 5 * time.Second

// lend returns a resting connection, or none and the right to open one.
func (p *Pool) lend(ctx context.Context, database string) (resting, error) {
	for {
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return resting{}, errClosed
		}
		if p.templates[database] {
			p.mu.Unlock()
			return resting{}, fmt.Errorf("%w: %s", ErrTemplate, database)
		}
		// The one used last is the likeliest to be alive still.
		for i := len(p.free) - 1; i >= 0; i-- {
			found := p.free[i]
			if found.conn.database != database {
				continue
			}
			p.free = slices.Delete(p.free, i, i+1)
			p.lent[found.conn] = false
			p.mu.Unlock()
			return found, nil
		}
		changed := p.changed
		if len(p.slots) == cap(p.slots) && len(p.free) > 0 {
			p.discard(p.free[0].conn)
			p.free = p.free[1:]
		}
		p.mu.Unlock()
		select {
		case p.slots <- struct{}{}:
			return resting{}, nil
		default:
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return resting{}, fmt.Errorf("cannot get a control connection, all %d are in use: %w", cap(p.slots), context.Cause(ctx))
		}
	}
}

// refuseTemplate remembers a template database, so that it is touched once at most.
func (p *Pool) refuseTemplate(ctx context.Context, conn *Conn) error {
	rows, err := conn.Query(ctx, `SELECT datistemplate FROM pg_catalog.pg_database
		WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()`)
	if err != nil {
		return fmt.Errorf("cannot ask whether %s is a template: %w", conn.database, err)
	}
	if !slices.Contains(rows, "t") {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.templates[conn.database] = true
	return fmt.Errorf("%w: %s", ErrTemplate, conn.database)
}

// Release takes a connection back. One that is broken or still in a transaction is closed.
func (p *Pool) Release(conn *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	doomed, ours := p.lent[conn]
	if !ours {
		return
	}
	if p.closed || doomed || conn.pg.IsClosed() || conn.TxStatus() != 'I' {
		p.discard(conn)
		return
	}
	delete(p.lent, conn)
	p.free = append(p.free, resting{conn, time.Now()})
	p.wake()
}

// Discard takes a connection back and closes it: for one that ran what others wrote.
func (p *Pool) Discard(conn *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ours := p.lent[conn]; ours {
		p.discard(conn)
	}
}

// CloseDatabase closes the connections to a database, those in use as soon as they are given back, and returns when there are none
// or ctx is done: it comes before a DROP or ALTER DATABASE.
func (p *Pool) CloseDatabase(ctx context.Context, name string) error {
	for {
		p.mu.Lock()
		p.free = slices.DeleteFunc(p.free, func(r resting) bool {
			if r.conn.database != name {
				return false
			}
			p.discard(r.conn)
			return true
		})
		using := 0
		for conn := range p.lent {
			if conn.database == name {
				p.lent[conn] = true
				using++
			}
		}
		changed := p.changed
		p.mu.Unlock()
		if using == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d control connections to database %s are in use: %w", using, name, context.Cause(ctx))
		}
	}
}

// Close closes all connections and waits until those in use have been given back.
func (p *Pool) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.closing)
		for _, r := range p.free {
			p.discard(r.conn)
		}
		p.free = nil
	}
	p.mu.Unlock()
	p.reaper.Wait()
	for {
		p.mu.Lock()
		using, changed := len(p.lent), p.changed
		p.mu.Unlock()
		if using == 0 {
			return
		}
		<-changed
	}
}

// reap closes what has rested too long.
func (p *Pool) reap() {
	ticker := time.NewTicker(max(p.idle/4, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-p.closing:
			return
		case now := <-ticker.C:
			p.mu.Lock()
			p.free = slices.DeleteFunc(p.free, func(r resting) bool {
				if now.Sub(r.since) < p.idle {
					return false
				}
				p.discard(r.conn)
				return true
			})
			p.mu.Unlock()
		}
	}
}

// discard closes a connection that is no longer among the free ones. The caller holds mu.
func (p *Pool) discard(conn *Conn) {
	conn.Close()
	delete(p.lent, conn)
	<-p.slots
	p.wake()
}

// wake tells those that wait for a connection or for the end of one. The caller holds mu.
func (p *Pool) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}
