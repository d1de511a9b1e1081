package run

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed throttle.sql
var throttleSQL string

// ThrottleOptions is when jobs wait. A limit of 0 is off.
type ThrottleOptions struct {
	// Every is the time between two looks; 0 is 500 ms.
	Every time.Duration
	// ReplicaLag and ReplicaLagBytes are how far a replica may be behind in replaying. Replicas names those that count, by
	// application_name; none: all of them.
	ReplicaLag      time.Duration
	ReplicaLagBytes int64
	Replicas        []string
	// SlotRetention is the part, in percent, of max_slot_wal_keep_size that a replication slot may hold back.
	SlotRetention float64
	// LockWaiters is how many sessions may wait for the table, over two looks.
	LockWaiters int
	// ActiveSessions is how many other sessions may be active.
	ActiveSessions int
	// WALRate is in bytes a second.
	WALRate int64
	// ArchiveBacklog is in segments.
	ArchiveBacklog int
	// Autovacuum waits while the table is vacuumed.
	Autovacuum bool
	// Query is a person's own: while the first column of its first row is a number above 0, or true, jobs wait.
	Query string
}

const (
	// released is the part of a limit at which a job that waits for it goes on.
	released = 0.8
	// unreadable is how long what is to be watched may not be readable.
	unreadable = 30 * time.Second
)

// throttle is a Throttle for one job.
type throttle struct {
	options ThrottleOptions
	lend    func(context.Context) (conn Conn, release func(), err error)
	memory
}

// memory is what one look leaves for the next.
type memory struct {
	// holding are the signals that a job waits for.
	holding map[string]bool
	// blind is since when a signal cannot be read.
	blind map[string]time.Time
	// replicas are those that were there.
	replicas map[string]bool
	// waiters are those of the last look.
	waiters []int
	wal     float64
	at      time.Time
}

// NewThrottle makes a Throttle for one job that borrows a connection to the job's database for each look.
func NewThrottle(lend func(context.Context) (conn Conn, release func(), err error), options ThrottleOptions) Throttle {
	return &throttle{options: options, lend: lend, memory: newMemory()}
}

func newMemory() memory {
	return memory{holding: map[string]bool{}, blind: map[string]time.Time{}, replicas: map[string]bool{}}
}

// Every implements Throttle.
func (t *throttle) Every() time.Duration { return orElse(t.options.Every, slice*5/2) }

// Reasons implements Throttle.
func (t *throttle) Reasons(ctx context.Context, pid int, tables []uint32) []string {
	seen, query, err := t.look(ctx, pid, tables)
	if ctx.Err() != nil {
		return nil
	}
	return t.judge(t.options, seen, query, err, time.Now())
}

// Signals implements Throttle.
func (t *throttle) Signals() []string {
	var signals []string
	for signal, held := range t.holding {
		if held {
			signals = append(signals, signal)
		}
	}
	slices.Sort(signals)
	return signals
}

// load is how a server is; what is nil cannot be seen.
type load struct {
	WAL      *float64 `json:"wal"`
	Replicas []struct {
		Name    string   `json:"name"`
		State   *string  `json:"state"`
		Seconds *float64 `json:"seconds"`
		Bytes   *float64 `json:"bytes"`
	} `json:"replicas"`
	Slots []struct {
		Name   string   `json:"name"`
		Status string   `json:"status"`
		Bytes  *float64 `json:"bytes"`
	} `json:"slots"`
	SlotLimit  float64  `json:"slot_limit"`
	Waiters    []int    `json:"waiters"`
	Active     *float64 `json:"active"`
	Unarchived *float64 `json:"unarchived"`
	Vacuums    []struct {
		PID   int     `json:"pid"`
		Table *uint32 `json:"table"`
	} `json:"vacuums"`
}

// answered is what a person's own query says.
type answered struct {
	value string
	err   error
}

// look asks how the server is. The person's query is asked apart: it may fail alone.
func (t *throttle) look(ctx context.Context, pid int, tables []uint32) (seen load, query answered, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, release, err := t.lend(ctx)
	if err != nil {
		return seen, query, err
	}
	defer release()
	oids := make([]string, len(tables))
	for i, table := range tables {
		oids[i] = strconv.FormatUint(uint64(table), 10)
	}
	answer, err := ask(ctx, conn, throttleSQL, strconv.Itoa(pid), "{"+strings.Join(oids, ",")+"}")
	if err != nil {
		return seen, query, err
	}
	if err := json.Unmarshal([]byte(answer), &seen); err != nil {
		return seen, query, fmt.Errorf("cannot read how the server is: %w", err)
	}
	if t.options.Query != "" {
		rows, err := conn.Query(ctx, t.options.Query)
		query.err = err
		if len(rows) > 0 {
			query.value = rows[0]
		}
	}
	return seen, query, nil
}

// judge is why a job must wait, by what was seen now and before. A signal that a job waits for lets it go when it is well below its limit;
// one that cannot be read for a while holds it.
func (m *memory) judge(o ThrottleOptions, seen load, query answered, failed error, now time.Time) (reasons []string) {
	hold := func(signal string, on bool, why string) {
		m.holding[signal] = on
		if on {
			reasons = append(reasons, why)
		}
	}
	// over compares with a limit, a lower one while the job waits for the signal.
	over := func(signal string, value, limit float64) bool {
		if m.holding[signal] {
			limit *= released
		}
		return value > limit
	}
	readable := func(signal string, ok bool, why string) bool {
		if ok {
			delete(m.blind, signal)
			return true
		}
		if m.blind[signal].IsZero() {
			m.blind[signal] = now
		}
		if m.holding[signal] || now.Sub(m.blind[signal]) >= unreadable {
			hold(signal, true, signal+" cannot be read: "+why)
		}
		return false
	}
	const everything = "the server"
	if failed != nil {
		for _, held := range m.holding {
			m.holding[everything] = m.holding[everything] || held
		}
		readable(everything, false, failed.Error())
		return reasons
	}
	readable(everything, true, "")
	m.holding[everything] = false
	const right = "the control login needs pg_read_all_stats"

	if o.ReplicaLag > 0 || o.ReplicaLagBytes > 0 {
		m.judgeReplicas(o, seen, over, hold, readable)
	}
	if o.SlotRetention > 0 {
		why := ""
		for _, s := range seen.Slots {
			switch {
			case s.Status == "extended" || s.Status == "unreserved": // one that is lost is past help
				why = fmt.Sprintf("replication slot %s holds back so much WAL that it is %s", s.Name, s.Status)
			case s.Bytes != nil && seen.SlotLimit > 0 && over("slot retention", *s.Bytes, seen.SlotLimit*o.SlotRetention/100):
				why = fmt.Sprintf("replication slot %s holds back %s of WAL, of %s that it may", s.Name, bytes(*s.Bytes), bytes(seen.SlotLimit))
			}
		}
		hold("slot retention", why != "", why)
	}
	if o.LockWaiters > 0 {
		staying := slices.DeleteFunc(slices.Clone(seen.Waiters), func(pid int) bool { return !slices.Contains(m.waiters, pid) })
		m.waiters = seen.Waiters
		hold("lock waiters", len(staying) >= o.LockWaiters, plural(len(staying), "session waits", "sessions wait")+fmt.Sprintf(" for the table, pid %v", staying))
	}
	if o.ActiveSessions > 0 && readable("active sessions", seen.Active != nil, right) {
		hold("active sessions", over("active sessions", *seen.Active, float64(o.ActiveSessions)),
			fmt.Sprintf("%.0f sessions are active, limit %d", *seen.Active, o.ActiveSessions))
	}
	if o.WALRate > 0 && readable("WAL rate", seen.WAL != nil, "the server is a standby") {
		if !m.at.IsZero() {
			rate := (*seen.WAL - m.wal) / max(now.Sub(m.at).Seconds(), 1e-3)
			hold("WAL rate", over("WAL rate", rate, float64(o.WALRate)), fmt.Sprintf("%s/s of WAL is written, limit %s/s", bytes(rate), bytes(float64(o.WALRate))))
		}
		m.wal, m.at = *seen.WAL, now
	}
	if o.ArchiveBacklog > 0 && readable("archiver", seen.Unarchived != nil, "it has archived nothing yet") {
		hold("archiver", over("archiver", *seen.Unarchived, float64(o.ArchiveBacklog)),
			fmt.Sprintf("%.0f WAL segments are not archived, limit %d", *seen.Unarchived, o.ArchiveBacklog))
	}
	if o.Autovacuum {
		hidden := false
		why := ""
		for _, v := range seen.Vacuums {
			if v.Table == nil {
				hidden = true
				continue
			}
			why = fmt.Sprintf("the table is being vacuumed by pid %d", v.PID)
		}
		if why != "" || readable("autovacuum", !hidden, right) {
			hold("autovacuum", why != "", why)
		}
	}
	if o.Query != "" {
		why := ""
		if query.err != nil {
			why = query.err.Error()
		}
		value, err := strconv.ParseFloat(query.value, 64)
		if err != nil && query.value != "t" && query.value != "f" && query.err == nil {
			why = fmt.Sprintf("it answers %q, which is neither a number nor true or false", query.value)
		}
		if readable("throttle.query", why == "", why) {
			hold("throttle.query", value > 0 || query.value == "t", "batch.throttle.query answers "+query.value)
		}
	}
	return reasons
}

// judgeReplicas holds for a replica that is behind, or that was there and is not any more.
func (m *memory) judgeReplicas(o ThrottleOptions, seen load, over func(string, float64, float64) bool, hold func(string, bool, string),
	readable func(string, bool, string) bool,
) {
	const signal = "replica lag"
	why, hidden := "", false
	there := map[string]bool{}
	for _, r := range seen.Replicas {
		name, _, _ := strings.Cut(r.Name, " ")
		if r.State == nil {
			hidden = true
			continue
		}
		if len(o.Replicas) > 0 && !slices.Contains(o.Replicas, name) {
			continue
		}
		there[r.Name], m.replicas[r.Name] = true, true
		switch {
		case r.Bytes == nil: // it has replayed nothing yet
			why = fmt.Sprintf("replica %s has replayed nothing yet", r.Name)
		case o.ReplicaLagBytes > 0 && over(signal, *r.Bytes, float64(o.ReplicaLagBytes)):
			why = fmt.Sprintf("replica %s is %s behind, limit %s", r.Name, bytes(*r.Bytes), bytes(float64(o.ReplicaLagBytes)))
		// The last lag that was measured stays when nothing is left to replay.
		case o.ReplicaLag > 0 && r.Seconds != nil && *r.Bytes > 0 && over(signal, *r.Seconds, o.ReplicaLag.Seconds()):
			why = fmt.Sprintf("replica %s is %s behind, limit %s", r.Name, seconds(*r.Seconds).Round(time.Second/10), o.ReplicaLag)
		}
	}
	for name := range m.replicas {
		if !there[name] && !hidden {
			why = fmt.Sprintf("replica %s is gone", name)
		}
	}
	if why != "" || readable(signal, !hidden, "the control login needs pg_read_all_stats") {
		hold(signal, why != "", why)
	}
}

// bytes is a size for people.
func bytes(n float64) string {
	const units = "KMGTP"
	if n < 1024 {
		return fmt.Sprintf("%.0f B", n)
	}
	unit := 0
	for n /= 1024; n >= 1024 && unit < len(units)-1; unit++ {
		n /= 1024
	}
	return fmt.Sprintf("%.1f %ciB", n, units[unit])
}
