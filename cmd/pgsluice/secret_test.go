package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// secret stands in every statement of testdata/secrets.txt, as HUNTER2.
const secret = "hunter2zq"

// TestSecretsAreNotRecorded runs the statements of testdata/secrets.txt through a proxy, by both protocols, and looks for the secret in the audit trail, the log, the
// ledger, the figures and whatever pgsluice itself says.
//
//	run          each line by itself, first as a simple Query, then prepared and executed; what each came to
//	transaction  the lines in one transaction
//
// P is "s" with the one protocol and "e" with the other, for what can be made once; what is left is in the database, and goes with it.
func TestSecretsAreNotRecorded(t *testing.T) {
	dsn := pgtest.Database(t)
	side := pgtest.Connect(t, dsn)
	install := exec.CommandContext(t.Context(), "pgsluice", "install", "--dsn", dsn)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	trail := filepath.Join(t.TempDir(), "trail")
	config := side.Config()
	cmd := exec.Command("pgsluice", "serve", "--listen", "127.0.0.1:0", "--upstream", fmt.Sprintf("%s:%d", config.Host, config.Port))
	cmd.Env = append(os.Environ(), "PGSLUICE_CONTROL_DSN="+dsn, "PGSLUICE_CONTROL_DATABASES="+config.Database, "PGSLUICE_AUDIT_FILE="+trail, "PGSLUICE_LOG_LEVEL=debug",
		"PGSLUICE_METRICS_LISTEN=127.0.0.1:0", "PGSLUICE_BATCH_MIN_ROWS=1000", "PGSLUICE_SMALL_TABLE_ROWS=0", "PGSLUICE_DEFERRED_ON_FAILED=warn")
	proxy, err := launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.kill)
	_, address, _ := strings.Cut(proxy.awaitLine(t, "pgsluice listens on "), "listens on ")
	_, web, _ := strings.Cut(proxy.awaitLine(t, "pgsluice serves metrics on "), "metrics on ")
	login, err := pgx.ParseConfig(fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", config.User, address, config.Database))
	if err != nil {
		t.Fatal(err)
	}
	login.RuntimeParams["application_name"] = "postgres://u:" + secret + "@h/d"

	var ours []string // what pgsluice has said
	datadriven.RunTest(t, "testdata/secrets.txt", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		for _, protocol := range []string{"simple", "extended"} {
			conn, err := pgconn.ConnectConfig(t.Context(), &login.Config)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.NewReplacer("HUNTER2", secret, "{P}", protocol[:1]).Replace(d.Input), "\n")
			if d.Cmd == "transaction" {
				lines = append(append([]string{"BEGIN"}, lines...), "COMMIT")
			}
			for _, sql := range lines {
				code, said := codeOf(sendBy(t.Context(), conn, protocol, sql))
				ours = append(ours, said)
				fmt.Fprintf(&out, "%s %s: %.40s\n", protocol, code, strings.ReplaceAll(sql, secret, "HUNTER2"))
			}
			if err := conn.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return out.String()
	})

	sinks := map[string]string{"what pgsluice says": strings.Join(ours, "\n")}
	_, sinks["the figures"] = get(t, "http://"+web+"/metrics")
	if err := proxy.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-proxy.done
	sinks["the log"] = proxy.err.String()
	sinks["the audit trail"] = fileText(t, trail)
	for _, table := range column(t, side, "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'pgsluice'::regnamespace AND relkind = 'r' AND relname <> 'keys'") {
		sinks["the ledger's "+table] = strings.Join(column(t, side, "SELECT row_to_json(t)::text FROM "+table+" AS t"), "\n")
	}
	for name, text := range sinks {
		if text == "" && !strings.HasPrefix(name, "the ledger's ") {
			t.Errorf("%s is empty", name)
		}
		for line := range strings.Lines(text) {
			if at := strings.Index(strings.ToLower(line), secret); at >= 0 {
				t.Errorf("%s has a secret: …%s…", name, line[max(0, at-300):min(len(line), at+100)])
			}
		}
	}
	for name, holds := range map[string]string{
		"the audit trail": `"asked":"ALTER ROLE `, "the log": "level=DEBUG", "the figures": "pgsluice_statements_judged_total", "what pgsluice says": "pgsluice: ",
		"the ledger's pgsluice.statements": "ALTER ROLE ", "the ledger's pgsluice.promises": `"state":"failed"`, "the ledger's pgsluice.jobs": `"state":"done"`,
		"the ledger's pgsluice.anchors": `"hash":`,
	} {
		if !strings.Contains(sinks[name], holds) {
			t.Errorf("%s does not have %s: it was not looked into", name, holds)
		}
	}
}

// sendBy sends one statement.
func sendBy(ctx context.Context, conn *pgconn.PgConn, protocol, sql string) error {
	if protocol == "simple" {
		_, err := conn.Exec(ctx, sql).ReadAll()
		return err
	}
	return conn.ExecParams(ctx, sql, nil, nil, nil, nil).Read().Err
}

// codeOf is how a statement ended, and what of that are pgsluice's own words.
func codeOf(err error) (code, said string) {
	var failed *pgconn.PgError
	switch {
	case err == nil:
		return "ok", "ok"
	case !errors.As(err, &failed):
		return "broken", err.Error()
	case strings.HasPrefix(failed.Message, "pgsluice:") && failed.Code != "PS001": // which repeats to its client what the server has said
		return failed.Code, strings.Join([]string{failed.Message, failed.Detail, failed.Hint}, "\n")
	}
	return failed.Code, failed.Code
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// column is the first column of a query's rows.
func column(t *testing.T, conn *pgx.Conn, sql string) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
