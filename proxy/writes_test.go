package proxy

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
)

// meter counts the statements that are parsed.
type meter struct {
	noMeter
	parsed int
}

func (m *meter) StatementParsed(time.Duration) { m.parsed++ }

// Writes of few rows are read once for each shape, and pass unread from then on: by a key for every session, by what is counted for one; in the
// extended protocol nothing is looked at again when it is executed.
func TestWritesOfFewRowsPassUnread(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, false, false)
	counted := &meter{}
	options := *w.server.following.Load()
	options.Meter = counted
	w.server.following.Store(&options)
	conn := w.open(t, "a", nil)
	execAll(t, conn, "CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t SELECT g, g % 100, 'x' FROM generate_series(1, 20000) g")
	execAll(t, conn, "ANALYZE t")
	read := func(conn *pgconn.PgConn, sql string) int {
		t.Helper()
		before := counted.parsed
		execAll(t, conn, sql)
		return counted.parsed - before
	}
	for _, c := range []struct {
		sql  string
		want int // how often it is parsed
	}{
		{"UPDATE t SET b = 'y' WHERE id = 1", 1},
		{"UPDATE t SET b = 'it''s WHERE' WHERE id = 77 /* another */", 1},
		{"UPDATE t SET b = 'z' WHERE id = 7 /* still another */", 0},
		{"UPDATE t SET b = '' WHERE id = 777", 0},
		{"DELETE FROM t WHERE id IN (1, 2)", 1},
		{"DELETE FROM t WHERE id IN (5, 6)", 0},
		{"DELETE FROM t WHERE id IN (5, 6, 7)", 1},
		{"UPDATE t SET b = 'x' WHERE a = 5", 1}, // its statistics say that it is rare
		{"UPDATE t SET b = 'x' WHERE a = 6", 0},
		{"DELETE FROM t WHERE id = ANY ('{1, 2}')", 1},
		{"DELETE FROM t WHERE id = ANY ('{3}')", 0},
		{"INSERT INTO t VALUES (1, 1, 'x') ON CONFLICT (id) DO UPDATE SET b = 'y'", 0},
		{"SELECT * FROM t LIMIT 1 FOR UPDATE", 0},
		// Here the rows depend on the constants.
		{"UPDATE t SET b = 'x' WHERE id < 5", 1},
		{"UPDATE t SET b = 'x' WHERE id < 6", 1},
	} {
		if got := read(conn, c.sql); got != c.want {
			t.Errorf("parsed %d times instead of %d: %s", got, c.want, c.sql)
		}
	}
	second := w.open(t, "b", nil)
	if read(second, "UPDATE t SET b = 'q' WHERE id = 9") != 0 || read(second, "UPDATE t SET b = 'x' WHERE a = 7") != 1 {
		t.Error("what a key says holds for every session, what is counted for one")
	}
	// A session that speaks of its search_path may mean another table by the same name.
	execAll(t, conn, "SET search_path = public")
	if got := read(conn, "UPDATE t SET b = 'x' WHERE a = 8"); got != 1 {
		t.Errorf("a name that may mean another table is believed: parsed %d times", got)
	}

	for _, sql := range []string{"UPDATE t SET b = $1 WHERE id = $2::int", "UPDATE t SET b = $1 WHERE id < $2::int"} {
		if _, err := second.Prepare(t.Context(), sql, sql, nil); err != nil {
			t.Fatal(err)
		}
		before := counted.parsed
		for range 3 {
			if result := second.ExecPrepared(t.Context(), sql, [][]byte{[]byte("v"), []byte("3")}, nil, nil).Read(); result.Err != nil {
				t.Fatal(result.Err)
			}
		}
		if counted.parsed != before {
			t.Errorf("parsed again when it is executed: %s", sql)
		}
	}
	// The number of an array's values is known by its length only when it is bound: what is short passes, what is long is looked at.
	sql := "DELETE FROM t WHERE id = ANY ($1::int[])"
	if _, err := second.Prepare(t.Context(), sql, sql, nil); err != nil {
		t.Fatal(err)
	}
	if result := second.ExecPrepared(t.Context(), sql, [][]byte{[]byte("{11,12}")}, nil, nil).Read(); result.Err != nil || result.CommandTag.String() != "DELETE 2" {
		t.Errorf("%s, %v", result.CommandTag, result.Err)
	}
}

// What is remembered of one text must hold for all of its shape, and for all sessions of the login if they are told: their tables, not those of the session
// that has asked.
func TestRememberedWritesAreTheSame(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, false, false)
	counted := &meter{}
	options := *w.server.following.Load()
	options.Meter = counted
	w.server.following.Store(&options)
	direct := pgtest.Connect(t, w.dsn)
	execSQL(t, direct, `CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, 1 FROM generate_series(1, 20000) g;
		CREATE TABLE parent (id int PRIMARY KEY, a int); CREATE TABLE child () INHERITS (parent); INSERT INTO child SELECT 1, g FROM generate_series(1, 20000) g;
		CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		CREATE TABLE word (id int PRIMARY KEY, w text COLLATE blind); CREATE UNIQUE INDEX ON word (w COLLATE "C");
		CREATE TABLE half (id int PRIMARY KEY, a int) PARTITION BY RANGE (id); CREATE TABLE half1 PARTITION OF half DEFAULT;
		CREATE TABLE o (a int); INSERT INTO o SELECT 1 FROM generate_series(1, 20000); CREATE TABLE p (a int); INSERT INTO p SELECT 1 FROM generate_series(1, 20000);
		CREATE SCHEMA other; CREATE TABLE other.p (a int PRIMARY KEY); ANALYZE`)
	w.open(t, "away", map[string]string{"options": `--search-p\ath=other`})
	for _, c := range []struct {
		conn, sql string
		want      int // how often it is parsed
	}{
		{"a", "DELETE FROM t WHERE id IN (SELECT id FROM t WHERE a = 2 LIMIT 1)", 1},
		{"a", "DELETE FROM t WHERE id IN (SELECT id FROM t WHERE a = 3 LIMIT 1)", 0},
		{"a", "DELETE FROM t WHERE id IN (SELECT id FROM t WHERE a = 3 LIMIT 5000)", 1},
		{"a", "UPDATE half SET a = 1 WHERE id = 1", 1},
		{"b", "UPDATE half SET a = 1 WHERE id = 2", 0},
		// A key that is not that of all rows, or by which others are equal.
		{"a", "UPDATE parent SET a = 1 WHERE id = 3", 1},
		{"a", "UPDATE parent SET a = 1 WHERE id = 4", 1},
		{"a", "UPDATE child SET a = 1 WHERE id = 4", 1},
		{"b", "UPDATE word SET w = 'x' WHERE w = 'a'", 1},
		{"c", "UPDATE word SET w = 'x' WHERE w = 'b'", 1},
		// A table that others do not find by the name.
		{"away", "UPDATE p SET a = 1 WHERE a = 2", 1},
		{"away", "UPDATE p SET a = 1 WHERE a = 3", 0},
		{"a", "UPDATE p SET a = 1 WHERE a = 4", 1},
		{"b", "CREATE TEMP TABLE o (a int PRIMARY KEY)", 1},
		{"b", "UPDATE o SET a = 1 WHERE a = 2", 1},
		{"a", "UPDATE o SET a = 1 WHERE a = 2", 1},
		{"c", "SET search_path = other", 0},
		{"c", "UPDATE half SET a = 1 WHERE id = 3", 1},
	} {
		before := counted.parsed
		_ = execWire(w.conn(t, c.conn), c.sql)
		if got := counted.parsed - before; got != c.want {
			t.Errorf("parsed %d times instead of %d by %s: %s", got, c.want, c.conn, c.sql)
		}
	}
}

// What was remembered of a shape is believed for a while only: a table that has grown, and a key that is gone, are noticed then, in both protocols.
func TestShapesAreLookedAtAgain(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	side := pgtest.Connect(t, w.dsn)
	execSQL(t, side, `CREATE TABLE growing (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int); INSERT INTO growing (n) SELECT 0 FROM generate_series(1, 100);
		CREATE TABLE keyed (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code int, n int); CREATE UNIQUE INDEX keyed_code ON keyed (code);
		INSERT INTO keyed (code, n) SELECT g, 0 FROM generate_series(1, 20000) g; ANALYZE`)
	conn := w.conn(t, "a")
	if _, err := conn.Prepare(t.Context(), "all", "UPDATE growing SET n = n + 1 WHERE id > $1", nil); err != nil {
		t.Fatal(err)
	}
	inBatches := func(run func() *pgconn.Result) bool {
		t.Helper()
		w.mu.Lock()
		w.notices = nil
		w.mu.Unlock()
		if result := run(); result.Err != nil {
			t.Fatal(result.Err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return strings.Contains(strings.Join(w.notices, ""), "runs in batches")
	}
	prepared := func() *pgconn.Result {
		return conn.ExecPrepared(t.Context(), "all", [][]byte{[]byte("0")}, nil, nil).Read()
	}
	simple := func(sql string) func() *pgconn.Result {
		return func() *pgconn.Result {
			results, err := conn.Exec(t.Context(), sql).ReadAll()
			if err != nil {
				return &pgconn.Result{Err: err}
			}
			return results[0]
		}
	}
	small, byKey := simple("UPDATE growing SET n = n + 1 WHERE id > 0"), simple("UPDATE keyed SET n = n + 1 WHERE code = 5")
	if inBatches(prepared) || inBatches(small) || inBatches(byKey) {
		t.Error("few rows are changed in batches")
	}
	execSQL(t, side, "INSERT INTO growing (n) SELECT 0 FROM generate_series(1, 20000); DROP INDEX keyed_code; UPDATE keyed SET code = 5; ANALYZE")
	w.passed.Add(int64(countedFor + time.Second))
	if !inBatches(small) || !inBatches(prepared) {
		t.Error("a table that has grown is not noticed")
	}
	w.passed.Add(int64(keyedFor + time.Second))
	if !inBatches(byKey) {
		t.Error("a key that is gone is not noticed")
	}
}

// A table that is locked hides nothing: the planner waits for it as the statement would, by the lock_timeout of the session.
func TestBulkWriteWaitsForALock(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, false, true)
	blocker, side := pgtest.Connect(t, w.dsn), pgtest.Connect(t, w.dsn)
	execSQL(t, blocker, "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g, g FROM generate_series(1, 12000) g; ANALYZE t")
	execSQL(t, blocker, "BEGIN; LOCK TABLE t")
	client, impatient := w.conn(t, "a"), w.conn(t, "b")
	execAll(t, client, "BEGIN")
	done := make(chan error, 1)
	go func() { done <- execWire(client, "UPDATE t SET n = n + 1 WHERE n > 0") }()
	pgtest.WaitFor(t, side, `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.pid = $1 AND NOT l.granted AND clock_timestamp() - a.xact_start > '300ms')`, int(client.PID()))

	execAll(t, impatient, "BEGIN; SET LOCAL lock_timeout = 1")
	if err := execWire(impatient, "UPDATE t SET n = n + 1 WHERE n > 0"); run.SQLState(err) != "55P03" || impatient.TxStatus() != 'E' {
		t.Errorf("%v, in state %c", err, impatient.TxStatus())
	}
	execSQL(t, blocker, "COMMIT")
	if err := <-done; run.SQLState(err) != codeRefused {
		t.Errorf("12000 rows of a table that was locked: %v", err)
	}
}

var forever = time.Now().Add(time.Hour)

// BenchmarkPassingWrite is what an UPDATE by its key costs in the relay: the prefilter, its shape, and a look at what is known.
func BenchmarkPassingWrite(b *testing.B) {
	n := newMemory()
	defer n.close()
	options := SessionOptions{Mode: Enforce}.complete(slog.New(slog.DiscardHandler))
	s := newSession(&options, n.link())
	text := []byte("UPDATE pgbench_accounts SET abalance = abalance + -4711 WHERE aid = 815;\x00")
	frame := append([]byte{'Q', 0, 0, 0, byte(4 + len(text))}, text...)
	key, ok := s.shapeOf(text[:len(text)-1])
	if !ok {
		b.Fatal("it has no shape")
	}
	options.shapes.put(key, shape{few: true, until: forever})
	for b.Loop() {
		if s.matters('Q', frame) {
			b.Fatal("it is read")
		}
	}
}
