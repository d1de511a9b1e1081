package proxy

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/revisions"
)

// A login that owns nothing can have only so much written into the ledger, whatever it sends and on however many connections. What it does to a table is there
// all the same, and so is what others do.
func TestLoginCannotFloodTheLedger(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	const most = 20
	w.server.following.Load().quota.most = most
	watched := w.watched(t)
	mallory := pgtest.Role(t, "LOGIN")
	direct := pgtest.Connect(t, w.dsn)
	execSQL(t, direct, "CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE hers (id int PRIMARY KEY); ALTER TABLE hers OWNER TO "+mallory)
	rows := func(login, condition string) string {
		t.Helper()
		var n, text string
		if err := direct.QueryRow(t.Context(), "SELECT count(*)::text, coalesce(string_agg(asked || ': ' || outcome || '; ', '' ORDER BY id), '') FROM pgsluice.statements WHERE login = $1 AND "+condition,
			login).Scan(&n, &text); err != nil {
			t.Fatal(err)
		}
		return n + " " + text
	}

	cheap := []string{
		"DO $$ BEGIN END $$", "DROP TABLE IF EXISTS nothing", "ALTER TABLE IF EXISTS nothing ADD COLUMN a int", "ALTER TABLE users ADD COLUMN a int", "DROP TABLE users",
		"CREATE TABLE pg_catalog.nothing (id int)", "CREATE TEMP TABLE mine (at timestamptz DEFAULT now())", "CREATE TEMP VIEW seen AS SELECT FROM mine",
		"CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "COMMENT ON TABLE mine IS 'x'", "ALTER TABLE mine ADD COLUMN a int",
		"CREATE TEMP TABLE chosen AS SELECT FROM mine", "DROP TABLE chosen", "DROP TABLE mine CASCADE", "VACUUM users", "SET search_path = PG_TEMP; CREATE TABLE mine (id int); DROP TABLE mine", "RESET search_path", "ALTER ROLE CURRENT_USER SET work_mem = '4MB'", "nonsense; DROP TABLE users",
	}
	sent := 0
	for _, name := range []string{"a", "b", "c"} {
		conn := w.open(t, name, map[string]string{"user": mallory})
		_ = execWire(conn, "SELECT 1 FROM pg_temp.alembic_version") // as if it were a migration tool
		for range 5 {
			for _, sql := range cheap {
				_ = execWire(conn, sql)
				_ = conn.ExecParams(t.Context(), sql, nil, nil, nil, nil).Read().Err
				sent += 2
			}
		}
		if err := execWire(conn, "SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
	if got := rows(mallory, "true"); !strings.HasPrefix(got, strconv.Itoa(most+1)+" ") {
		t.Errorf("of %d statements the ledger has %s", sent, got)
	}
	var counted string
	if err := direct.QueryRow(t.Context(), "SELECT error FROM pgsluice.statements WHERE login = $1 AND asked = $2", mallory, leftOut).Scan(&counted); err != nil || !strings.HasPrefix(counted, "256 or more since ") {
		t.Errorf("they are counted as %q, %v", counted, err)
	}
	w.mu.Lock()
	told := strings.Count(w.trail.String(), `"kind":"result"`) + strings.Count(w.trail.String(), `"kind":"decision"`)
	w.mu.Unlock()
	if told < 256+most {
		t.Errorf("the trail tells of %d", told)
	}

	conn := w.conns["a"]
	for _, sql := range []string{
		"RESET search_path", "ALTER TABLE hers ADD COLUMN a int", "BEGIN", "ALTER TABLE hers ADD COLUMN b int", "COMMIT", "BEGIN; ALTER TABLE hers ADD COLUMN c int; ROLLBACK", "DROP TABLE hers",
	} {
		if err := execWire(conn, sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	const changed = "4 ALTER TABLE hers ADD COLUMN a int: committed; ALTER TABLE hers ADD COLUMN b int: committed; ALTER TABLE hers ADD COLUMN c int: rolled back; DROP TABLE hers: committed; "
	w.hangUp(t, []string{"a"})
	if got := rows(mallory, "asked LIKE '%hers%'"); got != changed {
		t.Errorf("what changed a table: got %s", got)
	}
	// It is written down when it has run, and yet not out of band.
	if got := changesOf(t, watched, revisions.ChangeFilter{Login: mallory}); len(got) != 0 {
		t.Errorf("out of band: %+v", got)
	}
	if err := execWire(w.conn(t, "other"), "DO $$ BEGIN END $$"); err != nil {
		t.Fatal(err)
	}
	if got := rows("postgres", "true"); got != "1 DO '…': committed; " {
		t.Errorf("what another login does: got %s", got)
	}

	// Another hour has its own.
	w.passed.Add(int64(time.Hour))
	_ = execWire(w.conns["b"], "ALTER TABLE nowhere ADD COLUMN a int")
	if got := rows(mallory, "asked LIKE '%nowhere%'"); got != "1 ALTER TABLE nowhere ADD COLUMN a int: failed; " {
		t.Errorf("an hour later: got %s", got)
	}
	if err := w.server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A login that may write to a version table, and to nothing else, can tell of so many revisions and no more, however many rows its statements name; what runs
// while it says that a revision is running counts as anything else does. What others tell is there.
func TestLoginCannotFloodRevisions(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	const most = 20
	w.server.following.Load().quota.most = most
	mallory := pgtest.Role(t, "LOGIN")
	direct := pgtest.Connect(t, w.dsn)
	execSQL(t, direct, `CREATE TABLE hers (id int PRIMARY KEY); ALTER TABLE hers OWNER TO `+mallory+`;
		CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY); CREATE TABLE gorp_migrations (id text, applied_at timestamptz);
		CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
		INSERT INTO alembic_version VALUES ('0'); GRANT ALL ON alembic_version, gorp_migrations, schema_migrations TO `+mallory)
	count := func(sql string, arguments ...any) (n int) {
		t.Helper()
		if err := direct.QueryRow(t.Context(), sql, arguments...).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}

	conn := w.open(t, "a", map[string]string{"user": mallory})
	execAll(t, conn, "INSERT INTO schema_migrations (version, dirty) VALUES (1, true)")
	for range most {
		execAll(t, conn, "DO $$ BEGIN END $$; DO $$ BEGIN END $$")
	}
	for i := range most {
		version := strconv.Itoa(i)
		for _, sql := range []string{
			"UPDATE alembic_version SET version_num = '" + version + "x'", "INSERT INTO gorp_migrations (id) VALUES ('" + version + "'), ('b'), ('c')",
			"BEGIN; DELETE FROM alembic_version; ROLLBACK", "DO $$ BEGIN INSERT INTO gorp_migrations (id) VALUES ('" + version + "y'); END $$",
		} {
			if err := execWire(conn, sql); err != nil {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
	if n := count("SELECT count(*) FROM pgsluice.revisions WHERE login = $1", mallory); n == 0 || n > most {
		t.Errorf("the ledger has %d revisions", n)
	}
	if n := count("SELECT count(*) FROM pgsluice.statements WHERE login = $1", mallory); n > 2*most+2 {
		t.Errorf("the ledger has %d statements", n)
	}
	for _, what := range []string{leftOut, leftOutRevisions} {
		if n := count("SELECT count(*) FROM pgsluice.statements WHERE login = $1 AND asked = $2 AND error ~ '^[1-9]\\d* or more since '", mallory, what); n != 1 {
			t.Errorf("%s: %d rows", what, n)
		}
	}

	// A table of hers that she changes is a statement, and one revision tells of it.
	told := count("SELECT count(*) FROM pgsluice.revisions WHERE login = $1", mallory)
	for _, sql := range []string{
		"ALTER TABLE hers ADD COLUMN a int", "DELETE FROM alembic_version", "INSERT INTO alembic_version VALUES ('its')", "DELETE FROM alembic_version",
		"INSERT INTO gorp_migrations (id) VALUES ('more'), ('than one')", "INSERT INTO gorp_migrations (id) VALUES ('none')",
		"ALTER TABLE hers ADD COLUMN b int", "INSERT INTO gorp_migrations (id) VALUES ('hers')", "INSERT INTO gorp_migrations (id) VALUES ('none')",
	} {
		execAll(t, conn, sql)
	}
	if n := count("SELECT count(*) FROM pgsluice.revisions WHERE login = $1", mallory) - told; n != 2 {
		t.Errorf("of two statements the ledger has %d revisions", n)
	}

	other := w.conn(t, "other")
	execAll(t, other, "CREATE TABLE t (id int PRIMARY KEY)")
	execAll(t, other, "INSERT INTO gorp_migrations (id) VALUES ('theirs')")
	w.passed.Add(int64(time.Hour))
	execAll(t, conn, "INSERT INTO gorp_migrations (id) VALUES ('later')")
	for _, revision := range []string{"theirs", "later"} {
		if n := count("SELECT count(*) FROM pgsluice.revisions WHERE revision = $1", revision); n != 1 {
			t.Errorf("%s: the ledger has it %d times", revision, n)
		}
	}
}
