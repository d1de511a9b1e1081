package proxy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// advisoryCalls are the ways to take an advisory lock that are polled; %d is a key.
func advisoryCalls() []string {
	return []string{
		"SELECT pg_advisory_lock(%d)", "select pg_catalog.pg_advisory_lock( %d::bigint ) AS got", "SELECT pg_advisory_lock(7, %d)",
		"SELECT pg_advisory_lock_shared(%d)", "SELECT pg_advisory_lock_shared(7, %d)", "SELECT pg_advisory_xact_lock(%d)",
		"SELECT pg_advisory_xact_lock(7, %d)", "SELECT pg_advisory_xact_lock_shared(%d)", "SELECT pg_advisory_lock(NULL::bigint), %d",
		"SELECT pg_advisory_lock('x%d')", "BEGIN; SELECT pg_advisory_xact_lock(%d)", "SELECT pg_advisory_lock(%d); SELECT 1/0",
	}
}

// What a client is answered for a lock that is free is byte for byte what the server answers, by both protocols and in both formats.
func TestAdvisoryReplyIsTheServers(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	for n, call := range advisoryCalls() {
		sql := fmt.Sprintf(call, n)
		conversations := map[string][]pgproto3.FrontendMessage{"simple": {&pgproto3.Query{String: sql}}}
		if !strings.Contains(sql, ";") {
			for name, format := range map[string][]int16{"text": nil, "binary": {1}} {
				conversations["extended "+name] = []pgproto3.FrontendMessage{
					&pgproto3.Parse{Query: sql}, &pgproto3.Describe{ObjectType: 'S'}, &pgproto3.Bind{ResultFormatCodes: format},
					&pgproto3.Describe{ObjectType: 'P'}, &pgproto3.Execute{}, &pgproto3.Sync{},
				}
			}
			conversations["pipeline"] = []pgproto3.FrontendMessage{
				&pgproto3.Parse{Query: "SELECT 1"}, &pgproto3.Bind{}, &pgproto3.Execute{},
				&pgproto3.Parse{Query: sql}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{},
			}
		}
		for name, said := range conversations {
			direct, proxied := advised(t, w.dsn, said), advised(t, w.proxied, said)
			if !slices.Equal(direct, proxied) {
				t.Errorf("%s, %s: answered\n%s\nthe server itself\n%s", sql, name, strings.Join(proxied, "\n"), strings.Join(direct, "\n"))
			}
		}
	}
}

// advised sends messages on a new connection, and returns the answers up to ReadyForQuery.
func advised(t *testing.T, dsn string, said []pgproto3.FrontendMessage) (answers []string) {
	t.Helper()
	conn, err := pgconn.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := conn.Hijack()
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Conn.Close()
	for _, m := range said {
		raw.Frontend.Send(m)
	}
	if err := raw.Frontend.Flush(); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := raw.Frontend.Receive()
		if err != nil {
			t.Fatalf("after %q: %v", answers, err)
		}
		if e, ok := m.(*pgproto3.ErrorResponse); ok {
			e.File, e.Line, e.Routine = "", 0, ""
		}
		encoded, err := m.(interface{ Encode([]byte) ([]byte, error) }).Encode(nil)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, fmt.Sprintf("%q", encoded))
		if _, last := m.(*pgproto3.ReadyForQuery); last {
			return answers
		}
	}
}

// waiter is a client that takes a lock in one of the ways.
type waiter struct {
	name string
	// before is sent first; take is the call that waits.
	before []string
	take   func(ctx context.Context, conn *pgconn.PgConn, sql string) error
}

func waiters() []waiter {
	simple := func(ctx context.Context, conn *pgconn.PgConn, sql string) error {
		_, err := conn.Exec(ctx, sql).ReadAll()
		return err
	}
	return []waiter{
		{"simple", nil, simple},
		{"simple, in a transaction", []string{"BEGIN"}, simple},
		{"extended", nil, func(ctx context.Context, conn *pgconn.PgConn, sql string) error {
			return conn.ExecParams(ctx, sql, nil, nil, nil, nil).Read().Err
		}},
		{"pipeline", nil, func(ctx context.Context, conn *pgconn.PgConn, sql string) error {
			batch := &pgconn.Batch{}
			batch.ExecParams("SELECT 1", nil, nil, nil, nil)
			batch.ExecParams(sql, nil, nil, nil, nil)
			_, err := conn.ExecBatch(ctx, batch).ReadAll()
			return err
		}},
	}
}

// A wait ends as the server's own would: by a cancel, which may come by another way, and by the client's timeouts.
func TestAdvisoryWaitEnds(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	side := pgtest.Connect(t, w.dsn)
	execSQL(t, side, "SELECT pg_advisory_lock(1)")
	for _, by := range waiters() {
		for _, end := range []string{"cancel", "SET statement_timeout = '300ms'", "SET lock_timeout = '300ms'"} {
			t.Run(by.name+", "+end, func(t *testing.T) {
				t.Parallel()
				var told [2]string
				for i, dsn := range []string{w.dsn, w.proxied} {
					conn, err := pgconn.Connect(t.Context(), dsn)
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close(context.Background())
					setup := by.before
					if end != "cancel" {
						setup = append([]string{end}, setup...)
					}
					for _, sql := range setup {
						if err := execWire(conn, sql); err != nil {
							t.Fatal(err)
						}
					}
					ended := make(chan error, 1)
					go func() { ended <- by.take(t.Context(), conn, "SELECT pg_advisory_lock(1)") }()
					if end == "cancel" {
						looking := pgtest.Connect(t, w.dsn)
						for waiting := true; waiting; {
							// Each cancel must find a statement that waits; it is sent to the server itself, as another proxy would.
							pgtest.WaitFor(t, looking, `SELECT state <> 'active' OR wait_event IN ('PgSleep', 'advisory') FROM pg_stat_activity WHERE pid = $1`, int(conn.PID()))
							execSQL(t, looking, fmt.Sprintf("SELECT pg_cancel_backend(%d)", conn.PID()))
							select {
							case err = <-ended:
								waiting = false
							case <-time.After(10 * time.Millisecond):
							}
						}
					} else {
						err = <-ended
					}
					var failed *pgconn.PgError
					if !errors.As(err, &failed) {
						t.Fatalf("the wait ended with %v", err)
					}
					told[i] = fmt.Sprintf("%s %s, status %c", failed.Code, failed.Message, conn.TxStatus())
					if conn.TxStatus() == 'E' {
						if err := execWire(conn, "ROLLBACK"); err != nil {
							t.Error(err)
						}
					}
					result := conn.ExecParams(t.Context(), "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')", nil, nil, nil, nil).Read()
					if result.Err != nil {
						t.Fatal(result.Err)
					}
					told[i] += fmt.Sprintf(", then %q", result.Rows)
				}
				if told[0] != told[1] {
					t.Errorf("the client was told %s\nthe server itself says %s", told[1], told[0])
				}
			})
		}
	}
}

// Locks that two clients take crosswise end in the server's own deadlock error for one of them, and the other gets its lock.
func TestCrossedAdvisoryLocks(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	all := waiters()
	for i, pair := range [][2]waiter{{all[0], all[0]}, {all[1], all[1]}, {all[2], all[2]}, {all[0], all[3]}} {
		t.Run(pair[0].name+" and "+pair[1].name, func(t *testing.T) {
			t.Parallel()
			keys := [2]int{10 + 2*i, 11 + 2*i}
			var conns [2]*pgconn.PgConn
			for n, by := range pair {
				var err error
				if conns[n], err = pgconn.Connect(t.Context(), w.proxied); err != nil {
					t.Fatal(err)
				}
				defer conns[n].Close(context.Background())
				for _, sql := range append([]string{fmt.Sprintf("SELECT pg_advisory_lock(%d)", keys[n])}, by.before...) {
					if err := execWire(conns[n], sql); err != nil {
						t.Fatal(err)
					}
				}
			}
			type end struct {
				who int
				err error
			}
			ends := make(chan end, 2)
			for n, by := range pair {
				go func() {
					ends <- end{n, by.take(t.Context(), conns[n], fmt.Sprintf("SELECT pg_advisory_lock(%d)", keys[1-n]))}
				}()
			}
			first := <-ends
			var failed *pgconn.PgError
			if !errors.As(first.err, &failed) || failed.Code != "40P01" {
				t.Fatalf("the first ended with %v", first.err)
			}
			_ = conns[first.who].Close(t.Context())
			if second := <-ends; second.err != nil {
				t.Errorf("the second ended with %v", second.err)
			}
		})
	}
}
