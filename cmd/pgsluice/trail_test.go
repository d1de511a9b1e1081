package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/revisions"
)

func writeLines(t *testing.T, to *trailFile, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if _, err := to.Write([]byte(line + "\n")); err != nil {
			t.Fatal(err)
		}
	}
}

// A file that was moved away, or removed, is followed by a new one; what is in it already stays, and a torn line is ended.
func TestTrailFileIsRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit")
	if err := os.WriteFile(path, []byte("one\ntor"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := openTrailFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}()
	writeLines(t, file, "two")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	writeLines(t, file, "three", "four")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	writeLines(t, file, "five")
	if err := os.Rename(path, path+".2"); err != nil { // as logrotate does it with "create"
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	writeLines(t, file, "six")
	if err := file.Sync(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path + ".1": "one\ntor\ntwo\n", path + ".2": "five\n", path: "six\n"} {
		if got := fileText(t, name); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
}

func TestTrailFileThatCannotBeWritten(t *testing.T) {
	directory := t.TempDir()
	if _, err := openTrailFile(filepath.Join(directory, "nowhere", "audit")); err == nil {
		t.Error("a file in no directory was opened")
	}
	if err := os.Mkdir(filepath.Join(directory, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	file, err := openTrailFile(filepath.Join(directory, "below", "audit"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(directory, "below")); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte("lost\n")); err == nil {
		t.Error("a line was written into a file that nobody can find")
	}
	if err := os.Mkdir(filepath.Join(directory, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeLines(t, file, "kept")
	if got := fileText(t, filepath.Join(directory, "below", "audit")); got != "kept\n" {
		t.Errorf("it holds %q", got)
	}
	_ = file.Close()
}

// What a syslog gets over each kind of connection, and after that was broken.
func TestSyslog(t *testing.T) {
	directory, err := os.MkdirTemp("", "syslog") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(directory) }()
	socket := filepath.Join(directory, "s")
	local := regexp.MustCompile(`^<86>[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d pgsluice\[\d+\]: \{"n":\d\}\n$`)
	remote := regexp.MustCompile(`^<86>\d{4}-\d\d-\d\dT\S+ \S+ pgsluice\[\d+\]: \{"n":\d\}\n$`)

	t.Run("datagram socket", func(t *testing.T) {
		server, err := net.ListenPacket("unixgram", socket)
		if err != nil {
			t.Fatal(err)
		}
		s := openedSyslog(t, syslogPrefix+socket)
		sendSyslog(t, s, `{"n":1}`)
		wantPacket(t, server, local)
		// The daemon is started anew.
		_ = server.Close()
		_ = os.Remove(socket)
		if _, err := s.Write([]byte("lost\n")); err == nil {
			t.Error("a line went to a daemon that is gone")
		}
		if server, err = net.ListenPacket("unixgram", socket); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = server.Close() }()
		sendSyslog(t, s, `{"n":2}`)
		wantPacket(t, server, local)
	})
	t.Run("UDP", func(t *testing.T) {
		server, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = server.Close() }()
		sendSyslog(t, openedSyslog(t, syslogPrefix+"udp://"+server.LocalAddr().String()), `{"n":3}`)
		wantPacket(t, server, remote)
	})
	t.Run("TCP", func(t *testing.T) {
		server, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := openedSyslog(t, syslogPrefix+"tcp://"+server.Addr().String())
		conn, err := server.Accept()
		if err != nil {
			t.Fatal(err)
		}
		sendSyslog(t, s, `{"n":4}`)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !remote.MatchString(line) {
			t.Errorf("got %q, %v", line, err)
		}
		defer func() { _, _ = conn.Close(), server.Close() }()
		// Nobody reads: one write ends, and says so; those behind it do not wait.
		s.patience = 10 * time.Millisecond
		var failed error
		for range 1000 {
			if _, failed = s.Write([]byte(strings.Repeat("x", 1<<20) + "\n")); failed != nil {
				break
			}
		}
		if !isTimeout(failed) {
			t.Errorf("a gigabyte was written that nobody has read: %v", failed)
		}
		s.patience = time.Hour
		if _, err := s.Write([]byte("lost\n")); err != errSyslogStalled {
			t.Errorf("the next line: %v", err)
		}
		// The daemon reads again: what was cut short ends there, and the next line stands by itself.
		read := make(chan string)
		go func() {
			defer close(read)
			for lines := bufio.NewReader(conn); ; {
				line, err := lines.ReadString('\n')
				if err != nil || remote.MatchString(line) {
					read <- line
					return
				}
			}
		}()
		s.probe.Wait()
		sendSyslog(t, s, `{"n":5}`)
		if line := <-read; !strings.Contains(line, `{"n":5}`) {
			t.Errorf("got %q", line)
		}
	})
	t.Run("stream socket", func(t *testing.T) {
		path := filepath.Join(directory, "t")
		server, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		s := openedSyslog(t, syslogPrefix+path)
		for n := range 3 {
			sendSyslog(t, s, fmt.Sprintf(`{"n":%d}`, n))
			conn, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !local.MatchString(line) || !strings.Contains(line, fmt.Sprintf(`{"n":%d}`, n)) {
				t.Errorf("got %q, %v", line, err)
			}
			// The daemon is started anew, and the next line is not lost with its connection.
			_, _ = conn.Close(), server.Close()
			if n == 0 {
				if _, err := s.Write([]byte("lost\n")); err == nil {
					t.Error("a line went to a daemon that is gone")
				}
			}
			if server, err = net.Listen("unix", path); err != nil {
				t.Fatal(err)
			}
		}
		_ = server.Close()
	})
	for target, whole := range map[string]bool{
		"syslog:": true, "syslog:/dev/log": true, "syslog:udp://h:514": true, "syslog:tcp://[::1]:601": true,
		"syslog:h:514": false, "syslog:udp://h": false, "syslog:tcp://u:p@h:1": false, "syslog:tcp://h:1/x": false, "syslog:ftp://h:1": false,
	} {
		if _, _, err := syslogTarget(target); (err == nil) != whole {
			t.Errorf("%s: %v", target, err)
		}
	}
}

func openedSyslog(t *testing.T, target string) *syslog {
	t.Helper()
	s, err := openSyslog(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func sendSyslog(t *testing.T, s *syslog, line string) {
	t.Helper()
	if n, err := s.Write([]byte(line + "\n")); err != nil || n != len(line)+1 {
		t.Fatalf("%d bytes: %v", n, err)
	}
}

func wantPacket(t *testing.T, server net.PacketConn, form *regexp.Regexp) {
	t.Helper()
	packet := make([]byte, 1000)
	n, _, err := server.ReadFrom(packet)
	if err != nil || !form.Match(packet[:n]) {
		t.Errorf("got %q, %v", packet[:n], err)
	}
}

// anchoring is an anchorer of a database with a ledger, and its trail.
func anchoring(t *testing.T) (a *anchorer, trail *strings.Builder, conn *control.Conn, ledger *revisions.Ledger, database string) {
	t.Helper()
	dsn := pgtest.Database(t)
	conn, err := connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if _, err := revisions.Install(t.Context(), conn, revisions.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	if ledger, err = revisions.Open(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	pool, err := control.New(control.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	names, err := conn.Query(t.Context(), "SELECT current_database()")
	if err != nil {
		t.Fatal(err)
	}
	trail = &strings.Builder{}
	return &anchorer{trail: revisions.NewAudit(trail), logins: &logins{pool}, name: "test-1", log: slog.New(slog.DiscardHandler), every: time.Hour}, trail, conn, ledger, names[0]
}

func noted(t *testing.T, a *anchorer, database string) {
	t.Helper()
	if _, err := a.trail.Write(revisions.Entry{Kind: revisions.Result, AuditSession: &revisions.AuditSession{Database: database}}); err != nil {
		t.Fatal(err)
	}
}

func TestHeadIsAnchoredWhenThereIsANewOne(t *testing.T) {
	a, _, _, ledger, database := anchoring(t)
	anchored := func(seqs ...int64) {
		t.Helper()
		a.round(t.Context())
		anchors, err := ledger.Anchors(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, anchor := range anchors {
			if anchor.Process != "test-1" || anchor.Seq == a.trail.Head().Seq && anchor.Head != a.trail.Head() {
				t.Errorf("got %+v", anchor)
			}
			got = append(got, anchor.Seq)
		}
		if !slices.Equal(got, seqs) {
			t.Errorf("anchored %v, want %v", got, seqs)
		}
	}
	anchored()
	noted(t, a, database)
	noted(t, a, database)
	anchored(2)
	anchored(2)
	// A database that has no ledger is vouched for by the one of the control login.
	noted(t, a, "template1")
	anchored(2, 3)
	noted(t, a, "nowhere")
	noted(t, a, database)
	anchored(2, 3, 5)
}

func TestDoubtIsResolvedByTheLedger(t *testing.T) {
	a, trail, conn, ledger, database := anchoring(t)
	begin := func(sql string) (id int64) {
		t.Helper()
		id, err := ledger.Begin(t.Context(), revisions.Statement{Rules: []string{}, Overrides: []revisions.Override{}, Locks: []revisions.StatementLock{}})
		if err != nil {
			t.Fatal(err)
		}
		xids, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Fatal(err)
		}
		var xid uint64
		if _, err := fmt.Sscan(xids[0], &xid); err != nil {
			t.Fatal(err)
		}
		if err := ledger.End(t.Context(), revisions.Statement{ID: id, Rules: []string{}, Ran: []string{}, Outcome: revisions.OutcomeLost, XID: xid}); err != nil {
			t.Fatal(err)
		}
		a.trail.Doubted(revisions.Entry{AuditSession: &revisions.AuditSession{Database: database, User: "alice"}, Intent: id, Statement: id, XID: xid})
		return id
	}
	committed := begin("SELECT pg_current_xact_id()")
	other, err := connect(t.Context(), pgtest.Server(t).DSN("postgres", database))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	open, err := other.Query(t.Context(), "SELECT pg_current_xact_id()")
	if err != nil {
		t.Fatal(err)
	}
	running := begin("SELECT '" + open[0] + "'")

	a.resolve(t.Context())
	if text := trail.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, fmt.Sprintf(`"outcome":"committed","intents":[%d]`, committed)) {
		t.Errorf("got %s", text)
	}
	if _, err := other.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	trail.Reset()
	a.resolve(t.Context())
	if text := trail.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, fmt.Sprintf(`"outcome":"rolled back","intents":[%d]`, running)) {
		t.Errorf("got %s", text)
	}
	trail.Reset()
	if a.resolve(t.Context()); trail.String() != "" {
		t.Errorf("it is told again: %s", trail)
	}
}

// A ledger that could not be written to gets the anchor in the next round, also when no line has come since.
func TestAnchorThatFailedIsMadeUpFor(t *testing.T) {
	a, _, _, ledger, database := anchoring(t)
	_, _, conn, other, second := anchoring(t)
	anchored := func(ledger *revisions.Ledger) (seqs []int64) {
		t.Helper()
		anchors, err := ledger.Anchors(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, anchor := range anchors {
			seqs = append(seqs, anchor.Seq)
		}
		return seqs
	}
	noted(t, a, database)
	noted(t, a, second)
	for _, step := range []struct {
		sql         string
		first, then []int64
	}{
		{"ALTER TABLE pgsluice.anchors RENAME COLUMN hash TO hashed", []int64{2}, nil},
		{"ALTER TABLE pgsluice.anchors RENAME COLUMN hashed TO hash", []int64{2}, []int64{2}},
	} {
		if _, err := conn.Exec(t.Context(), step.sql); err != nil {
			t.Fatal(err)
		}
		a.round(t.Context())
		if first := anchored(ledger); !slices.Equal(first, step.first) {
			t.Errorf("%s: anchored %v in the first database", step.sql, first)
		}
		if step.then == nil {
			continue
		}
		if then := anchored(other); !slices.Equal(then, step.then) {
			t.Errorf("%s: anchored %v in the second database", step.sql, then)
		}
	}
	if _, _, ok, err := a.trail.Unanchored(); ok || err != nil {
		t.Errorf("something is left to be anchored, %v", err)
	}
}

// What clients choose of a line does not play with the terminal of who reads it.
func TestTextIsMadePrintable(t *testing.T) {
	for text, want := range map[string]string{
		"DROP TABLE größe":                        "DROP TABLE größe",
		"a\nb\u2028c\u00a0d":                      "a b c d",
		"\x1b[2J\x07x\u009bK":                     "�[2J�x�K",
		"DROP \u202eelbat\u202c \u2066x\u2069":    `DROP \u{202e}elbat\u{202c} \u{2066}x\u{2069}`,
		"zero\u200bwidth\u200d\ufeff\u00ad\u200e": `zero\u{200b}width\u{200d}\u{feff}\u{ad}\u{200e}`,
		"tag\U000e0041":                           `tag\u{e0041}`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}
