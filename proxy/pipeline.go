package proxy

import (
	"fmt"
	"sync"
)

// pipeline is what the client is owed: a queue of the messages that were sent to the server and are not answered yet.
// It is driven by message types alone, so that it can run at line speed. The mutex guards everything below it: the
// pump towards the server sends, the pump towards the client answers.
//
// The server's side of these rules is PostgresMain in src/backend/tcop/postgres.c and, for COPY, CopyGetData in
// src/backend/commands/copyfromparse.c.
type pipeline struct {
	mu    sync.Mutex
	queue []byte // types of client messages; head is queue[first]
	first int

	// skipping: after an error in the extended protocol the server ignores everything up to the next Sync.
	skipping bool
	// copying: the server reads COPY data, ignores Flush and Sync, and takes anything else for an error.
	copying bool
	// ended: CopyDone or CopyFail was sent, the server has not answered it yet.
	ended bool
	// executed: an Execute was sent since the last Sync or Query, so an implicit transaction may be under way.
	executed bool
	// status is the status byte of the last ReadyForQuery: 'I', 'T' or 'E'.
	status byte
	// failed: an ErrorResponse came since the last ReadyForQuery.
	failed bool

	// heed: a transaction is open whose end somebody wants to know of, although nobody may read what ends it. Then completed is told the command tags; end is
	// what they, and the status byte behind them, have said of the end of that transaction, "" while it has not ended. undone: the last ROLLBACK may have
	// been one to a savepoint.
	heed, undone bool
	end          string
	// lulls counts how often a ReadyForQuery has said that no transaction is open.
	lulls int
}

// lull is another number once a transaction has ended.
func (p *pipeline) lull() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lulls
}

// skip notes that the server ignores everything up to the next Sync.
func (p *pipeline) skip() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skipping = true
}

// ready notes the status byte of a ReadyForQuery.
func (p *pipeline) ready(status byte) {
	p.status, p.failed = status, false
	if status == 'I' {
		p.lulls++
	}
}

// heeded tells what was noticed of the end of the transaction: how it has ended, "" when it has not. From here on nothing is noticed.
func (p *pipeline) heeded() (end string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	end = p.end
	p.heed, p.end, p.undone = false, "", p.undone && end == ""
	return end
}

// completed notes a command tag while the end of a transaction is heeded. What comes behind the end is about another transaction.
func (p *pipeline) completed(tag string) {
	switch {
	case p.end != "":
	case tag == "COMMIT":
		p.end = endCommitted
	case tag == "PREPARE TRANSACTION":
		p.end = endPrepared
	case tag == "ROLLBACK":
		p.undone = true
	}
}

// idled notes, while the end of a transaction is heeded, whether a ReadyForQuery says that none is open.
func (p *pipeline) idled(idle bool) {
	switch {
	case p.end != "" || !idle:
	case p.undone || p.failed:
		p.end = endRolledBack
	default:
		p.end = endCommitted // by the Sync of a pipeline, which would have said otherwise
	}
	p.undone = false
}

// errInCopy is a message that the server takes for the end of a COPY by error, sent before CopyDone or CopyFail.
var errInCopy = fmt.Errorf("unexpected message during COPY from stdin")

// stuck is true while the server waits for the end of COPY data: until it comes, nothing else is answered.
func (p *pipeline) stuck() bool { return p.copying && !p.ended }

// admits is false for a message that would end a COPY by an error, after which the server has lost its place in the stream.
func (p *pipeline) admits(kind byte) bool {
	switch kind {
	case 'd', 'H', 'X', 'c', 'f', 'S':
		return true
	}
	return !p.stuck()
}

// sent notes one message, admitted before, that is about to be written to the server.
func (p *pipeline) sent(kind byte) {
	switch kind {
	case 'd', 'H', 'X':
		return
	}
	if p.stuck() {
		p.ended = kind == 'c' || kind == 'f'
		return
	}
	if kind == 'S' {
		p.skipping = false
	}
	if p.skipping {
		return
	}
	switch kind {
	case 'E':
		p.executed = true
	case 'S', 'Q':
		p.executed = false
	}
	if p.first > 0 && len(p.queue) == cap(p.queue) {
		p.queue = p.queue[:copy(p.queue, p.queue[p.first:])]
		p.first = 0
	}
	p.queue = append(p.queue, kind)
}

// answered notes one message from the server; first is the first byte of its body.
func (p *pipeline) answered(kind, first byte) error {
	if kind == 'D' || kind == 'd' {
		return nil
	}
	head := p.head()
	switch kind {
	case '1':
		return p.pop(kind, 'P')
	case '2':
		return p.pop(kind, 'B')
	case '3':
		return p.pop(kind, 'C')
	case 'n':
		return p.pop(kind, 'D')
	case 'T':
		if head == 'D' {
			return p.pop(kind, 'D')
		}
	case 'C', 'I', 's':
		p.endCopy()
		if head == 'E' {
			return p.pop(kind, 'E')
		}
	case 'G':
		p.beginCopy()
	case 'E':
		p.fail(head)
	case 'Z':
		p.endCopy()
		if p.heed {
			p.idled(first == 'I')
		}
		p.ready(first)
		for h := p.head(); h == 'c' || h == 'f'; h = p.head() {
			p.first++
		}
		return p.pop(kind, 'S', 'Q', 'F')
	}
	return nil
}

// answeredLocked is answered for one message that the session reads itself.
func (p *pipeline) answeredLocked(kind byte, body []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := byte(0)
	if len(body) > 0 {
		first = body[0]
	}
	return p.answered(kind, first)
}

// fail is an ErrorResponse. One outside of any request (the server is going away) changes nothing.
func (p *pipeline) fail(head byte) {
	p.failed = true
	p.endCopy()
	switch head {
	case 0, 'Q', 'F', 'S':
		return
	}
	for h := p.head(); h != 0 && h != 'S'; h = p.head() {
		p.first++
	}
	p.skipping = p.head() == 0
}

// beginCopy takes from the queue what the server will read as part of the COPY: the CopyDone or CopyFail that ends it, if one was sent
// already, and the Syncs before that, which it ignores.
func (p *pipeline) beginCopy() {
	p.copying, p.ended = true, false
	kept := p.first + 1
	for i := p.first + 1; i < len(p.queue); i++ {
		kind := p.queue[i]
		if !p.ended && (kind == 'S' || kind == 'c' || kind == 'f') {
			p.ended = kind != 'S'
			continue
		}
		p.queue[kept] = kind
		kept++
	}
	p.queue = p.queue[:min(kept, len(p.queue))]
}

func (p *pipeline) endCopy() { p.copying, p.ended = false, false }

// head is the oldest message that is not answered; CopyDone and CopyFail, which never are, are stepped over. 0 is none.
func (p *pipeline) head() byte {
	for p.first < len(p.queue) {
		switch kind := p.queue[p.first]; kind {
		case 'c', 'f':
			p.first++
		default:
			return kind
		}
	}
	p.queue, p.first = p.queue[:0], 0
	return 0
}

func (p *pipeline) pop(answer byte, want ...byte) error {
	head := p.head()
	for _, kind := range want {
		if head == kind {
			p.first++
			return nil
		}
	}
	return fmt.Errorf("server sent message %q where the answer to %q was due", answer, head)
}

// idle is true when every message sent has been answered.
func (p *pipeline) idle() bool { return p.head() == 0 && !p.copying }

// unflushed is true when the server may hold back the answers that are owed until it is asked to flush them: among them the end of a COPY.
func (p *pipeline) unflushed() bool {
	if p.head() == 0 || p.stuck() {
		return false
	}
	switch p.queue[len(p.queue)-1] {
	case 'S', 'Q', 'F':
		return false
	}
	return true
}
