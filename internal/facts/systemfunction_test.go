package facts_test

import (
	"os"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// What is known of the system's functions without a server is what the server says of them, as far as it has them.
func TestSystemFunctions(t *testing.T) {
	list, err := os.ReadFile("systemfunctions.txt")
	if err != nil {
		t.Fatal(err)
	}
	conn := pgtest.Connect(t, pgtest.Database(t))
	rows, err := conn.Query(t.Context(), "SELECT proname::text, bool_or(provolatile = 'v') FROM pg_catalog.pg_proc"+
		" WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY ($1) GROUP BY 1", strings.Fields(string(list)))
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		var volatile bool
		if err := rows.Scan(&name, &volatile); err != nil {
			t.Fatal(err)
		}
		if name == "timezone" { // before 15 it is volatile for a time with time zone, which nobody writes a default with
			continue
		}
		if f, known := facts.SystemFunction(ddl.Name{Name: name}); !known || volatile && f.Volatile != "v" {
			t.Errorf("%s: volatile is %t, and known is %+v", name, volatile, f)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []ddl.Name{{Name: "mine"}, {Schema: "app", Name: "now"}} {
		if _, known := facts.SystemFunction(name); known {
			t.Errorf("%+v is known", name)
		}
	}
}
