package pgbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clearCrash waits until the last process of an ended server is gone and removes what only a crash leaves: the System V
// memory segment by which Postgres knows that its data folder is in use, and the lock files, which name process ids that
// somebody else may have by the time of a restart.
func (s *Server) clearCrash() error {
	lock := filepath.Join(s.DataDir(), "postmaster.pid")
	content, err := os.ReadFile(lock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot clear up after a crash: %w", err)
	}
	if segment, ok := memorySegment(string(content)); ok {
		if err := removeSegment(segment); err != nil {
			return fmt.Errorf("cannot clear up after a crash: %w", err)
		}
	}
	socketLock := filepath.Join(s.socketDir, fmt.Sprintf(".s.PGSQL.%d.lock", s.port))
	if err := os.Remove(socketLock); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot clear up after a crash: %w", err)
	}
	if err := os.Remove(lock); err != nil {
		return fmt.Errorf("cannot clear up after a crash: %w", err)
	}
	return nil
}

// memorySegment reads the segment's id from postmaster.pid; false if the server did not come so far as to make one.
func memorySegment(pidfile string) (int, bool) {
	const keyAndID = 6 // LOCK_FILE_LINE_SHMEM_KEY of Postgres, from 0
	lines := strings.Split(pidfile, "\n")
	if len(lines) <= keyAndID {
		return 0, false
	}
	fields := strings.Fields(lines[keyAndID])
	if len(fields) != 2 {
		return 0, false
	}
	id, err := strconv.Atoi(fields[1])
	return id, err == nil
}

// removeSegment removes the segment once no process is attached to it, which is how Postgres itself tells that all
// processes of a server are gone.
func removeSegment(id int) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	deadline := time.After(30 * time.Second)
	for {
		var segment unix.SysvShmDesc
		_, err := unix.SysvShmCtl(id, unix.IPC_STAT, &segment)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EIDRM) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("shared memory segment %d: %w", id, err)
		}
		if segment.Nattch == 0 {
			_, err := unix.SysvShmCtl(id, unix.IPC_RMID, nil)
			return err
		}
		select {
		case <-ticker.C:
		case <-deadline:
			return fmt.Errorf("shared memory segment %d is still used by %d processes", id, segment.Nattch)
		}
	}
}
