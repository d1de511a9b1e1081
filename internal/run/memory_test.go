package run_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/rewrite"
)

// A build has the memory that it needs, unless somebody has chosen another or the server is too small for it; afterwards the session's own is there again.
func TestBuildHasTheMemoryThatItNeeds(t *testing.T) {
	server, err := pgbox.Start(t.Context(), pgbox.Options{
		Major: pgtest.Server(t).Version(), Settings: map[string]string{"shared_buffers": "512MB", "autovacuum": "off"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	p := &place{T: t, dsn: server.DSN("postgres", "postgres")}
	p.look = p.connect()
	if p.pool, err = control.New(control.Options{DSN: p.dsn}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.pool.Close)
	// The function fails while an index is built, and says with which memory.
	p.exec(p.look, `CREATE TABLE t (a int);
		INSERT INTO t VALUES (1);
		CREATE FUNCTION tell(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
		BEGIN
			IF pg_catalog.current_setting('test.tell', true) = 'on' THEN RAISE 'built with %', pg_catalog.current_setting('maintenance_work_mem'); END IF;
			RETURN $1;
		END $$;
		CREATE INDEX t_tell ON t (tell(a))`)
	build := p.index("t_new", "public.tell(a)")
	reindex := build
	reindex.SQL, reindex.Index.Name = "REINDEX INDEX CONCURRENTLY public.t_tell", "t_tell"
	if err := p.look.QueryRow(t.Context(), "SELECT 't_tell'::regclass::oid").Scan(&reindex.Index.OID); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		rows int
		set  string
		step rewrite.Step
		want string
	}{
		"as much as it needs":       {rows: 1_600_000, step: build, want: "125000kB"},
		"for a rebuild":             {rows: 1_600_000, step: p.reindex("TABLE CONCURRENTLY public.t"), want: "125000kB"},
		"for the rebuild of one":    {rows: 1_600_000, step: reindex, want: "125000kB"},
		"enough as it is":           {rows: 800_000, step: build, want: "64MB"},
		"unknown":                   {rows: -1, step: build, want: "64MB"},
		"a quarter of the server's": {rows: 4_000_000, step: build, want: "128MB"},
		"not enough for all rows":   {rows: 4_200_000, step: build, want: "64MB"},
		"chosen by somebody":        {rows: 1_600_000, set: "SET maintenance_work_mem = '16MB'", step: build, want: "16MB"},
	} {
		t.Run(name, func(t *testing.T) {
			p := &place{T: t, dsn: p.dsn, look: p.look, pool: p.pool}
			p.exec(p.look, fmt.Sprintf("UPDATE pg_class SET reltuples = %d WHERE oid = 't'::regclass", c.rows))
			r := p.runner()
			for _, sql := range []string{"SET test.tell = 'on'", c.set} {
				if sql == "" {
					continue
				}
				if _, err := r.Conn.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			before := p.settings(r.Conn)
			_, err := r.RunStep(t.Context(), c.step)
			if err == nil || !strings.Contains(err.Error(), "built with "+c.want) {
				t.Errorf("got %v, want it to be built with %s", err, c.want)
			}
			p.clean(r, before)
			p.indexes("t_tell")
		})
	}
}
