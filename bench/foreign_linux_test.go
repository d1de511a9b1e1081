package main

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestOwnWorkIsNotForeign: what we burn ourselves, in this process and in others that have ended, is told from what others do.
func TestOwnWorkIsNotForeign(t *testing.T) {
	_, before, err := processorTime()
	if err != nil {
		t.Fatal(err)
	}
	const each = 200 * time.Millisecond
	for began := ownTime(t); ownTime(t)-began < each; {
	}
	grandchild := exec.Command("sh", "-c", `sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; true`)
	if err := grandchild.Run(); err != nil {
		t.Fatal(err)
	}
	burnt := each + grandchild.ProcessState.UserTime() + grandchild.ProcessState.SystemTime()
	_, after, err := processorTime()
	if err != nil {
		t.Fatal(err)
	}
	if got := after - before; got < burnt-2*tick {
		t.Errorf("%s of our own work is counted as %s", burnt, got)
	}
}

func ownTime(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	s, err := parseStat(text)
	if err != nil {
		t.Fatal(err)
	}
	if s.pid != os.Getpid() || s.parent != os.Getppid() {
		t.Fatalf("we are %d of %d, and read %+v", os.Getpid(), os.Getppid(), s)
	}
	return s.own
}
