package revisions

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// watched is a database whose server writes down schema changes.
func watched(t testing.TB) *fixture {
	t.Helper()
	f := withLedger(t)
	want(t, SetEventTriggers(t.Context(), f.admin, true), nil)
	return f
}

// written are the changes that were written down since, a line each, and forgets them.
func (f *fixture) written() string {
	f.t.Helper()
	var out strings.Builder
	for _, line := range f.admin.ask(`WITH gone AS (DELETE FROM pgsluice.changes RETURNING *)
		SELECT json_build_object('id', id, 'login', login, 'role', role, 'tag', tag, 'dropped', dropped, 'objects', objects, 'further', further,
			'application_name', application)
		FROM gone ORDER BY id`) {
		var c Change
		want(f.t, json.Unmarshal([]byte(line), &c), nil)
		fmt.Fprintf(&out, "%s", map[string]string{f.alice: "alice", "postgres": "admin"}[c.Login])
		if c.Role != c.Login {
			fmt.Fprintf(&out, " as %s", strings.ReplaceAll(c.Role, f.proxy, "proxy"))
		}
		fmt.Fprintf(&out, ": %s", c.Tag)
		if c.Dropped {
			out.WriteString(" dropped")
		}
		for i, o := range c.Objects {
			out.WriteString(strings.TrimRight(fmt.Sprintf("%s %s %s", map[bool]string{true: ","}[i > 0], o.Type, o.Identity), " "))
		}
		if c.Further > 0 {
			fmt.Fprintf(&out, " and %d more", c.Further)
		}
		if c.Application != "" {
			fmt.Fprintf(&out, " [%s]", c.Application)
		}
		out.WriteString("\n")
	}
	return out.String()
}

// What testdata/changes.txt says is run, statement by statement (a line each), and must succeed; shown is what the server has written down of it.
func TestServerWritesDownSchemaChanges(t *testing.T) {
	f := watched(t)
	if got := f.written(); got != "" {
		t.Fatalf("the installation is written down:\n%s", got)
	}
	f.admin.run("GRANT "+f.proxy+" TO "+f.alice, "GRANT CREATE ON SCHEMA app TO "+f.proxy)
	f.written()
	logins := map[string]session{"alice": f.as(f.alice), "admin": f.admin}
	datadriven.RunTest(t, "testdata/changes.txt", func(t *testing.T, d *datadriven.TestData) string {
		for sql := range strings.SplitSeq(d.Input, "\n") {
			if rest, fails := strings.CutPrefix(sql, "! "); fails {
				if _, err := logins[d.Cmd].Exec(t.Context(), rest); err == nil {
					d.Fatalf(t, "%s succeeded", rest)
				}
				continue
			}
			logins[d.Cmd].run(strings.ReplaceAll(sql, "{proxy}", f.proxy))
		}
		return f.written()
	})
}

func TestEventTriggersComeAndGo(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	state := func() string {
		t.Helper()
		w, err := ReadWatch(ctx, f.admin)
		want(t, err, nil)
		return fmt.Sprintf("on %v, none %v, off %v, foreign %v", w.On(), w.None(), w.Off, w.Foreign)
	}
	for _, step := range []struct {
		on    bool
		state string
	}{
		{false, "on false, none true, off [], foreign []"},
		{true, "on true, none false, off [], foreign []"}, {true, "on true, none false, off [], foreign []"},
		{false, "on false, none true, off [], foreign []"}, {true, "on true, none false, off [], foreign []"},
	} {
		want(t, SetEventTriggers(ctx, f.admin, step.on), nil)
		if got := state(); got != step.state {
			t.Errorf("%v: %s, want %s", step.on, got, step.state)
		}
	}

	// Installing again leaves them, and what it does to the ledger is not written down.
	f.install(InstallOptions{})
	f.written()
	f.install(InstallOptions{})
	if got := f.written(); got != "" {
		t.Errorf("the installation is written down:\n%s", got)
	}

	// Switched off, they are found so, and switched on again.
	f.admin.run("ALTER EVENT TRIGGER pgsluice_changed DISABLE", "DROP EVENT TRIGGER pgsluice_dropped")
	if got := state(); got != "on false, none false, off [pgsluice_changed], foreign []" {
		t.Error(got)
	}
	want(t, SetEventTriggers(ctx, f.admin, true), nil)
	if got := state(); got != "on true, none false, off [], foreign []" {
		t.Error(got)
	}

	// Somebody else's of our name stays.
	f.admin.run("DROP EVENT TRIGGER pgsluice_dropped", "CREATE FUNCTION app.other() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
		"CREATE EVENT TRIGGER pgsluice_dropped ON sql_drop EXECUTE FUNCTION app.other()")
	want(t, SetEventTriggers(ctx, f.admin, true), ErrUnsafe)
	want(t, SetEventTriggers(ctx, f.admin, false), ErrUnsafe)
	f.admin.run("DROP EVENT TRIGGER pgsluice_dropped")

	// A ledger that is gone takes them along.
	f.admin.run("DROP SCHEMA pgsluice CASCADE")
	want(t, SetEventTriggers(ctx, f.admin, false), nil)
	want(t, SetEventTriggers(ctx, f.admin, true), ErrNotInstalled)
}

// The server says who may, and whoever may not is told what to have run. It works, word for word.
func TestEventTriggersAreTheServersToAllow(t *testing.T) {
	f := withoutLedger(t)
	installer := pgtest.Role(t, "LOGIN CREATEROLE")
	f.admin.run("GRANT CREATE ON DATABASE "+f.database+" TO "+installer, "GRANT pgsluice_owner TO "+installer+" WITH ADMIN OPTION")
	revoked := false
	t.Cleanup(func() {
		if !revoked {
			f.admin.runBare("REVOKE pgsluice_owner FROM " + installer)
		}
	})
	i := f.as(installer)
	_, err := Install(t.Context(), i, InstallOptions{ControlRole: f.proxy})
	want(t, err, nil)

	var refused *EventTriggerError
	if err := SetEventTriggers(t.Context(), i, true); !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	// A superuser who does it for this login would let it run code as everybody.
	want(t, SetEventTriggers(t.Context(), f.admin, true), ErrUnsafe)
	f.admin.run(refused.Statements...)
	revoked = true
	w, err := ReadWatch(t.Context(), f.admin)
	want(t, err, nil)
	if !w.On() || len(w.Replacers) != 0 {
		t.Errorf("after the recipe: %+v", w)
	}
	if err := SetEventTriggers(t.Context(), i, false); !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	f.admin.run(refused.Statements...)
}

// sorted sorts and lists what nobody has judged.
func (f *fixture) sorted(filter ChangeFilter) []Change {
	f.t.Helper()
	want(f.t, f.ledger.SortChanges(f.t.Context()), nil)
	changes, err := f.ledger.Changes(f.t.Context(), filter)
	want(f.t, err, nil)
	return changes
}

func TestWhatAProxyHasJudgedIsForgotten(t *testing.T) {
	f := watched(t)
	ctx := t.Context()
	alice, direct := f.as(f.alice), f.as(f.alice)
	statement := Statement{
		Who: Who{Session: "S", PID: int32(alice.PgConn().PID()), Login: f.alice}, Tag: "CREATE TABLE", Asked: "CREATE TABLE …", Digest: "d", Verdict: "pass",
		Rules: []string{}, Overrides: []Override{}, Ran: []string{}, Locks: []StatementLock{},
	}
	alice.run("CREATE TABLE app.before ()")
	var err error
	statement.ID, err = f.ledger.Begin(ctx, statement)
	want(t, err, nil)
	alice.run("CREATE TABLE app.judged ()")
	direct.run("CREATE TABLE app.beside ()")
	statement.Outcome = OutcomeCommitted
	want(t, f.ledger.End(ctx, statement), nil)
	alice.run("CREATE TABLE app.behind ()")

	// What was only passed on is told of before it runs.
	observed := statement
	observed.ID, err = f.ledger.Begin(ctx, observed)
	want(t, err, nil)
	observed.Outcome = OutcomeObserved
	want(t, f.ledger.End(ctx, observed), nil)
	alice.run("CREATE TABLE app.observed ()")

	var got []string
	for _, c := range f.sorted(ChangeFilter{}) {
		got = append(got, c.Objects[0].Identity+" "+c.Session)
	}
	if list := strings.Join(got, ", "); list != "app.behind S, app.beside , app.before " {
		t.Errorf("nobody judged %s", list)
	}

	// What is written down late began before.
	statement.Late = time.Hour.Microseconds()
	_, err = f.ledger.Begin(ctx, statement)
	want(t, err, nil)
	if got := f.admin.ask("SELECT clock_timestamp() - max(started) FILTER (WHERE outcome = 'begun') > '59 minutes' FROM pgsluice.statements")[0]; got != "t" {
		t.Error("it began just now")
	}
}

func TestOtherChangesOfASessionAreOutOfBand(t *testing.T) {
	f := watched(t)
	ctx := t.Context()
	alice := f.as(f.alice)
	alice.run("CREATE TABLE app.before ()")
	done, err := f.ledger.Attend(ctx, Who{Session: "S", PID: int32(alice.PgConn().PID()), Login: f.alice})
	want(t, err, nil)
	alice.run("CREATE TABLE app.attended ()")
	want(t, done(ctx), nil)
	alice.run("CREATE TABLE app.behind ()", "BEGIN", "CREATE TABLE app.gone ()", "ROLLBACK", "BEGIN", "SAVEPOINT s", "CREATE TABLE app.gone ()", "ROLLBACK TO s",
		"DROP TABLE app.before", "COMMIT")
	var got []string
	for _, c := range f.sorted(ChangeFilter{}) {
		got = append(got, c.Tag+" "+c.Objects[0].Identity+" "+c.Session)
	}
	if list := strings.Join(got, ", "); list != "DROP TABLE app.before S, CREATE TABLE app.behind S, CREATE TABLE app.before " {
		t.Errorf("nobody judged %s", list)
	}
	for _, c := range []struct {
		filter ChangeFilter
		n      int
	}{
		{ChangeFilter{Login: f.alice}, 3}, {ChangeFilter{Login: "postgres"}, 0}, {ChangeFilter{Tag: "DROP TABLE"}, 1}, {ChangeFilter{Object: "behind"}, 1},
		{ChangeFilter{Object: "before"}, 2}, {ChangeFilter{Limit: 1}, 1}, {ChangeFilter{Since: "2200-01-01"}, 0}, {ChangeFilter{Since: "2020-01-01"}, 3},
	} {
		if got := f.sorted(c.filter); len(got) != c.n {
			t.Errorf("%+v: %d changes, want %d", c.filter, len(got), c.n)
		}
	}
	for last, wanted := range map[time.Duration]int64{0: 3, time.Hour: 3} {
		n, err := f.ledger.CountChanges(ctx, last)
		want(t, err, nil)
		if n != wanted {
			t.Errorf("%d changes in %v", n, last)
		}
	}
	f.age()
	if got := f.prune(f.ledger); got != (Pruned{Statements: 1, Changes: 3}) {
		t.Errorf("pruned %+v", got)
	}
}

// What a promise does behind its COMMIT was judged when it was made; what else its session does is not.
func TestWhatWasPromisedIsJudged(t *testing.T) {
	f := watched(t)
	ctx := t.Context()
	alice := f.as(f.alice)
	alice.run("CREATE TABLE app.t (c int)")
	f.sorted(ChangeFilter{})
	f.written()
	alice.run("BEGIN")
	nonce, err := NewNonce(ctx, alice)
	want(t, err, nil)
	id := f.record(alice)
	alice.run("CREATE TABLE app.unseen ()", "COMMIT") // in the transaction of the promise, and no statement tells of it
	owner := Runner{Name: "owner", PID: nonce.PID, BackendStart: nonce.BackendStart}
	_, err = f.ledger.Start(ctx, id, owner)
	want(t, err, nil)
	alice.run("CREATE INDEX CONCURRENTLY i ON app.t (c)")
	want(t, f.ledger.Finish(ctx, id, owner, Outcome{State: Done}), nil)
	alice.run("CREATE TABLE app.behind ()")

	// One that is taken over is kept by the backend that took it.
	other := f.as(f.alice)
	second, _ := f.promise(alice)
	f.end(alice)
	by := f.runner("other", other)
	rows, err := f.ledger.Claim(ctx, by, ClaimOptions{ID: second, Limit: 1})
	want(t, err, nil)
	if len(rows) != 1 {
		t.Fatalf("claimed %+v", rows)
	}
	_, err = f.ledger.Start(ctx, second, by)
	want(t, err, nil)
	other.run("CREATE INDEX CONCURRENTLY j ON app.t (c)")
	want(t, f.ledger.Finish(ctx, second, by, Outcome{State: Done}), nil)

	var got []string
	for _, c := range f.sorted(ChangeFilter{}) {
		got = append(got, c.Objects[0].Identity)
	}
	if list := strings.Join(got, ", "); list != "app.behind, app.unseen" {
		t.Errorf("nobody judged %s", list)
	}
}

// Nothing that happens to the ledger fails, or holds up, anybody's schema change.
func TestABrokenLedgerFailsNobody(t *testing.T) {
	for what, breaks := range map[string][]string{
		"renamed table":     {"ALTER TABLE pgsluice.changes RENAME TO changed"},
		"dropped table":     {"DROP TABLE pgsluice.changes"},
		"dropped column":    {"ALTER TABLE pgsluice.changes DROP COLUMN tag"},
		"another column":    {"ALTER TABLE pgsluice.changes ADD COLUMN other int NOT NULL"},
		"renamed schema":    {"ALTER SCHEMA pgsluice RENAME TO sluice"},
		"revoked":           {"REVOKE ALL ON SCHEMA pgsluice FROM pgsluice_owner, PUBLIC", "REVOKE ALL ON ALL TABLES IN SCHEMA pgsluice FROM pgsluice_owner"},
		"function revoked":  {"REVOKE ALL ON FUNCTION pgsluice.note_change() FROM PUBLIC, pgsluice_owner"},
		"failing trigger":   {"CREATE FUNCTION app.fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'", "CREATE TRIGGER t BEFORE INSERT ON pgsluice.changes FOR EACH ROW EXECUTE FUNCTION app.fails()"},
		"nothing seen":      {"REVOKE pg_read_all_stats FROM pgsluice_owner"},
		"no control system": {"REVOKE ALL ON FUNCTION pg_catalog.pg_control_system() FROM PUBLIC"},
	} {
		t.Run(what, func(t *testing.T) {
			f := watched(t)
			f.admin.run(breaks...)
			if what == "nothing seen" {
				t.Cleanup(func() { f.admin.runBare("GRANT pg_read_all_stats TO pgsluice_owner") }) // the role is the cluster's
			}
			for _, s := range []session{f.as(f.alice), f.admin} {
				s.run("BEGIN", "CREATE TABLE app.t (c int)", "ALTER TABLE app.t ADD COLUMN d int, DROP COLUMN c", "COMMIT", "DROP TABLE app.t")
			}
		})
	}
	t.Run("locked", func(t *testing.T) {
		f := watched(t)
		alice := f.as(f.alice)
		f.admin.run("BEGIN", "LOCK TABLE pgsluice.changes IN ACCESS EXCLUSIVE MODE")
		alice.run("SET statement_timeout = '20s'", "BEGIN", "CREATE TABLE app.t (c int)", "COMMIT")
		f.admin.run("COMMIT")
		if got := f.written(); got != "" {
			t.Errorf("written down in spite of the lock: %s", got)
		}
		alice.run("DROP TABLE app.t")
		if got := f.written(); got == "" {
			t.Error("nothing is written down behind the lock")
		}
	})
}

// Transactions that are SERIALIZABLE and change the schema at the same time do not fail for what is written down.
func TestSerializableTransactionsAreLeftAlone(t *testing.T) {
	f := watched(t)
	one, other := f.as(f.alice), f.as(f.alice)
	for _, s := range []session{one, other} {
		s.run("BEGIN ISOLATION LEVEL SERIALIZABLE")
	}
	for n := range 3 {
		one.run(fmt.Sprintf("CREATE TABLE app.one%d ()", n))
		other.run(fmt.Sprintf("CREATE TABLE app.other%d ()", n))
	}
	one.run("COMMIT")
	other.run("COMMIT")
	if got := len(f.sorted(ChangeFilter{})); got != 6 {
		t.Errorf("%d changes are written down", got)
	}
}

// Whoever shadows the server's functions and operators has nothing of theirs run, and is written down all the same.
func TestShadowsDoNotHideAChange(t *testing.T) {
	f := watched(t)
	f.shadowed()
	f.written()
	alice := f.as(f.alice)
	alice.run("SET standard_conforming_strings = off", "SET plpgsql.extra_errors = 'all'", "SET search_path = evil, pg_catalog, pgsluice, pg_temp",
		"CREATE TEMPORARY TABLE changes (id int)", "CREATE TABLE app.t ()", "DROP TABLE app.t")
	if got, wanted := f.written(), "alice: CREATE TABLE table app.t\nalice: DROP TABLE dropped table app.t\n"; got != wanted {
		t.Errorf("written down is\n%s", got)
	}
}

// A login that changes the schema again and again fills the ledger up to a bound; the rest is counted.
func TestALoginFillsTheLedgerNoFurther(t *testing.T) {
	f := watched(t)
	f.admin.run(`INSERT INTO pgsluice.changes (system_identifier, database_oid, xid, pid, backend_start, login, role, client, application, tag, dropped,
			objects, further, sent)
		SELECT i.system_identifier, i.database_oid, '7', 7, 7, 'mallory', 'mallory', '', '', 'COMMENT', false, '[]', 0, now()
		FROM pgsluice.installation AS i, generate_series(1, 10007)`)
	f.as(f.alice).run("CREATE TABLE app.t ()")
	changes := f.sorted(ChangeFilter{})
	var kept, leftOut int64
	for _, c := range changes {
		if c.Login == "mallory" {
			kept, leftOut = kept+1, leftOut+c.LeftOut
		}
	}
	// The hour may have turned meanwhile.
	if kept+leftOut != 10007 || kept > 10000 && leftOut == 0 && kept != 10007 || len(changes) != int(kept)+1 {
		t.Errorf("%d are kept, %d counted, of %d", kept, leftOut, len(changes))
	}
	if n, err := f.ledger.CountChanges(t.Context(), 0); err != nil || n != 10008 {
		t.Errorf("%d changes are counted: %v", n, err)
	}
}

// A session that was at very many statements does not keep the keeper from its work: what it then changes unjudged is sorted as quickly as anybody's.
func TestALongSessionDoesNotHoldUpTheSorting(t *testing.T) {
	f := watched(t)
	f.admin.run(`INSERT INTO pgsluice.statements (system_identifier, database_oid, session, pid, login, role, client, application, tag, asked, digest, verdict,
			outcome, started, finished)
		SELECT i.system_identifier, i.database_oid, 'S', 7, 'mallory', 'mallory', '', '', 'COMMENT', 'x', 'd', 'pass', 'committed', s.at, s.at
		FROM pgsluice.installation AS i, generate_series(1, 20000) AS n, LATERAL (SELECT now() - '1 hour'::interval + n * '10 ms'::interval AS at) AS s`,
		`INSERT INTO pgsluice.changes (system_identifier, database_oid, xid, pid, backend_start, login, role, client, application, tag, dropped, objects,
			further, sent)
		SELECT i.system_identifier, i.database_oid, '7', 7, 7, 'mallory', 'mallory', '', '', 'COMMENT', false, '[]', 0, now()
		FROM pgsluice.installation AS i, generate_series(1, 5000)`)
	began := time.Now()
	if got := len(f.sorted(ChangeFilter{})); got != 5000 {
		t.Errorf("%d changes are listed", got)
	}
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}

// What was counted stays counted when the row that counts it goes, because an older one was committed behind it.
func TestWhatIsLeftOutStaysCounted(t *testing.T) {
	f := watched(t)
	write := func(from, to int) {
		f.admin.run(fmt.Sprintf(`INSERT INTO pgsluice.changes (system_identifier, database_oid, id, xid, pid, backend_start, login, role, client, application, tag,
				dropped, objects, further, sent, changed)
			OVERRIDING SYSTEM VALUE
			SELECT i.system_identifier, i.database_oid, n, '7', 7, 7, 'mallory', 'mallory', '', '', 'COMMENT', false, '[]', 0, now(), '2024-01-01 12:30Z'
			FROM pgsluice.installation AS i, generate_series(%d, %d) AS n`, from, to))
		f.sorted(ChangeFilter{Limit: 1})
	}
	write(1001, 11500)
	write(1, 5)
	if got := f.admin.ask("SELECT count(*) || ' ' || sum(1 + left_out) FROM pgsluice.changes")[0]; got != "10000 10505" {
		t.Errorf("kept and counted are %s", got)
	}
}

// A promise that was put off and is then kept by another backend is judged there, too.
func TestWhatWasPutOffIsJudgedWhereItIsKept(t *testing.T) {
	f := watched(t)
	ctx := t.Context()
	alice, other := f.as(f.alice), f.as(f.alice)
	alice.run("CREATE TABLE app.t (c int)")
	f.sorted(ChangeFilter{})
	f.written()
	id, owner := f.promise(alice)
	_, err := f.ledger.Start(ctx, id, owner)
	want(t, err, nil)
	want(t, f.ledger.Postpone(ctx, id, owner, "55P03", "locked", 0), nil)
	alice.run("CREATE TABLE app.meanwhile ()") // the promise is not hers any more
	by := f.runner("other", other)
	rows, err := f.ledger.Claim(ctx, by, ClaimOptions{ID: id, Limit: 1, Early: true})
	want(t, err, nil)
	if len(rows) != 1 {
		t.Fatalf("claimed %+v", rows)
	}
	_, err = f.ledger.Start(ctx, id, by)
	want(t, err, nil)
	other.run("CREATE INDEX CONCURRENTLY i ON app.t (c)")
	want(t, f.ledger.Finish(ctx, id, by, Outcome{State: Done}), nil)
	other.run("CREATE TABLE app.behind ()")
	var got []string
	for _, c := range f.sorted(ChangeFilter{}) {
		got = append(got, c.Objects[0].Identity)
	}
	if list := strings.Join(got, ", "); list != "app.behind, app.meanwhile" {
		t.Errorf("nobody judged %s", list)
	}
}
