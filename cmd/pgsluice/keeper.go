package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

const (
	// keeperEvery is the time between two rounds of the keeper, keeperSoon while something is open.
	keeperEvery = time.Minute
	keeperSoon  = 5 * time.Second
	// keeperSilence is how long whoever worked on a promise must be gone before the keeper takes it over.
	keeperSilence = 5 * time.Second
	// overdue is how old pending work is before readiness mentions it.
	overdue = 10 * time.Minute
)

// keeper looks after the ledgers of a server: it does the promised work that a crash left, and knows how each ledger
// stands.
type keeper struct {
	logins    *logins
	databases []string // empty: every database that holds a ledger
	required  bool
	name      string
	log       *slog.Logger
	figures   *metrics
	trail     *revisions.Audit // nil for none

	mu      sync.Mutex
	options run.Options
	ledgers map[string]standing // by database
	down    error               // why the last round could not be made
}

// standing is how a ledger stood when it was last looked at.
type standing struct {
	open, failed int
	oldest       time.Duration // age of the oldest of them
	broken       error         // the ledger cannot be used
}

func newKeeper(logins *logins, config Config, name string, log *slog.Logger, figures *metrics) *keeper {
	k := &keeper{
		logins: logins, databases: config.Control.Databases, required: config.Control.Required,
		name: name, log: log, figures: figures, ledgers: map[string]standing{},
	}
	k.setLock(config.Lock)
	return k
}

// setLock changes how the work that begins from now on takes its locks.
func (k *keeper) setLock(lock lockConfig) {
	options := lock.options()
	options.TurnBudget = keeperEvery
	k.mu.Lock()
	defer k.mu.Unlock()
	k.options = options
}

// run makes a round at once and then every minute, more often while something is open, until ctx is done.
func (k *keeper) run(ctx context.Context) {
	for {
		k.round(ctx)
		pause := keeperEvery
		if k.anyOpen() {
			pause = keeperSoon
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (k *keeper) anyOpen() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, now := range k.ledgers {
		if now.open > 0 {
			return true
		}
	}
	return false
}

// round visits every ledger once.
func (k *keeper) round(ctx context.Context) {
	databases, err := k.homes(ctx)
	if ctx.Err() != nil {
		return
	}
	k.mu.Lock()
	k.down = err
	for database := range k.ledgers {
		if err == nil && !slices.Contains(databases, database) {
			delete(k.ledgers, database)
			k.figures.Promises(database, 0, 0, 0)
		}
	}
	k.mu.Unlock()
	if err != nil {
		k.log.Warn("cannot look after promised work: the control login does not work", "error", err)
		return
	}
	for _, database := range databases {
		now := k.visit(ctx, database)
		if ctx.Err() != nil {
			return
		}
		k.note(database, now)
	}
}

//go:embed homes.sql
var homesSQL string

// homes are the databases to look after; none on a standby, where nothing can be written.
func (k *keeper) homes(ctx context.Context) ([]string, error) {
	conn, release, err := k.logins.Conn(ctx, "")
	if err != nil {
		return nil, err
	}
	defer release()
	standby, err := conn.Query(ctx, "SELECT pg_catalog.pg_is_in_recovery()")
	if err != nil || slices.Contains(standby, "t") {
		return nil, err
	}
	if len(k.databases) > 0 {
		return k.databases, nil
	}
	return conn.Query(ctx, homesSQL)
}

// visit does what can be done in one database, and tells how its ledger stands.
func (k *keeper) visit(ctx context.Context, database string) standing {
	conn, err := k.logins.lend(ctx, database)
	if err != nil {
		return standing{broken: err}
	}
	defer k.logins.pool.Discard(conn) // at rest it would be in the way of DROP DATABASE
	ledger, err := revisions.Open(ctx, conn)
	if err != nil {
		return standing{broken: err}
	}
	if err := k.resume(ctx, database, conn, ledger); err != nil && ctx.Err() == nil {
		k.log.Warn("cannot resume promised work", "database", database, "error", err)
	}
	if err := settled(ctx, ledger); err != nil && ctx.Err() == nil {
		k.log.Warn("cannot write down how migrations have ended", "database", database, "error", err)
	}
	rows, err := ledger.List(ctx, revisions.Pending, revisions.Running, revisions.Failed)
	if err != nil {
		return standing{broken: err}
	}
	var now standing
	for _, row := range rows {
		now.oldest = max(now.oldest, time.Since(row.Created))
		if row.State == revisions.Failed {
			now.failed++
			continue
		}
		now.open++
	}
	return now
}

// settled writes down how transactions have ended, and which revisions never will, of sessions whose proxy could not.
func settled(ctx context.Context, ledger *revisions.Ledger) error {
	_, err := ledger.Settle(ctx)
	return errors.Join(err, ledger.Abandon(ctx, ""))
}

// resume keeps the promises of one database that a crash left, and tells the log.
func (k *keeper) resume(ctx context.Context, database string, conn run.Conn, ledger *revisions.Ledger) error {
	log := k.log.With("database", database)
	k.mu.Lock()
	options := k.options
	k.mu.Unlock()
	all, err := resumption{
		database: database, control: k.logins.pool, steps: k.logins.pool,
		name: k.name, report: logReport{log}, meter: k.figures, options: options,
	}.run(ctx, conn, ledger, revisions.ClaimOptions{Silence: keeperSilence})
	for _, kept := range all {
		level, about := slog.LevelInfo, []any{"promise", kept.Promise.ID, "tag", kept.Promise.Tag, "table", kept.Promise.TableName, "state", string(kept.State)}
		if kept.Err != nil {
			level, about = slog.LevelWarn, append(about, "error", kept.Err)
		}
		log.Log(ctx, level, "promised work was resumed", about...)
		k.tell(database, kept)
	}
	return err
}

// tell writes into the audit trail what has become of a promise.
func (k *keeper) tell(database string, kept run.Kept) {
	if k.trail == nil {
		return
	}
	row := kept.Promise
	e := revisions.Entry{
		Kind: revisions.Work, Time: time.Now(), Job: row.ID, Tag: row.Tag, Table: row.TableName, State: string(kept.State),
		AuditSession: &revisions.AuditSession{User: row.Login.Name, Role: row.Role.Name, Database: database}, SQLState: run.SQLState(kept.Err),
	}
	for _, sql := range kept.Result.Ran {
		e.Ran = append(e.Ran, ddl.RedactText(sql, nil))
	}
	if kept.Err != nil {
		e.Error = run.Recordable(kept.Err, kept.Err.Error())
	}
	if _, err := k.trail.Write(e); err != nil {
		k.log.Error("cannot write the audit trail", "error", err)
	}
}

// logReport tells the log how a plan goes.
type logReport struct{ log *slog.Logger }

// Notice implements run.Report.
func (r logReport) Notice(line string) { r.log.Info(line) }

// note keeps how a ledger stands, and logs what has changed.
func (k *keeper) note(database string, now standing) {
	k.mu.Lock()
	before, seen := k.ledgers[database]
	k.ledgers[database] = now
	k.mu.Unlock()
	log := k.log.With("database", database)
	switch {
	case now.broken != nil:
		if !seen || before.broken == nil || before.broken.Error() != now.broken.Error() {
			log.Warn("the ledger cannot be used: nothing can be deferred behind a COMMIT in this database", "error", now.broken)
		}
		return
	case !seen || before.broken != nil:
		log.Info("the ledger is ready", "open", now.open, "failed", now.failed)
	}
	k.figures.Promises(database, now.open, now.failed, now.oldest)
	if now.failed > before.failed {
		log.Error("promised work has failed for good: a migration is recorded as applied and is not",
			"failed", now.failed, "hint", "run pgsluice jobs list, mend the data, then pgsluice jobs resume")
	}
}

// ready says why no client should be sent here: without a control login that is required.
func (k *keeper) ready(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.required {
		return k.down
	}
	return nil
}

// warning says what is wrong with the ledgers and does not concern those who only read and write.
func (k *keeper) warning(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var wrong []string
	if k.down != nil {
		wrong = append(wrong, "the control login does not work")
	}
	for _, database := range slices.Sorted(maps.Keys(k.ledgers)) {
		switch now := k.ledgers[database]; {
		case errors.Is(now.broken, revisions.ErrNotInstalled), errors.Is(now.broken, control.ErrTemplate):
			wrong = append(wrong, fmt.Sprintf("database %s has no ledger", database))
		case now.broken != nil:
			wrong = append(wrong, fmt.Sprintf("the ledger of database %s cannot be used", database))
		case now.failed > 0:
			wrong = append(wrong, fmt.Sprintf("%s of database %s failed: run pgsluice jobs resume", plural(now.failed, "promise"), database))
		case now.open > 0 && now.oldest > overdue:
			wrong = append(wrong, fmt.Sprintf("%s of database %s not done, the oldest since %s: pgsluice jobs shows what is in the way",
				plural(now.open, "promise"), database, now.oldest.Round(time.Second)))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
