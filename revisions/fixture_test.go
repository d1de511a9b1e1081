package revisions

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// fixture is a database with the ledger in it.
type fixture struct {
	t        testing.TB
	database string
	admin    session // superuser
	proxy    string  // the control role, no superuser
	control  session // logged in as it
	ledger   *Ledger // on control
	alice    string  // an ordinary login, which may make schemas of its own
}

// withLedger makes a database, installs the ledger, and opens it as a control role that is no superuser.
func withLedger(t testing.TB) *fixture {
	t.Helper()
	f := withoutLedger(t)
	f.install(InstallOptions{ControlRole: f.proxy})
	f.control = f.as(f.proxy)
	f.ledger = f.open(f.control)
	return f
}

// withoutLedger makes a database and the roles, and no more.
func withoutLedger(t testing.TB) *fixture {
	t.Helper()
	dsn := pgtest.Database(t)
	f := &fixture{t: t, database: databaseOf(t, dsn), admin: connect(t, dsn)}
	f.proxy = pgtest.Role(t, "LOGIN")
	f.alice = pgtest.Role(t, "LOGIN")
	f.admin.run(
		"GRANT CREATE ON DATABASE "+f.database+" TO "+f.alice,
		"CREATE SCHEMA app AUTHORIZATION "+f.alice,
		// From another backend of hers the claims must not depend on her.
		"GRANT pg_read_all_stats TO "+f.proxy)
	return f
}

func databaseOf(t testing.TB, dsn string) string {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return config.Database
}

// as logs in to the fixture's database.
func (f *fixture) as(login string) session {
	f.t.Helper()
	return connect(f.t, pgtest.Server(f.t).DSN(login, f.database))
}

func (f *fixture) install(opts InstallOptions) Report {
	f.t.Helper()
	report, err := Install(f.t.Context(), f.admin, opts)
	if err != nil {
		f.t.Fatal(err)
	}
	return report
}

func (f *fixture) open(control session) *Ledger {
	f.t.Helper()
	ledger, err := Open(f.t.Context(), control)
	if err != nil {
		f.t.Fatal(err)
	}
	return ledger
}

var somePromise = Promise{
	Kind: "index-not-concurrent", Tag: "CREATE INDEX", Table: 16400,
	Asked:       `CREATE INDEX "größe_𝄞" ON app.t (c) WHERE d = 'a\b'`,
	Steps:       []byte(`[{"sql":"CREATE INDEX CONCURRENTLY \u2026","n":12345678901234567890}]`),
	Environment: []byte(`{"search_path":"app"}`),
}

// record records a promise that must be accepted.
func (f *fixture) record(client session) int64 {
	f.t.Helper()
	id, err := Record(f.t.Context(), client, f.ledger.Key(), somePromise)
	if err != nil {
		f.t.Fatal(err)
	}
	return id
}

// promise commits one promise of alice's and returns its id and who she is for the ledger.
func (f *fixture) promise(client session) (int64, Runner) {
	f.t.Helper()
	client.run("BEGIN")
	nonce, err := NewNonce(f.t.Context(), client)
	if err != nil {
		f.t.Fatal(err)
	}
	id := f.record(client)
	client.run("COMMIT")
	return id, Runner{Name: "owner", PID: nonce.PID, BackendStart: nonce.BackendStart}
}

// runner is a runner that works on a session's backend.
func (f *fixture) runner(name string, s session) Runner {
	f.t.Helper()
	nonce, err := NewNonce(f.t.Context(), s)
	if err != nil {
		f.t.Fatal(err)
	}
	return Runner{Name: name, PID: nonce.PID, BackendStart: nonce.BackendStart}
}

// end ends a session and waits until the server has seen it.
func (f *fixture) end(s session) {
	f.t.Helper()
	pid := s.PgConn().PID()
	if err := s.Close(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	pgtest.WaitFor(f.t, f.admin.Conn, "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", int(pid))
}

// show reads one promise.
func (f *fixture) show(id int64) PromiseRow {
	f.t.Helper()
	row, err := f.ledger.Show(f.t.Context(), id)
	if err != nil || row == nil {
		f.t.Fatalf("promise %d: %v, %v", id, row, err)
	}
	return *row
}

// want fails the test unless err is what it should be; nil means no error.
func want(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("got error %v, want %v", got, want)
	}
}

// wantState fails the test unless err is an error of the server with the SQLSTATE.
func wantState(t testing.TB, got error, state string) {
	t.Helper()
	if sqlState(got) != state {
		t.Fatalf("got error %v, want SQLSTATE %s", got, state)
	}
}
