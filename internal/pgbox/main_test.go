package pgbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// asParent makes the test binary a program that starts a server from the binaries in the folder that the variable names,
// for the tests of what becomes of the server when that program ends.
const asParent = "PGBOX_TEST_AS_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(asParent) != "" {
		if err := parent(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// parent starts a server, writes one line about it, waits for SIGINT, asks the server whether it still serves, writes
// "served", and stops it.
func parent() error {
	ctx := context.Background()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	if err := os.Setenv("PGSLUICE_PG_BIN", os.Getenv(asParent)); err != nil {
		return err
	}
	s, err := Start(ctx, Options{})
	if err != nil {
		return err
	}
	lock, err := os.ReadFile(filepath.Join(s.DataDir(), "postmaster.pid"))
	if err != nil {
		return err
	}
	segment, ok := memorySegment(string(lock))
	if !ok {
		return errors.New("no memory segment")
	}
	pids, err := children(s.PID())
	if err != nil {
		return err
	}
	fmt.Println(s.dir, segment, s.PID(), s.watchdog.cmd.Process.Pid, strings.Trim(fmt.Sprint(pids), "[]"))

	<-interrupts
	conn, err := pgx.Connect(ctx, s.DSN("postgres", "postgres"))
	if err != nil {
		return err
	}
	fmt.Println("served")
	return errors.Join(conn.Close(ctx), s.Stop(ctx))
}

// binariesDir is where the server of the major under test is, so that a child process need not look for it again.
func binariesDir(t *testing.T) string {
	t.Helper()
	binaries, err := Find(t.Context(), Options{Major: testMajor(t)})
	if err != nil {
		t.Fatal(err)
	}
	return binaries.Dir
}

type parentProcess struct {
	cmd    *exec.Cmd
	output *bufio.Reader
	server footprint
}

// startParent runs parent in a process group of its own, as a shell does.
func startParent(t *testing.T) *parentProcess {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), asParent+"="+binariesDir(t))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &parentProcess{cmd: cmd, output: bufio.NewReader(stdout)}
	fields := strings.Fields(p.line(t))
	p.server.folders = fields[:1]
	for i, field := range fields[1:] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			p.server.segment = n
			continue
		}
		p.server.pids = append(p.server.pids, n)
	}
	return p
}

func (p *parentProcess) line(t *testing.T) string {
	t.Helper()
	line, err := p.output.ReadString('\n')
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return strings.TrimSpace(line)
}

func TestServerDiesWithItsParent(t *testing.T) {
	t.Parallel()
	p := startParent(t)
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Wait() // says that it was killed
	p.server.awaitGone(t)
}

func TestServerDiesWithItsParentDuringInitdb(t *testing.T) {
	t.Parallel()
	dir := openFolder(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), asParent+"="+binariesDir(t), "TMPDIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "initdb is at work", func() bool {
		found, err := filepath.Glob(filepath.Join(dir, "*", "data", "base"))
		return err == nil && len(found) == 1
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // says that it was killed
	eventually(t, dir+" is empty", func() bool {
		left, err := os.ReadDir(dir)
		return err == nil && len(left) == 0
	})
}

func TestInterruptIsForTheParentAlone(t *testing.T) {
	t.Parallel()
	p := startParent(t)
	if err := syscall.Kill(-p.cmd.Process.Pid, syscall.SIGINT); err != nil { // what Ctrl-C does
		t.Fatal(err)
	}
	if got := p.line(t); got != "served" {
		t.Errorf("after the interrupt: %q", got)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Error(err)
	}
	p.server.awaitGone(t)
}

// TestOrdinaryUser runs the tests of the server once more as somebody who is not root.
func TestOrdinaryUser(t *testing.T) {
	t.Parallel()
	account, err := serverAccount()
	if err != nil {
		t.Fatal(err)
	}
	if account == nil {
		return // so did all the tests before
	}
	home := openFolder(t)
	program := filepath.Join(home, "pgbox.test") // the original lies where only root can reach it
	copyProgram(t, program)
	if err := account.own(home); err != nil {
		t.Fatal(err)
	}
	cmd := account.command(t.Context(), home, program, "-test.v", "-test.run", "^(TestKill|TestRestart|TestTLS|TestServerDies|TestFailedStart)")
	cmd.Env = append(cmd.Env, "HOME="+home, "PGSLUICE_PG_BIN="+binariesDir(t))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestServerDiesWithItsParent") {
		t.Fatalf("%v\n%s", err, out)
	}
}

func copyProgram(t *testing.T, to string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, copyErr := io.Copy(target, source)
	if err := errors.Join(copyErr, target.Close()); err != nil {
		t.Fatal(err)
	}
}
