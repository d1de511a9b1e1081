package revisions

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// signedCall is the call that a proxy would make, for an attacker who has got hold of it.
func (f *fixture) signedCall(client session) []string {
	f.t.Helper()
	nonce, err := NewNonce(f.t.Context(), client)
	want(f.t, err, nil)
	mac, err := f.ledger.Key().Sign(nonce, somePromise)
	want(f.t, err, nil)
	payload, err := somePromise.payload()
	want(f.t, err, nil)
	return []string{
		itoa(nonce.Number), strconv.Itoa(int(f.ledger.Key().ID)), somePromise.Kind, somePromise.Tag, oid(somePromise.Table), payload, mac,
	}
}

// promises counts the rows of the ledger.
func (f *fixture) promises() int64 {
	f.t.Helper()
	return number64(f.t, f.admin.ask("SELECT count(*) FROM pgsluice.promises")[0])
}

func TestForgedSignatureIsRefused(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	for _, mac := range []string{"", "x", strings.Repeat("0", 64), strings.Repeat("ä", 64)} {
		alice.run("BEGIN")
		call := f.signedCall(alice)
		call[6] = mac
		alice.refuses(StateNotSigned, promiseCall, call...)
		alice.run("ROLLBACK")
	}

	// A key of her own making.
	alice.run("BEGIN")
	own := f.ledger.Key()
	own.block = new([64]byte)
	_, err := Record(t.Context(), alice, own, somePromise)
	wantState(t, err, StateNotSigned)
	alice.run("ROLLBACK")
	if n := f.promises(); n != 0 {
		t.Fatalf("%d promises were forged", n)
	}
}

func TestNothingSignedCanBeChanged(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	alice.run("BEGIN")
	call := f.signedCall(alice)
	alice.run("SAVEPOINT s")
	for at, other := range []string{
		itoa(number64(t, call[0]) + 1), "2", "batch", "DROP INDEX", "16401", strings.Replace(call[5], "app", "sys", 1),
		strings.ToUpper(call[6]),
	} {
		changed := slices.Clone(call)
		changed[at] = other
		alice.refuses(StateNotSigned, promiseCall, changed...)
		alice.run("ROLLBACK TO s")
	}
	alice.ask(promiseCall, call...) // unchanged it is accepted
	alice.run("COMMIT")
	if n := f.promises(); n != 1 {
		t.Fatalf("there are %d promises", n)
	}
}

// Moving a byte from one field to the next changes what is signed, although all of them together have the same bytes.
func TestFieldsCannotBeMovedInto(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	alice.run("BEGIN")
	call := f.signedCall(alice)
	call[2], call[3] = call[2]+call[3][:1], call[3][1:]
	alice.refuses(StateNotSigned, promiseCall, call...)
}

func TestNullsAreRefused(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	for at := range 7 {
		alice.run("BEGIN")
		call := f.signedCall(alice)
		sql := strings.Replace(promiseCall, "$"+strconv.Itoa(at+1)+"::", "NULLIF($"+strconv.Itoa(at+1)+", $"+strconv.Itoa(at+1)+")::", 1)
		alice.refuses(StateNotSigned, sql, call...)
		alice.run("ROLLBACK")
	}
}

func TestReplayInTheSameTransactionIsRefused(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	alice.run("BEGIN")
	call := f.signedCall(alice)
	alice.ask(promiseCall, call...)
	alice.run("SAVEPOINT s")
	alice.refuses(StateNotSigned, promiseCall, call...)
	alice.run("ROLLBACK TO s", "COMMIT")
	if n := f.promises(); n != 1 {
		t.Fatalf("there are %d promises", n)
	}
}

// The row is gone, so nothing that is in a table can tell that the signature was used.
func TestReplayAfterRollbackToIsRefused(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	for _, trick := range []string{
		"SELECT 1", "SELECT pgsluice.nonce()", "DISCARD SEQUENCES", "DISCARD PLANS",
	} {
		alice.run("BEGIN", "SAVEPOINT s")
		call := f.signedCall(alice)
		alice.ask(promiseCall, call...)
		alice.run("ROLLBACK TO s", trick, "SAVEPOINT s")
		_, err := alice.Query(t.Context(), promiseCall, call...)
		if state := sqlState(err); state != StateNotSigned && state != "55000" { // object_not_in_prerequisite_state: no nonce at all
			t.Errorf("after %s: %v", trick, err)
		}
		alice.run("ROLLBACK TO s", "COMMIT")
	}
	if n := f.promises(); n != 0 {
		t.Fatalf("%d promises were made by replay", n)
	}
}

func TestReplayInALaterTransactionIsRefused(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	alice.run("BEGIN")
	used := f.signedCall(alice)
	alice.ask(promiseCall, used...)
	unused := f.signedCall(alice)
	alice.run("COMMIT")
	for _, call := range [][]string{used, unused} {
		alice.run("BEGIN")
		alice.refuses(StateNotSigned, promiseCall, call...)
		alice.run("ROLLBACK")
	}
}

func TestReplayOnAnotherBackendIsRefused(t *testing.T) {
	f := withLedger(t)
	alice, also := f.as(f.alice), f.as(f.alice)
	alice.run("BEGIN")
	call := f.signedCall(alice)
	also.run("BEGIN")
	also.ask("SELECT pgsluice.nonce()")
	also.refuses(StateNotSigned, promiseCall, call...)
}

func TestSignatureIsForOneRole(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	f.admin.run("GRANT " + f.proxy + " TO " + f.alice)
	alice.run("BEGIN")
	call := f.signedCall(alice)
	alice.run("SAVEPOINT s", "SET ROLE "+f.proxy)
	alice.refuses(StateNotSigned, promiseCall, call...)
	alice.run("ROLLBACK TO s")

	id := f.record(alice)
	alice.run("SET ROLE " + f.proxy)
	as := f.record(alice)
	alice.run("COMMIT")
	for id, role := range map[int64]string{id: f.alice, as: f.proxy} {
		if row := f.show(id); row.Login.Name != f.alice || row.Role.Name != role {
			t.Errorf("recorded for login %s, role %s; it was %s as %s", row.Login.Name, row.Role.Name, f.alice, role)
		}
	}
}

// A function of hers that has her own rights and calls the ledger does not make it record another login.
func TestLoginIsTheSessions(t *testing.T) {
	f := withLedger(t)
	bob := f.as(f.proxy)
	f.as(f.alice).run(
		"GRANT USAGE ON SCHEMA app TO PUBLIC",
		"CREATE FUNCTION app.nonce() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT pgsluice.nonce()'")
	nonce, err := queryRow[Nonce](t.Context(), bob, "SELECT app.nonce()")
	want(t, err, nil)
	if name := f.admin.ask("SELECT pg_get_userbyid($1::oid)", oid(nonce.Login))[0]; name != f.proxy {
		t.Errorf("the login is %s, not %s", name, f.proxy)
	}
}

// backend_start is hidden from an owner that lost pg_read_all_stats; a signature without it would not be bound to the backend.
func TestNonceNeedsTheStartOfTheBackend(t *testing.T) {
	f := withLedger(t)
	f.admin.run("REVOKE pg_read_all_stats FROM pgsluice_owner")
	_, err := NewNonce(t.Context(), f.as(f.alice))
	wantState(t, err, "42501")
	f.install(InstallOptions{}) // repairs it
	_, err = NewNonce(t.Context(), f.as(f.alice))
	want(t, err, nil)
}

func TestOneTransactionCannotFlood(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	alice.run("BEGIN")
	for range 1000 {
		f.record(alice)
	}
	alice.run("SAVEPOINT s")
	_, err := Record(t.Context(), alice, f.ledger.Key(), somePromise)
	wantState(t, err, StateTooMany)
	alice.run("ROLLBACK TO s", "COMMIT")
	if n := f.promises(); n != 1000 {
		t.Fatalf("there are %d promises", n)
	}
}

// attestedBy is a statement that is attested in the client's transaction.
func (f *fixture) attestedBy(client session) int64 {
	f.t.Helper()
	id, call := f.attestCall(client)
	client.ask(attestCall, call...)
	xid := number64(f.t, client.ask("SELECT pg_catalog.pg_current_xact_id()")[0])
	want(f.t, f.ledger.End(f.t.Context(), Statement{ID: id, Rules: []string{}, Ran: []string{}, Outcome: OutcomeOpen, XID: uint64(xid), Attested: true}), nil)
	return id
}

// attestCall is the call that a proxy would make, for an attacker who has got hold of it.
func (f *fixture) attestCall(client session) (statement int64, call []string) {
	f.t.Helper()
	id, err := f.ledger.Begin(f.t.Context(), Statement{Digest: Digest("x"), Rules: []string{}, Overrides: []Override{}, Locks: []StatementLock{}})
	want(f.t, err, nil)
	nonce, err := NewNonce(f.t.Context(), client)
	want(f.t, err, nil)
	mac, err := f.ledger.Key().signStatement(nonce, id, Digest("x"))
	want(f.t, err, nil)
	return id, []string{itoa(nonce.Number), strconv.Itoa(int(f.ledger.Key().ID)), itoa(id), Digest("x"), mac}
}

func (f *fixture) attestations() int64 {
	f.t.Helper()
	return number64(f.t, f.admin.ask("SELECT count(*) FROM pgsluice.attestations")[0])
}

func TestAttestationCannotBeForged(t *testing.T) {
	f := withLedger(t)
	alice, also := f.as(f.alice), f.as(f.alice)
	alice.run("BEGIN")
	_, call := f.attestCall(alice)
	alice.run("SAVEPOINT s")
	for at, other := range []string{itoa(number64(t, call[0]) + 1), "2", "9", Digest("y"), strings.Repeat("0", 64)} {
		changed := slices.Clone(call)
		changed[at] = other
		alice.refuses(StateNotSigned, attestCall, changed...)
		alice.run("ROLLBACK TO s")
		null := strings.Replace(attestCall, "$"+strconv.Itoa(at+1)+"::", "NULLIF($"+strconv.Itoa(at+1)+", $"+strconv.Itoa(at+1)+")::", 1)
		alice.refuses(StateNotSigned, null, call...)
		alice.run("ROLLBACK TO s")
	}
	// A promise's signature is none for a statement.
	promise := f.signedCall(alice)
	alice.refuses(StateNotSigned, attestCall, promise[0], promise[1], call[2], call[3], promise[6])
	alice.run("ROLLBACK TO s")

	also.run("BEGIN")
	also.ask("SELECT pgsluice.nonce()")
	also.refuses(StateNotSigned, attestCall, call...)
	alice.run("COMMIT")
	if n := f.attestations(); n != 0 {
		t.Fatalf("%d attestations were forged", n)
	}
}

func TestAttestationCannotBeReplayed(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	alice.run("BEGIN", "SAVEPOINT s")
	_, call := f.attestCall(alice)
	alice.ask(attestCall, call...)
	alice.run("ROLLBACK TO s", "SAVEPOINT s")
	alice.refuses(StateNotSigned, attestCall, call...)
	alice.run("ROLLBACK TO s", "COMMIT", "BEGIN")
	alice.refuses(StateNotSigned, attestCall, call...)
	alice.run("ROLLBACK")
	if n := f.attestations(); n != 0 {
		t.Fatalf("%d attestations were made by replay", n)
	}
}

func TestOneTransactionCannotFloodAttestations(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	alice.run("BEGIN")
	xid := alice.ask("SELECT pg_current_xact_id()")[0]
	f.admin.run(`INSERT INTO pgsluice.attestations
		SELECT i.system_identifier, i.database_oid, 0, '` + xid + `'::xid8, 10000, 0, '', 0, 0, 0, 0, 0, '' FROM pgsluice.installation AS i`)
	_, call := f.attestCall(alice)
	alice.refuses(StateTooMany, attestCall, call...)
}

// The file says who tries what, and what the server answers.
func TestNothingCanBeDoneByHand(t *testing.T) {
	f := withLedger(t)
	f.promise(f.as(f.alice))
	want(t, f.ledger.Anchor(t.Context(), "p", Head{Chain: "c", Seq: 1, Hash: "abc"}), nil)
	want(t, SetEventTriggers(t.Context(), f.admin, true), nil)
	f.admin.run("GRANT TEMPORARY ON DATABASE " + f.database + " TO PUBLIC")
	logins := map[string]session{"alice": f.as(f.alice), "control": f.control}
	if pgtest.Server(t).Version() >= 14 { // these roles are not in Postgres 13
		for _, name := range []string{"pg_read_all_data", "pg_write_all_data"} {
			member := pgtest.Role(t, "LOGIN IN ROLE "+name)
			logins[name] = f.as(member)
		}
	}
	datadriven.RunTest(t, "testdata/by_hand.txt", func(t *testing.T, d *datadriven.TestData) string {
		s, ok := logins[d.Cmd]
		if !ok {
			return d.Expected
		}
		var out strings.Builder
		for sql := range strings.Lines(d.Input) {
			s.run("BEGIN")
			rows, err := s.Query(t.Context(), sql)
			s.run("ROLLBACK")
			if err != nil {
				fmt.Fprintf(&out, "%s\n", sqlState(err))
				continue
			}
			fmt.Fprintf(&out, "rows: %v\n", rows)
		}
		return out.String()
	})
}

// shadow makes, in a schema of alice's, a function for every function and an operator for every operator of pg_catalog, all of
// which fail when they are called.
const shadow = `
DO $$
DECLARE
	f record;
	o record;
BEGIN
	FOR f IN SELECT DISTINCT p.proname, pg_catalog.oidvectortypes(p.proargtypes) AS args
		FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.proargtypes::text <> '' OR p.proname IN ('now', 'clock_timestamp')
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS text LANGUAGE plpgsql AS %L', f.proname, f.args, 'BEGIN RAISE ''shadow of a function''; END');
		EXCEPTION WHEN OTHERS THEN NULL; -- arguments of a pseudo-type
		END;
	END LOOP;
	FOR o IN SELECT * FROM pg_catalog.pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprkind = 'b'
	LOOP
		BEGIN
			EXECUTE format('CREATE FUNCTION evil.op_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', o.oid,
				o.oprleft::regtype, o.oprright::regtype, o.oprresult::regtype, 'BEGIN RAISE ''shadow of an operator''; END');
			EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.op_%s, LEFTARG = %s, RIGHTARG = %s)', o.oprname, o.oid,
				o.oprleft::regtype, o.oprright::regtype);
		EXCEPTION WHEN OTHERS THEN NULL;
		END;
	END LOOP;
END $$`

// shadowed puts the shadows in front of pg_catalog for every session of the database, and tables and types in front of the ledger's.
func (f *fixture) shadowed() {
	f.t.Helper()
	f.as(f.alice).run("CREATE SCHEMA evil", shadow,
		"CREATE DOMAIN evil.text AS int", "CREATE DOMAIN evil.bytea AS int", "CREATE DOMAIN evil.json AS int", "CREATE DOMAIN evil.oid AS text",
		"CREATE VIEW evil.pg_roles AS SELECT 1 AS x", "CREATE VIEW evil.pg_class AS SELECT 1 AS x", "CREATE VIEW evil.pg_depend AS SELECT 1 AS x",
		"CREATE VIEW evil.promises AS SELECT 1 AS x", "CREATE VIEW evil.keys AS SELECT 1 AS x",
		"GRANT USAGE ON SCHEMA evil TO PUBLIC")
	f.admin.run("ALTER DATABASE " + f.database + " SET search_path = evil, pg_catalog, pgsluice")
	if n := f.admin.ask(`SELECT count(*) > 500 FROM pg_operator WHERE oprnamespace = 'evil'::regnamespace`)[0]; n != "t" {
		f.t.Fatal("too few operators are shadowed")
	}
	if n := f.admin.ask(`SELECT count(*) > 1500 FROM pg_proc WHERE pronamespace = 'evil'::regnamespace`)[0]; n != "t" {
		f.t.Fatal("too few functions are shadowed")
	}
}

func TestHostileSearchPath(t *testing.T) {
	f := withoutLedger(t)
	f.shadowed()
	f.admin = f.as("postgres")
	f.admin.refuses("P0001", "SELECT sha256('a'::pg_catalog.bytea)") // the shadows work
	f.admin.refuses("P0001", "SELECT 1 = 1")
	f.install(InstallOptions{ControlRole: f.proxy})
	f.install(InstallOptions{})
	f.control = f.as(f.proxy)
	f.ledger = f.open(f.control)
	ctx := t.Context()

	alice := f.as(f.alice)
	alice.run("CREATE TEMPORARY TABLE keys ()", "CREATE TEMPORARY TABLE promises ()", "CREATE TYPE pg_temp.text AS (x int)",
		"SET search_path = pg_temp, evil, pg_catalog, pgsluice", "BEGIN")
	call := f.signedCall(alice)
	call[6] = strings.Repeat("0", 64)
	alice.refuses(StateNotSigned, promiseCall, call...)
	alice.run("ROLLBACK")

	id, owner := f.promise(alice)
	rows, err := f.ledger.Pending(ctx, Transaction{XID: f.show(id).XID, PID: owner.PID, BackendStart: owner.BackendStart})
	want(t, err, nil)
	if len(rows) != 1 || rows[0].ID != id {
		t.Fatalf("got %+v", rows)
	}
	_, err = f.ledger.Start(ctx, id, owner)
	want(t, err, nil)
	want(t, f.ledger.Heartbeat(ctx, id, owner), nil)
	want(t, f.ledger.Postpone(ctx, id, owner, "55P03", "lock timeout", 0), nil)
	runner := f.runner("r", f.control)
	f.claims(runner, ClaimOptions{Kinds: []string{somePromise.Kind}, Login: rows[0].Login.OID, ID: id}, id)
	_, err = f.ledger.Start(ctx, id, runner)
	want(t, err, nil)
	want(t, f.ledger.Finish(ctx, id, runner, Outcome{State: Failed, SQLState: "23505"}), nil)
	failed, err := f.ledger.Failed(ctx)
	want(t, err, nil)
	if len(failed) != 1 {
		t.Fatalf("got %+v", failed)
	}
	want(t, f.ledger.Retry(ctx, id), nil)
	want(t, f.ledger.Void(ctx, id, "enough"), nil)
	artifact, err := f.ledger.Announce(ctx, Artifact{Kind: "index", Schema: "app", Name: "i", PID: 1, BackendStart: 1})
	want(t, err, nil)
	leftovers, err := f.ledger.Leftovers(ctx)
	want(t, err, nil)
	if len(leftovers) != 1 {
		t.Fatalf("got %+v", leftovers)
	}
	want(t, f.ledger.Forget(ctx, artifact), nil)
	alice.run("BEGIN")
	statement := f.attestedBy(alice)
	table, _, err := LookAt(ctx, alice, "pgsluice.promises")
	want(t, err, nil)
	revision, err := f.ledger.Learn(ctx, Learned{Event: Event{Stage: Whole, Direction: Up, Revision: "1"}, Table: table, Wrote: statement, Statements: []int64{statement}})
	want(t, err, nil)
	alice.run("COMMIT")
	_, err = f.ledger.Settle(ctx)
	want(t, err, nil)
	want(t, f.ledger.Abandon(ctx, "s"), nil)
	last, err := f.ledger.Last(ctx, Tool{}, table, "1")
	want(t, err, nil)
	revisions, err := f.ledger.Revisions(ctx, Filter{ID: revision, State: "applied", Since: "2020-01-01", Limit: 1})
	want(t, err, nil)
	statements, err := f.ledger.Statements(ctx, revision)
	want(t, err, nil)
	if last == nil || len(revisions) != 1 || len(statements) != 1 || statements[0].Outcome != OutcomeCommitted {
		t.Fatalf("got %+v, %+v, %+v", last, revisions, statements)
	}
	_, err = f.ledger.Statements(ctx, 0)
	want(t, err, nil)
	want(t, f.ledger.Anchor(ctx, "p", Head{Chain: "c", Seq: 1, Hash: "abc"}), nil)
	anchors, err := f.ledger.Anchors(ctx)
	want(t, err, nil)
	if len(anchors) != 1 {
		t.Fatalf("got %+v", anchors)
	}
	_, err = RotateKey(ctx, f.admin)
	want(t, err, nil)
}

// The signature of one and the same nonce is good under every setting that changes how the server writes or reads values.
func TestSettingsDoNotChangeASignature(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	datadriven.RunTest(t, "testdata/settings.txt", func(t *testing.T, d *datadriven.TestData) string {
		for setting := range strings.Lines(d.Input) {
			alice.run("BEGIN")
			call := f.signedCall(alice)
			alice.run("SET LOCAL " + setting)
			alice.ask(promiseCall, call...)
			id := f.record(alice)
			alice.run("COMMIT")
			if d.Cmd == "both" {
				f.control.run("SET " + setting)
			}
			want(t, f.ledger.Verify(t.Context(), f.show(id)), nil)
			f.control.run("RESET ALL")
		}
		return "recorded and verified\n"
	})
}

// The database's encoding may lack the characters of a statement, which a client in UTF-8 can send in a comment or literal.
func TestEncodingOfTheDatabaseDoesNotChangeASignature(t *testing.T) {
	for _, encoding := range []string{"LATIN1", "SQL_ASCII", "EUC_JP"} {
		t.Run(encoding, func(t *testing.T) {
			f := withoutLedger(t)
			name := f.database + "_" + strings.ToLower(encoding)
			f.admin.run("CREATE DATABASE " + name + " ENCODING '" + encoding + "' LOCALE 'C' TEMPLATE template0")
			postgres := f.admin
			t.Cleanup(func() { postgres.runBare("DROP DATABASE " + name + " WITH (FORCE)") })
			f.database = name
			f.admin = f.as("postgres")
			f.install(InstallOptions{ControlRole: f.proxy})
			f.control = f.as(f.proxy)
			f.control.run("SET client_encoding = 'UTF8'")
			f.ledger = f.open(f.control)
			id, owner := f.promise(f.as(f.alice)) // her client_encoding is the database's
			row, err := f.ledger.Start(t.Context(), id, owner)
			want(t, err, nil)
			if row.Asked != somePromise.Asked {
				t.Errorf("got %s", row.Asked)
			}
		})
	}
}

// Whoever can write to the tables all the same cannot make us run what no proxy has signed.
func TestChangedRowIsNotRun(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	datadriven.RunTest(t, "testdata/changed_row.txt", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		for change := range strings.Lines(d.Input) {
			f.promise(alice)
			f.admin.run("UPDATE pgsluice.promises SET released = true, " + change)
			runner := f.runner("r", f.control)
			rows, err := f.ledger.Claim(t.Context(), runner, ClaimOptions{})
			want(t, err, nil)
			if len(rows) != 1 {
				t.Fatalf("%s: claimed %v", change, rows)
			}
			_, err = f.ledger.Start(t.Context(), rows[0].ID, runner)
			want(t, err, ErrForged)
			row := f.show(rows[0].ID)
			fmt.Fprintf(&out, "%s %s\n", row.State, row.SQLState)
			f.admin.run("DELETE FROM pgsluice.promises")
		}
		return out.String()
	})
}

// A row copied whole, under another id or transaction, is no more signed than one made up.
func TestCopiedRowIsNotRun(t *testing.T) {
	f := withLedger(t)
	id, _ := f.promise(f.as(f.alice))
	copied := id + 1000
	f.admin.run(`CREATE TEMPORARY TABLE copy AS SELECT * FROM pgsluice.promises`,
		`UPDATE copy SET released = true, seq = seq + 1, mac = mac, id = `+itoa(copied)+`, xid = (xid::text::bigint + 1)::text::xid8`,
		`INSERT INTO pgsluice.promises SELECT * FROM copy`)
	runner := f.runner("r", f.control)
	f.claims(runner, ClaimOptions{}, copied)
	_, err := f.ledger.Start(t.Context(), copied, runner)
	want(t, err, ErrForged)
}

// What debug settings make the server tell a client does not contain the secret, in whatever form it prints bytes.
func TestDebugOutputDoesNotTellTheKey(t *testing.T) {
	f := withLedger(t)
	config, err := pgx.ParseConfig(pgtest.Server(t).DSN(f.alice, f.database))
	want(t, err, nil)
	var heard bytes.Buffer
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		heard.WriteString(n.Message + n.Detail + n.Where + n.InternalQuery)
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	want(t, err, nil)
	t.Cleanup(func() { conn.PgConn().Conn().Close() })
	alice := session{t, conn}
	alice.run("SET client_min_messages = debug5", "SET debug_print_plan = on", "SET debug_print_parse = on", "SET debug_print_rewritten = on",
		"SET plan_cache_mode = force_custom_plan")
	alice.run("BEGIN")
	call := f.signedCall(alice)
	alice.ask(promiseCall, call...)
	alice.run("SAVEPOINT s")
	alice.refuses(StateNotSigned, promiseCall, call...)
	alice.run("ROLLBACK")

	if !strings.Contains(heard.String(), "PLANNEDSTMT") {
		t.Fatalf("the settings did not make the server show its plans: %.300s", heard.String())
	}
	block := f.ledger.Key().block
	for _, flip := range []byte{0, 0x36, 0x5c} {
		secret := make([]byte, 32)
		var decimal strings.Builder
		for at := range secret {
			secret[at] = block[at] ^ flip
			if at < 4 {
				fmt.Fprintf(&decimal, "%d ", int8(secret[at])) // as outDatum prints it
			}
		}
		for _, form := range []string{hex.EncodeToString(secret[:4]), decimal.String()} {
			if strings.Contains(heard.String(), form) {
				t.Errorf("the server told a part of the secret: %s", form)
			}
		}
	}
}

func TestPrintingAKeyDoesNotTellIt(t *testing.T) {
	f := withLedger(t)
	key := f.ledger.Key()
	for _, text := range []string{
		fmt.Sprint(key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key), fmt.Sprintf("%v", f.ledger.keys), fmt.Sprintf("%+v", *f.ledger), key.LogValue().String(),
	} {
		if strings.Contains(text, fmt.Sprintf("%d %d", key.block[0], key.block[1])) || strings.Contains(text, hex.EncodeToString(key.block[:4])) {
			t.Errorf("printing shows the secret: %s", text)
		}
	}
}

// A clone knows the key and the promises of its original, and must use neither.
func TestCloneNeverRunsTheOriginalsPromises(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	id, _ := f.promise(alice)
	clone := f.database + "_clone"
	postgres := connect(t, pgtest.Server(t).DSN("postgres", "postgres"))
	for _, s := range []session{alice, f.control, f.admin} { // a database with sessions cannot be a template
		want(t, s.Close(t.Context()), nil)
	}
	pgtest.WaitFor(t, postgres.Conn, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1)", f.database)
	postgres.run("CREATE DATABASE " + clone + " TEMPLATE " + f.database)
	t.Cleanup(func() { postgres.runBare("DROP DATABASE " + clone + " WITH (FORCE)") })
	original := f.database
	key := f.ledger.Key()

	f.database = clone
	f.admin, f.control = f.as("postgres"), f.as(f.proxy)
	_, err := Open(t.Context(), f.control)
	want(t, err, ErrCopied)
	_, err = RotateKey(t.Context(), f.admin)
	want(t, err, ErrCopied)
	f.admin.run("BEGIN")
	_, err = Record(t.Context(), f.admin, key, somePromise)
	want(t, err, ErrCopied)
	key.Home.Database = uint32(number64(t, f.admin.ask("SELECT oid FROM pg_database WHERE datname = current_database()")[0]))
	_, err = Record(t.Context(), f.admin, key, somePromise) // the original's key, used here
	wantState(t, err, StateNotSigned)
	f.admin.run("ROLLBACK")

	f.install(InstallOptions{ControlRole: f.proxy})
	f.ledger = f.open(f.control)
	if *f.ledger.Key().block == *key.block {
		t.Error("the clone signs with the original's key")
	}
	if n := f.admin.ask("SELECT count(*) FROM pgsluice.keys")[0]; n != "1" {
		t.Errorf("the clone holds %s keys", n)
	}
	runner := f.runner("r", f.control)
	f.claims(runner, ClaimOptions{})
	_, err = f.ledger.Start(t.Context(), id, runner)
	want(t, err, ErrLost)
	if rows, err := f.ledger.List(t.Context()); len(rows) != 0 || err != nil {
		t.Errorf("the clone shows %v, %v", rows, err)
	}

	f.database = original
	f.admin, f.control = f.as("postgres"), f.as(f.proxy)
	f.ledger = f.open(f.control)
	f.claims(runner, ClaimOptions{}, id)
	_, err = f.ledger.Start(t.Context(), id, runner)
	want(t, err, nil)
}

func TestPublicationOfAllTablesWorks(t *testing.T) {
	f := withoutLedger(t)
	f.admin.run("CREATE PUBLICATION everything FOR ALL TABLES")
	f.admin.ask("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", f.database)
	t.Cleanup(func() { f.admin.runBare("SELECT pg_drop_replication_slot('" + f.database + "')") })
	_, err := Install(t.Context(), f.admin, InstallOptions{ControlRole: f.proxy})
	want(t, err, ErrPublished)
	report := f.install(InstallOptions{ControlRole: f.proxy, Published: true})
	if !strings.Contains(strings.Join(report.Notes, "\n"), "Publication everything") {
		t.Errorf("the report does not name the publication: %q", report.Notes)
	}
	f.install(InstallOptions{}) // it is published already

	f.control = f.as(f.proxy)
	f.ledger = f.open(f.control)
	id, owner := f.promise(f.as(f.alice))
	_, err = f.ledger.Start(t.Context(), id, owner)
	want(t, err, nil)
	want(t, f.ledger.Finish(t.Context(), id, owner, Outcome{State: Done}), nil)
	artifact, err := f.ledger.Announce(t.Context(), Artifact{Kind: "index"})
	want(t, err, nil)
	want(t, f.ledger.Forget(t.Context(), artifact), nil)
	_, err = RotateKey(t.Context(), f.admin)
	want(t, err, nil)
}

// pg_dump locks every table whose definition it writes.
func TestSchemaDumpOfAPlainRoleWorks(t *testing.T) {
	f := withLedger(t)
	alice := f.as(f.alice)
	alice.run("BEGIN")
	for _, table := range f.admin.ask("SELECT oid::regclass FROM pg_class WHERE relnamespace = 'pgsluice'::regnamespace AND relkind = 'r'") {
		alice.run("LOCK TABLE " + table + " IN ACCESS SHARE MODE")
	}
	alice.run("ROLLBACK")

	pgDump, ok := pgtest.Server(t).Binaries().Tool("pg_dump")
	if !ok {
		t.Logf("no pg_dump of Postgres %d or newer is installed: only its locks were tried", pgtest.Server(t).Version())
		return
	}
	dump := func(args ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), pgDump, append(args, "--dbname="+pgtest.Server(t).DSN(f.alice, f.database))...).CombinedOutput()
		return string(out), err
	}
	if out, err := dump("--schema-only"); err != nil || !strings.Contains(out, "CREATE TABLE pgsluice.keys") {
		t.Errorf("pg_dump --schema-only: %v\n%s", err, out)
	}
	if out, err := dump("--exclude-schema=pgsluice"); err != nil || strings.Contains(out, "CREATE TABLE pgsluice") {
		t.Errorf("pg_dump --exclude-schema=pgsluice: %v\n%s", err, out)
	}
	secret := hex.EncodeToString(f.ledger.Key().block[:4])
	if out, err := dump(); err == nil || strings.Contains(out, secret) {
		t.Errorf("a dump with data, which must fail on row security: %v\n%s", err, out)
	}
}
