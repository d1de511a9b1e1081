package proxy

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// session is one client and its server, from login to the end. The relay carries what nobody must understand; when a message matters it
// hands both sockets to the session, which deals with it and gives them back. Everything here belongs to one goroutine.
type session struct {
	options *SessionOptions
	// following is where options come from; a session of its own options follows nothing.
	following *atomic.Pointer[SessionOptions]
	// untracked is true when the session was once Transparent: what the client prepared then is not known. harmless are the named statements
	// that have been read since, and about which no rule cares.
	untracked bool
	harmless  map[string]bool

	link    *link
	pipe    *pipeline
	relay   *relay
	backend *backend
	voice   *voice
	// log is made by logger when there is something to say: few sessions have.
	log *slog.Logger
	// now is the clock of whose turn it is, and of how long ago the ledger was checked.
	now func() time.Time
	// turnIdle is how long a client that has migrated may do nothing before its turn is given back.
	turnIdle time.Duration
	// strongQueue is how long a control connection is waited for where others may be waiting for what the transaction has locked.
	strongQueue time.Duration

	// shaper and shapeSalt tell shapes of texts apart, ownShapes are those that only this session may rely on: on what it finds by a name, or the size of
	// that. It is wandering once it has spoken of its search_path, by which it finds that.
	shaper    *ddl.Shapes
	shapeSalt uint64
	ownShapes map[uint64]shape
	wandering bool
	// statistics is "t" when the login may read the planner's statistics, "" while that is not known.
	statistics string
	// encoded is the client_encoding, for the relay.
	encoded atomic.Pointer[ddl.Encoding]

	// pid is the backend that was asked last, 0 before that. The one that the login has named is a pooler's invention where there is a pooler.
	pid int
	// steady is true when the session is known to keep it.
	steady bool

	// encodingName and backslashes follow the server's client_encoding and standard_conforming_strings.
	encodingName string
	backslashes  bool

	// prepared and portals are the named objects of the extended protocol whose statement a rule could care about.
	// Portals are those of the transaction that ends with lull.
	prepared map[string]*prepared
	portals  map[string]*portal
	lull     int

	// promises is the work that this transaction has deferred, in memory only to know that there is some: the ledger is the truth.
	promises []promise
	// owed is the transaction that made them, and pen what they are signed with.
	owed revisions.Transaction
	pen  pen
	// strong is true when the transaction at hand is known to hold a lock that others wait for.
	strong bool
	// carried is what the promise that was carried out last has run.
	carried run.Result
	// failed is true when the statement at hand was answered with an error, whose SQLSTATE is failure.
	failed  bool
	failure string
	// desk is what is borrowed from the control login; nil while it is not needed.
	desk *desk
	// writing is closed when what is written beside the session is written; nil when nothing is. See beside.
	writing chan struct{}
	// opened is the ledger as it was checked last, nil where there was none, and when: the desk is given back and borrowed again meanwhile.
	opened    *revisions.Ledger
	checkedAt time.Time
	// id tells this session from others in the audit trail.
	id string
	// extended is true while an Execute is dealt with; synced when the Sync behind it has been sent already.
	extended, synced bool
	// unsettled is true in a pipeline that has executed something: the last status byte is no longer to be trusted.
	unsettled bool
	// altering is true once a schema change has run in a transaction, which may have ended since: then bulk writes are looked at, too.
	altering bool
	// chronicle is what the ledger is told of revisions and statements.
	chronicle chronicle
	// committed is true when the Execute at hand was a COMMIT behind which a Sync of ours stands.
	committed bool
	// passed is how many commands have passed since facts were asked for, overdue true when what the server keeps prepared for that is to be taken
	// back, shows while the simple Query at hand would show it.
	passed         int
	overdue, shows bool
	// revealers are the named statements of the client's that show, or remove, what is prepared.
	revealers map[string]bool
	// reveals is true when they were too many to tell them apart.
	reveals bool
	// mostPrepared bounds each of the maps of prepared statements.
	mostPrepared int
}

func newSession(options *SessionOptions, l *link) *session {
	s := &session{
		options:     options,
		link:        l,
		pipe:        &pipeline{status: l.status},
		prepared:    map[string]*prepared{},
		portals:     map[string]*portal{},
		harmless:    map[string]bool{},
		revealers:   map[string]bool{},
		id:          rand.Text(),
		now:         time.Now,
		turnIdle:    turnIdle,
		strongQueue: deskPatience,

		mostPrepared: mostPrepared,
	}
	s.chronicle = chronicle{began: time.Now(), courses: map[uint32]*revisions.Course{}}
	s.backend = &backend{link: l, pipe: s.pipe, setting: s.setting, name: "pgsluice_" + strings.ToLower(s.id)}
	s.voice = &voice{backend: s.backend}
	s.relay = &relay{link: l, pipe: s.pipe, limit: options.InspectLimit, setting: s.setting}
	s.setting("client_encoding", "UTF8")
	for name, value := range l.params {
		s.setting(name, value)
	}
	l.params = nil // nobody asks for them again
	return s
}

// logger says of each line whose it is.
func (s *session) logger() *slog.Logger {
	if s.log == nil {
		start := s.link.startup
		s.log = s.options.Log.With("user", start.user, "database", start.database, "client", s.link.clientAddr, "pid", s.link.pid)
	}
	return s.log
}

// newFollower is a session that goes by options which may change.
func newFollower(following *atomic.Pointer[SessionOptions], l *link) *session {
	seen := following.Load()
	s := newSession(seen, l)
	s.following, s.untracked = following, seen.Mode == Transparent
	return s
}

// refresh takes over options that have changed. What was promised by the old ones is kept by them: a transaction that owes work ends first.
func (s *session) refresh() {
	if s.following == nil {
		return
	}
	now := s.following.Load()
	if now == s.options || s.owes() {
		return
	}
	s.options, s.relay.limit = now, now.InspectLimit
	if now.Mode == Transparent {
		s.untrack()
	}
}

// untrack forgets what the client has prepared: from now on it prepares unseen.
func (s *session) untrack() {
	s.untracked = true
	clear(s.prepared)
	clear(s.portals)
	clear(s.harmless)
}

// run is the life of a session.
func (s *session) run(ctx context.Context) (err error) {
	defer s.end()
	for err == nil {
		s.endTurn()
		s.relay.patience = s.turnPatience()
		switch err = s.relay.run(ctx, s.matters); err {
		case nil:
			err = s.message(ctx)
		case errIdle:
			err = s.idle(ctx)
		}
	}
	return s.close(err)
}

// message deals with the one message that mattered.
func (s *session) message(ctx context.Context) error {
	kind, size, err := s.link.client.header()
	if err != nil {
		return errClientGone
	}
	// Whatever has been executed since the last Sync may have begun or ended a block that no ReadyForQuery has told of yet.
	s.unsettled = kind != 'Q' && s.pipe.executed
	s.altering = s.altering && (s.pipe.status != 'I' || s.pipe.executed)
	s.backend.piped = kind != 'Q' && s.pipe.status == 'I' || s.unsettled
	s.failed, s.failure, s.committed, s.shows = false, "", false, false
	s.backend.hear()
	s.endPortals()
	s.endTurn()
	defer s.leave()
	if err := s.settleUnread(ctx); err != nil {
		return err
	}
	if s.turnOver() {
		if err := s.passTurn(ctx); err != nil {
			if err = s.relayFailure(err); err != nil {
				return err
			}
		}
	}
	if err := s.tidy(); err != nil {
		return err
	}
	deal := func() error { return s.deal(ctx, kind, size) }
	if err := s.interrupted(); err != nil && kind == 'Q' { // a pipeline has failed by that itself
		deal = func() error { return s.giveUp(ctx, size, err) }
	}
	if err := deal(); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.pipe.heed = s.chronicle.open
	return nil
}

// deal gives the message to whom it concerns.
func (s *session) deal(ctx context.Context, kind byte, size int) error {
	if s.pipe.skipping && kind != 'S' || s.options.Mode == Transparent {
		return s.passOn(size)
	}
	if (kind == 'Q' || kind == 'P') && size > s.options.InspectLimit {
		return s.bulk(ctx, kind, size)
	}
	if size > s.options.InspectLimit && s.options.Mode == Observe {
		return s.passOn(size)
	}
	switch kind {
	case 'Q':
		return s.query(ctx, size)
	case 'P':
		return s.parse(ctx, size)
	case 'B':
		return s.bind(ctx, size)
	case 'E':
		return s.execute(ctx, size)
	case 'C':
		return s.closeNamed(size)
	case 'S':
		return s.sync(ctx)
	case 'F':
		return s.functionCall(ctx, size)
	}
	return s.passOn(size)
}

// passOn sends the client's next message to the server as it is; the relay will carry the answer.
func (s *session) passOn(size int) error {
	kind := s.link.client.buf[s.link.client.r]
	s.pipe.mu.Lock()
	s.pipe.sent(kind)
	s.pipe.mu.Unlock()
	if err := s.link.client.forward(s.link.server.conn, size); err != nil {
		return errServerGone
	}
	return nil
}

// query is the simple protocol: one message, one or more statements, one ReadyForQuery.
func (s *session) query(ctx context.Context, size int) error {
	if err := s.link.client.hold(size); err != nil {
		return errClientGone
	}
	raw, behind, ok := cString(s.link.client.unread()[headerSize:size])
	if !ok || len(behind) > 0 {
		return s.passOn(size) // the server refuses it
	}
	s.shows = revealing.MatchString(raw)
	r := s.read([]byte(raw), s.pipe.executed)
	if s.pipe.executed && s.anyConcern(r.statements) && s.options.Mode == Enforce {
		return s.mixed(ctx, size)
	}
	if s.link.startup.replication != "" {
		return s.unasked(ctx, r, size)
	}
	look := shape{few: true}
	if !s.pipe.executed {
		var err error
		if look, err = s.lookAt(ctx, r, []byte(raw)); isServerError(err) {
			return s.giveUp(ctx, size, err)
		}
		if err != nil {
			return err
		}
	}
	noted := s.anyNote(r.statements)
	if s.pipe.executed || look.few && !noted && (look.most == 0 || size <= look.most) || r.mistyped && s.serverRejects(ctx, r.text) {
		return s.passOn(size)
	}
	if s.options.Mode == Observe && len(r.statements) > 1 {
		return s.observe(ctx, r, size)
	}
	s.link.client.take(size)
	s.link.client.slim()

	var err error
	if len(r.statements) == 1 {
		err = s.statement(ctx, occasion{
			Statement: r.statements[0], piece: r.text, escaped: r.escaped, raw: []byte(raw), inTransaction: s.backend.TxStatus() != 'I',
		})
	} else {
		err = (&script{session: s, text: r.text, escaped: r.escaped}).run(ctx, r.statements)
	}
	if err != nil {
		return err
	}
	return s.voice.say(&pgproto3.ReadyForQuery{TxStatus: s.backend.TxStatus()})
}

// giveUp answers a simple Query with the error of a question of ours before it.
func (s *session) giveUp(ctx context.Context, size int, failed error) error {
	if err := s.link.client.discard(size); err != nil {
		return errClientGone
	}
	if err := s.answerFailure(ctx, occasion{inTransaction: s.backend.TxStatus() != 'I'}, rewrite.Plan{}, failed); err != nil {
		return err
	}
	return s.voice.say(&pgproto3.ReadyForQuery{TxStatus: s.backend.TxStatus()})
}

// end gives back what the session has borrowed.
func (s *session) end() {
	s.closeChronicle()
	s.forget()
	s.leave()
	s.rejoin()
}

// mixed refuses a simple Query that follows an Execute without a Sync: it would end the pipeline's transaction in its middle.
func (s *session) mixed(ctx context.Context, size int) error {
	s.link.client.take(size)
	if err := s.fail(ctx, s.voice.report(codeRefused, "pgsluice: a schema change in a simple Query cannot follow an Execute without Sync", "",
		"Send Sync before the Query.")); err != nil {
		return err
	}
	return s.voice.say(&pgproto3.ReadyForQuery{TxStatus: s.backend.TxStatus()})
}

// observe judges and records the statements of one Query by what is known before it runs, and passes it on as it is. In a block nothing is
// asked before a statement that may come before the transaction's first snapshot: the question would take it.
func (s *session) observe(ctx context.Context, r reading, size int) error {
	silent := false
	for _, statement := range r.statements {
		s.noteWrite(statement)
		switch statement.Action.(type) {
		case ddl.Setting, ddl.Transaction, ddl.LockTable:
			silent = silent || s.backend.TxStatus() == 'T'
		}
		if s.backend.TxStatus() == 'E' || !s.concerns(statement) && !s.onlyWrites(statement) {
			continue
		}
		at := occasion{Statement: statement, inTransaction: true}
		var known facts.Facts
		began := time.Now()
		if !silent {
			var err error
			if known, err = s.facts(ctx, at); err != nil && !isServerError(err) {
				return err
			}
		}
		verdict := s.judge(ctx, at, known)
		if err := s.interrupted(); err != nil {
			return s.giveUp(ctx, size, err)
		}
		decided := time.Since(began)
		s.countVerdict(at, verdict, decided)
		record := s.begin(ctx, at, known, verdict)
		record.entry.Decided = decided
		record.entry.Outcome = "observed"
		if err := record.finish(ctx, nil); err != nil {
			return err
		}
	}
	return s.passOn(size)
}

// statement is the whole product, for one statement. A cancel that has hit a statement of ours is that of the client's: as long as its transaction is open, also when
// what was hit was no more than a note about what has run.
func (s *session) statement(ctx context.Context, at occasion) error {
	defer s.backend.hear() // of the next one of the same message
	err := s.dealt(ctx, at)
	if hit := s.backend.canceled; err == nil && hit != nil && !s.failed && !s.committed && (s.backend.TxStatus() != 'I' || s.pipe.skipping) && s.options.Mode == Enforce {
		return s.answerFailure(ctx, at, rewrite.Plan{}, hit)
	}
	return err
}

// dealt is statement: facts, verdict, plan, run, record, reply.
func (s *session) dealt(ctx context.Context, at occasion) error {
	defer s.worked() // it may take hours
	s.chronicle.cleared = false
	if control, ok := at.Action.(ddl.Transaction); ok {
		return s.transaction(ctx, at, control)
	}
	if s.backend.TxStatus() == 'E' && !s.unsettled {
		return s.asItIs(ctx, at) // The server refuses it until the transaction ends.
	}
	if lock, ok := at.Action.(ddl.AdvisoryLock); ok && s.options.Mode == Enforce {
		return s.poll(ctx, at, lock)
	}
	if name, write := ddl.ReadPrepare(at.Statement); at.Tag == "PREPARE" && ddl.Changes(write) {
		room, err := s.roomFor(ctx, name, len(write.Text))
		if err != nil {
			return s.answerFailure(ctx, at, rewrite.Plan{}, err)
		}
		if !room {
			return s.fail(ctx, s.tooManyPrepared())
		}
	}
	if s.reaches(at.Statement) && s.options.Mode == Enforce {
		return s.fail(ctx, s.unjudgeable(at))
	}
	if table, ok := s.versionTable(at.Statement); ok {
		return s.version(ctx, at, table)
	}
	if tables := s.versionTablesWithin(at.Statement); len(tables) > 0 {
		return s.versionsWithin(ctx, at, tables)
	}
	return s.judged(ctx, at)
}

// unjudgeable refuses what may run, by SQL, something of concern that the protocol has prepared or bound.
func (s *session) unjudgeable(at occasion) *pgproto3.ErrorResponse {
	return s.voice.report(codeRefused, fmt.Sprintf("pgsluice: %s cannot be judged while a schema change is prepared in this session", at.Tag), "",
		"Execute it by the protocol, or close it first.")
}

// judged is what follows for a statement that runs something: it is judged if a rule could care.
func (s *session) judged(ctx context.Context, at occasion) error {
	s.noteWrite(at.Statement)
	if goOn, err := s.takeTurn(ctx, at); err != nil || !goOn {
		return err
	}
	if s.executesWrite(at.Statement) && !s.owes() {
		now, hidden, err := s.resolved(ctx, at)
		if err != nil {
			return s.answerFailure(ctx, at, rewrite.Plan{}, err)
		}
		if hidden && s.options.Mode == Enforce {
			return s.fail(ctx, s.unjudgeable(at))
		}
		at = now
	}
	writes := s.onlyWrites(at.Statement)
	if !s.concerns(at.Statement) && !writes {
		return s.unconcerned(ctx, at)
	}
	if ddl.Changes(at.Statement) && !at.small {
		var err error
		at.plans = map[string][]string{}
		if at.small, err = s.small(ctx, at); err != nil {
			return s.answerFailure(ctx, at, rewrite.Plan{}, err)
		}
		if writes && at.small {
			return s.asItIs(ctx, at)
		}
	}
	var err error
	if at.left, err = s.catchUp(ctx, at); err != nil {
		return s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	s.clear(ctx, at)
	began := time.Now()
	known, err := s.facts(ctx, at)
	if err != nil {
		return s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	verdict := s.judge(ctx, at, known)
	if err := s.interrupted(); err != nil {
		return s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	decided := time.Since(began)
	s.countVerdict(at, verdict, decided)
	_, write := at.Action.(ddl.Write)
	switch {
	case changesNothing(at.Statement) && verdict.Action == policy.Pass, (write || writes) && verdict.Action == policy.Pass && !s.owes():
		s.leave()
		return s.unconcerned(ctx, at) // Neither a query nor rows are a schema change: there is nothing to record.
	case !write && !writes:
		s.altering = s.altering || at.inTransaction
	}
	record := s.begin(ctx, at, known, verdict)
	record.entry.Decided = decided
	s.wrote(at.Statement, known)

	if verdict.Action == policy.Block && s.options.Mode == Enforce {
		return record.finish(ctx, s.fail(ctx, s.voice.refusal(verdict)))
	}
	plan, err := s.plan(ctx, at, known, verdict)
	if isServerError(err) || isGone(err) {
		return record.finish(ctx, s.answerFailure(ctx, at, rewrite.Plan{}, err))
	}
	if err != nil {
		return record.finish(ctx, s.fail(ctx, s.voice.report(codeRefused, "pgsluice: "+err.Error(), "", "")))
	}
	if !record.foretell(ctx, at, plan) {
		return record.finish(ctx, s.fail(ctx, s.voice.refusal(record.unrecorded())))
	}
	if err := s.warn(verdict); err != nil {
		return record.finish(ctx, err)
	}
	switch {
	case plan.Recipe == "":
		s.leave()
		if err = s.asItIs(ctx, at); err == nil {
			err = s.rememberPrepare(ctx, at.Statement)
		}
	case at.inTransaction && plan.Job != "":
		err = s.deferredWrite(ctx, at, known, plan, record)
	case at.inTransaction && waits(plan):
		err = s.deferred(ctx, at, known, plan, record)
	default:
		err = s.perform(ctx, at, known, plan, record)
	}
	return record.finish(ctx, err)
}

// changesNothing reports whether a statement only reads, sets or locks: then it is no part of what a migration does, also where it is judged because work is
// deferred.
func changesNothing(statement ddl.Statement) bool {
	switch action := statement.Action.(type) {
	case ddl.Query:
		return action == ddl.Query{} && (len(statement.Inner) == 0 || statement.Tag == "PREPARE")
	case ddl.Setting, ddl.LockTable:
		return true
	}
	return false
}

// facts asks the server what a rule may want to know about the statement. What cannot be asked is unknown; a cancel of the question is the
// cancel of the statement.
func (s *session) facts(ctx context.Context, at occasion) (facts.Facts, error) {
	wanted := facts.For(at.Statement)
	if at.small {
		wanted = slices.DeleteFunc(wanted, func(w facts.Wanted) bool { return w.Write != nil })
	}
	if s.owes() {
		wanted = facts.All(at.Statement, wanted)
	}
	var known facts.Facts
	var met error
	err := s.apart(at, func() (err error) {
		known, err = facts.Read(ctx, s.asking(at), wanted)
		met = s.meetPooler(ctx, known.PID)
		return err
	})
	if code := run.SQLState(err); err != nil && (code == "" || code == canceled || code == codeRefused || s.pipe.skipping || s.backend.TxStatus() == 'E') {
		return known, err
	}
	if err != nil {
		s.logger().WarnContext(ctx, "cannot read facts: the statement is judged without them", "error", err)
	}
	if met != nil {
		return known, met
	}
	for _, p := range s.promises {
		for _, step := range p.plan.Steps {
			switch index := step.Index; {
			case index.Drop:
				known = known.Without(index.OID)
			case index.Name != "" && index.OID == 0:
				known = known.With(index.Schema, index.Name, step.Table.OID, index.Columns)
			}
		}
	}
	return known, nil
}

// asking is how the client's connection is asked without a trace. The server keeps the question prepared for a while, since planning it takes longer
// than answering it; but not before a statement that could see that.
func (s *session) asking(at occasion) facts.Querier {
	if s.shows || revealing.MatchString(at.piece) {
		return askedOnce{sheltered{s.backend}, explainer{s, at}}
	}
	s.passed = 0
	return askedAgain{remembered{s.backend}, explainer{s, at}}
}

// opaque is what the statement would run that is not on the wire. A statement that only reads tables, and calls nothing, runs nothing.
func (s *session) opaque(ctx context.Context, statement ddl.Statement, known facts.Facts) ([]string, error) {
	runsNothing := len(statement.Calls) == 0 && !slices.ContainsFunc(statement.Refs, func(ref ddl.Ref) bool {
		relation := known.Relations[facts.Key(ref.Name.Schema, ref.Name.Name)]
		return ref.Written || relation == nil || !strings.Contains("rpmiIS", relation.Kind)
	})
	if runsNothing {
		return nil, nil
	}
	return facts.Opaque(ctx, sheltered{s.backend}, statement)
}

// judge applies the rules, and what this transaction has promised before.
func (s *session) judge(ctx context.Context, at occasion, known facts.Facts) policy.Verdict {
	fleeting := s.fleeting(at.Statement, known)
	where := policy.Context{
		InTransaction: at.inTransaction,
		DeferWrites:   s.options.DeferWrites,
		Ledger:        !fleeting && s.mayDefer(ctx),
		Revision:      cmp.Or(known.Settings["pgsluice.revision"], s.chronicle.revision),
		Session:       s.kind(at.Statement),
		Now:           time.Now(),
	}
	verdict := s.options.Policy.Judge(at.Statement, known, where)
	if fleeting && verdict.Action != policy.Pass { // then the ledger may make a difference
		where.Ledger = s.mayDefer(ctx)
		verdict = s.options.Policy.Judge(at.Statement, known, where)
	}
	if s.owes() {
		opaque, err := s.opaque(ctx, at.Statement, known)
		if err != nil {
			opaque = []string{"something that could not be looked up"}
		}
		if blind, err := s.blind(ctx, at.Statement); blind || err != nil {
			opaque = append(opaque, "what was prepared by the protocol")
		}
		if s.ownTable(at.Statement) {
			known = known.OfTool(at.Statement)
		}
		if finding, ok := policy.Behind(at.Statement, known, s.promised(), opaque); ok {
			verdict.Add(finding)
		}
	}
	s.chronicle.cleared = false
	if !fleeting {
		if finding, ok := s.unfinished(ctx, at, known, verdict); ok {
			verdict.Add(finding)
		}
	}
	return verdict
}

// countVerdict tells the meter of a verdict, which took so long to reach.
func (s *session) countVerdict(at occasion, verdict policy.Verdict, took time.Duration) {
	rule := ""
	if len(verdict.Findings) > 0 {
		rule = verdict.Findings[0].Rule
	}
	s.options.Meter.StatementJudged(strings.TrimSuffix(at.Tag, " 0"), verdict.Action.String(), rule, took)
}

// plan builds what is run in place of the statement; the plan of a harmless statement is the statement itself.
func (s *session) plan(ctx context.Context, at occasion, known facts.Facts, verdict policy.Verdict) (rewrite.Plan, error) {
	if s.options.Mode != Enforce || verdict.Action < policy.Rewrite {
		return rewrite.Plan{Tag: at.Tag, Steps: []rewrite.Step{{SQL: at.Text, Where: rewrite.InPlace, Client: true}}}, nil
	}
	plan, err := rewrite.Build(at.Statement, known, verdict.Recipe())
	if err != nil || plan.Job == "" {
		return plan, err
	}
	params, err := s.params(ctx, at)
	if err != nil {
		return rewrite.Plan{}, err
	}
	plan.Asked = s.redacted(at.Statement)
	return plan.With(params)
}

// waits reports whether a plan has steps that cannot run inside a transaction.
func waits(plan rewrite.Plan) bool {
	for _, step := range plan.Steps {
		if step.Where != rewrite.InPlace {
			return true
		}
	}
	return false
}

// warn tells the client what a rule only warns of, and what is wrong with its overrides.
func (s *session) warn(verdict policy.Verdict) error {
	if s.options.Mode != Enforce {
		return nil
	}
	for _, remark := range verdict.Remarks {
		if err := s.voice.notice("WARNING", codeRefused, "pgsluice: "+remark, "", ""); err != nil {
			return err
		}
	}
	for _, f := range verdict.Findings {
		if f.Action != policy.Warn {
			continue
		}
		if err := s.voice.notice("WARNING", codeRefused, fmt.Sprintf("pgsluice: %s [%s]", f.Message, f.Rule), verdict.DetailOf(f), f.Hint); err != nil {
			return err
		}
	}
	return nil
}

// announce tells the client in one line what is done in place of its statement.
func (s *session) announce(what string) error {
	if what == "" {
		return nil
	}
	return s.voice.notice("NOTICE", "00000", "pgsluice: "+what, "", "")
}

// asItIs runs the client's own statement and forwards the answer up to the ReadyForQuery.
func (s *session) asItIs(ctx context.Context, at occasion) error {
	if err := s.interrupted(); err != nil {
		return s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	if at.portal != nil {
		return s.executeClient(at)
	}
	raw := at.raw
	if raw == nil {
		var err error
		if raw, err = s.backend.encoding.Encode(at.piece); err != nil {
			return fmt.Errorf("cannot send a piece of the client's text: %w", err)
		}
	}
	out, err := (&pgproto3.Query{String: string(raw)}).Encode(nil)
	if err != nil {
		return fmt.Errorf("cannot send a piece of the client's text: %w", err)
	}
	if _, err := s.link.server.conn.Write(out); err != nil {
		return errServerGone
	}
	return s.backend.pump(func(kind byte, body []byte) (forward, last bool) {
		observed := s.options.Mode == Observe
		switch kind {
		case 'C':
			if observed {
				return true, false
			}
			_ = s.voice.say()
			s.voice.held = frameOf(kind, body)
			return false, false
		case 'E':
			server, ok := asServerError(decodeError(body))
			if ok && observed {
				s.failed, s.failure = true, server.fields.Code
				return true, false
			}
			if ok {
				if at.raw != nil {
					at.escaped = ddl.Escaped{} // it is about the client's own text
				}
				_ = s.answer(at.shifted(server.fields, at.before))
			}
			return false, false
		case 'Z':
			s.backend.ready(body)
			return false, true
		}
		_ = s.voice.say() // A text that was not read can hold several statements.
		return true, false
	})
}

// fail answers the statement with an error of ours and makes the server fail too, so that both sides are in the same true state: a
// transaction is aborted, a pipeline skipped up to its Sync. What fails is a constant that needs no right and no language.
func (s *session) fail(ctx context.Context, report *pgproto3.ErrorResponse) error {
	if s.extended && !s.synced {
		s.backend.piped = true
	}
	if (s.backend.TxStatus() != 'E' || s.unsettled) && !s.pipe.skipping {
		_, err := s.backend.Exec(ctx, failing)
		if err == nil {
			return errors.New("a statement that divides by zero succeeded")
		}
		if !isServerError(err) {
			return err
		}
	}
	return s.answer(report)
}

// failing is a statement that fails for anybody, everywhere.
const failing = "SELECT 1 OPERATOR(pg_catalog./) 0"

// setting follows what the server reports about the settings that decide how text is read.
func (s *session) setting(name, value string) {
	switch name {
	case "client_encoding":
		s.encodingName = value
		s.backend.encoding, _ = ddl.NewEncoding(value)
		encoding := s.backend.encoding
		s.encoded.Store(&encoding)
	case "standard_conforming_strings":
		s.backslashes = value == "off"
	}
}

func asServerError(err error) (*serverError, bool) {
	var server *serverError
	ok := errors.As(err, &server)
	return server, ok
}
