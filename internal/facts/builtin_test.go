package facts

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// What the server is not asked about is so on every server.
func TestBuiltin(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	names := func(query string) map[uint32]string {
		rows, err := conn.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		found := map[uint32]string{}
		var oid uint32
		var name string
		if _, err := pgx.ForEachRow(rows, []any{&oid, &name}, func() error { found[oid] = name; return nil }); err != nil {
			t.Fatal(err)
		}
		return found
	}
	check := func(what string, known, found map[uint32]string) {
		for oid, name := range known {
			if found[oid] != name {
				t.Errorf("%s %d is %q, not %q", what, oid, found[oid], name)
			}
		}
	}
	check("access method", accessMethods, names("SELECT oid, amname FROM pg_am"))
	check("type", plainTypes, names("SELECT oid, typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace"))
	classes := map[uint32]string{}
	for _, oid := range plainClasses {
		classes[oid] = "a plain one"
	}
	check("operator class", classes, names(`SELECT o.oid, 'a plain one' FROM pg_opclass o JOIN pg_type y ON y.oid = o.opcintype
		WHERE o.opcmethod = 403 AND o.opcdefault AND o.opckeytype = 0 AND y.typtype = 'b' AND o.opcnamespace = 'pg_catalog'::regnamespace`))
}
