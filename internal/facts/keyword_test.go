package facts_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// A type that the grammar has a word for is not asked about where a column of it is added, because the server has a base type by that name in pg_catalog; every
// other name is, whatever it looks like.
func TestColumnsOfKeywordsAreNotAskedAbout(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	for _, written := range []string{"int", "smallint", "bigint", "int[]", "real", "double precision", "float(3)", "numeric(9, 2)", "dec", "boolean", "bit(3)", "bit varying",
		"char(3)", "varchar(40)", "character varying", "timestamp", "timestamp with time zone", "time", "time with time zone", "interval"} {
		asked := typesAsked(t, "ALTER TABLE t ADD COLUMN c "+written)
		if len(asked) > 0 {
			t.Errorf("%s is asked about as %v", written, asked)
		}
		var base bool
		err := conn.QueryRow(t.Context(), `SELECT COALESCE(e.typtype, t.typtype) = 'b' AND n.nspname = 'pg_catalog'
			FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
			WHERE t.oid = pg_typeof(CAST(NULL AS `+written+`))`, pgx.QueryExecModeSimpleProtocol).Scan(&base)
		if err != nil || !base {
			t.Errorf("%s is no base type of the system: %v", written, err)
		}
	}
	for _, written := range []string{"text", "int4", "timestamptz", "money", "public.int4", `"char"`, "pg_catalog.lo", "json"} {
		if asked := typesAsked(t, "ALTER TABLE t ADD COLUMN c "+written); len(asked) == 0 {
			t.Errorf("%s is not asked about", written)
		}
	}
	if asked := typesAsked(t, "ALTER TABLE t ALTER COLUMN c TYPE bigint"); !slices.Contains(asked, "int8") {
		t.Errorf("the type that a column is changed to is not asked about: %v", asked)
	}
}

func typesAsked(t *testing.T, sql string) (asked []string) {
	t.Helper()
	statements, err := ddl.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range facts.For(statements[0]) {
		for _, typ := range wanted.Types {
			asked = append(asked, typ.Name.Name)
		}
	}
	return asked
}
