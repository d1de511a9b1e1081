package ddl

import (
	"slices"
	"testing"
)

// An EXECUTE says what it runs, and whether its arguments are values as they stand.
func TestReadExecute(t *testing.T) {
	for _, c := range []struct {
		sql, name string
		args      []string
		constant  bool
	}{
		{"EXECUTE p", "p", nil, true},
		{`EXECUTE "P q" (1, 'a, b', NULL)`, "P q", []string{"1", "'a, b'", "NULL"}, true},
		{"EXECUTE p ('1'::int, CAST('x' AS text), ARRAY[1, 2], current_date, -5)", "p", []string{"'1'::int", "CAST('x' AS text)", "ARRAY[1, 2]", "current_date", "-5"}, true},
		{"EXECUTE p (now(), f(1, 2))", "p", []string{"now()", "f(1, 2)"}, false},
		{"EXECUTE p (1 + 1)", "p", []string{"1 + 1"}, false},
		{"EXECUTE p (ARRAY[random()])", "p", []string{"ARRAY[random()]"}, false},
		{"EXECUTE p (/* one */ 1)", "p", []string{"1"}, true},
	} {
		statements, err := Parse(c.sql)
		if err != nil {
			t.Fatal(err)
		}
		e, ok := ReadExecute(statements[0])
		if !ok || e.Name != c.name || !slices.Equal(e.Args, c.args) || e.Constant != c.constant {
			t.Errorf("%s: %+v, %t", c.sql, e, ok)
		}
	}
	if _, ok := ReadExecute(Statement{Text: "SELECT 1", Tag: "SELECT"}); ok {
		t.Error("a SELECT is an EXECUTE")
	}
}

// What a text prepares under a name is the last that it prepares so.
func TestPreparedAs(t *testing.T) {
	text := "SELECT 1; PREPARE p (int) AS UPDATE t SET a = $1; PREPARE q AS DELETE FROM t; PREPARE p AS /* all */ DELETE FROM u WHERE a = $1"
	for name, want := range map[string]string{"p": "DELETE FROM u WHERE a = $1", "q": "DELETE FROM t", "r": ""} {
		if s, ok := PreparedAs(text, name); s.Text != want || ok != (want != "") {
			t.Errorf("%s: %q, %t", name, s.Text, ok)
		}
	}
	if _, ok := PreparedAs("PREPARE p AS", "p"); ok {
		t.Error("what does not parse prepares something")
	}
}
