package proxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// A stream means the same however it is cut. The conversations of the wire cases are recorded with Postgres, then replayed through
// a session between two connections in memory, with every byte arriving alone, with one cut at every position, and with random cuts.
// At a cut the rest is held back until the session waits for it.
func TestConversationsSurviveEveryCut(t *testing.T) {
	t.Parallel()
	conversations := recordConversations(t)
	random := rand.New(rand.NewPCG(1, 2))
	replays := 0
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			client, server := c.sizes()
			replay := func(what string, clientCuts, serverCuts func(from, to int) []int) {
				replays++
				if err := c.replay(t, clientCuts, serverCuts); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
			}
			replay("whole", uncut, uncut)
			if client+server <= 20_000 {
				replay("byte by byte", everywhere, everywhere)
			}
			if client+server <= 600 {
				for at := 1; at < client; at++ {
					replay(fmt.Sprintf("client cut at %d of %d", at, client), only(at), uncut)
				}
				for at := 1; at < server; at++ {
					replay(fmt.Sprintf("server cut at %d of %d", at, server), uncut, only(at))
				}
			}
			for range 5 {
				seed := random.Uint64()
				replay(fmt.Sprintf("random cuts, seed %d", seed), sometimes(seed), sometimes(seed+1))
			}
		})
	}
	t.Logf("%d conversations, %d replays", len(conversations), replays)
	if len(conversations) < 100 {
		t.Errorf("only %d conversations were recorded", len(conversations))
	}
}

// The cuts of a stream between two positions, in ascending order.
func uncut(int, int) []int { return nil }

func everywhere(from, to int) (cuts []int) {
	for at := from + 1; at < to; at++ {
		cuts = append(cuts, at)
	}
	return cuts
}

func only(at int) func(from, to int) []int {
	return func(from, to int) []int {
		if from < at && at < to {
			return []int{at}
		}
		return nil
	}
}

func sometimes(seed uint64) func(from, to int) []int {
	random := rand.New(rand.NewPCG(seed, 0))
	return func(from, to int) (cuts []int) {
		for at := from; ; {
			if at += 1 + int(random.ExpFloat64()*float64(min(to-from, 40_000))/6); at >= to {
				return cuts
			}
			cuts = append(cuts, at)
		}
	}
}

// conversation is what a client sent and was answered, in turns.
type conversation struct {
	name    string
	turns   []turn
	spoiled bool // there is more to it than the two streams
}

// turn is what the client sent, and what the server said before the client went on.
type turn struct{ client, server []byte }

func (c *conversation) sizes() (client, server int) {
	for _, t := range c.turns {
		client, server = client+len(t.client), server+len(t.server)
	}
	return client, server
}

// recordConversations runs the wire cases of one connection whose end the server does not decide straight to Postgres.
func recordConversations(t *testing.T) []*conversation {
	t.Helper()
	files, err := filepath.Glob("testdata/wire/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	direct := newWorld(t, "direct", addressOf(pgtest.Server(t)))
	var all []*conversation
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if slices.Contains([]string{"differences", "replication", "startup", "close"}, name) {
			continue
		}
		tape := &tape{wireRun: wireRun{file: name, worlds: []*world{direct}}}
		tape.empty(t)
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			tape.record(t, d)
			return d.Expected
		})
		all = append(all, tape.conversations...)
	}
	differences := readDifferences(t)
	return slices.DeleteFunc(all, func(c *conversation) bool {
		client, server := c.sizes()
		cutOff := slices.ContainsFunc(differences, func(d difference) bool { return d.name == c.name && d.world == "transparent" })
		return c.spoiled || cutOff || server == 0 || client+server > 1<<20
	})
}

// tape records the conversations of one file.
type tape struct {
	wireRun
	conversations []*conversation
}

func (p *tape) record(t *testing.T, d *datadriven.TestData) {
	if d.Cmd == "case" {
		p.directive(t, d)
		p.conversations = append(p.conversations, &conversation{name: p.name})
		return
	}
	if len(p.conversations) == 0 {
		p.directive(t, d)
		return
	}
	w, c := p.worlds[0], p.conversations[len(p.conversations)-1]
	c.spoiled = c.spoiled || d.HasArg("conn") || slices.Contains([]string{"connect", "cancel", "halfclose", "close"}, d.Cmd)
	switch {
	case c.spoiled:
		p.directive(t, d)
	case d.Cmd == "send":
		sent := encodeLines(t, expand(t, d.Input, w))
		w.conn(t, "main").send(sent)
		if n := len(c.turns); n > 0 && len(c.turns[n-1].server) == 0 {
			c.turns[n-1].client = append(c.turns[n-1].client, sent...)
		} else {
			c.turns = append(c.turns, turn{client: sent})
		}
	case d.Cmd == "until":
		got := w.conn(t, "main").until(strings.Fields(expand(t, d.Input, w)))
		c.spoiled = got.end != "" || len(c.turns) == 0
		for _, m := range got.messages {
			last := &c.turns[len(c.turns)-1]
			last.server = append(last.server, frameOf(m.kind, m.body)...)
		}
	default:
		p.directive(t, d)
	}
}

// replay plays client and server of the conversation on both sides of a session, cut as asked for.
func (c *conversation) replay(t *testing.T, clientCuts, serverCuts func(from, to int) []int) error {
	n := newMemory()
	defer n.close()
	l := n.link()
	options := sessionOptions(t, Transparent)
	s := newSession(&options, l)
	ended := make(chan error, 1)
	go func() {
		ended <- s.run(context.Background())
		_ = l.client.conn.Close()
		_ = l.server.conn.Close()
	}()
	var sent, said int
	for _, turn := range c.turns {
		if err := n.feed(n.fromClient, turn.client, sent, clientCuts); err != nil {
			return err
		}
		sent += len(turn.client)
		if got := n.taken(n.toServer); !bytes.Equal(got, turn.client) {
			return fmt.Errorf("the server got %q of %q", got, turn.client)
		}
		if err := n.feed(n.fromServer, turn.server, said, serverCuts); err != nil {
			return err
		}
		said += len(turn.server)
		if got := n.taken(n.toClient); !bytes.Equal(got, turn.server) {
			return fmt.Errorf("the client got %q of %q", got, turn.server)
		}
	}
	if !s.pipe.idle() || s.pipe.status != lastStatus(c) {
		return fmt.Errorf("the pipeline is not idle at the end: %q, status %q", s.pipe.queue[s.pipe.first:], s.pipe.status)
	}
	n.end(n.fromClient)
	n.end(n.fromServer)
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		return errors.New("the session does not end with its client")
	}
}

// lastStatus is that of the last ReadyForQuery.
func lastStatus(c *conversation) byte {
	status := byte('I')
	for _, turn := range c.turns {
		for rest := turn.server; len(rest) > 0; {
			size := 1 + int(binary.BigEndian.Uint32(rest[1:]))
			if rest[0] == 'Z' {
				status = rest[5]
			}
			rest = rest[size:]
		}
	}
	return status
}

// memory is a client and a server connection in memory, of which a session has the other ends.
type memory struct {
	mu   sync.Mutex
	cond *sync.Cond
	// What a session reads, and what it has written.
	fromClient, fromServer, toClient, toServer *stream
}

// stream is one direction of a connection.
type stream struct {
	bytes   []byte
	ended   bool
	expired bool // the reader's deadline has passed
	timer   *time.Timer
	waiting bool // the reader is blocked
}

func newMemory() *memory {
	n := &memory{fromClient: &stream{}, fromServer: &stream{}, toClient: &stream{}, toServer: &stream{}}
	n.cond = sync.NewCond(&n.mu)
	return n
}

// link is a session's view of the two, after login.
func (n *memory) link() *link {
	return &link{
		client: newLeg(&memoryConn{memory: n, in: n.fromClient, out: n.toClient}, nil),
		server: newLeg(&memoryConn{memory: n, in: n.fromServer, out: n.toServer}, nil),
		status: 'I', params: map[string]string{"client_encoding": "UTF8", "standard_conforming_strings": "on"},
		startup: startup{user: "postgres", database: "postgres"}, drain: context.Background(),
	}
}

// feed gives bytes to a reader, the pieces between cuts one by one; at is their position in the stream. It returns when the
// session waits for more from both sides.
func (n *memory) feed(s *stream, b []byte, at int, cuts func(from, to int) []int) error {
	begin := at
	for _, cut := range append(cuts(at, at+len(b)), at+len(b)) {
		if err := n.deliver(s, b[at-begin:cut-begin]); err != nil {
			return err
		}
		at = cut
	}
	return nil
}

func (n *memory) deliver(s *stream, b []byte) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.bytes = append(s.bytes, b...)
	n.cond.Broadcast()
	for !n.fromClient.drained() || !n.fromServer.drained() {
		if n.toServer.ended {
			return errors.New("the session has ended")
		}
		n.cond.Wait()
	}
	return nil
}

func (s *stream) drained() bool { return s.waiting && len(s.bytes) == 0 }

// taken returns what the session has written since the last time.
func (n *memory) taken(s *stream) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := s.bytes
	s.bytes = nil
	return b
}

func (n *memory) end(s *stream) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s.ended = true
	n.cond.Broadcast()
}

func (n *memory) close() {
	for _, s := range []*stream{n.fromClient, n.fromServer, n.toClient, n.toServer} {
		n.end(s)
	}
}

// memoryConn is a session's end of a connection in memory.
type memoryConn struct {
	net.Conn
	memory  *memory
	in, out *stream
}

func (c *memoryConn) Read(p []byte) (int, error) {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	for {
		switch {
		case c.in.expired:
			return 0, os.ErrDeadlineExceeded
		case len(c.in.bytes) > 0:
			n := copy(p, c.in.bytes)
			c.in.bytes = c.in.bytes[n:]
			return n, nil
		case c.in.ended:
			return 0, io.EOF
		}
		c.in.waiting = true
		c.memory.cond.Broadcast()
		c.memory.cond.Wait()
		c.in.waiting = false
	}
}

func (c *memoryConn) Write(p []byte) (int, error) {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	if c.out.ended {
		return 0, io.ErrClosedPipe
	}
	c.out.bytes = append(c.out.bytes, p...)
	c.memory.cond.Broadcast()
	return len(p), nil
}

func (c *memoryConn) SetReadDeadline(at time.Time) error {
	c.memory.mu.Lock()
	defer c.memory.mu.Unlock()
	if c.in.timer != nil {
		c.in.timer.Stop()
	}
	c.in.expired = !at.IsZero() && !at.After(time.Now())
	if !at.IsZero() && !c.in.expired {
		c.in.timer = time.AfterFunc(time.Until(at), func() { _ = c.SetReadDeadline(longAgo) })
	}
	c.memory.cond.Broadcast()
	return nil
}

// SetDeadline is the reader's alone: a write never waits.
func (c *memoryConn) SetDeadline(at time.Time) error { return c.SetReadDeadline(at) }

func (c *memoryConn) CloseWrite() error {
	c.memory.end(c.out)
	return nil
}

func (c *memoryConn) Close() error {
	c.memory.end(c.in)
	c.memory.end(c.out)
	return nil
}
