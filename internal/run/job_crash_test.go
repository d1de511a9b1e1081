package run_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// The server is killed again and again in the middle of a job, and every row is changed once.
func TestJobOutlivesItsServer(t *testing.T) {
	server, err := pgbox.Start(t.Context(), pgbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.WithoutCancel(t.Context())) })
	dsn := server.DSN("postgres", "postgres")
	open := func() *control.Conn {
		conn, err := control.Connect(t.Context(), dsn, nil)
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	first := open()
	if _, err := revisions.Install(t.Context(), first, revisions.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"CREATE TABLE public.t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)", "INSERT INTO public.t SELECT g FROM generate_series(1, 15000) g", "ANALYZE public.t", "CHECKPOINT",
	} {
		if _, err := first.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var oid uint32
	rows, err := first.Query(t.Context(), "SELECT 'public.t'::pg_catalog.regclass::pg_catalog.oid")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(rows[0], &oid); err != nil {
		t.Fatal(err)
	}
	first.Close()
	table := rewrite.Target{OID: oid, Schema: "public", Name: "t"}
	plan := rewrite.Plan{Recipe: "bulk-write", Tag: "UPDATE", Job: "job", Steps: []rewrite.Step{{
		SQL: "UPDATE t SET n = n + 1", Where: rewrite.AfterCommit, Table: table,
		Batch: &rewrite.Batch{Before: "UPDATE ONLY public.t SET n = n + 1", Alias: "t", Once: true},
	}}}
	for runs := 1; ; runs++ {
		if runs == 50 {
			t.Fatal("it is never done")
		}
		control, client := open(), open()
		ledger, err := revisions.Open(t.Context(), control)
		if err != nil {
			t.Fatal(err)
		}
		broken := &frail{Conn: client, trips: 8 + rand.IntN(10), way: "killed in the middle", kill: func() {
			if err := server.Kill(); err != nil {
				t.Error(err)
			}
		}}
		result, err := run.Runner{
			Conn: broken, Jobs: ledger,
			Options: run.Options{Name: "test", Batch: run.BatchOptions{TargetTime: 10 * time.Second, MaxRows: 500}},
		}.Run(t.Context(), plan)
		broken.kills.Wait()
		control.Close()
		client.Close()
		if broken.trips <= 0 {
			if restarted := server.Restart(t.Context()); restarted != nil {
				t.Fatal(restarted)
			}
		}
		if err != nil && !isDone(t, dsn) {
			if code := run.SQLState(err); code != "" && code[:2] != "57" && code[:2] != "08" {
				t.Fatal(err)
			}
			continue
		}
		if result.Tag != "UPDATE 15000" || runs < 3 {
			t.Errorf("%s after %d runs", result.Tag, runs)
		}
		break
	}
	look, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close(t.Context())
	var wrong int
	if err := look.QueryRow(t.Context(), "SELECT count(*) FROM t WHERE n <> 1").Scan(&wrong); err != nil || wrong != 0 {
		t.Errorf("%d rows are not changed once, %v", wrong, err)
	}
}

// isDone reports whether the ledger has it that a job is done: the server may die between that and the answer, and a statement sent again is
// a new one then.
func isDone(t *testing.T, dsn string) (done bool) {
	t.Helper()
	look, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer look.Close(t.Context())
	if err := look.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pgsluice.jobs WHERE state = 'done')").Scan(&done); err != nil {
		t.Fatal(err)
	}
	return done
}
