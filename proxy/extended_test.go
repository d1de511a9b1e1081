package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"testing"
	"time"
)

// That a prepared write touches few rows is believed for a while, of parameters of some length, and of one search_path.
func TestBindIsLookedAtAgain(t *testing.T) {
	n := newMemory()
	defer n.close()
	options := SessionOptions{Mode: Enforce}.complete(slog.New(slog.DiscardHandler))
	s := newSession(&options, n.link())
	bind := frameOf('B', []byte("\x00s\x00\x00\x00\x00\x00\x00\x00"))
	for _, c := range []struct {
		name      string
		prepared  prepared
		wandering bool
		want      bool
	}{
		{"for a while", prepared{most: math.MaxInt, until: forever}, false, false},
		{"no longer", prepared{most: math.MaxInt, until: time.Now().Add(-time.Second)}, false, true},
		{"by another path", prepared{most: math.MaxInt, until: forever}, true, true},
		{"by its key", prepared{most: 100}, true, false},
		{"with long parameters", prepared{most: 5, until: forever}, false, true},
		{"never", prepared{}, false, true},
	} {
		s.prepared["s"], s.wandering = &c.prepared, c.wandering
		if got := s.matters('B', bind); got != c.want {
			t.Errorf("%s: it is looked at: %v", c.name, got)
		}
	}
}

// What the server has forgotten is not remembered either: a client that gives each portal another name, and long parameters, would fill the memory.
func TestPortalsEndWithTheirTransaction(t *testing.T) {
	t.Parallel()
	left := make(chan int, 1)
	c := dialRaw(t, startSessions(t, sessionOptions(t, Enforce), func(s *session, ctx context.Context) error {
		err := s.run(ctx)
		left <- len(s.portals)
		return err
	}))
	c.send(startupPacket(version30, "user", "postgres"))
	c.until('Z')
	c.send(frameOf('P', []byte("s\x00CREATE TABLE never ()\x00\x00\x00")), frameOf('S', nil))
	c.until('Z')
	for i := range 20 {
		c.send(frameOf('B', fmt.Appendf(nil, "p%d\x00s\x00\x00\x00\x00\x00\x00\x00", i)), frameOf('S', nil))
		c.until('Z')
	}
	c.send(frameOf('X', nil))
	if n := <-left; n > 1 {
		t.Errorf("%d portals are remembered", n)
	}
}
