package run_test

import (
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/run"
)

// The server names the file that its own words come from, and a language that of a client's words.
func TestWhatRaiseSaysIsNotRecorded(t *testing.T) {
	p := newPlace(t, `
		CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL CHECK (n > 0));
		INSERT INTO t VALUES (1, 1);
		CREATE TABLE u (t int);
		CREATE TABLE v (t int REFERENCES t);
		INSERT INTO u VALUES (7), (7);
		CREATE FUNCTION f(state text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hunter2' USING ERRCODE = state; END $$`)
	conn := p.open("")
	if _, err := conn.Exec(t.Context(), "SET search_path = public"); err != nil {
		t.Fatal(err)
	}
	fails := func(code, sql string) (message string, recorded string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql)
		if run.SQLState(err) != code {
			t.Errorf("%s: %v, want %s", sql, err, code)
			return "", ""
		}
		return err.Error(), run.Recordable(err, err.Error())
	}
	for _, code := range []string{"23505", "23514", "42P01", "55P03", "40001", "57014", "PS001"} {
		if _, recorded := fails(code, "SELECT f('"+code+"')"); strings.Contains(recorded, "hunter2") || !strings.Contains(recorded, code) {
			t.Errorf("recorded is %s", recorded)
		}
	}

	p.exec(p.look, "BEGIN; LOCK TABLE u IN SHARE MODE")
	if _, err := conn.Exec(t.Context(), "SET lock_timeout = 1"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ code, sql string }{
		{"23505", "INSERT INTO t VALUES (1, 1)"},
		{"23502", "INSERT INTO t VALUES (2, NULL)"},
		{"23514", "INSERT INTO t VALUES (2, -1)"},
		{"23505", "CREATE UNIQUE INDEX ON u (t)"},
		{"23503", "INSERT INTO v VALUES (2)"},
		{"57014", "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(600)"},
		{"42703", "ALTER TABLE t DROP COLUMN nothing"},
		{"42P07", "CREATE TABLE t ()"},
		{"42P01", "TABLE nothing"},
		{"42710", "ALTER TABLE t ADD CONSTRAINT t_n_check CHECK (n > 1)"},
		{"55P03", "ALTER TABLE u ADD COLUMN n int"},
	} {
		if message, recorded := fails(c.code, c.sql); recorded != message {
			t.Errorf("%s: %s is recorded as %s", c.sql, message, recorded)
		}
	}
}
