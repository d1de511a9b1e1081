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
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

const (
	// keeperEvery is the time between two rounds of the keeper, keeperSoon while something is open.
	keeperEvery = time.Minute
	keeperSoon  = 5 * time.Second
	// keeperSilence is how long whoever worked on a promise must be gone before the keeper takes it over.
	keeperSilence = 5 * time.Second
	// overdue is how old pending work is, and a bulk write that somebody has paused, before readiness mentions it.
	overdue = 10 * time.Minute
	// pruneEvery is the time between two looks for what a ledger need not keep any more, and pruneRows how many rows of a kind are deleted at once:
	// few enough that nobody notices.
	pruneEvery = time.Hour
	pruneRows  = 500
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

	// prunedAt is when a ledger was last pruned to the end, and setbacks what could not be removed, by database. They are the round's own.
	prunedAt map[string]time.Time
	setbacks map[string]*run.Setbacks

	mu      sync.Mutex
	options run.Options
	keep    time.Duration       // how long what has ended stays in the ledgers; 0 is for ever
	ledgers map[string]standing // by database
	down    error               // why the last round could not be made
}

// standing is how a ledger stood when it was last looked at.
type standing struct {
	open, failed int
	left         int           // artifacts whose maker is gone and that could not be removed yet
	oldest       time.Duration // age of the oldest of the promises
	// bulk counts the bulk writes that are not done by their state, one of bulkStates.
	bulk map[string]int
	// oldestBulk is the age of the oldest of them, and oldestPaused of the oldest that somebody has paused.
	oldestBulk, oldestPaused time.Duration
	revisions                []revisions.RevisionCount
	// outOfBand counts the schema changes of the last day that no proxy has judged; -1 while the server does not write down any.
	outOfBand int64
	broken    error // the ledger cannot be used
}

func newKeeper(logins *logins, config Config, name string, log *slog.Logger, figures *metrics) *keeper {
	k := &keeper{
		logins: logins, databases: config.Control.Databases, required: config.Control.Required,
		name: name, log: log, figures: figures, prunedAt: map[string]time.Time{}, setbacks: map[string]*run.Setbacks{}, ledgers: map[string]standing{},
	}
	k.configure(config)
	return k
}

// configure changes how the work that begins from now on takes its locks, and how long what has ended is kept.
func (k *keeper) configure(config Config) {
	options := config.Lock.options()
	options.TurnBudget = keeperEvery
	k.mu.Lock()
	defer k.mu.Unlock()
	k.options, k.keep = options, config.Revisions.Keep
}

// run makes a round at once and then every minute, more often while something is open, until ctx is done.
func (k *keeper) run(ctx context.Context) {
	for {
		k.round(ctx)
		pause := keeperEvery
		if k.busy() {
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

// busy reports whether something is open that may soon be otherwise. A bulk write that has stopped waits for a person.
func (k *keeper) busy() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, now := range k.ledgers {
		if now.open > 0 || now.left > 0 || now.bulk[bulkRunning]+now.bulk[bulkWaiting] > 0 {
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
			delete(k.prunedAt, database)
			delete(k.setbacks, database)
			k.figures.ledgers.forget(database)
		}
	}
	k.mu.Unlock()
	k.figures.ControlUp(err == nil)
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
	if err := k.prune(ctx, database, ledger); err != nil && ctx.Err() == nil {
		k.log.Warn("cannot delete from the ledger what has ended long ago", "database", database, "error", err)
	}
	return stands(ctx, conn, ledger)
}

// stands is how a ledger stands now.
func stands(ctx context.Context, conn run.Conn, ledger *revisions.Ledger) standing {
	now := standing{bulk: map[string]int{}}
	jobs, err := openJobs(ctx, ledger)
	if err != nil {
		return standing{broken: err}
	}
	left, err := ledger.Leftovers(ctx)
	if err != nil {
		return standing{broken: err}
	}
	// What a promise needs stays as long as that is open.
	left = slices.DeleteFunc(left, func(a revisions.Artifact) bool {
		return slices.ContainsFunc(jobs, func(j job) bool { return j.Bulk == nil && j.ID == a.Promise })
	})
	now.left = len(left)
	for _, j := range jobs {
		old := time.Since(j.Created)
		switch {
		case j.Bulk != nil:
			state := j.bulkState()
			now.bulk[state]++
			now.oldestBulk = max(now.oldestBulk, old)
			if state == bulkPaused {
				now.oldestPaused = max(now.oldestPaused, old)
			}
			continue
		case j.State == revisions.Failed:
			now.failed++
		default:
			now.open++
		}
		now.oldest = max(now.oldest, old)
	}
	if now.revisions, err = ledger.CountRevisions(ctx); err != nil {
		return standing{broken: err}
	}
	if now.outOfBand, err = outOfBand(ctx, conn, ledger); err != nil {
		return standing{broken: err}
	}
	return now
}

// outOfBandWithin is how long a schema change that no proxy has judged is counted.
const outOfBandWithin = 24 * time.Hour

func outOfBand(ctx context.Context, conn run.Conn, ledger *revisions.Ledger) (int64, error) {
	watch, err := revisions.ReadWatch(ctx, conn)
	if err != nil || !watch.On() {
		return -1, err
	}
	return ledger.CountChanges(ctx, outOfBandWithin)
}

// prune deletes, now and then, what the ledger need not keep any more.
func (k *keeper) prune(ctx context.Context, database string, ledger *revisions.Ledger) error {
	k.mu.Lock()
	keep := k.keep
	k.mu.Unlock()
	if keep == 0 || time.Since(k.prunedAt[database]) < pruneEvery {
		return nil
	}
	var all revisions.Pruned
	for ctx.Err() == nil {
		pruned, err := ledger.Prune(ctx, keep, pruneRows)
		if err != nil {
			return err
		}
		if pruned.Sum() == 0 {
			k.prunedAt[database] = time.Now()
			break
		}
		all.Add(pruned)
		k.figures.Pruned(pruned)
	}
	if all.Sum() > 0 {
		k.log.Info("what has ended long ago was deleted from the ledger", "database", database, "older_than", keep.String(),
			"promises", all.Promises, "jobs", all.Jobs, "revisions", all.Revisions, "statements", all.Statements, "anchors", all.Anchors, "changes", all.Changes)
	}
	return nil
}

// settled writes down how transactions have ended, and which revisions never will, of sessions whose proxy could not.
func settled(ctx context.Context, ledger *revisions.Ledger) error {
	_, err := ledger.Settle(ctx)
	return errors.Join(err, ledger.Abandon(ctx, ""), ledger.SortChanges(ctx))
}

// resume keeps the promises of one database that a crash left, and tells the log.
func (k *keeper) resume(ctx context.Context, database string, conn run.Conn, ledger *revisions.Ledger) error {
	log := k.log.With("database", database)
	k.mu.Lock()
	options := k.options
	k.mu.Unlock()
	if k.setbacks[database] == nil {
		k.setbacks[database] = &run.Setbacks{}
	}
	all, err := resumption{
		database: database, control: k.logins.pool, steps: k.logins.pool,
		name: k.name, report: logReport{log}, meter: k.figures, options: options, setbacks: k.setbacks[database],
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
	if _, err := k.trail.Write(keptEntry(database, kept)); err != nil {
		k.figures.AuditFailed()
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
	k.figures.ledgers.set(database, now)
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
	if stopped := now.bulk[bulkStopped]; stopped > before.bulk[bulkStopped] {
		log.Warn("a bulk write has ended early: what it did is kept, the rest is not done", "stopped", stopped,
			"hint", "run pgsluice jobs list; the same statement goes on with it, and so does pgsluice jobs resume")
	}
	if now.outOfBand > max(before.outOfBand, 0) {
		log.Warn("the schema was changed and no proxy has judged it", "within", outOfBandWithin.String(), "changes", now.outOfBand,
			"hint", "run pgsluice revisions out-of-band")
	}
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
		wrong = append(wrong, k.ledgers[database].wrong(database)...)
	}
	if len(wrong) == 0 {
		return nil
	}
	return errors.New(strings.Join(wrong, "; "))
}

// wrong is what a person should look at, a line each.
func (now standing) wrong(database string) (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	switch {
	case errors.Is(now.broken, revisions.ErrNotInstalled), errors.Is(now.broken, control.ErrTemplate):
		say("database %s has no ledger", database)
	case now.broken != nil:
		say("the ledger of database %s cannot be used", database)
	case now.failed > 0:
		say("%s of database %s failed: run pgsluice jobs resume", plural(now.failed, "promise"), database)
	case now.open > 0 && now.oldest > overdue:
		say("%s of database %s not done, the oldest since %s: pgsluice jobs shows what is in the way",
			plural(now.open, "promise"), database, now.oldest.Round(time.Second))
	}
	if stopped := now.bulk[bulkStopped]; stopped > 0 {
		say("%s of database %s stopped: pgsluice jobs shows why", plural(stopped, "bulk write"), database)
	}
	if paused := now.bulk[bulkPaused]; now.oldestPaused > overdue {
		say("%s of database %s paused, the oldest began %s ago: run pgsluice jobs resume with its ID",
			plural(paused, "bulk write"), database, now.oldestPaused.Round(time.Second))
	}
	return lines
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
