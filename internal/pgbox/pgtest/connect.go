package pgtest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Connect opens a connection that is closed when the test ends.
func Connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("cannot connect: %v", err)
	}
	t.Cleanup(func() { closeConn(conn) })
	return conn
}

// closeConn closes in passing; the server ends the session either way.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn.Close(ctx)
}

// WaitFor asks the condition, one SQL expression or query that returns a boolean, until it is true. The connection must
// not be in a transaction, in which pg_stat_activity would never change.
func WaitFor(t testing.TB, conn *pgx.Conn, condition string, args ...any) {
	t.Helper()
	if status := conn.PgConn().TxStatus(); status != 'I' {
		t.Fatalf("cannot wait on a connection in a transaction (status %c), it may see a frozen picture: %s", status, condition)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		var met *bool // NULL is not true
		err := conn.QueryRow(ctx, condition, args...).Scan(&met)
		if ctx.Err() != nil {
			t.Fatalf("waited %s in vain for: %s %v", patience, condition, args)
		}
		if err != nil {
			t.Fatalf("cannot ask whether %s %v: %v", condition, args, err)
		}
		if met != nil && *met {
			return
		}
		<-ticker.C
	}
}

// execAt runs one statement on a connection of its own.
func execAt(ctx context.Context, dsn, sql string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	_, err = conn.Exec(ctx, sql)
	return err
}
