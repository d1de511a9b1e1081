package revisions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Conn is the server as the ledger sees it: a client's own server connection, or one of ours. It is used by one
// goroutine at a time. An error that the server reported satisfies interface{ SQLState() string }. A connection of ours has
// client_encoding UTF8; on a client's it may be any, because what we send and get there is ASCII.
type Conn interface {
	// Exec runs one statement with text parameters and returns its command tag.
	Exec(ctx context.Context, sql string, args ...string) (tag string, err error)
	// Query runs one statement and returns the first column of each row as text; NULL is "".
	Query(ctx context.Context, sql string, args ...string) ([]string, error)
	// TxStatus is the transaction status byte of the last ReadyForQuery: 'I', 'T' or 'E'.
	TxStatus() byte
	// InTx runs f inside BEGIN … COMMIT of its own; an error of f rolls back and is returned.
	InTx(ctx context.Context, f func(context.Context) error) error
}

// Asker is the part of a Conn that asks one question.
type Asker interface {
	Query(ctx context.Context, sql string, args ...string) ([]string, error)
}

// sqlState is the SQLSTATE of an error of the server, "" for any other error.
func sqlState(err error) string {
	var server interface{ SQLState() string }
	if errors.As(err, &server) {
		return server.SQLState()
	}
	return ""
}

// queryRows reads a query whose rows are one JSON object each.
func queryRows[T any](ctx context.Context, conn Asker, sql string, args ...string) ([]T, error) {
	lines, err := conn.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	rows := make([]T, len(lines))
	for i, line := range lines {
		if err := json.Unmarshal([]byte(line), &rows[i]); err != nil {
			return nil, fmt.Errorf("cannot read row %d of the server's answer: %w", i+1, err)
		}
	}
	return rows, nil
}

// queryRow reads a query that always has exactly one row.
func queryRow[T any](ctx context.Context, conn Asker, sql string, args ...string) (T, error) {
	rows, err := queryRows[T](ctx, conn, sql, args...)
	if err != nil {
		var none T
		return none, err
	}
	if len(rows) != 1 {
		var none T
		return none, fmt.Errorf("the server's answer has %d rows instead of one", len(rows))
	}
	return rows[0], nil
}
