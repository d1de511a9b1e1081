package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tick is the unit of processor time in /proc: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// foreign measures what processor time the rest of the machine takes from us: everything that runs and is neither this process
// nor one that it started, and what the hypervisor took away.
type foreign struct {
	began      time.Time
	busy, ours time.Duration
}

func startForeign() (foreign, error) {
	f := foreign{began: time.Now()}
	var err error
	f.busy, f.ours, err = processorTime()
	return f, err
}

// cores is how many processors the others kept busy since the start, on average.
func (f foreign) cores() (float64, error) {
	busy, ours, err := processorTime()
	if err != nil {
		return 0, err
	}
	others := (busy - f.busy) - (ours - f.ours)
	return max(0, others.Seconds()/time.Since(f.began).Seconds()), nil
}

// processorTime is what the machine has used since it started, and our part of it.
func processorTime() (busy, ours time.Duration, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, fmt.Errorf("cannot read processor times: %w", err)
	}
	if busy, err = parseBusy(text); err != nil {
		return 0, 0, err
	}
	members, ours, err := family(os.Getpid())
	// A process that ends while we read may be missing both among the processes and in what its parent has reaped: read until
	// none does.
	for err == nil {
		before := members
		if members, ours, err = family(os.Getpid()); maps.Equal(before, members) {
			break
		}
	}
	return busy, ours, err
}

// family reads which processes descend from an ancestor, itself included, and the time of all of them and of those of their
// children that have ended.
func family(ancestor int) (members map[int]bool, total time.Duration, err error) {
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, 0, err
	}
	processes := map[int]stat{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended since
		}
		s, err := parseStat(text)
		if err != nil {
			return nil, 0, err
		}
		processes[s.pid] = s
	}
	members = descendants(processes, ancestor)
	for pid := range members {
		total += processes[pid].own + processes[pid].reaped
	}
	return members, total, nil
}

// descendants are those processes whose ancestor it is, and the ancestor.
func descendants(processes map[int]stat, ancestor int) map[int]bool {
	found := map[int]bool{}
	for pid := range processes {
		for at := pid; at != 0; at = processes[at].parent {
			if at == ancestor {
				found[pid] = true
				break
			}
		}
	}
	return found
}

// stat is a process in /proc.
type stat struct {
	pid, parent int
	own         time.Duration // processor time of its own
	reaped      time.Duration // and of its children that it has waited for, and of theirs
}

// parseStat reads /proc/PID/stat.
func parseStat(text []byte) (stat, error) {
	// The name of the program is in parentheses and may hold anything, parentheses too.
	head, tail := bytes.IndexByte(text, ' '), bytes.LastIndexByte(text, ')')
	if head < 0 || tail < 0 {
		return stat{}, fmt.Errorf("cannot read /proc/PID/stat: %q", text)
	}
	fields := bytes.Fields(text[tail+1:])
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("cannot read /proc/PID/stat: %q", text)
	}
	numbers := make([]int64, 0, 6)
	for _, field := range [][]byte{text[:head], fields[1], fields[11], fields[12], fields[13], fields[14]} {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("cannot read /proc/PID/stat: %w", err)
		}
		numbers = append(numbers, n)
	}
	return stat{
		pid: int(numbers[0]), parent: int(numbers[1]),
		own:    time.Duration(numbers[2]+numbers[3]) * tick,
		reaped: time.Duration(numbers[4]+numbers[5]) * tick,
	}, nil
}

// parseBusy reads the time that the processors were not idle from /proc/stat: user, nice, system, irq, softirq and steal.
// The times of guests are part of user.
func parseBusy(text []byte) (time.Duration, error) { return parseProcessors(text, 1, 2, 3, 6, 7, 8) }

// parseStolen reads the time that the hypervisor took from all processors.
func parseStolen(text []byte) (time.Duration, error) { return parseProcessors(text, 8) }

func parseProcessors(text []byte, of ...int) (time.Duration, error) {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return 0, fmt.Errorf("cannot read /proc/stat: %q", line)
	}
	var total time.Duration
	for _, i := range of {
		n, err := strconv.ParseInt(string(fields[i]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("cannot read /proc/stat: %w", err)
		}
		total += time.Duration(n) * tick
	}
	return total, nil
}
