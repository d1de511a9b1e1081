package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/jackc/pgx/v5/pgproto3"
)

// sheltered is a Querier whose statements cannot abort the client's transaction: in a block each stands in a savepoint of ours. The savepoint
// costs no round trip of its own unless the statement fails.
type sheltered struct{ *backend }

// Query implements facts.Querier.
func (b sheltered) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	if !b.inBlock() {
		return b.backend.Query(ctx, sql, args...)
	}
	with, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	return b.query(ctx, sql, with)
}

// query is Query in a block.
func (b sheltered) query(ctx context.Context, sql string, with parameters) ([]string, error) {
	none := parameters{bind: &pgproto3.Bind{}}
	answers, err := b.askAll(ctx, []string{"SAVEPOINT pgsluice", sql, "RELEASE SAVEPOINT pgsluice"}, []parameters{none, with, none})
	if err == nil && len(answers) < 2 {
		err = errors.New("the server skipped a statement of pgsluice")
	}
	if err != nil {
		return nil, b.restored(ctx, err)
	}
	return answers[1].rows, nil
}

// look is Query for reading tables: a block gives back the locks that it took. Two transactions that had read a table, and then want a strong lock of it,
// would wait for each other.
func (b sheltered) look(ctx context.Context, sql string) ([]string, error) {
	if !b.inBlock() {
		return b.backend.Query(ctx, sql)
	}
	statements := []string{"SAVEPOINT pgsluice", sql, "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"}
	none := make([]parameters, len(statements))
	for i := range none {
		none[i] = parameters{bind: &pgproto3.Bind{}}
	}
	answers, err := b.askAll(ctx, statements, none)
	if err == nil && len(answers) < len(statements) {
		err = errors.New("the server skipped a statement of pgsluice")
	}
	if err != nil {
		return nil, b.restored(ctx, err)
	}
	return answers[1].rows, nil
}

// inBlock reports whether a statement of ours that fails would abort a transaction block of the client's.
func (b *backend) inBlock() bool { return !b.piped && b.TxStatus() == 'T' }

// restored takes a block that an error of ours has aborted back to the savepoint, and returns that error. Where it was the SAVEPOINT that failed there is none,
// and the block stays aborted.
func (b *backend) restored(ctx context.Context, failed error) error {
	if b.piped || b.TxStatus() != 'E' {
		return failed
	}
	if _, err := b.Chain(ctx, "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"); err != nil && (!isServerError(err) || isCancel(err)) {
		return err
	}
	return failed
}

// repeated is a Querier for a statement that one transaction sends again and again: in a block it stays prepared.
type repeated struct{ *backend }

// Query implements facts.Querier.
func (b repeated) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	if !b.inBlock() {
		return b.backend.Query(ctx, sql, args...)
	}
	with, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	with.kept = true
	rows, err := sheltered(b).query(ctx, sql, with)
	if isNoSuchStatement(err) { // the client has deallocated it, with everything else
		b.keep(sql).there = false
		rows, err = sheltered(b).query(ctx, sql, with)
	}
	b.keep(sql).there = err == nil // or it is not known; then it is closed before it is prepared
	return rows, err
}

// remembered is a Querier for the question that is asked again and again: the server prepares each of its parts once. They have no parameters, so
// that they are planned once, too; what they are about stands in a setting, which ends with the transaction or with the savepoint.
type remembered struct{ *backend }

// Query implements facts.Querier.
func (b remembered) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	return sheltered(b).Query(ctx, sql, args...)
}

// QueryParts implements facts.PartsQuerier.
func (b remembered) QueryParts(ctx context.Context, parts []string, setting, value string) ([]string, error) {
	if b.piped && b.kept != nil {
		if err := b.lookUp(ctx); err != nil {
			return nil, err
		}
	}
	rows, err := b.ask(ctx, parts, setting, value)
	if isNoSuchStatement(err) && !b.piped { // the client has deallocated it, with everything else
		return b.ask(ctx, parts, setting, value)
	}
	return rows, err
}

// MayHold implements facts.PartsQuerier.
func (b remembered) MayHold() bool { return b.piped || b.TxStatus() != 'I' }

// Brittle implements facts.PartsQuerier: in a pipeline an error would be the client's.
func (b remembered) Brittle() bool { return b.piped }

// ask asks questions in one round trip. After an error a block is as it was.
func (b remembered) ask(ctx context.Context, questions []string, setting, value string) ([]string, error) {
	with, err := b.textArgs([]string{setting, value})
	if err != nil {
		return nil, err
	}
	with.kept = true
	asked, none := parameters{bind: &pgproto3.Bind{}, kept: true}, parameters{bind: &pgproto3.Bind{}}
	statements, given := []string{setSQL}, []parameters{with}
	for _, question := range questions {
		statements, given = append(statements, question), append(given, asked)
	}
	first := 1
	if b.inBlock() {
		first++
		statements = slices.Concat([]string{"SAVEPOINT pgsluice"}, statements, []string{"ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"})
		given = slices.Concat([]parameters{none}, given, []parameters{none, none})
	}
	answers, err := b.askAll(ctx, statements, given)
	if err == nil && len(answers) < len(statements) {
		err = errors.New("the server skipped a statement of pgsluice")
	}
	for i, sql := range statements {
		if kept := b.kept[sql]; given[i].kept && kept != nil {
			// Or it is not known; then it is closed before it is prepared.
			kept.there = err == nil || isServerError(err) && !isNoSuchStatement(err) && (kept.there || i < len(answers) && answers[i].tag != "")
		}
	}
	if err != nil {
		return nil, b.restored(ctx, err)
	}
	var rows []string
	for _, a := range answers[first : first+len(questions)] {
		rows = append(rows, a.rows...)
	}
	return rows, nil
}

// setSQL sets a setting for the rest of the transaction.
const setSQL = "SELECT pg_catalog.set_config($1, $2, true)"

// lookUp finds out what the server still has of what stays prepared. In a pipeline, where an error would be the client's, that must be certain.
func (b *backend) lookUp(ctx context.Context) error {
	names, err := b.Query(ctx, "SELECT p.name FROM pg_catalog.pg_prepared_statement() AS p WHERE pg_catalog.starts_with(p.name, $1)", b.name)
	for _, kept := range b.kept {
		kept.there = err == nil && kept.there && slices.Contains(names, kept.name)
	}
	return err
}

// noSuchStatement is invalid_sql_statement_name.
const noSuchStatement = "26000"

func isNoSuchStatement(err error) bool {
	server, ok := asServerError(err)
	return ok && server.fields.Code == noSuchStatement
}

// keptStatement is a statement of ours that stays prepared.
type keptStatement struct {
	name string
	// there is true when the server certainly has it.
	there bool
}

// keep is the statement of that text, which stays prepared from now on.
func (b *backend) keep(sql string) *keptStatement {
	if b.kept == nil {
		b.kept = map[string]*keptStatement{}
	}
	if b.kept[sql] == nil {
		b.kept[sql] = &keptStatement{name: fmt.Sprintf("%s_%d", b.name, len(b.kept))}
	}
	return b.kept[sql]
}

// unkeep closes the statements that stayed prepared. The server must not be skipping to a Sync.
func (b *backend) unkeep() error {
	var messages []pgproto3.FrontendMessage
	for _, kept := range b.kept {
		messages = append(messages, &pgproto3.Close{ObjectType: 'S', Name: kept.name})
	}
	b.kept = nil
	if err := b.send(messages); err != nil {
		return err
	}
	_, err := b.read(len(messages))
	if isServerError(err) {
		return nil // they are gone with whatever ended the session's transaction
	}
	return err
}

// lingering is how many commands of the client's may pass before what stays prepared is taken back. It serves the next schema change; between two
// of them a migration has its version table, its COMMIT and its BEGIN. A session that goes on to other work is to hold nothing of ours.
const lingering = 16

// revealing finds the words of SQL that show, or remove, what is prepared. (A view or function of the client's can do that unseen: it may show a
// statement by the name of pgsluice_… for a few commands after a schema change.)
var revealing = regexp.MustCompile(`(?i)prepared_statement|deallocate|discard`)

// overstayed reports whether what stays prepared must be taken back before a message of the client's.
func (s *session) overstayed(kind byte, frame []byte) bool {
	s.recall(kind, frame)
	if s.backend.kept == nil {
		return false
	}
	switch kind {
	case 'Q':
		s.passed++
		s.overdue = s.overdue || frame == nil || revealing.Match(frame) || mentionsExecute(frame)
	case 'P':
		s.overdue = s.overdue || frame == nil || revealing.Match(frame)
	case 'B', 'F':
		s.passed++
		s.overdue = s.overdue || kind == 'B' && (s.reveals || len(s.revealers) > 0) && s.bindsRevealer(frame)
	default:
		return false
	}
	s.overdue = s.overdue || s.passed > lingering && !s.owes() || s.options.Mode == Transparent
	return s.overdue
}

// recall keeps the names under which the client has prepared what shows, or removes, what is prepared: it may be executed much later. What has no name
// has gone by then, as a rule, and is not looked at.
func (s *session) recall(kind byte, frame []byte) {
	if frame == nil || kind != 'P' && (kind != 'C' || len(s.revealers) == 0) {
		return
	}
	if kind == 'C' {
		if object, name, _ := bytes.Cut(frame[headerSize:], []byte{'S'}); len(object) == 0 {
			closed, _, _ := cString(name)
			delete(s.revealers, key(closed))
		}
		return
	}
	name, query, _ := cString(frame[headerSize:])
	switch {
	case name == "":
	case revealing.Match(query) || mentionsExecute(query):
		if s.revealers[key(name)] = true; len(s.revealers) > s.mostPrepared {
			clear(s.revealers)
			s.reveals = true
		}
	default:
		delete(s.revealers, key(name))
	}
}

// bindsRevealer reports whether a Bind, as far as it has come, may be of a statement that shows what is prepared.
func (s *session) bindsRevealer(frame []byte) bool {
	_, rest, _ := cString(frame[headerSize:])
	name, _, ok := cString(rest)
	return !ok || s.reveals || s.revealers[key(name)]
}

// tidy takes back what stays prepared when it is overdue.
func (s *session) tidy() error {
	if !s.overdue || s.pipe.skipping {
		return nil
	}
	s.overdue, s.passed = false, 0
	return s.backend.unkeep()
}
