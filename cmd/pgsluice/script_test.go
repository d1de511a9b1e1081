package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"pgsluice": main, "sql": sql})
}

// tests are the tests of this package and the server that they share.
type tests struct{ *testing.M }

func (t tests) Run() int { return pgtest.Run(t.M) }

var update = flag.Bool("update", false, "rewrite the expected output in testdata/script")

// The scripts in testdata/script read like a shell session. Beside testscript's own commands there are
//
//	exits STATUS COMMAND…      runs a command and wants this exit status
//	database NAME              makes a database; $NAME is its DSN, $NAME_server the server's HOST:PORT, $NAME_name its name
//	role NAME ATTRIBUTES       makes a role; $NAME is its name
//	serve NAME ARGUMENT…       starts pgsluice serve; when it listens, $NAME is HOST:PORT
//	start NAME COMMAND…        starts a command
//	awaitline NAME TEXT [VAR]  waits until a line of the process's output or errors contains the text; $VAR is its last word
//	signal NAME SIGNAL         sends TERM, INT, HUP or KILL to the process
//	ended NAME STATUS          waits for the end of the process and wants this exit status; NAME.out and NAME.err are its output
//	removed FILE               wants the path that the file holds to be gone
//	get URL FILE               writes the status and the body of an HTTP answer to the file
//	awaitsql DSN CONDITION     waits until a query that returns a boolean is true
//	exec sql DSN STATEMENT…    runs statements on one connection, each a simple query; notices and errors go to stderr.
//	                           \wait waits until the server ends the connection, \await QUERY until another connection gets a true
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			all := &processes{byName: map[string]*process{}}
			env.Values["processes"] = all
			env.Values["t"] = env.T()
			env.Setenv("TMPDIR", os.TempDir()) // the account that runs Postgres cannot reach the script's own
			env.Defer(all.kill)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"database": database,
			"role": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], pgtest.Role(testOf(ts), args[1]))
			},
			"serve": serveProcess,
			"start": func(ts *testscript.TestScript, _ bool, args []string) { startProcess(ts, args[0], args[1:]...) },
			"awaitline": func(ts *testscript.TestScript, _ bool, args []string) {
				words := strings.Fields(named(ts, args[0]).awaitLine(ts, args[1]))
				if len(args) > 2 {
					ts.Setenv(args[2], words[len(words)-1])
				}
			},
			"signal": signalProcess,
			"ended":  ended,
			"removed": func(ts *testscript.TestScript, _ bool, args []string) {
				if _, err := os.Stat(strings.TrimSpace(ts.ReadFile(args[0]))); !errors.Is(err, os.ErrNotExist) {
					ts.Fatalf("it is still there: %v", err)
				}
			},
			"get": func(ts *testscript.TestScript, _ bool, args []string) {
				status, body := get(testOf(ts), args[0])
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), fmt.Appendf(nil, "%d\n%s", status, body), 0o600))
			},
			"awaitsql": func(ts *testscript.TestScript, _ bool, args []string) {
				pgtest.WaitFor(testOf(ts), pgtest.Connect(testOf(ts), args[0]), args[1])
			},
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// testOf is the test that runs a script.
func testOf(ts *testscript.TestScript) testing.TB { return ts.Value("t").(testing.TB) }

func database(ts *testscript.TestScript, _ bool, args []string) {
	dsn := pgtest.Database(testOf(ts))
	config, err := pgx.ParseConfig(dsn)
	ts.Check(err)
	ts.Setenv(args[0], dsn)
	ts.Setenv(args[0]+"_server", fmt.Sprintf("%s:%d", config.Host, config.Port))
	ts.Setenv(args[0]+"_name", config.Database)
}

// processes are those that a script has started.
type processes struct{ byName map[string]*process }

func (p *processes) kill() {
	for _, one := range p.byName {
		one.kill()
	}
}

type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended and all of its output is there

	mu       sync.Mutex
	out, err bytes.Buffer
	more     chan struct{} // closed and made new with every line
}

func named(ts *testscript.TestScript, name string) *process {
	p := ts.Value("processes").(*processes).byName[name]
	if p == nil {
		ts.Fatalf("there is no process %s", name)
	}
	return p
}

// startProcess starts a command in the script's folder, with those variables of the script that pgsluice reads.
func startProcess(ts *testscript.TestScript, name string, command ...string) *process {
	program, err := exec.LookPath(command[0])
	ts.Check(err)
	cmd := exec.Command(program, command[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = os.Environ()
	config := defaultConfig()
	for _, k := range config.keys() {
		if name := variable(k.path); ts.Getenv(name) != "" {
			cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
		}
	}
	p, err := launch(cmd)
	ts.Check(err)
	ts.Value("processes").(*processes).byName[name] = p
	return p
}

// launch starts a command whose output can be waited for. The caller kills it.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{cmd: cmd, done: make(chan struct{}), more: make(chan struct{})}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		var reading sync.WaitGroup
		reading.Go(func() { p.read(stdout, &p.out) })
		reading.Go(func() { p.read(stderr, &p.err) })
		reading.Wait()
		_ = cmd.Wait() // how it ended is in ProcessState
	}()
	return p, nil
}

// kill returns when the process has ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it has ended when this fails
	<-p.done
}

func (p *process) read(from io.Reader, to *bytes.Buffer) {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		p.mu.Lock()
		to.WriteString(line)
		close(p.more)
		p.more = make(chan struct{})
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// patience bounds everything that a script waits for.
const patience = 2 * time.Minute

// awaitLine returns the first line that contains the text.
func (p *process) awaitLine(t interface{ Fatalf(string, ...any) }, text string) string {
	timeout := time.After(patience)
	for {
		p.mu.Lock()
		all, more := p.out.String()+p.err.String(), p.more
		p.mu.Unlock()
		for line := range strings.Lines(all) {
			if strings.Contains(line, text) {
				return strings.TrimSpace(line)
			}
		}
		select {
		case <-more:
		case <-p.done:
			t.Fatalf("it ended without a line that contains %q:\n%s", text, all)
		case <-timeout:
			t.Fatalf("waited %s in vain for a line that contains %q:\n%s", patience, text, all)
		}
	}
}

func serveProcess(ts *testscript.TestScript, _ bool, args []string) {
	p := startProcess(ts, args[0], append([]string{"pgsluice", "serve", "--listen", "127.0.0.1:0"}, args[1:]...)...)
	_, address, _ := strings.Cut(p.awaitLine(ts, "pgsluice listens on "), "listens on ")
	ts.Setenv(args[0], address)
}

func signalProcess(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "HUP": syscall.SIGHUP, "KILL": syscall.SIGKILL}
	ts.Check(named(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

func ended(ts *testscript.TestScript, _ bool, args []string) {
	p := named(ts, args[0])
	select {
	case <-p.done:
	case <-time.After(patience):
		ts.Fatalf("it has not ended within %s:\n%s%s", patience, p.out.String(), p.err.String())
	}
	for suffix, text := range map[string]*bytes.Buffer{".out": &p.out, ".err": &p.err} {
		ts.Check(os.WriteFile(filepath.Join(ts.MkAbs("."), args[0]+suffix), text.Bytes(), 0o600))
	}
	if got := strconv.Itoa(p.cmd.ProcessState.ExitCode()); got != args[1] {
		ts.Fatalf("exit status %s, want %s:\n%s%s", got, args[1], p.out.String(), p.err.String())
	}
}

// sql runs statements as a script's command: rows to stdout, their columns separated by |; notices and errors to stderr.
func sql() {
	config, err := pgconn.ParseConfig(os.Args[1])
	if err == nil {
		config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { fmt.Fprintf(os.Stderr, "%s: %s\n", n.Severity, n.Message) }
		err = sqlStatements(config, os.Args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sqlStatements(config *pgconn.Config, statements []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range statements {
		if statement == `\wait` {
			return conn.WaitForNotification(ctx)
		}
		if condition, ok := strings.CutPrefix(statement, `\await `); ok {
			if err := sqlAwait(ctx, config, condition); err != nil {
				return err
			}
			continue
		}
		rows, err := sqlRows(ctx, conn, statement)
		if err != nil {
			return err
		}
		for _, row := range rows {
			fmt.Println(row)
		}
	}
	return nil
}

func sqlRows(ctx context.Context, conn *pgconn.PgConn, statement string) (rows []string, err error) {
	results, err := conn.Exec(ctx, statement).ReadAll()
	for _, result := range results {
		for _, row := range result.Rows {
			rows = append(rows, string(bytes.Join(row, []byte("|"))))
		}
	}
	return rows, err
}

// sqlAwait asks on a connection of its own until the answer is t.
func sqlAwait(ctx context.Context, config *pgconn.Config, condition string) error {
	conn, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		rows, err := sqlRows(ctx, conn, condition)
		if err != nil || slices.Contains(rows, "t") {
			return err
		}
		<-ticker.C
	}
}
