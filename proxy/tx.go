package proxy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// promise is work that the transaction at hand has deferred, as the session remembers it until the transaction ends.
type promise struct {
	// about is what it means for the rest of the transaction, table its relation.
	about []policy.Promised
	table uint32
	id    int64
	plan  rewrite.Plan // the deferred steps
	// written is true when the transaction has since written to the table.
	written bool
}

// owes is true from the first deferral to the end of the transaction, whatever ROLLBACK TO SAVEPOINT took back: the ledger is asked
// then.
func (s *session) owes() bool { return s.owed != revisions.Transaction{} }

// forget is the end of a transaction without a commit: what it promised vanished with it.
func (s *session) forget() {
	s.promises, s.owed, s.pen, s.strong = nil, revisions.Transaction{}, pen{}, false
	s.chronicle.blockEnded()
}

// pen is what the promises of one transaction are signed with.
type pen struct {
	key revisions.Key
	// nonce is for the next promise, as long as it is made by the same users; zero when it must be asked for. An attestation may have left it, which
	// knows no names: it is theirs while it is of the same login and role as the one that they got.
	nonce  revisions.Nonce
	users  [2]string
	theirs [2]uint32
}

// mayDefer reports whether work can be promised here. In a transaction that has promised some the ledger need not be asked again.
func (s *session) mayDefer(ctx context.Context) bool {
	return s.options.Deferred && (s.owes() || s.ledger(ctx) != nil)
}

// takePen gets what the promises of a transaction are signed with.
func (s *session) takePen(ctx context.Context) error {
	if s.owes() {
		return nil
	}
	ledger := s.ledger(ctx)
	if ledger == nil {
		return &run.Failure{Code: codeRefused, Message: "pgsluice: the ledger cannot be reached any more, nothing can be deferred"}
	}
	s.pen = pen{key: ledger.Key()}
	return nil
}

// ink makes the pen ready for the next promise, in the transaction that it is for.
func (s *session) ink(ctx context.Context, known facts.Facts) error {
	users := [2]string{known.SessionUser, known.CurrentUser}
	if s.pen.nonce.Number != 0 && s.pen.users == users && s.pen.theirs == [2]uint32{s.pen.nonce.Login, s.pen.nonce.Role} {
		return nil
	}
	nonce, err := revisions.NewNonce(ctx, s.backend)
	s.pen.nonce, s.pen.users, s.pen.theirs = nonce, users, [2]uint32{nonce.Login, nonce.Role}
	return err
}

// transaction deals with BEGIN, COMMIT and their kin. They only matter while work is deferred, or as a piece of a script.
func (s *session) transaction(ctx context.Context, at occasion, control ddl.Transaction) error {
	s.rejoin() // when a COMMIT is answered, what it commits is in the ledger
	ends := control.Op == ddl.Commit || control.Op == ddl.Rollback
	if !s.owes() || !ends && control.Op != ddl.Prepare || control.Op == ddl.Rollback || s.backend.TxStatus() == 'E' {
		before := s.backend.TxStatus()
		s.chronicle.committing = control.Op == ddl.Commit
		err := s.asItIs(ctx, at)
		if err == nil {
			s.concluded(ctx, control, before)
		}
		switch {
		case err != nil || s.failed:
		case ends:
			s.forget()
		case control.Op == ddl.RollbackTo && !s.owes():
			s.chronicle.ran() // what it takes back is no part of what follows
		case s.owes() && control.Op == ddl.RollbackTo:
			s.chronicle.ran()
			s.strong = false // perhaps not, but it may be
			err = s.prune(ctx)
		}
		return err
	}
	switch control.Op {
	case ddl.Commit:
		return s.commit(ctx, at, control)
	case ddl.Prepare:
		return s.fail(ctx, s.voice.report(codeRefused,
			"pgsluice: PREPARE TRANSACTION is not possible while work of this transaction is deferred to its COMMIT", "",
			"Nobody would do the work at COMMIT PREPARED: use COMMIT."))
	}
	return fmt.Errorf("cannot deal with transaction statement %v", control.Op)
}

// deferred promises what cannot run inside the client's transaction, in that transaction, and answers the statement as done.
func (s *session) deferred(ctx context.Context, at occasion, known facts.Facts, plan rewrite.Plan, record *record) error {
	here, later := split(plan)
	if plan.Unprobed != "" {
		return s.answerFailure(ctx, at, plan, &run.Failure{
			Code:    codeRefused,
			Message: fmt.Sprintf("pgsluice: run this outside of the transaction: it cannot be promised, because %s [%s]", plan.Unprobed, plan.Recipe),
		})
	}
	if plan.Probe != "" {
		if _, err := s.backend.Exec(ctx, plan.Probe); err != nil {
			return s.answerFailure(ctx, at, plan, err)
		}
	}
	if !known.HoldsStrong {
		if err := s.checkData(ctx, plan); err != nil {
			return s.answerFailure(ctx, at, plan, err)
		}
	}
	if err := s.takePen(ctx); err != nil {
		return s.answerFailure(ctx, at, plan, err)
	}
	if err := s.ink(ctx, known); err != nil {
		return s.answerFailure(ctx, at, plan, err)
	}
	if len(here.Steps) > 0 {
		s.warmUp(ctx)
		s.leave()
		s.ledger(ctx) // is checked now if need be, and not while the lock is held
		if err := s.interrupted(); err != nil {
			return s.answerFailure(ctx, at, plan, err)
		}
		s.leave()
	}
	result, err := s.runner(ctx, known).Run(ctx, here)
	s.backend.hear()
	record.ran(result)
	if err != nil {
		return s.answerFailure(ctx, at, here, err)
	}
	s.strong = s.strong || len(result.Ran) > 0
	if err := s.promise(ctx, at, known, later); err != nil {
		return s.answerFailure(ctx, at, later, err)
	}
	record.promised(s.promises[len(s.promises)-1].id)
	if err := s.announce(plan.Notice + ", right after COMMIT"); err != nil {
		return err
	}
	return s.voice.complete(plan.Tag)
}

// warmUp has the server prepare and plan what it will be asked about later statements, before the first lock that others wait for: planning takes
// longer than everything else. What cannot be prepared now is prepared later.
func (s *session) warmUp(ctx context.Context) {
	if s.strong || len(s.backend.kept) > 1 {
		return
	}
	if err := facts.Prepare(ctx, remembered{s.backend}); err != nil {
		s.logger().DebugContext(ctx, "cannot prepare the question for facts", "error", err)
	}
}

// split separates what holds from now on from what waits for the end of the transaction.
func split(plan rewrite.Plan) (here, later rewrite.Plan) {
	here, later = plan, plan
	here.Steps, later.Steps = nil, nil
	for _, step := range plan.Steps {
		if step.Where == rewrite.InPlace {
			here.Steps = append(here.Steps, step)
		} else {
			later.Steps = append(later.Steps, step)
		}
	}
	return here, later
}

// commit ends a transaction that owes work: every promise is checked once more, the COMMIT is sent, and the work is done before the
// COMMIT is answered.
func (s *session) commit(ctx context.Context, at occasion, control ddl.Transaction) error {
	s.rejoin()
	if err := s.verify(ctx); err != nil {
		return s.commitFailed(ctx, err)
	}
	modes := ""
	if control.Chain {
		var err error
		if modes, err = s.modes(ctx); err != nil {
			return s.relayFailure(err)
		}
	}
	s.chronicle.committing = true
	tag, err := s.backend.Exec(ctx, "COMMIT")
	if err != nil {
		err = s.fate(ctx, err)
		s.chronicle.fated(err)
		s.forget()
		return s.relayFailure(err)
	}
	s.chronicle.seen(tag)
	s.backend.piped, s.committed = false, true
	failed := error(nil)
	if tag == "COMMIT" {
		failed = s.keepIfCommitted(ctx)
	}
	s.forget()
	if failed != nil {
		return s.reportUnkept(failed)
	}
	if modes != "" {
		s.tellEnds(ctx, nil)
		if _, err := s.backend.Exec(ctx, "BEGIN "+modes); err != nil {
			return s.relayFailure(err)
		}
	}
	if at.Tag == "" {
		return nil // The commit of an implicit transaction is answered by its last statement.
	}
	return s.voice.complete(tag)
}

// commitFailed answers a COMMIT that is not sent, because a promise cannot be kept: like any COMMIT that fails, it ends the transaction.
func (s *session) commitFailed(ctx context.Context, failed error) error {
	if err := s.answerFailure(ctx, occasion{}, rewrite.Plan{}, failed); err != nil {
		return err
	}
	s.forget()
	s.chronicle.seen("ROLLBACK")
	s.backend.piped, s.committed = false, true
	return s.backend.rollback(ctx)
}

// keepIfCommitted does the promised work, if there is any.
func (s *session) keepIfCommitted(ctx context.Context) error {
	if !s.owes() {
		return nil
	}
	defer s.forget()
	err := s.keep(ctx)
	if errors.Is(err, errServerGone) && !errors.Is(err, errClientGone) {
		return committedInFlight()
	}
	return err
}

// modes are the modes of the transaction at hand, as BEGIN takes them.
func (s *session) modes(ctx context.Context) (string, error) {
	rows, err := s.backend.Query(ctx, `SELECT pg_catalog.concat('ISOLATION LEVEL ', pg_catalog.current_setting('transaction_isolation'),
		CASE pg_catalog.current_setting('transaction_read_only') WHEN 'on' THEN ' READ ONLY' ELSE ' READ WRITE' END,
		CASE pg_catalog.current_setting('transaction_deferrable') WHEN 'on' THEN ' DEFERRABLE' ELSE ' NOT DEFERRABLE' END)`)
	if err != nil {
		return "", err
	}
	return strings.Join(rows, ""), nil
}

// marker is a setting of the transaction that lists its promises. ROLLBACK TO SAVEPOINT takes it back together with the rows, so it tells
// which promises still stand while the rows cannot be seen. Only politeness depends on it: the ledger decides what is run.
const marker = "pgsluice.promised"

// promise writes the deferred steps of a plan into the ledger, in the client's transaction.
func (s *session) promise(ctx context.Context, at occasion, known facts.Facts, later rewrite.Plan) error {
	steps, err := json.Marshal(later.Steps)
	if err != nil {
		return fmt.Errorf("cannot write the steps of a promise: %w", err)
	}
	environment, err := json.Marshal(environment(known))
	if err != nil {
		return fmt.Errorf("cannot write the environment of a promise: %w", err)
	}
	nonce := s.pen.nonce
	s.pen.nonce = revisions.Nonce{} // it is used up, however this ends
	id, next, err := revisions.RecordNext(ctx, s.backend, s.pen.key, nonce, revisions.Promise{
		Kind: later.Recipe, Tag: later.Tag, Table: promisedTable(later), Asked: s.redacted(at.Statement),
		Steps: steps, Environment: environment,
	}, marker)
	if err != nil {
		return err
	}
	s.owed, s.pen.nonce = nonce.Transaction(), next
	s.promises = append(s.promises, promise{about: promisedBy(later), table: promisedTable(later), id: id, plan: later})
	return nil
}

// environment is what gave the statement its meaning, to be set again when its steps run.
func environment(known facts.Facts) map[string]string {
	settings := map[string]string{}
	for _, name := range append(facts.Environment(), "search_path", "role") {
		if value, ok := known.Settings[name]; ok {
			settings[name] = value
		}
	}
	if known.Writing != nil {
		for name, setting := range known.Writing.Settings {
			settings[name] = setting.Value
		}
	}
	return settings
}

// promisedTable is the relation without which the work has no sense.
func promisedTable(later rewrite.Plan) uint32 {
	return cmp.Or(later.Table.OID, later.Steps[0].Table.OID)
}

// promisedBy is what the rest of the transaction has to respect: for each table and index of the work, what they wait for.
func promisedBy(later rewrite.Plan) []policy.Promised {
	var all []policy.Promised
	for _, step := range later.Steps {
		p := policy.Promised{
			Table: step.Table.OID, Name: step.Table.Name, Object: cmp.Or(step.Index.Name, later.Object),
			Drops: step.Index.Drop, Unique: len(later.DataChecks) > 0 || step.Index.Drop,
			NotNull: later.NotNull, Fills: later.Fills, Primary: later.Primary, Rows: later.Job != "",
		}
		same := func(other policy.Promised) bool { return other.Table == p.Table && other.Object == p.Object }
		i := slices.IndexFunc(all, same)
		if i < 0 {
			all = append(all, p)
			i = len(all) - 1
		}
		for _, column := range step.Table.Columns {
			if !slices.Contains(all[i].Columns, column) {
				all[i].Columns = append(all[i].Columns, column)
			}
		}
	}
	return all
}

// promised is what this transaction has promised, for the judge.
func (s *session) promised() []policy.Promised {
	var all []policy.Promised
	for _, p := range s.promises {
		all = append(all, p.about...)
	}
	return all
}

// prune forgets the promises that a ROLLBACK TO SAVEPOINT has taken back.
func (s *session) prune(ctx context.Context) error {
	rows, err := s.backend.Query(ctx, "SELECT pg_catalog.current_setting($1, true)", marker)
	if err != nil {
		return err
	}
	standing := strings.Split(strings.Join(rows, ""), ",")
	s.promises = slices.DeleteFunc(s.promises, func(p promise) bool {
		return !slices.Contains(standing, strconv.FormatInt(p.id, 10))
	})
	return nil
}

// wrote notes which promises' tables a statement writes to.
func (s *session) wrote(statement ddl.Statement, known facts.Facts) {
	for _, ref := range statement.Refs {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		for i := range s.promises {
			if ref.Written && relation != nil && slices.ContainsFunc(s.promises[i].about, func(p policy.Promised) bool { return p.Table == relation.OID }) {
				s.promises[i].written = true
			}
		}
	}
}

// blind reports whether an EXECUTE of SQL could run something that the protocol has prepared and that nobody has read.
func (s *session) blind(ctx context.Context, statement ddl.Statement) (bool, error) {
	if statement.Tag != "EXECUTE" || !s.owes() {
		return false, nil
	}
	rows, err := s.backend.Query(ctx, `SELECT name FROM pg_catalog.pg_prepared_statements
		WHERE NOT from_sql AND NOT pg_catalog.starts_with(name, $1::pg_catalog.text) LIMIT 1`, s.backend.name)
	return len(rows) > 0, err
}

// verify checks, just before the COMMIT is sent, that every promise that still stands can be kept: the relations and columns are the
// same, and the data still allows it. A mismatch is an ordinary error, and the transaction rolls back.
//
// Others may be waiting for what this transaction has locked, so that no more is asked than can have changed: what an index on plain
// columns needs is those columns, and nobody is served by reading whole tables.
func (s *session) verify(ctx context.Context) error {
	var steps []rewrite.Step
	for _, p := range s.promises {
		steps = append(steps, p.plan.Steps...)
	}
	changes, err := run.Changes(ctx, s.backend, steps)
	if err != nil {
		return err
	}
	for _, p := range s.promises {
		if slices.ContainsFunc(changes, func(c run.Change) bool { return c.Gone && c.OID == p.table }) {
			continue // Its table was dropped: the promise will be void.
		}
		for _, step := range p.plan.Steps {
			if err := run.Misplanned(step, changes); err != nil {
				return err
			}
		}
		if p.plan.Probe != "" && slices.ContainsFunc(p.plan.Steps, func(step rewrite.Step) bool { return step.Index.Name != "" && !step.Index.Plain }) {
			if _, err := s.backend.Exec(ctx, p.plan.Probe); err != nil {
				return err
			}
		}
		if len(p.plan.DataChecks) == 0 {
			continue
		}
		strong, err := s.holdsStrong(ctx)
		if err != nil {
			return err
		}
		if !p.written && strong {
			continue
		}
		if err := s.checkData(ctx, p.plan); err != nil {
			return err
		}
	}
	return nil
}

// holdsStrong reports whether others may be waiting for this transaction. An error is one in a pipeline.
func (s *session) holdsStrong(ctx context.Context) (bool, error) {
	if !s.strong {
		now, err := facts.Read(ctx, sheltered{s.backend}, nil)
		if err != nil && s.backend.piped {
			return false, err
		}
		s.strong = err == nil && now.HoldsStrong
	}
	return s.strong, nil
}

func (s *session) targetGone(ctx context.Context, table uint32) (bool, error) {
	rows, err := s.backend.Query(ctx, "SELECT 1 FROM pg_catalog.pg_class WHERE oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid",
		strconv.FormatUint(uint64(table), 10))
	return len(rows) == 0, err
}

// checkData looks for rows that would break a plan; what it finds is the error that the statement itself would have met.
func (s *session) checkData(ctx context.Context, plan rewrite.Plan) error {
	for _, check := range plan.DataChecks {
		rows, err := sheltered{s.backend}.look(ctx, check.SQL)
		if err != nil {
			return err
		}
		if len(rows) > 0 {
			return &run.Failure{
				Code: check.Code, Message: check.Message, Detail: rows[0],
				Hint: "pgsluice checked the data first, and nothing was done.",
			}
		}
	}
	return nil
}
