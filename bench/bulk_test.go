package main

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDrain(t *testing.T) {
	const (
		row   = "D\x00\x00\x00\x08abcd"
		ready = "Z\x00\x00\x00\x05I"
		wrong = "E\x00\x00\x00\x0eMtoo bad\x00\x00"
	)
	for name, c := range map[string]struct {
		stream, err string
		bytes       int64
	}{
		"rows":            {stream: row + row + ready, bytes: 24},
		"up to ready":     {stream: row + ready + row, bytes: 15},
		"an error":        {stream: row + wrong + ready, bytes: 30, err: "the server says: Mtoo bad"},
		"a long message":  {stream: "d\x00\x01\x00\x04" + strings.Repeat("x", 1<<16) + ready, bytes: 5 + 1<<16 + 6},
		"a broken stream": {stream: row, bytes: 9, err: io.EOF.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			in := bufio.NewReaderSize(iotest.OneByteReader(strings.NewReader(c.stream)), 1<<10)
			got, err := drain(in)
			if got != c.bytes {
				t.Errorf("%d bytes, want %d", got, c.bytes)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("the error is %v, want %q", err, c.err)
			}
		})
	}
}

func TestAccountsAreCounted(t *testing.T) {
	data := &counter{in: accounts(2500)}
	text, err := io.ReadAll(data)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	lines := strings.Count(string(text), "\n")
	if lines != 3000 || data.n != int64(len(text)) {
		t.Errorf("%d rows in %d bytes, counted as %d", lines, len(text), data.n)
	}
	if fields := strings.Split(strings.SplitN(string(text), "\n", 2)[0], "\t"); len(fields) != 4 || len(fields[3]) != 84 {
		t.Errorf("a row is %q", fields)
	}
}
