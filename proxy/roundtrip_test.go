package proxy

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/run"
)

// What each statement of testdata/roundtrips.txt costs with a ledger and an audit trail: a line for each time that somebody waits for the server, on the
// client's own connection and on the control connection. Nothing there may grow unnoticed.
//
//	connect   begins anew with another session, whose time stands still
//	direct    statements straight to the server
//	later     lets so much time pass
//	simple    one simple Query each line
//	extended  each line prepared and executed, with a Sync of its own
func TestRoundTrips(t *testing.T) {
	w := newStage(t, Enforce, true, false)
	sent, asked := &recorder{}, newAsked()
	options := *w.server.following.Load()
	options.Control = overheard{options.Control, asked}
	w.server.following.Store(&options)
	inner := w.server.run
	w.server.run = func(ctx context.Context, l *link) error {
		sent.listen(l.server)
		return inner(ctx, l)
	}
	sessions := 0
	datadriven.RunTest(t, "testdata/roundtrips.txt", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "connect":
			sessions++
			w.conn(t, fmt.Sprint(sessions))
			return ""
		case "direct", "later":
			return w.command(t, d)
		}
		conn := w.conn(t, fmt.Sprint(sessions))
		var out strings.Builder
		for sql := range strings.SplitSeq(d.Input, "\n") {
			sent.roundTrips()
			asked.take()
			var err error
			if d.Cmd == "extended" {
				_, err = conn.ExecParams(t.Context(), sql, nil, nil, nil, nil).Close()
			} else {
				err = conn.Exec(t.Context(), sql).Close()
			}
			if err != nil {
				t.Fatalf("%s: %s: %v", d.Pos, sql, err)
			}
			syncAlone(t, conn)
			client, control := sent.roundTrips(), asked.take()
			client = client[:len(client)-1] // the Sync
			fmt.Fprintf(&out, "%s: %d + %d\n", sql, len(client), len(control))
			for _, line := range client {
				fmt.Fprintf(&out, "  client   %s\n", line)
			}
			for _, line := range control {
				fmt.Fprintf(&out, "  control  %s\n", line)
			}
		}
		return out.String()
	})
}

// syncAlone returns when the session has nothing more to do for what it was sent before: some of that comes behind the answer.
func syncAlone(t *testing.T, conn *pgconn.PgConn) {
	t.Helper()
	client := conn.Frontend()
	client.SendSync(&pgproto3.Sync{})
	if err := client.Flush(); err != nil {
		t.Fatal(err)
	}
	if m, err := client.Receive(); err != nil {
		t.Fatal(err)
	} else if _, ready := m.(*pgproto3.ReadyForQuery); !ready {
		t.Fatalf("a Sync is answered by %T", m)
	}
}

// roundTrips are the messages since it was last asked, a line for each of those that the session has waited for.
func (r *recorder) roundTrips() (lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var texts []string
	for {
		m, err := readMessage(&r.out)
		if err != nil {
			return lines
		}
		switch m.kind {
		case 'P':
			_, rest, _ := cString(m.body)
			query, _, _ := cString(rest)
			texts = append(texts, query)
		case 'E':
			if len(texts) == 0 {
				texts = append(texts, "what is prepared")
			}
		case 'Q':
			query, _, _ := cString(m.body)
			texts = append(texts, query)
		}
		if m.kind == 'Q' || m.kind == 'S' || m.kind == 'H' {
			lines, texts = append(lines, titles(texts)), nil
		}
	}
}

// titles are the first words of statements.
func titles(texts []string) string {
	for i, text := range texts {
		texts[i] = title(text)
	}
	return strings.Join(texts, "; ")
}

// title is what a statement says of itself, or its first words.
func title(text string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if runes := []rune(first); len(runes) > 70 {
		first = string(runes[:70]) + "…"
	}
	return longNumber.ReplaceAllString(first, "N")
}

// asked are the questions on control connections, of which some are lent at the moment.
type asked struct {
	mu    sync.Mutex
	back  *sync.Cond
	lines []string
	lent  int
}

func newAsked() *asked {
	a := &asked{}
	a.back = sync.NewCond(&a.mu)
	return a
}

func (a *asked) lend(by int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lent += by
	a.back.Broadcast()
}

func (a *asked) note(texts ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, titles(texts))
}

// take waits until all connections are back: an answer does not wait for all that is written about it.
func (a *asked) take() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.lent > 0 {
		a.back.Wait()
	}
	lines := a.lines
	a.lines = nil
	return lines
}

// overheard is a Control whose questions are noted.
type overheard struct {
	Control
	to *asked
}

func (o overheard) Conn(ctx context.Context, database string) (run.Conn, func(), error) {
	conn, release, err := o.Control.Conn(ctx, database)
	if err != nil {
		return nil, nil, err
	}
	o.to.lend(1)
	return overheardConn{conn, o.to}, func() { release(); o.to.lend(-1) }, nil
}

type overheardConn struct {
	run.Conn
	to *asked
}

func (c overheardConn) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	c.to.note(sql)
	return c.Conn.Exec(ctx, sql, args...)
}

func (c overheardConn) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	c.to.note(sql)
	return c.Conn.Query(ctx, sql, args...)
}

func (c overheardConn) Chain(ctx context.Context, sql ...string) ([]string, error) {
	c.to.note(append([]string{}, sql...)...)
	return c.Conn.Chain(ctx, sql...)
}
