//go:build unix

package ddl

import (
	"fmt"
	"syscall"
)

// neededStack is what the deepest text that is let through needs, twice over.
const neededStack = 1 << 20

// CheckStack returns an error if the threads of this process have less stack than the bound on nesting was proven with: then one text could
// end the process. A program asks once, when it starts.
func CheckStack() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_STACK, &limit); err != nil {
		return fmt.Errorf("cannot read the limit of the stack: %w", err)
	}
	if limit.Cur < neededStack {
		return fmt.Errorf("stack of a thread is limited to %d KiB, SQL that is nested deeply needs %d: raise it with ulimit -s", limit.Cur>>10, neededStack>>10)
	}
	return nil
}
