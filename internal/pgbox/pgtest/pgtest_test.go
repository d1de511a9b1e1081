package pgtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestDatabaseIsDroppedWithItsSessions(t *testing.T) {
	var dsn string
	t.Run("make", func(t *testing.T) {
		dsn = pgtest.Database(t)
		// Not through pgtest.Connect, whose cleanup would come first.
		if _, err := connect(t, dsn).Exec(t.Context(), "CREATE TABLE kept_open ()"); err != nil {
			t.Fatal(err)
		}
	})
	name := dsn[strings.LastIndexByte(dsn, '/')+1 : strings.IndexByte(dsn, '?')]
	admin := pgtest.Connect(t, pgtest.Server(t).DSN("postgres", "postgres"))
	pgtest.WaitFor(t, admin, "SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name)
}

func TestRoleIsDroppedWithAllItHas(t *testing.T) {
	dsn := pgtest.Database(t)
	admin := pgtest.Connect(t, dsn)
	var role string
	t.Run("make", func(t *testing.T) {
		role = pgtest.Role(t, "LOGIN CREATEDB")
		for _, sql := range []string{
			"CREATE TABLE granted (id int)",
			"GRANT SELECT ON granted TO " + role,
			"GRANT CREATE ON SCHEMA public TO " + role,
			"ALTER DATABASE " + admin.Config().Database + " OWNER TO " + role,
			"CREATE TABLE owned (id int)",
			"ALTER TABLE owned OWNER TO " + role,
		} {
			if _, err := admin.Exec(t.Context(), sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
		session := connect(t, pgtest.Server(t).DSN(role, admin.Config().Database))
		if _, err := session.Exec(t.Context(), "BEGIN; LOCK TABLE owned IN ACCESS EXCLUSIVE MODE"); err != nil {
			t.Fatal(err)
		}
	})
	pgtest.WaitFor(t, admin, "SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role)
}

func TestDumpShowsTheSchemaAndNothingElse(t *testing.T) {
	one, two := pgtest.Database(t), pgtest.Database(t)
	conn := pgtest.Connect(t, one)
	empty := pgtest.Dump(t, one)
	if other := pgtest.Dump(t, two); empty != other {
		t.Fatalf("two empty databases differ:\n%s\n%s", empty, other)
	}
	if _, err := conn.Exec(t.Context(), "CREATE SCHEMA pgsluice; CREATE TABLE pgsluice.promises (id int)"); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Dump(t, one); got != empty {
		t.Fatalf("the ledger shows:\n%s", got)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE accounts (id int)"); err != nil {
		t.Fatal(err)
	}
	if got := pgtest.Dump(t, one); !strings.Contains(got, "CREATE TABLE public.accounts (\n    id integer\n);") {
		t.Fatalf("the table is missing:\n%s", got)
	}
}

func TestLocks(t *testing.T) {
	dsn := pgtest.Database(t)
	owner, other, watcher := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	if _, err := owner.Exec(t.Context(), `
		CREATE TABLE accounts (id int PRIMARY KEY, note text);
		CREATE SCHEMA billing; CREATE TABLE billing.invoices (id int)`); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Exec(t.Context(), `
		BEGIN; LOCK TABLE accounts IN SHARE MODE; SELECT FROM billing.invoices;
		CREATE TABLE fresh (id int)`); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := other.Exec(t.Context(), "BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE MODE; COMMIT")
		waiting <- err
	}()
	pgtest.WaitFor(t, watcher, "SELECT count(*) = 1 FROM pg_locks WHERE pid = $1 AND NOT granted", other.PgConn().PID())

	want := []string{"(uncommitted) AccessExclusiveLock", "accounts ShareLock", "billing.invoices AccessShareLock"}
	if got := pgtest.Locks(t, watcher, owner.PgConn().PID()); !slices.Equal(got, want) {
		t.Errorf("the owner holds %q, want %q", got, want)
	}
	want = []string{"accounts AccessExclusiveLock (waiting)"}
	if got := pgtest.Locks(t, watcher, other.PgConn().PID()); !slices.Equal(got, want) {
		t.Errorf("the other waits for %q, want %q", got, want)
	}
	if _, err := owner.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
}

// connect opens a connection that nobody closes: the test is about what becomes of it.
func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
