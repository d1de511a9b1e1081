package proxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

// allowance is how much the heap may grow while a message of 100 MB passes: the inspect limit, a few buffers, and garbage.
const allowance = 16 << 20

// Messages much longer than any buffer pass in pieces, in either direction.
func TestLongMessagesAreStreamed(t *testing.T) {
	const size = 100_000_000
	w := newWorld(t, "enforcing", startSessions(t, sessionOptions(t, Enforce), (*session).run))
	t.Run("DataRow", func(t *testing.T) {
		c := w.conn(t, "row")
		c.send(query(fmt.Sprintf("SELECT pg_catalog.repeat('x', %d)", size)))
		c.pass(t, 'T', 'D', 'C', 'Z')
	})
	t.Run("CopyData", func(t *testing.T) {
		c := w.conn(t, "copy")
		c.send(encodeLines(t, `Query {"String": "CREATE TEMP TABLE target (t text); COPY target FROM STDIN"}`))
		c.pass(t, 'C', 'G')
		c.stream(t, 'd', "", size, "")
		c.send(encodeLines(t, `CopyFail {"Message": "enough"}`))
		c.pass(t, 'E', 'Z')
	})
	t.Run("Query", func(t *testing.T) {
		c := w.conn(t, "query")
		c.stream(t, 'Q', "SELECT 'create', length('", size/4, "')\x00")
		c.pass(t, 'T', 'D', 'C', 'Z')
	})
	t.Run("Bind", func(t *testing.T) {
		c := w.conn(t, "bind")
		c.send(encodeLines(t, "Parse {\"Query\": \"SELECT length($1)\"}\nParse {\"Name\": \"careful\", \"Query\": \"CREATE TABLE t ()\"}"))
		c.stream(t, 'B', "\x00\x00\x00\x00\x00\x01"+string(binary.BigEndian.AppendUint32(nil, size/4)), size/4, "\x00\x00")
		c.send(encodeLines(t, "Execute {}\nSync"))
		c.pass(t, '1', '1', '2', 'D', 'C', 'Z')
	})
}

// pass reads messages of the given types without keeping them, and watches the heap while it does.
func (c *wireClient) pass(t *testing.T, kinds ...byte) {
	t.Helper()
	heap := watchHeap(t)
	for i, want := range kinds {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		kind, size, err := readHeader(c.r)
		if err != nil || kind != want {
			t.Fatalf("message %d: %q, %v, want %q", i, kind, err, want)
		}
		for left := size; left > 0; left -= min(left, 1<<20) {
			if _, err := io.CopyN(io.Discard, c.r, min(left, 1<<20)); err != nil {
				t.Fatal(err)
			}
			heap.check()
		}
	}
}

// stream sends one message, its middle made of the letter x, piece by piece.
func (c *wireClient) stream(t *testing.T, kind byte, begin string, size int, end string) {
	t.Helper()
	heap := watchHeap(t)
	<-c.written
	w := bufio.NewWriter(c)
	header := append([]byte{kind}, binary.BigEndian.AppendUint32(nil, uint32(4+len(begin)+size+len(end)))...)
	_, _ = w.Write(header)
	_, _ = w.WriteString(begin)
	piece := bytes.Repeat([]byte("x"), 1<<20)
	for left := size; left > 0; left -= min(left, len(piece)) {
		if _, err := w.Write(piece[:min(left, len(piece))]); err != nil {
			t.Fatal(err)
		}
		heap.check()
	}
	_, _ = w.WriteString(end)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// heapWatch is the size of the heap when the watch began.
type heapWatch struct {
	t     *testing.T
	begin uint64
}

func watchHeap(t *testing.T) heapWatch {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return heapWatch{t, m.HeapAlloc}
}

func (h heapWatch) check() {
	h.t.Helper()
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc > h.begin+allowance {
		h.t.Fatalf("the heap grew by %d MB", (m.HeapAlloc-h.begin)>>20)
	}
}

// What a peer announces costs nothing until it comes, and then no more than the inspect limit.
func TestAnnouncedLengthsCostNothing(t *testing.T) {
	announced := string([]byte{0x3f, 0xff, 0xff, 0xf0})
	sent := strings.Repeat("create x ", 1<<19) // 4.5 MB
	for _, c := range []struct{ what, client, server string }{
		{"Query", "Q" + announced + sent, ""},
		{"harmless Query", "Q" + announced + "SELECT '" + sent, ""},
		{"Parse", "P" + announced + "\x00" + sent, ""},
		{"Bind", "B" + announced + sent, ""},
		{"Execute", "E" + announced + sent, ""},
		{"FunctionCall", "F" + announced + sent, ""},
		{"CopyData", "d" + announced + sent, ""},
		{"DataRow", "", "D" + announced + sent},
		{"ErrorResponse", "", "E" + announced + sent},
		{"NoticeResponse", "", "N" + announced + sent},
		{"ParameterStatus", "", "S" + announced + sent},
	} {
		t.Run(c.what, func(t *testing.T) {
			n := newMemory()
			defer n.close()
			options := sessionOptions(t, Enforce)
			l := n.link()
			s := newSession(&options, l)
			s.prepared["careful"] = &prepared{}
			n.fromClient.bytes, n.fromServer.bytes = []byte(c.client), []byte(c.server)
			n.fromClient.ended, n.fromServer.ended = true, true
			ended := make(chan struct{})
			go func() { defer close(ended); _ = s.run(t.Context()) }()
			select {
			case <-ended:
			case <-time.After(patience):
				t.Fatal("the session does not end")
			}
			if held := max(len(l.client.buf), len(l.server.buf)); held > options.InspectLimit {
				t.Errorf("%d bytes were held", held)
			}
		})
	}
}
