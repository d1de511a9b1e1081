package proxy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/policy"
	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

// chronicle is what a session has to tell the ledger: which statements it has run, and for which revision.
type chronicle struct {
	began time.Time // the session
	// courses are the version tables that the session has written to, by OID.
	courses map[uint32]*revisions.Course
	// migrated is true once the session has had the turn to migrate.
	migrated bool
	// pending are the statements that have run and belong to no revision yet, the last mostPending of them: most tools write its row behind them.
	pending []int64
	// told are revisions of which nobody knows yet in which order their rows and their statements come; acted is when the session last did something that may
	// belong to the last of them.
	told  []toldRevision
	acted time.Time
	// running is the revision that was begun and has not ended, and revision its id by the tool; 0 and "" for none.
	running  int64
	revision string
	// named is true once the session has named a version table: it is a migration tool's.
	named bool
	// wrote is true once the session has sent anything that may have changed rows; stirred, once it has since it last wrote to a version table.
	wrote, stirred bool
	// open is true while statements are in the ledger whose transaction has not ended, as far as is known; xid is the transaction.
	open bool
	xid  uint64
	// untold are the results of which the audit trail does not know yet how their transaction has ended, the first mostPending of it; beyond is the last one
	// behind those, and says how many there are.
	untold []revisions.Entry
	beyond revisions.Entry
	// end is how the transaction at hand was seen to end, "" while it was not; committing is true while its COMMIT is under way.
	end        string
	committing bool
	// cleared is true when the ledger was asked, before the statement at hand, for work that has failed, and had none; reminded is the transaction in which that
	// was so.
	cleared  bool
	reminded uint64
	// turn is the session's part in having one migration at a time.
	turn migrationTurn
}

// mostPending bounds what a session remembers that never tells of a revision.
const mostPending = 10_000

// notes reports whether the statement tells something of revisions, or of how they end.
func (s *session) notes(statement ddl.Statement) bool {
	_, ends := statement.Action.(ddl.Transaction)
	_, tells := s.versionTable(statement)
	return tells || len(s.versionTablesWithin(statement)) > 0 || s.preparesVersion(statement) || ends && s.chronicle.open || s.heedsTurn(statement)
}

func (s *session) anyNote(statements []ddl.Statement) bool {
	for _, statement := range statements {
		s.chronicle.named = s.chronicle.named || s.namesVersions(statement)
	}
	if len(s.chronicle.told) > 0 && s.areApart(statements) {
		s.chronicle.part()
	}
	return slices.ContainsFunc(statements, s.notes)
}

// namesVersions reports whether a statement names what may be a version table.
func (s *session) namesVersions(statement ddl.Statement) bool {
	return slices.ContainsFunc(statement.Refs, func(ref ddl.Ref) bool { return s.mayKeepVersions(ref.Name) })
}

// tells reports whether a text that no rule cares about tells something of revisions: it may end a transaction that is in the ledger, or names a
// table that the configuration says a tool keeps its revisions in, or asks the catalog for one whose name is bound later, where that matters.
func (s *session) tells(kind byte, frame []byte) bool {
	text := frame[headerSize:]
	if kind == 'P' {
		text = text[bytes.IndexByte(text, 0)+1:]
	}
	if s.options.VersionTables != nil && s.options.VersionTables.Match(text) {
		return true
	}
	s.noteUnread(text)
	return s.chronicle.open && ending.Match(text) || s.turnOver() || kind == 'P' && s.exclusive() && ddl.NamesCatalog(text)
}

// noteUnread notes what a text that nobody reads may do.
func (s *session) noteUnread(text []byte) {
	c := &s.chronicle
	if (!c.wrote || !c.stirred || len(c.told) > 0) && mayChangeRows(text) {
		c.wrote, c.stirred, c.acted = true, true, s.now()
	}
	if len(c.told) > 0 && isApart(text) {
		c.part()
	}
	if c.turn.held && discards.Match(pastComments(text)) {
		c.turn.held = false // the server drops all locks of the session
	}
}

// ending finds the words that end a transaction.
var ending = regexp.MustCompile(`(?i)\b(commit|end|rollback|abort|prepare)\b`)

// noteWrite notes that a statement changes rows, if they are no version table's: then what is told of revisions behind it is no mere stamp.
func (s *session) noteWrite(statement ddl.Statement) {
	c := &s.chronicle
	if c.wrote && c.stirred {
		return // a look through all tools is for the first only
	}
	if write, ok := statement.Action.(ddl.Write); ok && !s.mayKeepVersions(write.Target) {
		c.wrote, c.stirred = true, true
	}
}

// mayChangeRows reports whether the text begins like a statement that may change rows, behind comments or not.
func mayChangeRows(text []byte) bool {
	text = pastComments(text)
	return len(text) > 0 && bytes.IndexByte([]byte("iudmwc"), text[0]|0x20) >= 0 && !keepsRows.Match(text)
}

// keepsRows finds the statements that begin with such a letter and change no rows.
var keepsRows = regexp.MustCompile(`(?i)^(commit|close|checkpoint|deallocate|declare|discard|unlisten|move)\b`)

// pastComments is the text behind the comments that it begins with.
func pastComments(text []byte) []byte {
	for {
		text = bytes.TrimLeft(text, " \n\t\r(")
		var found bool
		switch {
		case bytes.HasPrefix(text, []byte("/*")):
			_, text, found = bytes.Cut(text, []byte("*/"))
		case bytes.HasPrefix(text, []byte("--")):
			_, text, found = bytes.Cut(text, []byte("\n"))
		default:
			return text
		}
		if !found {
			return nil
		}
	}
}

// mayKeepVersions reports whether a table of the name may be a version table.
func (s *session) mayKeepVersions(name ddl.Name) bool {
	return ddl.MayNameVersionTable(name.Name) || slices.ContainsFunc(s.options.Tools, func(t revisions.Tool) bool {
		return strings.EqualFold(t.Table, name.Name)
	})
}

// versionTable is the table that the statement writes to, if by its name that may be a version table.
func (s *session) versionTable(statement ddl.Statement) (ddl.Name, bool) {
	switch action := statement.Action.(type) {
	case ddl.Write:
		return action.Target, action.Op != ddl.Merge && s.mayKeepVersions(action.Target)
	case ddl.Utility:
		if statement.Tag == "TRUNCATE TABLE" && len(statement.Refs) == 1 {
			return statement.Refs[0].Name, s.mayKeepVersions(statement.Refs[0].Name)
		}
	}
	return ddl.Name{}, false
}

// version runs a statement that may write to a version table, and learns from it.
func (s *session) version(ctx context.Context, at occasion, table ddl.Name) error {
	course, err := s.course(ctx, table)
	if err != nil {
		return s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	if course == nil {
		return s.judged(ctx, at)
	}
	write := s.writeOf(at, course)
	if course.Branches() && write.Op == revisions.Update && write.Set[course.Tool.ID[0]] == "" { // as many heads as it finds, each to a value of its own
		return s.compared(ctx, at, []ddl.Name{table}, s.write)
	}
	if err := s.nameRows(ctx, course, &write); err != nil {
		return s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	if course.OneRow(write) {
		if err := s.current(ctx, course); err != nil {
			return s.answerFailure(ctx, at, rewrite.Plan{}, err)
		}
	}
	if err := s.write(ctx, at); err != nil || s.failed {
		return err
	}
	rows, known := s.rows()
	if known && rows == 0 {
		return nil
	}
	write.Count = rows
	if err := s.learn(ctx, at, course, write); err != nil {
		return s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	return nil
}

// write runs the write to a version table. Rows of it are nobody's concern, unless this transaction owes work; what WITH changes besides may be.
func (s *session) write(ctx context.Context, at occasion) error {
	write, rows := at.Action.(ddl.Write)
	at.small = rows && !write.Program && len(at.Inner) == 0
	if !at.small || s.owes() {
		return s.judged(ctx, at)
	}
	if goOn, err := s.takeTurn(ctx, at); err != nil || !goOn {
		return err
	}
	return s.asItIs(ctx, at)
}

// course is what the session knows of a version table; nil when the table is none. What the name stands for is asked each time: tenants share
// names, and search_path tells them apart.
func (s *session) course(ctx context.Context, name ddl.Name) (*revisions.Course, error) {
	table, there, err := revisions.LookAt(ctx, sheltered{s.backend}, facts.Key(name.Schema, name.Name))
	if err != nil {
		return nil, s.ahead(ctx, "cannot look at a version table", err)
	}
	tool, known := revisions.Recognise(s.options.Tools, table)
	if !there || !known || strings.HasPrefix(table.Schema, "pg_temp_") {
		return nil, nil
	}
	course := s.chronicle.courses[table.OID]
	if course == nil {
		course = &revisions.Course{Tool: tool, Table: table}
		s.chronicle.courses[table.OID] = course
	}
	course.Table, course.Tool = table, tool // a tool makes its tables one after the other
	return course, nil
}

// aside returns an error that ends the session, and one of the server's in a pipeline: it has undone what the client has done there, and the server hears
// nothing more up to the Sync. Any other is said in the log, and the client's work goes on.
func (s *session) aside(ctx context.Context, what string, err error) error {
	if err == nil || isGone(err) || ctx.Err() != nil || s.backend.piped && isServerError(err) {
		return err
	}
	s.logger().WarnContext(ctx, what, "error", err)
	return nil
}

// ahead is aside before the client's statement has run: a cancel is that of the statement.
func (s *session) ahead(ctx context.Context, what string, err error) error {
	if isCancel(err) {
		return err
	}
	return s.aside(ctx, what, err)
}

// current asks which version a table of one row has, if the client's login may. In a transaction that may still choose its isolation level nothing is asked.
func (s *session) current(ctx context.Context, course *revisions.Course) error {
	if !course.Table.Readable(course.Tool.ID[0]) {
		return nil
	}
	rows, err := sheltered{s.backend}.Query(ctx, "SELECT "+facts.QuoteIdent(course.Tool.ID[0])+"::pg_catalog.text FROM ONLY "+
		facts.Key(course.Table.Schema, course.Table.Name)+" LIMIT 2")
	switch {
	case err != nil:
		return s.ahead(ctx, "cannot read a version table", err)
	case len(rows) == 0:
		// golang-migrate empties it before each row that it writes, which is in the same transaction.
		course.Was("")
	case len(rows) == 1:
		course.Was(rows[0])
	}
	return nil
}

// nameRows asks for the revisions of rows that a DELETE names by nothing but the key that the server gave them, if the client's login may.
func (s *session) nameRows(ctx context.Context, course *revisions.Course, write *revisions.Write) error {
	key, name := course.Tool.Key, course.Tool.ID[0]
	keys := write.Where[key]
	if write.Op != revisions.Delete || len(keys) == 0 || len(write.Where) > 1 || len(course.Tool.ID) > 1 ||
		!course.Table.Readable(key) || !course.Table.Readable(name) {
		return nil
	}
	list, err := json.Marshal(keys)
	if err != nil {
		return fmt.Errorf("cannot ask for revisions: %w", err)
	}
	names, err := sheltered{s.backend}.Query(ctx, "SELECT "+facts.QuoteIdent(name)+"::pg_catalog.text FROM ONLY "+
		facts.Key(course.Table.Schema, course.Table.Name)+" WHERE "+facts.QuoteIdent(key)+
		"::pg_catalog.text OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT pg_catalog.json_array_elements_text($1::pg_catalog.json)))", string(list))
	if err != nil {
		return s.ahead(ctx, "cannot read a version table", err)
	}
	if len(names) > 0 {
		write.Where = map[string][]string{name: names}
	}
	return nil
}

// learn tells the ledger what a write to a version table means.
func (s *session) learn(ctx context.Context, at occasion, course *revisions.Course, write revisions.Write) error {
	ledger := s.ledger(ctx)
	last := func(revision string) *revisions.Event {
		if ledger == nil {
			return nil
		}
		event, err := ledger.Last(ctx, course.Tool, course.Table, revision)
		if err != nil {
			s.logger().WarnContext(ctx, "cannot ask the ledger for a revision", "error", err)
		}
		return event
	}
	if s.chronicle.stirred {
		s.chronicle.ran()
	}
	idle := !s.chronicle.wrote && len(s.chronicle.pending) == 0
	told := course.Tell(write, last, idle, s.backend.TxStatus() == 'T')
	defer s.leave()
	if len(told) == 0 {
		return nil
	}
	wrote := revisions.Statement{
		Who: s.who(), Tool: course.Tool.Name, Tag: at.Tag, Asked: s.redacted(at.Statement), Verdict: "pass",
		Rules: []string{}, Overrides: []revisions.Override{}, Ran: []string{}, Locks: []revisions.StatementLock{},
	}
	within := s.options.quota.spend(s.teller(), s.now(), len(told))
	if ledger != nil && !within && (len(told) > len(s.chronicle.pending) || told[0].Direction == revisions.Force) {
		s.leaveOut(ctx, ledger, s.teller(), leftOutRevisions)
		ledger = nil
	}
	if ledger != nil {
		var err error
		wrote.Digest = revisions.Digest(wrote.Asked)
		if wrote.ID, err = ledger.Begin(ctx, wrote); err == nil {
			err = s.ended(ctx, ledger, &wrote)
			s.writeEndAfter(ctx, ledger, wrote, err)
		}
		if err != nil {
			if err := s.aside(ctx, "a revision is not in the ledger", err); err != nil {
				return err
			}
			ledger = nil
		}
	}
	for _, event := range told {
		s.tell(ctx, ledger, course, event, wrote.ID)
	}
	return nil
}

// tell is learn for one event.
func (s *session) tell(ctx context.Context, ledger *revisions.Ledger, course *revisions.Course, event revisions.Event, wrote int64) {
	c := &s.chronicle
	learned := revisions.Learned{Event: event, Tool: course.Tool, Table: course.Table, Who: s.who(), Wrote: wrote, Since: c.began}
	if event.Direction != revisions.Force {
		learned.Statements, c.pending = c.pending, nil
	}
	var id int64
	if ledger != nil {
		var err error
		if id, err = ledger.Learn(ctx, learned); err != nil {
			s.logger().WarnContext(ctx, "a revision is not in the ledger", "error", err)
		}
	}
	s.noteOrder(course, event, id, learned.Statements)
	c.running, c.revision = 0, ""
	if event.Stage == revisions.Begun {
		c.running, c.revision = id, event.Revision
	}
	s.logger().InfoContext(ctx, "revision", "tool", course.Tool.Name, "revision", event.Revision, "direction", string(event.Direction), "stage", string(event.Stage))
}

// who is this session for the ledger.
func (s *session) who() revisions.Who {
	host, _, err := net.SplitHostPort(s.link.clientAddr)
	if err != nil {
		host = s.link.clientAddr
	}
	return revisions.Who{
		Session: s.id, PID: int32(s.backendPID()), Login: s.link.startup.user, Client: host, Application: ddl.Claim(s.link.startup.applicationName),
	}
}

// ran notes that a statement has run, and how far it holds.
func (s *session) ran(ctx context.Context, ledger *revisions.Ledger, statement *revisions.Statement) error {
	s.chronicle.acted = s.now()
	if !statement.Own {
		s.chronicle.ran()
	}
	if statement.Revision == 0 && !statement.Own {
		pending := append(s.chronicle.pending, statement.ID)
		s.chronicle.pending = pending[max(0, len(pending)-mostPending):]
	}
	if ledger == nil {
		return nil
	}
	err := s.ended(ctx, ledger, statement)
	if !statement.Attested {
		s.writeEndAfter(ctx, ledger, *statement, err)
		return err
	}
	// The transaction carries by itself that the statement has run. Its COMMIT waits for this, and so does whatever else has to do with the ledger.
	end := *statement
	s.beside(ctx, func(ctx context.Context) { s.writeEnd(ctx, ledger, end) })
	return err
}

// ran says to all courses that something has run that a revision may consist of.
func (c *chronicle) ran() {
	c.stirred = false
	for _, course := range c.courses {
		course.Ran()
	}
}

// blockEnded says to all courses that a transaction block has ended.
func (c *chronicle) blockEnded() {
	for _, course := range c.courses {
		course.BlockEnded()
	}
}

// within notes the transaction that the statement at hand has run in.
func (c *chronicle) within(xid uint64) {
	if c.xid = xid; c.cleared {
		c.reminded = xid
	}
}

// ended finds out how far a statement that has succeeded holds already: it is committed, or its transaction is open, which then carries a row that vanishes
// with it. An error of the server's is one in a pipeline, and then the statement has failed after all.
func (s *session) ended(ctx context.Context, ledger *revisions.Ledger, statement *revisions.Statement) error {
	c := &s.chronicle
	if s.backend.TxStatus() != 'T' && !s.backend.piped {
		statement.Outcome = revisions.OutcomeCommitted
		return nil
	}
	statement.Outcome, c.open = revisions.OutcomeOpen, true
	if s.backend.TxStatus() == 'T' && !s.backend.piped && s.options.Mode == Enforce {
		err := s.attested(ctx, ledger, statement)
		if err == nil || isGone(err) {
			return err
		}
		if isCancel(err) || s.backend.TxStatus() == 'E' {
			statement.Outcome, statement.SQLState = "failed", run.SQLState(err)
			return err
		}
		s.logger().WarnContext(ctx, "a statement could not be written down in its own transaction", "error", err)
	}
	rows, err := sheltered{s.backend}.Query(ctx, "SELECT pg_catalog.pg_current_xact_id_if_assigned()")
	if err == nil && len(rows) == 1 {
		statement.XID, _ = strconv.ParseUint(rows[0], 10, 64)
		c.within(statement.XID)
	} else if isCancel(err) {
		statement.Outcome, statement.SQLState = "failed", canceled
	} else if err = s.aside(ctx, "cannot ask which transaction it is", err); isServerError(err) {
		statement.Outcome, statement.SQLState = "failed", run.SQLState(err)
	}
	return err
}

// writeEndAfter is writeEnd, unless the session has ended instead.
func (s *session) writeEndAfter(ctx context.Context, ledger *revisions.Ledger, statement revisions.Statement, ended error) {
	if ended == nil || isServerError(ended) {
		s.writeEnd(ctx, ledger, statement)
	}
}

// writeEnd writes into the ledger what became of a statement.
func (s *session) writeEnd(ctx context.Context, ledger *revisions.Ledger, statement revisions.Statement) {
	if err := ledger.End(ctx, statement); err != nil {
		s.logger().WarnContext(ctx, "the end of a statement is not in the ledger", "error", err)
	}
}

// attested writes a statement down in the client's transaction. A nonce that was left from the statement before
// saves a round trip; one that is not good any more is asked for again.
func (s *session) attested(ctx context.Context, ledger *revisions.Ledger, statement *revisions.Statement) error {
	s.pen.key = ledger.Key()
	for fresh := s.pen.nonce.Number == 0; ; fresh = true {
		if err := s.renewNonce(ctx); err != nil {
			return err
		}
		xid := s.pen.nonce.XID
		err := s.attest(ctx, *statement)
		if err == nil {
			statement.XID, statement.Attested = xid, true
			s.chronicle.within(xid)
			return nil
		}
		if server, ok := asServerError(err); fresh || !ok || server.fields.Code != revisions.StateNotSigned {
			return err
		}
	}
}

// renewNonce asks for a nonce where there is none.
func (s *session) renewNonce(ctx context.Context) (err error) {
	if s.pen.nonce.Number == 0 {
		s.pen.nonce, err = revisions.NewNonce(ctx, sheltered{s.backend})
	}
	return err
}

// noting is how the client's connection is told what is written down there: where questions stay prepared, so does that.
func (s *session) noting() revisions.Asker {
	if s.backend.kept == nil {
		return sheltered{s.backend}
	}
	return repeated{s.backend}
}

// attest writes a statement down in the client's transaction. The nonce is used up, however this ends.
func (s *session) attest(ctx context.Context, statement revisions.Statement) (err error) {
	nonce := s.pen.nonce
	s.pen.nonce = revisions.Nonce{}
	s.pen.nonce, err = revisions.Attest(ctx, s.noting(), s.pen.key, nonce, statement.ID, statement.Digest)
	return err
}

// settle has the ledger and the audit trail learn how the transactions have ended that this session's statements were in.
func (s *session) settle(ctx context.Context) error {
	if !s.chronicle.open || s.backend.TxStatus() != 'I' || s.pipe.executed {
		return nil
	}
	return s.settled(ctx)
}

// settleUnread is settle for a transaction that has ended by messages that nobody read: by a COMMIT, for instance, that was prepared before there was
// anything to tell of it. Another one may be open by now.
func (s *session) settleUnread(ctx context.Context) error {
	end := s.pipe.heeded()
	if end == "" || !s.chronicle.open {
		return nil
	}
	s.chronicle.end = cmp.Or(s.chronicle.end, end)
	return s.settled(ctx)
}

// settled is settle for transactions that have ended for certain.
func (s *session) settled(ctx context.Context) error {
	c := &s.chronicle
	c.open, c.xid = false, 0
	c.blockEnded()
	s.pen.nonce = revisions.Nonce{} // it was of that transaction
	s.worked()
	ledger := s.ledger(ctx)
	s.orderWithin(ctx, ledger)
	if ledger == nil {
		s.tellEnds(ctx, nil)
		return nil
	}
	outcomes, err := ledger.Outcomes(ctx, s.untoldStatements())
	s.tellEnds(ctx, outcomes)
	return s.aside(ctx, "cannot write down how a transaction has ended", err)
}

// closeChronicle is the end of the session: what it has left open is settled as far as the server knows by now; the rest is done later.
func (s *session) closeChronicle() {
	if !s.chronicle.open && s.chronicle.running == 0 && len(s.chronicle.told) == 0 {
		return
	}
	s.chronicle.end = cmp.Or(s.chronicle.end, s.pipe.heeded())
	ctx, enough := context.WithTimeout(context.Background(), deskPatience)
	defer enough()
	ledger := s.ledger(ctx)
	s.orderWithin(ctx, ledger)
	s.order(ctx, ledger, s.chronicle.told)
	if ledger == nil {
		s.tellLastEnds(ctx, nil)
		return
	}
	outcomes, err := ledger.Outcomes(ctx, s.untoldStatements())
	if err != nil {
		s.logger().WarnContext(ctx, "cannot write down how a transaction has ended", "error", err)
	}
	s.tellLastEnds(ctx, outcomes)
	if s.chronicle.running == 0 {
		return
	}
	if err := ledger.Abandon(ctx, s.id); err != nil {
		s.logger().WarnContext(ctx, "cannot write down that a revision has not ended", "error", err)
	}
}

// rows is the number of rows in the answer that is kept back.
func (s *session) rows() (rows int64, known bool) {
	held := s.voice.held
	if len(held) <= headerSize || held[0] != 'C' {
		return 0, false
	}
	words := strings.Fields(strings.TrimSuffix(string(held[headerSize:]), "\x00"))
	rows, err := strconv.ParseInt(words[len(words)-1], 10, 64)
	return rows, err == nil
}

// kind is what a rule may know of the session. What a tool does to its own tables is its own affair.
func (s *session) kind(statement ddl.Statement) policy.SessionKind {
	if s.chronicle.named || s.ownTable(statement) {
		return policy.Migration
	}
	return policy.NoMigration
}

// ownTable reports whether all that a statement is about are tables that migration tools keep for themselves, or the schema of those.
func (s *session) ownTable(statement ddl.Statement) bool {
	if utility, ok := statement.Action.(ddl.Utility); ok && utility.Object == "SCHEMA" && (statement.Tag == "CREATE SCHEMA" || statement.Tag == "COMMENT") {
		if len(utility.Names) != 1 || len(statement.Inner) > 0 {
			return false
		}
		schema := utility.Names[0].Name
		return revisions.Keeps(s.options.Tools, schema, "") || statement.Tag == "CREATE SCHEMA" && revisions.NeedsSchema(s.options.Tools, schema)
	}
	about := slices.DeleteFunc(slices.Clone(statement.Refs), func(ref ddl.Ref) bool { return ref.Kind == "INDEX" && ref.Created })
	created, creates := statement.Action.(ddl.CreateTable)
	return len(about) > 0 && !slices.ContainsFunc(about, func(ref ddl.Ref) bool {
		if creates && ref.Name == created.Table {
			return !revisions.KeepsAs(s.options.Tools, ref.Name.Schema, ref.Name.Name, created.ColumnNames)
		}
		return !revisions.Keeps(s.options.Tools, ref.Name.Schema, ref.Name.Name)
	})
}
