// Package run carries out plans: it takes locks politely, watches concurrent builds, cleans up after them, and resumes what a crash left.
package run

import (
	"context"
	"errors"

	"github.com/pgsluice/pgsluice/rewrite"
)

// Conn is the server as a plan sees it: the client's own server connection, or one of ours. It is used by one goroutine at a time.
// An error that the server reported satisfies interface{ SQLState() string }; any other error means the connection is lost.
type Conn interface {
	// Exec runs one statement with text parameters and returns its command tag.
	Exec(ctx context.Context, sql string, args ...string) (tag string, err error)
	// Query runs one statement and returns the first column of each row as text; NULL is "".
	Query(ctx context.Context, sql string, args ...string) ([]string, error)
	// Chain runs statements one behind the other in one round trip, up to the first that fails, and returns the tags of those that
	// succeeded. Outside of a transaction block they are one transaction.
	Chain(ctx context.Context, sql ...string) (tags []string, err error)
	// Pipeline is Chain for statements with parameters, whose answers matter: those of the statements that succeeded.
	Pipeline(ctx context.Context, calls ...Call) ([]Answer, error)
	// TxStatus is the transaction status byte of the last ReadyForQuery: 'I', 'T' or 'E'.
	TxStatus() byte
	// InTx runs f inside BEGIN … COMMIT of ours (READ COMMITTED, READ WRITE); an error of f rolls back and is returned.
	InTx(ctx context.Context, f func(context.Context) error) error
}

// Call is one statement with its parameters: Params as they are, then Args as text of ours.
type Call struct {
	SQL    string
	Params []rewrite.Param
	Args   []string
}

// Answer is what the server said to a Call: its command tag, and the first column of each row as text; NULL is "".
type Answer struct {
	Tag  string
	Rows []string
}

// SQLState is the server's SQLSTATE of an error, or "" when err did not come from a server.
func SQLState(err error) string {
	var server interface{ SQLState() string }
	if errors.As(err, &server) {
		return server.SQLState()
	}
	return ""
}
