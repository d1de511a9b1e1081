package revisions

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// year is how long the tests keep what has ended.
const year = 365 * 24 * time.Hour

// age makes everything in the ledger two years older.
func (f *fixture) age() {
	f.t.Helper()
	const back = " - '2 years'::interval"
	for table, columns := range map[string]string{
		"promises": "created started finished heartbeat", "jobs": "created started finished heartbeat", "checkpoints": "updated",
		"statements": "started finished", "revisions": "started finished", "anchors": "anchored", "changes": "sent changed",
	} {
		var set []string
		for _, column := range strings.Fields(columns) {
			set = append(set, column+" = "+column+back)
		}
		f.admin.run("UPDATE pgsluice." + table + " SET " + strings.Join(set, ", "))
	}
}

// prune prunes until nothing is left to be, and returns what was deleted.
func (f *fixture) prune(ledger *Ledger) Pruned {
	f.t.Helper()
	var all Pruned
	for {
		pruned, err := ledger.Prune(f.t.Context(), year, 2)
		want(f.t, err, nil)
		if pruned.Sum() == 0 {
			return all
		}
		for _, n := range []int64{pruned.Promises, pruned.Jobs, pruned.Revisions, pruned.Statements, pruned.Anchors, pruned.Changes} {
			if n > 2 {
				f.t.Fatalf("deleted at once: %+v", pruned)
			}
		}
		all.Add(pruned)
	}
}

// left is what the ledger still has of a table, by an expression.
func (f *fixture) left(expression, table string) string {
	f.t.Helper()
	return strings.Join(f.admin.ask("SELECT "+expression+" FROM pgsluice."+table+" ORDER BY id"), " ")
}

func TestPromisesThatAreKeptArePruned(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	alice := f.as(f.alice)
	var ids []int64
	states := []State{Done, Void, Failed, Pending, Running, Done, Void, Done}
	for _, state := range states {
		id, owner := f.promise(alice)
		ids = append(ids, id)
		if state == Pending {
			continue
		}
		_, err := f.ledger.Start(ctx, id, owner)
		want(t, err, nil)
		if state != Running {
			want(t, f.ledger.Finish(ctx, id, owner, Outcome{State: state}), nil)
		}
	}
	if got := f.prune(f.ledger); got.Sum() != 0 {
		t.Fatalf("pruned what is young: %+v", got)
	}
	f.age()
	young, owner := f.promise(alice)
	_, err := f.ledger.Start(ctx, young, owner)
	want(t, err, nil)
	want(t, f.ledger.Finish(ctx, young, owner, Outcome{State: Done}), nil)
	if got := f.prune(f.ledger); got != (Pruned{Promises: 5}) {
		t.Errorf("pruned %+v", got)
	}
	if got, want := f.left("state", "promises"), "failed pending running done"; got != want {
		t.Errorf("left are %s, want %s", got, want)
	}
	want(t, f.ledger.Retry(ctx, ids[2]), nil) // it can still be dealt with
}

func TestJobsThatAreDoneArePrunedWithTheirCheckpoints(t *testing.T) {
	f := withLedger(t)
	for id, state := range map[int]string{1: "done", 2: "void", 3: "stopped", 4: "running", 5: "done"} {
		f.admin.run(fmt.Sprintf(`INSERT INTO pgsluice.jobs (system_identifier, database_oid, id, login, role, table_oid, fingerprint, engine, tag, content,
				key_id, mac, state, runner, pid, backend_start, finished)
			SELECT system_identifier, database_oid, %d, 1, 1, 1, '%[1]d', 1, 'UPDATE', '{}', 1, '', '%s', '', 0, 0,
				CASE WHEN '%[2]s' IN ('done', 'void') THEN now() END FROM pgsluice.installation`, id, state),
			fmt.Sprintf(`INSERT INTO pgsluice.checkpoints (system_identifier, database_oid, job, table_oid, position, changed, passed, batches, finished)
			SELECT system_identifier, database_oid, %d, 1, '', 0, 0, 0, true FROM pgsluice.installation`, id))
	}
	f.age()
	f.admin.run("UPDATE pgsluice.jobs SET finished = now() WHERE id = 5")
	if got := f.prune(f.ledger); got != (Pruned{Jobs: 2}) {
		t.Errorf("pruned %+v", got)
	}
	if got, want := f.left("id", "jobs"), "3 4 5"; got != want {
		t.Errorf("left are the jobs %s, want %s", got, want)
	}
	if got := strings.Join(f.admin.ask("SELECT job FROM pgsluice.checkpoints ORDER BY job"), " "); got != "3 4 5" {
		t.Errorf("left are the checkpoints of %s", got)
	}
}

// Of a revision what became of it the last time stays, with its statements, however old it is.
func TestRevisionKeepsItsLastState(t *testing.T) {
	w := newWork(t)
	// apply tells of a revision with one statement, in a transaction that ends as it is said.
	apply := func(revision string, direction Direction, end string) int64 {
		t.Helper()
		w.client.run("BEGIN")
		s := w.begin(fmt.Sprintf("ALTER TABLE t ADD %s_%s int", revision, direction))
		w.attested(s)
		id := w.learn(Event{Stage: Whole, Direction: direction, Revision: revision}, s.ID)
		w.client.run(end)
		w.settle()
		return id
	}
	up, down, again, undone := apply("a", Up, "COMMIT"), apply("a", Down, "COMMIT"), apply("a", Up, "COMMIT"), apply("a", Down, "ROLLBACK")
	once := apply("b", Up, "COMMIT")
	failed := w.learnOutside(Event{Stage: Broken, Direction: Up, Revision: "c"})
	running := w.learnOutside(Event{Stage: Begun, Direction: Up, Revision: "d"})
	never, neither := apply("e", Up, "ROLLBACK"), apply("e", Up, "ROLLBACK")
	w.age()
	kept := fmt.Sprint(again, " ", undone, " ", once, " ", failed, " ", running, " ", neither)
	if got := w.prune(w.ledger); got.Revisions != 3 {
		t.Errorf("pruned %+v", got)
	}
	if got := w.left("id", "revisions"); got != kept {
		t.Errorf("left are the revisions %s, want %s; a went up in %d, down in %d, e in vain in %d", got, kept, up, down, never)
	}
	if got := w.state(again); got != "applied" {
		t.Errorf("a is %s", got)
	}
	for id, want := range map[int64]int{again: 1, undone: 1, once: 1, neither: 1} {
		statements, err := w.ledger.Statements(t.Context(), id)
		if err != nil || len(statements) != want {
			t.Errorf("revision %d has %d statements, want %d: %v", id, len(statements), want, err)
		}
	}
	// Each that is left has its attestation, or never had one: what became of it does not change.
	before := w.left("outcome", "statements")
	w.admin.run("UPDATE pgsluice.statements SET outcome = 'open'")
	w.settle()
	if got := w.left("outcome", "statements"); got != before {
		t.Errorf("the statements are %s, and were %s", got, before)
	}
	if got := w.admin.ask(`SELECT count(*) FROM pgsluice.attestations AS a WHERE NOT EXISTS (SELECT FROM pgsluice.statements AS s WHERE s.id = a.statement_id)`)[0]; got != "0" {
		t.Errorf("%s attestations are of no statement", got)
	}
}

// One write tells of several revisions where a tool writes several rows at once, and one revision's statement may be another one's write: it goes with
// the last of them, whoever prunes.
func TestSharedStatementStaysWithItsLastRevision(t *testing.T) {
	w := newWork(t)
	// tell tells of revisions by one write in a transaction of its own.
	tell := func(direction Direction, revisions ...string) (wrote int64, ids []int64) {
		t.Helper()
		w.client.run("BEGIN")
		s := w.begin("INSERT INTO alembic_version")
		w.attested(s)
		for _, revision := range revisions {
			id, err := w.ledger.Learn(t.Context(), Learned{
				Event: Event{Stage: Whole, Direction: direction, Revision: revision}, Tool: w.tool, Table: w.table, Who: w.who(), Wrote: s.ID, Since: time.Now(),
			})
			want(t, err, nil)
			ids = append(ids, id)
		}
		w.client.run("COMMIT")
		w.settle()
		return s.ID, ids
	}
	shared, both := tell(Up, "a", "b")
	_, again := tell(Down, "a") // so that of a only this is kept
	w.age()
	if got := w.prune(w.ledger); got != (Pruned{Revisions: 1}) {
		t.Errorf("pruned %+v", got)
	}
	if got, want := w.left("id", "revisions"), fmt.Sprint(both[1], " ", again[0]); got != want {
		t.Errorf("left are the revisions %s, want %s", got, want)
	}
	if got := w.state(both[1]); got != "applied" {
		t.Errorf("b is %s", got)
	}
	if got := w.left("statement_id", "attestations"); !strings.Contains(got, fmt.Sprint(shared)) {
		t.Errorf("the attestations are of %s, not of %d", got, shared)
	}

	_, _ = tell(Down, "b")
	// Its statement is said to be of the revision that is gone, as when two were pruned at once.
	w.admin.run(fmt.Sprintf("UPDATE pgsluice.statements SET revision_id = %d WHERE id = %d", both[0], shared))
	w.age()
	if got := w.prune(w.ledger); got != (Pruned{Revisions: 1}) {
		t.Errorf("pruned %+v", got)
	}
	if got := w.left("id", "statements"); strings.Contains(" "+got+" ", fmt.Sprintf(" %d ", shared)) {
		t.Errorf("left are the statements %s, with %d", got, shared)
	}
	orphan, _ := tell(Up, "c")
	w.admin.run(fmt.Sprintf("UPDATE pgsluice.statements SET revision_id = %d WHERE id = %d", both[0], orphan), "DELETE FROM pgsluice.revisions WHERE revision = 'c'")
	w.age()
	if got := w.prune(w.ledger); got != (Pruned{Statements: 1}) {
		t.Errorf("pruned %+v", got)
	}
}

// Of each chain the last anchor of each day stays, however old it is.
func TestAnchorsAreThinnedOut(t *testing.T) {
	f := withLedger(t)
	for _, c := range []struct {
		chain string
		seq   int64
		at    string
	}{
		{"a", 1, "2020-02-01 00:00:00+00"}, {"a", 5, "2020-02-01 12:00:00+00"}, {"a", 9, "2020-02-01 23:59:59+00"},
		{"a", 10, "2020-02-02 00:00:01+00"}, {"b", 3, "2020-02-01 11:00:00+00"}, {"b", 4, "2020-02-01 23:00:00+00"},
		{"c", 1, "2020-02-01 11:00:00+00"}, {"c", 2, "now"}, {"c", 3, "now"},
	} {
		want(t, f.ledger.Anchor(t.Context(), "host-1", Head{Chain: c.chain, Seq: c.seq, Hash: "h"}), nil)
		f.admin.run(fmt.Sprintf("UPDATE pgsluice.anchors SET anchored = '%s' WHERE chain = '%s' AND seq = %d", c.at, c.chain, c.seq))
	}
	f.control.run("SET TimeZone = 'Asia/Tokyo'")
	if got := f.prune(f.ledger); got != (Pruned{Anchors: 3}) {
		t.Errorf("pruned %+v", got)
	}
	if got := strings.Join(f.admin.ask("SELECT chain || seq FROM pgsluice.anchors ORDER BY chain, seq"), " "); got != "a9 a10 b4 c1 c2 c3" {
		t.Errorf("left are %s", got)
	}
}

// A statement of no revision goes when it has ended, and what was promised for it is kept or given up.
func TestStatementsOfNoRevisionArePruned(t *testing.T) {
	w := newWork(t)
	ctx := t.Context()
	promise, owner := w.promise(w.client)
	var ids []int64
	for _, c := range []struct {
		outcome string
		promise int64
	}{{"committed", 0}, {"refused", 0}, {"failed", 0}, {"observed", 0}, {"begun", 0}, {"committed", promise}} {
		s := w.begin("ALTER TABLE t ADD a int")
		ids = append(ids, s.ID)
		s.Outcome, s.Promise = c.outcome, c.promise
		want(t, w.ledger.End(ctx, s), nil)
	}
	w.age()
	if got := w.prune(w.ledger); got != (Pruned{Statements: 4}) {
		t.Errorf("pruned %+v", got)
	}
	if got, want := w.left("id", "statements"), fmt.Sprint(ids[4], " ", ids[5]); got != want {
		t.Errorf("left are the statements %s, want %s", got, want)
	}
	_, err := w.ledger.Start(ctx, promise, owner)
	want(t, err, nil)
	want(t, w.ledger.Finish(ctx, promise, owner, Outcome{State: Done}), nil)
	if got := w.prune(w.ledger); got != (Pruned{Statements: 1}) {
		t.Errorf("pruned %+v", got)
	}
}

// Several proxies prune at once: each row goes once, and nobody waits for what another one is at.
func TestSeveralPrune(t *testing.T) {
	f := withLedger(t)
	f.admin.run(`INSERT INTO pgsluice.statements (system_identifier, database_oid, session, pid, login, role, client, application, tag, asked, digest,
			verdict, outcome, finished)
		SELECT system_identifier, database_oid, 's', 1, 'l', 'r', '', '', 'ALTER TABLE', '', '', 'pass', 'committed', now()
		FROM pgsluice.installation, generate_series(1, 200)`)
	f.age()
	holder := f.as("postgres")
	holder.run("BEGIN")
	held := holder.ask("SELECT min(id) FROM pgsluice.statements")[0]
	holder.ask("SELECT id FROM pgsluice.statements WHERE id = $1::bigint FOR UPDATE", held)

	var (
		group sync.WaitGroup
		mu    sync.Mutex
		all   Pruned
	)
	for range 3 {
		ledger := f.open(f.as(f.proxy))
		group.Go(func() {
			for {
				pruned, err := ledger.Prune(t.Context(), year, 7)
				if err != nil || pruned.Sum() == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				all.Add(pruned)
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if all != (Pruned{Statements: 199}) {
		t.Errorf("pruned %+v", all)
	}
	if got := f.left("id", "statements"); got != held {
		t.Errorf("left are %s", got)
	}
	holder.run("COMMIT")
	if got := f.prune(f.ledger); got != (Pruned{Statements: 1}) {
		t.Errorf("pruned %+v", got)
	}
}

// The control role deletes by the function alone, which has its own idea of what may go; nobody else has the function.
func TestNobodyPrunesByHand(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	f.promise(alice)
	f.age()
	for _, table := range []string{"promises", "jobs", "checkpoints", "statements", "revisions", "attestations", "anchors"} {
		f.control.refuses("42501", "DELETE FROM pgsluice."+table)
	}
	alice.refuses("42501", "SELECT pgsluice.prune('1 year', 1)")
	for _, args := range []string{"'23 hours', 1", "'-1 year', 1", "NULL, 1", "'1 year', 0", "'1 year', NULL"} {
		f.control.refuses("22023", "SELECT pgsluice.prune("+args+")") // invalid_parameter_value
	}
	if _, err := f.ledger.Prune(t.Context(), time.Hour, 1); err == nil {
		t.Error("an hour is long enough")
	}
	if got := f.prune(f.ledger); got.Sum() != 0 {
		t.Errorf("pruned %+v", got)
	}
}

// What a copy has brought along is the original's.
func TestCopyIsNotPruned(t *testing.T) {
	f := withLedger(t)
	id, owner := f.promise(f.as(f.alice))
	_, err := f.ledger.Start(t.Context(), id, owner)
	want(t, err, nil)
	want(t, f.ledger.Finish(t.Context(), id, owner, Outcome{State: Done}), nil)
	f.age()
	f.admin.run("UPDATE pgsluice.promises SET database_oid = 1")
	if got := f.prune(f.ledger); got.Sum() != 0 {
		t.Errorf("pruned %+v", got)
	}
}
