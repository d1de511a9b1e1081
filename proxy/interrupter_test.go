package proxy

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
)

// interrupter stands between the proxy and its server, and has a CancelRequest hit the n-th statement of the proxy's own for certain: what it executes in that
// moment is a long sleep in its place.
type interrupter struct {
	server Address
	side   *pgx.Conn

	mu sync.Mutex
	// left is how many statements are executed before the one that is hit, negative when none is.
	left int
	// hit is the text of that one, "" while it is not executed; own is true when the client's own statement was sent before it, missed when the server skips it.
	hit         string
	own, missed bool
	// main is what the statement has in it that stands for the client's, if the proxy sends one.
	main string
}

func interrupting(t *testing.T, w *stage) *interrupter {
	t.Helper()
	i := &interrupter{server: addressOf(pgtest.Server(t)), side: pgtest.Connect(t, w.dsn), left: -1}
	w.behind = fakeServer(t, func(conn net.Conn) {
		if err := i.carry(conn); err != nil {
			t.Error(err)
		}
	})
	config, err := pgconn.ParseConfig(w.dsn)
	if err != nil {
		t.Fatal(err)
	}
	w.serve(t, *w.server.following.Load(), config)
	return i
}

func (i *interrupter) arm(n int, main string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.left, i.hit, i.own, i.missed, i.main = n, "", false, false, main
}

// disarm returns what was hit.
func (i *interrupter) disarm() (hit string, own, missed bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.left = -1
	return i.hit, i.own, i.missed
}

// carried is one connection.
type carried struct {
	*interrupter
	proxy, backend net.Conn
	pid            uint32
	key            []byte
	texts, portals map[string]string

	mu     sync.Mutex
	status byte
	struck bool
}

func (i *interrupter) carry(proxy net.Conn) error {
	backend, err := net.Dial("tcp", i.server.String())
	if err != nil {
		return err
	}
	defer backend.Close()
	c := &carried{interrupter: i, proxy: proxy, backend: backend, texts: map[string]string{}, portals: map[string]string{}}
	length := make([]byte, 4)
	if _, err := io.ReadFull(proxy, length); err != nil {
		return nil
	}
	if _, err := io.CopyN(backend, io.MultiReader(strings.NewReader(string(length)), proxy), int64(binary.BigEndian.Uint32(length))); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.answers() }()
	err = c.questions()
	_ = backend.Close()
	if answered := <-ended; err == nil {
		err = answered
	}
	return err
}

// sleep is what is executed in place of what is hit; the server has it prepared.
const sleep = "pg_sleep"

// answers carries what the server says.
func (c *carried) answers() error {
	var bound []byte // a BindComplete that may be that of the sleep
	for {
		m, err := readMessage(c.backend)
		if err != nil {
			return nil
		}
		frame := frameOf(m.kind, m.body)
		switch m.kind {
		case 'K':
			c.pid, c.key = binary.BigEndian.Uint32(m.body), m.body
		case 'Z':
			if c.status == 0 {
				if err := c.prepare(); err != nil {
					return err
				}
			}
			c.mu.Lock()
			c.status = m.body[0]
			c.mu.Unlock()
		}
		c.mu.Lock()
		struck := c.struck
		c.struck = struck && m.kind != 'E'
		c.mu.Unlock()
		if !struck || m.kind != 'E' {
			frame, bound = append(bound, frame...), nil
		}
		if struck && m.kind == '2' {
			cut := len(frame) - headerSize
			frame, bound = frame[:cut], frame[cut:]
		}
		if m.kind == 'E' {
			bound = nil
		}
		if _, err := c.proxy.Write(frame); err != nil {
			return nil
		}
	}
}

// prepare has the server prepare the sleep.
func (c *carried) prepare() error {
	out, err := (&pgproto3.Parse{Name: sleep, Query: "SELECT pg_catalog.pg_sleep(1000)"}).Encode(nil)
	if err != nil {
		return err
	}
	if _, err := c.backend.Write(append(out, 'S', 0, 0, 0, 4)); err != nil {
		return err
	}
	for {
		if m, err := readMessage(c.backend); err != nil || m.kind == 'Z' {
			return err
		}
	}
}

// questions carries what the proxy says.
func (c *carried) questions() error {
	for {
		m, err := readMessage(c.proxy)
		if err != nil {
			return nil
		}
		switch m.kind {
		case 'P':
			name, rest, _ := cString(m.body)
			c.texts[name], _, _ = cString(rest)
		case 'B':
			portal, rest, _ := cString(m.body)
			name, _, _ := cString(rest)
			c.portals[portal] = c.texts[name]
		case 'Q':
			c.sawOwn()
		case 'E':
			portal, _, _ := cString(m.body)
			if !strings.HasPrefix(portal, "pgsluice_") {
				c.sawOwn()
			} else if c.due(c.portals[portal]) {
				if err := c.strike(); err != nil {
					return err
				}
			}
		}
		if _, err := c.backend.Write(frameOf(m.kind, m.body)); err != nil {
			return nil
		}
	}
}

func (c *carried) sawOwn() {
	c.interrupter.mu.Lock()
	defer c.interrupter.mu.Unlock()
	c.own = c.own || c.left >= 0
}

// due reports whether a statement is to be hit. In a transaction that has failed nothing can be executed in its place.
func (c *carried) due(text string) bool {
	c.mu.Lock()
	failed := c.status == 'E'
	c.mu.Unlock()
	c.interrupter.mu.Lock()
	defer c.interrupter.mu.Unlock()
	if c.left < 0 || failed {
		return false
	}
	if c.left--; c.left >= 0 {
		c.own = c.own || strings.Contains(text, c.main) && !strings.HasPrefix(text, "EXPLAIN")
		return false
	}
	c.hit = text
	return true
}

// strike executes the sleep, and cancels it.
func (c *carried) strike() error {
	out, err := (&pgproto3.Bind{DestinationPortal: sleep, PreparedStatement: sleep}).Encode(nil)
	if err != nil {
		return err
	}
	if out, err = (&pgproto3.Execute{Portal: sleep}).Encode(out); err != nil {
		return err
	}
	c.mu.Lock()
	c.struck = true
	c.mu.Unlock()
	if _, err := c.backend.Write(out); err != nil {
		return err
	}
	for asleep := false; !asleep; {
		c.mu.Lock()
		missed := !c.struck
		c.mu.Unlock()
		if missed { // the server skips what stands behind an error
			c.interrupter.mu.Lock()
			defer c.interrupter.mu.Unlock()
			c.missed = true
			return nil
		}
		ctx, enough := context.WithTimeout(context.Background(), patience)
		err := c.side.QueryRow(ctx, "SELECT wait_event IS NOT DISTINCT FROM 'PgSleep' AND query LIKE '%(1000)' FROM pg_stat_activity WHERE pid = $1", int(c.pid)).Scan(&asleep)
		enough()
		if err != nil {
			return fmt.Errorf("cannot see the sleep: %w", err)
		}
	}
	conn, err := net.Dial("tcp", c.server.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write(cancelPacket(c.key)); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, conn)
	return err
}

// A CancelRequest that hits a question of ours, or a step of ours, is the cancel of the client's statement, whatever it hits.
func TestCancelHitsWhatIsOurs(t *testing.T) {
	t.Parallel()
	const add = "ALTER TABLE t ADD COLUMN c int"
	extended := func(conn *pgconn.PgConn, sql string) error {
		return conn.ExecParams(context.Background(), sql, nil, nil, nil, nil).Read().Err
	}
	cases := []struct {
		name   string
		before []string
		sql    string
		done   string // asks the client whether it is done; "" for a statement that is refused
		change func(*SessionOptions)
	}{
		{"alone", nil, add, hasC, nil},
		{"block", []string{"BEGIN"}, add, hasC, nil},
		{"index", nil, "CREATE INDEX i ON t (n)", "SELECT to_regclass('i') IS NOT NULL", nil},
		{"deferred", []string{"BEGIN"}, "CREATE INDEX i ON t (n)", "SELECT true", nil},
		{"behind deferred work", []string{"BEGIN", "CREATE INDEX i ON t (n)"}, "SELECT count(*) FROM v", "", nil},
		{"change behind deferred work", []string{"BEGIN", "CREATE INDEX i ON t (n)"}, add, hasC, nil},
		{"version", []string{"BEGIN"}, "INSERT INTO alembic_version VALUES ('2')", "SELECT count(*) = 1 FROM alembic_version", nil},
		{"look", []string{"BEGIN"}, "SELECT version_num FROM alembic_version", "SELECT true", waitTurn},
		{"turn", []string{"SELECT version_num FROM alembic_version", "BEGIN"}, add, hasC, waitTurn},
		{"turn alone", []string{"SELECT version_num FROM alembic_version"}, add, hasC, waitTurn},
		{"few rows", []string{"BEGIN"}, "UPDATE t SET n = -1 WHERE n = 7", "SELECT count(*) = 1 FROM t WHERE n = -1", nil},
		{"few rows alone", nil, "UPDATE t SET n = -1 WHERE n = 7", "SELECT count(*) = 1 FROM t WHERE n = -1", nil},
		{"many rows", nil, "UPDATE t SET n = -1 WHERE id > 5", "SELECT count(*) > 5 FROM t WHERE n = -1", nil},
		{"script", nil, "CREATE TABLE x (id int PRIMARY KEY); " + add, hasC, nil},
		{"execute", []string{"PREPARE p AS UPDATE t SET n = -1 WHERE id > $1"}, "EXECUTE p (5)", "SELECT count(*) > 5 FROM t WHERE n = -1", nil},
	}
	for _, c := range cases {
		for protocol, exec := range map[string]func(*pgconn.PgConn, string) error{"simple": execWire, "extended": extended} {
			if protocol == "extended" && strings.Contains(c.sql, ";") {
				continue
			}
			t.Run(c.name+", "+protocol, func(t *testing.T) {
				t.Parallel()
				w := newStage(t, Enforce, true, false)
				i := interrupting(t, w)
				if c.change != nil {
					options := *w.server.following.Load()
					c.change(&options)
					w.server.SetSession(options)
				}
				side := pgtest.Connect(t, w.dsn)
				for n := 0; n < 40; n++ { // a batch is like the other
					execSQL(t, side, `DROP TABLE IF EXISTS t, x, alembic_version CASCADE;
						CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int); INSERT INTO t (n) SELECT g FROM generate_series(1, 12000) g; CREATE VIEW v AS SELECT * FROM t;
						CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); ANALYZE`)
					client := w.open(t, fmt.Sprint(n), nil)
					for _, sql := range c.before {
						execAll(t, client, sql)
					}
					inBlock := client.TxStatus() == 'T'
					main, _, _ := strings.Cut(strings.TrimPrefix(strings.Replace(c.sql, "INDEX i", "CONCURRENTLY i", 1), "CREATE "), " ")
					i.arm(n, main)
					err := exec(client, c.sql)
					hit, own, missed := i.disarm()
					told := fmt.Sprintf("%q (%d) is hit, the client is told %v, status %c", title(hit), n, err, client.TxStatus())
					switch {
					case hit == "" && (err != nil) != (c.done == ""):
						t.Error(told)
					case run.SQLState(err) == codeRefused && c.done == "" && (hit == "" || hit == failing || missed):
					case err == nil && (hit == "" || own || missed):
						if done := rowsOf(client.Exec(t.Context(), c.done).ReadAll()); !strings.Contains(done, "t") {
							t.Errorf("%s, but it is not done: %s", told, done)
						}
					case run.SQLState(err) != canceled, (client.TxStatus() == 'E') != inBlock:
						t.Error(told)
					}
					if err := client.Close(t.Context()); err != nil {
						t.Error(err)
					}
					if hit == "" {
						return
					}
				}
			})
		}
	}
}

const hasC = "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'c')"

func waitTurn(o *SessionOptions) { o.Exclusive = OneWaits }
