package proxy

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// A login that owns nothing can have only so much written into the ledger, whatever it sends and on however many connections. What it does to a table is there
// all the same, and so is what others do.
func TestLoginCannotFloodTheLedger(t *testing.T) {
	t.Parallel()
	w := newStage(t, Enforce, true, false)
	const most = 20
	w.server.following.Load().quota.most = most
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
