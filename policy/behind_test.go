package policy_test

import (
	"testing"

	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

// What may follow deferred work in its transaction, and what could notice that the work is not done yet.
func TestBehind(t *testing.T) {
	users, orders := &facts.Relation{OID: 1, Schema: "public", Name: "users"}, &facts.Relation{OID: 2, Schema: "public", Name: "orders"}
	big, limited := &facts.Type{OID: 20}, &facts.Type{OID: 1043, Collation: 100}
	columns := []facts.Column{
		{Name: "id", TypeOID: 20, TypeMod: -1}, {Name: "n", TypeOID: 20, TypeMod: -1}, {Name: "code", TypeOID: 1043, TypeMod: 24, Collation: 100},
	}
	users.Columns = columns
	known := facts.Facts{Known: true, Types: map[string]*facts.Type{
		facts.TypeKey("pg_catalog", "int8", false): big, facts.TypeKey("pg_catalog", "varchar", false): limited,
	}, Collations: map[string]uint32{`"C"`: 950}, Relations: map[string]*facts.Relation{
		`"users"`: users, `"orders"`: orders, `"users_old"`: {OID: 3, Schema: "public", Name: "users_old", Kind: "i", Table: users}, `"users_email"`: nil,
		`"items"`: {OID: 4, Schema: "public", Name: "items", Columns: columns}, `"parts"`: {OID: 5, Schema: "public", Name: "parts"},
	}}
	promised := []policy.Promised{
		{Table: 1, Name: "users", Object: "users_email", Unique: true, Columns: []string{"email"}},
		{Table: 1, Name: "users", Object: "users_old", Drops: true, Unique: true},
		{Table: 4, Name: "items", Object: "items_pkey", Unique: true, Columns: []string{"id"}, NotNull: []string{"id", "n"}, Primary: true},
		{Table: 5, Name: "parts", Fills: []string{"c"}},
	}
	for _, c := range []struct {
		sql     string
		refused bool
	}{
		{"INSERT INTO versions VALUES (5)", false},
		{"SELECT * FROM users", false},
		{"ALTER TABLE orders DROP COLUMN a", false},
		{"ALTER TABLE users ADD COLUMN note text", false},
		{"ALTER TABLE users ADD CHECK (id > 0) NOT VALID", false},
		{"CREATE INDEX orders_a ON orders (a)", false},
		{"CREATE INDEX users_name ON users (name)", false},
		{"SAVEPOINT a", false},
		{"SET search_path = app", false},
		{"CREATE INDEX users_email ON users (name)", true},
		{"CREATE INDEX IF NOT EXISTS users_email ON users (email)", true},
		{"ALTER TABLE users DROP COLUMN email", true},
		{"ALTER TABLE users RENAME TO people", true},
		{"ALTER TABLE users ADD CONSTRAINT u UNIQUE USING INDEX users_email", true},
		{"DROP INDEX users_email", true},
		{"DROP FUNCTION f(int)", true},
		{"DO $$ BEGIN NULL; END $$", true},
		{"CALL p()", true},
		{"ALTER TABLE items ALTER id DROP NOT NULL", true},
		{"ALTER TABLE items ALTER a DROP NOT NULL", false},
		{"ALTER TABLE items ALTER a SET NOT NULL", false},
		{"ALTER TABLE items ALTER n SET DEFAULT 1", false},
		{"ALTER TABLE items ALTER n TYPE bigint", false},
		{"ALTER TABLE items ALTER n TYPE bigint USING n::bigint, ALTER n DROP DEFAULT", false},
		{"ALTER TABLE items ALTER code TYPE varchar(20)", false},
		{"ALTER TABLE items ALTER code TYPE varchar(21)", true},
		{"ALTER TABLE items ALTER code TYPE varchar", true},
		{"ALTER TABLE items ALTER code TYPE varchar(20) USING code::varchar", true},
		{`ALTER TABLE items ALTER code TYPE varchar(20) COLLATE "C"`, true},
		{"ALTER TABLE items ALTER n TYPE bigint USING n + 1", true},
		{"ALTER TABLE items ALTER n TYPE text", true},
		{"ALTER TABLE items ALTER m TYPE bigint", true},
		{"ALTER TABLE users ALTER n TYPE bigint", true}, // makes the index that is to go another one
		{"ALTER TABLE items ADD PRIMARY KEY (a)", true},
		{"ALTER TABLE items ADD CONSTRAINT items_pkey CHECK (a > 0)", true},
		{"ALTER TABLE items ADD UNIQUE (a)", false},
		{"CREATE TABLE items_pkey (a int)", true},
		{"CREATE TABLE items_1 PARTITION OF items DEFAULT", true},
		{"CREATE TABLE other PARTITION OF orders DEFAULT", false},
		{"UPDATE items SET a = 1", false},
		{"SELECT * FROM parts", true},
		{"SELECT * FROM items WHERE EXISTS (SELECT FROM parts)", true},
		{"INSERT INTO parts VALUES (1)", true},
		{"UPDATE parts SET c = 1", true},
		{"ALTER TABLE parts ALTER c DROP DEFAULT", true},
		{"ALTER TABLE parts ALTER c SET NOT NULL", true},
		{"ALTER TABLE parts ALTER d SET NOT NULL", false},
		{"ALTER TABLE parts ADD PRIMARY KEY (c)", true},
		{"ALTER TABLE parts ADD COLUMN d int", false},
		{"INSERT INTO users VALUES (1)", true}, // a duplicate that the dropped index would no longer refuse
	} {
		finding, refused := policy.Behind(parse(t, c.sql), known, promised, nil)
		if refused != c.refused {
			t.Errorf("%s: refused %t, want %t (%s)", c.sql, refused, c.refused, finding.Message)
		}
		if _, refused := policy.Behind(parse(t, c.sql), known, nil, nil); refused {
			t.Errorf("%s is refused behind nothing", c.sql)
		}
	}
	if _, refused := policy.Behind(parse(t, "SELECT f()"), known, promised, []string{"function f"}); !refused {
		t.Error("what cannot be seen through may follow")
	}
}

// Names that are promised in the transaction cannot be had again.
func TestWithPromisedNames(t *testing.T) {
	known := facts.Facts{Known: true, Relations: map[string]*facts.Relation{
		`"t"`: {OID: 1, Schema: "public", Name: "t", Taken: []string{"t_a_idx"}}, `"x"."t"`: {OID: 2, Schema: "x", Name: "t"},
	}}
	with := known.With("public", "t_a_idx1", 0, nil)
	stmt := parse(t, "CREATE INDEX ON t (a)")
	if name, err := facts.IndexName(stmt, with.Relations[`"t"`]); name != "t_a_idx2" || err != nil {
		t.Errorf("chose %s, %v", name, err)
	}
	if name, err := facts.IndexName(stmt, with.Relations[`"x"."t"`]); name != "t_a_idx" || err != nil {
		t.Errorf("in another schema chose %s, %v", name, err)
	}
	if name, err := facts.IndexName(stmt, known.Relations[`"t"`]); name != "t_a_idx1" || err != nil {
		t.Errorf("With changed what it was called on: %s, %v", name, err)
	}
}

// Behind a bulk write the transaction may speak of the migration tool's own table, and end.
func TestBehindBulkWrite(t *testing.T) {
	known := facts.Facts{Known: true, Relations: map[string]*facts.Relation{
		`"users"`: {OID: 1, Schema: "public", Name: "users"}, `"versions"`: {OID: 2, Schema: "public", Name: "versions", VersionTable: true}, `"new"`: nil,
	}}
	promised := []policy.Promised{{Table: 1, Name: "users", Rows: true}}
	for sql, refused := range map[string]bool{
		"COMMIT": false, "ROLLBACK": false, "SAVEPOINT a": false, "SET search_path = app": false, "SHOW search_path": false, "SELECT 1": false,
		"SELECT pg_advisory_unlock(1)":    false,
		"INSERT INTO versions VALUES (5)": false, "UPDATE versions SET v = 5": false, "SELECT * FROM versions": false, "LOCK TABLE versions": false,
		"SELECT * FROM users": true, "SELECT * FROM versions, users": true, "UPDATE users SET a = 1": true, "INSERT INTO users VALUES (1)": true,
		"INSERT INTO versions SELECT id FROM users": true, "DELETE FROM unheard_of": true, "LOCK TABLE users": true,
		"WITH d AS (DELETE FROM users RETURNING id) INSERT INTO versions SELECT id FROM d": true,
		"ALTER TABLE users ADD COLUMN b int":                                               true, "ALTER TABLE versions ADD COLUMN b int": true, "CREATE TABLE new (a int)": true, "DROP TABLE users": true,
		"CREATE INDEX i ON users (a)": true, "DO $$ BEGIN NULL; END $$": true, "CALL p()": true, "EXECUTE p": true, "FETCH 1 FROM c": true, "TRUNCATE users": true,
	} {
		if finding, got := policy.Behind(parse(t, sql), known, promised, nil); got != refused {
			t.Errorf("%s: refused %t, want %t (%s)", sql, got, refused, finding.Message)
		}
	}
	if _, refused := policy.Behind(parse(t, "SELECT f() FROM versions"), known, promised, []string{"function f"}); !refused {
		t.Error("what cannot be seen through may follow")
	}
}
