package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// receive runs a statement that returns a lot and counts the bytes of its answer. It only looks at the headers of the messages:
// what a client does with its rows is not what is measured.
func receive(ctx context.Context, r *route, sql string) (int64, error) {
	conn, err := pgconn.Connect(ctx, r.dsn("disable"))
	if err != nil {
		return 0, err
	}
	raw, err := conn.Hijack()
	if err != nil {
		return 0, errors.Join(err, conn.Close(ctx))
	}
	defer raw.Conn.Close()
	defer context.AfterFunc(ctx, func() { raw.Conn.Close() })()

	query := binary.BigEndian.AppendUint32([]byte{'Q'}, uint32(4+len(sql)+1))
	query = append(append(query, sql...), 0)
	if _, err := raw.Conn.Write(query); err != nil {
		return 0, err
	}
	return drain(bufio.NewReaderSize(raw.Conn, 64<<10))
}

// drain reads messages up to ReadyForQuery and counts their bytes. An ErrorResponse among them is the error.
func drain(in *bufio.Reader) (int64, error) {
	const headerSize = 5
	var total int64
	var failed error
	for {
		header, err := in.Peek(headerSize)
		if err != nil {
			return total, err
		}
		kind, size := header[0], int(binary.BigEndian.Uint32(header[1:]))+1
		if kind == 'E' {
			text, err := in.Peek(min(size, in.Size()))
			if err != nil {
				return total, err
			}
			failed = fmt.Errorf("the server says: %s", strings.ReplaceAll(string(text[headerSize:]), "\x00", " "))
		}
		if _, err := in.Discard(size); err != nil {
			return total, err
		}
		total += int64(size)
		if kind == 'Z' {
			return total, failed
		}
	}
}

// send runs a COPY FROM STDIN of so many rows of pgbench_accounts, and counts the bytes.
func send(ctx context.Context, r *route, sql string, rows int) (int64, error) {
	conn, err := pgconn.Connect(ctx, r.dsn("disable"))
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	data := &counter{in: accounts(rows)}
	_, err = conn.CopyFrom(ctx, data, sql)
	return data.n, err
}

// accounts is the text of so many rows of pgbench_accounts, rounded up to thousands.
func accounts(rows int) io.Reader {
	var block bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&block, "%d\t1\t0\t%84s\n", 1_000_000+i, "")
	}
	var blocks []io.Reader
	for range (rows + 999) / 1000 {
		blocks = append(blocks, bytes.NewReader(block.Bytes()))
	}
	return io.MultiReader(blocks...)
}

// counter counts what is read through it.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}
