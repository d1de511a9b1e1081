package proxy

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/revisions"
)

// lookClass is the first key of the advisory locks under which transactions that have looked at a version table stand in line; the second is a place, from 0 on.
// It spells "pgsr". They are exclusive, and the transaction's.
const lookClass = "1885827954"

// lookSQL says who has the turn, or else who stands in line and is not among those that are passed by, or else takes the first place that is free; null when it
// has one. In a transaction ($4) above READ COMMITTED, which would not see what it has waited for, it only takes the place. The locks are read once: who takes a
// place meanwhile takes the same one, or finds it taken. A transaction that is prepared for COMMIT PREPARED has no pid, and is not waited for in line. One that
// only reads, as pg_dump's, will not migrate: it neither waits nor is waited for.
const lookSQL = `WITH held AS MATERIALIZED (
	SELECT l.pid, l.objsubid, l.objid::bigint AS place FROM pg_catalog.pg_locks AS l
	WHERE ` + ofDatabase + `
	AND (` + ofTurn + ` OR l.objsubid OPERATOR(pg_catalog.=) 2 AND l.classid OPERATOR(pg_catalog.=) $2::pg_catalog.int8::pg_catalog.oid)),
line AS (SELECT held.pid, held.place FROM held WHERE held.objsubid OPERATOR(pg_catalog.=) 2),
own AS (SELECT FROM line WHERE line.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid())
SELECT CASE WHEN pg_catalog.current_setting('transaction_read_only') OPERATOR(pg_catalog.=) 'on' THEN 'null' ELSE COALESCE((
	SELECT ` + holderJSON + ` FROM held AS l, pg_catalog.pg_stat_get_activity(l.pid) AS a
	WHERE NOT ($4::pg_catalog.bool AND ` + fixedSnapshot + `) AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
	AND (l.objsubid OPERATOR(pg_catalog.=) 1 OR l.pid OPERATOR(pg_catalog.<>) ALL ($3::pg_catalog.int4[]) AND NOT EXISTS (SELECT FROM own))
	ORDER BY l.objsubid, l.place LIMIT 1),
	CASE WHEN CASE WHEN EXISTS (SELECT FROM own) THEN true
		ELSE pg_catalog.pg_try_advisory_xact_lock($2::pg_catalog.int4, (
			SELECT pg_catalog.min(free.place) FROM pg_catalog.generate_series(0::bigint, (SELECT pg_catalog.count(*) FROM line)) AS free (place)
			WHERE NOT EXISTS (SELECT FROM line WHERE line.place OPERATOR(pg_catalog.=) free.place))::pg_catalog.int4)
	END THEN 'null' ELSE '{}' END) END`

// fixedSnapshot is true in a transaction whose statements all see what the first one saw.
const fixedSnapshot = `NOT pg_catalog.starts_with(pg_catalog.current_setting('transaction_isolation'), 'read')`

// sightKept is how long what was seen outside of the transaction at hand is taken for what a migration rests on. A pool keeps connections that looked long ago.
const sightKept = time.Minute

// sight is what a session has seen of a version table.
type sight struct {
	name ddl.Name
	// content tells it from another content; "" is no such table, unreadable one that the client's login may not read.
	content string
	// at is when that was, and lull the number of times before that no transaction was open.
	at   time.Time
	lull int
}

const unreadable = "unreadable"

// lookedAt are the version tables that a statement looks at, or within a transaction asks the catalog for: outside of one nothing that follows rests on the
// answer for certain. Tables are told by their columns, not by their names alone.
func (s *session) lookedAt(ctx context.Context, at occasion) ([]ddl.Name, error) {
	if !s.looks(at.Statement) {
		if !at.inTransaction {
			return nil, nil
		}
		var given parametersGiven
		if at.portal != nil {
			given = at.portal.given()
		}
		return s.askedFor(ddl.LooksUp(at.Statement), given), nil
	}
	var tables []ddl.Name
	for _, ref := range at.Refs {
		if !s.mayKeepVersions(ref.Name) {
			continue
		}
		course, err := s.course(ctx, ref.Name)
		if err != nil {
			return nil, err
		}
		if course != nil {
			tables = append(tables, ddl.Name{Schema: course.Table.Schema, Name: course.Table.Name})
		}
	}
	return tables, nil
}

// looks reports whether a statement only reads, and names what may be a version table.
func (s *session) looks(statement ddl.Statement) bool {
	query, reads := statement.Action.(ddl.Query)
	return reads && !query.Writes && slices.ContainsFunc(statement.Refs, func(ref ddl.Ref) bool { return s.mayKeepVersions(ref.Name) })
}

// mayAsk reports whether a statement asks the catalog for a version table, as tools do before their first migration, or for one whose name is bound later.
func (s *session) mayAsk(statement ddl.Statement) bool {
	looked := ddl.LooksUp(statement)
	return slices.ContainsFunc(looked, isBound) || len(s.askedFor(looked, parametersGiven{})) > 0
}

// onlyAsks is what a text, of which only that is of concern, asks the catalog for by names that are bound later; nil for any other.
func (s *session) onlyAsks(statements []ddl.Statement) []ddl.Value {
	if len(statements) != 1 || s.looks(statements[0]) || unlocks(statements[0]) || len(s.versionTablesWithin(statements[0])) > 0 {
		return nil
	}
	if asks := ddl.LooksUp(statements[0]); slices.ContainsFunc(asks, isBound) {
		return asks
	}
	return nil
}

func isBound(value ddl.Value) bool { return value.Param > 0 }

// askedFor are those of the names that are a version table's. A tool that works on several connections at once does not count, nor does one whose table has
// the same name.
func (s *session) askedFor(names []ddl.Value, given parametersGiven) []ddl.Name {
	var asked []ddl.Name
	for _, value := range names {
		name := value.Text
		if isBound(value) {
			name, _ = given.text(value.Param, "name", s.backend.encoding)
		}
		for _, tool := range s.options.Tools {
			if !strings.EqualFold(tool.Table, name) {
				continue
			}
			if tool.Beside {
				return nil
			}
			asked = append(asked, ddl.Name{Name: name})
		}
	}
	return slices.Compact(asked)
}

// lookInTurn waits before a look until what it would see is final, as far as politeness goes, and remembers what there is. What the client then sees is that,
// or newer.
func (s *session) lookInTurn(ctx context.Context, tables []ddl.Name) (goOn bool, err error) {
	wait, err := s.awaitTurn(ctx, true)
	if err != nil || wait.end == refusedAtOnce || wait.end == outOfTime {
		return false, s.refuseTurn(ctx, wait, err)
	}
	for _, table := range tables {
		if err := s.see(ctx, table); err != nil {
			return false, err
		}
	}
	return true, nil
}

// passBy reports whether a look does not wait for somebody who stands in line: it does nothing, or was passed by when it did the same thing, or there is no
// waiting at all.
func (s *session) passBy(other holder, still time.Duration) bool {
	t := &s.chronicle.turn
	if s.options.Exclusive != OneRefused && still < lineIdle && t.passed[other.PID] != other.mark() {
		return false
	}
	if t.passed == nil {
		t.passed = map[int32]string{}
	}
	t.passed[other.PID] = other.mark()
	return true
}

// see remembers what a version table holds.
func (s *session) see(ctx context.Context, table ddl.Name) error {
	_, content, err := s.content(ctx, table)
	if err != nil {
		return err
	}
	t := &s.chronicle.turn
	if t.seen == nil {
		t.seen = map[string]sight{}
	}
	if content != "" { // what was looked for by the name has come to be
		maps.DeleteFunc(t.seen, func(_ string, was sight) bool { return was.content == "" && was.name.Name == table.Name })
	}
	t.seen[facts.Key(table.Schema, table.Name)] = sight{name: table, content: content, at: s.now(), lull: s.pipe.lull()}
	return nil
}

// forgetSights forgets what nothing can rest on any more.
func (s *session) forgetSights() {
	lull := s.pipe.lull()
	maps.DeleteFunc(s.chronicle.turn.seen, func(_ string, was sight) bool { return was.lull != lull && s.now().Sub(was.at) > sightKept })
}

// overtaken names a version table that has changed since the session looked; "" when none has. Of one that the client's login may not read nobody knows: then
// it has if the session had to wait. What the transaction at hand cannot see the ledger knows; unsure is true where there is none.
func (s *session) overtaken(ctx context.Context, waited bool) (changed string, unsure bool, err error) {
	if len(s.chronicle.turn.seen) == 0 {
		return "", false, nil
	}
	view, err := s.view(ctx)
	if err != nil {
		return "", false, err
	}
	for _, key := range slices.Sorted(maps.Keys(s.chronicle.turn.seen)) {
		was := s.chronicle.turn.seen[key]
		course, now, err := s.content(ctx, was.name)
		if err != nil {
			return "", false, err
		}
		if now != was.content || now == unreadable && waited {
			return was.name.Name, false, nil
		}
		if view == nil {
			continue
		}
		hidden, unsure, err := s.hiddenChange(ctx, was, course, *view)
		if err != nil || hidden || unsure {
			return was.name.Name, unsure, err
		}
	}
	return "", false, nil
}

// view is what the transaction at hand sees to its end, nil if each of its statements sees what there is.
func (s *session) view(ctx context.Context) (*revisions.View, error) {
	if s.eachSeesAnew() {
		return nil, nil
	}
	rows, err := sheltered{s.backend}.Query(ctx, "SELECT pg_catalog.json_build_object('snapshot', pg_catalog.pg_current_snapshot()::pg_catalog.text, 'began', pg_catalog.now()) WHERE "+fixedSnapshot)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var view revisions.View
	if err := json.Unmarshal([]byte(rows[0]), &view); err != nil {
		return nil, fmt.Errorf("cannot read what a transaction sees: %w", err)
	}
	return &view, nil
}

// eachSeesAnew reports whether the next statement, and the one behind it, are transactions of their own.
func (s *session) eachSeesAnew() bool { return s.backend.TxStatus() == 'I' && !s.backend.piped }

// hiddenChange reports whether a version table has changed, or come to be, where the transaction at hand does not see that. The control login must not look at
// the table: what is attached to it, be it a policy or the expression of an index, would run with its rights.
func (s *session) hiddenChange(ctx context.Context, was sight, course *revisions.Course, view revisions.View) (hidden, unsure bool, err error) {
	if course == nil {
		rows, err := sheltered{s.backend}.Query(ctx, newSQL, facts.Key(was.name.Schema, was.name.Name))
		return len(rows) > 0, false, err
	}
	defer s.leave()
	ledger := s.ledger(ctx)
	if ledger == nil {
		return false, true, nil
	}
	hidden, err = ledger.Overtaken(ctx, course.Table, s.id, view)
	if err != nil {
		s.logger().WarnContext(ctx, "cannot tell whether a version table has changed", "error", err)
	}
	return hidden, err != nil, nil
}

// newSQL has a row if a name is of a table that the snapshot at hand does not have: names are looked up as they are now.
const newSQL = `SELECT FROM pg_catalog.unnest(ARRAY[pg_catalog.to_regclass($1::pg_catalog.text)::pg_catalog.oid]) AS t (oid)
	WHERE t.oid IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) t.oid)`

// content tells what a version table holds from anything else that it could hold. It is read in the form of the protocol: the client may have changed how
// values are written since it looked. Without a course there is no such table.
func (s *session) content(ctx context.Context, table ddl.Name) (*revisions.Course, string, error) {
	course, err := s.course(ctx, table)
	if err != nil || course == nil {
		return nil, "", err
	}
	if slices.ContainsFunc(course.Table.Columns, func(c revisions.VersionColumn) bool { return !c.Readable }) {
		return course, unreadable, nil
	}
	rows, err := sheltered{s.backend}.look(ctx, fmt.Sprintf(`SELECT pg_catalog.concat(pg_catalog.count(*), ' ', pg_catalog.md5(
		pg_catalog.string_agg(pg_catalog.record_send(t), ''::pg_catalog.bytea ORDER BY pg_catalog.record_send(t)))) FROM ONLY %s AS t`,
		facts.Key(course.Table.Schema, course.Table.Name)))
	if err != nil {
		return course, unreadable, s.ahead(ctx, "cannot read a version table", err)
	}
	return course, strings.Join(rows, ""), nil
}

// makes reports whether a statement makes a version table that was looked for, or alters one that was looked at.
func (t *migrationTurn) makes(statement ddl.Statement) bool {
	var about ddl.Name
	creates := false
	switch action := statement.Action.(type) {
	case ddl.CreateTable:
		about, creates = action.Table, true
	case ddl.AlterTable:
		about = action.Table
	default:
		return false
	}
	for _, was := range t.seen {
		if strings.EqualFold(was.name.Name, about.Name) && creates == (was.content == "") {
			return true
		}
	}
	return false
}
