package revisions

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// EntryVersion is the version of the form of Entry. A member that is added does not change it.
const EntryVersion = 1

// Kind is what a line of the audit trail is about.
type Kind string

const (
	// Intent is a statement that was judged, before anything of it runs. A Result follows.
	Intent Kind = "intent"
	// Decision is a statement that was judged and is not for us to run: it is refused, or it was only observed.
	Decision Kind = "decision"
	// Result is what became of a statement that was run.
	Result Kind = "result"
	// Ending is how the transaction ended in which statements were run.
	Ending Kind = "outcome"
	// Overridden is a finding of a rule that somebody has taken out of force for a statement.
	Overridden Kind = "override"
	// Work is promised work, or a bulk write, that has begun or come to an end.
	Work Kind = "job"
	// Admin is something about the proxy itself: it was started, stopped, or has another configuration.
	Admin Kind = "admin"
)

// Entry is one line of the audit trail. The caller has removed secrets from every text.
type Entry struct {
	Version int       `json:"v"` // EntryVersion, given by Write
	Kind    Kind      `json:"kind"`
	Time    time.Time `json:"time"` // of a Result: when its statement was judged
	*AuditSession
	Protocol    string        `json:"protocol,omitempty"`           // simple or extended
	Asked       string        `json:"asked,omitempty"`              // what the client sent
	Verdict     string        `json:"verdict,omitempty"`            // pass, warn, rewrite or block
	Rules       []string      `json:"rules,omitempty"`              // names of the rules that led to it
	Overrides   []Override    `json:"overrides,omitempty"`          // what was taken out of force
	Unneeded    []string      `json:"overrides_unneeded,omitempty"` // rules that the statement's own comment allows and that found nothing
	Policy      string        `json:"policy,omitempty"`             // the version of the policy that it was judged by
	Decided     time.Duration `json:"decided_ns,omitempty"`         // nanoseconds that the verdict took: the question for facts, and the rules
	Tag         string        `json:"tag,omitempty"`                // the command tag
	Fingerprint string        `json:"fingerprint,omitempty"`        // the same for statements that differ in literals alone
	Recipe      string        `json:"recipe,omitempty"`             // by what the statement is replaced
	Tool        string        `json:"tool,omitempty"`               // the migration tool, as far as it is known yet
	Revision    string        `json:"revision,omitempty"`           // the revision that it has begun, or that the session claims
	Ran         []string      `json:"ran,omitempty"`                // what the server got instead; empty: what was asked, or nothing
	Promise     int64         `json:"promise,omitempty"`            // the work that was deferred to COMMIT; 0: none
	Tries       int           `json:"tries,omitempty"`              // for locks
	Waited      time.Duration `json:"waited_ns,omitempty"`          // nanoseconds of Took that went into waiting for locks and turns
	Blockers    []Blocker     `json:"blockers,omitempty"`           // who was seen in the way, the first few
	Took        time.Duration `json:"took_ns,omitempty"`            // nanoseconds from the first step to the reply
	Rows        *int64        `json:"rows,omitempty"`               // that the server says it has changed
	Outcome     string        `json:"outcome,omitempty"`            // see docs/audit.md; "" for an Intent
	SQLState    string        `json:"sqlstate,omitempty"`           // of the error
	Error       string        `json:"error,omitempty"`
	// Intent is the number of the line, in this chain, that a Result or an Overridden belongs to; Intents are those of an Ending.
	Intent    int64   `json:"intent,omitempty"`
	Intents   []int64 `json:"intents,omitempty"`
	Unnamed   int     `json:"unnamed,omitempty"`      // how many more statements an Ending is about than Intents tells
	Statement int64   `json:"statement_id,omitempty"` // the ledger's id of the statement
	XID       uint64  `json:"xid,string,omitempty"`   // the transaction, where it is known
	// Job is the ledger's id of the work, Table what it is about and State how it stands.
	Job   int64  `json:"job,omitempty"`
	Table string `json:"table,omitempty"`
	State string `json:"state,omitempty"`
	// Event is what an Admin tells, Detail the particulars.
	Event  string            `json:"event,omitempty"`
	Detail map[string]string `json:"detail,omitempty"`
}

// AuditSession is who a line is about.
type AuditSession struct {
	Session     string            `json:"session"`               // the proxy's own name of the session
	User        string            `json:"user"`                  // session_user
	Role        string            `json:"role,omitempty"`        // what SET ROLE made of it; "" if nothing
	Database    string            `json:"database"`              //
	Client      string            `json:"client"`                // address and port
	TLS         bool              `json:"tls"`                   // between client and proxy
	Certificate string            `json:"certificate,omitempty"` // the subject of the client's certificate, which an authority of ours has signed
	Application string            `json:"application_name"`      //
	Actor       string            `json:"actor,omitempty"`       // who the session says is behind it: SET pgsluice.actor
	Tags        map[string]string `json:"tags,omitempty"`        // of the statement's comment, as sqlcommenter writes them
	Claims      []string          `json:"claims,omitempty"`      // the members of the line that are the client's own words, which nobody has checked
	PID         int32             `json:"pid"`                   // of the server's backend
}

// Blocker is somebody who was in the way of a schema change, as the control login saw it.
type Blocker struct {
	PID         int32         `json:"pid"`                        // 0 for a prepared transaction
	GID         string        `json:"gid,omitempty"`              // of a prepared transaction
	Behind      int32         `json:"behind,omitempty"`           // the blocker that waited for this one; 0: the statement itself did
	Kind        string        `json:"kind"`                       // run.Blocker.Kind
	User        string        `json:"user,omitempty"`             //
	Application string        `json:"application_name,omitempty"` //
	Client      string        `json:"client,omitempty"`           // address
	State       string        `json:"state,omitempty"`            // as in pg_stat_activity
	Age         time.Duration `json:"transaction_ns,omitempty"`   // nanoseconds that its transaction had been open
	Lock        string        `json:"lock,omitempty"`             // what it had of the relation, or waited for
	Query       string        `json:"query,omitempty"`            // its last, without literals; not always the one that took the lock
	Ended       string        `json:"ended,omitempty"`            // canceled or terminated, by lock.cancel_blockers
}

// Override is a finding that somebody has taken out of force.
type Override struct {
	Rule    string `json:"rule"`
	Verdict string `json:"verdict"` // what it would have been: warn, rewrite or block
	Source  string `json:"source"`  // comment, setting, or "exemption" and where that is written
	Reason  string `json:"reason"`
}

// link ties a line to the one before it in its chain. It comes first in each line, as linkOf reads it. The hash is over the line's bytes up to
// the hash itself.
type link struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`  // from 1
	Prev  string `json:"prev"` // hash of the line before, "" for the first
}

// hashKey stands before the hash in each line, which is always its last member.
const hashKey = `,"hash":"`

// Audit writes the audit trail: one JSON object a line, each line in one Write, and each with the hash of the line before,
// so that VerifyTrail finds what was changed. One process has one Audit and so one chain. It is safe for concurrent use.
type Audit struct {
	mu   sync.Mutex
	to   io.Writer
	head Head
	// broken is true when the last Write failed; failures counts all that did.
	broken   bool
	failures int64
	// torn is true when the last Write may have left a part of a line.
	torn bool
	// anchored is the number of the line that was anchored last, about are the databases that lines have been about which are not anchored there, each
	// with the number of the last such line.
	anchored int64
	about    map[string]int64
	// doubts are results of statements whose end was not known when their session ended, by database.
	doubts map[string][]Entry
}

// Head is the last line of a chain. A record of it kept elsewhere shows whether later lines were cut off.
type Head struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`  // 0 when nothing is written yet
	Hash  string `json:"hash"` // lower-case hex
}

// NewAudit begins a chain. The writer stays the caller's, who opens it for appending and closes it. If it has a Sync, that is called before
// a line is anchored.
func NewAudit(to io.Writer) *Audit {
	return &Audit{to: to, head: Head{Chain: rand.Text()}, about: map[string]int64{}, doubts: map[string][]Entry{}}
}

// Write appends an entry and returns its number in the chain. After an error the entry is not in the trail (at most a torn line that VerifyTrail
// shows), and the caller must not run what it would have recorded; the next entry is tried afresh.
func (a *Audit) Write(e Entry) (seq int64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()

	e.Version = EntryVersion
	line, hash, err := a.line(e)
	if err != nil {
		return 0, fmt.Errorf("cannot write the audit trail: %w", err)
	}
	if a.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := a.to.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	a.broken = err != nil
	if err != nil {
		a.failures++
		a.torn = a.torn || n > 0
		return 0, fmt.Errorf("cannot write the audit trail: %w", err)
	}
	a.torn = false
	a.head.Seq++
	a.head.Hash = hash
	if e.AuditSession != nil {
		a.about[e.Database] = a.head.Seq
	}
	return a.head.Seq, nil
}

// Broken reports whether the last Write failed. A refusal is written like everything else, so it becomes false as soon as the trail
// can be written again.
func (a *Audit) Broken() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

// Failures is how many entries could not be written.
func (a *Audit) Failures() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failures
}

// Head is the last line that was written.
func (a *Audit) Head() Head {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.head
}

// Unanchored is the head, once everything up to it is where the writer keeps it for good, and the databases that lines have been about which are not
// anchored there. ok is false when there is nothing to anchor.
func (a *Audit) Unanchored() (head Head, databases []string, ok bool, err error) {
	a.mu.Lock()
	head, databases = a.head, slices.Sorted(maps.Keys(a.about))
	ok = a.head.Seq > a.anchored || len(databases) > 0
	a.mu.Unlock()
	// A head that is anchored and whose line a crash of the machine takes would look like a trail that was cut.
	if keeper, can := a.to.(interface{ Sync() error }); can && ok {
		if err := keeper.Sync(); err != nil {
			return head, databases, ok, fmt.Errorf("cannot make the audit trail last: %w", err)
		}
	}
	return head, databases, ok, nil
}

// Anchored notes that a head was anchored, and that nothing more of the lines up to it is to be for those databases.
func (a *Audit) Anchored(head Head, databases []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.anchored = max(a.anchored, head.Seq)
	for _, database := range databases {
		if a.about[database] <= head.Seq {
			delete(a.about, database)
		}
	}
}

// Doubted keeps the result of a statement whose transaction had not ended, as far as anybody knew, when its session did, until that is resolved. Of each
// database the first mostDoubts are kept.
func (a *Audit) Doubted(result Entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if database := result.Database; len(a.doubts[database]) < mostDoubts {
		a.doubts[database] = append(a.doubts[database], result)
	}
}

// mostDoubts bounds what is remembered of a database whose ledger cannot be asked.
const mostDoubts = 1000

// Doubts takes all doubts, by database; who cannot resolve one gives it back by Doubted.
func (a *Audit) Doubts() map[string][]Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.doubts) == 0 {
		return nil
	}
	taken := a.doubts
	a.doubts = map[string][]Entry{}
	return taken
}

func (a *Audit) line(e Entry) (line []byte, hash string, err error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // SQL is full of < and >
	if err := encoder.Encode(struct {
		link
		Entry
	}{link{Chain: a.head.Chain, Seq: a.head.Seq + 1, Prev: a.head.Hash}, e}); err != nil {
		return nil, "", err
	}
	line = bytes.TrimSuffix(text.Bytes(), []byte("}\n"))
	hash = hashOf(line)
	return append(line, hashKey+hash+"\"}\n"...), hash, nil
}

func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// EndingOf is the line that tells how the transaction of statements has ended, of which there is at least one.
func EndingOf(outcome string, results []Entry) Entry {
	last := results[len(results)-1]
	e := Entry{Kind: Ending, Time: time.Now(), AuditSession: last.AuditSession, Outcome: outcome, XID: last.XID}
	if len(results) == 1 && last.Unnamed == 0 {
		e.Statement = last.Statement
	}
	for _, r := range results {
		e.Unnamed += r.Unnamed
		if r.Intent != 0 {
			e.Intents = append(e.Intents, r.Intent)
		}
	}
	return e
}
