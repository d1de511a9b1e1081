package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// fleetVariable is how many migrations TestFleet runs at once; a few if it is not set.
const fleetVariable = "PGSLUICE_FLEET"

// Many migrations at once through two proxies, all of them on the same few tables, in crossing order: each is done once, none dies of a deadlock that the server would not
// have had without a proxy, nothing is left, and no proxy takes more memory than it should.
func TestFleet(t *testing.T) {
	const tables = 5
	migrations, dsn := 12, ""
	if asked := os.Getenv(fleetVariable); asked != "" {
		var err error
		if migrations, err = strconv.Atoi(asked); err != nil {
			t.Fatal(err)
		}
		dsn = roomy(t, migrations+50)
	} else {
		dsn = pgtest.Database(t)
	}
	side := pgtest.Connect(t, dsn)
	exec1 := func(sql string) {
		t.Helper()
		if _, err := side.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	install := exec.CommandContext(t.Context(), "pgsluice", "install", "--dsn", dsn)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	for i := range tables {
		exec1(fmt.Sprintf("CREATE TABLE t%d (id int PRIMARY KEY, a int)", i))
		exec1(fmt.Sprintf("INSERT INTO t%d SELECT g, g FROM generate_series(1, 300) g", i))
		exec1(fmt.Sprintf("ANALYZE t%d", i))
	}
	exec1("CREATE TABLE version (v int)")
	config := side.Config()
	var proxies []serving
	for range 2 {
		cmd := exec.Command("pgsluice", "serve", "--listen", "127.0.0.1:0", "--upstream", fmt.Sprintf("%s:%d", config.Host, config.Port))
		cmd.Env = append(os.Environ(), "PGSLUICE_CONTROL_DSN="+dsn, "PGSLUICE_CONTROL_DATABASES="+config.Database,
			"PGSLUICE_UPSTREAM_SSLMODE=disable", "PGSLUICE_SMALL_TABLE_ROWS=0", "PGSLUICE_SMALL_TABLE_BYTES=0", "PGSLUICE_LOCK_OLD_TRANSACTION=1h")
		p, err := launch(cmd)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		_, address, _ := strings.Cut(p.awaitLine(t, "pgsluice listens on "), "listens on ")
		proxies = append(proxies, serving{p, address})
	}

	group, ctx := errgroup.WithContext(t.Context())
	for n := range migrations {
		group.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
			defer cancel()
			address := proxies[n%2].address
			client, err := pgconn.Connect(ctx, fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", config.User, address, config.Database))
			if err != nil {
				return err
			}
			defer client.Close(context.Background())
			for _, sql := range []string{
				"BEGIN",
				fmt.Sprintf("CREATE INDEX i%[1]d ON t%[2]d (a, id)", n, n%tables),
				fmt.Sprintf("CREATE INDEX j%[1]d ON t%[2]d (a)", n, (n+1)%tables),
				fmt.Sprintf("INSERT INTO version VALUES (%d)", n),
				"COMMIT",
			} {
				if _, err := client.Exec(ctx, sql).ReadAll(); err != nil {
					var server *pgconn.PgError
					detail := ""
					if errors.As(err, &server) {
						detail = server.Detail + "\n" + server.Where
					}
					return fmt.Errorf("migration %d, %s: %w\n%s", n, sql, err, detail)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
		for n, p := range proxies {
			t.Logf("proxy %d warns:\n%s", n, strings.Join(p.warnings(), "\n"))
		}
	}
	pgtest.WaitFor(t, side, "SELECT NOT EXISTS (SELECT FROM pgsluice.promises WHERE state IN ('pending', 'running'))")
	for sql, want := range map[string]int{
		"SELECT count(*) FROM version": migrations,
		"SELECT count(*) FROM pg_index JOIN pg_class ON oid = indexrelid WHERE relname ~ '^[ij][0-9]+$' AND indisvalid":                             2 * migrations,
		"SELECT count(*) FROM pg_index WHERE NOT indisvalid":                                                                                        0,
		"SELECT count(*) FROM pgsluice.promises WHERE state = 'done' AND attempts = 1":                                                              2 * migrations,
		"SELECT count(*) FROM pgsluice.artifacts":                                                                                                   0,
		"SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()":                                                            0,
		"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())": 0,
	} {
		var got int
		if err := side.QueryRow(t.Context(), sql).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d, want %d (%v)", sql, got, want, err)
		}
	}
	for _, p := range proxies {
		kib, err := peakMemory(p.process)
		switch {
		case errors.Is(err, os.ErrNotExist): // not Linux
		case err != nil:
			t.Error(err)
		case kib > 512<<10:
			t.Errorf("a proxy took %d KiB", kib)
		default:
			t.Logf("%d migrations; a proxy took %d KiB", migrations, kib)
		}
	}
}

// roomy is the DSN of a server of its own that takes so many connections.
func roomy(t *testing.T, connections int) string {
	t.Helper()
	box, err := pgbox.Start(t.Context(), pgbox.Options{Settings: map[string]string{"max_connections": strconv.Itoa(connections)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return box.DSN(box.Superuser(), "postgres")
}

// warnings are the first few of those that a process has logged, and of its errors.
func (p *process) warnings() (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.out.String() + p.err.String()) {
		if len(lines) < 10 && (strings.Contains(line, "WARN") || strings.Contains(line, "ERROR")) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// peakMemory is the most memory that a process has had, in KiB.
func peakMemory(p *process) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0, errors.New("the process does not say how much memory it has had")
	}
	return strconv.Atoi(string(found[1]))
}
