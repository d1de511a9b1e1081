package proxy

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
)

// A message that nobody must understand costs no allocation, and neither does its answer.
func TestForwardingAllocatesNothing(t *testing.T) {
	for _, traffic := range traffics(t) {
		for name, options := range map[string]SessionOptions{"transparent": sessionOptions(t, Transparent), "enforcing": sessionOptions(t, Enforce)} {
			roundTrip := traffic.start(t, options)
			if n := testing.AllocsPerRun(2000, roundTrip); n != 0 {
				t.Errorf("%s, %s: %v allocations a round trip", traffic.name, name, n)
			}
		}
	}
}

func BenchmarkRelay(b *testing.B) {
	for _, traffic := range traffics(b) {
		b.Run(traffic.name, func(b *testing.B) {
			roundTrip := traffic.start(b, sessionOptions(b, Enforce))
			b.SetBytes(int64(len(traffic.request) + len(traffic.answer)))
			b.ReportAllocs()
			for b.Loop() {
				roundTrip()
			}
		})
	}
}

// traffic is what a client sends and is answered, over and over.
type traffic struct {
	name            string
	request, answer []byte
}

func traffics(t testing.TB) []traffic {
	row := frameOf('D', []byte("\x00\x01\x00\x00\x00\x05hello"))
	description := frameOf('T', []byte("\x00\x01greeting\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x19\xff\xff\xff\xff\xff\xff\x00\x00"))
	complete, ready := frameOf('C', []byte("SELECT 1\x00")), frameOf('Z', []byte("I"))
	long := frameOf('D', []byte("\x00\x01\x00\x01\x00\x00"+strings.Repeat("x", 1<<16)))
	return []traffic{
		{"simple", encodeLines(t, `Query {"String": "SELECT greeting FROM greetings WHERE id = 4711"}`),
			bytes.Join([][]byte{description, row, complete, ready}, nil)},
		{"extended", encodeLines(t, "Parse {\"Query\": \"SELECT greeting FROM greetings WHERE id = $1\"}\nBind {\"Parameters\": [{\"text\": \"4711\"}]}\n"+
			"Describe {\"ObjectType\": \"P\"}\nExecute {}\nSync"),
			bytes.Join([][]byte{frameOf('1', nil), frameOf('2', nil), description, row, complete, ready}, nil)},
		{"rows", encodeLines(t, `Query {"String": "SELECT greeting FROM greetings"}`),
			bytes.Join([][]byte{description, bytes.Repeat(row, 5000), complete, ready}, nil)},
		{"long rows", encodeLines(t, `Query {"String": "SELECT greeting FROM greetings"}`),
			bytes.Join([][]byte{description, long, long, complete, ready}, nil)},
	}
}

// start runs a session between a client and a server that knows its answer, and returns one round trip.
func (r traffic) start(t testing.TB, options SessionOptions) (roundTrip func()) {
	t.Helper()
	client, clientSide := tcpPair(t)
	server, serverSide := tcpPair(t)
	go func() {
		request := make([]byte, len(r.request))
		for {
			if _, err := io.ReadFull(server, request); err != nil {
				return
			}
			if _, err := server.Write(r.answer); err != nil {
				return
			}
		}
	}()
	stock := newBuffers()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = newSession(&options, &link{client: newLeg(clientSide, stock), server: newLeg(serverSide, stock), status: 'I', drain: context.Background()}).
			run(context.Background())
	}()
	t.Cleanup(func() { _ = client.Close(); _ = server.Close(); <-ended })
	answer := make([]byte, len(r.answer))
	return func() {
		if _, err := client.Write(r.request); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, answer); err != nil {
			t.Fatal(err)
		}
	}
}

// tcpPair is the two ends of a connection over loopback, closed when the test ends.
func tcpPair(t testing.TB) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close(); _ = far.Close() })
	return near, far
}
