package revisions

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// Entry is one line of the audit trail: a statement that was judged. The caller has removed secrets from every text.
type Entry struct {
	Time        time.Time     `json:"time"`
	Session     string        `json:"session"`                      // the proxy's own name of the session
	User        string        `json:"user"`                         // session_user
	Role        string        `json:"role,omitempty"`               // what SET ROLE made of it; "" if nothing
	Database    string        `json:"database"`                     //
	Client      string        `json:"client"`                       // address and port
	TLS         bool          `json:"tls"`                          // between client and proxy
	Application string        `json:"application_name"`             //
	PID         int32         `json:"pid"`                          // of the server's backend
	Asked       string        `json:"asked"`                        // what the client sent
	Verdict     string        `json:"verdict"`                      // pass, warn, rewrite or block
	Rules       []string      `json:"rules,omitempty"`              // names of the rules that led to it
	Overrides   []Override    `json:"overrides,omitempty"`          // what was taken out of force
	Unneeded    []string      `json:"overrides_unneeded,omitempty"` // rules that the statement's own comment allows and that found nothing
	Policy      string        `json:"policy,omitempty"`             // the version of the policy that it was judged by
	Ran         []string      `json:"ran,omitempty"`                // what the server got instead; empty: what was asked, or nothing
	Promise     int64         `json:"promise,omitempty"`            // the work that was deferred to COMMIT; 0: none
	Tries       int           `json:"tries,omitempty"`              // for locks
	Waited      time.Duration `json:"waited_ns,omitempty"`          // nanoseconds of Took that went into waiting for locks and turns
	Blockers    []Blocker     `json:"blockers,omitempty"`           // who was seen in the way, the first few
	Took        time.Duration `json:"took_ns,omitempty"`            // nanoseconds from the first step to the reply
	Outcome     string        `json:"outcome,omitempty"`            // "" for an intent, which is written before the first step
	SQLState    string        `json:"sqlstate,omitempty"`           // of the error
	Error       string        `json:"error,omitempty"`
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

// link ties a line to the one before it in its chain. The hash is over the line's bytes up to the hash itself.
type link struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"`  // from 1
	Prev  string `json:"prev"` // hash of the line before, "" for the first
}

// hashKey stands before the hash in each line, which is always its last member.
const hashKey = `,"hash":"`

// Audit writes the audit trail: one JSON object a line, each line in one Write, and each with the hash of the line before,
// so that VerifyChain finds what was changed. One process has one Audit and so one chain. It is safe for concurrent use.
type Audit struct {
	mu   sync.Mutex
	to   io.Writer
	head Head
	// broken is true when the last Write failed.
	broken bool
	// torn is true when the last Write may have left a part of a line.
	torn bool
}

// Head is the last line of a chain. A record of it kept elsewhere shows whether later lines were cut off.
type Head struct {
	Chain string
	Seq   int64  // 0 when nothing is written yet
	Hash  string // lower-case hex
}

// NewAudit begins a chain. The writer stays the caller's, who opens it for appending and closes it.
func NewAudit(to io.Writer) *Audit {
	return &Audit{to: to, head: Head{Chain: rand.Text()}}
}

// Write appends an entry. After an error the entry is not in the trail (at most a torn line that VerifyChain shows), and the caller must
// not run what it would have recorded; the next entry is tried afresh.
func (a *Audit) Write(e Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()

	line, hash, err := a.line(e)
	if err != nil {
		return fmt.Errorf("cannot write the audit trail: %w", err)
	}
	if a.torn {
		line = append([]byte{'\n'}, line...)
	}
	n, err := a.to.Write(line)
	a.broken = err != nil || n < len(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		a.torn = a.torn || n > 0
		return fmt.Errorf("cannot write the audit trail: %w", err)
	}
	a.torn = false
	a.head.Seq++
	a.head.Hash = hash
	return nil
}

// Broken reports whether the last Write failed. A refusal is written like everything else, so it becomes false as soon as the trail
// can be written again.
func (a *Audit) Broken() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.broken
}

// Head is the last line that was written.
func (a *Audit) Head() Head {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.head
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

// ChainError says where an audit trail was changed.
type ChainError struct {
	Line   int // from 1
	Reason string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("the audit trail was changed at line %d: %s", e.Line, e.Reason)
}

// VerifyChain reads a whole audit trail, in which the chains of several processes may be mixed, and returns a ChainError
// for the first line that was edited, torn, inserted, or that does not follow its predecessor because lines were removed or
// moved. Lines removed at the end of a chain leave no trace in what is left: compare with Audit.Head for that. A trail in
// several files is read from the oldest on (io.MultiReader).
func VerifyChain(r io.Reader) error {
	heads := map[string]Head{}
	lines := bufio.NewReader(r)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n') // a line may be longer than a Scanner takes
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("cannot read the audit trail: %w", err)
		}
		chain, head, reason := follow(heads, line)
		if reason != "" {
			return &ChainError{Line: number, Reason: reason}
		}
		heads[chain] = head
	}
}

// follow checks that a line is whole and comes right behind the head of its chain, and returns the chain's new head.
func follow(heads map[string]Head, line []byte) (chain string, head Head, reason string) {
	at := bytes.LastIndex(line, []byte(hashKey))
	if at < 0 {
		return "", Head{}, "it is not a whole line of the trail"
	}
	hash := hashOf(line[:at])
	if string(line[at:]) != hashKey+hash+"\"}\n" {
		return "", Head{}, "its content does not have its hash"
	}
	var l link
	if err := json.Unmarshal(line, &l); err != nil {
		return "", Head{}, "it is not JSON"
	}
	before := heads[l.Chain]
	if l.Seq != before.Seq+1 {
		return "", Head{}, fmt.Sprintf("it has number %d of chain %s, where %d should follow", l.Seq, l.Chain, before.Seq+1)
	}
	if l.Prev != before.Hash {
		return "", Head{}, fmt.Sprintf("it does not follow line %d of chain %s", before.Seq, l.Chain)
	}
	return l.Chain, Head{Chain: l.Chain, Seq: l.Seq, Hash: hash}, ""
}
