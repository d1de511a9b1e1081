package proxy

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// record is what is written down of one judged statement: begun when it is judged, written when its end is known.
type record struct {
	session *session
	began   time.Time
	entry   revisions.Entry
	// foretold is true when the trail has been told of it, or should have been, before it runs.
	foretold bool
	// statement is what the ledger is told; its ID is 0 when there is none to tell.
	statement revisions.Statement
	// fleeting is true when it concerns temporary tables alone. lasting is true when it changes a table that stays, and over when the login has had so much
	// written down that the ledger is told of it only when it has run, if at all.
	fleeting, lasting, over bool
	// tag is the command tag of the last step that ran.
	tag string
}

func (s *session) begin(ctx context.Context, at occasion, known facts.Facts, verdict policy.Verdict) *record {
	r := &record{
		session: s,
		began:   time.Now(),
		entry: revisions.Entry{
			AuditSession: s.speaker(at, known),
			Protocol:     at.protocol(),
			Asked:        s.redacted(at.Statement),
			Verdict:      verdict.Action.String(),
			Rules:        rulesOf(verdict.Findings),
			Overrides:    overridesOf(verdict.Overridden),
			Unneeded:     verdict.Unneeded,
			Policy:       s.options.Policy.Version(),
			Tag:          at.Tag,
			Tool:         s.tool(),
			Revision:     cmp.Or(ddl.Claim(known.Settings["pgsluice.revision"]), s.chronicle.revision),
		},
	}
	if fingerprint, err := ddl.Fingerprint(at.Text); err == nil {
		r.entry.Fingerprint = fingerprint
	}
	r.fleeting = verdict.Action == policy.Pass && len(r.entry.Rules)+len(r.entry.Overrides) == 0 && s.fleeting(at.Statement, known)
	r.lasting = s.lasts(at.Statement, known)
	if !r.fleeting {
		r.intend(ctx, at)
	}
	return r
}

// fleeting reports whether nothing of a statement is for the ledger: all that it changes are temporary tables, and the session is no migration tool's as
// far as is known. Applications make such tables with each request.
func (s *session) fleeting(statement ddl.Statement, known facts.Facts) bool {
	if s.owes() || s.chronicle.named || len(s.chronicle.courses) > 0 || len(statement.Calls)+len(statement.Inner) > 0 {
		return false
	}
	created, _ := statement.Action.(ddl.CreateTable)
	query, _ := statement.Action.(ddl.Query)
	temporary := false
	for _, ref := range statement.Refs {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		switch {
		case created.Temp && ref.Name == created.Table, query.Temp && ref.Name == query.Into, !ref.Created && relation != nil && relation.Persistence == "t":
			temporary = true
		case ref.Created && ref.Kind == "INDEX": // where its table is
		case ref.Created || ref.Written || ref.Lock > ddl.AccessShare:
			return false
		}
	}
	return temporary
}

// deciding is the rule that decided, "" for none.
func (r *record) deciding() string {
	if len(r.entry.Rules) == 0 {
		return "no-safe-form"
	}
	return r.entry.Rules[0]
}

func (s *session) redacted(statement ddl.Statement) string {
	unparsed, ok := statement.Action.(ddl.Unparsed)
	switch {
	case ok && unparsed.Size > 0:
		return ddl.RedactBeginning(statement.Text, unparsed.Size)
	case ok:
		return ddl.RedactUnparsed(statement.Text, s.options.RedactKey)
	}
	return ddl.Redact(statement)
}

// recorded is what has run, as it may be written down: the client's own text may be in it.
func (s *session) recorded(ran []string) []string {
	var list []string
	for _, sql := range ran {
		list = append(list, ddl.RedactText(sql, s.options.RedactKey))
	}
	return list
}

// longestReason is how much of a reason is recorded, in bytes: a client chooses it.
const longestReason = 1000

func overridesOf(findings []policy.Finding) []revisions.Override {
	var list []revisions.Override
	for _, f := range findings {
		reason := f.Override.Reason
		if ddl.LooksSecret(reason) {
			reason = "…"
		}
		if len(reason) > longestReason {
			reason = strings.ToValidUTF8(reason[:longestReason], "") + "…"
		}
		list = append(list, revisions.Override{Rule: f.Rule, Verdict: f.Action.String(), Source: f.Override.Source, Reason: reason})
	}
	return list
}

func rulesOf(findings []policy.Finding) []string {
	rules := make([]string, 0, len(findings))
	for _, f := range findings {
		rules = append(rules, f.Rule)
	}
	return rules
}

// ran notes what a plan ran in place of the statement.
func (r *record) ran(result run.Result) {
	r.entry.Ran = append(r.entry.Ran, r.session.recorded(result.Ran)...)
	r.entry.Tries += result.Tries
	r.entry.Waited += result.Waited
	r.entry.Blockers = append(r.entry.Blockers, r.session.met(result)...)
	r.statement.Tries += result.Tries
	r.statement.WaitedMS += result.Waited.Milliseconds()
	r.tag = result.Tag
}

// promised notes that the rest is a promise.
func (r *record) promised(id int64) { r.entry.Promise = id }

// finish writes down how it ended; err is returned as it is.
func (r *record) finish(ctx context.Context, err error) error {
	r.entry.Took = time.Since(r.began)
	switch {
	case r.entry.Outcome != "": // Said already.
	case err != nil:
		r.entry.Outcome, r.entry.Error = "lost", run.Recordable(err, err.Error())
	case r.session.failed && r.entry.Verdict == policy.Block.String() && r.session.options.Mode == Enforce:
		r.entry.Outcome = "refused"
		r.session.options.Meter.Refused(r.deciding())
	case r.session.failed:
		r.entry.Outcome = "failed"
		r.entry.SQLState = r.session.failure
	case r.entry.Promise != 0:
		r.entry.Outcome = "deferred"
	default:
		r.entry.Outcome = "done"
	}
	if lost := r.conclude(ctx); err == nil && lost != nil {
		err = r.session.answerFailure(ctx, occasion{inTransaction: r.session.backend.TxStatus() == 'T'}, rewrite.Plan{}, lost)
	}
	r.told(ctx)
	return err
}

// intend writes into the ledger that the statement is about to run.
func (r *record) intend(ctx context.Context, at occasion) {
	s := r.session
	ledger := s.ledger(ctx)
	if ledger == nil {
		return
	}
	s.partIdle()
	r.statement = revisions.Statement{
		Who: s.who(), Own: s.ownTable(at.Statement), Tag: cmp.Or(at.Tag, "?"), Asked: r.entry.Asked,
		Digest: r.digest(at.Statement), Verdict: r.entry.Verdict, Rules: append([]string{}, r.entry.Rules...),
		Overrides: append([]revisions.Override{}, r.entry.Overrides...), Ran: []string{}, Locks: locksOf(at.Statement),
	}
	r.statement.Role = r.entry.Role
	if !r.statement.Own {
		r.statement.Revision = s.chronicle.running
	}
	r.statement.Fingerprint = r.entry.Fingerprint
	r.over = !s.options.quota.spend(s.spender(), s.now(), 1)
	if !r.over {
		r.beginStatement(ctx, ledger)
	}
}

func (r *record) beginStatement(ctx context.Context, ledger *revisions.Ledger) {
	var err error
	if r.statement.ID, err = ledger.Begin(ctx, r.statement); err != nil {
		r.session.logger().WarnContext(ctx, "a statement is not in the ledger", "error", err)
	}
}

// digest tells statements apart that do something else, also where their records do not.
func (r *record) digest(statement ddl.Statement) string {
	if _, unparsed := statement.Action.(ddl.Unparsed); unparsed {
		return revisions.Digest(r.entry.Asked)
	}
	return revisions.Digest(ddl.Substance(statement))
}

// locksOf are the locks of a statement that others wait for.
func locksOf(statement ddl.Statement) []revisions.StatementLock {
	locks := []revisions.StatementLock{}
	for _, ref := range statement.Refs {
		if ref.Lock >= ddl.ShareUpdateExclusive {
			name := ref.Name.Name
			if ref.Name.Schema != "" {
				name = ref.Name.Schema + "." + name
			}
			locks = append(locks, revisions.StatementLock{Table: name, Mode: ref.Lock.String()})
		}
	}
	return locks
}

// conclude writes into the ledger what became of the statement. The error is one that ends the session, or that undoes the statement.
func (r *record) conclude(ctx context.Context) error {
	s := r.session
	if r.over {
		r.beyond(ctx)
	}
	if r.statement.ID == 0 {
		return nil
	}
	statement := &r.statement
	statement.Ran = append(statement.Ran, r.entry.Ran...)
	statement.Promise, statement.SQLState, statement.Error = r.entry.Promise, r.entry.SQLState, r.entry.Error
	if rows, known := s.rows(); known {
		statement.Rows, r.entry.Rows = &rows, &rows
	}
	ledger := s.ledger(ctx)
	switch r.entry.Outcome {
	case "done", "deferred":
		lost := s.ran(ctx, ledger, statement)
		if isServerError(lost) {
			r.entry.Outcome, r.entry.SQLState = statement.Outcome, statement.SQLState
		}
		return lost
	case "lost":
		statement.Outcome, statement.XID = revisions.OutcomeLost, s.chronicle.xid
		s.chronicle.open = true
	default: // failed, refused, observed
		statement.Outcome = r.entry.Outcome
	}
	if ledger != nil {
		s.writeEnd(ctx, ledger, *statement)
	}
	return nil
}

// unfinishedFinding says what is missing and how to finish it.
func unfinishedFinding(failed []revisions.PromiseRow, action policy.Action) policy.Finding {
	var missing []string
	for _, row := range failed {
		missing = append(missing, fmt.Sprintf("promise %d: %s on %s: %s", row.ID, row.Tag, row.TableName, row.Message))
	}
	return policy.Finding{
		Rule:   "unfinished-work",
		Action: action,
		Message: fmt.Sprintf("finish what an earlier migration left first: pgsluice jobs resume %d (%d committed statement(s) of this database are not done)",
			failed[0].ID, len(failed)),
		Detail: strings.Join(missing, "\n"),
		Hint:   "Mend the data and run pgsluice jobs resume, or give the work up with pgsluice jobs cancel.",
	}
}

// overtakingFinding says which bulk write comes first.
func overtakingFinding(row revisions.PromiseRow) policy.Finding {
	return policy.Finding{
		Rule:   "unfinished-work",
		Action: policy.Block,
		Message: fmt.Sprintf("an earlier transaction has deferred %s of %s, which is not done yet and must come first; run pgsluice jobs resume %d as %s",
			row.Tag, row.TableName, row.ID, row.Login.Name),
		Detail: cmp.Or(row.Message, "It may be at work just now: see pgsluice jobs."),
		Hint:   fmt.Sprintf("Or give it up with pgsluice jobs cancel %d.", row.ID),
	}
}
