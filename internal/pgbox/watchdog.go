package pgbox

import (
	_ "embed"
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

//go:embed watchdog.sh
var watchdogScript string

// watchdog is the process that cleans up after us if we cannot. A pipe was chosen over Linux's PR_SET_PDEATHSIG because
// that is bound to the thread that forked, reaches the postmaster only, and does not exist on macOS; and because
// somebody has to remove the folder too. Its process group keeps a Ctrl-C in the terminal away from the server.
type watchdog struct {
	cmd  *exec.Cmd
	pipe io.Closer
}

// startWatchdog guards the folders until release.
func startWatchdog(folders ...string) (*watchdog, error) {
	// It runs as ourselves, so that it may remove what we may.
	cmd := exec.Command("/bin/sh", append([]string{"-c", watchdogScript, "pgsluice-watchdog"}, folders...)...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("cannot make the watchdog's pipe: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the watchdog: %w", err)
	}
	return &watchdog{cmd: cmd, pipe: pipe}, nil
}

// join puts a program that is not started yet under the watchdog's guard.
func (w *watchdog) join(cmd *exec.Cmd) {
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pgid = w.cmd.Process.Pid
}

// release lets the watchdog do its work, which removes the folders, and waits for its end.
func (w *watchdog) release() error {
	closeErr := w.pipe.Close()
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("cannot clean up: the watchdog ended with %w", err)
	}
	return closeErr
}
