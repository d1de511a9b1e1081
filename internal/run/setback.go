package run

import (
	"slices"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
)

const (
	// sweepBudget is how long one Run that has Setbacks removes leftovers: other work waits behind it.
	sweepBudget = 10 * time.Second
	// firstSweep is how long the removal of one may take at first, and firstSetback how long one that resists is then left alone; both are doubled
	// with each setback, the latter up to longestSetback.
	firstSweep     = 2 * time.Second
	firstSetback   = 5 * time.Second
	longestSetback = 2 * time.Minute
)

// Setbacks remembers, from one Resume of a database to the next, which leftovers could not be removed, so that one that somebody holds neither keeps
// anything else waiting nor is tried for ever at the same pace. The zero value remembers none. It is used by one Resume at a time.
type Setbacks struct {
	// Now is the time; nil is the clock's.
	Now func() time.Time

	of map[int64]setback // by the id of the artifact
}

type setback struct {
	times  int
	due    time.Time
	needed bool // by a promise, which may be why it was left alone
}

func (s *Setbacks) now() time.Time {
	if s == nil || s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// due are the leftovers that are to be tried now, those first that have waited longest, and forgets what is no leftover any more, or is one
// for another reason. Without Setbacks all are.
func (s *Setbacks) due(left []revisions.Artifact, needed func(revisions.Artifact) bool) []revisions.Artifact {
	if s == nil {
		return left
	}
	now, of := s.now(), map[int64]setback{}
	for _, artifact := range left {
		if before, met := s.of[artifact.ID]; met && before.needed == needed(artifact) {
			of[artifact.ID] = before
		}
	}
	s.of = of
	due := slices.DeleteFunc(slices.Clone(left), func(a revisions.Artifact) bool { return of[a.ID].due.After(now) })
	slices.SortStableFunc(due, func(a, b revisions.Artifact) int { return of[a.ID].due.Compare(of[b.ID].due) })
	return due
}

// budget is how long the removal of one may take this time, in a Run that began to remove them then: most, without Setbacks.
func (s *Setbacks) budget(id int64, began time.Time, most time.Duration) time.Duration {
	if s == nil {
		return most
	}
	return min(most, doubled(firstSweep, s.of[id].times, sweepBudget), sweepBudget-s.now().Sub(began))
}

// note writes down how a removal has ended.
func (s *Setbacks) note(id int64, gone, needed bool) {
	if s == nil {
		return
	}
	if gone {
		delete(s.of, id)
		return
	}
	before := s.of[id]
	s.of[id] = setback{before.times + 1, s.now().Add(doubled(firstSetback, before.times, longestSetback)), needed}
}

// doubled is a duration doubled so many times, at most the longest.
func doubled(d time.Duration, times int, longest time.Duration) time.Duration {
	for ; times > 0 && d < longest; times-- {
		d *= 2
	}
	return min(d, longest)
}
