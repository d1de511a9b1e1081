package ddl

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// The cases of testdata/judgement: what may be recorded of a text, what its comments allow, whether it is harmless unparsed or too long.
func TestJudgement(t *testing.T) {
	utf8, _ := NewEncoding("UTF8")
	datadriven.Walk(t, "testdata/judgement", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			switch d.Cmd {
			case "redact":
				statements, err := Parse(d.Input)
				if err != nil {
					return describeError(err)
				}
				for _, s := range statements {
					fmt.Fprintln(&out, Redact(s))
				}
			case "substance":
				statements, err := Parse(d.Input)
				if err != nil {
					return describeError(err)
				}
				for _, s := range statements {
					fmt.Fprintln(&out, Substance(s))
				}
			case "unparsed":
				fmt.Fprintln(&out, RedactUnparsed(d.Input, []byte("key")))
			case "allow":
				statements, err := Parse(d.Input)
				if d.HasArg("unparsed") {
					statements, err = []Statement{{Text: d.Input, Action: Unparsed{}}}, nil
				}
				if err != nil {
					return describeError(err)
				}
				for _, s := range statements {
					fmt.Fprintf(&out, "%s %q\n", s.Tag, Allow(s))
				}
			case "unsure":
				fmt.Fprintln(&out, Unsure(d.Input))
			case "inert":
				proof := NewInert(utf8)
				proof.Write([]byte(d.Input))
				fmt.Fprintln(&out, proof.Inert())
			default:
				t.Fatalf("%s: unknown directive %s", d.Pos, d.Cmd)
			}
			return out.String()
		})
	})
}

func TestRedactCutsAtAWholeCharacter(t *testing.T) {
	s, err := Reparse("CREATE TABLE t (a int CHECK (" + strings.Repeat("é", 3000) + " > 0))")
	if err != nil {
		t.Fatal(err)
	}
	record := Redact(s)
	if len(record) > maxRecorded+len("…") || !strings.HasSuffix(record, "é…") {
		t.Errorf("%d bytes, end %q", len(record), record[len(record)-8:])
	}
}

// Of rows the numbers are hidden, too; those of a schema are not.
func TestRedactHidesNumbersOfRows(t *testing.T) {
	for text, want := range map[string]string{
		"UPDATE t SET ssn = 123456789 WHERE card BETWEEN 4111 AND 0x1f": "UPDATE t SET ssn = … WHERE card BETWEEN … AND …",
		"SELECT f(1.5e3)":                    "SELECT f(…)",
		"CALL f(42)":                         "CALL f(…)",
		"EXPLAIN DELETE FROM t WHERE id = 7": "EXPLAIN DELETE FROM t WHERE id = …",
		"ALTER TABLE t ADD COLUMN price numeric(10, 2) DEFAULT 0.00":   "ALTER TABLE t ADD COLUMN price numeric(10, 2) DEFAULT 0.00",
		"CREATE INDEX/* why */i ON t (a) /* and */ WHERE a > 5 -- and": "CREATE INDEX i ON t (a) WHERE a > 5",
	} {
		statements, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if record := Redact(statements[0]); record != want {
			t.Errorf("%s is recorded as %s, want %s", text, record, want)
		}
	}
}

// No secret of any statement that holds one is in its record.
func TestRedactKeepsSecrets(t *testing.T) {
	const secret = "hunter2"
	for _, text := range []string{
		"ALTER ROLE r PASSWORD '%s'", "CREATE USER r WITH ENCRYPTED PASSWORD '%s' VALID UNTIL 'infinity'", "ALTER ROLE r PASSWORD $a$%s$a$",
		"ALTER ROLE r PASSWORD U&'!0068unter2' UESCAPE '!'", "ALTER ROLE r SET app.key TO %s", "ALTER ROLE ALL IN DATABASE d SET app.key = '%s'",
		"SET app.key = %s", "SET LOCAL app.key TO '%s'", `SET app.key TO "%s"`, "ALTER SYSTEM SET primary_conninfo = 'password=%s'",
		"ALTER DATABASE d SET app.key = %s", "CREATE SUBSCRIPTION s CONNECTION 'password=%s' PUBLICATION p", "ALTER SUBSCRIPTION s CONNECTION 'password=%s'",
		"CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (password '%s')", "ALTER SERVER s OPTIONS (SET password '%s')",
		"CREATE USER MAPPING FOR u SERVER s OPTIONS (password '%s')", "CREATE FOREIGN TABLE t (a int OPTIONS (key '%s')) SERVER s",
		"ALTER FOREIGN TABLE t OPTIONS (ADD password '%s')", "ALTER FOREIGN TABLE t ALTER a OPTIONS (SET key '%s')",
		"CREATE TRIGGER t AFTER INSERT ON t EXECUTE FUNCTION http('Bearer %s')", "DO $$ BEGIN PERFORM f('%s'); END $$",
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT %s'", "INSERT INTO t VALUES ('%s')", "UPDATE t SET a = E'%s'",
		"COMMENT ON TABLE t IS '%s'", "SELECT dblink('password=%s')", "CREATE VIEW v AS SELECT '%s'", "CREATE TABLE t AS SELECT '%s'",
		"SELECT 1 /* %s */", "ALTER ROLE r NOLOGIN -- %s\n", "COPY t FROM PROGRAM 'curl %s'", "NOTIFY c, '%s'", "PREPARE TRANSACTION '%s'",
		"CALL f('%s')", "SELECT B'1' 'x' /* %s */", "SECURITY LABEL ON TABLE t IS '%s'", "EXPLAIN SELECT '%s'", "EXECUTE p('%s')",
		"CREATE MATERIALIZED VIEW v AS SELECT '%s'", "CREATE POLICY p ON t USING (a = '%s')", "CREATE RULE r AS ON INSERT TO t DO NOTIFY \"x\", '%s'",
		"CREATE SCHEMA s CREATE VIEW v AS SELECT '%s'", "CREATE EVENT TRIGGER e ON ddl_command_end WHEN tag IN ('%s') EXECUTE FUNCTION f()",
		"CREATE FUNCTION f() RETURNS int LANGUAGE sql SET app.key = %s AS 'SELECT 1'", "ALTER FUNCTION f() SET app.key TO %s", "ALTER PROCEDURE f() SET app.key = \"%s\"",
		`ALTER TABLE t ALTER a SET DEFAULT '{"password": "%s"}'`, `ALTER TABLE t ALTER a SET DEFAULT E'{\"api_key\":\"%s\"}'`,
		"ALTER TABLE t ALTER a SET DEFAULT 'DB_PASSWORD=%s'", "ALTER TABLE t ALTER a SET DEFAULT 'clientSecret: %s'", "ALTER TABLE t ALTER a SET DEFAULT 'user=u pass=%s'",
		"ALTER TABLE t ALTER a SET DEFAULT 'ASIAABCDEFGHIJKLMNOP:%s'", "ALTER TABLE t ALTER a SET DEFAULT 'github_pat_%s'", "ALTER TABLE t ALTER a SET DEFAULT 'sk-abcdefghijklmnop%s'",
		"CREATE INDEX i ON t (a) /* %s */ WHERE a > 0", "ALTER TABLE t -- %s\n ADD COLUMN a int", "DROP/*%s*/TABLE t",
	} {
		text = strings.ReplaceAll(text, "%s", secret)
		statements, err := Parse(text)
		if err != nil {
			statements = []Statement{{Text: text, Action: Unparsed{}}}
		}
		for _, s := range statements {
			if record := Redact(s); strings.Contains(record, "unter2") {
				t.Errorf("%s is recorded as %s", text, record)
			}
		}
		if record := RedactUnparsed(text, []byte("key")); strings.Contains(record, "unter2") {
			t.Errorf("%s is recorded as %s", text, record)
		}
	}
}
