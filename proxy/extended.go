package proxy

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// prepared is a prepared statement of the client's that a rule could care about.
type prepared struct {
	reading reading
	oids    []uint32
	// most is how many bytes a Bind may have for it to be of no concern: its arrays have few members then. 0: it is, whatever its length.
	most int
	// until is when it has to be looked at again whether it touches few rows, raw its text for that; zero when that need not be.
	until time.Time
	raw   []byte
	// writes is true when only the number of rows could be of concern in it, or what it tells of revisions.
	writes bool
	// bySQL is true for what PREPARE has prepared: DEALLOCATE may have taken it since.
	bySQL bool
	// versions is true when it may write to a version table.
	versions bool
	// quiet is true when no rule cares.
	quiet bool
	// asks are what the catalog is asked for, where a Bind says whether that is a version table, and nothing else is of concern; nil otherwise.
	asks []ddl.Value
}

// portal is a portal of the client's bound to a statement that a rule could care about.
type portal struct {
	prepared *prepared
	bind     *pgproto3.Bind
}

// given are the parameters that it is bound with.
func (p *portal) given() parametersGiven {
	return parametersGiven{oids: p.prepared.oids, values: p.bind.Parameters, formats: p.bind.ParameterFormatCodes}
}

var flush = []byte{'H', 0, 0, 0, 4}

// parse forwards a Parse, which takes no lock, and remembers what it prepared once the server has accepted it.
func (s *session) parse(ctx context.Context, size int) error {
	frame, err := s.heldFrame(size)
	if err != nil {
		return err
	}
	name, rest, ok := cString(frame[headerSize:])
	query, _, ok2 := cString(rest)
	var m pgproto3.Parse
	if !ok || !ok2 || m.Decode(frame[headerSize:]) != nil {
		return s.passOn(size)
	}
	r := s.read([]byte(query), s.pipe.executed)
	look, err := s.lookAt(ctx, r, []byte(query))
	if err != nil {
		return s.givenUp(ctx, size, err)
	}
	most := look.most
	closer := !look.few || len(r.statements) == 1 && r.statements[0].Tag == "EXECUTE"
	noted := s.anyNote(r.statements)
	concerned := closer || most > 0 || noted
	counted := name != "" && !closer && !noted && !look.until.IsZero()
	if !concerned && !counted && !s.careful() {
		return s.passOn(size)
	}
	if (closer || most > 0) && !isASCII([]byte(name)) && s.options.Mode == Enforce {
		return s.refuseName(ctx, size)
	}
	if concerned || counted {
		if room, err := s.roomFor(ctx, name, len(query)); err != nil {
			return s.givenUp(ctx, size, err)
		} else if !room {
			return s.refuseMessage(ctx, size, s.tooManyPrepared())
		}
	}
	oids := append([]uint32(nil), m.ParameterOIDs...)
	accepted, err := s.await(size, '1')
	if err != nil || !accepted {
		return err // What had the name before still has it.
	}
	delete(s.prepared, key(name))
	if s.untracked {
		s.foundHarmless(name, !concerned && !counted)
	}
	if concerned {
		s.prepared[key(name)] = &prepared{reading: r, oids: oids, quiet: !closer && most == 0, writes: !closer && most == 0 || len(r.statements) == 1 && s.onlyWrites(r.statements[0])}
		if !closer && !noted {
			s.prepared[key(name)].most = most
		}
		if !closer && most == 0 {
			s.prepared[key(name)].asks = s.onlyAsks(r.statements)
		}
	}
	if counted && accepted {
		s.prepared[key(name)] = &prepared{reading: r, oids: oids, most: cmp.Or(most, math.MaxInt), until: look.until, raw: []byte(query), writes: true}
	}
	return nil
}

// givenUp answers a message with the error of a question of ours before it. The server ignores it, and all that follows up to the next Sync.
func (s *session) givenUp(ctx context.Context, size int, err error) error {
	if err := s.answerFailure(ctx, occasion{}, rewrite.Plan{}, err); err != nil {
		return err
	}
	if !s.pipe.skipping {
		if err := s.skipToSync(ctx); err != nil {
			return err
		}
	}
	return s.passOn(size)
}

// key is what the server tells the names of statements and portals apart by: NAMEDATALEN of their bytes.
func key(name string) string { return name[:min(len(name), 63)] }

// refuseName refuses a Parse or a Bind of something of concern whose name the client's encoding decides on: in another one the
// same name has other bytes.
func (s *session) refuseName(ctx context.Context, size int) error {
	return s.refuseMessage(ctx, size, s.voice.report(codeRefused,
		"pgsluice: a prepared schema change and its portal must have ASCII names", "", "Use the unnamed statement and portal."))
}

// refuseMessage answers the client's next message, one of the extended protocol, with an error.
func (s *session) refuseMessage(ctx context.Context, size int, report *pgproto3.ErrorResponse) error {
	if err := s.link.client.discard(size); err != nil {
		return errClientGone
	}
	s.backend.piped = true
	return s.fail(ctx, report)
}

// bind forwards a Bind and remembers what its portal would run.
func (s *session) bind(ctx context.Context, size int) error {
	if size > s.options.InspectLimit {
		return s.bindLong(ctx, size)
	}
	frame, err := s.heldFrame(size)
	if err != nil {
		return err
	}
	m := &pgproto3.Bind{}
	if m.Decode(append([]byte(nil), frame[headerSize:]...)) != nil {
		return s.passOn(size)
	}
	from, known := s.prepared[key(m.PreparedStatement)]
	if !known && s.unseen(m.PreparedStatement) && (s.backend.TxStatus() != 'E' || s.unsettled) {
		if from, err = s.preparedBefore(ctx, m.PreparedStatement); err != nil {
			return s.givenUp(ctx, size, err)
		}
		known = from != nil && (s.owes() || s.anyConcern(from.reading.statements) || s.anyNote(from.reading.statements))
		if from != nil && s.untracked {
			s.foundHarmless(m.PreparedStatement, !known)
		}
	}
	if known && from.bySQL && (s.backend.TxStatus() != 'E' || s.unsettled) {
		if from, err = s.stillPrepared(ctx, m.PreparedStatement, from); err != nil {
			return s.givenUp(ctx, size, err)
		}
		known = from != nil
	}
	if known && !from.until.IsZero() {
		few, err := s.stillFew(ctx, from, size)
		if err != nil {
			return s.givenUp(ctx, size, err)
		}
		known = !few
	}
	if known && !from.quiet && !isASCII([]byte(m.DestinationPortal)) && s.options.Mode == Enforce {
		return s.refuseName(ctx, size)
	}
	accepted, err := s.await(size, '2')
	if err != nil || !accepted {
		return err
	}
	s.endPortals()
	delete(s.portals, key(m.DestinationPortal))
	if !known {
		return nil
	}
	bound := &portal{prepared: from, bind: m}
	if from.asks == nil || s.owes() || len(s.askedFor(from.asks, bound.given())) > 0 {
		s.portals[key(m.DestinationPortal)] = bound
	}
	return nil
}

// endPortals forgets the portals of a transaction that has ended: the server has done so.
func (s *session) endPortals() {
	if lull := s.pipe.lull(); lull != s.lull {
		s.lull = lull
		clear(s.portals)
	}
}

// stillFew reports whether a Bind of a prepared statement of which that is only known for a while touches few rows.
func (s *session) stillFew(ctx context.Context, p *prepared, size int) (bool, error) {
	if s.wandering || !s.now().Before(p.until) {
		look, err := s.lookAt(ctx, p.reading, p.raw)
		if err != nil {
			return false, err
		}
		p.most, p.until = cmp.Or(look.most, math.MaxInt), look.until
		if !look.few {
			p.most, p.until = 0, s.now() // the next Bind asks again
		}
	}
	return size <= p.most, nil
}

// isCounted reports whether a text that a client prepares is known to touch few rows, but only for a while.
func (s *session) isCounted(text []byte) bool {
	if len(s.ownShapes) == 0 {
		return false
	}
	if end := bytes.IndexByte(text, 0); end >= 0 {
		text = text[:end]
	}
	key, ok := s.shapeOf(text)
	return ok && s.ownShapes[key].few
}

// bindLong forwards a Bind that is not held: it carries data for a write. One for something of concern is refused.
func (s *session) bindLong(ctx context.Context, size int) error {
	frame, err := s.heldFrame(min(size, bufferSize))
	if err != nil {
		return err
	}
	name, rest, ok := cString(frame[headerSize:])
	statement, _, ok2 := cString(rest)
	from, known := s.prepared[key(statement)]
	if known && !from.until.IsZero() && !s.owes() {
		few, err := s.stillFew(ctx, from, size)
		if err != nil {
			return s.givenUp(ctx, size, err)
		}
		known = !few
	}
	if !ok || !ok2 || known || s.owes() {
		return s.refuseMessage(ctx, size, s.voice.report(codeRefused,
			"pgsluice: a Bind over the inspect limit is refused for a schema change, and behind deferred work in the same transaction", "",
			"Send the data in smaller pieces, or raise limits.inspect_bytes."))
	}
	if accepted, err := s.await(size, '2'); err != nil || !accepted {
		return err
	}
	delete(s.portals, key(name))
	return nil
}

// closeNamed forwards a Close and forgets what it closed.
func (s *session) closeNamed(size int) error {
	frame, err := s.heldFrame(size)
	if err != nil {
		return err
	}
	var m pgproto3.Close
	if m.Decode(frame[headerSize:]) != nil {
		return s.passOn(size)
	}
	if accepted, err := s.await(size, '3'); err != nil || !accepted {
		return err
	}
	if m.ObjectType == 'S' {
		delete(s.prepared, key(m.Name))
		delete(s.harmless, key(m.Name))
	} else {
		delete(s.portals, key(m.Name))
	}
	return nil
}

// execute is the moment that counts in the extended protocol.
func (s *session) execute(ctx context.Context, size int) error {
	frame, err := s.heldFrame(size)
	if err != nil {
		return err
	}
	m := &pgproto3.Execute{}
	if m.Decode(frame[headerSize:]) != nil || size != headerSize+len(m.Portal)+1+4 {
		return s.passOn(size) // the server refuses it
	}
	bound, ok := s.portals[key(m.Portal)]
	if !ok && s.owes() {
		return s.refuseMessage(ctx, size, s.voice.report(codeRefused,
			"pgsluice: a portal that was bound before work was deferred cannot be executed behind it in the same transaction", "", "Bind it again."))
	}
	if !ok || len(bound.prepared.reading.statements) != 1 {
		return s.passOn(size)
	}
	s.link.client.take(size)
	if exists, err := s.portalExists(m.Portal); err != nil || !exists {
		return err
	}
	at := occasion{
		Statement: bound.prepared.reading.statements[0],
		piece:     bound.prepared.reading.text,
		escaped:   bound.prepared.reading.escaped,
		portal:    bound, execute: m,
	}
	if at.alone, err = s.isAlone(); err != nil {
		return err
	}
	at.inTransaction = !at.alone
	s.extended = true
	defer func() { s.extended, s.synced, s.committed = false, false, false }()
	if err := s.statement(ctx, at); err != nil {
		return err
	}
	if s.synced {
		return s.voice.say(&pgproto3.ReadyForQuery{TxStatus: s.backend.TxStatus()})
	}
	s.pipe.mu.Lock()
	s.pipe.executed = !s.committed
	skipping := s.pipe.skipping
	s.pipe.mu.Unlock()
	if s.failed && !skipping {
		if err := s.skipToSync(ctx); err != nil {
			return err
		}
	}
	return s.voice.say()
}

// isAlone reports whether the Execute at hand is a transaction by itself: outside of any, with nothing run since the last
// Sync, and with a Sync right behind it.
func (s *session) isAlone() (bool, error) {
	if s.backend.TxStatus() != 'I' || s.pipe.executed {
		return false, nil
	}
	next, _, err := s.link.client.header()
	if err != nil {
		return false, errClientGone
	}
	return next == 'S', nil
}

// endSegment sends the client's Sync before the work of its Execute is begun, so that the work is outside of any transaction. The
// ReadyForQuery follows when the work is done.
func (s *session) endSegment() error {
	_, size, err := s.link.client.header()
	if err != nil {
		return errClientGone
	}
	if err := s.passOn(size); err != nil {
		return err
	}
	for {
		kind, body, err := s.backend.next()
		if err != nil {
			return err
		}
		if err := s.pipe.answeredLocked(kind, body); err != nil {
			return err
		}
		if kind == 'E' {
			// The commit failed: a deferred constraint, for instance.
			if _, err := s.link.client.conn.Write(frameOf(kind, body)); err != nil {
				return errClientGone
			}
		}
		if kind == 'Z' {
			s.backend.piped, s.synced = false, true
			return nil
		}
	}
}

// apart has f ask the server outside of the pipeline's transaction where nothing has run in that, and binds the portal of the Execute at hand anew behind it. An
// error of f is then none of the client's pipeline, what is prepared for it need not be looked up, and no lock of this transaction can matter to it. A Bind of
// parameters runs what reads them, and one of a query locks its tables: those stay where they are.
func (s *session) apart(at occasion, f func() error) error {
	if !at.alone || s.prepared[key(at.portal.bind.PreparedStatement)] != at.portal.prepared { // the portal has outlived its statement
		return f()
	}
	if len(at.portal.bind.Parameters) > 0 || !s.changesSchema(at.Statement) || len(at.Inner) > 0 {
		return f()
	}
	bind, err := at.portal.bind.Encode(nil)
	if err != nil {
		return fmt.Errorf("cannot bind the client's portal again: %w", err)
	}
	if _, err := s.link.server.conn.Write([]byte{'S', 0, 0, 0, 4}); err != nil {
		return errServerGone
	}
	s.backend.piped, s.backend.synced = false, true
	err = f()
	s.backend.piped = true
	if isGone(err) {
		return err
	}
	if s.options.Mode == Transparent {
		// What another backend has under the name of the client's statement, the unnamed one as a rule, is some other statement.
		return &run.Failure{Code: codeRefused, Message: "pgsluice: send the statement again: the pooler between pgsluice and the server has given this session another connection"}
	}
	return cmp.Or(s.rebind(bind), err)
}

// rebind binds a portal of the client's that the server has had before, by the same message.
func (s *session) rebind(bind []byte) error {
	if _, err := s.link.server.conn.Write(append(bind, flush...)); err != nil {
		return errServerGone
	}
	kind, body, err := s.backend.next()
	if err != nil {
		return err
	}
	switch kind {
	case '2':
		return nil
	case 'E':
		s.pipe.skip()
		return decodeError(body)
	}
	return fmt.Errorf("server sent message %q where BindComplete was due", kind)
}

// portalExists asks the server whether the portal still is there: a transaction's end, a Close or an error may have
// taken it. If not, the client has the server's own error.
func (s *session) portalExists(name string) (bool, error) {
	out, err := (&pgproto3.Describe{ObjectType: 'P', Name: name}).Encode(nil)
	if err != nil {
		return false, fmt.Errorf("cannot ask for a portal: %w", err)
	}
	if _, err := s.link.server.conn.Write(append(out, flush...)); err != nil {
		return false, errServerGone
	}
	kind, body, err := s.backend.next()
	if err != nil {
		return false, err
	}
	if kind != 'E' {
		return true, nil
	}
	s.pipe.skip()
	if _, err := s.link.client.conn.Write(frameOf(kind, body)); err != nil {
		return false, errClientGone
	}
	return false, nil
}

// executeClient runs the client's own portal and forwards the answer.
func (s *session) executeClient(at occasion) error {
	out, err := at.execute.Encode(nil)
	if err != nil {
		return fmt.Errorf("cannot execute the client's portal: %w", err)
	}
	if _, err := s.link.server.conn.Write(append(out, flush...)); err != nil {
		return errServerGone
	}
	return s.backend.pump(func(kind byte, body []byte) (forward, last bool) {
		switch kind {
		case 'C', 'I', 's':
			s.voice.held = frameOf(kind, body)
			return false, true
		case 'E':
			s.failed = true
			if server, ok := asServerError(decodeError(body)); ok {
				s.failure = server.fields.Code
			}
			s.pipe.skip()
			return true, true
		}
		return true, false
	})
}

// skipToSync makes the server skip the rest of the client's pipeline, as it would have done had the error been its own.
func (s *session) skipToSync(ctx context.Context) error {
	s.backend.piped = true
	_, err := s.backend.Exec(ctx, failing)
	if err != nil && !isServerError(err) {
		return err
	}
	return nil
}

// sync is a Sync while work is deferred. Outside of a block, as far as the client has been told, it may be the commit: then the work
// is done before ReadyForQuery. (It need not be: a BEGIN in this very pipeline has not been reported by a ReadyForQuery yet.)
func (s *session) sync(ctx context.Context) error {
	s.extended = true
	defer func() { s.extended = false }()
	if s.backend.TxStatus() == 'I' && !s.pipe.skipping {
		if err := s.verify(ctx); err != nil {
			if err := s.answerFailure(ctx, occasion{inTransaction: true}, rewrite.Plan{}, err); err != nil {
				return err
			}
		}
	}
	if err := s.endSegment(); err != nil {
		if s.backend.TxStatus() == 'I' { // the Sync was the COMMIT
			err = s.fate(ctx, err)
		}
		return err
	}
	defer func() { s.synced = false }()
	if s.backend.TxStatus() == 'I' {
		failed := s.keepIfCommitted(ctx)
		if failed != nil {
			if err := s.reportUnkept(failed); err != nil {
				return err
			}
		}
	}
	return s.voice.say(&pgproto3.ReadyForQuery{TxStatus: s.backend.TxStatus()})
}

// functionCall refuses a call of a function by its OID while this transaction owes work: what it does is not on the wire.
func (s *session) functionCall(ctx context.Context, size int) error {
	if err := s.link.client.discard(size); err != nil {
		return errClientGone
	}
	s.backend.piped = false
	err := s.fail(ctx, s.voice.report(codeRefused, "pgsluice: a function call by OID is not possible behind deferred work in the same transaction",
		"What the function does cannot be seen.", "COMMIT first, then call it."))
	if err != nil {
		return err
	}
	return s.voice.say(&pgproto3.ReadyForQuery{TxStatus: s.backend.TxStatus()})
}

// unseen reports whether a prepared statement that is not known may be of concern all the same: it was let pass unread before this
// transaction deferred something, or in mode pass.
func (s *session) unseen(name string) bool {
	return s.owes() || s.untracked && name != "" && !s.harmless[key(name)]
}

// preparedBefore is a statement that the client prepared before this transaction deferred something, or in mode pass, when nothing had to be
// remembered: the server still knows the text of a named one. The unnamed one cannot be read and stays unjudged.
func (s *session) preparedBefore(ctx context.Context, name string) (*prepared, error) {
	if name == "" {
		return &prepared{reading: unread("", "it was prepared before the work was deferred; prepare it again")}, nil
	}
	rows, err := s.backend.Query(ctx,
		"SELECT statement FROM pg_catalog.pg_prepared_statements WHERE name OPERATOR(pg_catalog.=) $1::pg_catalog.text", name)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &prepared{reading: s.read([]byte(rows[0]), false)}, nil
}

// heldFrame is the client's next message, whole and not consumed. It is valid until the client's leg is read again.
func (s *session) heldFrame(size int) ([]byte, error) {
	if err := s.link.client.hold(size); err != nil {
		return nil, errClientGone
	}
	return s.link.client.unread()[:size], nil
}

// await forwards the client's next message and waits until the server has accepted or refused it; the answer goes on to the client.
func (s *session) await(size int, accepted byte) (bool, error) {
	if err := s.passOn(size); err != nil {
		return false, err
	}
	return s.accepted(accepted)
}

// accepted waits for the server's answer to the message that was forwarded last; the answer goes on to the client.
func (s *session) accepted(accepted byte) (bool, error) {
	if _, err := s.link.server.conn.Write(flush); err != nil {
		return false, errServerGone
	}
	var (
		ok    bool
		wrong error
	)
	err := s.backend.pump(func(kind byte, body []byte) (forward, last bool) {
		wrong = s.pipe.answeredLocked(kind, body)
		ok = kind == accepted
		return true, ok || kind == 'E' || wrong != nil
	})
	if err == nil {
		err = wrong
	}
	return ok, err
}
