package proxy

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgproto3"
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

// remembered is a Querier for one question that a transaction block asks again and again: the server prepares it once, plans it for any
// parameters, and the savepoint takes even that setting back.
type remembered struct{ *backend }

// Query implements facts.Querier.
func (b remembered) Query(ctx context.Context, sql string, args ...string) ([]string, error) {
	if b.piped || b.TxStatus() != 'T' {
		return sheltered(b).Query(ctx, sql, args...)
	}
	with, err := b.textArgs(args)
	if err != nil {
		return nil, err
	}
	with.kept = true
	none := parameters{bind: &pgproto3.Bind{}}
	answers, err := b.askAll(ctx, []string{
		"SAVEPOINT pgsluice", "SET LOCAL plan_cache_mode TO force_generic_plan", sql, "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice",
	}, []parameters{none, none, with, none, none})
	if err == nil && len(answers) < 3 {
		err = errors.New("the server skipped a statement of pgsluice")
	}
	if err == nil {
		b.kept = sql
		return answers[2].rows, nil
	}
	server, answered := asServerError(err)
	deallocated := answered && server.fields.Code == noSuchStatement
	b.kept = doubtful
	if deallocated {
		b.kept = ""
	}
	if b.TxStatus() == 'E' {
		if _, undone := b.Chain(ctx, "ROLLBACK TO SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice"); undone != nil {
			return nil, undone
		}
	}
	if deallocated { // by the client, with everything else
		return sheltered(b).Query(ctx, sql, args...)
	}
	return nil, err
}

// doubtful stands for the text that the server has prepared when an error may have come before it: it is no text that anybody asks.
const doubtful = "?"

// noSuchStatement is invalid_sql_statement_name.
const noSuchStatement = "26000"

// keptName is that of the statement that stays prepared.
func (b *backend) keptName() string { return b.name + "_kept" }

// unkeep closes the statement that stayed prepared. The session must be outside of a pipeline.
func (b *backend) unkeep() error {
	b.kept = ""
	_, err := b.exchange([]pgproto3.FrontendMessage{&pgproto3.Close{ObjectType: 'S', Name: b.keptName()}})
	if isServerError(err) {
		return nil // it is gone with whatever ended the session's transaction
	}
	return err
}
