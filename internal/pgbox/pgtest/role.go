package pgtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Role makes a role with the attributes of CREATE ROLE, for example "LOGIN PASSWORD 'x'", and returns its name. When
// the test ends it is dropped with all that it owns and may do; its sessions are ended.
func Role(t testing.TB, attributes string) string {
	t.Helper()
	name := uniqueName(t)
	if err := execAt(t.Context(), admin(t, "postgres"), "CREATE ROLE "+pgx.Identifier{name}.Sanitize()+" "+attributes); err != nil {
		t.Fatalf("cannot make a role: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := dropRole(ctx, name, func(database string) string { return admin(t, database) }); err != nil {
			t.Errorf("cannot drop the test's role: %v", err)
		}
	})
	return name
}

// dropRole first frees the role from everything that would keep it, in every database where there is such a thing.
func dropRole(ctx context.Context, name string, dsn func(database string) string) error {
	conn, err := pgx.Connect(ctx, dsn("postgres"))
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if _, err := conn.Exec(ctx, `
		SELECT pg_catalog.pg_terminate_backend(pid)
		FROM pg_catalog.pg_stat_activity
		WHERE usename OPERATOR(pg_catalog.=) $1`, name); err != nil {
		return err
	}
	rows, err := conn.Query(ctx, `
		SELECT DISTINCT COALESCE(d.datname, 'postgres')
		FROM pg_catalog.pg_shdepend s LEFT JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.dbid
		WHERE s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
		AND s.refobjid OPERATOR(pg_catalog.=) (SELECT oid FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) $1)`, name)
	if err != nil {
		return err
	}
	databases, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	identifier := pgx.Identifier{name}.Sanitize()
	for _, database := range databases {
		sql := "REASSIGN OWNED BY " + identifier + " TO CURRENT_USER; DROP OWNED BY " + identifier + " CASCADE"
		if err := execAt(ctx, dsn(database), sql); err != nil {
			return fmt.Errorf("in database %s: %w", database, err)
		}
	}
	_, err = conn.Exec(ctx, "DROP ROLE "+identifier)
	return err
}
