package facts_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
}

// A name that client_encoding cannot write must not fail the question, which would end the client's transaction.
func TestNamesInAnyEncoding(t *testing.T) {
	for _, c := range []struct{ database, table string }{
		{"UTF8", "表と☃"}, {"SQL_ASCII", "größe"}, {"LATIN1", "größe"}, {"EUC_JP", "表"},
	} {
		t.Run(c.database, func(t *testing.T) {
			dsn := pgtest.Database(t)
			name := "facts_" + strings.ToLower(c.database)
			admin := pgtest.Connect(t, dsn)
			exec(t, admin, fmt.Sprintf("CREATE DATABASE %s ENCODING '%s' LOCALE 'C' TEMPLATE template0", name, c.database))
			config := admin.Config().Copy()
			config.Database = name
			config.RuntimeParams["client_encoding"] = "UTF8"
			conn, err := pgx.ConnectConfig(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				conn.Close(t.Context())
				exec(t, admin, "DROP DATABASE "+name)
			}()
			exec(t, conn, fmt.Sprintf(`CREATE TABLE %s (%[1]s int)`, facts.QuoteIdent(c.table)))
			for _, client := range []string{"UTF8", "LATIN1", "EUC_JP", "SQL_ASCII"} {
				if _, err := conn.Exec(t.Context(), "SET client_encoding = '"+client+"'"); err != nil {
					continue // the server cannot convert between the two
				}
				known, err := facts.Read(t.Context(), querier{conn}, []facts.Wanted{{Name: ddl.Name{Name: c.table}}})
				if err != nil {
					t.Fatalf("client_encoding %s: %v", client, err)
				}
				if r := known.Relations[facts.Key("", c.table)]; r == nil || r.Name != c.table || r.Columns[0].Name != c.table {
					t.Errorf("client_encoding %s: table %s is read as %+v", client, c.table, r)
				}
			}
		})
	}
}

// Every setting that a plan saves, restores or carries is read, as the session has it.
func TestSettings(t *testing.T) {
	conn := pgtest.Connect(t, pgtest.Database(t))
	exec(t, conn, `SET lock_timeout = '7s'; SET DateStyle = 'German'; SET pgsluice.allow = 'x reason="y"'`)
	known := read(t, conn, "ALTER TABLE t ADD COLUMN a int")
	for name, want := range map[string]string{
		"lock_timeout": "7s", "DateStyle": "German, DMY", "pgsluice.allow": `x reason="y"`, "role": "none", "statement_timeout": "0",
		"idle_in_transaction_session_timeout": "0", "deadlock_timeout": "1s", "default_transaction_read_only": "off",
		"client_min_messages": "notice", "search_path": `"$user", public`,
	} {
		if got := known.Settings[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	for _, name := range facts.Environment() {
		if _, ok := known.Settings[name]; !ok {
			t.Errorf("setting %s of the environment is not read", name)
		}
	}
	if major := known.Version / 10000; major != pgtest.Server(t).Version() {
		t.Errorf("version is %d, want %d", major, pgtest.Server(t).Version())
	}
	if known.Standby || known.DatabaseOID == 0 || known.Database == "" {
		t.Errorf("standby %t, database %q with OID %d", known.Standby, known.Database, known.DatabaseOID)
	}
	if fmt.Sprint(known.Installed) != "[plpgsql]" || known.Standbys != 0 {
		t.Errorf("extensions %v, %d standbys", known.Installed, known.Standbys)
	}
	if _, ok := known.Settings["transaction_timeout"]; ok != (known.Version >= 170000) {
		t.Errorf("transaction_timeout known: %t on %d", ok, known.Version)
	}
}

// An unprivileged login gets its facts, and is told what it may not do.
func TestUnprivileged(t *testing.T) {
	dsn := pgtest.Database(t)
	admin := pgtest.Connect(t, dsn)
	login := pgtest.Role(t, "LOGIN PASSWORD 'secret'")
	exec(t, admin, "CREATE TABLE t (a int PRIMARY KEY, b text)")
	database := admin.Config().Database
	exec(t, admin, fmt.Sprintf("REVOKE TEMPORARY ON DATABASE %s FROM PUBLIC", pgx.Identifier{database}.Sanitize()))

	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = login, "secret"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	known := read(t, conn, "CREATE INDEX ON t (b)")
	if known.SessionUser != login || known.MayProbe {
		t.Errorf("login %q, may probe %t", known.SessionUser, known.MayProbe)
	}
	if r := known.Relations[`"t"`]; r == nil || r.MayAlter || r.Readable || r.Bytes < 0 || len(r.Indexes) != 1 {
		t.Errorf("table is %+v", r)
	}
}

// The tables of Citus and TimescaleDB carry triggers that call functions of the extension; their rows are elsewhere. The extension stands
// for theirs: plpgsql under another name.
func TestExtensionTables(t *testing.T) {
	for _, extension := range []string{"citus", "timescaledb"} {
		t.Run(extension, func(t *testing.T) {
			conn := pgtest.Connect(t, pgtest.Database(t))
			exec(t, conn, `CREATE FUNCTION blocker() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
				CREATE TABLE distributed (a int); CREATE TRIGGER b BEFORE INSERT ON distributed EXECUTE FUNCTION blocker();
				CREATE TABLE plain (a int)`)
			exec(t, conn, "SET allow_system_table_mods = on; UPDATE pg_extension SET extname = '"+extension+"' WHERE extname = 'plpgsql'")
			exec(t, conn, "ALTER EXTENSION "+extension+" ADD FUNCTION blocker()")
			known := read(t, conn, "TRUNCATE distributed, plain")
			if got := fmt.Sprint(known.Extensions); got != "["+extension+"]" {
				t.Errorf("extensions are %s", got)
			}
			if !known.Relations[`"distributed"`].Foreign || known.Relations[`"plain"`].Foreign {
				t.Errorf("distributed: %t, plain: %t", known.Relations[`"distributed"`].Foreign, known.Relations[`"plain"`].Foreign)
			}
		})
	}
}

// What is dropped or locked while the question runs must not fail it.
func TestReadNeverFails(t *testing.T) {
	dsn := pgtest.Database(t)
	conn, other := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			_, err := other.Exec(t.Context(), `
				DROP TABLE IF EXISTS p, t CASCADE;
				CREATE TABLE p (a int PRIMARY KEY);
				CREATE TABLE t (a int REFERENCES p, b text CHECK (b > ''), UNIQUE (a, b)) PARTITION BY LIST (a);
				CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
				CREATE INDEX ON t ((b || 'x')) WHERE a > 0`)
			if err != nil {
				ended <- err
				return
			}
		}
	}()
	for range 100 {
		read(t, conn, "ALTER TABLE t ADD COLUMN c int")
		read(t, conn, "CREATE INDEX ON t (a)")
		read(t, conn, "DROP INDEX t_a_b_key, t_expr_idx")
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	// Behind all that churn the planner must not take the question for a long one, which it would compile for seconds.
	for _, sql := range []string{"ALTER TABLE t ADD COLUMN c int", "ALTER TABLE t ALTER COLUMN b TYPE varchar(20)"} {
		if cost := cost(t, conn, sql); cost > jitAboveCost {
			t.Errorf("%s: the question costs %.0f, and is compiled from %d on", sql, cost, jitAboveCost)
		}
	}
}

// jitAboveCost is the default of jit_above_cost.
const jitAboveCost = 100000

// cost is what the planner thinks that the facts of a statement cost.
func cost(t *testing.T, conn *pgx.Conn, sql string) float64 {
	t.Helper()
	statements, err := ddl.Parse(sql)
	if err != nil {
		t.Fatal(err)
	}
	explain := &explainer{querier: querier{conn}}
	_, _ = facts.Read(t.Context(), explain, facts.For(statements[0])) // the plan is no answer
	var plans []struct {
		Plan struct {
			Cost float64 `json:"Total Cost"`
		}
	}
	if err := json.Unmarshal([]byte(explain.plan), &plans); err != nil {
		t.Fatalf("%v in %q", err, explain.plan)
	}
	return plans[0].Plan.Cost
}

// explainer asks for the plan of a question in place of its answer.
type explainer struct {
	querier
	plan string
}

func (e *explainer) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	rows, err := e.querier.Query(ctx, "EXPLAIN (FORMAT JSON) "+sql, args...)
	e.plan = strings.Join(rows, "")
	return rows, err
}

func BenchmarkRead(b *testing.B) {
	conn := pgtest.Connect(b, pgtest.Database(b))
	if _, err := conn.Exec(b.Context(), `CREATE TABLE p (a int PRIMARY KEY);
		CREATE TABLE t (a int PRIMARY KEY REFERENCES p, b int UNIQUE, c int CHECK (c > 0), d text);
		INSERT INTO p SELECT generate_series(1, 10000); INSERT INTO t SELECT g, g, g FROM generate_series(1, 10000) g`); err != nil {
		b.Fatal(err)
	}
	statements, err := ddl.Parse("CREATE INDEX t_d ON t (d)")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := facts.Read(b.Context(), querier{conn}, facts.For(statements[0])); err != nil {
			b.Fatal(err)
		}
	}
}
