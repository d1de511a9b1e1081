package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// A migration that waits for one that came through another proxy goes on as soon as that proxy is killed: whose turn it is, and who stands in line, is kept in
// the server alone.
func TestTurnOfKilledProxy(t *testing.T) {
	for name, change := range map[string]string{"looked": "", "migrates": "CREATE TABLE t (id int PRIMARY KEY)"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			side := pgtest.Connect(t, pgtest.Database(t))
			if _, err := side.Exec(t.Context(), "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)"); err != nil {
				t.Fatal(err)
			}
			server := side.Config()
			through := func(told chan<- string) (*process, *pgconn.PgConn) {
				cmd := exec.Command("pgsluice", "serve", "--listen", "127.0.0.1:0", "--upstream", fmt.Sprintf("%s:%d", server.Host, server.Port))
				cmd.Env = append(os.Environ(), "PGSLUICE_UPSTREAM_SSLMODE=disable", "PGSLUICE_REVISIONS_EXCLUSIVE=wait")
				proxy, err := launch(cmd)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(proxy.kill)
				_, address, _ := strings.Cut(proxy.awaitLine(t, "pgsluice listens on "), "listens on ")
				config, err := pgconn.ParseConfig(fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", server.User, address, server.Database))
				if err != nil {
					t.Fatal(err)
				}
				config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { told <- n.Message }
				client, err := pgconn.ConnectConfig(t.Context(), config)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					_ = client.Close(context.Background())
					<-client.CleanupDone()
				})
				return proxy, client
			}
			const look = "SELECT version_num FROM alembic_version"
			killed, first := through(make(chan string, 100))
			told := make(chan string, 100)
			_, second := through(told)
			for _, sql := range []string{"BEGIN", look, change} {
				if _, err := first.Exec(t.Context(), sql).ReadAll(); err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
			}
			migrated := make(chan error, 1)
			go func() {
				for _, sql := range []string{"BEGIN", look, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO alembic_version VALUES ('1')", "COMMIT"} {
					if _, err := second.Exec(context.WithoutCancel(t.Context()), sql).ReadAll(); err != nil {
						migrated <- fmt.Errorf("%s: %w", sql, err)
						return
					}
				}
				migrated <- nil
			}()
			select {
			case message := <-told:
				if !strings.Contains(message, "waiting until") {
					t.Errorf("the second client is told %q", message)
				}
			case err := <-migrated:
				t.Fatalf("the second migration did not wait: %v", err)
			}
			killed.kill()
			if err := await(t, migrated); err != nil {
				t.Error(err)
			}
		})
	}
}
