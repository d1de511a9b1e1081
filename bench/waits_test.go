package main

import (
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	var w waits
	for i := 1000; i >= 1; i-- {
		w = append(w, time.Duration(i)*time.Millisecond)
	}
	for percent, want := range map[float64]time.Duration{
		50: 500 * time.Millisecond, 99.9: 999 * time.Millisecond, 100: time.Second, 0: time.Millisecond,
	} {
		if got := w.percentile(percent); got != want {
			t.Errorf("%v %% is %s, want %s", percent, got, want)
		}
	}
	if got := w.longest(); got != time.Second {
		t.Errorf("the longest is %s", got)
	}
	if got := (waits{}).longest(); got != 0 {
		t.Errorf("the longest of none is %s", got)
	}
}

// TestDuring: what was under way while the migration ran counts, and counts whole.
func TestDuring(t *testing.T) {
	began := time.Now()
	at := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	c := customer{served: []served{
		{at(-9), at(-8)},
		{at(-2), at(1)},
		{at(3), at(5)},
		{at(9), at(13)},
		{at(11), at(12)},
	}}
	got := c.during(began, at(10))
	want := waits{3 * time.Second, 2 * time.Second, 4 * time.Second}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
}
