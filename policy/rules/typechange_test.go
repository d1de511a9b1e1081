package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/policy/rules"
)

// TestTypeChanges runs changes of types on a real table, sees what the server does (the files of the table and of its indexes, and what it says at
// DEBUG1), and holds what the rule expects against it. The cases tell what was seen.
//
//	setup     runs SQL
//	matrix    one change a line, "old => new [USING …]", of column c of a table with indexes and a check; the argument major says from which on
//	change    the last line is an ALTER TABLE m ALTER c TYPE, the lines before make the table
//	swap      the same, but what the rule says to type instead is typed; tells how the table ends
//	added     one column definition a line, added to a table with a row: does the server write the rows, as column-filled-in-place expects?
func TestTypeChanges(t *testing.T) {
	config, err := pgx.ParseConfig(pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	watch := &observed{}
	config.OnNotice = watch.notice
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	watch.conn = conn
	datadriven.RunTest(t, "testdata/typechanges", func(t *testing.T, d *datadriven.TestData) string {
		major := 0
		d.MaybeScanArgs(t, "major", &major)
		if major > pgtest.Server(t).Version() {
			return d.Expected
		}
		switch d.Cmd {
		case "setup":
			exec(t, conn, d.Input)
			return ""
		case "added":
			var out strings.Builder
			for _, line := range strings.Split(d.Input, "\n") {
				fmt.Fprintf(&out, "%s: %s\n", line, watch.added(t, line))
			}
			return out.String()
		case "swap":
			lines := strings.Split(d.Input, "\n")
			return watch.swap(t, strings.Join(lines[:len(lines)-1], "\n"), lines[len(lines)-1])
		case "change":
			lines := strings.Split(d.Input, "\n")
			return watch.change(t, strings.Join(lines[:len(lines)-1], "\n"), lines[len(lines)-1]) + "\n"
		case "matrix":
			var out strings.Builder
			for _, line := range strings.Split(d.Input, "\n") {
				from, to, _ := strings.Cut(line, " => ")
				fmt.Fprintf(&out, "%s: %s\n", line, watch.change(t, standard(from), "ALTER TABLE m ALTER c TYPE "+to))
			}
			return out.String()
		}
		d.Fatalf(t, "unknown directive")
		return ""
	})
	for _, wrong := range watch.wrong {
		t.Error(wrong)
	}
}

// standard is a table with a column of the type, every kind of index on it, and a check. A type without an order has fewer.
func standard(columnType string) string {
	return fmt.Sprintf(`CREATE TABLE m (c %s, k int, CONSTRAINT m_check CHECK (c IS NOT NULL OR k > 0));
		CREATE INDEX m_predicate ON m (k) WHERE c IS NOT NULL; CREATE INDEX m_expression ON m ((c IS NULL));
		DO $$ BEGIN
			BEGIN CREATE INDEX m_plain ON m (c); EXCEPTION WHEN undefined_object THEN NULL; END;
			BEGIN CREATE INDEX m_hash ON m USING hash (c); EXCEPTION WHEN undefined_object THEN NULL; END;
			CREATE INDEX m_include ON m (k) INCLUDE (c);
		END $$`, columnType)
}

// observed is what the server did.
type observed struct {
	conn    *pgx.Conn
	checked bool
	foreign []string
	wrong   []string // what the rule expected otherwise
}

func (o *observed) notice(_ *pgconn.PgConn, n *pgconn.Notice) {
	switch {
	case strings.HasPrefix(n.Message, "verifying table"):
		o.checked = true
	case strings.HasPrefix(n.Message, "validating foreign key constraint"):
		o.foreign = append(o.foreign, strings.Trim(n.Message[len("validating foreign key constraint "):], `"`))
	}
}

// change runs a change on a fresh table, tells what it did, and fails the test where the rule expects something else.
func (o *observed) change(t *testing.T, setup, alter string) string {
	t.Helper()
	exec(t, o.conn, "DROP TABLE IF EXISTS m CASCADE; DROP TABLE IF EXISTS other CASCADE")
	exec(t, o.conn, setup)
	statements, err := ddl.Parse(alter)
	if err != nil {
		t.Fatalf("%s\n%v", alter, err)
	}
	known, err := facts.Read(t.Context(), querier{o.conn}, facts.For(statements[0]))
	if err != nil {
		t.Fatal(err)
	}
	expected := rules.ChangeOf(known, statements[0])

	before := o.files(t)
	o.checked, o.foreign = false, nil
	exec(t, o.conn, "SET client_min_messages = debug1")
	_, failed := o.conn.Exec(t.Context(), alter)
	exec(t, o.conn, "SET client_min_messages = warning")
	after := o.files(t)

	seen := rules.TypeChange{Impossible: failed != nil, Rewrites: before["m"] != after["m"]}
	for name := range after {
		if name != "m" && before[name] != after[name] && !seen.Rewrites {
			seen.Rebuilt = append(seen.Rebuilt, name)
		}
	}
	slices.Sort(seen.Rebuilt)
	seen.Validated = o.foreign
	if o.checked {
		seen.Checked = []string{"the checks"}
	}
	if len(expected.Checked) > 0 {
		expected.Checked = []string{"the checks"}
	}
	for _, change := range []*rules.TypeChange{&seen, &expected} {
		slices.Sort(change.Validated)
		if change.Rewrites {
			change.Checked = nil // whoever writes the rows checks them, too
		}
	}
	if failed != nil {
		seen = rules.TypeChange{Impossible: true}
	}
	if tell(expected) != tell(seen) {
		o.wrong = append(o.wrong, fmt.Sprintf("%s\n%s\nis expected to: %s\nand does:       %s (%v)", setup, alter, tell(expected), tell(seen), failed))
	}
	return tell(seen)
}

// added adds a column, tells whether the rows are written anew, and whether the rule expects it.
func (o *observed) added(t *testing.T, definition string) string {
	t.Helper()
	exec(t, o.conn, "DROP TABLE IF EXISTS m; CREATE TABLE m (a int); INSERT INTO m VALUES (1)")
	add := "ALTER TABLE m ADD COLUMN " + definition
	verdict, _ := o.judge(t, add)
	before := o.files(t)
	exec(t, o.conn, add)
	rewrites := before["m"] != o.files(t)["m"]
	found := slices.ContainsFunc(verdict.Findings, func(f policy.Finding) bool { return f.Rule == "column-filled-in-place" })
	if rewrites != found {
		o.wrong = append(o.wrong, fmt.Sprintf("%s\nis expected to rewrite: %t\nand does: %t", add, found, rewrites))
	}
	if rewrites {
		return "rewrites"
	}
	return "rows stay"
}

// judge is the verdict of all rules, every table with a row being large.
func (o *observed) judge(t *testing.T, sql string) (policy.Verdict, ddl.Statement) {
	t.Helper()
	statements, err := ddl.Parse(sql)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	known, err := facts.Read(t.Context(), querier{o.conn}, facts.For(statements[0]))
	if err != nil {
		t.Fatal(err)
	}
	set, err := policy.NewSet(rules.All(), policy.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	return set.Judge(statements[0], known, policy.Context{}), statements[0]
}

// swap types what the rule says, line by line, and tells the columns, the indexes and the constraints that are left.
func (o *observed) swap(t *testing.T, setup, alter string) string {
	t.Helper()
	exec(t, o.conn, "DROP TABLE IF EXISTS m CASCADE; "+setup)
	verdict, _ := o.judge(t, alter)
	for _, line := range strings.Split(verdict.Findings[0].Hint, "\n") {
		exec(t, o.conn, line)
	}
	rows, err := o.conn.Query(t.Context(), `
		SELECT concat(attname, ' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN ' not null' END, ' ' || pg_get_expr(adbin, adrelid))
		FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = 'm'::regclass AND attnum > 0 AND NOT attisdropped
		UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'm'::regclass
		UNION ALL SELECT concat(conname, ' ', pg_get_constraintdef(oid)) FROM pg_constraint WHERE conrelid = 'm'::regclass AND contype <> 'n'
		UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE tgrelid = 'm'::regclass
		UNION ALL SELECT 'row ' || m::text FROM m ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n") + "\n"
}

func tell(c rules.TypeChange) string {
	if c.Impossible {
		return "error"
	}
	told := []string{"rows stay"}
	if c.Rewrites {
		told[0] = "rewrites"
	}
	if len(c.Rebuilt) > 0 {
		told = append(told, "builds "+strings.Join(c.Rebuilt, " "))
	}
	if len(c.Checked) > 0 {
		told = append(told, "reads the rows")
	}
	if len(c.Validated) > 0 {
		told = append(told, "validates "+strings.Join(c.Validated, " "))
	}
	return strings.Join(told, ", ")
}

// files are the files of the table and of its indexes.
func (o *observed) files(t *testing.T) map[string]uint32 {
	t.Helper()
	rows, err := o.conn.Query(t.Context(), `SELECT c.relname::text, pg_relation_filenode(c.oid) FROM pg_class c
		WHERE c.oid = 'm'::regclass OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'm'::regclass)`)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]uint32{}
	var name string
	var file uint32
	if _, err := pgx.ForEachRow(rows, []any{&name, &file}, func() error { files[name] = file; return nil }); err != nil {
		t.Fatal(err)
	}
	return files
}
