package revisions

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// verifier follows the chains of a trail through each file, and then joins what the files have of each chain.
type verifier struct {
	how     Verification
	files   []string // names
	chains  map[string]*chainState
	order   []*chainState
	anchors map[string][]Anchor // by chain, in order
	found   []placed
	result  Verified
}

// placed is a finding with the place of its file among them all.
type placed struct {
	file int
	Finding
}

// chainState is what was found of a chain.
type chainState struct {
	VerifiedChain
	segments []*segment
	anchors  []Anchor
	// sure is true when a line of it is as it was written: what was changed may name any chain.
	sure bool
}

// segment is what one file has of a chain.
type segment struct {
	file        int
	from, to    int   // its first and last line there
	first, last int64 // their numbers in the chain
	// changed is true when its first line was changed, vague while all of its lines were: then the numbers are what the first one says.
	changed, vague bool
	prev           []byte // hash of the line before it
	hash           []byte // of its last line
	stated         []byte // what that says of itself, where it is another: one of the two is what the next line was written behind
	began          time.Time
	anchors        []Anchor // that are still to come
}

func (v *verifier) find(file int, f Finding) {
	if len(v.found) == mostFindings {
		v.result.More++
		return
	}
	v.found = append(v.found, placed{file, f})
}

// wrong is a finding about a line.
func (v *verifier) wrong(file, line int, chain, format string, args ...any) {
	v.find(file, Finding{File: v.files[file], Line: line, Chain: chain, Reason: fmt.Sprintf(format, args...)})
}

// follow checks that a line comes right behind the one before it of its chain in its file.
func (v *verifier) follow(file, number int, l *lookedAt) {
	if l.skipped {
		return
	}
	v.result.Lines++
	wrong := func(format string, args ...any) { v.wrong(file, number, string(l.chain), format, args...) }
	if l.chain == nil {
		wrong("%s", l.wrong)
		return
	}
	c, g := v.segment(file, number, l)
	next := g.last + 1
	if l.wrong == "" && g.vague {
		g.vague, g.first, g.last, next = false, g.first+l.seq-next, l.seq-1, l.seq
	}
	switch {
	case l.wrong != "":
		wrong("%s", l.wrong)
		l.seq = next // whatever it says
	case l.seq > next:
		wrong("%s before it", missing(next, l.seq))
	case l.seq < next:
		wrong("it has number %d of its chain and stands behind number %d: it was moved or repeated", l.seq, g.last)
		return
	case g.from != number && !g.precedes(l.prev):
		wrong("it does not follow line %d of its chain: one of the two was changed, and given a new hash", g.last)
	}
	g.last, g.hash, g.stated, g.to = l.seq, append(g.hash[:0], l.hash...), bytes.Clone(l.stated), number
	if l.wrong != "" {
		return
	}
	c.sure = true
	for len(g.anchors) > 0 && g.anchors[0].Seq <= l.seq {
		anchor := g.anchors[0]
		g.anchors = g.anchors[1:]
		switch {
		case anchor.Seq < l.seq:
			// It is missing, changed, or before the part that is here.
		case !bytes.Equal(l.hash, []byte(anchor.Hash)):
			wrong("it is not the line %d that was anchored at %s: its chain was written anew", l.seq, anchor.At.Format(time.RFC3339))
		case anchor.Seq > c.Anchored:
			c.Anchored, c.At = anchor.Seq, &anchor.At
		}
	}
}

// missing says which lines are, from one on up to another.
func missing(from, to int64) string {
	if to == from+1 {
		return fmt.Sprintf("line %d of its chain is missing", from)
	}
	return fmt.Sprintf("lines %d to %d of its chain are missing", from, to-1)
}

// precedes reports whether a line with that hash of the line before it comes behind the segment.
func (g *segment) precedes(prev []byte) bool {
	return bytes.Equal(prev, g.hash) || g.stated != nil && bytes.Equal(prev, g.stated)
}

// segment is what the file has of the line's chain, which may begin with it.
func (v *verifier) segment(file, number int, l *lookedAt) (*chainState, *segment) {
	c := v.chains[string(l.chain)]
	if c == nil {
		c = &chainState{VerifiedChain: VerifiedChain{Chain: string(l.chain)}}
		c.anchors = v.anchors[c.Chain]
		v.chains[c.Chain], v.order = c, append(v.order, c)
	}
	if n := len(c.segments); n > 0 && c.segments[n-1].file == file {
		return c, c.segments[n-1]
	}
	g := &segment{file: file, from: number, first: l.seq, last: l.seq - 1, changed: l.wrong != "", vague: l.wrong != "", prev: bytes.Clone(l.prev), began: l.writtenAt(), anchors: c.anchors}
	c.segments = append(c.segments, g)
	return c, g
}

// writtenAt is when a line was written, as it says itself; the zero time when it does not.
func (l *lookedAt) writtenAt() time.Time {
	var said struct {
		Time time.Time     `json:"time"`
		Took time.Duration `json:"took_ns"`
	}
	if json.Unmarshal(l.text, &said) != nil || said.Time.IsZero() {
		return time.Time{}
	}
	return said.Time.Add(said.Took)
}

// close joins the files, says what is missing at the ends, and brings the findings into order.
func (v *verifier) close() {
	var began time.Time // the trail
	slices.SortStableFunc(v.order, func(a, b *chainState) int { return a.began().Compare(b.began()) })
	for _, c := range v.order {
		if !c.sure {
			continue
		}
		v.join(c)
		v.result.Chains = append(v.result.Chains, c.VerifiedChain)
		if at := c.began(); began.IsZero() || !at.IsZero() && at.Before(began) {
			began = at
		}
	}
	v.missed(began)
	v.tell()
}

// began is when the first line of a chain was written that is here.
func (c *chainState) began() time.Time {
	return slices.MinFunc(c.segments, func(a, b *segment) int { return cmp.Compare(a.first, b.first) }).began
}

// join checks that the segments of a chain follow each other, and that none is missing at its ends.
func (v *verifier) join(c *chainState) {
	slices.SortStableFunc(c.segments, func(a, b *segment) int { return cmp.Compare(a.first, b.first) })
	end := &segment{}
	for _, g := range c.segments {
		next := end.last + 1
		wrong := func(format string, args ...any) { v.wrong(g.file, g.from, c.Chain, format, args...) }
		if g.vague && g.first != next {
			continue // nobody knows where it belongs, and each line of it is told already
		}
		switch begins := end.to == 0; {
		case begins && v.how.Elsewhere != NoneElsewhere:
			if anchor, ok := c.anchorOf(g.first - 1); ok && !g.changed && string(g.prev) != anchor.Hash {
				wrong("it does not follow the line %d that was anchored at %s: its chain was written anew", anchor.Seq, anchor.At.Format(time.RFC3339))
			}
		case begins && g.first > next:
			wrong("its chain begins with number %d: lines before it are missing, or in a file that was not given", g.first)
		case g.first > next:
			wrong("%s before it", missing(next, g.first))
		case g.first < next:
			wrong("it has number %d of its chain and stands behind number %d: it was moved or repeated", g.first, end.last)
			if g.last <= end.last {
				continue
			}
		case !g.changed && !end.precedes(g.prev):
			wrong("it does not follow line %d of its chain: one of the two was changed, and given a new hash", end.last)
		}
		if end.to == 0 {
			c.First = g.first
		}
		end = g
	}
	c.Last = end.last
	if len(c.anchors) > 0 {
		c.Process = c.anchors[0].Process
	}
	if v.how.Anchors == nil {
		return
	}
	if len(c.anchors) == 0 {
		v.wrong(end.file, end.to, c.Chain, "it ends chain %s, of which no line is anchored: the chain was made up, or is anchored in the ledger of another database", c.Chain)
		return
	}
	if last := c.anchors[len(c.anchors)-1]; last.Seq > c.Last && v.how.Elsewhere != BothElsewhere {
		v.wrong(end.file, end.to, c.Chain, "it is the last of its chain, number %d, but number %d was anchored at %s: the lines behind it were cut off",
			c.Last, last.Seq, last.At.Format(time.RFC3339))
	}
}

// anchorOf is the anchor at a line.
func (c *chainState) anchorOf(seq int64) (Anchor, bool) {
	i, found := slices.BinarySearchFunc(c.anchors, seq, func(a Anchor, seq int64) int { return cmp.Compare(a.Seq, seq) })
	if !found {
		return Anchor{}, false
	}
	return c.anchors[i], true
}

// skew is how far the clocks of a proxy and of a server may be apart.
const skew = time.Minute

// missed finds chains that are anchored and of which no line is here. Where older files are elsewhere those are not missed that have ended before the part
// began.
func (v *verifier) missed(began time.Time) {
	if v.how.Elsewhere == BothElsewhere {
		return
	}
	var all []Finding
	for chain, anchors := range v.anchors {
		last := anchors[len(anchors)-1]
		if c := v.chains[chain]; c != nil && c.sure || v.how.Elsewhere == OlderElsewhere && last.At.Before(began.Add(skew)) {
			continue
		}
		all = append(all, Finding{Chain: chain, Reason: fmt.Sprintf(
			"chain %s of process %s is missing, whose line %d was anchored at %s: its lines were removed, or are in a file that was not given",
			chain, last.Process, last.Seq, last.At.Format(time.RFC3339))})
	}
	slices.SortFunc(all, func(a, b Finding) int { return strings.Compare(a.Reason, b.Reason) })
	for _, f := range all {
		v.find(len(v.files), f)
	}
}

// tell brings the findings into the order of the files and lines, and what is in no file behind them.
func (v *verifier) tell() {
	slices.SortStableFunc(v.found, func(a, b placed) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.Line, b.Line)) })
	for _, f := range v.found {
		v.result.Findings = append(v.result.Findings, f.Finding)
	}
}
