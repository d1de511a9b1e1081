package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that runs until stop, and no longer than we do.
type process struct {
	guard *exec.Cmd // the shell that ends it when our end of the pipe closes, as it does however we end
	pipe  io.Closer
	pid   int
	log   string // path of what it wrote
}

// guardScript runs a program until its own input ends. What it runs keeps no state, so it need not end in order.
const guardScript = `log=$1; shift; "$@" >"$log" 2>&1 & echo $!; exec >&-; read -r _; kill -KILL $!; wait $!`

// startProcess runs a program that listens on a port of loopback, and returns when it does.
func startProcess(ctx context.Context, log string, port int, env []string, program string, args ...string) (*process, error) {
	p := &process{log: log, guard: exec.Command("/bin/sh", append([]string{"-c", guardScript, "bench-guard", log, program}, args...)...)}
	p.guard.Env = append(os.Environ(), env...)
	p.guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C in the terminal is for us alone
	var err error
	if p.pipe, err = p.guard.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := p.guard.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.guard.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", program, err)
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err == nil {
		p.pid, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err == nil {
		err = awaitListener(ctx, port)
	}
	if err != nil {
		said, _ := os.ReadFile(log)
		p.stop()
		return nil, fmt.Errorf("cannot start %s: %w\n%s", program, err, said)
	}
	return p, nil
}

// stop ends the program and waits for its end.
func (p *process) stop() {
	_ = p.pipe.Close()
	_ = p.guard.Wait() // its status says that the program was killed
}

// awaitListener returns when somebody accepts connections on a port of loopback.
func awaitListener(ctx context.Context, port int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not listen on port %d: %w", port, ctx.Err())
		}
	}
}

// freePort is a port of loopback that nobody listened on a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// cpu is the processor time that the program has used so far.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0, fmt.Errorf("the program has ended, or this is not Linux: %w", err)
	}
	s, err := parseStat(text)
	return s.own, err
}

// memory is the resident memory of the program in bytes.
func (p *process) memory() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		return 0, fmt.Errorf("the program has ended, or this is not Linux: %w", err)
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0, fmt.Errorf("cannot read /proc/%d/statm: %q", p.pid, text)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
