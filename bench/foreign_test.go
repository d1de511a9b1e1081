package main

import (
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

func TestFamily(t *testing.T) {
	processes := map[int]stat{
		1: {pid: 1, own: time.Hour},
		5: {pid: 5, parent: 1, own: 1 * time.Second, reaped: 2 * time.Second},
		6: {pid: 6, parent: 5, own: 4 * time.Second},
		7: {pid: 7, parent: 6, own: 8 * time.Second},
		8: {pid: 8, parent: 1, own: time.Hour},
		9: {pid: 9, parent: 99, own: time.Hour}, // its parent has ended meanwhile
	}
	if got, want := family(processes, 5), 15*time.Second; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
