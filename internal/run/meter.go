package run

import "time"

// Meter counts what plans meet. Its methods may be called from any goroutine.
type Meter interface {
	// LockTried counts a lock that was tried for so often and so long, and in the end got or not.
	LockTried(tries int, waited time.Duration, got bool)
	// Blocked counts somebody who was in the way; kind is one of Blocker.Kind.
	Blocked(kind string)
	// Building says how much of its phase a build by the backend has done, from 0 to 1; phase is "" when the build has ended.
	Building(pid int, phase string, done float64)
}

type noMeter struct{}

func (noMeter) LockTried(int, time.Duration, bool) {}
func (noMeter) Blocked(string)                     {}
func (noMeter) Building(int, string, float64)      {}

func (r Runner) meter() Meter {
	if r.Meter == nil {
		return noMeter{}
	}
	return r.Meter
}
