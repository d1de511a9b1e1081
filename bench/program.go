package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// program is something that clients can be sent through.
type program struct {
	name    string
	version string
	tls     bool // it takes TLS from Postgres clients
	// start runs it; nil is no program at all, the clients go straight to the server.
	start func(ctx context.Context, port int) (*process, error)
	lab   *lab
}

// The names of the programs, as they are printed.
const (
	nameDirect       = "direct"
	nameHAProxy      = "haproxy"
	namePgbouncer    = "pgbouncer"
	namePgsluice     = "pgsluice"
	namePgsluicePass = "pgsluice, mode pass"
	nameAgainst      = "pgsluice, --against"
)

func (p program) direct() bool { return p.start == nil }

// open starts the program.
func (p program) open(ctx context.Context) (*route, error) {
	if p.direct() {
		return &route{name: p.name, port: p.lab.box.Port()}, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	process, err := p.start(ctx, port)
	if err != nil {
		return nil, err
	}
	return &route{name: p.name, port: port, process: process}, nil
}

// route is a way to the server.
type route struct {
	name    string
	port    int
	process *process // nil: straight
}

func (r *route) dsn(sslmode string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s?sslmode=%s", login, r.port, database, sslmode)
}

// connect opens a session in the database.
func (r *route) connect(ctx context.Context, database string) (*pgconn.PgConn, error) {
	config, err := pgconn.ParseConfig(r.dsn("disable"))
	if err != nil {
		return nil, err
	}
	config.Database = database
	return pgconn.ConnectConfig(ctx, config)
}

// cpu is the processor time that is spent on the way.
func (r *route) cpu() (time.Duration, error) {
	if r.process == nil {
		return 0, nil
	}
	return r.process.cpu()
}

func (r *route) close() {
	if r.process != nil {
		r.process.stop()
	}
}

// programs are those that can be compared on this machine; direct is the first.
func (l *lab) programs(ctx context.Context, against string) ([]program, error) {
	found := []program{{name: nameDirect, lab: l}}
	for _, other := range []struct {
		name        string
		tls         bool
		versionFlag string
		start       func(path string) func(context.Context, int) (*process, error)
	}{
		{nameHAProxy, false, "-v", l.haproxy},
		{namePgbouncer, true, "--version", l.pgbouncer},
	} {
		path, err := l.obtain(ctx, other.name)
		if err != nil {
			l.log.say("%v", err)
			continue
		}
		version, err := firstLine(ctx, path, other.versionFlag)
		if err != nil {
			return nil, err
		}
		found = append(found, program{name: other.name, version: version, tls: other.tls, start: other.start(path), lab: l})
	}

	version, err := firstLine(ctx, l.pgsluice, "version")
	if err != nil {
		return nil, err
	}
	found = append(found,
		program{name: namePgsluice, version: version, tls: true, start: l.serve(l.pgsluice, "enforce"), lab: l},
		program{name: namePgsluicePass, tls: true, start: l.serve(l.pgsluice, "pass"), lab: l})
	if against != "" {
		found = append(found, program{name: nameAgainst, tls: true, start: l.serve(against, "enforce"), lab: l})
	}
	return found, nil
}

// obtain finds a program, or installs it where that is ours to do.
func (l *lab) obtain(ctx context.Context, name string) (path string, err error) {
	// Debian has servers in a folder that is not in the path of ordinary users.
	find := func() (string, bool) {
		for _, candidate := range []string{name, "/usr/sbin/" + name} {
			if path, err := exec.LookPath(candidate); err == nil {
				return path, true
			}
		}
		return "", false
	}
	if path, ok := find(); ok {
		return path, nil
	}
	missing := fmt.Errorf("%[1]s is left out: install it to compare with it (apt-get install %[1]s)", name)
	aptGet, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return "", missing
	}
	for _, args := range [][]string{{"update"}, {"install", "-y", "--no-install-recommends", name}} {
		l.log.say("apt-get %s", strings.Join(args, " "))
		cmd := exec.CommandContext(ctx, aptGet, args...)
		// RUNLEVEL=1 keeps Debian from starting a server of its own.
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w; apt-get said:\n%s", missing, out)
		}
	}
	if path, ok := find(); ok {
		return path, nil
	}
	return "", missing
}

func firstLine(ctx context.Context, program string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return "", fmt.Errorf("cannot ask %s for its version: %w", program, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line, nil
}

// haproxy carries bytes and knows no protocol.
func (l *lab) haproxy(path string) func(context.Context, int) (*process, error) {
	return func(ctx context.Context, port int) (*process, error) {
		config, err := l.write("haproxy.cfg", fmt.Appendf(nil, `global
	maxconn 4000
defaults
	mode tcp
	timeout connect 10s
	timeout client 1h
	timeout server 1h
listen postgres
	bind 127.0.0.1:%d
	server postgres %s:%d
`, port, l.box.Host(), l.box.Port()))
		if err != nil {
			return nil, err
		}
		return startProcess(ctx, l.logOf(port), port, nil, path, "-db", "-f", config)
	}
}

// pgbouncer gives each client a server connection of its own, as pgsluice does, but uses it again for later clients.
func (l *lab) pgbouncer(path string) func(context.Context, int) (*process, error) {
	return func(ctx context.Context, port int) (*process, error) {
		config, err := l.write("pgbouncer.ini", fmt.Appendf(nil, `[databases]
* = host=%s port=%d user=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = session
max_client_conn = 4000
default_pool_size = 4000
client_tls_sslmode = allow
client_tls_cert_file = %s
client_tls_key_file = %s
log_connections = 0
log_disconnections = 0
ignore_startup_parameters = extra_float_digits
`, l.box.Host(), l.box.Port(), login, port, l.certificate, l.key))
		if err != nil {
			return nil, err
		}
		args := []string{config}
		if os.Geteuid() == 0 {
			args = []string{"-u", "nobody", config} // it refuses to be root
		}
		return startProcess(ctx, l.logOf(port), port, nil, path, args...)
	}
}

// serve runs pgsluice as it would run in production, with a ledger and a login of its own.
func (l *lab) serve(path, mode string, more ...string) func(context.Context, int) (*process, error) {
	return func(ctx context.Context, port int) (*process, error) {
		env := []string{
			"PGSLUICE_LISTEN=127.0.0.1:" + strconv.Itoa(port),
			"PGSLUICE_UPSTREAM_HOST=" + l.box.Host(), "PGSLUICE_UPSTREAM_PORT=" + strconv.Itoa(l.box.Port()),
			"PGSLUICE_CONTROL_DSN=" + l.box.DSN(login, database),
			"PGSLUICE_UPSTREAM_SSLMODE=disable", // the server has no TLS; asking for it would be a round trip that nobody else makes
			"PGSLUICE_MODE=" + mode,
			"PGSLUICE_TLS_MODE=allow", "PGSLUICE_TLS_CERT=" + l.certificate, "PGSLUICE_TLS_KEY=" + l.key,
		}
		return startProcess(ctx, l.logOf(port), port, append(env, more...), path, "serve")
	}
}

func (l *lab) logOf(port int) string { return fmt.Sprintf("%s/%d.log", l.dir, port) }

// installLedger prepares the database for what pgsluice defers.
func (l *lab) installLedger(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, l.pgsluice, "install", "--dsn", l.box.DSN(login, database)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cannot install the ledger: %w\n%s", err, out)
	}
	return nil
}
