package proxy

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// relay is the fast gear: it owns both sockets while nothing must be understood, and forwards whole chunks of what it reads,
// recognising messages in place by their headers. It is the one door between bytes and meaning: run returns when a message
// matters, with both sockets handed over, and is called again when the session has dealt with it.
type relay struct {
	link *link
	pipe *pipeline
	// limit is the largest Query or Parse that is held whole; a larger one always matters.
	limit int
	// patience is how long the client may do nothing outside of a transaction before run returns errIdle; 0 is for ever.
	patience time.Duration
	// setting is told every ParameterStatus. It is called by the pump towards the client.
	setting func(name, value string)
}

// The ways in which a relay ends other than by a message that matters or a broken connection.
var (
	errClientGone = errors.New("client closed the connection")
	errServerGone = errors.New("server closed the connection")
	errDrained    = errors.New("the proxy is shutting down")
	// errIdle is no end of the session: nothing is owed to anybody.
	errIdle = errors.New("the client does nothing")
)

// How the pump towards the client is asked to end.
const (
	stopWhenIdle = 1 // when everything that is owed has been forwarded
	stopNow      = 2 // at the next boundary between two messages
)

// run forwards until the client sends a message for which matters is true. Then everything that the server owed for
// earlier messages has been forwarded, nothing else touches the sockets, and the message is the next unread one of the
// client's leg: a Query or Parse of at most limit bytes whole, any other at least its header.
//
// matters is called for each message of the client in turn, with its type and, for a Query or Parse that is not over the limit,
// the whole message; of a Bind, an Execute or a Close as much as has come, its header at least. frame is nil otherwise.
func (r *relay) run(ctx context.Context, matters func(kind byte, frame []byte) bool) error {
	var (
		pumps   sync.WaitGroup
		stop    atomic.Int32
		downErr error
		ended   = make(chan struct{})
	)
	if r.patience > 0 {
		_ = r.link.client.conn.SetReadDeadline(time.Now().Add(r.patience)) // before the others, who have no time to lose
	}
	pumps.Add(1)
	unwatch := context.AfterFunc(r.link.drain, func() {
		defer pumps.Done()
		_ = r.link.client.conn.SetReadDeadline(longAgo)
	})
	pumps.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				downErr = fmt.Errorf("panic in the relay: %v\n%s", p, debug.Stack())
				close(ended)
				_ = r.link.client.conn.SetReadDeadline(longAgo)
			}
		}()
		downErr = r.down(&stop)
		close(ended) // before the wake-up, or the pump that it wakes would not see it and sleep again
		if downErr != nil {
			_ = r.link.client.conn.SetReadDeadline(longAgo)
		}
	})

	err := r.up(matters, ended)
	if unwatch() {
		pumps.Done()
	}
	if errors.Is(err, errClientGone) {
		// The server may still have something to say to a client that only finished sending.
		closeWrite(r.link.server.conn)
		pumps.Wait()
		return err
	}
	if err == nil {
		stop.Store(stopWhenIdle)
	} else {
		stop.Store(stopNow)
	}
	_ = r.link.server.conn.SetReadDeadline(longAgo)
	pumps.Wait()
	_ = r.link.server.conn.SetReadDeadline(time.Time{})
	_ = r.link.client.conn.SetReadDeadline(time.Time{})
	if errors.Is(downErr, errInCopy) {
		// The server reads the message that mattered as COPY data. Its header makes it answer that in its own words, and hang up.
		_ = r.write(r.link.server, r.link.client, r.link.client.r+headerSize)
		closeWrite(r.link.server.conn)
		_ = r.down(&atomic.Int32{})
		return errClientGone
	}
	if downErr != nil {
		return downErr
	}
	return err
}

// up is the pump from client to server.
func (r *relay) up(matters func(byte, []byte) bool, down <-chan struct{}) error {
	client := r.link.client
	rest := 0 // bytes of a long message that are still to come
	for {
		done, held, err := r.passUp(matters, &rest, down)
		if done {
			return err
		}
		client.slim()
		if held > 0 {
			err = client.hold(held)
		} else {
			err = client.need(client.w - client.r + 1)
		}
		if err == nil {
			continue
		}
		if !isTimeout(err) {
			return errClientGone
		}
		next := time.Time{}
		if r.patience > 0 {
			next = time.Now().Add(r.patience)
		}
		_ = client.conn.SetReadDeadline(next) // before it is asked why it was over: a wake-up from now on is not lost
		select {
		case <-down:
			return errServerGone
		default:
		}
		quiet := r.quiet() && client.r == client.w && rest == 0
		switch {
		case quiet && r.link.drain.Err() != nil:
			return errDrained
		case quiet && r.patience > 0:
			return errIdle
		}
	}
}

// passUp forwards what has been read from the client, up to the message that matters, if any; then it is done, as when one of both sides has gone. held
// is the size of a message that is needed whole and has not come yet. It is a function of its own so that a pump that waits has a small stack.
//
//go:noinline
func (r *relay) passUp(matters func(byte, []byte) bool, left *int, down <-chan struct{}) (done bool, held int, err error) {
	client, rest := r.link.client, *left
	pos := client.r + min(rest, client.w-client.r)
	rest -= pos - client.r
	matter, fatal := false, false // fatal: the last header is one after which the server hangs up
	for rest == 0 && client.w-pos >= headerSize {
		kind, size, ok := frameAt(client.buf[pos:])
		r.pipe.mu.Lock()
		fatal = !ok || size-1 > limitOf(kind) || !r.pipe.admits(kind)
		r.pipe.mu.Unlock()
		if fatal {
			pos += headerSize
			break
		}
		var frame []byte
		if (kind == 'Q' || kind == 'P') && size <= r.limit {
			if pos+size > client.w {
				held = size
				break
			}
			frame = client.buf[pos : pos+size]
		}
		if kind == 'B' || kind == 'E' || kind == 'C' {
			frame = client.buf[pos:min(pos+size, client.w)]
		}
		if matter = matters(kind, frame); matter {
			break
		}
		r.pipe.mu.Lock()
		r.pipe.sent(kind)
		r.pipe.mu.Unlock()
		end := min(pos+size, client.w)
		rest = pos + size - end
		pos = end
	}
	*left = rest
	if err := r.write(r.link.server, client, pos); err != nil {
		// A server that hung up has said why: its last words are on their way to the client.
		<-down
		return true, 0, errServerGone
	}
	if fatal {
		return true, 0, errClientGone // The server answers the header in its own words.
	}
	if matter {
		if err = r.settle(); err != nil {
			<-down
		}
		return true, 0, err
	}
	return false, held, nil
}

// settle makes the server send what it owes: the pump towards the client ends once that has been forwarded.
func (r *relay) settle() error {
	r.pipe.mu.Lock()
	flush := r.pipe.unflushed()
	r.pipe.mu.Unlock()
	if !flush {
		return nil
	}
	if _, err := r.link.server.conn.Write([]byte{'H', 0, 0, 0, 4}); err != nil {
		return errServerGone
	}
	return nil
}

// down is the pump from server to client. It ends when stop is set and nothing is owed.
func (r *relay) down(stop *atomic.Int32) error {
	client, server := r.link.client, r.link.server
	rest := 0
	for {
		pos := server.r + min(rest, server.w-server.r)
		rest -= pos - server.r
		var wrong error
		r.pipe.mu.Lock()
		for rest == 0 && server.w-pos >= headerSize && wrong == nil {
			if pos = pastData(server.buf[:server.w], pos); server.w-pos < headerSize {
				break
			}
			kind, size, ok := frameAt(server.buf[pos:])
			if !ok {
				wrong = fmt.Errorf("server sent message %q of impossible length", kind)
				break
			}
			whole := pos+size <= server.w
			if !whole && (kind == 'Z' || kind == 'S' || kind == 'C' && r.pipe.heed) && size <= bufferSize {
				break
			}
			if kind == 'C' && r.pipe.heed && whole {
				tag, _, _ := cString(server.buf[pos+headerSize : pos+size])
				r.pipe.completed(tag)
			}
			if kind == 'S' && whole {
				r.parameter(server.buf[pos+headerSize : pos+size])
			}
			first := byte(0)
			if kind == 'Z' && size > headerSize {
				first = server.buf[pos+headerSize]
			}
			wrong = r.pipe.answered(kind, first)
			end := min(pos+size, server.w)
			rest = pos + size - end
			pos = end
		}
		r.pipe.mu.Unlock()
		if err := r.write(client, server, pos); err != nil {
			return errClientGone
		}
		if wrong != nil {
			return wrong
		}
		// Asked in this order: whoever sets stop has noted before what was sent.
		asked := stop.Load()
		r.pipe.mu.Lock()
		idle := r.pipe.idle() && rest == 0
		over, stuck := idle && r.pipe.status == 'I', r.pipe.stuck()
		r.pipe.mu.Unlock()
		switch asked {
		case stopNow:
			if rest == 0 {
				return nil
			}
		case stopWhenIdle:
			if idle {
				return nil
			}
			if stuck {
				return errInCopy
			}
		}
		if over && r.link.drain.Err() != nil {
			_ = client.conn.SetReadDeadline(longAgo)
		}
		if err := server.need(server.w - server.r + 1); err != nil {
			if !isTimeout(err) {
				return errServerGone
			}
			// Asked to stop: without the deadline, what is still owed can be read.
			_ = server.conn.SetReadDeadline(time.Time{})
		}
	}
}

// pastData is the position behind the whole DataRow and CopyData messages from pos on, which nobody must know of: a result is little else.
func pastData(b []byte, pos int) int {
	for len(b)-pos >= headerSize && (b[pos] == 'D' || b[pos] == 'd') {
		_, size, ok := frameAt(b[pos:])
		if !ok || size > len(b)-pos {
			break
		}
		pos += size
	}
	return pos
}

// write forwards what src has read up to pos in one write, and consumes it.
func (r *relay) write(dst, src *leg, pos int) error {
	chunk := src.buf[src.r:pos]
	if len(chunk) == 0 {
		return nil
	}
	src.r = pos
	_, err := dst.Write(chunk)
	return err
}

// quiet is true when nothing is owed and no transaction is open.
func (r *relay) quiet() bool {
	r.pipe.mu.Lock()
	defer r.pipe.mu.Unlock()
	return r.pipe.idle() && r.pipe.status == 'I'
}

func (r *relay) parameter(body []byte) {
	name, rest, ok := cString(body)
	if !ok {
		return
	}
	if value, _, ok := cString(rest); ok {
		r.setting(name, value)
	}
}
