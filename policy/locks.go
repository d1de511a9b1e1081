package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// Lock is a lock that others notice, on what others may be using.
type Lock struct {
	// Relation is its name as the statement writes it, Mode the lock's as pg_locks has it.
	Relation, Mode string
	// Waits says who waits behind it.
	Waits string
}

// Locks are those that a statement takes by itself, as it is written, in its order.
func Locks(stmt ddl.Statement, known facts.Facts) []Lock {
	var locks []Lock
	for _, ref := range stmt.Refs {
		r, asked := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		if waits := whoWaits(ref.Lock); waits != "" && !(asked && (r == nil || r.CreatedHere || r.Persistence == "t")) {
			locks = append(locks, Lock{Relation: written(ref.Name), Mode: ref.Lock.String(), Waits: waits})
		}
	}
	return locks
}

// whoWaits says whom a lock keeps waiting, "" for nobody who matters.
func whoWaits(lock ddl.LockMode) string {
	switch {
	case lock.BlocksReaders():
		return "readers and writers wait"
	case lock.BlocksWriters():
		return "writers wait"
	}
	return ""
}

// written is a name as it reads in a text for people.
func written(name ddl.Name) string {
	if name.Schema == "" {
		return name.Name
	}
	return name.Schema + "." + name.Name
}

// shownLocks is how many locks a message tells of.
const shownLocks = 3

// DetailOf is the detail of a finding of the verdict for who sees nothing else: the facts, and the locks of the statement, a line each.
func (v Verdict) DetailOf(f Finding) string {
	var lines []string
	if f.Detail != "" {
		lines = append(lines, f.Detail)
	}
	for i, lock := range slices.Compact(slices.Clone(v.Locks)) {
		if i == shownLocks {
			lines = append(lines, "It locks others besides.")
			break
		}
		lines = append(lines, fmt.Sprintf("It takes %s on %s: %s.", lock.Mode, lock.Relation, lock.Waits))
	}
	return strings.Join(lines, "\n")
}
