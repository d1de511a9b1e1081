package main

import (
	"os"
	"testing"
	"time"
)

// TestOwnWorkIsNotForeign: what we burn ourselves is told from what others do.
func TestOwnWorkIsNotForeign(t *testing.T) {
	_, before, err := processorTime()
	if err != nil {
		t.Fatal(err)
	}
	const work = 200 * time.Millisecond
	own := func() time.Duration {
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
	for began := own(); own()-began < work; {
	}
	_, after, err := processorTime()
	if err != nil {
		t.Fatal(err)
	}
	if after-before < work {
		t.Errorf("%s of our own work is counted as %s", work, after-before)
	}
}
