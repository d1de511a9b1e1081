package proxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox"
)

// countingServer is a server that tells of each connection what becomes of it: "N login" or "N closed", if it ends without one. answer is what it says to the
// login on connection N, the first of which is 1; nil hangs up at once, before the login.
func countingServer(t *testing.T, answer func(n int) []byte) (Address, <-chan string) {
	t.Helper()
	events := make(chan string, 100)
	return numberingServer(t, func(n int, conn net.Conn) {
		says := answer(n)
		if says == nil {
			return
		}
		if _, err := readStartup(newLeg(conn, nil)); err != nil {
			events <- fmt.Sprint(n, " closed")
			return
		}
		events <- fmt.Sprint(n, " login")
		_, _ = conn.Write(says)
		_, _ = io.Copy(io.Discard, conn)
	}), events
}

// waiting is the connection that waits for its login, once none is being opened.
func (f *front) waiting(t *testing.T) (s *spare) {
	t.Helper()
	h := f.upstream.ahead
	eventually(t, func() (bool, string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		s = h.spare
		return !h.busy, "a connection is being opened"
	})
	return s
}

func always(int) []byte { return []byte(loggedIn) }

// Logins that come one close behind the other find a connection that is open already; the last one is closed when the proxy ends.
func TestConnectAhead(t *testing.T) {
	server, events := countingServer(t, always)
	upstream := plainly(server)
	upstream.ConnectAhead = time.Hour
	f := start(t, Options{Upstream: upstream}, nil)
	expect := func(want string) {
		t.Helper()
		if got := <-events; got != want {
			t.Fatalf("the server saw %q, want %q", got, want)
		}
	}
	login(t, f)
	expect("1 login")
	if f.waiting(t) != nil {
		t.Error("a connection was opened behind the only login")
	}
	login(t, f)
	expect("2 login")
	for n := 3; n < 6; n++ {
		if f.waiting(t) == nil {
			t.Fatal("no connection waits for the next login")
		}
		login(t, f)
		expect(fmt.Sprint(n, " login"))
	}
	f.waiting(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = f.Shutdown(ctx)
	expect("6 closed")
}

// By default a Server opens nothing that no client has asked for.
func TestNothingIsOpenedAhead(t *testing.T) {
	server, events := countingServer(t, always)
	f := start(t, Options{Upstream: plainly(server)}, nil)
	for n := range 4 {
		login(t, f)
		if got := <-events; got != fmt.Sprint(n+1, " login") {
			t.Errorf("the server saw %q", got)
		}
	}
	if f.waiting(t) != nil {
		t.Error("a connection waits")
	}
}

// What a server has become since the connection was opened is nothing that the client hears of. What it says to this client is.
func TestConnectionOpenedAheadIsNoUse(t *testing.T) {
	refusal := func(code string) []byte { return (&fatal{code: code, message: "no"}).encode() }
	for name, c := range map[string]struct {
		ahead []byte // what the server says on the connection that was opened ahead
		want  string
	}{
		"it was starting":         {refusal("57P03"), "3 login, 4 login: logged in"},
		"its postmaster has died": {refusal("57P01"), "3 login, 4 login: logged in"},
		"it is full":              {refusal("53300"), "3 login: FATAL 53300 no"},
		"it hung up":              {nil, "4 login: logged in"},
		"it refuses this client":  {refusal("28000"), "3 login: FATAL 28000 no"},
	} {
		t.Run(name, func(t *testing.T) {
			server, events := countingServer(t, func(n int) []byte {
				if n == 3 {
					return c.ahead
				}
				return []byte(loggedIn)
			})
			upstream := plainly(server)
			// The one that opens connections is stopped behind the third: the fourth is the client's own.
			upstream.ConnectAhead = time.Hour
			f := start(t, Options{Upstream: upstream}, nil)
			login(t, f)
			login(t, f)
			<-events
			<-events
			f.waiting(t)
			f.upstream.ahead.cancel()

			client := dialRaw(t, f.tcp)
			client.send(startupPacket(version30, "user", "postgres"))
			outcome := "logged in"
			if kind, body := client.message(); kind == 'E' {
				outcome = errorText(t, body)
			}
			var seen []string
			for len(events) > 0 {
				seen = append(seen, <-events)
			}
			if got := strings.Join(seen, ", ") + ": " + outcome; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// When logins are rare, none is expected; a connection that nobody came for is closed.
func TestConnectionOpenedAheadExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var servers []net.Conn
		here, elsewhere := Address{Host: "here", Port: 1}, Address{Host: "elsewhere", Port: 1}
		h := newAhead(time.Second, func(_ context.Context, ours *sockets, a Address) (net.Conn, error) {
			if a == elsewhere {
				return nil, errors.New("nobody is there")
			}
			conn, server := net.Pipe()
			ours.add(conn)
			servers = append(servers, server)
			return conn, nil
		}, func(Address) net.Conn { return nil }, slog.New(slog.DiscardHandler))
		defer h.close()
		began := time.Now()
		take := func(a Address, found bool, opened int) {
			t.Helper()
			conn, close := h.take(a, &sockets{})
			if close {
				h.follow(a)
			}
			synctest.Wait()
			if (conn != nil) != found || len(servers) != opened {
				t.Errorf("after %s: found %v, %d opened; want %v, %d", time.Since(began), conn != nil, len(servers), found, opened)
			}
			if conn != nil {
				_ = conn.Close()
			}
		}
		take(here, false, 0)
		time.Sleep(time.Second)
		take(here, false, 0) // not close behind
		time.Sleep(time.Second - 1)
		take(here, false, 1)
		time.Sleep(time.Second - 1)
		take(here, true, 2)
		take(elsewhere, false, 2) // a server that is used in place of another, which is not reached: no login comes close behind one to the same
		take(here, true, 2)
		take(here, false, 3)
		time.Sleep(time.Second)
		synctest.Wait()
		if _, err := servers[2].Read(make([]byte, 1)); err != io.EOF || h.spare != nil {
			t.Errorf("what nobody came for is still there: %v, %v", err, h.spare)
		}
		take(elsewhere, false, 3)
		take(elsewhere, false, 3) // cannot be opened
		take(here, false, 3)
	})
}

// The real server: TLS is agreed on ahead, its restart between two logins does not show, and its log has no complaint of a connection that nobody used.
func TestConnectAheadOfPostgres(t *testing.T) {
	t.Parallel()
	cert, key := newAuthority(t).issue(t, "localhost", nil)
	server := startTLSServer(t, pgbox.Options{TLSCert: cert, TLSKey: key})
	for _, mode := range []SSLMode{SSLDisable, SSLPrefer, SSLRequire} {
		t.Run(string(mode), func(t *testing.T) {
			f := start(t, Options{Upstream: Upstream{Addresses: []Address{addressOf(server)}, SSLMode: mode, ConnectAhead: time.Hour}}, nil)
			ask := func() {
				t.Helper()
				out, err := psql(t, f.tcp.conninfo("user=postgres dbname=postgres"), askTLS)
				if want := fmt.Sprint(mode != SSLDisable); err != nil || out != want {
					t.Errorf("psql says %q, want %q", out, want)
				}
			}
			for range 4 {
				ask()
				f.waiting(t)
			}
			waiting := f.waiting(t)
			if waiting == nil {
				t.Fatal("no connection waits for the next login")
			}
			if err := server.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			ask()
			now := f.waiting(t)
			if now == waiting {
				t.Error("the connection to the server that has ended still waits")
			}
			_ = now.conn.Close() // as when it is due
		})
	}
	if err := server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(server.Log())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "could not") || strings.Contains(line, "incomplete") || strings.Contains(line, "SSL") || strings.Contains(line, "EOF") {
			t.Errorf("the server complains: %s", line)
		}
	}
}
