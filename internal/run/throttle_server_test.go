package run_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// What only a server of one's own can show: a standby that is behind, and that goes; a slot that holds back WAL; WAL that is not archived. A job waits for
// it, says so, and goes on.
func TestThrottleSeesItsReplicas(t *testing.T) {
	ctx := t.Context()
	server, err := pgbox.Start(ctx, pgbox.Options{Settings: map[string]string{
		"archive_mode": "on", "archive_command": "true", "max_slot_wal_keep_size": "100MB", "wal_level": "replica", "max_wal_senders": "5",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.WithoutCancel(ctx)) })
	dsn := server.DSN("postgres", "postgres")
	look := pgtest.Connect(t, dsn)
	exec := func(conn *pgx.Conn, statements ...string) {
		t.Helper()
		for _, sql := range statements {
			if _, err := conn.Exec(ctx, sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	throttle := func(options run.ThrottleOptions) run.Throttle {
		conn, err := control.Connect(ctx, dsn, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		return run.NewThrottle(func(context.Context) (run.Conn, func(), error) { return conn, func() {}, nil }, options)
	}
	until := func(t *testing.T, throttle run.Throttle, want string) {
		t.Helper()
		patience, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		for {
			reasons := strings.Join(throttle.Reasons(ctx, 0, nil), "; ")
			if want == "" && reasons == "" || want != "" && strings.Contains(reasons, want) {
				return
			}
			if patience.Err() != nil {
				t.Fatalf("it says %q, want %q", reasons, want)
			}
		}
	}
	exec(look, "CREATE TABLE filler (a text)", "CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0)", "INSERT INTO t SELECT g FROM generate_series(1, 3000) g")
	// segment fills the WAL segment at hand: the next one is 16 MB on.
	segment := []string{"INSERT INTO filler VALUES ('x')", "SELECT pg_switch_wal()"}

	t.Run("archiver", func(t *testing.T) {
		signal := throttle(run.ThrottleOptions{ArchiveBacklog: 2})
		exec(look, segment...)
		pgtest.WaitFor(t, look, "SELECT last_archived_wal IS NOT NULL FROM pg_stat_archiver")
		until(t, signal, "")
		exec(look, "ALTER SYSTEM SET archive_command = 'false'", "SELECT pg_reload_conf()")
		pgtest.WaitFor(t, look, "SELECT current_setting('archive_command') = 'false'")
		for range 5 {
			exec(look, segment...)
		}
		until(t, signal, "WAL segments are not archived, limit 2")
		until(t, throttle(run.ThrottleOptions{ReplicaLag: time.Second}), "") // another signal alone
		exec(look, "ALTER SYSTEM SET archive_command = 'true'", "SELECT pg_reload_conf()")
		until(t, signal, "")
	})
	t.Run("slot", func(t *testing.T) {
		signal := throttle(run.ThrottleOptions{SlotRetention: 30})
		exec(look, "CHECKPOINT") // a slot reserves from the last one on
		exec(look, "SELECT pg_create_physical_replication_slot('kept', true)")
		until(t, signal, "")
		for range 3 {
			exec(look, segment...)
		}
		until(t, signal, "replication slot kept holds back ")
		exec(look, "SELECT pg_drop_replication_slot('kept')")
		until(t, signal, "")
	})
	t.Run("replica", func(t *testing.T) {
		standby, err := pgbox.StartStandby(ctx, server, map[string]string{"archive_mode": "off"})
		if err != nil {
			t.Fatal(err)
		}
		stopped := false
		t.Cleanup(func() {
			if !stopped {
				_ = standby.Stop(context.WithoutCancel(ctx))
			}
		})
		pgtest.WaitFor(t, look, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming')")
		replica := pgtest.Connect(t, standby.DSN("postgres", "postgres"))
		bytes, delay := throttle(run.ThrottleOptions{ReplicaLagBytes: 1 << 20}), throttle(run.ThrottleOptions{ReplicaLag: 200 * time.Millisecond})
		until(t, bytes, "")
		until(t, delay, "")
		exec(replica, "SELECT pg_wal_replay_pause()")
		pgtest.WaitFor(t, replica, "SELECT pg_is_wal_replay_paused()")
		exec(look, "INSERT INTO filler SELECT repeat(md5(g::text), 20) FROM generate_series(1, 5000) g")
		until(t, bytes, "MiB behind, limit 1.0 MiB")

		// A job waits for it, as long as it takes.
		r := run.Runner{
			Conn: connectTo(t, dsn), Report: &notices{}, Throttle: throttle(run.ThrottleOptions{ReplicaLagBytes: 1 << 20}),
			Options: run.Options{Name: "test", Batch: run.BatchOptions{NoticeEvery: time.Millisecond}},
		}
		plan := bulkOf(t, look, "t")
		done := make(chan outcome, 1)
		go func() {
			result, err := r.Run(ctx, plan)
			done <- outcome{result, err}
		}()
		r.Report.(*notices).await(t, "; waiting: replica ")
		var changed int
		if err := look.QueryRow(ctx, "SELECT count(*) FROM t WHERE n > 0").Scan(&changed); err != nil || changed > 0 {
			t.Errorf("%d rows are changed while it waits, %v", changed, err)
		}
		exec(replica, "SELECT pg_wal_replay_resume()")
		if o := <-done; o.err != nil || o.Tag != "UPDATE 3000" {
			t.Errorf("%s, %v", o.Tag, o.err)
		}
		until(t, bytes, "")

		// The lag of time is measured by what is replayed: a standby that delays what it replays is behind, always.
		exec(replica, "ALTER SYSTEM SET recovery_min_apply_delay = '2s'", "SELECT pg_reload_conf()")
		pgtest.WaitFor(t, replica, "SELECT current_setting('recovery_min_apply_delay') = '2s'")
		written := make(chan struct{})
		writer := pgtest.Connect(t, dsn)
		stop, cancel := context.WithCancel(ctx)
		go func() {
			defer close(written)
			for stop.Err() == nil {
				_, _ = writer.Exec(context.WithoutCancel(stop), "INSERT INTO filler VALUES ('x')")
			}
		}()
		until(t, delay, "s behind, limit 200ms")
		cancel()
		<-written
		until(t, delay, "") // nothing is left to replay
		if err := standby.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		stopped = true
		until(t, bytes, " is gone")
		until(t, throttle(run.ThrottleOptions{ReplicaLagBytes: 1 << 20}), "") // one that was never there
	})
}

func connectTo(t *testing.T, dsn string) *control.Conn {
	t.Helper()
	conn, err := control.Connect(t.Context(), dsn, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// bulkOf is a plan that changes every row of a table.
func bulkOf(t *testing.T, look *pgx.Conn, table string) rewrite.Plan {
	t.Helper()
	var oid uint32
	if err := look.QueryRow(t.Context(), "SELECT $1::regclass::oid", table).Scan(&oid); err != nil {
		t.Fatal(err)
	}
	sql := fmt.Sprintf("UPDATE ONLY public.%s SET n = n + 1", table)
	return rewrite.Plan{Recipe: "bulk-write", Tag: "UPDATE", Job: sql, Asked: sql, Steps: []rewrite.Step{{
		SQL: sql, Where: rewrite.AfterCommit, Table: rewrite.Target{OID: oid, Schema: "public", Name: table},
		Batch: &rewrite.Batch{Before: sql, Alias: table},
	}}}
}
