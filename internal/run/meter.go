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
	// StepRun counts a step of a plan, which is done afterwards or has failed.
	StepRun(done bool)
	// BatchDone counts the rows of a batch that is committed, and how long it took.
	BatchDone(rows int, took time.Duration)
	// Throttled counts how long a bulk write has waited because of a signal; several at a time are told one by one.
	Throttled(signal string, waited time.Duration)
	// JobEnded counts a run of a bulk write: state is the job's afterwards, done, stopped or void.
	JobEnded(state string)
}

type noMeter struct{}

func (noMeter) LockTried(int, time.Duration, bool) {}
func (noMeter) Blocked(string)                     {}
func (noMeter) Building(int, string, float64)      {}
func (noMeter) StepRun(bool)                       {}
func (noMeter) BatchDone(int, time.Duration)       {}
func (noMeter) Throttled(string, time.Duration)    {}
func (noMeter) JobEnded(string)                    {}

func (r Runner) meter() Meter {
	if r.Meter == nil {
		return noMeter{}
	}
	return r.Meter
}
