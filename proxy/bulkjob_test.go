package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
)

// barred is a stage with a table of 20,000 rows, one of which another session has locked: a bulk write gets that far, and waits.
type barred struct {
	*held
	locker *pgx.Conn
}

func newBarred(t *testing.T, change ...func(*SessionOptions)) *barred {
	t.Helper()
	b := &barred{held: &held{stage: newStage(t, Enforce, true, false), answer: make(chan error, 1)}}
	options := *b.server.following.Load()
	options.Lock.Batch.TargetTime, options.Lock.Batch.MaxRows = 10*time.Second, 500 // never smaller on a busy machine
	for _, c := range change {
		c(&options)
	}
	b.server.SetSession(options)
	b.side, b.locker = pgtest.Connect(t, b.dsn), pgtest.Connect(t, b.dsn)
	execSQL(t, b.side, `CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int NOT NULL DEFAULT 0);
		INSERT INTO t (n) SELECT 0 FROM generate_series(1, 20000); CREATE TABLE alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY); ANALYZE t`)
	execSQL(t, b.locker, "BEGIN; SELECT FROM t WHERE id = 3000 FOR UPDATE")
	b.client = b.conn(t, "a")
	return b
}

// begin sends a statement and returns when its batches have come to the row that is locked.
func (b *barred) begin(t *testing.T, sql string) <-chan pgconn.CommandTag {
	t.Helper()
	tag := make(chan pgconn.CommandTag, 1)
	go func() {
		results, err := b.client.Exec(context.WithoutCancel(t.Context()), sql).ReadAll()
		if len(results) > 0 {
			tag <- results[len(results)-1].CommandTag
		}
		b.answer <- err
	}()
	pgtest.WaitFor(t, b.side, "SELECT count(*) > 2000 FROM t WHERE n > 0")
	return tag
}

// cancel sends a CancelRequest through the proxy until the statement has ended: one that comes between two statements of ours is lost.
func (b *barred) cancel(t *testing.T) error {
	t.Helper()
	for {
		select {
		case err := <-b.answer:
			return err
		default:
			_ = b.client.CancelRequest(t.Context())
		}
	}
}

var rowsDone = regexp.MustCompile(`(\d+) rows in \d+ batch`)

// Ctrl-C ends a bulk write at a batch: the error says what is done and how to go on, and the same statement goes on.
func TestBulkWriteIsCancelled(t *testing.T) {
	t.Parallel()
	b := newBarred(t)
	b.begin(t, "UPDATE t SET n = n + 1")
	var failed *pgconn.PgError
	if err := b.cancel(t); !errors.As(err, &failed) {
		t.Fatal(err)
	}
	done := rowsDone.FindStringSubmatch(failed.Message)
	if failed.Code != canceled || done == nil || !strings.Contains(failed.Message, "are done and stay: send the statement again to go on") ||
		!strings.Contains(failed.Hint, "pgsluice jobs resume") {
		t.Fatalf("%+v", failed)
	}
	if got := b.one(t, "SELECT count(*)::text FROM t WHERE n = 1"); got != done[1] || b.client.TxStatus() != 'I' {
		t.Errorf("%s rows are done, and it says %s, in state %c", got, done[1], b.client.TxStatus())
	}
	execSQL(t, b.locker, "COMMIT")
	results, err := b.client.Exec(t.Context(), "UPDATE t SET n = n + 1").ReadAll()
	if err != nil || results[0].CommandTag.String() != "UPDATE 20000" {
		t.Errorf("%v, %v", results, err)
	}
	if got := b.one(t, "SELECT count(*)::text FROM t WHERE n = 1"); got != "20000" {
		t.Errorf("%s rows are changed once", got)
	}
}

// A client that has gone stops its bulk write behind a batch, or lets it go on, as it is configured.
func TestBulkWriteWithoutItsClient(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{false, true} {
		t.Run(fmt.Sprintf("continue %t", on), func(t *testing.T) {
			b := newBarred(t, func(o *SessionOptions) { o.Lock.Batch.GoOnAlone = on })
			b.dead.Store(true)
			b.begin(t, "UPDATE t SET n = n + 1")
			_ = b.client.Conn().Close()
			<-b.answer
			<-b.client.CleanupDone() // the driver's cancel
			if on {
				execSQL(t, b.locker, "COMMIT")
				pgtest.WaitFor(t, b.side, "SELECT EXISTS (SELECT FROM pgsluice.jobs WHERE state = 'done')")
				if got := b.one(t, "SELECT count(*)::text FROM t WHERE n = 1"); got != "20000" {
					t.Errorf("%s rows are changed once", got)
				}
				return
			}
			pgtest.WaitFor(t, b.side, "SELECT EXISTS (SELECT FROM pgsluice.jobs WHERE state = 'stopped' AND sqlstate = '08006')")
			if got := b.one(t, "SELECT (count(*) < 3000)::text FROM t WHERE n = 1"); got != "true" {
				t.Error("it went on beyond the row that was locked")
			}
			execSQL(t, b.locker, "COMMIT")
			b.dead.Store(false)
			if err := execWire(b.open(t, "again", nil), "UPDATE t SET n = n + 1"); err != nil {
				t.Error(err)
			}
			if got := b.one(t, "SELECT count(*)::text FROM t WHERE n = 1"); got != "20000" {
				t.Errorf("%s rows are changed once", got)
			}
		})
	}
}

// A deferred bulk write that is cancelled while the COMMIT waits stays a promise: the COMMIT is answered as what it is, with a WARNING. The login's next
// session finishes it before its next schema change.
func TestDeferredBulkWriteIsCancelled(t *testing.T) {
	t.Parallel()
	b := newBarred(t)
	execAll(t, b.client, "BEGIN")
	results, err := b.client.Exec(t.Context(), "/* pgsluice:defer */ UPDATE t SET n = n + 1").ReadAll()
	if err != nil || results[0].CommandTag.String() != "UPDATE" {
		t.Fatalf("%v, %v", results, err)
	}
	execAll(t, b.client, "INSERT INTO alembic_version VALUES ('1')")
	b.begin(t, "COMMIT")
	if err := b.cancel(t); err != nil {
		t.Fatalf("COMMIT: %v", err)
	}
	b.mu.Lock()
	notices := strings.Join(b.notices, "\n")
	b.mu.Unlock()
	if !strings.Contains(notices, "WARNING: pgsluice: the transaction is committed, but UPDATE on public.t is not done yet: ") || !strings.Contains(notices, "run pgsluice jobs resume") {
		t.Errorf("it is told:\n%s", notices)
	}
	if got := b.one(t, "SELECT concat_ws(' ', state, sqlstate, version_num) FROM pgsluice.promises, alembic_version"); got != "pending 57014 1" {
		t.Errorf("the promise is %s", got)
	}
	execSQL(t, b.locker, "COMMIT")
	// Whoever has stopped it is not to meet it again at once.
	execAll(t, b.client, "ALTER TABLE t ADD COLUMN a int")
	if got := b.one(t, "SELECT state FROM pgsluice.promises"); got != "pending" {
		t.Errorf("the promise is %s", got)
	}
	// Meanwhile nothing may come before it that was to come behind it.
	for _, sql := range []string{"ALTER TABLE t ALTER COLUMN n SET DEFAULT 1", "UPDATE t SET n = n * 2"} {
		if err := execWire(b.client, sql); run.SQLState(err) != codeRefused || !strings.Contains(err.Error(), "must come first; run pgsluice jobs resume") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	execSQL(t, b.side, "UPDATE pgsluice.promises SET not_before = NULL; CREATE ROLE bulk_stranger LOGIN SUPERUSER")
	t.Cleanup(func() { execSQL(t, b.side, "DROP ROLE bulk_stranger") })
	execAll(t, b.open(t, "stranger", map[string]string{"user": "bulk_stranger"}), "ALTER TABLE t ADD COLUMN b int")
	if got := b.one(t, "SELECT state FROM pgsluice.promises"); got != "pending" {
		t.Errorf("another login has made it %s", got)
	}
	execAll(t, b.open(t, "next", nil), "ALTER TABLE t ADD COLUMN c int")
	if got := b.one(t, "SELECT concat_ws(' ', p.state, count(*)) FROM pgsluice.promises p, t WHERE n = 1 GROUP BY p.state"); got != "done 20000" {
		t.Errorf("afterwards: %s", got)
	}
}

// deferBoth has two sessions send a bulk write each before either has committed, and the first commit, whose work comes to the locked row.
func (b *barred) deferBoth(t *testing.T) (second *pgconn.PgConn) {
	t.Helper()
	second = b.open(t, "second", nil)
	execAll(t, b.client, "BEGIN")
	execAll(t, b.client, "/* pgsluice:defer */ UPDATE t SET n = n + 1")
	execAll(t, second, "BEGIN")
	execAll(t, second, "/* pgsluice:defer */ UPDATE t SET n = n * 10")
	b.begin(t, "COMMIT")
	return second
}

const tenEach = "SELECT count(*)::text FROM t WHERE n = 10"

// Deferred bulk writes of a table come in the order in which they were sent: what was stopped is finished first.
func TestDeferredBulkWritesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	b := newBarred(t)
	second := b.deferBoth(t)
	if err := b.cancel(t); err != nil {
		t.Fatalf("COMMIT: %v", err)
	}
	pgtest.WaitFor(t, b.side, "SELECT min(state) = 'pending' FROM pgsluice.promises WHERE released")
	committed := make(chan error, 1)
	go func() { committed <- execWire(second, "COMMIT") }()
	pgtest.WaitFor(t, b.side, "SELECT EXISTS (SELECT FROM pgsluice.promises WHERE attempts = 2 AND state = 'running')")
	execSQL(t, b.locker, "COMMIT")
	if err := <-committed; err != nil {
		t.Fatalf("COMMIT: %v", err)
	}
	if got := b.one(t, tenEach); got != "20000" {
		t.Errorf("%s rows were changed in order", got)
	}
	if got := b.one(t, "SELECT string_agg(DISTINCT state, ' ') FROM pgsluice.promises"); got != "done" {
		t.Errorf("the promises are %s", got)
	}
}

// One that runs in another session is waited for; a cancel ends the wait, and what waits stays pending.
func TestDeferredBulkWriteWaitsForAnother(t *testing.T) {
	t.Parallel()
	for _, cancels := range []bool{false, true} {
		t.Run(fmt.Sprintf("cancelled %t", cancels), func(t *testing.T) {
			b := newBarred(t)
			second := b.deferBoth(t)
			committed := make(chan error, 1)
			go func() { committed <- execWire(second, "COMMIT") }()
			pgtest.WaitFor(t, b.side, naps, int(second.PID()))
			if cancels {
				for answered := false; !answered; {
					if err := second.CancelRequest(t.Context()); err != nil {
						t.Fatal(err)
					}
					select {
					case err := <-committed:
						committed <- err
						answered = true
					default:
					}
				}
			}
			execSQL(t, b.locker, "COMMIT")
			if err := errors.Join(<-committed, <-b.answer); err != nil {
				t.Fatalf("COMMIT: %v", err)
			}
			if cancels {
				execSQL(t, b.side, "UPDATE pgsluice.promises SET not_before = NULL")
				execAll(t, b.open(t, "next", nil), "ALTER TABLE t ADD COLUMN c int") // a cancel may still be on its way to the second
			}
			if got := b.one(t, tenEach); got != "20000" {
				t.Errorf("%s rows were changed in order", got)
			}
		})
	}
}

// A deferred bulk write is gone on with as the role that sent it, however that is called by then.
func TestDeferredBulkWriteFollowsItsRole(t *testing.T) {
	t.Parallel()
	b := newBarred(t)
	role := pgtest.Role(t, "")
	execSQL(t, b.side, "GRANT SELECT, UPDATE ON t TO "+role)
	execAll(t, b.client, "BEGIN")
	execAll(t, b.client, "SET LOCAL ROLE "+role)
	execAll(t, b.client, "/* pgsluice:defer */ UPDATE t SET n = n + 1")
	b.begin(t, "COMMIT")
	if err := b.cancel(t); err != nil {
		t.Fatalf("COMMIT: %v", err)
	}
	execSQL(t, b.locker, "COMMIT")
	execSQL(t, b.side, fmt.Sprintf("UPDATE pgsluice.promises SET not_before = NULL; ALTER ROLE %[1]s RENAME TO %[1]s_renamed; CREATE ROLE %[1]s", role))
	t.Cleanup(func() {
		execSQL(t, b.side, fmt.Sprintf("DROP ROLE %[1]s; ALTER ROLE %[1]s_renamed RENAME TO %[1]s", role))
	})
	execAll(t, b.open(t, "next", nil), "ALTER TABLE t ADD COLUMN c int")
	if got := b.one(t, "SELECT concat_ws(' ', p.state, count(*)) FROM pgsluice.promises p, t WHERE n = 1 GROUP BY p.state"); got != "done 20000" {
		t.Errorf("afterwards: %s", got)
	}
}

// One statement that is prepared once and executed many times, by named portals with a limit of rows and parameters in both formats, is a bulk write each
// time that its parameters make it one.
func TestPreparedBulkWrite(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	conn := w.conn(t, "a")
	execAll(t, conn, `CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int NOT NULL DEFAULT 0, name text)`)
	execAll(t, conn, "INSERT INTO t (n) SELECT 0 FROM generate_series(1, 20000)")
	execAll(t, conn, "ANALYZE t")
	client := conn.Frontend()
	send := func(messages ...pgproto3.FrontendMessage) (said string) {
		t.Helper()
		for _, m := range messages {
			client.Send(m)
		}
		client.Send(&pgproto3.Sync{})
		if err := client.Flush(); err != nil {
			t.Fatal(err)
		}
		for {
			m, err := client.Receive()
			if err != nil {
				t.Fatal(err)
			}
			switch m := m.(type) {
			case *pgproto3.CommandComplete:
				said += string(m.CommandTag) + ";"
			case *pgproto3.ErrorResponse:
				said += m.Code + " " + m.Message + ";"
			case *pgproto3.NoticeResponse:
				if strings.Contains(m.Message, "runs in batches, each") {
					said += "in batches;"
				}
			case *pgproto3.PortalSuspended:
				said += "suspended;"
			case *pgproto3.ReadyForQuery:
				return said + string(m.TxStatus)
			}
		}
	}
	execute := func(portal string, above int64, name string) []pgproto3.FrontendMessage {
		return []pgproto3.FrontendMessage{
			&pgproto3.Bind{
				DestinationPortal: portal, PreparedStatement: "s", ParameterFormatCodes: []int16{1, 0},
				Parameters: [][]byte{binary.BigEndian.AppendUint64(nil, uint64(above)), []byte(name)},
			},
			&pgproto3.Describe{ObjectType: 'P', Name: portal},
			&pgproto3.Execute{Portal: portal, MaxRows: 7},
		}
	}
	if said := send(&pgproto3.Parse{Name: "s", Query: "UPDATE t SET n = n + 1, name = $2 WHERE id > $1"}); said != "I" {
		t.Fatal(said)
	}
	for i, c := range []struct {
		above int64
		want  string
	}{
		{0, "in batches;UPDATE 20000;I"}, {5000, "in batches;UPDATE 15000;I"}, {19990, "UPDATE 10;I"}, {0, "in batches;UPDATE 20000;I"}, {5000, "in batches;UPDATE 15000;I"},
	} {
		if said := send(execute(fmt.Sprintf("portal %d", i), c.above, "x")...); said != c.want {
			t.Errorf("above %d: %s, want %s", c.above, said, c.want)
		}
	}
	// Two in one pipeline are one transaction.
	said := send(append(execute("one", 19990, "few"), execute("two", 0, "many")...)...)
	if !strings.HasPrefix(said, "UPDATE 10;PS010 pgsluice: UPDATE of about") || !strings.HasSuffix(said, ";I") {
		t.Errorf("in a pipeline: %s", said)
	}
	if said := send(&pgproto3.Parse{Query: "UPDATE t SET n = n + 1 WHERE id > 0 RETURNING id"}, &pgproto3.Bind{}, &pgproto3.Execute{MaxRows: 5}); !strings.Contains(said, "it has RETURNING") {
		t.Errorf("with RETURNING: %s", said)
	}
	for sql, want := range map[string]string{"SELECT count(*) FROM t WHERE n = 2": "5000", "SELECT count(*) FROM t WHERE n = 4": "14990", "SELECT count(*) FROM t WHERE n = 5": "10"} {
		results, err := conn.Exec(t.Context(), sql).ReadAll()
		if err != nil || string(results[0].Rows[0][0]) != want {
			t.Errorf("%s: %v, %v", sql, results, err)
		}
	}
}

// Each condition that keeps a bulk write from being split is named in its refusal, with what an override does; and overridden, it runs whole.
func TestUnsplitBulkWriteRunsWhole(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	side := pgtest.Connect(t, w.dsn)
	login := pgtest.Role(t, "LOGIN")
	w.configure(t, "override postgres\noverride "+login)
	fill := func(table string, rows int) string {
		return fmt.Sprintf("INSERT INTO %s (n) SELECT g FROM generate_series(1, %d) g; ANALYZE %[1]s;", table, rows)
	}
	rows := func(table string) string { return fill(table, 12000) }
	for _, c := range []struct{ name, setup, before, sql, why, tag string }{
		{
			"1 kind", "CREATE TABLE t1 (id serial PRIMARY KEY, n int); CREATE VIEW v1 AS SELECT * FROM t1;" + rows("t1"), "",
			"UPDATE v1 SET n = 5", `"v1" is a view`, "UPDATE 12000",
		},
		{
			"2 key", "CREATE TABLE t2 (id serial PRIMARY KEY, n int);" + rows("t2"), "",
			"UPDATE t2 SET id = id + 100000", `it assigns "id" of the key`, "UPDATE 12000",
		},
		{"3 itself", "CREATE TABLE t3 (id serial PRIMARY KEY, n int);" + rows("t3"), "", "UPDATE t3 SET n = (SELECT max(n) FROM t3)", `it reads "t3" once more`, "UPDATE 12000"},
		{"4 volatile", "CREATE TABLE t4 (id serial PRIMARY KEY, n int);" + rows("t4"), "", "UPDATE t4 SET n = random() * 5", "random() is volatile", "UPDATE 12000"},
		{"5 form", "CREATE TABLE t5 (id serial PRIMARY KEY, n int);" + rows("t5"), "", "DELETE FROM t5 WHERE n > 0 RETURNING id", "it has RETURNING", "DELETE 12000"},
		{"6 unique", "CREATE TABLE t6 (id serial PRIMARY KEY, n int UNIQUE);" + rows("t6"), "", "UPDATE t6 SET n = n + 100000", `it assigns "n", which is in "t6_n_key"`, "UPDATE 12000"},
		{
			"7 trigger", `CREATE TABLE t7 (id serial PRIMARY KEY, n int); CREATE FUNCTION f7() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
				CREATE TRIGGER whole AFTER UPDATE ON t7 FOR EACH STATEMENT EXECUTE FUNCTION f7();` + rows("t7"), "",
			"UPDATE t7 SET n = 5", `trigger "whole" of "t7" is for the statement as a whole`, "UPDATE 12000",
		},
		{
			"8 references", `CREATE TABLE t8 (id serial PRIMARY KEY, n int); CREATE TABLE child8 (id serial PRIMARY KEY, of int REFERENCES t8);` + rows("t8") +
				"INSERT INTO child8 (of) SELECT NULL FROM generate_series(1, 20); ANALYZE child8", "",
			"DELETE FROM t8 WHERE n > 0", `the foreign key "child8_of_fkey" of "child8" has no index`, "DELETE 12000",
		},
		{
			"9 isolation", "CREATE TABLE t9 (id serial PRIMARY KEY, n int);" + rows("t9"), "SET default_transaction_isolation = 'repeatable read'",
			"UPDATE t9 SET n = 5", "this session's transactions are REPEATABLE READ", "UPDATE 12000",
		},
		{
			"10 row security", `CREATE TABLE t10 (id serial PRIMARY KEY, n int); ALTER TABLE t10 ENABLE ROW LEVEL SECURITY; CREATE TABLE may10 (who name);
				CREATE POLICY others ON t10 USING (EXISTS (SELECT FROM may10)); INSERT INTO may10 VALUES ('x');
				GRANT SELECT, UPDATE ON t10, may10 TO ` + login + ";" + fill("t10", 30000), "SET SESSION AUTHORIZATION " + login,
			"UPDATE t10 SET n = 5", `the policy "others" of "t10" looks at more than the row itself`, "UPDATE 30000",
		},
		{
			"11 newcomers", "CREATE TABLE t11 (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int);" + rows("t11"), "",
			"UPDATE t11 SET n = n + 1", `keys of new rows of "t11" may lie anywhere`, "UPDATE 12000",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			execSQL(t, side, c.setup)
			conn := w.open(t, c.name, nil)
			if c.before != "" {
				execAll(t, conn, c.before)
			}
			var refused *pgconn.PgError
			if err := execWire(conn, c.sql); !errors.As(err, &refused) || refused.Code != codeRefused || !strings.Contains(refused.Message, c.why) ||
				!strings.Contains(refused.Detail, "An override runs it in one transaction") {
				t.Errorf("refused: %v", err)
			}
			results, err := conn.Exec(t.Context(), `/* pgsluice:allow bulk-write reason="a test" */ `+c.sql).ReadAll()
			if err != nil || results[0].CommandTag.String() != c.tag {
				t.Errorf("overridden: %v, %v", results, err)
			}
		})
	}
	if got := (&held{side: side}).one(t, "SELECT count(*)::text FROM pgsluice.jobs"); got != "0" {
		t.Errorf("%s of them ran as jobs", got)
	}
}
