package proxy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// The outcomes of a transaction, in the audit trail.
const (
	endCommitted  = "committed"
	endRolledBack = "rolled back" // by ROLLBACK, an error, ROLLBACK TO SAVEPOINT, or because its session ended
	endPrepared   = "prepared"    // PREPARE TRANSACTION: whoever ends it tells nobody
	endInDoubt    = "in doubt"    // the connection was lost when it may have been ending
	endUnseen     = "unseen"      // nobody saw it end, and there is no ledger to ask
)

// speaker is who a line of the audit trail is about.
func (s *session) speaker(at occasion, known facts.Facts) *revisions.AuditSession {
	who := &revisions.AuditSession{
		Session:     s.id,
		User:        s.link.startup.user,
		Role:        known.CurrentUser,
		Database:    s.link.startup.database,
		Client:      s.link.clientAddr,
		TLS:         s.link.tls,
		Certificate: s.link.certificate,
		Application: ddl.Claim(s.link.startup.applicationName),
		Actor:       ddl.Claim(known.Settings["pgsluice.actor"]),
		Tags:        ddl.Tags(at.Statement),
		PID:         int32(s.backendPID()),
	}
	for _, claim := range []struct {
		name string
		made bool
	}{
		{"application_name", who.Application != ""}, {"actor", who.Actor != ""}, {"tags", len(who.Tags) > 0}, {"revision", known.Settings["pgsluice.revision"] != ""},
	} {
		if claim.made {
			who.Claims = append(who.Claims, claim.name)
		}
	}
	return who
}

// protocol is how the statement came.
func (at occasion) protocol() string {
	if at.portal != nil {
		return "extended"
	}
	return "simple"
}

// tool is the migration tool whose version table the session has written to; "" for none.
func (s *session) tool() string {
	for _, course := range s.chronicle.courses {
		return course.Tool.Name
	}
	return ""
}

// trail writes a line of the audit trail and returns its number, 0 when there is none. A line that cannot be written is said in the log.
func (s *session) trail(ctx context.Context, e revisions.Entry) int64 {
	if s.options.Audit == nil {
		return 0
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	seq, err := s.options.Audit.Write(e)
	if err != nil {
		s.options.Meter.AuditFailed()
		s.logger().ErrorContext(ctx, "cannot write the audit trail", "error", err)
	}
	return seq
}

// foretell writes into the audit trail that the statement is about to run. It returns false when that is required, and not possible.
func (r *record) foretell(ctx context.Context, at occasion, plan rewrite.Plan) bool {
	if r.session.options.Audit == nil {
		return true
	}
	r.entry.Recipe = plan.Recipe
	e := r.entry
	e.Kind, e.Statement = revisions.Intent, r.statement.ID
	r.entry.Intent = r.session.trail(ctx, e)
	if r.entry.Intent == 0 && r.session.options.AuditRequired && r.session.options.Mode == Enforce && r.session.changesSchema(at.Statement) {
		return false
	}
	r.foretold = true
	r.overridden(ctx, r.entry.Intent)
	return true
}

// overridden writes a line for each rule that somebody has taken out of force.
func (r *record) overridden(ctx context.Context, intent int64) {
	for _, o := range r.entry.Overrides {
		r.session.trail(ctx, revisions.Entry{
			Kind: revisions.Overridden, AuditSession: r.entry.AuditSession, Asked: r.entry.Asked, Tag: r.entry.Tag, Intent: intent,
			Overrides: []revisions.Override{o}, Statement: r.statement.ID,
		})
	}
}

// unrecorded is the verdict about a schema change that cannot be recorded.
func (r *record) unrecorded() policy.Verdict {
	finding := policy.Finding{
		Rule: "audit-trail", Action: policy.Block,
		Message: "schema changes are refused while the audit trail cannot be written",
		Hint:    "Look at the proxy's log and make room, or set audit.required to false.",
	}
	r.entry.Verdict, r.entry.Rules = policy.Block.String(), append([]string{finding.Rule}, r.entry.Rules...)
	r.statement.Verdict, r.statement.Rules = r.entry.Verdict, slices.Clone(r.entry.Rules)
	return policy.Verdict{Action: policy.Block, Findings: []policy.Finding{finding}}
}

// changesSchema reports whether a statement may change the schema: what only reads or writes rows, or is about the session, does not.
func (s *session) changesSchema(statement ddl.Statement) bool {
	query, _ := statement.Action.(ddl.Query)
	switch statement.Action.(type) {
	case ddl.Write, ddl.Query, ddl.Setting, ddl.LockTable, ddl.Transaction, ddl.AdvisoryLock:
		return query.Into != (ddl.Name{}) || slices.ContainsFunc(statement.Inner, func(inner ddl.Inner) bool { return s.changesSchema(inner.Statement) })
	}
	switch statement.Tag {
	case "ANALYZE", "CHECKPOINT", "CLOSE CURSOR", "COPY", "DEALLOCATE", "DECLARE CURSOR", "DISCARD", "FETCH", "LISTEN", "MOVE", "NOTIFY", "UNLISTEN", "VACUUM":
		return false
	}
	return !s.onlyWrites(statement)
}

// told writes the last line about a statement: its result, or the decision when it did not run. Of what has run, the trail is also told how its transaction
// ends, at once or when it does.
func (r *record) told(ctx context.Context) {
	s := r.session
	if s.options.Audit == nil {
		return
	}
	e := r.entry
	e.Kind, e.Time, e.Statement, e.XID = revisions.Result, r.began, r.statement.ID, r.statement.XID
	if !r.foretold {
		e.Kind = revisions.Decision
	}
	seq := s.trail(ctx, e)
	if !r.foretold {
		r.overridden(ctx, seq)
		return
	}
	if r.fleeting || e.Outcome != "done" && e.Outcome != "deferred" && e.Outcome != "lost" {
		return
	}
	about := revisions.Entry{AuditSession: e.AuditSession, Intent: e.Intent, Statement: e.Statement, XID: e.XID}
	open := s.backend.TxStatus() == 'T' || s.backend.piped || e.Outcome == "lost"
	switch r.statement.Outcome {
	case revisions.OutcomeCommitted:
		open = false
	case revisions.OutcomeOpen:
		open = true
	}
	if !open {
		s.tellEnd(ctx, endCommitted, []revisions.Entry{about})
		return
	}
	if s.chronicle.end != "" { // of the transaction before, in the same pipeline
		s.tellEnds(ctx, nil)
	}
	s.chronicle.open = true
	if len(s.chronicle.untold) < mostPending {
		s.chronicle.untold = append(s.chronicle.untold, about)
		return
	}
	about.Intent, about.Unnamed = 0, s.chronicle.beyond.Unnamed+1
	s.chronicle.beyond = about
}

// untoldStatements are the ledger's ids of the statements whose end the audit trail does not know yet.
func (s *session) untoldStatements() []int64 {
	var ids []int64
	for _, e := range s.chronicle.untold {
		if e.Statement != 0 {
			ids = append(ids, e.Statement)
		}
	}
	if last := s.chronicle.beyond.Statement; last != 0 {
		ids = append(ids, last)
	}
	return ids
}

// tellEnds writes down how the transaction has ended that was open. What the ledger says counts, because it knows what ROLLBACK TO SAVEPOINT took back; else
// what was seen.
func (s *session) tellEnds(ctx context.Context, outcomes map[int64]string) {
	seen := s.chronicle.end
	s.chronicle.end, s.chronicle.committing = "", false
	s.tellUntold(ctx, func(e revisions.Entry) string {
		switch outcome := outcomes[e.Statement]; {
		case outcome != "":
			return outcome
		case seen != "":
			return seen
		case e.Statement != 0:
			return endInDoubt // the ledger will know
		}
		return endUnseen
	})
}

// tellLastEnds is tellEnds when the session ends. A transaction that was open, and not about to be committed, ends with it.
func (s *session) tellLastEnds(ctx context.Context, outcomes map[int64]string) {
	seen, open := s.chronicle.end, s.backend.TxStatus() != 'I' && !s.chronicle.committing && !s.pipe.executed
	s.tellUntold(ctx, func(e revisions.Entry) string {
		switch outcome := outcomes[e.Statement]; {
		case outcome == endCommitted || outcome == endRolledBack:
			return outcome
		case seen != "":
			return seen
		case open:
			return endRolledBack
		}
		return endInDoubt
	})
}

// tellUntold writes a line for each way in which the statements have ended. What is in doubt is kept until the ledger knows.
func (s *session) tellUntold(ctx context.Context, outcome func(revisions.Entry) string) {
	untold := s.chronicle.untold
	if s.chronicle.beyond.Unnamed > 0 {
		untold = append(untold, s.chronicle.beyond)
	}
	s.chronicle.untold, s.chronicle.beyond = nil, revisions.Entry{}
	var ends []string
	by := map[string][]revisions.Entry{}
	for _, e := range untold {
		end := outcome(e)
		if by[end] == nil {
			ends = append(ends, end)
		}
		by[end] = append(by[end], e)
		if end == endInDoubt && e.Statement != 0 && s.options.Audit != nil {
			s.options.Audit.Doubted(e)
		}
	}
	for _, end := range ends {
		s.tellEnd(ctx, end, by[end])
	}
}

// tellEnd writes one line about statements of one transaction.
func (s *session) tellEnd(ctx context.Context, end string, of []revisions.Entry) {
	s.trail(ctx, revisions.EndingOf(end, of))
}

// concluded notes how a transaction statement, which the server has answered, has ended the transaction; before is the status before it.
func (s *session) concluded(ctx context.Context, control ddl.Transaction, before byte) {
	if len(s.chronicle.untold) == 0 {
		s.chronicle.committing = false
		return
	}
	switch {
	case control.Op == ddl.Prepare && !s.failed:
		s.chronicle.end = endPrepared
	case control.Op == ddl.Commit && !s.failed && before != 'E':
		s.chronicle.end = endCommitted
	case control.Op == ddl.Commit && s.backend.TxStatus() == 'T':
		return // it was refused, and nothing has ended
	case control.Op == ddl.Commit, control.Op == ddl.Rollback:
		s.chronicle.end = endRolledBack
	default:
		return
	}
	s.chronicle.committing = false
	if control.Chain {
		s.tellEnds(ctx, nil)
	}
}

// seen notes the command tag with which a transaction has ended.
func (c *chronicle) seen(tag string) {
	c.committing = false
	if len(c.untold) == 0 {
		return
	}
	c.end = endRolledBack
	if strings.EqualFold(tag, "COMMIT") {
		c.end = endCommitted
	}
}

// fated notes what became of a COMMIT whose answer did not come, or was an error.
func (c *chronicle) fated(err error) {
	var lost *inFlight
	switch {
	case errors.As(err, &lost) && lost.code == codeCommittedNotFinished:
		c.end = endCommitted
	case errors.As(err, &lost) && lost.code == "40000", isServerError(err):
		c.end = endRolledBack
	}
}

// work is promised work, or a bulk write, as the audit trail tells of it.
type work struct {
	id         int64
	tag, table string
	end        revisions.Outcome
}

func workOn(row revisions.PromiseRow, end revisions.Outcome) work {
	return work{id: row.ID, tag: row.Tag, table: row.TableName, end: end}
}

// tellWork writes down that work has begun, or how it stands now.
func (s *session) tellWork(ctx context.Context, w work, ran []string) {
	s.trail(ctx, revisions.Entry{
		Kind: revisions.Work, AuditSession: s.speaker(occasion{}, facts.Facts{}), Job: w.id, Tag: w.tag, Table: w.table, Ran: s.recorded(ran),
		State: string(w.end.State), SQLState: w.end.SQLState, Error: w.end.Message,
	})
}
