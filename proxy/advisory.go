package proxy

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/rewrite"
)

const (
	// napSQL is one slice of waiting, done in the server so that a cancel ends it.
	napSQL = "SELECT pg_catalog.pg_sleep(0.2)"

	// cycleEvery is how often a waiting client shows itself to the server's deadlock detector.
	cycleEvery = 5 * time.Second
)

// poll answers a blocking call of pg_advisory_lock by trying until it is got. A session that waits for the lock inside the server
// holds a snapshot, and every concurrent index build waits for that snapshot while the waiter waits for the tool that builds.
func (s *session) poll(ctx context.Context, at occasion, lock ddl.AdvisoryLock) error {
	with := parameters{bind: &pgproto3.Bind{}}
	if at.portal != nil {
		with = parameters{oids: at.portal.prepared.oids, bind: at.portal.bind}
	}
	var columns []byte
	if at.portal == nil {
		var err error
		if columns, err = s.backend.describe(at.Text); err != nil {
			server, ok := asServerError(err)
			if !ok {
				return err
			}
			return s.answer(at.shifted(server.fields, at.before+at.Lead))
		}
	}
	if at.alone {
		if err := s.endSegment(); err != nil {
			return err
		}
	}
	if err := s.wait(ctx, at, lock, with); err != nil {
		return s.answerFailure(ctx, at, rewrite.Plan{}, err)
	}
	if columns != nil {
		if _, err := s.link.client.conn.Write(columns); err != nil {
			return errClientGone
		}
	}
	// The function returns void: one column, empty in both formats.
	if err := s.voice.say(&pgproto3.DataRow{Values: [][]byte{{}}}); err != nil {
		return err
	}
	return s.voice.complete("SELECT 1")
}

// wait returns when the lock is held.
func (s *session) wait(ctx context.Context, at occasion, lock ddl.AdvisoryLock, with parameters) error {
	limits, err := s.waitLimits(ctx)
	if err != nil {
		return err
	}
	began, shown := time.Now(), time.Now()
	for {
		got, err := s.backend.ask(ctx, lock.Try, with)
		if err != nil {
			return err
		}
		if len(got.rows) == 1 && isTrue(got.rows[0]) {
			return nil
		}
		if setting, over := limits.exceeded(time.Since(began)); over {
			// The server's own wait, cut at once, reports what the client would have been told.
			return s.blockingTry(ctx, at, with, setting, "1", limits.own(setting))
		}
		if hungUp(s.link.client.conn) {
			return errClientGone
		}
		if s.chronicle.turn.held {
			// Whoever has the lock may be waiting for the turn.
			if err := cmp.Or(s.passTurn(ctx), s.interrupted()); err != nil {
				return err
			}
		}
		mayBlock, err := s.mayBlock(ctx, time.Since(shown))
		if err != nil {
			return err
		}
		if mayBlock {
			if s.backend.piped {
				_, err := s.backend.ask(ctx, at.Text, with)
				return err
			}
			err := s.blockingTry(ctx, at, with, "lock_timeout", strconv.FormatInt(limits.deadlock+200, 10), limits.own("lock_timeout"))
			if server, ok := asServerError(err); !ok || server.fields.Code != "55P03" {
				return err
			}
			shown = time.Now()
		}
		if _, err := s.backend.Exec(ctx, napSQL); err != nil {
			return err
		}
	}
}

// waitLimits are the client's settings that bound a wait, in milliseconds; 0 is no bound.
type waitLimits struct{ lock, statement, deadlock int64 }

// own is the client's value of one of the settings.
func (l waitLimits) own(setting string) string {
	if setting == "lock_timeout" {
		return strconv.FormatInt(l.lock, 10)
	}
	return strconv.FormatInt(l.statement, 10)
}

func (l waitLimits) exceeded(waited time.Duration) (setting string, over bool) {
	ms := waited.Milliseconds()
	switch {
	case l.lock > 0 && ms >= l.lock:
		return "lock_timeout", true
	case l.statement > 0 && ms >= l.statement:
		return "statement_timeout", true
	}
	return "", false
}

func (s *session) waitLimits(ctx context.Context) (waitLimits, error) {
	rows, err := s.backend.Query(ctx, `SELECT setting FROM pg_catalog.pg_settings
		WHERE name OPERATOR(pg_catalog.=) ANY ('{lock_timeout,statement_timeout,deadlock_timeout}'::pg_catalog.text[]) ORDER BY name`)
	if err != nil {
		return waitLimits{}, err
	}
	if len(rows) != 3 {
		return waitLimits{}, fmt.Errorf("cannot read the timeouts: %d rows", len(rows))
	}
	number := func(text string) int64 { n, _ := strconv.ParseInt(text, 10, 64); return n }
	return waitLimits{deadlock: number(rows[0]), lock: number(rows[1]), statement: number(rows[2])}, nil
}

// mayBlock reports whether it is time for a blocking try. In a pipeline, where an error cannot be undone, it is only when somebody who has an advisory
// lock waits for this session inside the server, as the other side of a cycle does now and then: then the server is to see the whole of it.
func (s *session) mayBlock(ctx context.Context, unseen time.Duration) (bool, error) {
	if unseen <= cycleEvery || !s.backend.piped {
		return unseen > cycleEvery, nil
	}
	rows, err := s.backend.Query(ctx, `SELECT l.pid FROM pg_catalog.pg_locks AS l WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted
		AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
		AND pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(l.pid)) LIMIT 1`)
	return len(rows) > 0, err
}

// blockingTry calls the client's own function with a bound on its wait, in a transaction or savepoint of its own.
func (s *session) blockingTry(ctx context.Context, at occasion, with parameters, setting, milliseconds, own string) error {
	begin, end, undo := "BEGIN", "COMMIT", "ROLLBACK"
	if s.backend.TxStatus() == 'T' {
		begin, end, undo = "SAVEPOINT pgsluice", "RELEASE SAVEPOINT pgsluice", "ROLLBACK TO SAVEPOINT pgsluice"
	}
	if s.backend.piped {
		begin, end, undo = "", "", ""
	}
	steps := func(sql string) error {
		if sql == "" {
			return nil
		}
		_, err := s.backend.Exec(ctx, sql)
		return err
	}
	if err := steps(begin); err != nil {
		return err
	}
	_, err := s.backend.Exec(ctx, "SELECT pg_catalog.set_config($1, $2, true)", setting, milliseconds)
	if err == nil {
		_, err = s.backend.ask(ctx, at.Text, with)
	}
	if err == nil {
		// A local setting outlives its savepoint and holds for the rest of a pipeline.
		_, err = s.backend.Exec(ctx, "SELECT pg_catalog.set_config($1, $2, true)", setting, own)
	}
	if err == nil {
		return steps(end)
	}
	if !isServerError(err) || s.backend.piped {
		return err
	}
	if undone := steps(undo); undone != nil {
		return undone
	}
	return err
}

// isTrue reads a boolean in either format.
func isTrue(value string) bool { return value == "t" || value == "\x01" }
