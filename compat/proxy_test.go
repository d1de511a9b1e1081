package compat

import (
	"bufio"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// proxy is a running pgsluice serve.
type proxy struct {
	address string // where it listens
	log     strings.Builder
}

// startProxy runs the proxy in front of the tests' server until the test ends, with control as its own login and with more settings, as
// variables. Then it must end well on SIGTERM; its log is shown if the test failed.
func startProxy(t *testing.T, control string, settings ...string) *proxy {
	t.Helper()
	server := pgtest.Server(t)
	// The shell ends the proxy when its input does, which is also when the test binary is killed.
	cmd := exec.Command("sh", "-c", `"$@" & exec >&- 2>&-; read -r _; kill -TERM $!; wait $!`, "sh", program("pgsluice"), "serve")
	cmd.Env = append(os.Environ(),
		"PGSLUICE_LISTEN=127.0.0.1:0",
		"PGSLUICE_UPSTREAM_HOST="+server.Host(), "PGSLUICE_UPSTREAM_PORT="+strconv.Itoa(server.Port()),
		"PGSLUICE_CONTROL_DSN="+server.DSN(control, "postgres"),
		"PGSLUICE_LOG_FORMAT=json",
		"PGSLUICE_LOCK_OLD_TRANSACTION=1h", // builds begin beside the transactions that tests keep open
	)
	cmd.Env = append(cmd.Env, settings...)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot run the proxy: %v", err)
	}

	p := &proxy{}
	listening := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() { p.read(output, listening) })
	t.Cleanup(func() {
		input.Close()
		reading.Wait()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the proxy ended badly on SIGTERM: %v", err)
		}
		if t.Failed() {
			t.Logf("the proxy's log:\n%s", p.log.String())
		}
	})
	select {
	case p.address = <-listening:
	case <-time.After(2 * time.Minute):
	}
	if p.address == "" {
		t.Fatal("the proxy does not listen")
	}
	return p
}

// read keeps the log, and tells once where the proxy listens; "" if it ended before.
func (p *proxy) read(output io.Reader, listening chan<- string) {
	defer close(listening)
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadBytes('\n')
		p.log.Write(line)
		if err != nil {
			return
		}
		var entry struct{ Msg, Address string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "listening" {
			listening <- entry.Address
		}
	}
}

// dsn is the way to the same database through the proxy.
func (p *proxy) dsn(t *testing.T, direct string) string {
	t.Helper()
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.address
	return u.String()
}

// throughProxy sends the migration tools of a database through a proxy of its own, with those settings, whose login is no superuser.
func (db *database) throughProxy(t *testing.T, settings ...string) *database {
	t.Helper()
	control := pgtest.Role(t, "LOGIN IN ROLE pg_monitor")
	db.pgsluice(t, "install", "--control-role", control).succeeded(t, "pgsluice install")
	db.ledger = true
	settings = append(settings, "PGSLUICE_CONTROL_DATABASES="+db.admin.Config().Database) // others run at the same time
	db.tools = startProxy(t, control, settings...).dsn(t, db.direct)
	return db
}

// throughProxyOnly is throughProxy without a ledger: nothing can be deferred.
func (db *database) throughProxyOnly(t *testing.T) *database {
	t.Helper()
	db.tools = startProxy(t, pgtest.Role(t, "LOGIN IN ROLE pg_monitor")).dsn(t, db.direct)
	return db
}

// pgsluice runs a subcommand on the database, to its end.
func (db *database) pgsluice(t *testing.T, args ...string) outcome {
	t.Helper()
	return execute(t, exec.Command(program("pgsluice"), append(args, "--dsn", db.admin.Config().ConnString())...))
}
