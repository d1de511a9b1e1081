package run

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Contention is what a backend waits for and who is in its way.
type Contention struct {
	// Relation and Mode are the lock that it waits for; "" when it waits for no relation.
	Relation, Mode string
	// Queue counts the others that wait for the same relation behind it.
	Queue int
	// Queued is how long, in seconds, the first of those waits already; 0 before 14, where the server does not tell.
	Queued float64
	// Blockers are those in its way, and behind them those in theirs.
	Blockers []Blocker
}

// Blocker is a session, or a prepared transaction, that is in the way.
type Blocker struct {
	// PID is 0 for a prepared transaction, whose name is GID.
	PID int    `json:"pid"`
	GID string `json:"gid"`
	// Behind is the pid of the blocker that waits for this one; 0 for one that is in the way itself.
	Behind int    `json:"behind"`
	User   string `json:"user"`
	State  string `json:"state"`
	// Transaction is its virtual transaction id while it is in one, as pg_locks has it; "" if that was not asked.
	Transaction string `json:"transaction"`
	// Seconds is the age of its transaction.
	Seconds float64 `json:"seconds"`
	// Mode is the lock that it has or waits for, where that is what was asked.
	Mode string `json:"mode"`
	// Autovacuum is true for a worker that gives way to a waiter; one that prevents wraparound does not.
	Autovacuum bool `json:"autovacuum"`
	Wraparound bool `json:"wraparound"`
	// Maintenance is true for one that has the maintenance lock of the table: another plan.
	Maintenance bool `json:"maintenance"`
	// Query, Application and Address are set only if the login that runs the plan may read them itself.
	Query       string `json:"query"`
	Application string `json:"application"`
	Address     string `json:"address"`
	// Seen is the same as the control login sees it. It is not for the client, and its query is not for anybody before it is redacted.
	Seen Seen `json:"seen"`
	// Ended is what was done to it by Options.CancelBlockers: "canceled", "terminated", or "" for nothing.
	Ended string `json:"-"`
}

// Seen is what the control login knows of a session.
type Seen struct {
	Query       string `json:"query"`
	Application string `json:"application"`
	Address     string `json:"address"`
}

// String hides it from whoever prints a Blocker.
func (Seen) String() string { return "(seen by the control login)" }

// yields reports whether what is in the way is autovacuum, and only such that ends for a waiter of more than deadlock_timeout.
func (c Contention) yields() bool {
	vacuums := 0
	for _, b := range c.Blockers {
		if b.Behind != 0 {
			continue
		}
		if !b.Autovacuum || b.Wraparound {
			return false
		}
		vacuums++
	}
	return vacuums > 0
}

// Kind is what sort of blocker it is, of a fixed set of words.
func (b Blocker) Kind() string {
	switch {
	case b.PID == 0:
		return "prepared transaction"
	case b.Wraparound:
		return "autovacuum to prevent wraparound"
	case b.Autovacuum:
		return "autovacuum"
	case slices.Contains([]string{"active", "idle in transaction", "idle in transaction (aborted)"}, b.State):
		return b.State
	}
	return "other"
}

// brief names the blocker for a one-line message.
func (b Blocker) brief() string {
	var about []string
	if b.Autovacuum {
		about = append(about, "autovacuum")
	} else if b.User != "" {
		about = append(about, b.User)
	}
	if b.Wraparound {
		about = append(about, "to prevent wraparound")
	}
	if b.State != "" {
		about = append(about, b.State)
	}
	if b.Seconds > 0 {
		about = append(about, "transaction open for "+seconds(b.Seconds).Round(time.Second/10).String())
	}
	who := fmt.Sprintf("pid %d", b.PID)
	if b.PID == 0 {
		who = "a prepared transaction"
		if b.GID != "" {
			who = "prepared transaction '" + strings.ReplaceAll(b.GID, "'", "''") + "'"
		}
	}
	if len(about) == 0 {
		return who
	}
	return fmt.Sprintf("%s (%s)", who, strings.Join(about, ", "))
}

// full names the blocker with all that the reader may know.
func (b Blocker) full() string {
	text := b.brief()
	if b.Mode != "" {
		text += ", " + b.Mode
	}
	if b.Application != "" {
		text += fmt.Sprintf(", application %q", b.Application)
	}
	if b.Address != "" {
		text += ", from " + b.Address
	}
	if b.Ended != "" {
		text += ", " + b.Ended
	}
	if b.Query != "" {
		text += ", query: " + b.Query
	}
	return text
}

// advice is what a person can do about what is in the way.
func advice(found []Blocker) string {
	if len(found) == 0 {
		return "Run it again when the blocking transaction has ended."
	}
	switch first := found[0]; {
	case first.PID == 0 && first.GID != "":
		return fmt.Sprintf("End it with COMMIT PREPARED '%[1]s' or ROLLBACK PREPARED '%[1]s', and run this again.", strings.ReplaceAll(first.GID, "'", "''"))
	case first.PID == 0:
		return "End it with COMMIT PREPARED or ROLLBACK PREPARED, pg_prepared_xacts shows its name, and run this again."
	case first.Wraparound:
		return "Leave it alone, it gives way to nobody and starts again when it is canceled: run this again when it has ended."
	default:
		return fmt.Sprintf("End the blocking transaction, for example with SELECT pg_terminate_backend(%d), and run this again.", first.PID)
	}
}

func blockedBy(seen Contention) string {
	if len(seen.Blockers) == 0 {
		return ""
	}
	return ", blocked by " + seen.Blockers[0].brief()
}

// detail has a line for each blocker, and names the chain behind it.
func detail(found []Blocker) string {
	if len(found) == 0 {
		return ""
	}
	var lines []string
	queries := false
	for _, b := range found {
		line := "Blocked by " + b.full() + "."
		if b.Behind != 0 {
			line = fmt.Sprintf("pid %d waits for %s.", b.Behind, b.full())
		}
		lines = append(lines, line)
		queries = queries || b.Query != ""
	}
	if queries {
		lines = append(lines, "The query shown may not be the one that took the lock.")
	}
	return strings.Join(lines, "\n")
}

func queued(others int) string {
	if others == 0 {
		return ""
	}
	return fmt.Sprintf("\n%s waited for the same relation.", plural(others, "other session", "other sessions"))
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// readable adds what the plan's own login may read of the blockers. In a failed transaction or pipeline nothing can be asked.
func (w *work) readable(ctx context.Context, found []Blocker) []Blocker {
	if len(found) == 0 || w.Conn.TxStatus() == 'E' || w.Options.Pipeline {
		return found
	}
	var pids []string
	for _, b := range found {
		pids = append(pids, strconv.Itoa(b.PID))
	}
	rows, err := w.Conn.Query(ctx, `SELECT pg_catalog.json_build_object('pid', a.pid, 'query', a.query,
			'application', a.application_name, 'address', pg_catalog.host(a.client_addr))
		FROM pg_catalog.pg_stat_activity AS a
		WHERE a.pid OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.int4[]) AND a.query OPERATOR(pg_catalog.<>) '<insufficient privilege>'`,
		"{"+strings.Join(pids, ",")+"}")
	if err != nil {
		return found
	}
	may, err := blockers(rows)
	if err != nil {
		return found
	}
	for i := range found {
		for _, m := range may {
			if m.PID == found[i].PID {
				found[i].Query, found[i].Application, found[i].Address = brief(m.Query), m.Application, m.Address
			}
		}
	}
	return found
}

// unblock cancels, as far as Options.CancelBlockers and the control login allow, what was in the way of so many tries in vain: a statement that runs
// first, and the whole session only when its transaction was in the way of one more.
func (w *work) unblock(ctx context.Context, tries int, seen *Contention) {
	after := w.Options.CancelBlockers
	if w.Watch == nil || after <= 0 || tries < after {
		return
	}
	for i, b := range seen.Blockers {
		if b.PID == 0 || b.Transaction == "" || b.Behind != 0 || b.Autovacuum {
			continue
		}
		terminate := w.warned[b.Transaction] || b.State != "active"
		ended, err := w.Watch.End(ctx, w.session.PID, b, terminate)
		if err != nil {
			w.notice(fmt.Sprintf("pgsluice: %s cannot be ended: %v", b.brief(), err))
			continue
		}
		if !ended {
			continue
		}
		if w.warned == nil {
			w.warned = map[string]bool{}
		}
		w.warned[b.Transaction] = true
		seen.Blockers[i].Ended = map[bool]string{false: "canceled", true: "terminated"}[terminate]
		w.notice(fmt.Sprintf("pgsluice: %s %s, after %s in vain (lock.cancel_blockers)", seen.Blockers[i].Ended, b.brief(), plural(tries, "try", "tries")))
	}
	w.note(seen.Blockers)
}

// note remembers who was in the way, once each.
func (w *work) note(found []Blocker) {
	for _, b := range found {
		same := func(other Blocker) bool {
			return other.PID == b.PID && other.GID == b.GID && other.Transaction == b.Transaction
		}
		i := slices.IndexFunc(w.result.Blockers, same)
		switch {
		case i >= 0:
			b.Ended = max(b.Ended, w.result.Blockers[i].Ended) // "terminated" is more than "canceled"
			w.result.Blockers[i] = b
		case len(w.result.Blockers) < mostBlockers:
			w.result.Blockers = append(w.result.Blockers, b)
			w.meter().Blocked(b.Kind())
		}
	}
}

// mostBlockers is how many blockers a Result remembers.
const mostBlockers = 20
