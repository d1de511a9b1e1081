package proxy

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// A pooler names another process than the one that serves. One that pools sessions is no obstacle; through one that pools transactions nothing is done that
// would stay with a stranger, by either protocol.
func TestPooler(t *testing.T) {
	t.Parallel()
	simply := execWire
	extended := func(conn *pgconn.PgConn, sql string) error {
		return conn.ExecParams(context.Background(), sql, nil, nil, nil, nil).Read().Err
	}
	for name, c := range map[string]struct {
		exec  func(conn *pgconn.PgConn, sql string) error
		moves bool
		said  string
		// loses is true where the statement by which the pooler is noticed may have stayed with another backend.
		loses bool
	}{
		"sessions, simple":       {simply, false, `pgsluice: building index "t_a" on "t" concurrently`, false},
		"sessions, extended":     {extended, false, `pgsluice: building index "t_a" on "t" concurrently`, false},
		"transactions, simple":   {simply, true, "", false},
		"transactions, extended": {extended, true, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var log lockedBuffer
			options := sessionOptions(t, Enforce)
			options.Log = slog.New(slog.NewTextHandler(&log, nil))
			notices := ""
			client, direct := throughPooler(t, &options, c.moves, func(n *pgconn.Notice) { notices += n.Message })
			execAll(t, direct, "CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
			if err := c.exec(client, "CREATE TABLE u (a int)"); err != nil && !c.loses {
				t.Fatal(err)
			}
			notices = ""
			if err := c.exec(client, "CREATE INDEX t_a ON t (a)"); err != nil {
				t.Fatal(err)
			}
			if notices != c.said {
				t.Errorf("the client is told: %q, want %q", notices, c.said)
			}
			for _, sql := range []string{"ALTER TABLE t ADD CHECK (a > 0)", "ALTER TABLE t ADD COLUMN b int"} {
				if err := c.exec(client, sql); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
			}
			if !strings.Contains(log.String(), "a pooler stands between") || strings.Contains(log.String(), "pools transactions") != c.moves {
				t.Errorf("the log: %s", log.String())
			}
			if left := advisoryLocks(t, direct); left != "0" {
				t.Errorf("%s locks are left", left)
			}
			if err := client.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// throughPooler is a client of a session behind which a pooler stands, and a connection straight to the same database.
func throughPooler(t *testing.T, options *SessionOptions, moves bool, told func(*pgconn.Notice)) (client, direct *pgconn.PgConn) {
	t.Helper()
	config, err := pgconn.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	if direct, err = pgconn.ConnectConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = direct.Close(context.Background()) })
	pooler, err := ParseAddress(pooled(t, net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))), moves))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Upstream: Upstream{Addresses: []Address{pooler}, SSLMode: SSLDisable}}
	f := start(t, o, func(ctx context.Context, l *link) error { return newSession(options, l).run(ctx) })
	config = config.Copy()
	config.Host, config.Port, config.TLSConfig, config.Fallbacks = f.tcp.Host, uint16(f.tcp.Port), nil, nil
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { told(n) }
	if client, err = pgconn.ConnectConfig(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return client, direct
}

// advisoryLocks is how many of them there are in the database.
func advisoryLocks(t *testing.T, direct *pgconn.PgConn) string {
	t.Helper()
	held, err := direct.Exec(t.Context(), "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database WHERE locktype = 'advisory' AND datname = current_database()").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return string(held[0].Rows[0][0])
}

// The turn to migrate stays with nobody who would not know of it: in a block it is the transaction's while it is not known what the pooler pools.
func TestTurnBehindPooler(t *testing.T) {
	t.Parallel()
	extended := func(conn *pgconn.PgConn, sql string) error {
		return conn.ExecParams(context.Background(), sql, nil, nil, nil, nil).Read().Err
	}
	const change, another = "CREATE TABLE t (id int PRIMARY KEY)", "ALTER TABLE t ADD COLUMN a int"
	for name, exec := range map[string]func(conn *pgconn.PgConn, sql string) error{"simple": execWire, "extended": extended} {
		for _, moves := range []bool{false, true} {
			for _, block := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, block %t, moves %t", name, block, moves), func(t *testing.T) {
					options := sessionOptions(t, Enforce)
					options.Exclusive = OneWaits
					warned := ""
					client, direct := throughPooler(t, &options, moves, func(n *pgconn.Notice) { warned += n.Message })
					execAll(t, direct, "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
					run := func(sql, locks string) {
						t.Helper()
						err := exec(client, sql)
						if err != nil && name == "extended" && moves { // what it was prepared by may have stayed with another backend
							err = exec(client, sql)
						}
						if err != nil {
							t.Fatalf("%s: %v", sql, err)
						}
						if held := advisoryLocks(t, direct); held != locks {
							t.Errorf("%s: there are %s locks, want %s", sql, held, locks)
						}
						if warned != "" {
							t.Errorf("%s: the client is told %q", sql, warned)
						}
					}
					run("SELECT version_num FROM alembic_version", "0")
					kept := map[bool]string{true: "0", false: "1"}[moves]
					if block {
						run("BEGIN", "0")
						run(change, "1")
						run("COMMIT", "0")
						run(another, kept)
					} else {
						run(change, kept)
						run(another, kept)
					}
					if err := client.Close(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// pooled is a pooler in front of a server, for one client. It has two connections to the server, and where it moves takes the other one for each transaction.
func pooled(t *testing.T, server string, moves bool) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- pool(listener, server, moves) }()
	t.Cleanup(func() {
		_ = listener.Close() // so that nobody waits for a client that never came
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}

func pool(listener net.Listener, server string, moves bool) error {
	client, err := listener.Accept()
	if err != nil {
		return err
	}
	defer client.Close()
	startup := make([]byte, 4)
	if _, err := io.ReadFull(client, startup); err != nil {
		return err
	}
	rest, err := io.ReadAll(io.LimitReader(client, int64(binary.BigEndian.Uint32(startup))-4))
	if err != nil {
		return err
	}
	var backends [2]net.Conn
	for i := range backends {
		if backends[i], err = net.Dial("tcp", server); err != nil {
			return err
		}
		defer backends[i].Close()
		if _, err := backends[i].Write(append(bytes.Clone(startup), rest...)); err != nil {
			return err
		}
		for ready := false; !ready; {
			m, err := readMessage(backends[i])
			if err != nil {
				return err
			}
			if m.kind == 'K' {
				m.body[0] |= 0x80 // as pgbouncer's
			}
			if i == 0 {
				if _, err := client.Write(frameOf(m.kind, m.body)); err != nil {
					return err
				}
			}
			ready = m.kind == 'Z'
		}
	}
	var turn atomic.Int32
	idle := make(chan struct{}, 1) // as the backends are at first, and behind each Sync: what follows is of another transaction
	for i, backend := range backends {
		go func() {
			for {
				m, err := readMessage(backend)
				if err != nil {
					return
				}
				if moves && m.kind == 'Z' && m.body[0] == 'I' {
					turn.Store(int32(1 - i))
				}
				if _, err := client.Write(frameOf(m.kind, m.body)); err != nil {
					return
				}
				if m.kind == 'Z' {
					idle <- struct{}{}
				}
			}
		}()
	}
	for {
		m, err := readMessage(client)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := backends[turn.Load()].Write(frameOf(m.kind, m.body)); err != nil {
			return err
		}
		if m.kind == 'S' || m.kind == 'Q' {
			<-idle
		}
	}
}
