package proxy

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// recordedMajor is the version of the server that the cases were recorded with. Other versions word some errors differently;
// then only the comparison between the ways counts.
const recordedMajor = 15

// The wire cases are text files of messages. Each runs straight to Postgres, whose answers are recorded in the file, through a session
// that understands nothing, and through one that judges, with statements about which it has nothing to say. A client must not
// be able to tell the three apart: answers are compared byte by byte. Where they differ, the file shows how, and
// testdata/wire/differences.txt says why.
//
// The directives of a file:
//
//	case NAME                        closes all connections; what the file has made so far stays
//	sql                              runs statements beside the case, and prints rows
//	connect [conn=C] [protocol=3.0]  opens a connection with startup parameters "name value"; one that was not opened is opened on its first use
//	send [conn=C]                    messages, one a line, written at once (see encodeLines and expand)
//	until [conn=C] [ignore=TYPE]     reads up to the named messages, one after the other, and prints all of them
//	wait                             until a condition in SQL is true
//	cancel [conn=C]                  sends a CancelRequest and waits until the server has taken it
//	close, halfclose [conn=C]        ends the connection, or the client's half of it
//	sent                             prints what the server was sent since the last time (TestWireRules)
func TestWire(t *testing.T) {
	t.Parallel()
	runInEveryWorld(t, slices.DeleteFunc(wireFiles(t, ""), streamsWAL))
}

// Who streams the WAL is seen in every database of a server, so that nothing else may run beside these cases.
func TestWireOfReplication(t *testing.T) {
	runInEveryWorld(t, slices.DeleteFunc(wireFiles(t, ""), func(name string) bool { return !streamsWAL(name) }))
}

func streamsWAL(name string) bool { return name == "replication" }

// wireFiles are the names of the files of cases in a folder of testdata/wire.
func wireFiles(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/wire/" + folder + "*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no wire cases in %q: %v", folder, err)
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".txt"); name != "differences" {
			names = append(names, folder+name)
		}
	}
	return names
}

func runInEveryWorld(t *testing.T, names []string) {
	differences := readDifferences(t)
	for _, d := range differences {
		if file, _, _ := strings.Cut(d.name, "/"); !slices.Contains(wireFiles(t, ""), file) {
			t.Errorf("differences.txt names %s, and there is no such file", d.name)
		}
	}
	all := worlds(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			r := &wireRun{file: name, worlds: all, differences: differences}
			r.empty(t)
			datadriven.RunTest(t, "testdata/wire/"+name+".txt", r.recorded)
			r.finish(t)
		})
	}
}

// world is one way to the server, with a database of its own.
type world struct {
	name     string
	address  Address
	database string
	side     *pgx.Conn
	conns    map[string]*wireClient
	oids     map[uint32]uint32
	// recorder has what the server was sent; nil where nobody asks.
	recorder *recorder
}

// worlds are the ways that must be the same. The first is the server itself.
func worlds(t *testing.T) []*world {
	return []*world{
		newWorld(t, "direct", addressOf(pgtest.Server(t))),
		newWorld(t, "transparent", startSessions(t, sessionOptions(t, Transparent), (*session).run)),
		newWorld(t, "observing", startSessions(t, observing(t), (*session).run)),
		newWorld(t, "enforcing", startSessions(t, sessionOptions(t, Enforce), (*session).run)),
		newWorld(t, "careful", startSessions(t, sessionOptions(t, Enforce), runCarefully)),
		newWorld(t, "choppy", startSessions(t, sessionOptions(t, Enforce), runChopped)),
	}
}

// observing is a session that would refuse everything of concern, if it did not only observe.
func observing(t *testing.T) SessionOptions {
	options := sessionOptions(t, Observe)
	options.Policy = blockEverything(t)
	return options
}

// startSessions runs a Server whose sessions are real until the test ends.
func startSessions(t *testing.T, options SessionOptions, run func(*session, context.Context) error) Address {
	t.Helper()
	o := Options{Upstream: Upstream{Addresses: []Address{addressOf(pgtest.Server(t))}}}
	return start(t, o, func(ctx context.Context, l *link) error { return run(newSession(&options, l), ctx) }).tcp
}

// runCarefully is run for a session that has prepared something of concern, and that takes every Query from the relay.
func runCarefully(s *session, ctx context.Context) error {
	defer s.end()
	s.prepared["of concern"] = &prepared{}
	for {
		err := s.relay.run(ctx, func(kind byte, frame []byte) bool {
			return kind == 'Q' || kind == 'B' || kind == 'E' || kind == 'C' || s.matters(kind, frame)
		})
		if err == nil {
			err = s.message(ctx)
		}
		if err != nil {
			return s.close(err)
		}
	}
}

// runChopped is runCarefully for a session that reads byte by byte.
func runChopped(s *session, ctx context.Context) error {
	for _, l := range []*leg{s.link.client, s.link.server} {
		l.conn, l.socket = &choppedConn{Conn: l.conn}, nil
	}
	return runCarefully(s, ctx)
}

// choppedConn is a connection that is read one byte at a time, and after a while, for the sake of long messages, in small pieces.
type choppedConn struct {
	net.Conn
	read int
}

func (c *choppedConn) Read(p []byte) (int, error) {
	piece := 1
	if c.read > 10_000 {
		piece = 997
	}
	n, err := c.Conn.Read(p[:min(piece, len(p))])
	c.read += n
	return n, err
}

func (c *choppedConn) CloseWrite() error {
	closeWrite(c.Conn)
	return nil
}

var inTheWay = []string{
	"cascade-dropped", "column-dropped", "foreign-key-behind-writer", "locks-add-up", "not-in-transaction", "object-renamed", "privilege-widened", "role-changed", "schema-dropped",
	"slow-behind-lock", "table-dropped", "table-renamed", "table-truncated", "table-without-primary-key", "view-dropped", "column-renamed",
}

// sessionOptions are those of a session without a control login, under all rules but those that would only be in the way of what the cases are
// about: they say what should not be done at all.
func sessionOptions(t testing.TB, mode Mode) SessionOptions {
	t.Helper()
	set, err := policy.NewSet(slices.DeleteFunc(rules.All(), func(r policy.Rule) bool { return slices.Contains(inTheWay, r.Name) }),
		policy.Settings{BulkRows: DefaultBulkRows})
	if err != nil {
		t.Fatal(err)
	}
	return SessionOptions{Mode: mode, Policy: set}.complete(slog.New(slog.DiscardHandler))
}

func newWorld(t *testing.T, name string, address Address) *world {
	t.Helper()
	side := pgtest.Connect(t, pgtest.Database(t))
	w := &world{name: name, address: address, database: side.Config().Database, side: side}
	if _, err := side.Exec(t.Context(), "SET lock_timeout = '10s'"); err != nil { // A case may have left a transaction open.
		t.Fatal(err)
	}
	w.reset()
	t.Cleanup(w.reset)
	return w
}

// reset closes what a case opened.
func (w *world) reset() {
	for _, c := range w.conns {
		c.close()
	}
	w.conns, w.oids = map[string]*wireClient{}, map[uint32]uint32{}
	if w.recorder != nil {
		w.sent()
	}
}

// conn is the named connection, opened when it is not.
func (w *world) conn(t testing.TB, name string) *wireClient {
	t.Helper()
	if _, open := w.conns[name]; !open {
		w.connect(t, name, version30, nil)
	}
	return w.conns[name]
}

// connect opens a connection and reads the answer to its startup packet.
func (w *world) connect(t testing.TB, name string, version uint32, parameters []string) transcript {
	t.Helper()
	packet := startupPacket(version, append([]string{"user", "postgres", "database", w.database}, parameters...)...)
	c := dial(t, w.address, packet)
	w.conns[name] = c
	got := c.until([]string{"ReadyForQuery"})
	if got.end == "silence" {
		t.Fatalf("%s: no answer to a startup packet: %v", w.name, got.lines())
	}
	return got
}

// wireRun is one file of cases on its way through all worlds.
type wireRun struct {
	file        string
	worlds      []*world
	differences []difference

	name string // of the case at hand
	// differing are the cases and worlds that were not like the first world; silent those in which no answer came.
	differing, silent []string
}

// recorded is directive, with what was recorded in place of what another version of the server says otherwise. Where nothing is there to
// compare with, what is in the database must be the same in every version.
func (r *wireRun) recorded(t *testing.T, d *datadriven.TestData) string {
	if got := r.directive(t, d); d.Cmd == "sql" && len(r.worlds) == 1 || pgtest.Server(t).Version() == recordedMajor {
		return got
	}
	return d.Expected
}

func (r *wireRun) directive(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	conn := "main"
	d.MaybeScanArgs(t, "conn", &conn)
	switch d.Cmd {
	case "case":
		r.name = r.file + "/" + d.CmdArgs[0].Key
		return r.each(t, func(w *world) transcript { w.reset(); return transcript{} })
	case "sql":
		return r.onSide(t, d.Input)
	case "connect":
		return r.connect(t, d, conn)
	case "send":
		var text string
		var encoded []byte // the same in every world, but for a process id or a database's name
		return r.each(t, func(w *world) transcript {
			if expanded := expand(t, d.Input, w); expanded != text {
				text, encoded = expanded, encodeLines(t, expanded)
			}
			w.conn(t, conn).send(encoded)
			return transcript{}
		})
	case "until":
		var ignored []string
		d.MaybeScanArgs(t, "ignore", &ignored)
		return r.until(t, conn, strings.Fields(expand(t, d.Input, r.worlds[0])), ignored)
	case "wait":
		return r.each(t, func(w *world) transcript {
			pgtest.WaitFor(t, w.side, expand(t, d.Input, w))
			return transcript{}
		})
	case "cancel":
		return r.each(t, func(w *world) transcript {
			victim := w.conn(t, conn)
			packet := startupPacket(cancelRequest)
			packet = append(packet, byte(victim.pid>>24), byte(victim.pid>>16), byte(victim.pid>>8), byte(victim.pid))
			packet = append(packet, victim.secret...)
			packet[3] = byte(len(packet))
			c := dial(t, w.address, packet)
			defer c.close()
			return c.until([]string{"EOF"})
		})
	case "close":
		return r.each(t, func(w *world) transcript {
			w.conn(t, conn).close()
			delete(w.conns, conn)
			return transcript{}
		})
	case "sent":
		return r.worlds[0].sent()
	case "halfclose":
		return r.each(t, func(w *world) transcript {
			c := w.conn(t, conn)
			<-c.written
			closeWrite(c.Conn)
			return transcript{}
		})
	}
	d.Fatalf(t, "there is no directive %q", d.Cmd)
	return ""
}

// connect opens a connection in each world and shows what differs from one login to another only by accident: the settings are not shown.
func (r *wireRun) connect(t *testing.T, d *datadriven.TestData, conn string) string {
	version := "3.0"
	d.MaybeScanArgs(t, "protocol", &version)
	major, minor, _ := strings.Cut(version, ".")
	code := number(t, major)<<16 | number(t, minor)
	return r.each(t, func(w *world) transcript {
		var parameters []string
		for line := range strings.Lines(expand(t, d.Input, w)) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			parameters = append(parameters, name, value)
		}
		return w.steadied(w.connect(t, conn, code, parameters), []string{"ParameterStatus"})
	})
}

func (r *wireRun) until(t *testing.T, conn string, names, ignored []string) string {
	for _, name := range slices.Concat(names, ignored) {
		if kindOf(name) == 0 && name != "EOF" {
			t.Fatalf("there is no server message %q", name)
		}
	}
	return r.each(t, func(w *world) transcript {
		return w.steadied(w.conn(t, conn).until(names), ignored)
	})
}

// steadied leaves out the messages that are ignored, and evens out what differs between runs.
func (w *world) steadied(got transcript, ignored []string) transcript {
	out := transcript{end: got.end}
	for _, m := range got.messages {
		if !slices.ContainsFunc(ignored, func(name string) bool { return kindOf(name) == m.kind }) {
			out.messages = append(out.messages, w.steady(m))
		}
	}
	return out
}

// empty leaves nothing of an earlier file.
func (r *wireRun) empty(t *testing.T) {
	for _, w := range r.worlds {
		w.reset()
		if _, err := w.side.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
			t.Fatal(err)
		}
	}
}

// each does one thing in every world and prints what the first one saw; of another one only what it saw differently.
func (r *wireRun) each(t *testing.T, do func(*world) transcript) string {
	t.Helper()
	var first transcript
	var out []string
	for i, w := range r.worlds {
		if slices.Contains(r.silent, r.name+" "+w.name) {
			continue
		}
		got := do(w)
		if got.end == "silence" {
			r.silent = append(r.silent, r.name+" "+w.name)
		}
		if i == 0 {
			first = got
			out = repeatsFolded(got.lines())
			continue
		}
		if got.equal(first, func(a, b message) bool { return a.kind == b.kind && bytes.Equal(a.body, b.body) }) {
			continue
		}
		r.differing = append(r.differing, r.name+" "+w.name)
		if got.equal(first, sameButSource) {
			out = append(out, "-- "+w.name+": the same, without the place in the server's source")
			continue
		}
		out = append(out, "-- "+w.name+":")
		out = append(out, repeatsFolded(got.lines())...)
	}
	return strings.Join(out, "\n")
}

// repeatsFolded shows of equal lines in a row one, with the number of the others.
func repeatsFolded(lines []string) []string {
	var out []string
	for i := 0; i < len(lines); {
		same := 1
		for i+same < len(lines) && lines[i+same] == lines[i] {
			same++
		}
		out = append(out, lines[i])
		if same > 1 {
			out = append(out, fmt.Sprintf("(%d more of these)", same-1))
		}
		i += same
	}
	return out
}

// onSide runs SQL beside the case in every world.
func (r *wireRun) onSide(t *testing.T, sql string) string {
	var first string
	for i, w := range r.worlds {
		results, err := w.side.PgConn().Exec(t.Context(), expand(t, sql, w)).ReadAll()
		var out []string
		for _, result := range results {
			for _, row := range result.Rows {
				out = append(out, string(bytes.Join(row, []byte("|"))))
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		text := strings.Join(out, "\n")
		if i == 0 {
			first = text
		} else if text != first {
			first += "\n-- " + w.name + ":\n" + text
			r.differing = append(r.differing, r.name+" "+w.name)
		}
	}
	return first
}

// finish compares the differences that were seen with those that are listed.
func (r *wireRun) finish(t *testing.T) {
	slices.Sort(r.differing)
	for _, seen := range slices.Compact(r.differing) {
		if !slices.ContainsFunc(r.differences, func(d difference) bool { return d.name+" "+d.world == seen }) {
			t.Errorf("%s is not like the server alone, and differences.txt does not say why", seen)
		}
	}
	for _, d := range r.differences {
		if strings.HasPrefix(d.name, r.file+"/") && !slices.Contains(r.differing, d.name+" "+d.world) {
			t.Errorf("differences.txt lists %s %s, which does not differ or does not exist", d.name, d.world)
		}
	}
}

// difference is a case in which a client can tell a world from the server alone.
type difference struct{ name, world, reason string }

// readDifferences reads lines of "file/case world: reason".
func readDifferences(t *testing.T) []difference {
	t.Helper()
	text, err := os.ReadFile("testdata/wire/differences.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []difference
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		where, reason, ok := strings.Cut(line, ": ")
		name, world, ok2 := strings.Cut(where, " ")
		if !ok || !ok2 || reason == "" {
			t.Fatalf("differences.txt: cannot read %q", line)
		}
		out = append(out, difference{name, world, reason})
	}
	return out
}
