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
)

// turnKey is the advisory lock of whose turn it is to migrate a database: "pgsluice" in ASCII. Like all of them it is the database's own. Who holds
// it is not to be ended for a lock: package run knows it by its upper half.
const turnKey = 0x7067736c75696365

const (
	// turnIdle is how long a session that has migrated may do nothing before the next thing it does is taken for something else.
	turnIdle = 5 * time.Second
	// turnShown is how often a client that waits is told so.
	turnShown = 10 * time.Second
	// glimpses is how many questions in a row must find that the holder waits for this session, where the session holds nothing between them: a build
	// waits for the snapshot of the question itself, and has done with it a moment later.
	glimpses = 10
)

// migrationTurn is a session's part in having one migration at a time.
type migrationTurn struct {
	// held is true while the session holds the lock; worked is when it last ended what the lock is for.
	held   bool
	worked time.Time
	// over is true once the tool has said that its work is done, where the turn could not be given back at once.
	over bool
	// looked is true once the session has read a version table: what it does from then on rests on what it has read. It is stale where another one ran
	// meanwhile.
	looked, stale bool
}

// holder is who has the turn, as far as the client's own login may see.
type holder struct {
	PID         int32  `json:"pid"`
	Login       string `json:"login"`
	Application string `json:"application"`
	Client      string `json:"client"`
	// Waits is true when the holder waits for this very session.
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

// tryTurn gets the lock, or says who has it, in one question; %s is the function.
const tryTurn = `SELECT CASE WHEN %s THEN 'null' ELSE COALESCE((
	SELECT pg_catalog.json_build_object('pid', a.pid, 'login', pg_catalog.pg_get_userbyid(a.usesysid), 'application', COALESCE(a.application_name, ''),
		'client', COALESCE(pg_catalog.host(a.client_addr), ''),
		'waits', pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(l.pid)))::pg_catalog.text
	FROM pg_catalog.pg_locks AS l, pg_catalog.pg_stat_get_activity(l.pid) AS a
	WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.objsubid OPERATOR(pg_catalog.=) 1
		AND l.classid OPERATOR(pg_catalog.=) ($1::bigint OPERATOR(pg_catalog.>>) 32)::pg_catalog.oid
		AND l.objid OPERATOR(pg_catalog.=) ($1::bigint OPERATOR(pg_catalog.&) 4294967295)::pg_catalog.oid
		AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database AS d
			WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
	ORDER BY l.pid LIMIT 1), '{}') END`

// exclusive is true when there is to be one migration at a time.
func (s *session) exclusive() bool {
	return s.options.Exclusive != Together && s.options.Mode == Enforce
}

// looksAtVersions is looks by the columns of the tables, not by their names alone.
func (s *session) looksAtVersions(ctx context.Context, at occasion) (bool, error) {
	if !s.looks(at.Statement) {
		return false, nil
	}
	found := false
	for _, ref := range at.Refs {
		if !s.mayKeepVersions(ref.Name) {
			continue
		}
		course, err := s.course(ctx, ref.Name)
		if err != nil {
			return false, err
		}
		found = found || course != nil
	}
	return found, nil
}

// looks reports whether a statement only reads, and names what may be a version table.
func (s *session) looks(statement ddl.Statement) bool {
	_, reads := statement.Action.(ddl.Query)
	return reads && slices.ContainsFunc(statement.Refs, func(ref ddl.Ref) bool { return s.mayKeepVersions(ref.Name) })
}

// asks reports whether a statement asks the catalog for a version table by its name, as tools do before their first migration. A tool that works on several
// connections at once does not count, nor does one whose table has the same name.
func (s *session) asks(statement ddl.Statement) bool {
	_, reads := statement.Action.(ddl.Query)
	if !reads || !slices.ContainsFunc(statement.Refs, func(ref ddl.Ref) bool {
		return slices.Contains([]string{"pg_class", "pg_tables", "tables"}, ref.Name.Name)
	}) {
		return false
	}
	named := false
	for _, tool := range s.options.Tools {
		if strings.Contains(statement.Text, "'"+tool.Table+"'") {
			if named = true; tool.Beside {
				return false
			}
		}
	}
	return named
}

// heedsTurn reports whether a statement matters to whose turn it is: a look at a version table, or for one, or a tool that gives back its own lock.
func (s *session) heedsTurn(statement ddl.Statement) bool {
	return s.exclusive() && (s.looks(statement) || s.asks(statement) || s.chronicle.turn.held && unlocks(statement))
}

func unlocks(statement ddl.Statement) bool {
	return slices.ContainsFunc(statement.Calls, func(call ddl.Name) bool { return strings.HasPrefix(call.Name, "pg_advisory_unlock") })
}

// takeTurn waits for the session's turn before a statement of a migration. A session that is no migration tool's takes no part, nor does one of
// a tool that works on several connections at once: it would wait for itself. When the statement must not run the client has been told.
//
// A look at the version table, or within a transaction at whether there is one, waits, and in a transaction keeps the turn to its end, because what the tool
// then does rests on it. What is first of a migration keeps the turn for the session.
func (s *session) takeTurn(ctx context.Context, at occasion) (goOn bool, err error) {
	t := &s.chronicle.turn
	switch at.Action.(type) {
	case ddl.Setting, ddl.LockTable, ddl.Transaction:
		return true, nil // The question would take the snapshot that they come before; what follows them asks.
	}
	if !s.exclusive() || t.held || s.backend.TxStatus() == 'E' {
		return true, nil
	}
	looks, err := s.looksAtVersions(ctx, at)
	if err != nil {
		return false, s.relayFailure(err)
	}
	asks := !looks && s.asks(at.Statement)
	if asks && s.backend.TxStatus() != 'T' {
		return true, nil // nothing that it does rests on the answer for certain
	}
	if !asks && (len(s.chronicle.courses) == 0 || !looks && (s.looks(at.Statement) || s.ownTable(at.Statement))) || s.besideOthers() {
		return true, nil
	}
	looks = looks || asks
	function, keeps := "pg_catalog.pg_try_advisory_lock($1::bigint)", true
	if looks {
		function, keeps = "pg_catalog.pg_try_advisory_xact_lock($1::bigint)", false
	}
	waited, other, err := s.awaitTurn(ctx, fmt.Sprintf(tryTurn, function))
	if err != nil {
		if _, server := asServerError(err); server {
			return false, s.relayFailure(err)
		}
		return false, err
	}
	switch {
	case other != nil && waited && other.Waits && looks && s.backend.TxStatus() == 'I':
		// Its implicit transaction is what the other one waits for. A tool with a lock of its own looks again when it has that.
		t.looked, t.stale = true, true
		return true, nil
	case other != nil && waited:
		return false, s.fail(ctx, s.voice.report(codeRefused, fmt.Sprintf(
			"pgsluice: run the migration again: it cannot wait any longer for the one that is running in this database (%s) [one-migration]", other), "", ""))
	case other != nil:
		return false, s.fail(ctx, s.voice.report(codeRefused, fmt.Sprintf(
			"pgsluice: wait until the migration that is running in this database has ended (%s) [one-migration]", other),
			"revisions.exclusive is refuse.", "pgsluice revisions shows what it does."))
	case (waited || t.stale) && keeps && t.looked:
		if _, err := s.backend.Exec(ctx, "SELECT pg_catalog.pg_advisory_unlock($1::bigint)", strconv.FormatInt(turnKey, 10)); err != nil {
			return false, err
		}
		return false, s.fail(ctx, s.voice.report(codeRefused,
			"pgsluice: run the migration again: another one has run since it looked which revisions are applied [one-migration]", "", ""))
	}
	t.looked, t.stale = t.looked || !keeps, false
	t.held = keeps
	s.worked()
	return true, nil
}

// worked notes that a session which holds the turn has just done what it is for.
func (s *session) worked() { s.chronicle.turn.worked = s.now() }

// awaitTurn tries until it has the lock. other is who has it, when it is not to be waited for any longer.
func (s *session) awaitTurn(ctx context.Context, try string) (waited bool, other *holder, err error) {
	began, shown, seen := time.Now(), time.Time{}, 0
	alone := s.backend.TxStatus() == 'I' && !s.backend.piped
	for {
		rows, err := s.backend.Query(ctx, try, strconv.FormatInt(turnKey, 10))
		if err != nil {
			return waited, nil, err
		}
		if err := json.Unmarshal([]byte(strings.Join(rows, "")), &other); err != nil {
			return waited, nil, fmt.Errorf("cannot read who migrates: %w", err)
		}
		if other == nil {
			return waited, nil, nil
		}
		if s.options.Exclusive == OneRefused {
			return false, other, nil
		}
		limits, err := s.waitLimits(ctx)
		if err != nil {
			return waited, nil, err
		}
		if seen++; !other.Waits {
			seen = 0
		}
		// In a transaction every question holds a snapshot for a moment, and a build that meets it waits for the transaction's end.
		if _, over := limits.exceeded(time.Since(began)); over || other.Waits && (!alone || seen == glimpses) {
			return true, other, nil
		}
		if time.Since(shown) > turnShown {
			shown = time.Now()
			if err := s.voice.notice("NOTICE", "00000", fmt.Sprintf("pgsluice: waiting until the migration that is running in this database has ended (%s)", other), "", ""); err != nil {
				return true, nil, err
			}
		}
		if hungUp(s.link.client.conn) {
			return true, nil, errClientGone
		}
		waited = true
		if _, err := s.backend.Exec(ctx, napSQL); err != nil {
			return true, nil, err
		}
	}
}

// unconcerned runs a statement that no rule cares about. A tool that gives back its own lock has done its work: the turn is given back, too.
func (s *session) unconcerned(ctx context.Context, at occasion) error {
	err := s.asItIs(ctx, at)
	if err == nil {
		err = s.rememberPrepare(ctx, at.Statement)
	}
	if err != nil || s.failed || !s.chronicle.turn.held || !unlocks(at.Statement) {
		return err
	}
	s.chronicle.turn.over = true
	if s.backend.piped {
		return nil // until its Sync is answered
	}
	return s.passTurn(ctx)
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
	s.chronicle.turn = migrationTurn{}
	_, err := s.backend.Exec(ctx, "SELECT pg_catalog.pg_advisory_unlock($1::bigint)", strconv.FormatInt(turnKey, 10))
	return s.aside(ctx, "cannot give back the turn to migrate", err)
}
