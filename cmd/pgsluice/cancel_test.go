package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
	"github.com/pgsluice/pgsluice/rewrite"
)

// A migration of any kind whose proxy has died behind its COMMIT is given up by its id, at once and by hand: nothing of ours is left, and nobody does
// the work any more. The proxy dies before it has begun with the work, and in the whole matrix at every step of it.
func TestCancelledJobLeavesNothing(t *testing.T) {
	whole := os.Getenv(matrixVariable) == "all"
	for _, kind := range matrixKinds(t) {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, pgtest.Database(t), pgtest.Role(t, "LOGIN"), kind, inTransaction)
			for n, more := 0, true; more && (n < 1 || whole || kind == "not-null"); n++ {
				more = s.cancelAt(t, kind, n)
			}
		})
	}
}

// cancelAt kills the proxy before the n-th lasting statement behind the COMMIT, with 0 before any, gives up what was promised, and looks at what
// is left. It returns false when there is no such step.
func (s *site) cancelAt(t *testing.T, kind string, n int) bool {
	t.Helper()
	proxy := s.serve(t)
	steps, step, applied, committed := 0, "", false, false
	s.tap.arm(func(at moment) bool {
		applied = applied || strings.HasPrefix(at.statement, "INSERT INTO version") // others commit, too
		switch {
		case applied && at.statement == "COMMIT" && !at.before && !committed:
			committed = true
			return false
		case !committed || !at.before:
			return false
		case n > 0 && !lasting.MatchString(at.statement):
			return false
		}
		steps, step = steps+1, at.statement
		if steps < max(n, 1) {
			return false
		}
		proxy.kill()
		return true
	})
	s.migrate(t, proxy)
	_, struck := s.tap.disarm()
	proxy.kill()
	s.awaitEnd(t)
	if !struck {
		s.reset(t)
		return false
	}
	var id int64
	if err := s.side.QueryRow(t.Context(), "SELECT coalesce(max(id), 0) FROM pgsluice.promises WHERE id > $1", s.promised).Scan(&id); err != nil {
		t.Fatal(err)
	}
	var open bool
	if err := s.side.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pgsluice.promises WHERE id = $1 AND state IN ('pending', 'running'))", id).Scan(&open); err != nil {
		t.Fatal(err)
	}
	if n == 0 && !open && !slices.Contains(onTheSpot, kind) {
		t.Fatalf("nothing is promised when this is to be sent: %s", step)
	}
	if open {
		out, err := exec.CommandContext(t.Context(), "pgsluice", "jobs", "cancel", fmt.Sprint(id), "--dsn", s.dsn).CombinedOutput()
		if err != nil || !strings.Contains(string(out), fmt.Sprintf("Job %d is given up.", id)) {
			t.Fatalf("step %d, %s: %v\n%s", n, step, err, out)
		}
	}
	state := s.state(t)
	left := slices.DeleteFunc(leftovers.FindAllString(state, -1), func(line string) bool {
		return strings.Contains(line, sequenceOfColumn)
	})
	for _, constraint := range constraints.FindAllStringSubmatch(s.finished, -1) {
		index := "relation " + constraint[1] + " (i)"
		if !strings.Contains(s.never, index) && strings.Contains(state, index) && !strings.Contains(state, constraint[0]) {
			left = append(left, index)
		}
	}
	if len(left) > 0 || open != strings.Contains(state, "promise void") {
		t.Errorf("step %d, %s: left are %q of\n%s", n, step, left, state)
	}
	s.reset(t)
	return true
}

// onTheSpot are the kinds that have nothing to promise in a transaction.
var onTheSpot = []string{"detach", "refresh"}

// sequenceOfColumn is where a column that is to be an identity has its numbers from until it is one. It belongs to the column, which is the client's.
const sequenceOfColumn = rewrite.HelperPrefix + "t_n_seq"

// constraints are the names of those in a state.
var constraints = regexp.MustCompile(`(?m)^constraint (\S+) of `)

// leftovers are the lines of a state that no person has asked for.
var leftovers = regexp.MustCompile(`(?m)^(.* INVALID|.*` + regexp.QuoteMeta(rewrite.HelperPrefix) + `.*|artifact .*|advisory lock .*|.* DETACH PENDING|promise (pending|running|failed))$`)

// The index of a constraint to be is built and the proxy dies before it makes use of it: whoever does the rest makes the constraint of it, and when the work is
// given up instead, the index goes with it.
func TestIndexWithoutItsConstraint(t *testing.T) {
	for _, kind := range []string{"unique", "primary-key"} {
		for form, statements := range map[string]func(string) []string{"transaction": inTransaction, "autocommit": inAutocommit} {
			for _, cancelled := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%s/given up %t", kind, form, cancelled), func(t *testing.T) {
					t.Parallel()
					s := newSite(t, pgtest.Database(t), pgtest.Role(t, "LOGIN"), kind, statements)
					proxy := s.serve(t)
					s.tap.arm(func(at moment) bool {
						if !at.before || !strings.Contains(at.statement, "USING INDEX") {
							return false
						}
						proxy.kill()
						return true
					})
					s.migrate(t, proxy)
					if _, struck := s.tap.disarm(); !struck {
						t.Fatal("the constraint was never to be made")
					}
					s.awaitEnd(t)
					if state := s.state(t); !strings.Contains(state, "artifact servant t_") {
						t.Fatalf("nobody knows of the index:\n%s", state)
					}
					if !cancelled {
						s.serve(t)
						if state := s.settled(t); state != s.finished {
							t.Errorf("there is:\n%s", state)
						}
						return
					}
					var id int64
					if err := s.side.QueryRow(t.Context(), "SELECT id FROM pgsluice.promises").Scan(&id); err != nil {
						t.Fatal(err)
					}
					if out, err := exec.CommandContext(t.Context(), "pgsluice", "jobs", "cancel", fmt.Sprint(id), "--dsn", s.dsn).CombinedOutput(); err != nil {
						t.Fatalf("%v\n%s", err, out)
					}
					if state := s.state(t); strings.Contains(state, "artifact ") || strings.Contains(state, "USING btree (a)") || strings.Contains(state, "t_pkey (i)") != strings.Contains(s.never, "t_pkey (i)") {
						t.Errorf("there is:\n%s", state)
					}
				})
			}
		}
	}
}
