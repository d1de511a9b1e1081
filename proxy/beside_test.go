package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// met is a Control whose questions somebody meets before they are asked: an error is what they end with instead.
type met struct {
	Control
	meet func(ctx context.Context, sql string) error
}

func (m met) Conn(ctx context.Context, database string) (run.Conn, func(), error) {
	conn, release, err := m.Control.Conn(ctx, database)
	return metConn{conn, m.meet}, release, err
}

type metConn struct {
	run.Conn
	meet func(ctx context.Context, sql string) error
}

func (c metConn) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	if err := c.meet(ctx, sql); err != nil {
		return nil, err
	}
	return c.Conn.Query(context.WithoutCancel(ctx), sql, args...) // the machine may have stood still meanwhile
}

// besideStage is a stage on which what is written of the ends of statements is met.
type besideStage struct {
	*stage
	side *pgx.Conn
	ends atomic.Pointer[meeting]
}

// meeting is what somebody does before a question is asked.
type meeting func(ctx context.Context) error

func newBesideStage(t *testing.T) *besideStage {
	b := &besideStage{stage: newStage(t, Enforce, true, false)}
	b.side = pgtest.Connect(t, b.dsn)
	options := *b.server.following.Load()
	options.Control = met{options.Control, func(ctx context.Context, sql string) error {
		if met := b.ends.Load(); met != nil && strings.HasPrefix(sql, "-- Writes down what became of a statement") {
			return (*met)(ctx)
		}
		return nil
	}}
	b.server.following.Store(&options)
	return b
}

func (b *besideStage) must(t *testing.T, conn *pgconn.PgConn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := execWire(conn, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// told is what the ledger says of each statement about a table, settled.
func (b *besideStage) told(t *testing.T) string {
	t.Helper()
	conn, err := control.Connect(t.Context(), b.dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ledger, err := revisions.Open(t.Context(), conn)
	if err == nil {
		_, err = ledger.Settle(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), "SELECT asked || ': ' || outcome FROM pgsluice.statements ORDER BY started, id")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(rows, "\n")
}

// gone closes a client and waits until the server has seen it.
func (b *besideStage) gone(t *testing.T, conn *pgconn.PgConn) {
	t.Helper()
	pid := conn.PID()
	_ = conn.Conn().Close()
	pgtest.WaitFor(t, b.side, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", int(pid))
}

func (b *besideStage) wants(t *testing.T, want ...string) {
	t.Helper()
	if got := b.told(t); got != strings.Join(want, "\n") {
		t.Errorf("the ledger has\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// The answer does not wait for the end in the ledger, and the COMMIT does: it has not committed before that is written.
func TestCommitWaitsForTheEndInTheLedger(t *testing.T) {
	t.Parallel()
	for _, commit := range []string{"COMMIT", "END", "COMMIT AND CHAIN"} {
		b := newBesideStage(t)
		conn := b.conn(t, "a")
		written, sent, early := make(chan struct{}), make(chan struct{}), make(chan string, 1)
		send := sync.OnceFunc(func() { close(sent) })
		defer send()
		b.must(t, conn, "CREATE TABLE t (id int)", "BEGIN")
		b.ends.Store(new(meeting(func(ctx context.Context) error {
			defer close(written)
			<-sent
			for range 50 {
				var seen bool
				if err := b.side.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a')").Scan(&seen); err != nil || seen {
					early <- fmt.Sprint(seen, err)
					return nil
				}
			}
			return nil
		})))
		b.must(t, conn, "ALTER TABLE t ADD COLUMN a int")
		select {
		case <-written:
			t.Errorf("%s: the answer has waited for the end in the ledger", commit)
		default:
		}
		committed := make(chan error, 1)
		go func() { committed <- execWire(conn, commit) }()
		send()
		if err := <-committed; err != nil {
			t.Errorf("%s: %v", commit, err)
		}
		select {
		case <-written:
		default:
			t.Errorf("%s: it was answered before the end was in the ledger", commit)
		}
		select {
		case what := <-early:
			t.Errorf("%s: it did not wait: %s", commit, what)
		default:
		}
		b.wants(t, "CREATE TABLE t (id int): committed", "ALTER TABLE t ADD COLUMN a int: committed")
	}
}

// The control connection may break at the write: no statement fails for that, and what the ledger has of it is true.
func TestLedgerThatIsLostBesideTheSession(t *testing.T) {
	t.Parallel()
	lost := new(meeting(func(context.Context) error { return errors.New("the connection is lost") }))
	for _, c := range []struct {
		name string
		ends *meeting
		end  []string
		want []string
	}{
		{"the end, committed", lost, []string{"COMMIT", "SELECT 1"}, []string{
			"ALTER TABLE t ADD COLUMN a int: committed", "ALTER TABLE t ADD COLUMN b int: committed"}},
		{"the end, rolled back", lost, []string{"ROLLBACK", "SELECT 1"}, []string{
			"ALTER TABLE t ADD COLUMN a int: rolled back", "ALTER TABLE t ADD COLUMN b int: lost"}},
		{"the end, and the client goes", lost, nil, []string{
			"ALTER TABLE t ADD COLUMN a int: rolled back", "ALTER TABLE t ADD COLUMN b int: lost"}},
		{"nothing, and the client goes", nil, nil, []string{
			"ALTER TABLE t ADD COLUMN a int: rolled back", "ALTER TABLE t ADD COLUMN b int: rolled back"}},
		{"nothing, back to a savepoint", nil, []string{"ROLLBACK TO s", "COMMIT", "SELECT 1"}, []string{
			"ALTER TABLE t ADD COLUMN a int: committed", "ALTER TABLE t ADD COLUMN b int: rolled back"}},
		{"the end, back to a savepoint", lost, []string{"ROLLBACK TO s", "COMMIT", "SELECT 1"}, []string{
			"ALTER TABLE t ADD COLUMN a int: committed", "ALTER TABLE t ADD COLUMN b int: lost"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBesideStage(t)
			conn := b.conn(t, "a")
			b.must(t, conn, "CREATE TABLE t (id int)", "BEGIN", "ALTER TABLE t ADD COLUMN a int", "SAVEPOINT s")
			b.must(t, conn, "SELECT 1")
			pgtest.WaitFor(t, b.side, "SELECT bool_and(outcome <> 'begun') FROM pgsluice.statements")
			b.ends.Store(c.ends)
			b.must(t, conn, "ALTER TABLE t ADD COLUMN b int")
			b.must(t, conn, c.end...)
			b.gone(t, conn)
			b.ended(t) // nothing is written any more
			b.wants(t, append([]string{"CREATE TABLE t (id int): committed"}, c.want...)...)
		})
	}
}

// While others settle all the time, what was committed never shows as anything else in the end, nor what was rolled back.
func TestSettlersBesideTheSession(t *testing.T) {
	t.Parallel()
	b := newBesideStage(t)
	conn := b.conn(t, "a")
	for name, sql := range map[string]string{"b": "BEGIN", "c": "COMMIT", "r": "ROLLBACK"} {
		if _, err := conn.Prepare(t.Context(), name, sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	settlers, settled := make(chan error, 2), atomic.Int64{}
	for range 2 {
		go func() { settlers <- settleUntil(ctx, b.dsn, &settled) }()
	}
	prepared := func(name string) {
		t.Helper()
		if err := conn.ExecPrepared(t.Context(), name, nil, nil, nil).Read().Err; err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 60
	for i := range rounds {
		made := []string{fmt.Sprintf("CREATE TABLE c%d ()", i), "SAVEPOINT s", fmt.Sprintf("CREATE TABLE r%d ()", i), "ROLLBACK TO s", fmt.Sprintf("CREATE TABLE c%d_2 ()", i)}
		undone := []string{fmt.Sprintf("CREATE TABLE r%d ()", i), fmt.Sprintf("CREATE TABLE r%d_2 ()", i)}
		if i%2 == 0 { // whose ends nobody reads
			prepared("b")
			b.must(t, conn, made...)
			prepared("c")
			prepared("b")
			b.must(t, conn, undone...)
			prepared("r")
			continue
		}
		b.must(t, conn, append([]string{"BEGIN"}, append(made, "COMMIT", "BEGIN")...)...)
		b.must(t, conn, append(undone, "ROLLBACK")...)
	}
	b.must(t, conn, "SELECT 1")
	stop()
	for range 2 {
		if err := <-settlers; err != nil {
			t.Error(err)
		}
	}
	b.gone(t, conn)
	told := strings.Split(b.told(t), "\n")
	for _, line := range told {
		want := "committed"
		if strings.HasPrefix(line, "CREATE TABLE r") {
			want = "rolled back"
		}
		if !strings.HasSuffix(line, ": "+want) {
			t.Errorf("after %d times of settling: %s", settled.Load(), line)
		}
	}
	if len(told) != 5*rounds {
		t.Errorf("the ledger has %d statements", len(told))
	}
}

// settleUntil settles until ctx is done.
func settleUntil(ctx context.Context, dsn string, times *atomic.Int64) error {
	conn, err := control.Connect(ctx, dsn, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	ledger, err := revisions.Open(ctx, conn)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		if _, err := ledger.Settle(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		times.Add(1)
	}
	return nil
}

// A session that ends waits for what is written beside it, but not for ever for a server that says nothing.
func TestSessionEndsBehindWhatIsWrittenBesideIt(t *testing.T) {
	t.Parallel()
	b := newBesideStage(t)
	conn := b.conn(t, "a")
	b.must(t, conn, "CREATE TABLE t (id int)", "BEGIN")
	gone, deadline := make(chan struct{}), make(chan time.Duration, 1)
	end := sync.OnceFunc(func() { close(gone) })
	defer end()
	b.ends.Store(new(meeting(func(ctx context.Context) error {
		until, bounded := ctx.Deadline()
		if !bounded {
			t.Error("it may take for ever")
		}
		deadline <- time.Until(until)
		<-gone
		return nil
	})))
	b.must(t, conn, "ALTER TABLE t ADD COLUMN a int")
	if left := <-deadline; left > deskPatience {
		t.Errorf("it may take %v", left)
	}
	_ = conn.Conn().Close()
	end()
	b.ended(t)
	b.wants(t, "CREATE TABLE t (id int): committed", "ALTER TABLE t ADD COLUMN a int: rolled back")
}

// What fails beside a session without an end to it costs that session, and all others, nothing but what was to be written.
func TestPanicBesideTheSession(t *testing.T) {
	t.Parallel()
	b := newBesideStage(t)
	conn := b.conn(t, "a")
	b.must(t, conn, "CREATE TABLE t (id int)", "BEGIN")
	met := make(chan struct{})
	b.ends.Store(new(meeting(func(context.Context) error {
		close(met)
		panic("at the ledger")
	})))
	b.must(t, conn, "ALTER TABLE t ADD COLUMN a int", "SELECT 1")
	<-met
	b.ends.Store(nil)
	b.must(t, conn, "COMMIT", "SELECT 1")
	b.gone(t, conn)
	b.ended(t)
	b.wants(t, "CREATE TABLE t (id int): committed", "ALTER TABLE t ADD COLUMN a int: committed")
}

// That there was no failed work is known of one transaction, and not of the next: also not where a tool's version is written first.
func TestFailedWorkIsSaidBehindAVersionWrite(t *testing.T) {
	t.Parallel()
	b := newBesideStage(t)
	conn := b.conn(t, "a")
	b.must(t, conn, "CREATE TABLE t (id int)", "INSERT INTO t SELECT generate_series(1, 30000)", "ANALYZE t", "CREATE TABLE u (id int)",
		"CREATE TABLE schema_migrations (version varchar PRIMARY KEY)")
	b.must(t, conn, "BEGIN", "ALTER TABLE u ADD COLUMN a int", "COMMIT", "BEGIN", "CREATE UNIQUE INDEX t_id ON t (id)", "COMMIT")
	b.must(t, conn, "BEGIN", "ALTER TABLE u ADD COLUMN b int", "COMMIT")
	tag, err := b.side.Exec(t.Context(), "UPDATE pgsluice.promises SET state = 'failed', sqlstate = '23505', message = 'twice'")
	if err != nil || tag.RowsAffected() != 1 {
		t.Fatalf("%s, %v", tag, err)
	}
	b.must(t, conn, "BEGIN", "INSERT INTO schema_migrations VALUES ('1')")
	if err := execWire(conn, "ALTER TABLE u ADD COLUMN c int"); err == nil || !strings.Contains(err.Error(), "finish what an earlier migration left first") {
		t.Errorf("a schema change although work has failed: %v", err)
	}
}
