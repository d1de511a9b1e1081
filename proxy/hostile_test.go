package proxy

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// FuzzHostileClient gives a session any bytes for its client's, in front of a server that keeps to the protocol. The session must end
// when the client has. Where the policy refuses every statement of concern, the server must never be made to run one.
func FuzzHostileClient(f *testing.F) {
	for _, stream := range clientStreams(f) {
		f.Add(stream, false, false, byte(0))
		f.Add(stream, false, true, byte(7))
		f.Add(stream, true, false, byte(1))
	}
	// What is short can be over a low inspect limit.
	f.Fuzz(func(t *testing.T, stream []byte, realRules, lowLimit bool, piece byte) {
		t.Parallel()
		options := sessionOptions(t, Enforce)
		if !realRules {
			options.Policy = blockEverything(t)
		}
		if lowLimit {
			options.InspectLimit = 200
		}
		n := newMemory()
		defer n.close()
		server := newModelServer(&memoryConn{memory: n, in: n.toServer, out: n.fromServer})
		served := make(chan struct{})
		go func() { defer close(served); server.serve() }()
		n.fromClient.bytes, n.fromClient.ended = bytes.Clone(stream), true
		runToItsEnd(t, n, options, int(piece))
		n.close()
		<-served
		if server.crime != "" && !realRules {
			t.Errorf("the server was made to run %q", server.crime)
		}
	})
}

// FuzzPipelines makes a client's stream of whole messages, one for each byte, and ends it so that everything is answered. A session
// that refuses must end and run nothing of concern; for one that only observes, the client must see what the server alone says.
func FuzzPipelines(f *testing.F) {
	vocabulary := clientVocabulary(f)
	random := rand.New(rand.NewPCG(3, 4))
	for range 1000 {
		sequence := make([]byte, 1+random.IntN(40))
		for i := range sequence {
			sequence[i] = byte(random.IntN(len(vocabulary)))
		}
		f.Add(sequence)
	}
	refusing := sessionOptions(f, Enforce)
	refusing.Policy, refusing.InspectLimit = blockEverything(f), 500
	observing := refusing
	observing.Mode = Observe
	ending := encodeLines(f, "CopyDone\nSync\nCopyDone\nSync\nQuery {\"String\": \"ROLLBACK\"}\n")
	f.Fuzz(func(t *testing.T, sequence []byte) {
		t.Parallel()
		var stream []byte
		var names []string
		for _, b := range sequence[:min(len(sequence), 100)] {
			word := vocabulary[int(b)%len(vocabulary)]
			stream, names = append(stream, word.encoded...), append(names, word.line)
		}
		stream = append(stream, ending...)

		if _, crime := converse(t, stream, &refusing); crime != "" {
			t.Fatalf("the server was made to run %q by\n%s", crime, strings.Join(names, "\n"))
		}
		want, _ := converse(t, stream, nil)
		if got, _ := converse(t, stream, &observing); !bytes.Equal(got, want) {
			t.Fatalf("a session that observes answers\n%s\ninstead of\n%s\nto\n%s", shownAll(got), shownAll(want), strings.Join(names, "\n"))
		}
	})
}

// word is one message of a client, as text and as bytes.
type word struct {
	line    string
	encoded []byte
}

// clientVocabulary is one message a line of testdata/wire/vocabulary.
func clientVocabulary(f *testing.F) []word {
	f.Helper()
	text, err := os.ReadFile("testdata/wire/vocabulary")
	if err != nil {
		f.Fatal(err)
	}
	var words []word
	for line := range strings.Lines(string(text)) {
		words = append(words, word{strings.TrimSpace(line), encodeLines(f, expand(f, line, nil))})
	}
	return words
}

// shownAll shows the messages of a stream.
func shownAll(stream []byte) string {
	var lines []string
	r := bytes.NewReader(stream)
	for {
		m, err := readMessage(r)
		if err != nil {
			return strings.Join(lines, "\n")
		}
		lines = append(lines, show(m))
	}
}

// converse sends a client's stream through a session to a model server, or straight to it if options is nil, and returns what the client
// was answered, and a statement of concern that the server was made to run.
func converse(t *testing.T, stream []byte, options *SessionOptions) (answers []byte, crime string) {
	t.Helper()
	n := newMemory()
	defer n.close()
	server := newModelServer(&memoryConn{memory: n, in: n.toServer, out: n.fromServer})
	if options == nil {
		server.conn.in, server.conn.out = n.fromClient, n.toClient
	}
	n.fromClient.bytes, n.fromClient.ended = bytes.Clone(stream), true
	served := make(chan struct{})
	go func() { defer close(served); server.serve() }()
	if options != nil {
		runToItsEnd(t, n, *options, 0)
		n.close()
	}
	<-served
	return n.taken(n.toClient), server.crime
}

// FuzzHostileServer gives a session any bytes for its server's, while its client has something to say. The session must end when both
// have.
func FuzzHostileServer(f *testing.F) {
	streams := clientStreams(f)
	for i := range streams {
		f.Add(uint16(i), []byte("1\x00\x00\x00\x042\x00\x00\x00\x04C\x00\x00\x00\x0dSELECT 1\x00Z\x00\x00\x00\x05I"), byte(0))
		f.Add(uint16(i), []byte("G\x00\x00\x00\x07\x00\x00\x00E\x00\x00\x00\x05\x00Z\x00\x00\x00\x05E"), byte(1))
		f.Add(uint16(i), []byte("S\x00\x00\x00\x1aclient_encoding\x00SJIS\x00\x00D\x7f\xff\xff\xff"), byte(3))
	}
	f.Fuzz(func(t *testing.T, client uint16, stream []byte, piece byte) {
		t.Parallel()
		n := newMemory()
		defer n.close()
		n.fromClient.bytes, n.fromClient.ended = bytes.Clone(streams[int(client)%len(streams)]), true
		n.fromServer.bytes, n.fromServer.ended = bytes.Clone(stream), true
		runToItsEnd(t, n, sessionOptions(t, Enforce), int(piece))
	})
}

// runToItsEnd runs a session that reads in pieces of a size (0 is as much as there is) and fails the test if it does not end.
func runToItsEnd(t *testing.T, n *memory, options SessionOptions, piece int) {
	t.Helper()
	l := n.link()
	if piece > 0 {
		l.client.conn, l.server.conn = pieces(l.client.conn.(*memoryConn), piece), pieces(l.server.conn.(*memoryConn), piece)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = newSession(&options, l).run(context.Background())
		_ = l.client.conn.Close()
		_ = l.server.conn.Close()
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		stacks := make([]byte, 1<<20)
		t.Fatalf("the session does not end:\n%s", stacks[:runtime.Stack(stacks, true)])
	}
}

// piecesConn is a connection in memory that is read in pieces.
type piecesConn struct {
	*memoryConn
	size int
}

func pieces(c *memoryConn, size int) *piecesConn { return &piecesConn{c, size} }

func (c *piecesConn) Read(p []byte) (int, error) { return c.memoryConn.Read(p[:min(len(p), c.size)]) }

// clientStreams are what the clients of all wire cases send, as far as it is not long.
func clientStreams(f *testing.F) [][]byte {
	f.Helper()
	var streams [][]byte
	for _, pattern := range []string{"testdata/wire/*.txt", "testdata/wire/*/*.txt"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "differences.txt") || strings.HasSuffix(file, "long.txt") {
				continue
			}
			w := &world{conns: map[string]*wireClient{"main": {}}}
			var stream []byte
			datadriven.RunTestAny(f, file, func(f testing.TB, d *datadriven.TestData) string {
				if d.Cmd == "case" && len(stream) > 0 && len(stream) < 10_000 {
					streams = append(streams, stream)
				}
				switch {
				case d.Cmd == "case":
					stream = nil
				case d.Cmd == "send":
					stream = append(stream, encodeLines(f, expand(f, d.Input, w))...)
				}
				return d.Expected
			})
		}
	}
	return streams
}

// modelServer answers as PostgresMain in src/backend/tcop/postgres.c does, and runs nothing.
type modelServer struct {
	conn *memoryConn
	out  []byte

	status              byte
	skipping, executed  bool
	nonconforming       bool // standard_conforming_strings is off
	reported            bool // and the client knows
	statements, portals map[string]prepares
	// crime is a statement of concern that was run.
	crime string
}

// noFacts are answers of the server to the question for facts that tell none, by the parts that stand in it: a session of which little is known, no relation, and
// of what is told in JSON an empty object.
func noFacts(text string) (answers []string) {
	for part := range strings.SplitSeq(text, "\nunion all\n") {
		switch {
		case strings.Contains(part, "row('session'"):
			session := "(session,150000,f,postgres,5,,postgres,postgres,,read committed,f,,8192,1" + strings.Repeat(",", 21) + ")"
			answers = append(answers, base64.StdEncoding.EncodeToString([]byte(session)))
		case strings.Contains(part, " as about"):
			answers = append(answers, "about"+strings.Repeat(" {}", 10))
		case !strings.Contains(part, "row('"):
			answers = append(answers, base64.StdEncoding.EncodeToString([]byte("{}")))
		}
	}
	return answers
}

// prepares is a statement as it was parsed.
type prepares struct {
	text       string
	statements []ddl.Statement
}

func newModelServer(conn *memoryConn) *modelServer {
	return &modelServer{conn: conn, status: 'I', reported: true, statements: map[string]prepares{}, portals: map[string]prepares{}}
}

// serve answers until the client is gone.
func (s *modelServer) serve() {
	defer s.conn.Close()
	for {
		m, err := readMessage(s.conn)
		if err != nil || m.kind == 'X' || limitOf(m.kind) == 0 || len(m.body)+4 > limitOf(m.kind) {
			return
		}
		if m.kind == 'S' {
			s.skipping = false
		}
		if s.skipping || m.kind == 'c' || m.kind == 'd' || m.kind == 'f' {
			continue
		}
		if m.kind == 'H' {
			s.flush()
			continue
		}
		failure, alive := s.answer(m)
		if failure != "" {
			s.fail(failure)
			s.skipping = strings.IndexByte("PBEDC", m.kind) >= 0
		}
		if !alive {
			return
		}
		if strings.IndexByte("QFS", m.kind) >= 0 {
			s.ready()
		}
	}
}

// answer answers one message; failure is the SQLSTATE of an error, and not alive the end of the connection.
func (s *modelServer) answer(m message) (failure string, alive bool) {
	failure, alive = "", true
	switch m.kind {
	case 'Q':
		s.executed = false
		text, rest, ok := cString(m.body)
		if !ok || len(rest) > 0 {
			return "08P01", true
		}
		p, failure := s.parse(text)
		if failure != "" {
			return failure, true
		}
		if len(p.statements) == 0 {
			s.say(&pgproto3.EmptyQueryResponse{})
		}
		return s.execute(p)
	case 'P':
		name, rest, ok := cString(m.body)
		text, rest, ok2 := cString(rest)
		if !ok || !ok2 || len(rest) < 2 || len(rest) != 2+4*int(binary.BigEndian.Uint16(rest)) || !utf8.ValidString(text) {
			return "08P01", true
		}
		if key(name) == "" {
			delete(s.statements, "")
		}
		p, failure := s.parse(text)
		if _, taken := s.statements[key(name)]; taken && failure == "" {
			failure = "42P05"
		}
		if len(p.statements) > 1 {
			failure = "42601"
		}
		if failure == "" {
			s.statements[key(name)] = p
			s.say(&pgproto3.ParseComplete{})
		}
		return failure, true
	case 'B':
		var b pgproto3.Bind
		if b.Decode(m.body) != nil {
			return "08P01", true
		}
		p, known := s.statements[key(b.PreparedStatement)]
		if !known {
			return "26000", true
		}
		if _, taken := s.portals[key(b.DestinationPortal)]; taken && b.DestinationPortal != "" {
			return "42P03", true
		}
		s.portals[key(b.DestinationPortal)] = p
		s.say(&pgproto3.BindComplete{})
	case 'D', 'C':
		if len(m.body) < 2 || m.body[len(m.body)-1] != 0 {
			return "08P01", true
		}
		name, rest, _ := cString(m.body[1:])
		if len(rest) > 0 {
			return "08P01", true
		}
		return s.named(m.kind, m.body[0], key(name)), true
	case 'E':
		name, rest, ok := cString(m.body)
		if !ok || len(rest) != 4 {
			return "08P01", true
		}
		p, known := s.portals[key(name)]
		if !known {
			return "34000", true
		}
		s.executed = true
		if len(p.statements) == 0 {
			s.say(&pgproto3.EmptyQueryResponse{})
		}
		return s.execute(p)
	case 'F':
		s.say(&pgproto3.FunctionCallResponse{Result: []byte("3")})
	case 'S':
		s.executed = false
	}
	return failure, alive
}

// named answers Describe and Close.
func (s *modelServer) named(kind, of byte, name string) (failure string) {
	objects := s.portals
	if of == 'S' {
		objects = s.statements
	} else if of != 'P' {
		return "08P01"
	}
	if kind == 'C' {
		delete(objects, name)
		s.say(&pgproto3.CloseComplete{})
		return ""
	}
	if _, known := objects[name]; !known && of == 'P' {
		return "34000"
	} else if !known {
		return "26000"
	}
	if of == 'S' {
		s.say(&pgproto3.ParameterDescription{})
	}
	s.say(&pgproto3.NoData{})
	return ""
}

// parse reads a text by the settings in force.
func (s *modelServer) parse(text string) (p prepares, failure string) {
	if !utf8.ValidString(text) {
		return p, "22021"
	}
	p.text = text
	var err error
	if s.nonconforming {
		p.statements, err = ddl.ParseNonconforming(text)
	} else {
		p.statements, err = ddl.Parse(text)
	}
	if err != nil {
		return p, "42601"
	}
	return p, ""
}

// execute runs statements as far as the protocol can tell.
func (s *modelServer) execute(p prepares) (failure string, alive bool) {
	for _, statement := range p.statements {
		control, isControl := statement.Action.(ddl.Transaction)
		ends := isControl && (control.Op == ddl.Commit || control.Op == ddl.Rollback || control.Op == ddl.RollbackTo)
		if s.status == 'E' && !ends {
			return "25P02", true
		}
		switch action := statement.Action.(type) {
		case ddl.Transaction:
			if failure := s.transaction(action); failure != "" {
				return failure, true
			}
		case ddl.Setting:
			if strings.Contains(strings.ToLower(statement.Text), "standard_conforming_strings") {
				s.nonconforming, s.reported = strings.Contains(strings.ToLower(statement.Text), "off"), false
			}
		case ddl.Query, ddl.Write, ddl.LockTable, ddl.AdvisoryLock:
		default:
			s.crime = statement.Text
		}
		text := strings.ToLower(statement.Text)
		switch {
		case strings.Contains(text, "/ 0"), strings.Contains(text, "/) 0"):
			return "22012", true
		case strings.HasPrefix(text, "copy") && strings.Contains(text, "stdin"):
			if failure, alive := s.copyIn(); failure != "" || !alive {
				return failure, alive
			}
		case strings.Contains(text, "pg_try_advisory"):
			s.say(&pgproto3.DataRow{Values: [][]byte{[]byte("t")}})
		case strings.HasPrefix(text, "select"), strings.HasPrefix(text, "with"), strings.HasPrefix(text, "("), strings.HasPrefix(text, "--"):
			for _, answer := range noFacts(text) {
				s.say(&pgproto3.DataRow{Values: [][]byte{[]byte(answer)}})
			}
		}
		s.say(&pgproto3.CommandComplete{CommandTag: []byte(statement.Tag)})
	}
	return "", true
}

func (s *modelServer) transaction(control ddl.Transaction) (failure string) {
	switch control.Op {
	case ddl.Begin:
		s.status = 'T'
	case ddl.Commit, ddl.Rollback:
		s.status = 'I'
		clear(s.portals)
	case ddl.Savepoint, ddl.Release, ddl.RollbackTo:
		if s.status == 'I' {
			return "25P01"
		}
		s.status = 'T'
	}
	return ""
}

// copyIn reads COPY data to its end.
func (s *modelServer) copyIn() (failure string, alive bool) {
	s.say(&pgproto3.CopyInResponse{})
	s.flush()
	for {
		kind, size, err := readHeader(s.conn)
		if err != nil {
			return "", false
		}
		if strings.IndexByte("dcfHS", kind) < 0 {
			s.fail("08P01")
			return "", false
		}
		m, err := readBody(s.conn, kind, size)
		switch {
		case err != nil:
			return "", false
		case kind == 'd' && bytes.HasPrefix(m.body, []byte("x")):
			return "22P02", true
		case kind == 'c':
			return "", true
		case kind == 'f':
			return "57014", true
		}
	}
}

func (s *modelServer) fail(code string) {
	s.say(&pgproto3.ErrorResponse{Severity: "ERROR", SeverityUnlocalized: "ERROR", Code: code, Message: "failed"})
	if s.status == 'T' {
		s.status = 'E'
	}
	s.flush()
}

func (s *modelServer) ready() {
	if !s.reported {
		value := "on"
		if s.nonconforming {
			value = "off"
		}
		s.say(&pgproto3.ParameterStatus{Name: "standard_conforming_strings", Value: value})
		s.reported = true
	}
	if s.status == 'I' {
		clear(s.portals)
	}
	s.say(&pgproto3.ReadyForQuery{TxStatus: s.status})
	s.flush()
}

func (s *modelServer) say(m pgproto3.BackendMessage) { s.out, _ = m.Encode(s.out) }

func (s *modelServer) flush() {
	_, _ = s.conn.Write(s.out)
	s.out = nil
}
