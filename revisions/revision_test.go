package revisions

import (
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// work is a ledger with a client of it.
type work struct {
	*fixture
	client session
	tool   Tool
	table  VersionTable
}

func newWork(t *testing.T) *work {
	f := withLedger(t)
	client := f.as(f.alice)
	client.run("CREATE TABLE app.alembic_version (version_num varchar(32) NOT NULL PRIMARY KEY)", "CREATE TABLE app.t (id int)")
	table, ok, err := LookAt(t.Context(), client, "app.alembic_version")
	if err != nil || !ok {
		t.Fatalf("got %v, %v", ok, err)
	}
	tool, ok := Recognise(Tools(), table)
	if !ok || tool.Name != "alembic" {
		t.Fatalf("%v is taken for %q", table, tool.Name)
	}
	return &work{f, client, tool, table}
}

// TestToolByKin: Rails and dbmate have the same version table, and Rails has another one beside it.
func TestToolByKin(t *testing.T) {
	f := withLedger(t)
	client := f.as(f.alice)
	for _, step := range []struct{ sql, tool string }{
		{"CREATE TABLE app.schema_migrations (version varchar PRIMARY KEY)", "dbmate"},
		{"CREATE TABLE app.ar_internal_metadata (key varchar PRIMARY KEY)", "rails"},
	} {
		client.run(step.sql)
		table, ok, err := LookAt(t.Context(), client, "app.schema_migrations")
		if err != nil || !ok {
			t.Fatalf("%s: got %v, %v", step.sql, ok, err)
		}
		if tool, _ := Recognise(Tools(), table); tool.Name != step.tool {
			t.Errorf("%s: %+v is taken for %q, want %q", step.sql, table, tool.Name, step.tool)
		}
	}
}

func (w *work) who() Who {
	return Who{Session: "s", PID: int32(w.client.PgConn().PID()), Login: w.alice, Client: "10.0.0.1", Application: "app"}
}

// begin begins a statement in the ledger.
func (w *work) begin(asked string) Statement {
	w.t.Helper()
	s := Statement{Who: w.who(), Tag: "ALTER TABLE", Asked: asked, Digest: Digest(asked), Verdict: "pass", Rules: []string{}, Ran: []string{}, Overrides: []Override{}, Locks: []StatementLock{}}
	id, err := w.ledger.Begin(w.t.Context(), s)
	want(w.t, err, nil)
	s.ID = id
	return s
}

// attested ends a statement that has run in the client's transaction.
func (w *work) attested(s Statement) {
	w.t.Helper()
	nonce, err := NewNonce(w.t.Context(), w.client)
	want(w.t, err, nil)
	next, err := Attest(w.t.Context(), w.client, w.ledger.Key(), nonce, s.ID, s.Digest)
	want(w.t, err, nil)
	if next.Number <= nonce.Number || next.XID != nonce.XID {
		w.t.Errorf("the next nonce is %+v after %+v", next, nonce)
	}
	s.Outcome, s.XID, s.Attested = OutcomeOpen, nonce.XID, true
	want(w.t, w.ledger.End(w.t.Context(), s), nil)
}

func (w *work) settle() {
	w.t.Helper()
	_, err := w.ledger.Settle(w.t.Context())
	want(w.t, err, nil)
}

func (w *work) outcome(s Statement) string {
	w.t.Helper()
	return w.admin.ask("SELECT outcome FROM pgsluice.statements WHERE id = $1::bigint", itoa(s.ID))[0]
}

func TestStatementsEndAsTheirTransactionDoes(t *testing.T) {
	w := newWork(t)
	w.client.run("BEGIN")
	kept := w.begin("ALTER TABLE app.t ADD a int")
	w.attested(kept)
	w.client.run("SAVEPOINT s")
	back := w.begin("ALTER TABLE app.t ADD b int")
	w.attested(back)
	w.client.run("ROLLBACK TO s")
	w.settle()
	for _, s := range []Statement{kept, back} {
		if got := w.outcome(s); got != OutcomeOpen {
			t.Errorf("before the end: %s is %s", s.Asked, got)
		}
	}
	w.client.run("COMMIT")
	w.settle()
	if got := w.outcome(kept); got != OutcomeCommitted {
		t.Errorf("after COMMIT: %s", got)
	}
	if got := w.outcome(back); got != OutcomeRolledBack {
		t.Errorf("after ROLLBACK TO and COMMIT: %s", got)
	}

	w.client.run("BEGIN")
	gone := w.begin("ALTER TABLE app.t ADD c int")
	w.attested(gone)
	w.client.run("ROLLBACK")
	w.settle()
	if got := w.outcome(gone); got != OutcomeRolledBack {
		t.Errorf("after ROLLBACK: %s", got)
	}
}

// What could not be attested is told by pg_xact_status.
func TestStatementsWithoutAttestation(t *testing.T) {
	w := newWork(t)
	for _, end := range []struct{ sql, want string }{{"COMMIT", OutcomeCommitted}, {"ROLLBACK", OutcomeRolledBack}} {
		w.client.run("BEGIN", "INSERT INTO app.t VALUES (1)")
		s := w.begin("ALTER TABLE app.t ADD d int")
		s.Outcome, s.XID = OutcomeLost, uint64(number64(t, w.client.ask("SELECT pg_current_xact_id()")[0]))
		want(t, w.ledger.End(t.Context(), s), nil)
		w.client.run(end.sql)
		w.settle()
		if got := w.outcome(s); got != end.want {
			t.Errorf("after %s: %s", end.sql, got)
		}
	}
}

// What a session writes down while another one settles counts: that has seen less.
func TestSettleGivesWayToTheEnd(t *testing.T) {
	w := newWork(t)
	other := w.as(w.proxy)
	settling := w.open(other)
	for _, c := range []struct {
		name, before string
		end          func(s *Statement, now uint64)
	}{
		{"committed meanwhile", "pid = 2147483647", func(s *Statement, _ uint64) { s.Outcome = OutcomeCommitted }},
		{"in another transaction", "outcome = 'open', attested = true, xid = $2::pg_catalog.xid8", func(s *Statement, now uint64) {
			s.Outcome, s.XID = OutcomeOpen, now
		}},
	} {
		former := uint64(number64(t, w.admin.ask("SELECT pg_current_xact_id()")[0]))
		s := w.begin(c.name)
		w.admin.ask("UPDATE pgsluice.statements SET "+c.before+" WHERE id = $1::bigint AND $2 <> '' RETURNING 1", itoa(s.ID), itoa(int64(former)))
		w.client.run("BEGIN")
		now := uint64(number64(t, w.client.ask("SELECT pg_current_xact_id()")[0]))

		w.control.run("BEGIN")
		c.end(&s, now)
		want(t, w.ledger.End(t.Context(), s), nil)
		settled := make(chan error, 1)
		go func() {
			_, err := settling.Settle(t.Context())
			settled <- err
		}()
		pgtest.WaitFor(t, w.admin.Conn, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1", other.PgConn().PID())
		w.control.run("COMMIT")
		want(t, <-settled, nil)
		if got := w.outcome(s); got != s.Outcome {
			t.Errorf("%s: it is %s, not %s", c.name, got, s.Outcome)
		}
		w.client.run("ROLLBACK")
	}
}

// What has ended long ago is not read to settle what is open, also where nobody has ever counted the rows.
func TestSettleReadsWhatIsOpen(t *testing.T) {
	w := newWork(t)
	w.client.run("BEGIN")
	s := w.begin("ALTER TABLE app.t ADD a int")
	w.attested(s)
	w.client.run("COMMIT")
	const ended = 5000
	w.admin.run(
		"INSERT INTO pgsluice.statements (system_identifier, database_oid, session, pid, login, role, client, application, tag, asked, digest, verdict, outcome) "+
			"SELECT system_identifier, database_oid, session, pid, login, role, client, application, tag, asked, digest, verdict, 'committed' FROM pgsluice.statements, generate_series(1, "+itoa(ended)+")",
		"INSERT INTO pgsluice.attestations SELECT system_identifier, database_oid, id + g, ('0'::xid8::text::bigint + g)::text::xid8, seq, statement_id + g, digest, login, role, pid, backend_start, key_id, mac "+
			"FROM pgsluice.attestations, generate_series(1000, 1000 + "+itoa(ended)+") AS g")
	w.control.run("BEGIN")
	outcomes, err := w.ledger.Outcomes(t.Context(), []int64{s.ID, s.ID + 1000})
	want(t, err, nil)
	if outcomes[s.ID] != OutcomeCommitted || outcomes[s.ID+1000] != OutcomeCommitted {
		t.Errorf("got %v", outcomes)
	}
	for _, line := range w.control.ask("SELECT relname || ' ' || seq_tup_read + COALESCE(idx_tup_fetch, 0) FROM pg_stat_xact_all_tables WHERE schemaname = 'pgsluice' AND relname IN ('statements', 'attestations')") {
		name, read, _ := strings.Cut(line, " ")
		if number64(t, read) > 100 {
			t.Errorf("of %s %s rows are read", name, read)
		}
	}
	w.control.run("COMMIT")
}

func TestBegunStatementIsLostWithItsBackend(t *testing.T) {
	w := newWork(t)
	w.client.run("BEGIN")
	attested := w.begin("ALTER TABLE app.t ADD f int")
	nonce, err := NewNonce(t.Context(), w.client)
	want(t, err, nil)
	_, err = Attest(t.Context(), w.client, w.ledger.Key(), nonce, attested.ID, attested.Digest)
	want(t, err, nil)
	w.client.run("COMMIT")
	s := w.begin("ALTER TABLE app.t ADD e int")
	w.settle()
	if got := w.outcome(s); got != OutcomeBegun {
		t.Errorf("while its backend lives: %s", got)
	}
	w.client.Close(t.Context())
	w.admin.run("DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE pid = " + itoa(int64(s.PID)) + ") LOOP PERFORM pg_sleep(0.01), pg_stat_clear_snapshot(); END LOOP; END $$")
	w.settle()
	if got := w.outcome(s); got != OutcomeLost {
		t.Errorf("when it is gone: %s", got)
	}
	if got := w.outcome(attested); got != OutcomeCommitted {
		t.Errorf("attested, but its end was never written down: %s", got)
	}
}

// learn tells the ledger of a revision, whose version row the client writes.
func (w *work) learn(e Event, statements ...int64) int64 {
	w.t.Helper()
	wrote := w.begin("UPDATE alembic_version")
	w.attested(wrote)
	id, err := w.ledger.Learn(w.t.Context(), Learned{
		Event: e, Tool: w.tool, Table: w.table, Who: w.who(), Wrote: wrote.ID, Statements: statements, Since: time.Now().Add(-time.Minute),
	})
	want(w.t, err, nil)
	return id
}

func TestRevisionHasItsStatementsAndTheirEnd(t *testing.T) {
	w := newWork(t)
	w.client.run("BEGIN")
	ddl := w.begin("ALTER TABLE app.t ADD a int")
	w.attested(ddl)
	id := w.learn(Event{Stage: Whole, Direction: Up, Revision: "0001"}, ddl.ID)
	if got := w.state(id); got != OutcomeOpen {
		t.Errorf("before COMMIT: %s", got)
	}
	w.client.run("COMMIT")
	w.settle()
	if got := w.state(id); got != "applied" {
		t.Errorf("after COMMIT: %s", got)
	}
	statements, err := w.ledger.Statements(t.Context(), id)
	want(t, err, nil)
	if len(statements) != 1 || statements[0].Asked != ddl.Asked || statements[0].Outcome != OutcomeCommitted {
		t.Errorf("got %+v", statements)
	}
	last, err := w.ledger.Last(t.Context(), w.tool, w.table, "0001")
	want(t, err, nil)
	if last == nil || last.Direction != Up {
		t.Errorf("got %+v", last)
	}

	w.client.run("BEGIN")
	id = w.learn(Event{Stage: Whole, Direction: Down, Revision: "0001"})
	w.client.run("ROLLBACK")
	if last, _ := w.ledger.Last(t.Context(), w.tool, w.table, "0001"); last == nil || last.Direction != Up {
		t.Errorf("what was rolled back counts: %+v", last)
	}
	w.settle()
	if got := w.state(id); got != OutcomeRolledBack {
		t.Errorf("after ROLLBACK: %s", got)
	}
}

func TestRevisionThatNeverEndsHasFailed(t *testing.T) {
	w := newWork(t)
	id := w.learnOutside(Event{Stage: Begun, Direction: Up, Revision: "7", Key: "k"})
	if got := w.state(id); got != "running" {
		t.Errorf("when it has begun: %s", got)
	}
	want(t, w.ledger.Abandon(t.Context(), "another"), nil)
	if got := w.state(id); got != "running" {
		t.Errorf("when another session has ended: %s", got)
	}
	want(t, w.ledger.Abandon(t.Context(), "s"), nil)
	if got := w.state(id); got != "failed" {
		t.Errorf("when its session has ended: %s", got)
	}
	// A new connection tells that it failed, or worked after all, by the row's key.
	if again := w.learnOutside(Event{Stage: Ended, Direction: Up, Key: "k"}); again != id {
		t.Errorf("its end is revision %d, not %d", again, id)
	}
	w.settle()
	if got := w.state(id); got != "applied" {
		t.Errorf("when it has ended: %s", got)
	}
}

// learnOutside is learn in a transaction of its own.
func (w *work) learnOutside(e Event, statements ...int64) int64 {
	w.t.Helper()
	w.client.run("BEGIN")
	defer w.client.run("COMMIT")
	return w.learn(e, statements...)
}

func (w *work) state(id int64) string {
	w.t.Helper()
	rows, err := w.ledger.Revisions(w.t.Context(), Filter{ID: id})
	want(w.t, err, nil)
	if len(rows) != 1 {
		w.t.Fatalf("there are %d revisions %d", len(rows), id)
	}
	return rows[0].State
}

func TestChecksumIsThatOfTheSQL(t *testing.T) {
	w := newWork(t)
	sums := map[string]string{}
	for revision, asked := range map[string]string{"a": "ALTER TABLE t ADD a int", "b": "ALTER TABLE t ADD a int", "c": "ALTER TABLE t ADD a bigint"} {
		w.client.run("BEGIN")
		s := w.begin(asked)
		w.attested(s)
		id := w.learn(Event{Stage: Whole, Direction: Up, Revision: revision}, s.ID)
		w.client.run("COMMIT")
		rows, err := w.ledger.Revisions(t.Context(), Filter{ID: id})
		want(t, err, nil)
		sums[revision] = rows[0].Work.Checksum
	}
	if sums["a"] != sums["b"] || sums["a"] == sums["c"] || len(sums["a"]) != 64 {
		t.Errorf("got %v", sums)
	}
}

// What the tool runs on another connection of the same login and host belongs to the revision, what anybody else runs does not.
func TestStatementsBeside(t *testing.T) {
	w := newWork(t)
	w.tool.Beside = true
	mine := w.begin("ALTER TABLE t ADD a int")
	w.admin.run("UPDATE pgsluice.statements SET session = 'beside', outcome = 'committed'")
	other := w.begin("ALTER TABLE t ADD b int")
	w.admin.run("UPDATE pgsluice.statements SET session = 'other', client = '10.9.9.9', outcome = 'committed' WHERE id = " + itoa(other.ID))
	id := w.learnOutside(Event{Stage: Whole, Direction: Up, Revision: "1"})
	statements, err := w.ledger.Statements(t.Context(), id)
	want(t, err, nil)
	if len(statements) != 1 || statements[0].ID != mine.ID {
		t.Errorf("got %+v", statements)
	}
}

// What a tool runs on the connection of its own log is about the log, and hides nothing of what its scripts ran elsewhere.
func TestStatementsBesideTheLog(t *testing.T) {
	w := newWork(t)
	w.tool = Tool{Name: "sqitch", Beside: true, style: events}
	mine := w.begin("ALTER TABLE t ADD a int")
	w.admin.run("UPDATE pgsluice.statements SET session = 'beside', outcome = 'committed'")
	about := w.begin("DO $$ BEGIN END $$")
	w.admin.run("UPDATE pgsluice.statements SET outcome = 'committed' WHERE id = " + itoa(about.ID))
	id := w.learnOutside(Event{Stage: Whole, Direction: Up, Revision: "1"}, about.ID)
	statements, err := w.ledger.Statements(t.Context(), id)
	want(t, err, nil)
	if len(statements) != 1 || statements[0].ID != mine.ID {
		t.Errorf("got %+v", statements)
	}
}
