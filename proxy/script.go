package proxy

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
)

// script is a simple Query of several statements that has to be run piece by piece, because one of them needs facts or a
// plan. The atomic unit stays what the server makes of it: what stands between transaction statements is one transaction.
// A real BEGIN of ours holds it together, since a pipeline would not do: LOCK TABLE, cursors and SET LOCAL need a block.
//
// The server's own rules are those of exec_simple_query and of the TBLOCK_IMPLICIT_INPROGRESS state in
// src/backend/access/transam/xact.c.
type script struct {
	session *session
	text    string
	escaped ddl.Escaped
	// implicit is true while a BEGIN of ours stands for the Query's implicit transaction.
	implicit bool
}

// run runs the statements one by one and stops at the first error. At the end nothing of ours is open.
func (c *script) run(ctx context.Context, statements []ddl.Statement) error {
	if c.rereads(statements) {
		return c.session.fail(ctx, c.session.voice.report(codeRefused,
			"pgsluice: send the change of standard_conforming_strings or client_encoding in a Query of its own, before this one [unjudged]",
			"The server reads a whole Query by the settings at its start; pgsluice has to cut this one into pieces.", ""))
	}
	if verdict := c.forbidden(statements); verdict.Action == policy.Block {
		return c.session.fail(ctx, c.session.voice.refusal(verdict))
	}
	end := 0
	for _, statement := range statements {
		piece := c.text[end : statement.Offset+len(statement.Text)]
		before := c.text[:end]
		end = statement.Offset + len(statement.Text)
		if rest := c.text[end:]; strings.HasPrefix(rest, ";") {
			end++
		}
		if err := c.session.voice.say(); err != nil {
			return err
		}
		if err := c.piece(ctx, occasion{Statement: statement, piece: piece, before: before, escaped: c.escaped}); err != nil {
			return err
		}
		if c.session.failed {
			return c.abort(ctx)
		}
	}
	if !c.implicit {
		return nil
	}
	// The last CommandComplete is still kept back: like the server's own, it follows the commit.
	if err := c.session.commit(ctx, occasion{inTransaction: true}, ddl.Transaction{Op: ddl.Commit}); err != nil || !c.session.failed {
		return err
	}
	return c.abort(ctx) // a cancel may come before the COMMIT has begun
}

// forbidden judges, before anything runs, the statements that the server would refuse when it came to them, since several statements in
// one Query are a transaction block: what stands before them would run in vain.
func (c *script) forbidden(statements []ddl.Statement) policy.Verdict {
	if c.session.options.Mode == Enforce {
		for _, statement := range statements {
			if !ddl.Alone(statement) {
				continue
			}
			verdict := c.session.options.Policy.Judge(statement, facts.Facts{}, policy.Context{InTransaction: true})
			if slices.ContainsFunc(verdict.Findings, func(f policy.Finding) bool { return f.Action == policy.Block && f.Code != "" }) {
				verdict.Findings = slices.DeleteFunc(verdict.Findings, func(f policy.Finding) bool { return f.Code == "" })
				return verdict
			}
		}
	}
	return policy.Verdict{}
}

// rereads reports whether cutting the text could change how the server reads it: a piece changes a setting that decides it, and there
// is something in the text that would read differently.
func (c *script) rereads(statements []ddl.Statement) bool {
	if !ddl.HasBackslash(c.text) && isASCII([]byte(c.text)) {
		return false
	}
	for _, statement := range statements {
		if setting, ok := statement.Action.(ddl.Setting); ok {
			switch {
			case setting.Op == ddl.ResetAll, setting.Op == ddl.DiscardAll,
				setting.Name == "standard_conforming_strings", setting.Name == "client_encoding", setting.Name == "names":
				return true
			}
		}
		for _, call := range statement.Calls {
			if call.Name == "set_config" {
				return true
			}
		}
	}
	return false
}

// piece runs one statement at its place.
func (c *script) piece(ctx context.Context, at occasion) error {
	control, isControl := at.Action.(ddl.Transaction)
	if !isControl {
		if !c.implicit && c.session.backend.TxStatus() == 'I' {
			if _, err := c.session.backend.Exec(ctx, "BEGIN"); err != nil {
				return c.session.relayFailure(err)
			}
			c.implicit = true
		}
		at.inTransaction = true
		return c.session.statement(ctx, at)
	}
	if !c.implicit {
		return c.session.statement(ctx, at)
	}
	switch control.Op {
	case ddl.Begin:
		return c.adopt(ctx, at)
	case ddl.Commit, ddl.Rollback:
		return c.endImplicit(ctx, at, control)
	case ddl.Savepoint, ddl.Release, ddl.RollbackTo:
		return c.session.fail(ctx, c.session.voice.report("25P01", at.Tag+onlyInBlocks(control.Op), "", ""))
	}
	return c.session.statement(ctx, at)
}

// onlyInBlocks completes the server's own message for a savepoint statement outside of a block (CheckTransactionBlock).
func onlyInBlocks(op ddl.TransactionOp) string {
	if op == ddl.RollbackTo {
		return " TO SAVEPOINT can only be used in transaction blocks"
	}
	if op == ddl.Release {
		return " SAVEPOINT can only be used in transaction blocks"
	}
	return " can only be used in transaction blocks"
}

// adopt answers the client's BEGIN behind other statements: it makes the implicit transaction an explicit one, which ours
// already is. Its modes are set as the server would set them, errors included.
func (c *script) adopt(ctx context.Context, at occasion) error {
	if modes := at.Action.(ddl.Transaction).Modes; modes != "" {
		if _, err := c.session.backend.Exec(ctx, "SET TRANSACTION "+modes); err != nil {
			return c.session.relayFailure(err)
		}
	}
	c.implicit = false
	return c.session.voice.complete(at.Tag)
}

// endImplicit answers COMMIT or ROLLBACK where the client opened no block: the server warns, and does it.
func (c *script) endImplicit(ctx context.Context, at occasion, control ddl.Transaction) error {
	if control.Chain {
		return c.session.fail(ctx, c.session.voice.report("25P01", at.Tag+" AND CHAIN can only be used in transaction blocks", "", ""))
	}
	if err := c.session.voice.notice("WARNING", "25P01", "there is no transaction in progress", "", ""); err != nil {
		return err
	}
	if control.Op == ddl.Commit {
		err := c.session.commit(ctx, at, control)
		c.implicit = c.session.failed
		return err
	}
	if _, err := c.session.backend.Exec(ctx, "ROLLBACK"); err != nil {
		return c.session.relayFailure(err)
	}
	c.implicit = false
	c.session.forget()
	c.session.chronicle.seen("ROLLBACK")
	return c.session.voice.complete(at.Tag)
}

// abort ends the implicit transaction after an error, as the server does; an explicit one stays failed until the client ends it.
func (c *script) abort(ctx context.Context) error {
	if !c.implicit {
		return nil
	}
	c.implicit = false
	if c.session.backend.TxStatus() == 'I' {
		return nil // what failed has ended it
	}
	c.session.forget()
	c.session.chronicle.seen("ROLLBACK")
	return c.session.backend.rollback(ctx)
}

// relayFailure answers the client's statement with an error that the server reported for a statement of ours.
func (s *session) relayFailure(err error) error {
	server, ok := asServerError(err)
	if !ok {
		return err
	}
	return s.answer(unplaced(server.fields))
}

// occasion is one statement of the client's that is about to run, and where.
type occasion struct {
	ddl.Statement
	// piece is the client's own text of the statement, comments before it included; before is what stood before that in its message.
	piece, before string
	// escaped is what the message was before it was read; zero when it is as the client wrote it.
	escaped ddl.Escaped
	// raw is piece as the client sent it, if that was a message of its own; nil otherwise.
	raw []byte
	// inTransaction is true inside a transaction block of the client's, or of ours that stands for an implicit one.
	inTransaction bool
	// portal is set for an Execute of the extended protocol.
	portal *portal
	// called is set for an EXECUTE of SQL; Statement is what it runs then.
	called *call
	// execute is the client's Execute message.
	execute *pgproto3.Execute
	// small is true for a write of which the planner expects few rows.
	small bool
	// plans are what the planner has said of texts on this occasion; nil remembers none.
	plans map[string][]string
	// left is the work of this database that is not done, where it was asked for already; nil where it was not.
	left []revisions.PromiseRow
	// alone is true for an Execute that is followed by Sync outside of any transaction: it is one by itself.
	alone bool
}
