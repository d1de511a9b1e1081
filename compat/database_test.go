package compat

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// database is a database of a test's, with the ways to it.
type database struct {
	admin  *pgx.Conn // the superuser's, to prepare and check it
	direct string    // the DSN of its owner, straight to the server
	tools  string    // the DSN of its owner, as the migration tool is given it
	ledger bool      // the ledger of pgsluice is installed
}

// newDatabase makes a database that belongs to owner.
func newDatabase(t *testing.T, owner string) *database {
	t.Helper()
	admin := pgtest.Connect(t, pgtest.Database(t))
	name := admin.Config().Database
	direct := pgtest.Server(t).DSN(owner, name)
	db := &database{admin: admin, direct: direct, tools: direct}
	db.exec(t, fmt.Sprintf("ALTER DATABASE %s OWNER TO %s", pgx.Identifier{name}.Sanitize(), pgx.Identifier{owner}.Sanitize()))
	return db
}

// users is how many people have ordered.
const users = 20_000

// fill gives the tables of the first migration their rows; each order has a number of its own, but shares its batch.
func (db *database) fill(t *testing.T, orders int) {
	t.Helper()
	db.exec(t, fmt.Sprintf("INSERT INTO users (email) SELECT 'user' || i || '@example.org' FROM generate_series(1, %d) AS i", users))
	db.exec(t, fmt.Sprintf(`INSERT INTO orders (user_id, number, batch, status, amount)
		SELECT 1 + i %% %d, md5(i::text), i / 2, CASE i %% 3 WHEN 0 THEN 'new' WHEN 1 THEN 'paid' ELSE 'sent' END, i %% 1000
		FROM generate_series(1, %d) AS i`, users, orders))
	db.exec(t, "VACUUM ANALYZE users, orders")
}

func (db *database) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := db.admin.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// rows are the rows of a table as text, sorted.
func (db *database) rows(t *testing.T, table string) []string {
	t.Helper()
	return db.query(t, "SELECT r::text FROM "+table+" AS r ORDER BY 1")
}

// query returns the one column of a query.
func (db *database) query(t *testing.T, sql string) []string {
	t.Helper()
	found, err := db.admin.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	values, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return values
}

// checkFinished reports what is half done in the database, or was left there by the proxy, and what pgsluice jobs has to say of it.
func (db *database) checkFinished(t *testing.T) {
	t.Helper()
	db.checkLeftovers(t)
	if db.ledger {
		db.pgsluice(t, "jobs", "list").succeeded(t, "pgsluice jobs list")
	}
}

// checkLeftovers reports what is half done in the database, or was left there by the proxy.
func (db *database) checkLeftovers(t *testing.T) {
	t.Helper()
	for _, left := range db.query(t, `
		SELECT 'invalid index ' || indexrelid::regclass FROM pg_index WHERE NOT indisvalid OR NOT indisready
		UNION ALL SELECT 'constraint not validated: ' || conname FROM pg_constraint WHERE NOT convalidated
		UNION ALL SELECT 'made by pgsluice: ' || oid::regclass FROM pg_class
			WHERE relname LIKE '%pgsluice%' AND relnamespace IS DISTINCT FROM to_regnamespace('pgsluice')
		UNION ALL SELECT 'made by pgsluice: ' || conname FROM pg_constraint WHERE conname LIKE '%pgsluice%'`) {
		t.Error(left)
	}
	if db.ledger {
		if left := db.rows(t, "pgsluice.artifacts"); len(left) > 0 {
			t.Errorf("the ledger lists objects of pgsluice's own: %q", left)
		}
	}
}

// checkDeferred reports when no statement was deferred: then the test has not shown what it is for.
func (db *database) checkDeferred(t *testing.T) {
	t.Helper()
	if done := db.query(t, "SELECT id::text FROM pgsluice.promises WHERE state = 'done'"); len(done) == 0 {
		t.Error("nothing was deferred")
	}
}

// checkSame reports a difference between two databases, which the same tool has migrated.
func (db *database) checkSame(t *testing.T, expected *database, tool tool) {
	t.Helper()
	compare(t, expected.look(t, tool), db.look(t, tool))
}

// look is what a chapter finds at its end.
func (db *database) look(t *testing.T, tool tool) chapter {
	t.Helper()
	return chapter{name: "at the end", versions: db.rows(t, tool.versions), schema: pgtest.Dump(t, db.direct)}
}
