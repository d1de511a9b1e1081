package facts_test

import (
	_ "embed"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

//go:embed chosenname.sql
var unnamed string

// The names that we choose are those that the server chooses.
func TestChosenNames(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	exec(t, conn, `CREATE TYPE pair AS (x int, y int); CREATE SCHEMA app;
		CREATE TABLE parent (x int UNIQUE, y int, id int PRIMARY KEY, UNIQUE (x, y));
		CREATE TABLE t (a int, b text, c int, d date, j jsonb, r int[], p pair, a_column_with_a_name_that_has_exactly_sixty_three_bytes_0123456 int);
		CREATE TABLE "Odd Täble" ("Cölumn ☃" int);
		CREATE TABLE app.t (a int);
		CREATE TABLE a_table_with_a_name_that_has_exactly_sixty_three_bytes_0123456 (a int, a_column_with_a_name_that_has_exactly_sixty_three_bytes_0123456 int);
		CREATE TABLE "ééééééééééééééééééééééééééééééé" ("üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü" int);
		CREATE TABLE "xéééééééééééééééééééééééééééééé" ("xüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü" int)`)
	statements, err := ddl.Parse(unnamed)
	if err != nil {
		t.Fatal(err)
	}
	newest := `SELECT name FROM (
		SELECT oid, relname AS name FROM pg_class WHERE relkind = 'i' UNION ALL SELECT oid, conname FROM pg_constraint WHERE contype IN ('c', 'f', 'u', 'p')
		) o ORDER BY oid DESC LIMIT 1`
	for _, stmt := range statements {
		if grammarBefore15(stmt.Text) && pgtest.Server(t).Version() < 15 {
			continue
		}
		for range 2 {
			chosen := choose(t, stmt, read(t, conn, stmt.Text))
			exec(t, conn, stmt.Text)
			var server string
			if err := conn.QueryRow(t.Context(), newest).Scan(&server); err != nil {
				t.Fatal(err)
			}
			if chosen != server {
				t.Errorf("%s\nwe choose   %s\nthe server  %s", stmt.Text, chosen, server)
			}
		}
	}
}

// grammarBefore15 reports whether the grammars of 13 and 14 make another tree, and so another name, of the text.
func grammarBefore15(text string) bool {
	return strings.Contains(text, "extract(") || strings.Contains(text, "((true))")
}

func choose(t *testing.T, stmt ddl.Statement, known facts.Facts) string {
	t.Helper()
	var name string
	var err error
	switch action := stmt.Action.(type) {
	case ddl.CreateIndex:
		name, err = facts.IndexName(stmt, known.Relations[facts.Key(action.Table.Schema, action.Table.Name)])
	case ddl.AlterTable:
		name, err = facts.ConstraintName(stmt, 0, known.Relations[facts.Key(action.Table.Schema, action.Table.Name)], nil)
	}
	if err != nil {
		t.Fatalf("%s\n%v", stmt.Text, err)
	}
	return name
}

// When all the names are taken that the server would try first, somebody has to choose one.
func TestNoNameLeft(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	exec(t, conn, "CREATE TABLE t (a int)")
	for range 32 {
		exec(t, conn, "CREATE INDEX ON t (a)")
	}
	stmt, err := ddl.Reparse("CREATE INDEX ON t (a)")
	if err != nil {
		t.Fatal(err)
	}
	known := read(t, conn, stmt.Text)
	if name, err := facts.IndexName(stmt, known.Relations[`"t"`]); err != facts.ErrNoName {
		t.Errorf("chose %q, %v", name, err)
	}
}

// The name of a key may be neither a relation's nor a constraint's.
func TestKeyNames(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	exec(t, conn, `CREATE TABLE t (a int, b int, c int); CREATE TABLE t_a_key (x int); CREATE SEQUENCE t_pkey;
		CREATE TABLE other (x int CONSTRAINT t_b_key CHECK (x > 0))`)
	for sql, want := range map[string]string{
		"ALTER TABLE t ADD UNIQUE (a)":      "t_a_key1",
		"ALTER TABLE t ADD UNIQUE (b)":      "t_b_key1",
		"ALTER TABLE t ADD UNIQUE (c)":      "t_c_key",
		"ALTER TABLE t ADD PRIMARY KEY (a)": "t_pkey1",
	} {
		stmt, err := ddl.Reparse(sql)
		if err != nil {
			t.Fatal(err)
		}
		chosen := choose(t, stmt, read(t, conn, sql))
		exec(t, conn, sql)
		var server string
		if err := conn.QueryRow(t.Context(), "SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass AND contype IN ('u', 'p') ORDER BY oid DESC LIMIT 1").Scan(&server); err != nil {
			t.Fatal(err)
		}
		if chosen != want || server != want {
			t.Errorf("%s: we choose %s, the server %s, want %s", sql, chosen, server, want)
		}
	}
}
