package proxy

import (
	"net"
	"testing"
)

// What a session moves is counted while it is open, and no sum is ever less than one before it.
func TestTrafficIsCounted(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, false, false)
	conn := w.open(t, "a", nil)
	before := w.server.Traffic()
	execAll(t, conn, "SELECT repeat('x', 300000)")
	execAll(t, conn, "SELECT 1")
	during := w.server.Traffic()
	if got := during.Passed - before.Passed; got != 2 {
		t.Errorf("%d statements passed unread, want 2", got)
	}
	if got := during.FromServers - before.FromServers; got < 300_000 || got > 302_000 {
		t.Errorf("%d bytes came from the server", got)
	}
	if got := during.FromClients - before.FromClients; got < 40 || got > 200 {
		t.Errorf("%d bytes came from the client", got)
	}
	_ = conn.Close(t.Context())
	eventually(t, func() (ok bool, what string) {
		if sum := w.server.Traffic(); sum.FromClients < during.FromClients || sum.FromServers < during.FromServers {
			t.Fatalf("the sum fell from %+v to %+v", during, sum)
		}
		return w.server.Sessions() == 0, "the session does not end"
	})
	if sum := w.server.Traffic(); sum.FromClients < during.FromClients || sum.FromServers < during.FromServers || sum.Passed != during.Passed {
		t.Errorf("after the end of the session %+v, before it %+v", sum, during)
	}
	if len(w.server.traffic.open) != 0 {
		t.Error("a link is kept that has ended")
	}
}

// refusals counts the clients that were sent away.
type refusals struct {
	noMeter
	states chan string
}

func (r *refusals) ConnectionRefused(sqlState string) { r.states <- sqlState }

// A client that is sent away counts.
func TestRefusedConnectionIsCounted(t *testing.T) {
	counted := &refusals{states: make(chan string, 1)}
	options := sessionOptions(t, Enforce)
	options.Meter = counted
	f := start(t, Options{Upstream: Upstream{Addresses: []Address{{Host: "127.0.0.1", Port: closedPort(t)}}}, Session: &options}, nil)
	conn, err := net.Dial("tcp", f.tcp.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("\x00\x00\x00\x10\x00\x03\x00\x00user\x00a\x00\x00")); err != nil {
		t.Fatal(err)
	}
	if got := <-counted.states; got != "08006" {
		t.Errorf("counted %s", got)
	}
}

// closedPort is a port that nobody listens on.
func closedPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}
