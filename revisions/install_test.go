package revisions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestInstallTwiceChangesNothing(t *testing.T) {
	f := withLedger(t)
	id, _ := f.promise(f.as(f.alice))
	key := f.ledger.Key()
	report := f.install(InstallOptions{})
	if report.From != Version || report.To != Version || report.ControlRole != f.proxy {
		t.Errorf("got %+v", report)
	}
	f.ledger = f.open(f.control)
	if again := f.ledger.Key(); again.ID != key.ID || *again.block != *key.block {
		t.Error("the key is another")
	}
	want(t, f.ledger.Verify(t.Context(), f.show(id)), nil)
}

func TestLedgerIsNotInstalled(t *testing.T) {
	f := withoutLedger(t)
	_, err := Open(t.Context(), f.admin)
	want(t, err, ErrNotInstalled)
	_, err = ReadKey(t.Context(), f.admin)
	want(t, err, ErrNotInstalled)
	_, err = RotateKey(t.Context(), f.admin)
	want(t, err, ErrNotInstalled)
}

func TestInstallIsATransactionOfItsOwn(t *testing.T) {
	f := withoutLedger(t)
	f.admin.run("BEGIN")
	if _, err := Install(t.Context(), f.admin, InstallOptions{}); err == nil || !strings.Contains(err.Error(), "in a transaction") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheControlRoleOpensTheLedger(t *testing.T) {
	f := withLedger(t)
	_, err := Open(t.Context(), f.as(f.alice))
	want(t, err, ErrKeyUnreadable)
	f.open(f.admin)

	report := f.install(InstallOptions{ControlRole: f.alice})
	if report.ControlRole != f.alice {
		t.Errorf("got %+v", report)
	}
	f.open(f.as(f.alice))
	_, err = Open(t.Context(), f.as(f.proxy))
	want(t, err, ErrKeyUnreadable)
}

func TestControlRoleMayHaveAnyName(t *testing.T) {
	f := withoutLedger(t)
	name := f.alice + ` "Sluice" {control}`
	quoted := `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	f.admin.run("CREATE ROLE " + quoted + " LOGIN")
	t.Cleanup(func() { f.admin.runBare("DROP OWNED BY " + quoted); f.admin.runBare("DROP ROLE " + quoted) })
	f.install(InstallOptions{ControlRole: name})
	f.open(f.as(name))
}

func TestControlRoleMustBeThere(t *testing.T) {
	f := withoutLedger(t)
	for _, name := range []string{"nobody_of_this_name", "pgsluice_owner"} {
		if _, err := Install(t.Context(), f.admin, InstallOptions{ControlRole: name}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("control role %s: %v", name, err)
		}
	}
	if exists, err := exists(t.Context(), f.admin); exists || err != nil {
		t.Errorf("a failed installation left its schema behind: %v", err)
	}

	// One that is dropped later is none.
	gone := pgtest.Role(t, "LOGIN")
	f.install(InstallOptions{ControlRole: gone})
	f.admin.run("DROP OWNED BY "+gone, "ALTER ROLE "+gone+" RENAME TO "+gone+"_x")
	f.admin.run("ALTER ROLE " + gone + "_x RENAME TO " + gone)
	if report := f.install(InstallOptions{}); report.ControlRole != gone {
		t.Errorf("got %+v", report)
	}
	f.admin.run("UPDATE pgsluice.installation SET control_role = 4000000000")
	if report := f.install(InstallOptions{}); report.ControlRole != "" {
		t.Errorf("got %+v", report)
	}
}

// nextVersion is the schema of a program that is newer by one version.
var nextVersion = fmt.Sprintf(`
---- version %d
ALTER TABLE pgsluice.promises ADD COLUMN lag bigint NOT NULL DEFAULT 0
----
CREATE INDEX promises_table ON pgsluice.promises (table_oid)
---- functions
`, Version+1)

func TestUpgradeKeepsWhatIsThere(t *testing.T) {
	f := withLedger(t)
	id, owner := f.promise(f.as(f.alice))
	f.upgrade()

	_, err := Open(t.Context(), f.control)
	want(t, err, ErrNewer)
	_, err = Install(t.Context(), f.admin, InstallOptions{})
	want(t, err, ErrNewer)
	_, err = RotateKey(t.Context(), f.admin)
	want(t, err, ErrNewer)

	row, err := f.ledger.Start(t.Context(), id, owner) // it was open before
	want(t, err, nil)
	if row.State != Running {
		t.Errorf("got %+v", row)
	}
	if lag := f.admin.ask("SELECT lag FROM pgsluice.promises")[0]; lag != "0" {
		t.Errorf("lag is %s", lag)
	}
	f.upgrade() // again: nothing is run twice
}

// upgrade installs the next version of the ledger.
func (f *fixture) upgrade() {
	f.t.Helper()
	next, err := parseSchema(strings.Replace(schemaSQL, "\n---- functions\n", nextVersion, 1))
	want(f.t, err, nil)
	i := installation{conn: f.admin, schema: next}
	want(f.t, i.commit(f.t.Context(), func(ctx context.Context) error {
		report, err := i.install(ctx, InstallOptions{})
		if err == nil && report.To != Version+1 {
			f.t.Errorf("got %+v", report)
		}
		return err
	}), nil)
}

// A ledger of each version that was ever released becomes one of this program, with what is in it, and works.
func TestEveryVersionIsUpgraded(t *testing.T) {
	whole, err := parseSchema(schemaSQL)
	want(t, err, nil)
	for version := 1; version < Version; version++ {
		t.Run(fmt.Sprintf("version %d", version), func(t *testing.T) {
			f := withoutLedger(t)
			f.installTables(schema{versions: whole.versions[:version]})
			f.admin.run(`INSERT INTO pgsluice.promises (system_identifier, database_oid, id, xid, seq, login, role, pid, backend_start, kind, tag, table_oid, payload,
					key_id, mac, state, finished)
				SELECT system_identifier, database_oid, 1000000, '1', 1, 1, 1, 1, 1, 'index-not-concurrent', 'CREATE INDEX', 1, '{}', 1, '', 'done', now()
				FROM pgsluice.installation`)
			_, err := Open(t.Context(), f.admin)
			want(t, err, ErrOlder)

			report := f.install(InstallOptions{ControlRole: f.proxy})
			if report.From != version || report.To != Version {
				t.Errorf("got %+v", report)
			}
			f.control = f.as(f.proxy)
			f.ledger = f.open(f.control)
			if got := f.left("kind", "promises"); got != "index-not-concurrent" {
				t.Errorf("left are the promises %q", got)
			}
			id, _ := f.promise(f.as(f.alice))
			want(t, f.ledger.Verify(t.Context(), f.show(id)), nil)
			f.age()
			if got := f.prune(f.ledger); got != (Pruned{Promises: 1}) {
				t.Errorf("pruned %+v", got)
			}
		})
	}
}

// installTables installs the tables of a schema, and says that it is its version.
func (f *fixture) installTables(tables schema) {
	f.t.Helper()
	i := installation{conn: f.admin, schema: tables}
	want(f.t, i.commit(f.t.Context(), func(ctx context.Context) error {
		for _, step := range []func(context.Context) error{i.settle, i.makeOwner} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		if _, err := i.makeSchema(ctx); err != nil {
			return err
		}
		if err := i.actAsOwner(ctx); err != nil {
			return err
		}
		for _, version := range tables.versions {
			if err := i.execAll(ctx, version); err != nil {
				return err
			}
		}
		if _, err := i.record(ctx, controlRole{}); err != nil {
			return err
		}
		return i.actAsOurselves(ctx)
	}), nil)
}

func TestOlderLedgerMustBeUpgraded(t *testing.T) {
	f := withLedger(t)
	f.admin.run("UPDATE pgsluice.installation SET version = 0")
	_, err := Open(t.Context(), f.control)
	want(t, err, ErrOlder)
}

func TestRotatedKeyStaysWhileItIsNeeded(t *testing.T) {
	f := withLedger(t)
	ctx := t.Context()
	alice := f.as(f.alice)
	id, owner := f.promise(alice)
	old := f.ledger.Key()
	newID, err := RotateKey(ctx, f.admin)
	want(t, err, nil)
	if newID == old.ID {
		t.Fatalf("the new key has the old id %d", newID)
	}

	alice.run("BEGIN")
	_, err = Record(ctx, alice, old, somePromise)
	wantState(t, err, StateNotSigned)
	alice.run("ROLLBACK")
	key, err := ReadKey(ctx, f.control)
	want(t, err, nil)
	if key.ID != newID {
		t.Fatalf("got %v, want key %d", key, newID)
	}
	before := f.ledger // opened before the rotation: it gets to know the new key when it meets it
	f.ledger = f.open(f.control)
	young, _ := f.promise(alice)
	want(t, before.Verify(ctx, f.show(young)), nil)
	want(t, before.Verify(ctx, f.show(id)), nil)

	f.keys("1 2")
	f.admin.run("UPDATE pgsluice.keys SET retired = retired - '1 hour'::interval")
	f.install(InstallOptions{})
	f.keys("1 2") // the promise is pending
	_, err = f.ledger.Start(ctx, id, owner)
	want(t, err, nil)
	want(t, f.ledger.Finish(ctx, id, owner, Outcome{State: Failed}), nil)
	f.install(InstallOptions{})
	f.keys("1 2") // it can be tried again
	want(t, f.ledger.Void(ctx, id, "enough"), nil)
	alice.run("BEGIN")
	alice.ask("SELECT 1")
	f.admin.run("UPDATE pgsluice.keys SET retired = clock_timestamp() WHERE id = 1")
	f.install(InstallOptions{})
	f.keys("1 2") // a transaction is open that may have used it
	alice.run("COMMIT")
	f.admin.run("UPDATE pgsluice.keys SET retired = retired - '1 hour'::interval")
	f.install(InstallOptions{})
	f.keys("2")
}

// keys compares the ids of the keys that are there.
func (f *fixture) keys(ids string) {
	f.t.Helper()
	if got := strings.Join(f.admin.ask("SELECT id FROM pgsluice.keys ORDER BY id"), " "); got != ids {
		f.t.Fatalf("there are the keys %s, want %s", got, ids)
	}
}

// What a login lacks to install is said as statements, and they are enough. The cases differ in whether the role
// pgsluice_owner is in the cluster already.
func TestInstallSaysWhichRightsAreMissing(t *testing.T) {
	for _, attributes := range []string{"LOGIN", "LOGIN CREATEROLE"} {
		for _, ownerExists := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, owner %v", attributes, ownerExists), func(t *testing.T) {
				f := withoutLedger(t)
				f.admin.run("DROP ROLE IF EXISTS pgsluice_owner")
				if ownerExists {
					f.admin.run("CREATE ROLE pgsluice_owner NOLOGIN")
				}
				dba := pgtest.Role(t, attributes)
				installer := f.as(dba)
				_, err := Install(t.Context(), installer, InstallOptions{ControlRole: f.proxy})
				var missing *MissingRightsError
				if !errors.As(err, &missing) || missing.Statements[0] != "GRANT CREATE ON DATABASE "+f.database+" TO "+dba {
					t.Fatalf("got %v", err)
				}
				f.admin.run(missing.Statements...)
				f.installWithoutSuperuser(installer, dba)
				f.admin.run("DROP SCHEMA pgsluice CASCADE", "DROP ROLE pgsluice_owner")
			})
		}
	}
}

// With CREATEROLE, and the right to grant pg_read_all_stats, an installer makes the owner itself and cannot act as it afterwards.
func TestInstallerMakesTheOwner(t *testing.T) {
	f := withoutLedger(t)
	f.admin.run("DROP ROLE IF EXISTS pgsluice_owner")
	dba := pgtest.Role(t, "LOGIN CREATEROLE")
	f.admin.run("GRANT CREATE ON DATABASE "+f.database+" TO "+dba, "GRANT pg_read_all_stats TO "+dba+" WITH ADMIN OPTION")
	installer := f.as(dba)
	f.installWithoutSuperuser(installer, dba)
	installer.refuses("42501", "SET ROLE pgsluice_owner")
	installer.refuses("42501", "DELETE FROM pgsluice.keys")

	// From Postgres 16 on who makes a role can grant it, also to itself: a superuser must not trust its tables.
	_, err := Install(t.Context(), f.admin, InstallOptions{})
	if pgtest.Server(t).Version() < 16 {
		want(t, err, nil)
	} else {
		want(t, err, ErrUnsafe)
		_, err = Open(t.Context(), f.admin)
		want(t, err, ErrUnsafe)
	}
	f.admin.run("DROP SCHEMA pgsluice CASCADE", "DROP ROLE pgsluice_owner")
}

// installWithoutSuperuser installs, twice, and uses what is installed.
func (f *fixture) installWithoutSuperuser(installer session, dba string) {
	f.t.Helper()
	for range 2 {
		report, err := Install(f.t.Context(), installer, InstallOptions{ControlRole: f.proxy})
		want(f.t, err, nil)
		if !slices.ContainsFunc(report.Trusted, func(trusted Trusted) bool { return trusted.Role == dba }) {
			f.t.Errorf("%s can act as the owner and is not in %v", dba, report.Trusted)
		}
	}
	_, err := RotateKey(f.t.Context(), installer)
	want(f.t, err, nil)
	if role := installer.ask("SELECT current_user")[0]; role != dba {
		f.t.Errorf("the session is left as %s", role)
	}
	f.control = f.as(f.proxy)
	f.ledger = f.open(f.control)
	id, _ := f.promise(f.as(f.alice))
	want(f.t, f.ledger.Verify(f.t.Context(), f.show(id)), nil)
}

func TestInstallTogether(t *testing.T) {
	same := withoutLedger(t)
	other := withoutLedger(t)
	same.admin.run("GRANT CREATE ON DATABASE " + same.database + " TO PUBLIC")
	var group sync.WaitGroup
	for _, f := range []*fixture{same, same, same, other} {
		s := f.as("postgres")
		group.Go(func() {
			if _, err := Install(t.Context(), s, InstallOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	same.open(same.admin)
	other.open(other.admin)
}

// What is on its way before an installation must not get into it: the key would be readable from its birth.
func TestDefaultPrivilegesDoNotReachTheLedger(t *testing.T) {
	f := withLedger(t) // so that the role pgsluice_owner exists
	f.admin.run("DROP SCHEMA pgsluice CASCADE")
	for _, owner := range []string{"", "FOR ROLE pgsluice_owner "} {
		for _, what := range []string{"ALL ON TABLES", "ALL ON SEQUENCES", "ALL ON FUNCTIONS"} {
			for _, whom := range []string{f.alice, "PUBLIC", f.alice + " WITH GRANT OPTION"} {
				f.admin.run("ALTER DEFAULT PRIVILEGES " + owner + "GRANT " + what + " TO " + whom)
			}
		}
		f.admin.run("ALTER DEFAULT PRIVILEGES " + owner + "GRANT ALL ON SCHEMAS TO " + f.alice)
	}
	f.install(InstallOptions{ControlRole: f.proxy}) // compares all privileges itself
	alice := f.as(f.alice)
	if keys := alice.ask("SELECT id FROM pgsluice.keys"); len(keys) != 0 {
		t.Errorf("alice reads the keys %v", keys)
	}
	alice.refuses("42501", "INSERT INTO pgsluice.promises DEFAULT VALUES")
	alice.refuses("42501", "SELECT nextval('pgsluice.nonces')")
	alice.refuses("42501", "SELECT pgsluice.signed(1, 1, 1, '', '')")
	alice.refuses("42501", "CREATE TABLE pgsluice.t ()")
}

func TestInstallTakesBackWhatWasGranted(t *testing.T) {
	f := withLedger(t)
	f.admin.run("GRANT ALL ON ALL TABLES IN SCHEMA pgsluice TO "+f.alice, "GRANT ALL ON SCHEMA pgsluice TO PUBLIC",
		"GRANT UPDATE (mac) ON pgsluice.promises TO "+f.proxy+" WITH GRANT OPTION", "GRANT EXECUTE ON FUNCTION pgsluice.caller() TO PUBLIC",
		"ALTER TABLE pgsluice.keys DISABLE ROW LEVEL SECURITY")
	// What is not for install to repair it names.
	_, err := Install(t.Context(), f.admin, InstallOptions{})
	want(t, err, ErrUnsafe)
	if text := err.Error(); strings.Contains(text, f.alice) || !strings.Contains(text, "missing: table pgsluice.keys row security") {
		t.Errorf("got %s", text)
	}
	f.admin.run("ALTER TABLE pgsluice.keys ENABLE ROW LEVEL SECURITY")
	f.install(InstallOptions{})
}

// Each case of the file is done to a database, before or after the installation. Then Install, and Open where there is a
// ledger, refuse; and alice, whose code would have run as a superuser, has gained nothing.
func TestWhatSomebodyElseHasMadeIsRefused(t *testing.T) {
	withLedger(t) // so that the role pgsluice_owner exists
	datadriven.RunTest(t, "testdata/unsafe.txt", func(t *testing.T, d *datadriven.TestData) string {
		f := withoutLedger(t)
		if d.Cmd == "after" {
			f.install(InstallOptions{ControlRole: f.proxy})
		}
		alice := f.as(f.alice)
		alice.run("CREATE FUNCTION app.evil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN EXECUTE ''ALTER ROLE "+f.alice+" SUPERUSER''; RETURN NEW; END'",
			"CREATE FUNCTION app.evil(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN EXECUTE ''ALTER ROLE "+f.alice+" SUPERUSER''; RETURN $1; END'",
			"GRANT ALL ON SCHEMA app TO PUBLIC")
		for _, statement := range strings.Split(strings.TrimSpace(d.Input), ";\n") {
			who, sql, _ := strings.Cut(statement, ": ")
			map[string]session{"alice": alice, "superuser": f.admin}[who].run(strings.ReplaceAll(sql, "alice", f.alice))
		}

		_, err := Install(t.Context(), f.admin, InstallOptions{})
		want(t, err, ErrUnsafe)
		_, opened := Open(t.Context(), f.admin)
		switch {
		case d.HasArg("opens"):
			want(t, opened, nil)
		case d.HasArg("absent"):
			want(t, opened, ErrNotInstalled)
		default:
			want(t, opened, ErrUnsafe)
		}
		if super := f.admin.ask("SELECT rolsuper FROM pg_roles WHERE rolname = $1", f.alice)[0]; super != "f" {
			t.Error("alice has become a superuser")
		}
		f.admin.run("ALTER ROLE pgsluice_owner NOLOGIN", "REVOKE pgsluice_owner FROM "+f.alice, "REVOKE pg_signal_backend FROM pgsluice_owner")
		_, reasons, _ := strings.Cut(err.Error(), ErrUnsafe.Error()+": ")
		return strings.ReplaceAll(strings.ReplaceAll(reasons, "; ", "\n"), f.alice, "alice") + "\n"
	})
}

func TestReportNamesWhoIsTrusted(t *testing.T) {
	f := withLedger(t)
	f.admin.run("GRANT " + f.proxy + " TO " + f.alice)
	roles := map[string]string{
		f.alice:                       "may act as the control role",
		f.proxy:                       "control role",
		"postgres":                    "superuser",
		"pgsluice_owner":              "owner of the ledger",
		pgtest.Role(t, "BYPASSRLS"):   "BYPASSRLS",
		pgtest.Role(t, "REPLICATION"): "REPLICATION",
		pgtest.Role(t, "IN ROLE pg_read_server_files"): "pg_read_server_files",
	}
	if pgtest.Server(t).Version() >= 14 {
		roles[pgtest.Role(t, "IN ROLE pg_read_all_data")] = "pg_read_all_data"
		roles[pgtest.Role(t, "IN ROLE pg_write_all_data")] = "pg_write_all_data"
	}
	if pgtest.Server(t).Version() < 16 {
		roles[pgtest.Role(t, "CREATEROLE")] = "CREATEROLE"
	}
	report := f.install(InstallOptions{})
	for _, trusted := range report.Trusted {
		if why, ok := roles[trusted.Role]; ok && strings.Contains(trusted.Why, why) {
			delete(roles, trusted.Role)
		}
	}
	if len(roles) > 0 {
		t.Errorf("the report does not name %v: %+v", roles, report.Trusted)
	}
}
