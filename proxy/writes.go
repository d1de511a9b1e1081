package proxy

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// UPDATE and DELETE are ordinary traffic. Those whose shape is known to touch few rows pass in the relay, unread. What is left is read once, and
// the catalog asked about it; only where that is not certain for any parameters, the planner is asked about each one.

// passes reports whether a text of writes is known to touch few rows, if it is no longer than most bytes (0 is any length). It runs at line speed.
func (s *session) passes(text []byte) (few bool, most int) {
	key, ok := s.shapeOf(text)
	if !ok || s.wandering {
		return false, 0
	}
	found, known := s.ownShapes[key]
	if !known && !s.link.startup.apart {
		found, known = s.options.shapes.get(key)
	}
	return known && found.few && s.now().Before(found.until), found.most
}

// shapeOf is what a text is remembered by: the same text of another login or database is another.
func (s *session) shapeOf(text []byte) (key uint64, ok bool) {
	if s.shaper == nil {
		s.shaper = ddl.NewShapes(s.options.shapes.seed)
		s.shapeSalt = maphash.String(s.options.shapes.seed, s.link.startup.database+"\x00"+s.link.startup.user)
	}
	shape, ok := s.shaper.Of(text, *s.encoded.Load())
	return shape ^ s.shapeSalt, ok
}

// onlyWrites reports whether nothing but the number of its rows could be of concern in a statement.
func (s *session) onlyWrites(statement ddl.Statement) bool {
	if !ddl.Changes(statement) || s.owes() || s.reaches(statement) {
		return false
	}
	write, ok := statement.Action.(ddl.Write)
	return !ok || !write.Program && !(s.altering && write.Reach >= ddl.ManyRows)
}

// lookAt reports whether a text is known to touch few rows, or else has to be dealt with statement by statement. The catalog may be asked, and what it
// says is remembered. An error is a cancel, or one in a pipeline, which the server ignores from then on.
func (s *session) lookAt(ctx context.Context, r reading, raw []byte) (shape, error) {
	var writes []ddl.Statement
	for _, statement := range r.statements {
		s.noteWrite(statement)
		many, err := s.many(ctx, statement, len(raw))
		if err != nil {
			return shape{}, err
		}
		switch {
		case many:
			return shape{}, nil
		case s.onlyWrites(statement):
			writes = append(writes, statement)
		case s.concerns(statement):
			return shape{}, nil
		}
	}
	if len(writes) == 0 {
		return shape{few: true}, nil
	}
	if len(r.statements) > 1 && s.mayNotAsk(r.statements) {
		return shape{}, nil // piece by piece: what comes before the first snapshot is run before anything is asked
	}
	return s.touchesFew(ctx, writes, raw)
}

// many reports whether a statement prepares a write in SQL that is not known to touch few rows, or runs one.
func (s *session) many(ctx context.Context, statement ddl.Statement, size int) (bool, error) {
	if statement.Tag != "PREPARE" && statement.Tag != "EXECUTE" && statement.Tag != "EXPLAIN" {
		return false, nil
	}
	if s.mayNotAsk([]ddl.Statement{statement}) {
		return true, nil
	}
	if name, _, _, err := s.preparesMany(ctx, statement); err != nil || name != "" {
		return name != "", err
	}
	return s.callOfMany(ctx, statement, size)
}

// mayNotAsk reports whether a question before these statements could take the snapshot that one of them must come before, or be about other tables than
// those that a name means once one of them has run.
func (s *session) mayNotAsk(statements []ddl.Statement) bool {
	return slices.ContainsFunc(statements, func(statement ddl.Statement) bool {
		switch action := statement.Action.(type) {
		case ddl.Setting:
			resets := action.Op == ddl.ResetAll || action.Op == ddl.DiscardAll
			return s.backend.TxStatus() == 'T' || resets || action.Op != ddl.Show && decidesNames(action.Name)
		case ddl.Transaction, ddl.LockTable:
			return s.backend.TxStatus() == 'T'
		}
		return ddl.CallsSetConfig(statement) && decidesNames(statement.Text)
	})
}

// touchesFew reports whether writes touch few rows, whatever their parameters are as long as they have no more than most bytes (0 is any), and remembers
// it for the text. What the catalog does not say is not few.
func (s *session) touchesFew(ctx context.Context, writes []ddl.Statement, raw []byte) (shape, error) {
	key, hasShape := s.shapeOf(raw)
	if known, ok := s.ownShapes[key]; hasShape && ok && !s.wandering && s.now().Before(known.until) {
		return known, nil
	}
	if s.backend.TxStatus() == 'E' || s.pipe.skipping {
		return shape{}, nil
	}
	var touches []ddl.Touch
	for _, statement := range writes {
		more, err := ddl.Touches(statement)
		if err != nil {
			return shape{}, nil
		}
		touches = append(touches, more...)
	}
	if open, err := s.statisticsOpen(ctx); err != nil || !open {
		return shape{}, err
	}
	known, err := facts.TouchesFew(ctx, sheltered{s.backend}, touches, s.options.BulkRows)
	if err != nil && (s.backend.piped || isCancel(err)) {
		s.statistics = "" // a right may have been taken since
		return shape{}, err
	}
	if err != nil {
		return shape{}, nil
	}
	if hasShape {
		s.rememberShape(key, known)
	}
	look := shape{few: known.Certain, most: known.MostBytes}
	if !known.Keyed {
		look.until = s.now().Add(countedFor)
	}
	return look, nil
}

// statisticsOpen reports whether the client's login may read the statistics that touchesFew asks for. That has to be certain in a pipeline, where an error
// would be the client's.
func (s *session) statisticsOpen(ctx context.Context) (bool, error) {
	if !s.backend.piped {
		return true, nil
	}
	return s.mayReadStatistics(ctx)
}

// mayReadStatistics asks whether the client's login may read the planner's statistics, once in a session.
func (s *session) mayReadStatistics(ctx context.Context) (bool, error) {
	if s.statistics == "" {
		rows, err := sheltered{s.backend}.Query(ctx, facts.StatisticsOpenSQL)
		if err != nil {
			return false, err
		}
		s.statistics = strings.Join(rows, "")
	}
	return s.statistics == "t", nil
}

func (s *session) rememberShape(key uint64, few facts.Few) {
	what := shape{few: few.Certain, most: few.MostBytes}
	if few.Certain && few.Keyed && few.Only && !s.wandering && !s.link.startup.apart {
		what.until = s.now().Add(keyedFor)
		s.options.shapes.put(key, what)
		return
	}
	what.until = s.now().Add(countedFor)
	if s.ownShapes == nil {
		s.ownShapes = map[uint64]shape{}
	}
	makeRoom(s.ownShapes, mostOwnShapes)
	s.ownShapes[key] = what
}

// small asks the planner whether a write touches few rows. Where it has waited in vain, the statement has, too; what it cannot say otherwise is left to the
// server, unless the statement leaves no row out.
func (s *session) small(ctx context.Context, at occasion) (bool, error) {
	text := at.Text
	if inner := ddl.Analyzed(at.Statement); inner != nil {
		text = inner.Text
	}
	expected, err := facts.Explain(ctx, askedOnce{sheltered{s.backend}, explainer{s, at}}, text)
	code := run.SQLState(err)
	if err != nil && (code == "" || code == canceled || s.backend.piped || s.options.Mode == Enforce && run.Retryable(err)) {
		return false, err
	}
	if err != nil {
		failsAnyway := strings.HasPrefix(code, "42") // a name, a type or a right
		return failsAnyway || !s.concerns(at.Statement), nil
	}
	changed, added := expected.Total()
	return changed < float64(s.options.BulkRows) && added < float64(s.options.BulkRows), nil
}

// explainer has statements explained for an occasion.
type explainer struct {
	session *session
	at      occasion
}

// Explain implements facts.Explainer: with the parameters of the statement at hand, and without a trace, once for an occasion. It waits for a table where
// the statement itself would. Within a pipeline, where there are no savepoints, the client's own portal holds the locks already, and what fails there
// fails for the client, too.
func (e explainer) Explain(ctx context.Context, statement string) ([]string, error) {
	if plan, ok := e.at.plans[statement]; ok {
		return plan, nil
	}
	switch {
	case e.at.called == nil:
	case statement == e.at.called.write:
		return e.explainCall(ctx, statement)
	default:
		return nil, facts.ErrNotExplained
	}
	b := e.session.backend
	with := parameters{bind: &pgproto3.Bind{}}
	if portal := e.at.portal; portal != nil {
		with.oids = portal.prepared.oids
		with.bind = &pgproto3.Bind{ParameterFormatCodes: portal.bind.ParameterFormatCodes, Parameters: portal.bind.Parameters}
	}
	statements, given, place := []string{facts.ExplainSQL + statement}, []parameters{with}, 0
	if b.inBlock() {
		none := parameters{bind: &pgproto3.Bind{}}
		statements = []string{"SAVEPOINT pgsluice", statements[0], "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"}
		given, place = []parameters{none, with, none, none}, 1
	}
	answers, err := b.askAll(ctx, statements, given)
	if err == nil && len(answers) != len(statements) {
		err = errors.New("the server skipped a statement of pgsluice")
	}
	if err != nil {
		return nil, b.restored(ctx, err)
	}
	if e.at.plans != nil {
		e.at.plans[statement] = answers[place].rows
	}
	return answers[place].rows, nil
}

// StatisticsOpen implements facts.Explainer.
func (e explainer) StatisticsOpen(ctx context.Context) (bool, error) {
	return e.session.mayReadStatistics(ctx)
}

// explainCall is Explain for an EXECUTE of SQL. What it sets is put back, also where there is no savepoint.
func (e explainer) explainCall(ctx context.Context, statement string) (plan []string, err error) {
	explain, generic := e.at.called.explained()
	b := sheltered{e.session.backend}
	if !generic {
		plan, err = b.look(ctx, explain)
	} else {
		err = run.Under(ctx, e.session.backend, map[string]string{"plan_cache_mode": "force_generic_plan"}, func() (err error) {
			plan, err = b.look(ctx, explain)
			return err
		})
	}
	if err == nil && e.at.plans != nil {
		e.at.plans[statement] = plan
	}
	return plan, err
}

// askedOnce and askedAgain are Queriers that can explain the statement at hand.
type (
	askedOnce struct {
		sheltered
		explainer
	}
	askedAgain struct {
		remembered
		explainer
	}
)

// MayHold implements facts.PartsQuerier: a statement that is only looked at may stand in a transaction that has not begun yet.
func (a askedAgain) MayHold() bool { return a.at.inTransaction || a.remembered.MayHold() }

// params are the parameters that the client's Execute runs with, and their types as the server has found them out.
func (s *session) params(ctx context.Context, at occasion) (params []rewrite.Param, err error) {
	switch {
	case at.called != nil:
		params, err = s.arguments(ctx, at.called)
	case at.portal != nil:
		params, err = s.bound(at)
	}
	if err != nil || len(params) == 0 {
		return nil, err
	}
	text, err := ddl.ReadWriting(at.Statement)
	if err != nil {
		return nil, err
	}
	for i, param := range params {
		if ddl.ReadsClock(string(param.Value)) && (!stringTypes[param.OID] || slices.Contains(text.Converted, i+1)) {
			return nil, fmt.Errorf(`parameter $%d has a word ("now", "today") that each batch may read anew as a time; send the time itself`, i+1)
		}
	}
	return params, nil
}

// bound are the parameters of the client's Bind.
func (s *session) bound(at occasion) ([]rewrite.Param, error) {
	bind := at.portal.bind
	if len(bind.Parameters) == 0 {
		return nil, nil
	}
	types, err := s.backend.parameterTypes(at.piece, at.portal.prepared.oids)
	if err != nil {
		return nil, err
	}
	params := make([]rewrite.Param, len(bind.Parameters))
	for i, value := range bind.Parameters {
		params[i].Value = value
		switch codes := bind.ParameterFormatCodes; {
		case len(codes) == 1:
			params[i].Format = codes[0]
		case i < len(codes):
			params[i].Format = codes[i]
		}
		if i < len(types) {
			params[i].OID = types[i]
		}
	}
	return params, nil
}

// stringTypes are those that hold a string as it is: bytea, name, text, json, bpchar, varchar, jsonb, and text[], bpchar[], varchar[].
var stringTypes = map[uint32]bool{17: true, 19: true, 25: true, 114: true, 1042: true, 1043: true, 3802: true, 1009: true, 1014: true, 1015: true}

// parameterTypes are the types of the parameters of a statement. It may be asked within a pipeline.
func (b *backend) parameterTypes(sql string, oids []uint32) ([]uint32, error) {
	return b.prepared(b.name, sql, oids)
}

// prepared has the server prepare a statement under a name, and returns the types of its parameters. What has the name b.name is closed again.
func (b *backend) prepared(name, sql string, oids []uint32) ([]uint32, error) {
	text, err := b.encoding.Encode(sql)
	if err != nil {
		return nil, fmt.Errorf("cannot send a statement in client_encoding: %w", err)
	}
	var out []byte
	for _, m := range []pgproto3.FrontendMessage{
		&pgproto3.Close{ObjectType: 'S', Name: name},
		&pgproto3.Parse{Name: name, Query: string(text), ParameterOIDs: oids},
		&pgproto3.Describe{ObjectType: 'S', Name: name},
		&pgproto3.Close{ObjectType: 'S', Name: b.name},
	} {
		if out, err = m.Encode(out); err != nil {
			return nil, fmt.Errorf("cannot ask for the types of parameters: %w", err)
		}
	}
	end := []byte{'S', 0, 0, 0, 4}
	if b.piped {
		end = flush
	}
	if _, err := b.link.server.conn.Write(append(out, end...)); err != nil {
		return nil, errServerGone
	}
	var (
		types  []uint32
		failed error
	)
	for closed := 0; ; {
		kind, body, err := b.next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case 't':
			var described pgproto3.ParameterDescription
			if err := described.Decode(body); err != nil {
				return nil, fmt.Errorf("server sent a description of parameters that cannot be read: %w", err)
			}
			types = append(types, described.ParameterOIDs...)
		case '3':
			if closed++; closed == 2 && b.piped {
				return types, nil
			}
		case 'E':
			failed = decodeError(body)
			if b.piped {
				b.pipe.skip()
				return nil, failed
			}
		case 'Z':
			b.ready(body)
			return types, failed
		}
	}
}
