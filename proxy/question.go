package proxy

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/facts"
)

// sheltered is a Querier whose statements cannot abort the client's transaction: in a block each stands in a savepoint of ours. The savepoint
// costs no round trip of its own unless the statement fails.
type sheltered struct{ *backend }

// Query implements facts.Querier.
func (b sheltered) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	if b.piped || b.TxStatus() != 'T' {
		return b.backend.Query(ctx, sql, args...)
	}
	with, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	none := parameters{bind: &pgproto3.Bind{}}
	answers, err := b.askAll(ctx, []string{"SAVEPOINT pgsluice", sql, "RELEASE SAVEPOINT pgsluice"}, []parameters{none, with, none})
	if err == nil && len(answers) < 2 {
		err = errors.New("the server skipped a statement of pgsluice")
	}
	if err == nil {
		return answers[1].rows, nil
	}
	if b.TxStatus() == 'E' {
		if _, undone := b.Chain(ctx, "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"); undone != nil {
			return nil, undone
		}
	}
	return nil, err
}

// remembered is a Querier for questions that a transaction block asks again and again: the server prepares each of their parts once, plans it
// for any parameters, and the savepoint takes even that setting back.
type remembered struct{ *backend }

// Query implements facts.Querier.
func (b remembered) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	if b.piped || b.TxStatus() != 'T' {
		return sheltered(b).Query(ctx, sql, args...)
	}
	answers, err := b.ask(ctx, []string{sql}, args)
	if isNoSuchStatement(err) { // the client has deallocated it, with everything else
		return sheltered(b).Query(ctx, sql, args...)
	}
	if err != nil {
		return nil, err
	}
	return answers[0].rows, nil
}

// QueryParts implements facts.PartsQuerier.
func (b remembered) QueryParts(ctx context.Context, parts []string, arg string) ([]string, error) {
	if b.piped || b.TxStatus() != 'T' {
		return sheltered(b).Query(ctx, facts.Joined(parts), arg)
	}
	answers, err := b.ask(ctx, parts, []string{arg})
	if isNoSuchStatement(err) {
		return sheltered(b).Query(ctx, facts.Joined(parts), arg)
	}
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, a := range answers {
		rows = append(rows, a.rows...)
	}
	return rows, nil
}

// ask asks questions with the same arguments in one round trip. After an error the block is as it was.
func (b remembered) ask(ctx context.Context, questions []string, args []string) ([]answer, error) {
	with, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	with.kept = true
	none := parameters{bind: &pgproto3.Bind{}}
	statements := []string{"SAVEPOINT pgsluice", "SET LOCAL plan_cache_mode TO force_generic_plan"}
	given := []parameters{none, none}
	for _, question := range questions {
		statements, given = append(statements, question), append(given, with)
	}
	answers, err := b.askAll(ctx, append(statements, "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"), append(given, none, none))
	if err == nil && len(answers) < len(statements) {
		err = errors.New("the server skipped a statement of pgsluice")
	}
	for _, question := range questions {
		b.kept[question].there = err == nil // or it is not known; then it is closed before it is prepared
	}
	if err == nil {
		return answers[2:len(statements)], nil
	}
	if b.TxStatus() == 'E' {
		if _, undone := b.Chain(ctx, "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"); undone != nil {
			return nil, undone
		}
	}
	return nil, err
}

// noSuchStatement is invalid_sql_statement_name.
const noSuchStatement = "26000"

func isNoSuchStatement(err error) bool {
	server, ok := asServerError(err)
	return ok && server.fields.Code == noSuchStatement
}

// keptStatement is a statement of ours that stays prepared for a transaction.
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

// unkeep closes the statements that stayed prepared. The session must be outside of a pipeline.
func (b *backend) unkeep() error {
	var messages []pgproto3.FrontendMessage
	for _, kept := range b.kept {
		messages = append(messages, &pgproto3.Close{ObjectType: 'S', Name: kept.name})
	}
	b.kept = nil
	_, err := b.exchange(messages)
	if isServerError(err) {
		return nil // they are gone with whatever ended the session's transaction
	}
	return err
}
