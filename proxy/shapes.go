package proxy

import (
	"hash/maphash"
	"sync"
	"time"
)

// shapes remembers, for all sessions, the shapes of statements whose rows are few by their keys, in tables that all find by the same names: those pass
// unread.
//
// What is remembered may have ceased to be so, and a write of many rows runs whole then, as it would without a proxy. That is bounded: by keyedFor for a
// key that was dropped, by countedFor for a small table that has grown and a rare value that has become frequent. A named statement of the protocol
// that was few by a key when it was prepared is believed as long as it is prepared: its key would have to be dropped under it.
type shapes struct {
	seed maphash.Seed

	mu    sync.RWMutex
	known map[uint64]shape
}

// shape is what is known of the statements that differ in nothing but their constants.
type shape struct {
	// few is true when they touch few rows, if they are no longer than most bytes; 0 is any length.
	few  bool
	most int
	// until is when it has to be looked at again.
	until time.Time
}

const (
	// mostShapes bounds what is remembered, of all sessions and of one.
	mostShapes    = 16 << 10
	mostOwnShapes = 1 << 10
	// keyedFor is how long it is believed that a key is there, countedFor how long that a table is small or that a value is rare.
	keyedFor   = 10 * time.Minute
	countedFor = 30 * time.Second
)

func newShapes() *shapes { return &shapes{seed: maphash.MakeSeed(), known: map[uint64]shape{}} }

func (s *shapes) get(key uint64) (shape, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found, ok := s.known[key]
	return found, ok
}

func (s *shapes) put(key uint64, what shape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	makeRoom(s.known, mostShapes)
	s.known[key] = what
}

// makeRoom forgets any one of too many.
func makeRoom[K comparable, V any](known map[K]V, most int) {
	for key := range known {
		if len(known) < most {
			return
		}
		delete(known, key)
	}
}
