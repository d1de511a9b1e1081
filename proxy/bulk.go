package proxy

import (
	"bytes"
	"cmp"
	"context"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

const (
	// lastHeld is how much of the end of a message over the inspect limit is kept back until it is known to be harmless.
	lastHeld = 64

	// headKept is how much of the beginning of such a text is kept, for the record of a refusal.
	headKept = 256

	// besideKeyword is how much of the text before and behind a word the prefilter may look at to rule it out.
	besideKeyword = 32
)

// bulk carries a Query or Parse over the inspect limit in pieces. It passes if it holds no word that a rule cares about, UPDATE, DELETE and MERGE among them, or if
// it is proven to be plain INSERT, SELECT, COPY and VALUES. Otherwise its end never reaches the server: NUL bytes take its place, the server
// takes the message for malformed and runs nothing, and its error is answered with ours. In mode observe it passes all the same, and is written down.
func (s *session) bulk(ctx context.Context, kind byte, size int) error {
	client, server := s.link.client, s.link.server
	name := ""
	if kind == 'P' {
		if err := client.hold(min(size, bufferSize)); err != nil {
			return errClientGone
		}
		var ok bool
		if name, _, ok = cString(client.unread()[headerSize:]); !ok && s.options.Mode == Observe {
			return s.passOn(size)
		} else if !ok {
			return s.refuseMessage(ctx, size, s.voice.report("08P01", "pgsluice: the name of a prepared statement is too long", "", ""))
		}
	}
	s.pipe.mu.Lock()
	s.pipe.sent(kind)
	s.pipe.mu.Unlock()

	if _, err := server.conn.Write(client.take(headerSize)); err != nil {
		return errServerGone
	}
	watch := &bulkWatch{proof: ddl.NewInert(s.backend.encoding), careful: s.careful()}
	defer func() { s.wandering = s.wandering || watch.concern&ddl.Path != 0 }()
	if kind == 'P' {
		watch.skip = len(name) + 1
	}
	left, refused := size-headerSize, s.owes()
	for left > lastHeld && !refused {
		if err := client.need(min(left, 2*lastHeld)); err != nil {
			return errClientGone
		}
		n := min(client.w-client.r, left-lastHeld)
		watch.see(client.unread()[:n])
		if refused = watch.harmful() && s.options.Mode != Observe; refused {
			break
		}
		if _, err := server.conn.Write(client.take(n)); err != nil {
			return errServerGone
		}
		left -= n
	}
	if !refused {
		if err := client.need(left); err != nil {
			return errClientGone
		}
		watch.see(client.unread()[:left])
		refused = watch.harmfulWhole()
	}
	long := ddl.Statement{Text: string(watch.head), Action: ddl.Unparsed{Reason: "too long", Size: size - headerSize}}
	if refused && s.options.Mode != Observe {
		return s.refuseBulk(ctx, kind, left, long)
	}
	if _, err := server.conn.Write(client.take(left)); err != nil {
		return errServerGone
	}
	if refused {
		return s.observeBulk(ctx, kind, name, long)
	}
	if _, replaced := s.prepared[key(name)]; kind == 'P' && replaced {
		accepted, err := s.accepted('1')
		if accepted {
			delete(s.prepared, key(name))
		}
		return err
	}
	return nil
}

// refuseBulk swallows what is left of the client's message, sends NUL bytes in its place, and answers the server's error with ours. What is known of the
// statement is written down.
func (s *session) refuseBulk(ctx context.Context, kind byte, left int, refused ddl.Statement) error {
	client := s.link.client
	zeros := make([]byte, bufferSize)
	for left > 0 {
		if err := client.need(1); err != nil {
			return errClientGone
		}
		swallowed := len(client.take(min(left, client.w-client.r, len(zeros))))
		if _, err := s.link.server.conn.Write(zeros[:swallowed]); err != nil {
			return errServerGone
		}
		left -= swallowed
	}
	if kind == 'P' {
		if _, err := s.link.server.conn.Write(flush); err != nil {
			return errServerGone
		}
	}
	message := "pgsluice: a statement over the inspect limit is refused unless it is plain INSERT, SELECT, COPY or VALUES [unjudged]"
	if s.owes() {
		message = "pgsluice: a statement over the inspect limit cannot follow deferred work in the same transaction [unjudged]"
	}
	report := s.voice.report(codeRefused, message, "It is too long to be parsed, and it may change the schema, or very many rows.",
		"Send schema changes in messages of their own and writes in smaller pieces, or raise limits.inspect_bytes.")
	var wrong error
	err := s.backend.pump(func(k byte, body []byte) (forward, last bool) {
		wrong = s.pipe.answeredLocked(k, body)
		if k == 'E' {
			_ = s.voice.say(report)
			return false, kind == 'P' || wrong != nil
		}
		return true, k == 'Z' || wrong != nil
	})
	if err == nil {
		err = wrong
	}
	if err != nil {
		return err
	}
	s.failed, s.failure = true, codeRefused
	return s.recordBulk(ctx, kind, refused, message).finish(ctx, nil)
}

// observeBulk writes down what has been passed on and would have been refused, once the client has its answer: until then nothing can be asked.
func (s *session) observeBulk(ctx context.Context, kind byte, name string, passed ddl.Statement) error {
	if kind == 'P' {
		accepted, err := s.accepted('1')
		if accepted {
			delete(s.prepared, key(name))
		}
		if err != nil {
			return err
		}
	} else {
		var wrong error
		err := s.backend.pump(func(k byte, body []byte) (forward, last bool) {
			wrong = s.pipe.answeredLocked(k, body)
			return true, k == 'Z' || wrong != nil
		})
		if err = cmp.Or(err, wrong); err != nil {
			return err
		}
	}
	record := s.recordBulk(ctx, kind, passed, "it is over the inspect limit")
	record.entry.Outcome = "observed"
	return record.finish(ctx, nil)
}

// recordBulk counts and records what is over the inspect limit and may be of concern.
func (s *session) recordBulk(ctx context.Context, kind byte, long ddl.Statement, message string) *record {
	at := occasion{Statement: long, inTransaction: s.backend.TxStatus() != 'I'}
	if kind == 'P' {
		at.portal = &portal{}
	}
	verdict := policy.Verdict{Action: policy.Block, Findings: []policy.Finding{{Rule: "unjudged", Action: policy.Block, Message: message}}}
	s.countVerdict(at, verdict, 0)
	return s.begin(ctx, at, facts.Facts{}, verdict)
}

// bulkWatch looks at the text of a long message as it passes.
type bulkWatch struct {
	proof   *ddl.Inert
	skip    int // bytes before the text that are still to come
	head    []byte
	over    bool // the text's NUL has passed
	part    []byte
	judged  int // words that begin before this place of part have been looked at
	concern ddl.Concern
	runs    bool // it may run what the client has prepared
	careful bool // the client has prepared something that EXECUTE, FETCH or MOVE could run
}

func (w *bulkWatch) see(chunk []byte) {
	if n := min(w.skip, len(chunk)); n > 0 {
		w.skip -= n
		chunk = chunk[n:]
	}
	if w.over || len(chunk) == 0 {
		return
	}
	if end := bytes.IndexByte(chunk, 0); end >= 0 {
		chunk, w.over = chunk[:end], true
	}
	w.head = append(w.head, chunk[:min(len(chunk), headKept-len(w.head))]...)
	w.proof.Write(chunk)
	w.part = append(w.part, chunk...)
	w.runs = w.runs || w.careful && reaching.Match(w.part)
	w.look(len(w.part) - besideKeyword)
	if past := w.judged - besideKeyword; past > 0 {
		w.part = append(w.part[:0], w.part[past:]...)
		w.judged -= past
	}
}

// look looks at the words that begin before end.
func (w *bulkWatch) look(end int) {
	if end > w.judged {
		w.concern |= ddl.PrefilterPart(w.part, w.judged, end)
		w.judged = end
	}
}

func (w *bulkWatch) hit() bool { return w.runs || w.concern&(ddl.Anything|ddl.Writes) != 0 }

// harmful is true when what has passed so far can no longer be let through.
func (w *bulkWatch) harmful() bool { return w.hit() && w.proof.Refuted() }

// harmfulWhole is true when the text, which has ended, cannot be let through.
func (w *bulkWatch) harmfulWhole() bool {
	w.look(len(w.part))
	return w.hit() && !w.proof.Inert()
}
