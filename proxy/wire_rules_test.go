package proxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
	"github.com/pgsluice/pgsluice/revisions"
)

// Cases with rules on show both legs: until prints what the client saw, sent what the server was sent. In testdata/wire/rules the
// rules are the real ones, for which every table is large; in testdata/wire/blocked whatever is of concern is refused.
func TestWireRules(t *testing.T) {
	t.Parallel()
	for folder, set := range map[string]*policy.Set{
		"rules/":   sessionOptions(t, Enforce).Policy,
		"blocked/": blockEverything(t),
	} {
		for _, name := range wireFiles(t, folder) {
			t.Run(name, func(t *testing.T) {
				r := &wireRun{file: name, worlds: []*world{recordedWorld(t, set)}}
				datadriven.RunTest(t, "testdata/wire/"+name+".txt", r.recorded)
			})
		}
	}
}

// blockEverything is a policy that refuses every statement that it is asked about.
func blockEverything(t testing.TB) *policy.Set {
	t.Helper()
	set, err := policy.NewSet([]policy.Rule{everything()}, policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// everything is a rule that refuses whatever it is asked about.
func everything() policy.Rule {
	return policy.Rule{
		Name: "everything", Title: "Nothing is let through", Doc: "For tests.", Since: "0.1", Default: policy.Block, Cases: "-",
		Run: func(c *policy.Check) {
			c.Report(policy.Finding{Action: policy.Block, Message: c.Stmt.Tag + " is refused"})
		},
	}
}

// Every wire case runs straight to the server and through a session that observes, with every rule in force and one that refuses everything. A
// client can tell no difference, and the trail has what the rules would have done.
func TestObserveChangesNothing(t *testing.T) {
	t.Parallel()
	o := newObserved(t)
	for _, folder := range []string{"", "rules/", "blocked/"} {
		before := len(o.trail.String())
		for _, name := range slices.DeleteFunc(wireFiles(t, folder), streamsWAL) {
			o.changesNothing(t, name)
		}
		if got := o.trail.String()[before:]; !strings.Contains(got, `"verdict":"block"`) || !strings.Contains(got, `"outcome":"done"`) {
			t.Errorf("the trail has no judgement of what is in %q:\n%s", folder, got)
		}
	}
}

// As in TestWireOfReplication nothing runs beside it.
func TestObserveChangesNothingOfReplication(t *testing.T) {
	newObserved(t).changesNothing(t, "replication")
}

// observed is a server with a session in front of it that observes, and its trail.
type observed struct {
	both        []*world
	differences []difference
	trail       *lockedBuffer
}

func newObserved(t *testing.T) *observed {
	t.Helper()
	set, err := policy.NewSet(append(rules.All(), everything()), policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := control.New(control.Options{DSN: pgtest.Database(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	o := &observed{trail: &lockedBuffer{}}
	options := SessionOptions{
		Mode: Observe, Policy: set, Control: lent{pool}, Audit: revisions.NewAudit(o.trail), AuditRequired: true, Deferred: true, BlockOnFailed: true,
	}.complete(slog.New(slog.DiscardHandler))
	o.both = []*world{newWorld(t, "direct", addressOf(pgtest.Server(t))), newWorld(t, "observing", startSessions(t, options, (*session).run))}
	o.differences = slices.DeleteFunc(readDifferences(t), func(d difference) bool { return d.world != "observing" })
	return o
}

// changesNothing runs a file of cases.
func (o *observed) changesNothing(t *testing.T, name string) {
	t.Run(name, func(t *testing.T) {
		r := &wireRun{file: name, worlds: o.both, differences: o.differences}
		r.empty(t)
		datadriven.RunTest(t, "testdata/wire/"+name+".txt", func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "sent" {
				seen := len(r.differing)
				if got := r.directive(t, d); len(r.differing) > seen {
					t.Logf("%s: %s", d.Pos, got)
				}
			}
			return d.Expected
		})
		r.finish(t)
	})
}

func recordedWorld(t *testing.T, set *policy.Set) *world {
	t.Helper()
	options := SessionOptions{Mode: Enforce, Policy: set, Log: slog.New(slog.DiscardHandler)}.complete(nil)
	sent := &recorder{}
	o := Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}
	f := start(t, o, func(ctx context.Context, l *link) error {
		sent.listen(l.server)
		return newSession(&options, l).run(ctx)
	})
	w := newWorld(t, "enforcing", f.tcp)
	w.recorder = sent
	return w
}

// recorder keeps what was written.
type recorder struct {
	mu  sync.Mutex
	out bytes.Buffer
}

// listen keeps what is written to a leg from now on, and what is written to its connection.
func (r *recorder) listen(l *leg) {
	l.conn = &recorded{Conn: l.conn, to: r}
	put := l.put
	l.put = func(fd uintptr) bool {
		r.mu.Lock()
		defer r.mu.Unlock() // behind the write: whoever has its answer finds it here
		before := l.left
		done := put(fd)
		r.out.Write(before[:len(before)-len(l.left)])
		return done
	}
}

// recorded is a connection whose writes are kept.
type recorded struct {
	net.Conn
	to *recorder
}

func (c *recorded) Write(b []byte) (int, error) {
	c.to.mu.Lock()
	c.to.out.Write(b)
	c.to.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *recorded) CloseWrite() error {
	closeWrite(c.Conn)
	return nil
}

// ownName is the name of a session's own prepared statement and portal.
var ownName = regexp.MustCompile("pgsluice_[a-z0-9]{26}")

// sent shows what the server was sent since it was last asked for. A statement of the session's own is one line.
func (w *world) sent() string {
	w.recorder.mu.Lock()
	defer w.recorder.mu.Unlock()
	var lines []string
	for {
		m, err := readMessage(&w.recorder.out)
		if err != nil {
			return strings.Join(repeatsFolded(lines), "\n")
		}
		own := ownName.Match(m.body)
		switch last := len(lines) - 1; {
		case own && m.kind == 'P':
			_, text, _ := cString(m.body)
			query, _, _ := cString(text)
			lines = append(lines, "pgsluice: "+longNumber.ReplaceAllString(cutShort(query), "N"))
		case own:
		case (m.kind == 'S' || m.kind == 'H') && last >= 0 && strings.HasPrefix(lines[last], "pgsluice: "):
			lines[last] += " / " + showSent(m)
		default:
			lines = append(lines, showSent(m))
		}
	}
}

func readMessage(r io.Reader) (message, error) {
	kind, size, err := readHeader(r)
	if err != nil {
		return message{}, err
	}
	return readBody(r, kind, size)
}

func readHeader(r io.Reader) (kind byte, size int64, err error) {
	var header [headerSize]byte
	_, err = io.ReadFull(r, header[:])
	return header[0], int64(binary.BigEndian.Uint32(header[1:])) - 4, err
}

func readBody(r io.Reader, kind byte, size int64) (message, error) {
	var body bytes.Buffer // which grows with what comes, not with what is announced
	n, err := io.CopyN(&body, r, size)
	if err == io.EOF && n > 0 {
		err = io.ErrUnexpectedEOF
	}
	return message{kind, body.Bytes()}, err
}
