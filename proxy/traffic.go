package proxy

import "sync"

// Traffic is what sessions have moved.
type Traffic struct {
	// FromClients and FromServers are bytes that were received, those of encrypted connections behind the encryption. The bytes of a physical
	// replication connection are counted at its end.
	FromClients, FromServers int64
	// Passed are statements that passed unread.
	Passed int64
}

// tally adds up what links count by themselves. They share no counter: sessions would wait for each other at it, with every message.
type tally struct {
	mu    sync.Mutex
	open  map[*link]bool
	ended Traffic
}

func (t *tally) begin(l *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[l] = true
}

func (t *tally) end(l *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, l)
	t.ended.add(l)
}

// sum never gets less from one call to the next.
func (t *tally) sum() Traffic {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.ended
	for l := range t.open {
		all.add(l)
	}
	return all
}

func (t *Traffic) add(l *link) {
	t.FromClients += l.client.received.Load()
	t.FromServers += l.server.received.Load()
	t.Passed += l.passed.Load()
}
