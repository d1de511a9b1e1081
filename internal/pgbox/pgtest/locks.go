package pgtest

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// Locks returns the relation locks of the backend pid in the database of conn, sorted, as "accounts ShareLock". Outside
// of schema public the name is qualified; a lock not yet granted ends in " (waiting)"; a relation that its own
// transaction has not committed is "(uncommitted)" for other sessions. Catalogs and TOAST tables are left out.
func Locks(t testing.TB, conn *pgx.Conn, pid uint32) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `
		SELECT DISTINCT pg_catalog.format('%s %s%s',
			CASE WHEN c.oid IS NULL THEN '(uncommitted)'
			     WHEN n.nspname OPERATOR(pg_catalog.=) 'public' THEN c.relname::pg_catalog.text
			     ELSE pg_catalog.format('%s.%s', n.nspname, c.relname) END,
			l.mode, CASE WHEN l.granted THEN '' ELSE ' (waiting)' END) AS lock
		FROM pg_catalog.pg_locks l
		LEFT JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) l.relation
		LEFT JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
		WHERE l.pid OPERATOR(pg_catalog.=) $1::pg_catalog.int4
		AND l.locktype OPERATOR(pg_catalog.=) 'relation'
		AND l.database OPERATOR(pg_catalog.=) (
			SELECT oid FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
		AND (n.nspname IS NULL
			OR n.nspname OPERATOR(pg_catalog.<>) ALL (ARRAY['pg_catalog', 'information_schema', 'pg_toast']::pg_catalog.name[]))
		ORDER BY lock`, pid)
	if err != nil {
		t.Fatalf("cannot read the locks of %d: %v", pid, err)
	}
	locks, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("cannot read the locks of %d: %v", pid, err)
	}
	return locks
}
