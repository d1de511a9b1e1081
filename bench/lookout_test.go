package main

import (
	"testing"
	"time"
)

func TestReason(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	look := func(ms, stolen int, events map[uint32]string) glance {
		return glance{at: at(ms), stolen: time.Duration(stolen) * time.Millisecond, events: events}
	}
	seen := []glance{
		look(0, 100, map[uint32]string{1: "Lock relation"}),
		look(20, 110, map[uint32]string{1: "LWLock BufferContent", 2: ""}),
		look(40, 110, map[uint32]string{1: "LWLock BufferContent", 2: ""}),
		look(60, 150, map[uint32]string{1: "", 2: "Lock relation"}),
		look(80, 400, map[uint32]string{1: "Lock relation"}),
	}
	for name, c := range map[string]struct {
		pid      uint32
		from, to int
		want     string
	}{
		"a page":          {1, 10, 70, "for LWLock BufferContent in 2 of 3 looks, 50 ms stolen"},
		"a processor":     {2, 10, 70, "for a processor in 2 of 3 looks, 50 ms stolen"},
		"not sent yet":    {3, 10, 50, "for its turn in 2 of 2 looks, 10 ms stolen"},
		"the very first":  {1, 0, 10, "for Lock relation in 1 of 1 looks, 0 ms stolen"},
		"between 2 looks": {1, 21, 39, "not looked at"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := reason(seen, c.pid, at(c.from), at(c.to)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
