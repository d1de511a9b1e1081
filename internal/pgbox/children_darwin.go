package pgbox

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// children lists the processes whose parent is pid.
func children(pid int) ([]int, error) {
	processes, err := unix.SysctlKinfoProcSlice("kern.proc.all")
	if err != nil {
		return nil, fmt.Errorf("cannot list processes: %w", err)
	}
	var found []int
	for _, p := range processes {
		if int(p.Eproc.Ppid) == pid {
			found = append(found, int(p.Proc.P_pid))
		}
	}
	return found, nil
}
