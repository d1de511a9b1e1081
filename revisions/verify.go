package revisions

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
)

// TrailFile is a file of an audit trail, or a log that holds one.
type TrailFile struct {
	Name string
	Text io.Reader
}

// Elsewhere says which files of a trail are not given.
type Elsewhere int

const (
	// NoneElsewhere is for a whole trail.
	NoneElsewhere Elsewhere = iota
	// OlderElsewhere is for what is left when old files have been deleted: chains may begin in the middle, and those that ended before it are not missed.
	OlderElsewhere
	// BothElsewhere is for a part behind which there is more, too: chains may also end in the middle, and none is missed.
	BothElsewhere
)

// Verification is how an audit trail is verified.
type Verification struct {
	Elsewhere Elsewhere
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

// VerifyTrail reads an audit trail, in which the chains of several processes may be mixed. Its files may come in any order: the numbers of their lines say
// which follows which. It finds every line that was edited, torn, inserted, removed or moved. What was done to the end of a chain, or to all of it with every
// hash made anew, only Anchors tell. The error is that of reading.
func VerifyTrail(ctx context.Context, files []TrailFile, how Verification) (Verified, error) {
	v := &verifier{how: how, chains: map[string]*chainState{}, anchors: map[string][]Anchor{}, result: Verified{Chains: []VerifiedChain{}, Findings: []Finding{}}}
	for _, file := range files {
		v.files = append(v.files, file.Name)
	}
	for _, a := range how.Anchors {
		v.anchors[a.Chain] = append(v.anchors[a.Chain], a)
	}
	for _, list := range v.anchors {
		slices.SortFunc(list, func(a, b Anchor) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	if err := v.read(ctx, files); err != nil {
		return Verified{}, err
	}
	v.close()
	return v.result, nil
}

// chunk is some lines of a file. Whoever has looked at them closes ready.
type chunk struct {
	file  int // which of the files
	first int // number of its first line
	text  []byte
	ready chan struct{}
	lines []lookedAt
}

// lookedAt is one line, of which everything is known that can be known without the line before.
type lookedAt struct {
	text    []byte
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
		for i, file := range files {
			if err := split(ctx, i, file, work, inOrder); err != nil {
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

// split cuts a file, by its place among them, into chunks at the ends of lines.
func split(ctx context.Context, place int, file TrailFile, work, inOrder chan<- *chunk) error {
	text, first := bufio.NewReaderSize(file.Text, chunkSize), 1
	for {
		piece := make([]byte, chunkSize, chunkSize+chunkSize/4) // with room for the end of a line
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
			c := &chunk{file: place, first: first, text: piece, ready: make(chan struct{})}
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

// lineEnd is how long the end of a line is, from hashKey on.
const lineEnd = len(hashKey) + 2*sha256.Size + len("\"}\n")

// look checks that a line is whole and has the hash of its content.
func look(line []byte) lookedAt {
	at := len(line) - lineEnd // where a line that is as it was written has its hash
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(hashKey)) {
		at = bytes.LastIndex(line, []byte(hashKey))
	}
	if at < 0 {
		return lookedAt{wrong: "it is not a whole line of the trail"}
	}
	l, said := linkOf(line)
	if !said {
		return lookedAt{wrong: "it does not say which line of which chain it is"}
	}
	l.text = line
	var hash [2 * sha256.Size]byte
	sum := sha256.Sum256(line[:at])
	hex.Encode(hash[:], sum[:])
	l.stated = line[at+len(hashKey):]
	if bytes.HasPrefix(l.stated, hash[:]) && string(l.stated[len(hash):]) == "\"}\n" {
		l.hash, l.stated = l.stated[:len(hash)], nil
		return l
	}
	l.wrong = "it was changed: its content does not have its hash"
	l.hash, l.stated = bytes.Clone(hash[:]), l.stated[:min(len(l.stated), len(hash))]
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
