package revisions

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// TrailFile is a file of an audit trail, or a log that holds one.
type TrailFile struct {
	Name string
	Text io.Reader
}

// Verification is how an audit trail is verified.
type Verification struct {
	// Partial is true when older or newer files of the trail are elsewhere: then a chain may begin or end in the middle.
	Partial bool
	// Log is true when the files are logs, in which other lines stand, too.
	Log bool
	// Anchors are those of ledgers, nil when none was asked. Then nobody can tell whether lines are missing at the end of a chain, or whether all of it was
	// written anew.
	Anchors []Anchor
}

// Finding is a place where an audit trail is not as it was written.
type Finding struct {
	File   string `json:"file,omitempty"` // "" for what is in no file
	Line   int    `json:"line,omitempty"` // from 1
	Chain  string `json:"chain,omitempty"`
	Reason string `json:"reason"`
}

func (f Finding) String() string {
	if f.File == "" {
		return f.Reason
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Reason)
}

// VerifiedChain is the part of a chain that was found.
type VerifiedChain struct {
	Chain   string `json:"chain"`
	First   int64  `json:"first"` // numbers of its first and last line
	Last    int64  `json:"last"`
	Process string `json:"process,omitempty"` // that wrote it, as its anchors say
	// Anchored is the last line that a ledger vouches for, at the time of At; 0 for none.
	Anchored int64      `json:"anchored"`
	At       *time.Time `json:"anchored_at,omitempty"`
}

// Verified is what a verification has found.
type Verified struct {
	Lines    int64           `json:"lines"`
	Chains   []VerifiedChain `json:"chains"`
	Findings []Finding       `json:"findings"`
	// More counts the findings beyond mostFindings.
	More int `json:"more_findings,omitempty"`
}

// mostFindings bounds what is said of a trail that is not one.
const mostFindings = 100

// VerifyTrail reads a whole audit trail, from its oldest file on, in which the chains of several processes may be mixed. It finds every line that was
// edited, torn, inserted, removed or moved. What was done to the end of a chain, or to all of it with every hash made anew, only Anchors tell. The error is
// that of reading.
func VerifyTrail(ctx context.Context, files []TrailFile, how Verification) (Verified, error) {
	v := &verifier{how: how, chains: map[string]*chainState{}, anchors: map[string][]Anchor{}, result: Verified{Chains: []VerifiedChain{}, Findings: []Finding{}}}
	for _, a := range how.Anchors {
		v.anchors[a.Chain] = append(v.anchors[a.Chain], a)
	}
	for _, list := range v.anchors {
		slices.SortFunc(list, func(a, b Anchor) int { return int(a.Seq - b.Seq) })
	}
	if err := v.read(ctx, files); err != nil {
		return Verified{}, err
	}
	v.close()
	return v.result, nil
}

// chunk is some lines of a file. Whoever has looked at them closes ready.
type chunk struct {
	file  string
	first int // number of its first line
	text  []byte
	ready chan struct{}
	lines []lookedAt
}

// lookedAt is one line, of which everything is known that can be known without the line before.
type lookedAt struct {
	skipped bool   // it is no line of a trail, and need not be
	wrong   string // what is wrong with it; then the rest is as it says itself, as far as it does
	chain   []byte // "" when it does not say
	prev    []byte
	hash    []byte
	stated  []byte // the hash that it says it has, where that is another
	seq     int64
}

// chunkSize is how much is looked at in one piece, in bytes; longer when a line is.
const chunkSize = 256 << 10

// read has all processors look at lines, and follows the chains in their order.
func (v *verifier) read(ctx context.Context, files []TrailFile) error {
	workers := runtime.GOMAXPROCS(0)
	group, ctx := errgroup.WithContext(ctx)
	work, inOrder := make(chan *chunk), make(chan *chunk, 2*workers)
	group.Go(func() error {
		defer close(inOrder)
		defer close(work)
		for _, file := range files {
			if err := split(ctx, file, work, inOrder); err != nil {
				return err
			}
		}
		return nil
	})
	for range workers {
		group.Go(func() error {
			for c := range work {
				c.look(v.how.Log)
				close(c.ready)
			}
			return nil
		})
	}
	group.Go(func() error {
		for c := range inOrder {
			select {
			case <-c.ready:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			for i := range c.lines {
				v.follow(c.file, c.first+i, &c.lines[i])
			}
		}
		return nil
	})
	return group.Wait()
}

// split cuts a file into chunks at the ends of lines.
func split(ctx context.Context, file TrailFile, work, inOrder chan<- *chunk) error {
	text, first := bufio.NewReaderSize(file.Text, chunkSize), 1
	for {
		piece := make([]byte, chunkSize)
		n, err := io.ReadFull(text, piece)
		piece = piece[:n]
		if err == nil { // up to the end of the line
			var rest []byte
			rest, err = text.ReadBytes('\n')
			piece = append(piece, rest...)
		}
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return fmt.Errorf("cannot read %s: %w", file.Name, err)
		}
		if len(piece) > 0 {
			c := &chunk{file: file.Name, first: first, text: piece, ready: make(chan struct{})}
			for _, to := range []chan<- *chunk{inOrder, work} {
				select {
				case to <- c:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			first += bytes.Count(piece, []byte{'\n'})
		}
		if err != nil {
			return nil
		}
	}
}

// look looks at each line by itself.
func (c *chunk) look(isLog bool) {
	c.lines = make([]lookedAt, 0, bytes.Count(c.text, []byte{'\n'})+1)
	for rest := c.text; len(rest) > 0; {
		line := rest
		if end := bytes.IndexByte(rest, '\n'); end >= 0 {
			line = rest[:end+1]
		}
		rest = rest[len(line):]
		if isLog {
			var ours bool
			if line, ours = within(line); !ours {
				c.lines = append(c.lines, lookedAt{skipped: true})
				continue
			}
		}
		c.lines = append(c.lines, look(line))
	}
}

// lineStart begins every line of a trail.
const lineStart = `{"chain":"`

// within is the line of a trail that a line of a log holds: as it is, at its end or as a value, or as a quoted one.
func within(line []byte) (trail []byte, ours bool) {
	if at := bytes.Index(line, []byte(lineStart)); at >= 0 {
		trail = line[at:]
		if end := bytes.LastIndex(trail, []byte(hashKey)); end >= 0 {
			end += len(hashKey) + hex.EncodedLen(sha256.Size) + len(`"}`)
			trail = trail[:min(end, len(trail))]
		}
		return append(slices.Clone(bytes.TrimRight(trail, "\r\n")), '\n'), true
	}
	at := bytes.Index(line, []byte(strconv.Quote(lineStart)[:len(lineStart)]))
	if at < 0 {
		return nil, false
	}
	quoted, err := strconv.QuotedPrefix(string(line[at:]))
	if err != nil {
		return bytes.TrimRight(line[at:], "\r\n"), true // torn
	}
	text, err := strconv.Unquote(quoted)
	if err != nil {
		return line[at:], true
	}
	return []byte(text + "\n"), true
}

// look checks that a line is whole and has the hash of its content.
func look(line []byte) lookedAt {
	at := bytes.LastIndex(line, []byte(hashKey))
	if at < 0 {
		return lookedAt{wrong: "it is not a whole line of the trail"}
	}
	l, said := linkOf(line)
	if !said {
		return lookedAt{wrong: "it does not say which line of which chain it is"}
	}
	sum := sha256.Sum256(line[:at])
	want := make([]byte, 0, len(hashKey)+hex.EncodedLen(len(sum))+len("\"}\n"))
	want = append(hex.AppendEncode(append(want, hashKey...), sum[:]), "\"}\n"...)
	l.hash = want[len(hashKey) : len(want)-len("\"}\n")]
	if !bytes.Equal(line[at:], want) {
		l.wrong = "it was changed: its content does not have its hash"
		l.stated = line[at+len(hashKey):]
		l.stated = l.stated[:min(len(l.stated), hex.EncodedLen(len(sum)))]
	}
	return l
}

// linkOf reads the link at the beginning of a line. It accepts what Audit writes and nothing else: another reader of JSON might read another thing.
func linkOf(line []byte) (l lookedAt, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(lineStart))
	if !ok {
		return l, false
	}
	var number []byte
	if l.chain, rest, ok = bytes.Cut(rest, []byte(`","seq":`)); !ok || !plainWord(l.chain) {
		return l, false
	}
	if number, rest, ok = bytes.Cut(rest, []byte(`,"prev":"`)); !ok {
		return l, false
	}
	seq, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil || seq < 1 {
		return l, false
	}
	l.seq = seq
	if l.prev, _, ok = bytes.Cut(rest, []byte{'"'}); !ok || !plainWord(l.prev) && len(l.prev) > 0 {
		return l, false
	}
	return l, true
}

// plainWord reports whether a text has letters and digits only.
func plainWord(text []byte) bool {
	for _, c := range text {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(text) > 0
}

// verifier follows the chains of a trail.
type verifier struct {
	how     Verification
	chains  map[string]*chainState
	order   []*chainState
	anchors map[string][]Anchor // by chain, in order
	result  Verified
}

// chainState is how far a chain has come.
type chainState struct {
	VerifiedChain
	hash    []byte // of its last line
	stated  []byte // what that says of itself, where it is another: one of the two is what the next line was written behind
	file    string // where it is
	line    int
	anchors []Anchor // that are still to come
}

func (v *verifier) found(f Finding) {
	if len(v.result.Findings) == mostFindings {
		v.result.More++
		return
	}
	v.result.Findings = append(v.result.Findings, f)
}

// follow checks that a line comes right behind the head of its chain.
func (v *verifier) follow(file string, number int, l *lookedAt) {
	if l.skipped {
		return
	}
	v.result.Lines++
	wrong := func(format string, args ...any) {
		v.found(Finding{File: file, Line: number, Chain: string(l.chain), Reason: fmt.Sprintf(format, args...)})
	}
	c, known := v.chains[string(l.chain)]
	if l.chain == nil || !known && l.wrong != "" {
		wrong("%s", l.wrong)
		return
	}
	if !known {
		c = v.begin(l)
	}
	next := c.Last + 1
	switch {
	case l.wrong != "":
		wrong("%s", l.wrong)
		l.seq = next // whatever it says
	case l.seq > next && !known:
		wrong("its chain begins with number %d: lines before it are missing, or in a file that was not given", l.seq)
	case l.seq == next+1:
		wrong("line %d of its chain is missing before it", next)
	case l.seq > next:
		wrong("lines %d to %d of its chain are missing before it", next, l.seq-1)
	case l.seq < next:
		wrong("it has number %d of its chain and stands behind number %d: it was moved or repeated", l.seq, c.Last)
		return
	case !bytes.Equal(l.prev, c.hash) && (c.stated == nil || !bytes.Equal(l.prev, c.stated)):
		wrong("it does not follow line %d of its chain: one of the two was changed, and given a new hash", c.Last)
	}
	c.Last, c.hash, c.stated, c.file, c.line = l.seq, bytes.Clone(l.hash), bytes.Clone(l.stated), file, number
	for len(c.anchors) > 0 && c.anchors[0].Seq <= l.seq {
		anchor := c.anchors[0]
		c.anchors = c.anchors[1:]
		switch {
		case anchor.Seq < l.seq:
			// It is missing, or before the part that is here.
		case l.wrong != "":
			// Which is said already.
		case !bytes.Equal(l.hash, []byte(anchor.Hash)):
			wrong("it is not the line %d that was anchored at %s: its chain was written anew", l.seq, anchor.At.Format(time.RFC3339))
		default:
			c.Anchored, c.At = anchor.Seq, &anchor.At
		}
	}
}

// begin takes up a chain at its first line.
func (v *verifier) begin(l *lookedAt) *chainState {
	c := &chainState{VerifiedChain: VerifiedChain{Chain: string(l.chain), First: l.seq}}
	c.anchors = v.anchors[c.Chain]
	if len(c.anchors) > 0 {
		c.Process = c.anchors[0].Process
	}
	if v.how.Partial {
		c.Last, c.hash = l.seq-1, l.prev
	}
	v.chains[c.Chain], v.order = c, append(v.order, c)
	return c
}

// close says what is missing at the ends.
func (v *verifier) close() {
	for _, c := range v.order {
		v.result.Chains = append(v.result.Chains, c.VerifiedChain)
		if v.how.Anchors == nil {
			continue
		}
		if len(c.anchors) > 0 && !v.how.Partial {
			last := c.anchors[len(c.anchors)-1]
			v.found(Finding{File: c.file, Line: c.line, Chain: c.Chain, Reason: fmt.Sprintf(
				"it is the last of its chain, number %d, but number %d was anchored at %s: the lines behind it were cut off", c.Last, last.Seq, last.At.Format(time.RFC3339))})
		}
		if len(v.anchors[c.Chain]) == 0 {
			v.found(Finding{File: c.file, Line: c.line, Chain: c.Chain, Reason: fmt.Sprintf(
				"it ends chain %s, of which no line is anchored: the chain was made up, or is anchored in the ledger of another database", c.Chain)})
		}
	}
	if v.how.Partial {
		return
	}
	var missing []Finding
	for chain, anchors := range v.anchors {
		if v.chains[chain] == nil {
			last := anchors[len(anchors)-1]
			missing = append(missing, Finding{Chain: chain, Reason: fmt.Sprintf(
				"chain %s of process %s is missing, whose line %d was anchored at %s: its lines were removed, or are in a file that was not given",
				chain, last.Process, last.Seq, last.At.Format(time.RFC3339))})
		}
	}
	slices.SortFunc(missing, func(a, b Finding) int { return strings.Compare(a.Reason, b.Reason) })
	for _, f := range missing {
		v.found(f)
	}
}
