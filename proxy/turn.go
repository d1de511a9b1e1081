package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/rewrite"
)

// turnKey is the advisory lock of whose turn it is to migrate a database: "pgsluice" in ASCII. Like all of them it is the database's own. Who holds
// it is not to be ended for a lock: package run knows it by its upper half.
const turnKey = 0x7067736c75696365

const (
	// turnIdle is how long a session that has migrated may do nothing before the next thing it does is taken for something else.
	turnIdle = 5 * time.Second
	// lineIdle is how long a transaction that has only looked may do nothing before others look beside it. Alembic reads its scripts meanwhile.
	lineIdle = 10 * time.Second
	// turnDeserted is how long who has the turn may do nothing, in a transaction, before nobody waits for it any longer.
	turnDeserted = time.Minute
	// turnShown is how often a client that waits is told so.
	turnShown = 10 * time.Second
	// glimpses is how many questions in a row must find that the holder waits for this session, where the session holds nothing between them: a build
	// waits for the snapshot of the question itself, and has done with it a moment later.
	glimpses = 10
)

// migrationTurn is a session's part in having one migration at a time.
//
// A migration looks which revisions are applied, and then begins: with its first schema change, or its first write to the version table. To begin takes
// the turn, a lock of the session's, for which another one that begins or looks waits. To look does not: a program may look in a transaction that it leaves
// open and migrate on another connection, and the proxy cannot tell that from two programs, so that whoever only looked must never keep another from
// beginning. What a session has seen it remembers instead, and when it begins it compares: where the versions are others by then it is refused, and where
// they are the same it goes on, whoever looked or ran meanwhile. So nothing is applied twice, and nobody is refused in vain.
//
// That alone would have all but one of several instances that start at once refused. So that they need not be, a transaction that has looked also stands in
// line (lookClass) until it ends, and who looks next waits for it: it sees what the first has done. This is politeness and no more, and has ends: who
// stands in line and does nothing for lineIdle is passed by, and so is, by looks, whoever has the turn and waits for the session that looks or does nothing
// for turnDeserted. All of this is locks of the server's, which go with the transaction or the connection, whoever dies, and which all proxies see.
//
// In a transaction above READ COMMITTED nobody could see that the versions have changed. There a look waits for nobody, and when the migration begins
// the ledger is asked who has told of revisions meanwhile; without a ledger, who has looked there must not begin.
//
// Who rests on what it saw cannot be told: an application's session that has looked, to say in its health check which version there is, and then makes a
// partition, has sent what Alembic sends, whose version row comes last. So within a minute of the look, or in its transaction, its schema change takes the turn
// like a migration's; behind that nothing rests on the look any more, and it is the application's own affair. A tool that takes longer, outside of a
// transaction, takes the turn with its version row.
type migrationTurn struct {
	// held is true while the session holds the lock; worked is when it last ended what the lock is for.
	held   bool
	worked time.Time
	// within is true when the lock is that of the transaction that began behind lull, and ends with it: a pooler may give the next one to another backend.
	within bool
	lull   int
	// over is true once the tool has said that its work is done, where the turn could not be given back at once.
	over bool
	// seen is what the session has read of version tables: what it does from then on rests on it.
	seen map[string]sight
	// passed are the backends that stood in line and did nothing, as they were then.
	passed map[int32]string
}

// holder is who has the turn, or stands in line, as far as the client's own login may see. The zero holder is somebody who was there a moment ago.
type holder struct {
	PID         int32  `json:"pid"`
	Login       string `json:"login"`
	Application string `json:"application"`
	Client      string `json:"client"`
	// State and Since are what it does, and since when, "" where that cannot be seen.
	State string `json:"state"`
	Since string `json:"since"`
	// Runs is true when it has the turn.
	Runs bool `json:"runs"`
	// Waits is true when the holder waits for this very session, or for others that do.
	Waits bool `json:"waits"`
}

// String names the holder for a person.
func (h holder) String() string {
	text := fmt.Sprintf("login %s, pid %d", h.Login, h.PID)
	if h.Application != "" {
		text += ", " + h.Application
	}
	if h.Client != "" {
		text += ", from " + h.Client
	}
	return text
}

// mark is another one as soon as the holder has done anything, as far as can be seen.
func (h holder) mark() string { return h.State + " " + h.Since }

// holderJSON describes who holds the lock l, as a says.
const holderJSON = `pg_catalog.json_build_object('pid', a.pid, 'login', pg_catalog.pg_get_userbyid(a.usesysid), 'application', COALESCE(a.application_name, ''),
		'client', COALESCE(pg_catalog.host(a.client_addr), ''), 'state', COALESCE(a.state, ''),
		'since', COALESCE(pg_catalog.date_part('epoch', a.state_change)::pg_catalog.text, ''), 'runs', l.objsubid OPERATOR(pg_catalog.=) 1,
		'waits', pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ANY (
			WITH RECURSIVE blocking AS (
				SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids(l.pid)) AS pid
				UNION SELECT further.pid FROM blocking AS b, pg_catalog.unnest(pg_catalog.pg_blocking_pids(b.pid)) AS further (pid))
			SELECT b.pid FROM blocking AS b))::pg_catalog.text`

// ofDatabase are the advisory locks of this database that somebody has, ofTurn those of them that are the turn.
const (
	ofDatabase = `l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted
		AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d
			WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())`
	ofTurn = `l.objsubid OPERATOR(pg_catalog.=) 1
		AND l.classid OPERATOR(pg_catalog.=) ($1::bigint OPERATOR(pg_catalog.>>) 32)::pg_catalog.oid
		AND l.objid OPERATOR(pg_catalog.=) ($1::bigint OPERATOR(pg_catalog.&) 4294967295)::pg_catalog.oid`
)

// beginSQL gets the turn for the session, or for the transaction where $2 says so, or says who has it, in one question. A transaction that is prepared for COMMIT PREPARED has no pid.
const beginSQL = `SELECT CASE WHEN ` + tryTurnSQL + ` THEN 'null' ELSE COALESCE((
	SELECT ` + holderJSON + ` FROM pg_catalog.pg_locks AS l, pg_catalog.pg_stat_get_activity(l.pid) AS a
	WHERE ` + ofDatabase + ` AND ` + ofTurn + ` AND l.pid IS NOT NULL ORDER BY l.pid LIMIT 1), '{}') END`

// blindSQL is beginSQL for a login that may not see who has the turn.
const blindSQL = `SELECT CASE WHEN ` + tryTurnSQL + ` THEN 'null' ELSE '{}' END`

const tryTurnSQL = `CASE WHEN $2::pg_catalog.bool THEN pg_catalog.pg_try_advisory_xact_lock($1::bigint) ELSE pg_catalog.pg_try_advisory_lock($1::bigint) END`

// notPermitted is insufficient_privilege.
const notPermitted = "42501"

// exclusive is true when there is to be one migration at a time.
func (s *session) exclusive() bool {
	return s.options.Exclusive != Together && s.options.Mode == Enforce
}

// heedsTurn reports whether a statement matters to whose turn it is: a look at a version table, or for one, or a tool that gives back its own lock.
func (s *session) heedsTurn(statement ddl.Statement) bool {
	return s.exclusive() && (s.looks(statement) || s.mayAsk(statement) || s.chronicle.turn.held && (unlocks(statement) || discardsAll(statement)))
}

// discardsAll reports whether the server drops all locks of the session.
func discardsAll(statement ddl.Statement) bool {
	return discards.Match(pastComments([]byte(statement.Text)))
}

func unlocks(statement ddl.Statement) bool {
	return slices.ContainsFunc(statement.Calls, func(call ddl.Name) bool { return strings.HasPrefix(call.Name, "pg_advisory_unlock") })
}

// takeTurn waits for the session's turn before a statement of a migration. A session that is no migration tool's takes no part, nor does one of
// a tool that works on several connections at once: it would wait for itself. When the statement must not run the client has been told.
func (s *session) takeTurn(ctx context.Context, at occasion) (goOn bool, err error) {
	switch at.Action.(type) {
	case ddl.Setting, ddl.LockTable, ddl.Transaction:
		return true, nil // The question would take the snapshot that they come before; what follows them asks.
	}
	s.endTurn() // several transactions may be of one message
	if !s.exclusive() || s.chronicle.turn.held || s.backend.TxStatus() == 'E' {
		return true, nil
	}
	tables, err := s.lookedAt(ctx, at)
	if err != nil {
		return false, s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	switch {
	case s.besideOthers():
		return true, nil
	case len(tables) > 0:
		goOn, err = s.lookInTurn(ctx, tables)
	case s.begins(at.Statement):
		goOn, err = s.beginInTurn(ctx, at)
	default:
		return true, nil
	}
	if err != nil {
		err = s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	return goOn, err
}

// begins reports whether a migration begins with the statement. What a tool does to its own tables comes before that, but not to the very version table that
// it has looked for or at: then what it rests on would be its own doing.
func (s *session) begins(statement ddl.Statement) bool {
	s.forgetSights()
	t := &s.chronicle.turn
	switch {
	case changesNothing(statement), s.looks(statement):
		return false
	case s.writesVersions(statement), t.makes(statement):
		return true
	case s.ownTable(statement):
		return false
	}
	return len(t.seen) > 0 || s.chronicle.migrated
}

// writesVersions reports whether a statement, or a part of it, writes to a table that the session knows for a version table: not to the lock that many tools
// keep beside theirs.
func (s *session) writesVersions(statement ddl.Statement) bool {
	tables := s.versionTablesWithin(statement)
	if write, ok := statement.Action.(ddl.Write); ok {
		tables = append(tables, write.Target)
	} else if table, ok := s.versionTable(statement); ok {
		tables = append(tables, table)
	}
	return slices.ContainsFunc(tables, func(name ddl.Name) bool {
		for _, course := range s.chronicle.courses {
			if course.Table.Name == name.Name && (name.Schema == "" || name.Schema == course.Table.Schema) {
				return true
			}
		}
		return false
	})
}

// beginInTurn takes the turn, if what the session has seen still holds.
func (s *session) beginInTurn(ctx context.Context, at occasion) (goOn bool, err error) {
	if err := s.lookForPooler(ctx, at); err != nil || !s.exclusive() {
		return err == nil, err
	}
	s.chronicle.turn.within, s.chronicle.turn.lull = !s.steady && s.link.pid != 0, s.pipe.lull()
	wait, err := s.awaitTurn(ctx, false)
	if err != nil || wait.end != granted {
		return false, s.refuseTurn(ctx, wait, err)
	}
	t := &s.chronicle.turn
	t.held, t.over = true, true // if it cannot be given back now, it is as soon as it can
	changed, unsure, err := s.overtaken(ctx, wait.waited)
	if err != nil {
		return false, err
	}
	if changed == "" {
		t.over, s.chronicle.migrated = false, true
		s.worked()
		return true, nil
	}
	if !t.within { // or it goes with the transaction, which fails
		if _, err := s.backend.Exec(ctx, "SELECT pg_catalog.pg_advisory_unlock($1::bigint)", strconv.FormatInt(turnKey, 10)); err != nil {
			return false, err
		}
	}
	t.held, t.over = false, false
	if unsure {
		return false, s.fail(ctx, s.voice.report(codeRefused, fmt.Sprintf(
			"pgsluice: run the migration in a READ COMMITTED transaction: in this one nobody sees whether another one has changed %s meanwhile [one-migration]", changed),
			"The ledger would tell.", "Or install it: pgsluice install."))
	}
	return false, s.fail(ctx, s.voice.report(codeRefused, fmt.Sprintf(
		"pgsluice: run the migration again: another one has changed %s since this one looked which revisions are applied [one-migration]", changed), "", ""))
}

// refuseTurn tells the client why a statement must not run.
func (s *session) refuseTurn(ctx context.Context, wait turnWait, err error) error {
	if err != nil {
		return err
	}
	switch wait.end {
	case refusedAtOnce:
		return s.fail(ctx, s.voice.report(codeRefused, fmt.Sprintf(
			"pgsluice: wait until the migration that is running in this database has ended (%s) [one-migration]", wait.other),
			"revisions.exclusive is refuse.", "pgsluice revisions shows what it does."))
	case deserted:
		return s.fail(ctx, s.voice.report(codeRefused, fmt.Sprintf(
			"pgsluice: end the transaction of the migration that has begun in this database and does nothing any more (%s), then run this one again [one-migration]", wait.other),
			"", "If it is of this program, on another connection, have it commit there first."))
	}
	return s.fail(ctx, s.voice.report(codeRefused, fmt.Sprintf(
		"pgsluice: run the migration again: it cannot wait any longer for the one that is running in this database (%s) [one-migration]", wait.other), "", ""))
}

// worked notes that a session which holds the turn has just done what it is for.
func (s *session) worked() { s.chronicle.turn.worked = s.now() }

// turnWait is how a wait for the turn has ended, and for whom it was, nil where that is nobody.
type turnWait struct {
	end    waitEnd
	other  *holder
	waited bool
}

type waitEnd int

const (
	granted       waitEnd = iota
	refusedAtOnce         // waiting is not what the configuration says
	outOfTime             // the client's own settings bound it
	inVain                // the other one waits for this session
	deserted              // the other one does nothing
)

// awaitTurn tries to begin, or to look, until it may.
func (s *session) awaitTurn(ctx context.Context, looks bool) (wait turnWait, err error) {
	began, shown, seen := time.Now(), time.Time{}, 0
	alone := s.backend.TxStatus() == 'I' && !s.backend.piped
	var passed []string
	var watched stillness
	for {
		wait.other, err = s.tryTurn(ctx, looks, passed)
		if err != nil || wait.other == nil {
			return wait, err
		}
		other := wait.other
		still := watched.of(*other, s.now())
		if other.PID != 0 && !other.Runs && s.passBy(*other, still) {
			passed = append(passed, strconv.Itoa(int(other.PID)))
			continue
		}
		if s.options.Exclusive == OneRefused && other.Runs {
			wait.end = refusedAtOnce
			return wait, nil
		}
		limits, err := s.waitLimits(ctx)
		if err != nil {
			return wait, err
		}
		if seen++; !other.Waits {
			seen = 0
		}
		_, over := limits.exceeded(time.Since(began))
		switch {
		case over:
			wait.end = outOfTime
		// In a transaction every question holds a snapshot for a moment, and a build that meets it waits for the transaction's end.
		case other.Waits && (!alone || seen == glimpses):
			wait.end = inVain
		case strings.HasPrefix(other.State, "idle") && still >= turnDeserted:
			wait.end = deserted
		}
		if wait.end != granted {
			return wait, nil
		}
		if now := s.now(); other.PID != 0 && now.Sub(shown) > turnShown {
			shown = now
			if err := s.tellWait(*other); err != nil {
				return wait, err
			}
		}
		if hungUp(s.link.client.conn) {
			return wait, errClientGone
		}
		wait.waited = true
		if _, err := s.backend.Exec(ctx, napSQL); err != nil {
			return wait, err
		}
	}
}

// tryTurn tries once; who is in the way is nil when nobody is.
func (s *session) tryTurn(ctx context.Context, looks bool, passed []string) (other *holder, err error) {
	sql, args := beginSQL, []string{strconv.FormatInt(turnKey, 10)}
	if looks {
		sql, args = lookSQL, append(args, lookClass, "{"+strings.Join(passed, ",")+"}", strconv.FormatBool(!s.eachSeesAnew()))
	} else {
		args = append(args, strconv.FormatBool(s.chronicle.turn.within))
	}
	rows, err := sheltered{s.backend}.Query(ctx, sql, args...)
	if run.SQLState(err) == notPermitted && !s.backend.piped { // somebody has taken from the login what every login may
		if looks {
			return nil, nil
		}
		rows, err = sheltered{s.backend}.Query(ctx, blindSQL, args...)
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(strings.Join(rows, "")), &other); err != nil {
		return nil, fmt.Errorf("cannot read who migrates: %w", err)
	}
	return other, nil
}

// stillness is since when somebody has done nothing.
type stillness struct {
	pid   int32
	mark  string
	since time.Time
}

// of is how long the holder has been seen to do nothing.
func (w *stillness) of(h holder, now time.Time) time.Duration {
	if w.pid != h.PID || w.mark != h.mark() || h.State == "active" {
		*w = stillness{h.PID, h.mark(), now}
	}
	return now.Sub(w.since)
}

// tellWait tells the client for whom it waits.
func (s *session) tellWait(other holder) error {
	until := "the migration that is running in this database has ended"
	if !other.Runs {
		until = "a transaction that has looked which revisions are applied ends, or does nothing for a while"
	}
	return s.voice.notice("NOTICE", "00000", fmt.Sprintf("pgsluice: waiting until %s (%s)", until, other), "", "")
}

// unconcerned runs a statement that no rule cares about. A tool that gives back its own lock has done its work: the turn is given back, too.
func (s *session) unconcerned(ctx context.Context, at occasion) error {
	err := s.asItIs(ctx, at)
	if err == nil {
		err = s.rememberPrepare(ctx, at.Statement)
	}
	if err != nil || s.failed || !s.chronicle.turn.held {
		return err
	}
	if discardsAll(at.Statement) {
		s.chronicle.turn.held = false
		return nil
	}
	if !unlocks(at.Statement) {
		return nil
	}
	s.chronicle.turn.over = true
	if s.backend.piped {
		return nil // until its Sync is answered
	}
	return s.passTurn(ctx)
}

// endTurn notes that the turn of a transaction has ended with it.
func (s *session) endTurn() {
	if t := &s.chronicle.turn; t.held && t.within && t.lull != s.pipe.lull() {
		t.held, t.over = false, false
	}
}

// besideOthers reports whether a version table that the session uses is of a tool that runs its migrations on other connections.
func (s *session) besideOthers() bool {
	for _, course := range s.chronicle.courses {
		if course.Tool.Beside {
			return true
		}
	}
	return false
}

// turnOver reports whether a session that holds the turn has done nothing for so long that its next message is no migration's.
func (s *session) turnOver() bool {
	t := &s.chronicle.turn
	return t.held && (t.over || s.now().Sub(t.worked) > turnIdle) && s.backend.TxStatus() == 'I'
}

// turnPatience is how long the client may do nothing before its turn is given back; 0 where it has none. A pool keeps connections that migrated long
// ago, and a tool that works on several of one would wait for itself.
func (s *session) turnPatience() time.Duration {
	switch t := &s.chronicle.turn; {
	case !t.held:
		return 0
	case t.over:
		return time.Millisecond
	}
	return s.turnIdle
}

// idle gives back the turn of a client that does nothing. The client has asked nothing and is told nothing.
func (s *session) idle(ctx context.Context) error {
	s.unsettled, s.backend.piped = false, false
	defer s.leave()
	return s.passTurn(ctx)
}

// passTurn gives the turn back, unless the server would not hear of it now.
func (s *session) passTurn(ctx context.Context) error {
	if s.backend.TxStatus() != 'I' || s.pipe.executed || s.pipe.skipping {
		return nil
	}
	t, over := &s.chronicle.turn, s.chronicle.turn.over
	var err error
	if over {
		*t = migrationTurn{}
	} else {
		err = s.pauseTurn(ctx)
	}
	if err == nil {
		_, err = s.backend.Exec(ctx, "SELECT pg_catalog.pg_advisory_unlock($1::bigint)", strconv.FormatInt(turnKey, 10))
	}
	if isCancel(err) { // it is held still, and given back the next time
		t.held, t.over, t.worked = true, over, time.Time{}
	}
	return s.aside(ctx, "cannot give back the turn to migrate", err)
}

// pauseTurn remembers, while nobody else may migrate yet, what the version tables hold when the turn is given back for a while: whoever goes on later is checked
// against that.
func (s *session) pauseTurn(ctx context.Context) error {
	var tables []ddl.Name
	for _, was := range s.chronicle.turn.seen {
		tables = append(tables, was.name)
	}
	for _, course := range s.chronicle.courses {
		tables = append(tables, ddl.Name{Schema: course.Table.Schema, Name: course.Table.Name})
	}
	s.chronicle.turn = migrationTurn{}
	for _, table := range tables {
		if err := s.see(ctx, table); err != nil {
			return err
		}
	}
	return nil
}
