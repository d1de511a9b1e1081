package proxy

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// A session changes a table in a transaction while another one, whose plain CREATE INDEX is built concurrently, waits for that transaction and has a lock on the table
// already. Nobody would wait for ever without pgsluice, and nobody does with it.
func TestChangeBesideABuild(t *testing.T) {
	t.Parallel()
	for name, build := range map[string][]string{
		"on the spot":   {"CREATE INDEX t_a ON t (a)"},
		"behind COMMIT": {"BEGIN", "CREATE INDEX t_a ON t (a)", "COMMIT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStage(t, Enforce, true, false)
			side := pgtest.Connect(t, w.dsn)
			execSQL(t, side, "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g")
			changer, builder := w.conn(t, "changer"), w.conn(t, "builder")
			execAll(t, changer, "BEGIN")
			execAll(t, changer, "INSERT INTO t VALUES (0, 0)")
			execAll(t, builder, "SET deadlock_timeout = '1h'")
			built := make(chan error, 1)
			go func() {
				built <- func(conn *pgconn.PgConn) error {
					for _, sql := range build {
						if err := execWire(conn, sql); err != nil {
							return fmt.Errorf("%s: %w", sql, err)
						}
					}
					return nil
				}(builder)
			}()
			pgtest.WaitFor(t, side, "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = $1 AND NOT granted AND locktype = 'virtualxid')", int(builder.PID()))
			execAll(t, changer, "ALTER TABLE t ADD COLUMN b int")
			execAll(t, changer, "COMMIT")
			if err := <-built; err != nil {
				t.Error(err)
			}
			for sql, want := range map[string]string{
				"SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 't'::regclass": "t_a true t_pkey true",
				"SELECT count(*)::text FROM pgsluice.artifacts":                      "0",
				"SELECT count(*)::text FROM pgsluice.promises WHERE state <> 'done'": "0",
				"SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())": "0",
				"SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()":                                                                 "0",
			} {
				if got := (&held{side: side}).one(t, sql); got != want {
					t.Errorf("%s: %s, want %s", sql, got, want)
				}
			}
		})
	}
}
