package main

import (
	"math"
	"slices"
	"time"
)

// waits are how long statements took, from when they were due.
type waits []time.Duration

func (w waits) longest() time.Duration { return w.percentile(100) }

// percentile is the wait that so many per cent of all do not exceed; 0 of no waits.
func (w waits) percentile(percent float64) time.Duration {
	if len(w) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(w))
	rank := int(math.Ceil(float64(len(sorted)) * percent / 100))
	return sorted[max(rank-1, 0)]
}
