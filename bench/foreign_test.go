package main

import (
	"maps"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const text = "4711 (a ) (b) R) S 42 4711 4711 0 -1 4194560 1 2 3 4 100 20 3 7 20 0 1 0 5 6 7"
	want := stat{pid: 4711, parent: 42, own: 1200 * time.Millisecond, reaped: 100 * time.Millisecond}
	got, err := parseStat([]byte(text))
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "4711 (short) S 42", "x (y) S 42 1 1 0 -1 0 1 2 3 4 100 20 3 7"} {
		if got, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}

func TestParseBusy(t *testing.T) {
	got, err := parseBusy([]byte("cpu  10 20 30 4000 500 6 7 8 9 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"))
	if want := 810 * time.Millisecond; err != nil || got != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if got, err := parseBusy([]byte("intr 1 2 3")); err == nil {
		t.Errorf("interrupts are read as %s", got)
	}
}

func TestDescendants(t *testing.T) {
	processes := map[int]stat{}
	for pid, parent := range map[int]int{1: 0, 5: 1, 6: 5, 7: 6, 8: 1, 9: 99} { // 99 has ended meanwhile
		processes[pid] = stat{pid: pid, parent: parent}
	}
	got := descendants(processes, 5)
	if want := map[int]bool{5: true, 6: true, 7: true}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
