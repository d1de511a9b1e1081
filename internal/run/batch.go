package run

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pgsluice/pgsluice/rewrite"
)

// BatchOptions is how rows are written in batches. The zero value is usable.
type BatchOptions struct {
	// TargetTime is what a batch is to take; 0 is 300 ms. At twice that it is ended, and begun again with half of its rows.
	TargetTime time.Duration
	// MaxRows and MaxBytes are what a batch may change at most; 0 are 50,000 and 64 MiB.
	MaxRows  int
	MaxBytes int64
	// LockTimeout is how long a batch waits for a row that somebody else has locked; 0 is 100 ms.
	LockTimeout time.Duration
	// NiceRatio is how long to rest after a batch, for each second that it took.
	NiceRatio float64
	// MaxThrottled is how long a job waits for the server to have room again, until it is stopped; 0 is an hour.
	MaxThrottled time.Duration
	// NoticeEvery is the time between two lines that say how far a job is; 0 is 10 seconds.
	NoticeEvery time.Duration
	// GoOnAlone is true for jobs that go on when their client has gone.
	GoOnAlone bool
}

func (o BatchOptions) targetTime() time.Duration   { return orElse(o.TargetTime, 300*time.Millisecond) }
func (o BatchOptions) lockTimeout() time.Duration  { return orElse(o.LockTimeout, 100*time.Millisecond) }
func (o BatchOptions) maxThrottled() time.Duration { return orElse(o.MaxThrottled, time.Hour) }
func (o BatchOptions) noticeEvery() time.Duration  { return orElse(o.NoticeEvery, 10*time.Second) }

// mostRows is how many rows of so many bytes a batch may change.
func (o BatchOptions) mostRows(width float64) int {
	most, bytes := o.MaxRows, o.MaxBytes
	if most == 0 {
		most = 50_000
	}
	if bytes == 0 {
		bytes = 64 << 20
	}
	if width > 0 {
		most = min(most, int(float64(bytes)/width))
	}
	return max(most, 1)
}

// shortestLimit is the least that bounds a batch, however short it is to be: a busy server needs so long now and then.
const shortestLimit = 250 * time.Millisecond

// walk goes over one table, from key to key.
type walk struct {
	*work
	course
	step rewrite.Step
	// last is where it ends: the last key when it began. lo is where it is, nil before the first row; hi is the end of the next batch,
	// nil while that is not known.
	last, lo, hi bound
	pace         pace
	// selective is true while batches are counted in rows that the condition finds, because an index finds them.
	selective bool
	// expected are the rows to go over, or to find, as the server estimates them; 0 when it does not know.
	expected float64
	// told is what is done with each batch in its own transaction, and about it; nil for nothing
	told teller

	passed, changed int64
	// held is since when the same batch has been tried in vain; zero while it goes well.
	held  time.Time
	tries int
	seen  Contention
}

// teller is told of each batch in its own transaction.
type teller interface {
	// before is what is asked behind the statement of the batch, and checkpoint makes of the answer what is written before its COMMIT.
	before() Call
	checkpoint(w *walk, answer Answer, b done) (Call, error)
	// committed is told the answer to that when the batch is committed.
	committed(w *walk, answer Answer, b done) error
}

// done is what one batch did.
type done struct {
	hi            bound
	keys, changed int
	finished      bool // there is no further batch
}

// fill runs a step in batches that nobody needs to remember.
func (w *work) fill(ctx context.Context, step rewrite.Step) error {
	walk, err := w.newWalk(ctx, step)
	if err != nil {
		return err
	}
	if walk.last, err = w.lastKey(ctx, walk.course); err != nil || walk.last == nil {
		return err
	}
	w.ran(step)
	if err := walk.survey(ctx); err != nil {
		return err
	}
	for more := true; more; {
		if more, err = walk.next(ctx); err != nil {
			return err
		}
		w.say(func() string {
			return fmt.Sprintf("pgsluice: filling column %s of %s: %d rows so far", ident(step.Batch.Column), quote(step.Table.Schema, step.Table.Name), walk.changed)
		})
	}
	w.result.Tag = "UPDATE " + strconv.FormatInt(walk.changed, 10)
	return nil
}

// newWalk finds the key of a step's table.
func (w *work) newWalk(ctx context.Context, step rewrite.Step) (*walk, error) {
	key, err := w.keyOf(ctx, step)
	if err != nil {
		return nil, err
	}
	alias := step.Batch.Alias
	if alias == "" {
		alias = step.Table.Name
	}
	return &walk{work: w, step: step, course: course{Key: key, table: step.Table, alias: alias}}, nil
}

// next runs one batch, and reports whether there are more. A batch that was in the way of others, or others of it, has changed nothing;
// the next one is smaller.
func (w *walk) next(ctx context.Context) (more bool, err error) {
	if w.hi == nil {
		answers, err := w.Conn.Pipeline(ctx, w.lookAhead(w.lo)...)
		if err != nil {
			return true, w.rolledBack(ctx, err)
		}
		if w.hi, err = looked(answers); err != nil {
			return true, err
		}
	}
	b := done{hi: w.hi, keys: w.pace.size}
	if b.hi == nil {
		b.hi, b.finished = w.last, true
	}
	began := time.Now()
	answer, err := w.attempt(ctx, &b)
	if err != nil {
		return true, w.hindered(ctx, w.rolledBack(ctx, err), time.Since(began))
	}
	if took := time.Since(began); !b.finished {
		w.pace.took(b.keys, b.changed, took)
	}

	var calls []Call
	if w.told != nil {
		written, err := w.told.checkpoint(w, answer, b)
		if err != nil {
			return true, w.rolledBack(ctx, &Failure{Code: "XX000", Message: "pgsluice: " + err.Error(), Err: err})
		}
		calls = append(calls, written)
	}
	calls = append(calls, Call{SQL: "COMMIT"})
	own := len(calls)
	if !b.finished {
		calls = append(calls, w.lookAhead(b.hi)...)
	}
	answers, err := w.Conn.Pipeline(ctx, calls...)
	if len(answers) < own {
		return true, w.hindered(ctx, w.rolledBack(ctx, err), time.Since(began))
	}
	if answers[own-1].Tag != "COMMIT" {
		return true, &Failure{Code: "40000", Message: "pgsluice: the transaction of a batch was rolled back"} // transaction_rollback
	}
	w.lo, w.hi, w.held, w.tries = b.hi, nil, time.Time{}, 0
	w.passed += int64(b.keys)
	w.changed += int64(b.changed)
	w.meter().BatchDone(b.changed, time.Since(began))
	if w.told != nil {
		if failed := w.told.committed(w, answers[0], b); failed != nil {
			return !b.finished, failed
		}
	}
	if err != nil {
		return true, w.rolledBack(ctx, err)
	}
	if b.finished {
		return false, nil
	}
	w.hi, err = looked(answers[own:])
	return true, err
}

// lookAhead asks where the batch behind a key ends.
func (w *walk) lookAhead(lo bound) []Call {
	if !w.selective {
		within, args := w.between(lo, w.last, 0)
		return w.look(fmt.Sprintf("WHERE %s ORDER BY %s OFFSET %d LIMIT 1", within, w.order(w.Less), w.pace.size-1), nil, args)
	}
	within, args := w.between(lo, w.last, len(w.step.Batch.Params))
	return w.look(fmt.Sprintf("WHERE (%s\n) AND %s ORDER BY %s OFFSET %d LIMIT 1", w.step.Batch.Where, within, w.order(w.Less), w.pace.size-1),
		w.step.Batch.Params, args)
}

// statement is the statement for the rows behind lo, up to hi.
func (w *walk) statement(lo, hi bound) Call {
	within, args := w.between(lo, hi, len(w.step.Batch.Params))
	if w.step.Batch.Where != "" {
		// The line ends because a comment may be the last of the client's text.
		within = "(" + w.step.Batch.Where + "\n) AND " + within
	}
	return Call{SQL: w.step.Batch.Before + "\nWHERE " + within, Params: w.step.Batch.Params, Args: args}
}

// attempt begins the transaction of a batch and changes its rows. The answer is that to what the teller asks.
func (w *walk) attempt(ctx context.Context, b *done) (answer Answer, err error) {
	calls := []Call{
		{SQL: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"},
		{
			// A range must never be looked for in the whole table, whatever the server thinks of its statistics; and what it thinks of that
			// is no reason to compile.
			SQL: `SELECT pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('statement_timeout', $2, true),
				pg_catalog.set_config('enable_seqscan', 'off', true), pg_catalog.set_config('jit', 'off', true)`,
			Args: []string{milliseconds(w.lockTimeout()), milliseconds(w.timeout())},
		},
		w.statement(w.lo, b.hi),
		// Now that the table is locked its name cannot come to mean another.
		{
			SQL:  `SELECT pg_catalog.to_regclass($1)::pg_catalog.oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid`,
			Args: []string{quote(w.table.Schema, w.table.Name), strconv.FormatUint(uint64(w.table.OID), 10)},
		},
	}
	if w.told != nil {
		calls = append(calls, w.told.before())
	}
	var answers []Answer
	try := func(ctx context.Context, _ time.Duration) (err error) {
		answers, err = w.Conn.Pipeline(ctx, calls...)
		return err
	}
	if w.tries > 0 {
		err = w.sampled(ctx, w.lockTimeout(), false, &w.seen, try)
	} else {
		err = try(ctx, 0)
	}
	if err != nil {
		return Answer{}, err
	}
	if strings.Join(answers[3].Rows, "") != "t" {
		if err := w.same(ctx, w.step); err != nil {
			return Answer{}, err
		}
		return Answer{}, &Failure{Code: "42P01", Message: "pgsluice: " + quote(w.table.Schema, w.table.Name) + " is another table than a moment ago"}
	}
	_, count, _ := strings.Cut(answers[2].Tag, " ")
	if b.changed, err = strconv.Atoi(count); err != nil {
		return Answer{}, fmt.Errorf("cannot read the command tag %q: %w", answers[2].Tag, err)
	}
	return answers[len(answers)-1], nil
}

// lockTimeout is how long a batch waits for a row; a shorter time of the session's own is kept.
func (w *walk) lockTimeout() time.Duration {
	if own := w.session.LockTimeout; own > 0 {
		return min(own, w.Options.Batch.lockTimeout())
	}
	return w.Options.Batch.lockTimeout()
}

// timeout bounds a batch: those who wait for one of its rows wait no longer than about twice the target. One row is let be; the session's own
// timeout holds for each batch. 0 is none.
func (w *walk) timeout() time.Duration {
	limit := time.Duration(0)
	if w.pace.size > 1 {
		limit = max(w.pace.target*18/10, shortestLimit)
	}
	if own := w.session.StatementTimeout; own > 0 && (limit == 0 || own < limit) {
		limit = own
	}
	return limit
}

// hindered deals with what ended a batch: if it was somebody's lock, or time, the same rows are tried again, half as many at a time.
func (w *walk) hindered(ctx context.Context, err error, took time.Duration) error {
	locked := SQLState(err) == lockNotAvailable || SQLState(err) == deadlockDetected
	if !locked && !w.timedOut(err, took) {
		return err
	}
	w.tries++
	w.result.Tries++
	if w.held.IsZero() {
		w.held = time.Now()
	}
	if w.pace.size > 1 {
		w.pace.halve()
		w.hi = nil
		return nil
	}
	if !locked {
		return err // one row takes longer than the session lets a statement run
	}
	if waited := time.Since(w.held); waited > w.Options.lockBudget() {
		return w.gaveUp(ctx, w.step, w.tries, waited, w.seen, err)
	}
	w.say(func() string {
		return "pgsluice: waiting for a row of " + quote(w.table.Schema, w.table.Name) + blockedBy(w.seen)
	})
	began := time.Now()
	if err := w.sleep(ctx, shortestPause); err != nil {
		return err
	}
	w.result.Waited += time.Since(began)
	return nil
}

// timedOut reports whether it was a timeout and not a person that ended a batch. The server says so in words only, which may be in any
// language, and not always: a timeout that fires when its statement has just ended is taken for a person's wish by the next one. Then the
// clock decides.
func (w *walk) timedOut(err error, took time.Duration) bool {
	limit := w.timeout()
	return SQLState(err) == queryCanceled && limit > 0 && (took >= limit || strings.Contains(err.Error(), "statement timeout"))
}

//go:embed survey.sql
var surveySQL string

// survey asks how large the table is, and how the server would find the rows: by an index of the condition's, or a range of the key by the
// index of the key. A range that it could only find by reading the whole table each time is refused.
func (w *walk) survey(ctx context.Context) error {
	answer, err := ask(ctx, w.Conn, surveySQL, strconv.FormatUint(uint64(w.table.OID), 10))
	if err != nil {
		return err
	}
	var table struct {
		Rows  float64 `json:"rows"`
		Width float64 `json:"width"`
	}
	if err := json.Unmarshal([]byte(answer), &table); err != nil {
		return fmt.Errorf("cannot read how large %s is: %w", quote(w.table.Schema, w.table.Name), err)
	}
	w.expected = table.Rows
	w.pace = newPace(w.Options.Batch.targetTime(), w.Options.Batch.mostRows(table.Width))
	if err := w.choose(ctx); err != nil {
		return w.rolledBack(ctx, err)
	}
	return nil
}

// node is a part of a plan as EXPLAIN writes it.
type node struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Alias    string  `json:"Alias"`
	Rows     float64 `json:"Plan Rows"`
	Plans    []node  `json:"Plans"`
}

// reads is the part of the plan that reads the table, nil if none does.
func (n node) reads(table, alias string) *node {
	if n.Relation == table && n.Alias == alias && n.Type != "ModifyTable" {
		return &n
	}
	for _, part := range n.Plans {
		if found := part.reads(table, alias); found != nil {
			return found
		}
	}
	return nil
}

// choose decides whether the ranges are counted in rows of the table or in those that the condition finds.
func (w *walk) choose(ctx context.Context) error {
	scan, err := w.explained(ctx, "on", w.whole())
	if err != nil {
		return err
	}
	if w.step.Batch.Where != "" && !w.step.Batch.Joined && scan != nil && scan.Type != "Seq Scan" && typed(w.step.Batch.Params) {
		// The rows that are left are found again for each batch.
		if cost := scan.Rows + scan.Rows*scan.Rows/float64(2*w.pace.most); cost < w.expected {
			w.selective, w.expected = true, scan.Rows
		}
	}
	if scan, err = w.explained(ctx, "off", w.statement(w.last, w.last)); err != nil || scan == nil || scan.Type != "Seq Scan" {
		return err
	}
	return &Failure{
		Code: "55000", // object_not_in_prerequisite_state
		Message: fmt.Sprintf("pgsluice: %s cannot be written in batches: the server would read the whole table for each, and not use the index over %s",
			quote(w.table.Schema, w.table.Name), strings.Join(w.Columns, ", ")),
		Hint: "Look at enable_indexscan and its kin in this session; or drop the index and make it again.",
	}
}

// whole is the statement for all rows.
func (w *walk) whole() Call {
	sql := w.step.Batch.Before
	if w.step.Batch.Where != "" {
		sql += "\nWHERE " + w.step.Batch.Where
	}
	return Call{SQL: sql, Params: w.step.Batch.Params}
}

// typed reports whether the types of all parameters are known: the server can infer some only from the whole statement.
func typed(params []rewrite.Param) bool {
	for _, p := range params {
		if p.OID == 0 {
			return false
		}
	}
	return true
}

// explained is how the server would read the table for a statement.
func (w *walk) explained(ctx context.Context, seqscan string, call Call) (*node, error) {
	call.SQL = "EXPLAIN (FORMAT JSON) " + call.SQL
	answers, err := w.Conn.Pipeline(ctx,
		Call{SQL: "BEGIN ISOLATION LEVEL READ COMMITTED"},
		Call{SQL: `SELECT pg_catalog.set_config('enable_seqscan', $1, true)`, Args: []string{seqscan}},
		call,
		Call{SQL: "ROLLBACK"})
	if err != nil {
		return nil, err
	}
	var plans []struct{ Plan node }
	if err := json.Unmarshal([]byte(strings.Join(answers[2].Rows, "\n")), &plans); err != nil || len(plans) != 1 {
		return nil, fmt.Errorf("cannot read a plan of the server: %w", err)
	}
	return plans[0].Plan.reads(w.table.Name, w.alias), nil
}
