package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/run"
)

// maxAnswer bounds one message of an answer to a statement of ours.
const maxAnswer = 64 << 20

// backend is the client's own server connection while the session holds it: it runs statements of ours between the
// client's. It implements run.Conn. Everything asynchronous that the server says meanwhile goes on to the client.
//
// All statements run by the extended protocol as named objects, so that the client's unnamed statement and portal survive.
// Outside a pipeline each ends with a Sync of ours; within one, whose implicit transaction a Sync would commit, with a Flush.
type backend struct {
	link *link
	pipe *pipeline
	// name is that of our prepared statement and our portal; no client has the same. Both are closed before they are made: after an error the
	// Close behind it was skipped.
	name string
	// encoding is the session's client_encoding: our text is UTF-8, the wire's is not always.
	encoding ddl.Encoding
	// setting is told every ParameterStatus.
	setting func(name, value string)
	// piped is true while the client's pipeline holds an implicit transaction open.
	piped bool
	// synced is true while the answer to a Sync of ours that nobody waits for is under way: it comes before all others.
	synced bool
	// kept are the statements of ours that stay prepared, by their text; nil for none.
	kept map[string]*keptStatement
	// canceled is the error of a statement of ours that a cancel has hit since hear was called; nil for none. Not everybody who asks is in the way of the client's
	// statement, but the cancel was meant for that.
	canceled error
	// mute, when set, is told of notices in place of the client.
	mute func(body []byte)
}

// serverError is an ErrorResponse of the server.
type serverError struct {
	fields pgproto3.ErrorResponse
}

func (e *serverError) Error() string {
	return fmt.Sprintf("%s: %s (SQLSTATE %s)", e.fields.Severity, e.fields.Message, e.fields.Code)
}

// SQLState is the error's code.
func (e *serverError) SQLState() string { return e.fields.Code }

// SourceFile is the file of the server's source that it came from.
func (e *serverError) SourceFile() string { return e.fields.File }

// TxStatus is the status byte that the client would see.
func (b *backend) TxStatus() byte {
	b.pipe.mu.Lock()
	defer b.pipe.mu.Unlock()
	return b.pipe.status
}

// Exec runs one statement and returns its command tag.
func (b *backend) Exec(ctx context.Context, sql string, args ...string) (string, error) {
	with, err := b.textArgs(args)
	if err != nil {
		return "", err
	}
	answer, err := b.ask(ctx, sql, with)
	return answer.tag, err
}

// Query runs one statement and returns the first column of each row.
func (b *backend) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	with, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	answer, err := b.ask(ctx, sql, with)
	return answer.rows, err
}

// Chain runs statements one behind the other in one round trip, up to the first that fails, and returns the tags of those that succeeded.
func (b *backend) Chain(ctx context.Context, sql ...string) (tags []string, err error) {
	none := make([]parameters, len(sql))
	for i := range none {
		none[i] = parameters{bind: &pgproto3.Bind{}}
	}
	answers, err := b.askAll(ctx, sql, none)
	for _, a := range answers {
		if a.tag != "" {
			tags = append(tags, a.tag)
		}
	}
	return tags, err
}

// Pipeline is Chain for statements with parameters, whose answers matter: those of the statements that succeeded.
func (b *backend) Pipeline(ctx context.Context, calls ...run.Call) ([]run.Answer, error) {
	var (
		statements []string
		with       []parameters
	)
	for _, call := range calls {
		bind, oids := &pgproto3.Bind{}, make([]uint32, len(call.Params))
		for i, p := range call.Params {
			oids[i] = p.OID
			bind.Parameters = append(bind.Parameters, p.Value)
			bind.ParameterFormatCodes = append(bind.ParameterFormatCodes, p.Format)
		}
		ours, err := b.textArgs(call.Args)
		if err != nil {
			return nil, err
		}
		for _, value := range ours.bind.Parameters {
			bind.Parameters = append(bind.Parameters, value)
			bind.ParameterFormatCodes = append(bind.ParameterFormatCodes, 0)
		}
		statements, with = append(statements, call.SQL), append(with, parameters{bind: bind, oids: oids})
	}
	answered, err := b.askAll(ctx, statements, with)
	var answers []run.Answer
	for _, a := range answered {
		if a.tag != "" {
			answers = append(answers, run.Answer{Tag: a.tag, Rows: a.rows})
		}
	}
	return answers, err
}

// InTx runs f in a transaction of ours. The session must be outside of any.
func (b *backend) InTx(ctx context.Context, f func(context.Context) error) error {
	if b.piped || b.TxStatus() != 'I' {
		return errors.New("cannot begin: a transaction is already open")
	}
	if _, err := b.Exec(ctx, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"); err != nil {
		return err
	}
	if err := f(ctx); err != nil {
		if lost := b.rollback(ctx); lost != nil {
			return lost
		}
		return err
	}
	tag, err := b.Exec(ctx, "COMMIT")
	if err == nil && tag == "ROLLBACK" {
		return errors.New("the transaction was rolled back")
	}
	if isServerError(err) && b.TxStatus() != 'I' { // a cancel may come before the COMMIT has begun
		if lost := b.rollback(ctx); lost != nil {
			return lost
		}
	}
	return err
}

// rollback ends a transaction of ours, however often a cancel hits the statement that does it.
func (b *backend) rollback(ctx context.Context) error {
	if b.pipe.skipping {
		// Nothing but a Sync is heard after an error in a pipeline.
		if _, err := b.link.server.conn.Write([]byte{'S', 0, 0, 0, 4}); err != nil {
			return errServerGone
		}
		if _, err := b.read(0); err != nil && !isServerError(err) {
			return err
		}
	}
	for {
		_, err := b.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		server, ok := asServerError(err)
		switch {
		case err == nil:
			return nil
		case !ok:
			return err
		case server.fields.Code != canceled:
			return nil
		}
	}
}

func isServerError(err error) bool {
	var server *serverError
	return errors.As(err, &server)
}

// parameters are the types that a Parse declares and what a Bind carries behind its names, as on the wire.
type parameters struct {
	oids []uint32
	bind *pgproto3.Bind
	// kept is true for a statement that stays prepared.
	kept bool
}

func (b *backend) textArgs(args []string) (parameters, error) {
	bind := &pgproto3.Bind{}
	for _, arg := range args {
		value, err := b.encoding.Encode(arg)
		if err != nil {
			return parameters{}, fmt.Errorf("cannot send a parameter in client_encoding: %w", err)
		}
		bind.Parameters = append(bind.Parameters, value)
	}
	return parameters{bind: bind}, nil
}

// answer is what the server said to a statement of ours.
type answer struct {
	tag  string
	rows []string
}

// ask runs one statement with its parameters and reads the answer to the end.
func (b *backend) ask(ctx context.Context, sql string, with parameters) (answer, error) {
	answers, err := b.askAll(ctx, []string{sql}, []parameters{with})
	if len(answers) == 0 {
		return answer{}, errors.Join(err, errors.New("the server skipped a statement of pgsluice"))
	}
	return answers[len(answers)-1], err
}

// askAll runs statements one behind the other in one round trip, up to the first that fails. There is an answer for each that was begun.
func (b *backend) askAll(ctx context.Context, statements []string, with []parameters) ([]answer, error) {
	if err := ctx.Err(); err != nil {
		return []answer{{}}, context.Cause(ctx)
	}
	if b.piped && b.pipe.skipping { // the server would say nothing
		return []answer{{}}, &serverError{pgproto3.ErrorResponse{Severity: "ERROR", Code: "25P02", Message: "the pipeline has failed"}}
	}
	closes := 0
	var messages []pgproto3.FrontendMessage
	for i, sql := range statements {
		name := b.name
		if with[i].kept {
			name = b.keep(sql).name
		}
		bind := *with[i].bind
		bind.PreparedStatement, bind.DestinationPortal = name, b.name
		messages = append(messages, &pgproto3.Close{ObjectType: 'P', Name: b.name})
		closes++
		if !with[i].kept || !b.kept[sql].there {
			text, err := b.encoding.Encode(sql)
			if err != nil {
				return []answer{{}}, fmt.Errorf("cannot send a statement in client_encoding: %w", err)
			}
			closes++
			messages = append(messages, &pgproto3.Close{ObjectType: 'S', Name: name},
				&pgproto3.Parse{Name: name, Query: string(text), ParameterOIDs: with[i].oids})
		}
		messages = append(messages, &bind, &pgproto3.Execute{Portal: b.name})
	}
	messages = append(messages, &pgproto3.Close{ObjectType: 'P', Name: b.name}, &pgproto3.Close{ObjectType: 'S', Name: b.name})
	if err := b.send(messages); err != nil {
		return []answer{{}}, err
	}
	return b.read(closes + 2)
}

// send sends messages, and asks for all the answers to them.
func (b *backend) send(messages []pgproto3.FrontendMessage) error {
	if b.piped {
		messages = append(messages, &pgproto3.Flush{})
	} else {
		messages = append(messages, &pgproto3.Sync{})
	}
	var out []byte
	for _, m := range messages {
		var err error
		if out, err = m.Encode(out); err != nil {
			return fmt.Errorf("cannot send a statement: %w", err)
		}
	}
	if _, err := b.link.server.conn.Write(out); err != nil {
		return errServerGone
	}
	return nil
}

// parseOnly has the server parse a text, and returns its error. The session must be outside of a pipeline; in a transaction block a
// savepoint keeps an error from aborting it.
func (b *backend) parseOnly(ctx context.Context, sql string) error {
	inBlock := b.TxStatus() == 'T'
	if inBlock {
		if _, err := b.Exec(ctx, "SAVEPOINT pgsluice"); err != nil {
			return err
		}
	}
	_, found := b.exchange([]pgproto3.FrontendMessage{
		&pgproto3.Close{ObjectType: 'S', Name: b.name},
		&pgproto3.Parse{Name: b.name, Query: sql},
		&pgproto3.Close{ObjectType: 'S', Name: b.name},
	})
	if inBlock {
		for _, undo := range []string{"ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"} {
			if _, err := b.Exec(ctx, undo); err != nil {
				return err
			}
		}
	}
	return found
}

// describe is the RowDescription that the server gives for a text, nil for one without rows.
func (b *backend) describe(sql string) ([]byte, error) {
	return b.exchange([]pgproto3.FrontendMessage{
		&pgproto3.Close{ObjectType: 'S', Name: b.name},
		&pgproto3.Parse{Name: b.name, Query: sql},
		&pgproto3.Describe{ObjectType: 'S', Name: b.name},
		&pgproto3.Close{ObjectType: 'S', Name: b.name},
	})
}

// exchange sends messages about our prepared statement, and a Sync, and returns the RowDescription among the answers.
func (b *backend) exchange(messages []pgproto3.FrontendMessage) (columns []byte, failed error) {
	var out []byte
	for _, m := range append(messages, &pgproto3.Sync{}) {
		if parse, ok := m.(*pgproto3.Parse); ok {
			raw, err := b.encoding.Encode(parse.Query)
			if err != nil {
				return nil, fmt.Errorf("cannot send a statement in client_encoding: %w", err)
			}
			parse.Query = string(raw)
		}
		var err error
		if out, err = m.Encode(out); err != nil {
			return nil, fmt.Errorf("cannot send a statement: %w", err)
		}
	}
	if _, err := b.link.server.conn.Write(out); err != nil {
		return nil, errServerGone
	}
	for {
		kind, body, err := b.next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case 'T':
			columns = frameOf(kind, body)
		case 'E':
			failed = b.failure(body)
		case 'Z':
			b.ready(body)
			return columns, failed
		}
	}
}

// read collects the answers to what send has sent; last is the number of Closes in it.
func (b *backend) read(last int) ([]answer, error) {
	var (
		answers []answer
		failed  error
		closes  int
	)
	for {
		kind, body, err := b.next()
		if err != nil {
			return append(answers, answer{}), err
		}
		if len(answers) == 0 && (kind == 'D' || kind == 'C') {
			return append(answers, answer{}), fmt.Errorf("server sent message %q where BindComplete was due", kind)
		}
		switch kind {
		case '2':
			answers = append(answers, answer{})
		case 'D', 'C':
			if len(answers) == 0 {
				return nil, fmt.Errorf("server sent message %q before BindComplete", kind)
			}
			got := &answers[len(answers)-1]
			if kind == 'D' {
				got.rows = append(got.rows, b.text(body))
			} else {
				got.tag, _, _ = cString(body)
			}
		case '3':
			if closes++; closes == last && b.piped {
				return answers, failed
			}
		case 'E':
			failed = b.failure(body)
			answers = append(answers, answer{})
			if b.piped {
				b.pipe.skip()
				return answers, failed
			}
		case 'Z':
			b.ready(body)
			return answers, failed
		}
	}
}

// failure is the error that a statement of ours has ended with.
func (b *backend) failure(body []byte) error {
	err := decodeError(body)
	if isCancel(err) {
		b.canceled = err
	}
	return err
}

// hear forgets what a cancel has hit: from now on it is about something else.
func (b *backend) hear() { b.canceled = nil }

// canceled is query_canceled.
const canceled = "57014"

func isCancel(err error) bool {
	server, ok := asServerError(err)
	return ok && server.fields.Code == canceled
}

// text is the first column of a DataRow in UTF-8; NULL is "".
func (b *backend) text(body []byte) string {
	value, ok := firstColumn(body)
	if !ok {
		return ""
	}
	text, err := b.encoding.Decode(value)
	if err != nil {
		return string(value)
	}
	return text
}

// ready notes a ReadyForQuery.
func (b *backend) ready(body []byte) {
	if len(body) != 1 {
		return
	}
	b.pipe.mu.Lock()
	defer b.pipe.mu.Unlock()
	b.pipe.ready(body[0])
	b.pipe.skipping = false
}

// next returns the next message of the server that is not asynchronous, whole. The body is valid until the next call.
func (b *backend) next() (byte, []byte, error) {
	for {
		kind, size, err := b.link.server.header()
		if err != nil {
			return 0, nil, errServerGone
		}
		if size > maxAnswer {
			return 0, nil, fmt.Errorf("server sent %d bytes in answer to a statement of pgsluice", size)
		}
		if err := b.link.server.hold(size); err != nil {
			return 0, nil, errServerGone
		}
		frame := b.link.server.take(size)
		if kind == 'Z' && b.synced {
			b.synced = false
			b.ready(frame[headerSize:])
			continue
		}
		if !b.async(kind, frame) {
			return kind, frame[headerSize:], nil
		}
		if kind != 'N' || b.mute == nil {
			if _, err := b.link.client.conn.Write(frame); err != nil {
				return 0, nil, errClientGone
			}
		}
	}
}

// async notes a message that the server may send at any time, and reports whether it is one.
func (b *backend) async(kind byte, frame []byte) bool {
	switch kind {
	case 'S':
		if name, rest, ok := cString(frame[headerSize:]); ok {
			if value, _, ok := cString(rest); ok {
				b.setting(name, value)
			}
		}
	case 'N':
		if b.mute != nil {
			b.mute(frame[headerSize:])
		}
	case 'A':
	default:
		return false
	}
	return true
}

// pump forwards the server's answer to one message of the client up to and not including the ReadyForQuery (or, for a message of
// the extended protocol, up to the last of its answers), long messages in pieces. COPY data of the client is carried the other
// way while the server asks for it. It reports the command tags and the error that passed.
//
// want is told every message; it returns whether the message goes on to the client, and whether it was the last.
func (b *backend) pump(want func(kind byte, body []byte) (forward, last bool)) (failed error) {
	client, server := b.link.client, b.link.server
	var (
		data *copying
		gone error // why the client's data ended too early: the server's answer to that is still forwarded
	)
	defer func() {
		if data != nil {
			failed = errors.Join(failed, data.end(client))
		}
	}()
	for {
		kind, size, err := server.header()
		if err != nil && gone != nil {
			return gone
		}
		if err != nil {
			return errServerGone
		}
		if size > bufferSize && (kind == 'D' || kind == 'd') {
			if err := server.forward(client.conn, size); err != nil {
				return errClientGone
			}
			continue
		}
		if err := server.hold(size); err != nil {
			return errServerGone
		}
		frame := server.take(size)
		server.slim()
		if b.async(kind, frame) {
			if _, err := client.conn.Write(frame); err != nil {
				return errClientGone
			}
			continue
		}
		if data != nil && (kind == 'C' || kind == 'E' || kind == 'Z') {
			gone, data = data.end(client), nil
		}
		forward, last := want(kind, frame[headerSize:])
		if forward {
			if _, err := client.conn.Write(frame); err != nil {
				return errClientGone
			}
		}
		if last {
			return gone
		}
		if kind == 'G' {
			data = b.startCopy()
		}
	}
}

// copyIn carries the client's COPY data up to its CopyDone or CopyFail, or until stop is set between two messages.
func (b *backend) copyIn(stop *atomic.Bool) error {
	client, server := b.link.client, b.link.server
	for rest, last := 0, false; ; {
		if rest == 0 && last {
			return nil
		}
		if rest == 0 && client.w-client.r >= headerSize {
			kind, size, ok := frameAt(client.unread())
			if !ok || size-1 > limitOf(kind) || strings.IndexByte("dcfHS", kind) < 0 {
				_, _ = server.conn.Write(client.take(headerSize)) // The server answers it in its own words.
				return errClientGone
			}
			rest, last = size, kind == 'c' || kind == 'f'
		}
		if n := min(rest, client.w-client.r); n > 0 {
			if _, err := server.conn.Write(client.take(n)); err != nil {
				return errServerGone
			}
			rest -= n
			continue
		}
		err := client.need(client.w - client.r + 1)
		switch {
		case err == nil:
		case !isTimeout(err):
			return errClientGone
		case stop.Load() && rest == 0:
			return nil
		default:
			_ = client.conn.SetReadDeadline(time.Time{})
		}
	}
}

// copying is COPY data on its way to the server while the server's own messages go the other way: either side may have to be read for
// the other to go on.
type copying struct {
	stop atomic.Bool
	done chan error
}

func (b *backend) startCopy() *copying {
	c := &copying{done: make(chan error, 1)}
	go func() {
		err := b.copyIn(&c.stop)
		if err != nil {
			closeWrite(b.link.server.conn) // or the server would wait for the rest for ever
		}
		c.done <- err
	}()
	return c
}

// end waits for the data to have passed, or cuts it off between two messages when the server wants no more.
func (c *copying) end(client *leg) error {
	c.stop.Store(true)
	_ = client.conn.SetReadDeadline(longAgo)
	err := <-c.done
	_ = client.conn.SetReadDeadline(time.Time{})
	return err
}

// firstColumn is the first value of a DataRow; ok is false for NULL and for a row without columns.
func firstColumn(body []byte) (value []byte, ok bool) {
	if len(body) < 6 || binary.BigEndian.Uint16(body) == 0 {
		return nil, false
	}
	size, rest := binary.BigEndian.Uint32(body[2:]), body[6:] // of NULL it is -1
	if uint64(size) > uint64(len(rest)) {
		return nil, false
	}
	return rest[:size], true
}

func decodeError(body []byte) error {
	e := &serverError{}
	if err := e.fields.Decode(body); err != nil {
		return fmt.Errorf("server sent an error that cannot be read: %w", err)
	}
	return e
}
