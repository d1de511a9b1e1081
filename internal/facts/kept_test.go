package facts_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// kept asks with statements that stay prepared, as a session of a client has them.
type kept struct {
	querier
	names map[string]string
}

func (k kept) QueryParts(ctx context.Context, parts []string, setting, value string) (rows []string, err error) {
	for _, part := range parts {
		if k.names[part] == "" {
			k.names[part] = fmt.Sprintf("kept%d", len(k.names))
			if _, err := k.Prepare(ctx, k.names[part], part); err != nil {
				return nil, err
			}
		}
	}
	// Up to the end of the batch it is one transaction.
	batch := &pgconn.Batch{}
	batch.ExecParams("SELECT set_config($1, $2, true)", [][]byte{[]byte(setting), []byte(value)}, nil, nil, nil)
	for _, part := range parts {
		batch.ExecPrepared(k.names[part], nil, nil, nil)
	}
	results, err := k.PgConn().ExecBatch(ctx, batch).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, result := range results[1:] {
		if result.Err != nil {
			return nil, result.Err
		}
		for _, row := range result.Rows {
			rows = append(rows, string(row[0]))
		}
	}
	return rows, nil
}

func (k kept) MayHold() bool { return true }

func (k kept) Brittle() bool { return false }

// The plan of the question takes many times as long as its answer, and often a lock is held meanwhile: a change of the schema must not be a reason to
// make it anew, whatever relation it is about. The first relation of a database has the first OID that is no catalog's, which the question speaks of.
func TestPlanOutlivesSchemaChanges(t *testing.T) {
	box, err := pgbox.Start(t.Context(), pgbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := box.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	dsn := box.DSN(box.Superuser(), "postgres")
	setup := pgtest.Connect(t, dsn)
	exec(t, setup, "CREATE TABLE first (id bigint PRIMARY KEY); CREATE TABLE t (a bigint)")
	var first uint32
	if err := setup.QueryRow(t.Context(), "SELECT 'first'::regclass::oid").Scan(&first); err != nil || first != 16384 {
		t.Fatalf("the first relation has the OID %d: %v", first, err)
	}

	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	planned := 0
	config.OnNotice = func(_ *pgconn.PgConn, notice *pgconn.Notice) {
		if notice.Message == "PLANNER STATISTICS" {
			planned++
		}
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	question := kept{querier{conn}, map[string]string{}}
	ask := func(sql string) (plans int) {
		t.Helper()
		statements, err := ddl.Parse(sql)
		if err != nil {
			t.Fatal(err)
		}
		wanted := facts.For(statements[0])
		exec(t, conn, "SET client_min_messages = log")
		exec(t, conn, "SET log_planner_stats = on")
		planned = 0
		if _, err := facts.Read(t.Context(), question, wanted); err != nil {
			t.Fatal(err)
		}
		plans = planned
		exec(t, conn, "RESET log_planner_stats")
		return plans
	}
	const about = "ALTER TABLE t ADD CHECK (a > 0)"
	once := ask(about)
	if once < 2 {
		t.Fatalf("the planner was seen %d times", once)
	}
	usual := ask(about)
	if usual >= once {
		t.Fatalf("nothing was kept: %d plans, and then %d", once, usual)
	}
	exec(t, conn, "BEGIN")
	for _, sql := range []string{
		"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES first NOT VALID", "ALTER TABLE first ADD COLUMN b int", "CREATE INDEX ON first (b)", "ALTER TABLE t ADD CHECK (a > 0) NOT VALID",
		"ALTER TABLE t RENAME TO u", "ALTER TABLE u RENAME TO t", "CREATE TABLE another (a int)", "COMMIT",
	} {
		exec(t, conn, sql)
		if plans := ask(about); plans > usual {
			t.Errorf("behind %s the question was planned again (%d plans)", sql, plans-usual)
		}
	}
}

// A relation that another session holds, or awaits, in ACCESS EXCLUSIVE is described without its size, and nobody waits for it.
func TestNobodyWaitsForBusyRelations(t *testing.T) {
	dsn := pgtest.Database(t)
	conn, other := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	exec(t, other, "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE idle (a int)")
	exec(t, other, "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
	question := kept{querier{conn}, map[string]string{}}
	for _, timeout := range []string{"0", "1h"} {
		exec(t, conn, "SET lock_timeout = '"+timeout+"'")
		known, err := facts.Read(t.Context(), question, []facts.Wanted{
			{Name: ddl.Name{Name: "t"}, Definitions: true, Defaults: true, Index: "t_pkey"}, {Name: ddl.Name{Name: "idle"}, Definitions: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		busy, idle := known.Relations[`"t"`], known.Relations[`"idle"`]
		if busy == nil || busy.Bytes != -1 || busy.Empty || len(busy.Indexes) != 1 || busy.Indexes[0].Definition != "" || busy.Sibling == nil {
			t.Errorf("lock_timeout %s: busy is %+v", timeout, busy)
		}
		if idle == nil || idle.Bytes != 0 || !idle.Empty {
			t.Errorf("lock_timeout %s: idle is %+v", timeout, idle)
		}
		if known.Settings["lock_timeout"] != timeout {
			t.Errorf("lock_timeout %s is told as %s", timeout, known.Settings["lock_timeout"])
		}
		var now string
		if err := conn.QueryRow(t.Context(), "SHOW lock_timeout").Scan(&now); err != nil || now != timeout {
			t.Errorf("lock_timeout %s is %s behind the question: %v", timeout, now, err)
		}
	}
}
