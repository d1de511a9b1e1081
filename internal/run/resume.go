package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pgsluice/pgsluice/revisions"
	"github.com/pgsluice/pgsluice/rewrite"
)

const (
	// retryDelay is how long a promise that a retry can cure is left alone.
	retryDelay = time.Minute
	// loginDelay is how long one is that only its login may keep, and that nobody else is to try and tell of again and again: rights may change. The
	// login itself does not wait for that.
	loginDelay = 10 * time.Minute
)

// errLeftToLogin marks a promise that only its own login may keep.
var errLeftToLogin = errors.New("left to the login that made the promise")

// LeftToLogin reports whether only the login that made a promise may keep it, as whoever stood in for it has found.
func LeftToLogin(row revisions.PromiseRow) bool {
	return row.State == revisions.Pending && row.SQLState == insufficientPrivilege
}

// Ledger is where promises are. *revisions.Ledger is one.
type Ledger interface {
	Artifacts
	Jobs
	Claim(ctx context.Context, by revisions.Runner, opts revisions.ClaimOptions) ([]revisions.PromiseRow, error)
	Start(ctx context.Context, id int64, by revisions.Runner) (revisions.PromiseRow, error)
	Finish(ctx context.Context, id int64, by revisions.Runner, outcome revisions.Outcome) error
	Postpone(ctx context.Context, id int64, by revisions.Runner, sqlState, message string, delay time.Duration) error
	List(ctx context.Context, states ...revisions.State) ([]revisions.PromiseRow, error)
	Leftovers(ctx context.Context) ([]revisions.Artifact, error)
}

// Resume keeps the promises of one database that nobody else will keep: their backend has ended, or let go of them.
type Resume struct {
	// Ledger is used through a connection of its own, whose backend is that of By: see Identify. By.Name is unique to the process.
	Ledger Ledger
	By     revisions.Runner
	// Open connects to the database, anew for each promise, because code of a client's may run there; done closes the connection. If its
	// login is the one that made the promise, the promise is kept as that login would; any other login stands in for it.
	Open func(ctx context.Context) (conn Conn, done func(), err error)
	// Claims narrows down which promises are claimed; its Limit 0 is all.
	Claims revisions.ClaimOptions
	// Setbacks are the leftovers that could not be removed before; nil: each is looked at, for as long as Options.LockBudget says.
	Setbacks *Setbacks
	// Throttle makes what tells when a bulk write must wait; nil: none does.
	Throttle func() Throttle
	// Watch, Report and Options are the Runner's.
	Watch  Watch
	Report Report
	Meter  Meter
	Options
}

// Kept is what became of one promise.
type Kept struct {
	Promise revisions.PromiseRow
	// State is done, void, failed, or pending when it is for later or for somebody else.
	State  revisions.State
	Result Result
	// Err says why, unless it is done.
	Err error
}

// Identify is the backend of a connection, as the ledger knows runners.
func Identify(ctx context.Context, conn Conn, name string) (revisions.Runner, error) {
	answer, err := ask(ctx, conn, `SELECT pg_catalog.concat_ws(' ', a.pid,
			pg_catalog.round(pg_catalog.date_part('epoch', a.backend_start) OPERATOR(pg_catalog.*) 1000000::pg_catalog.float8)::pg_catalog.int8)
		FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) AS a`)
	if err != nil {
		return revisions.Runner{}, fmt.Errorf("cannot ask when the connection began: %w", err)
	}
	by := revisions.Runner{Name: name}
	if _, err := fmt.Sscan(answer, &by.PID, &by.BackendStart); err != nil {
		return revisions.Runner{}, fmt.Errorf("cannot read when the connection began from %q: %w", answer, err)
	}
	return by, nil
}

// Login is the OID of a connection's login: its name may have been another's.
func Login(ctx context.Context, conn Conn) (uint32, error) {
	answer, err := ask(ctx, conn, `SELECT pg_catalog.to_regrole(pg_catalog.quote_ident(SESSION_USER))::pg_catalog.oid`)
	if err != nil {
		return 0, err
	}
	oid, err := strconv.ParseUint(answer, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("cannot read the OID of the login from %q: %w", answer, err)
	}
	return uint32(oid), nil
}

// DependsOn reports whether a promise must wait until an earlier one of its transaction is kept. Builds and validations stand alone;
// anything else on the same table may rely on what came before: SET NOT NULL on the check that proves it, a DROP on its replacement. Bulk writes of a table
// come in the order in which they were sent, whatever transactions they are of.
func DependsOn(later, earlier revisions.PromiseRow) (bool, error) {
	if later.Kind == BulkWrite && earlier.Kind == BulkWrite && later.Table == earlier.Table && later.ID > earlier.ID {
		return true, nil
	}
	if later.XID != earlier.XID || later.Seq <= earlier.Seq || later.Table != earlier.Table {
		return false, nil
	}
	steps, err := stepsOf(later)
	for _, step := range steps {
		builds := step.Index.Name != "" && !step.Index.Drop
		validates := step.Where == rewrite.AfterCommit && !step.Budget
		if !builds && !validates {
			return true, err
		}
	}
	return false, err
}

func stepsOf(row revisions.PromiseRow) (steps []rewrite.Step, err error) {
	if err := json.Unmarshal(row.Steps, &steps); err != nil {
		return nil, fmt.Errorf("cannot read the steps of promise %d: %w", row.ID, err)
	}
	return steps, nil
}

// Run claims what can be claimed and keeps it, one promise at a time; a failure stops only what depends on it. Then it drops what builds
// have left INVALID. The error is one of the ledger's, or the end of ctx; what was claimed and not begun is given back.
func (r Resume) Run(ctx context.Context) ([]Kept, error) {
	claims := r.Claims
	if claims.Limit == 0 {
		claims.Limit = 1 << 16
	}
	rows, err := r.Ledger.Claim(ctx, r.By, claims)
	if err != nil {
		return nil, err
	}
	var all []Kept
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return all, errors.Join(context.Cause(ctx), r.giveBack(ctx, rows[len(all):]))
		}
		kept, err := r.keep(ctx, row)
		if err != nil {
			return all, errors.Join(err, r.giveBack(ctx, rows[len(all):]))
		}
		all = append(all, kept)
	}
	return all, r.sweep(ctx)
}

func (r Resume) giveBack(ctx context.Context, rows []revisions.PromiseRow) error {
	var failed error
	for _, row := range rows {
		err := r.Ledger.Postpone(context.WithoutCancel(ctx), row.ID, r.By, row.SQLState, row.Message, 0)
		if !errors.Is(err, revisions.ErrLost) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// keep carries out one promise and writes down how that ended. The error is the ledger's.
func (r Resume) keep(ctx context.Context, row revisions.PromiseRow) (Kept, error) {
	kept := Kept{Promise: row, State: revisions.Pending}
	earlier, err := r.waitsFor(ctx, row)
	if err != nil {
		return kept, err
	}
	if earlier != 0 {
		kept.Err = fmt.Errorf("promise %d waits until promise %d is kept", row.ID, earlier)
		return kept, r.Ledger.Postpone(ctx, row.ID, r.By, "", kept.Err.Error(), 0)
	}
	started, err := r.Ledger.Start(ctx, row.ID, r.By)
	switch {
	case errors.Is(err, revisions.ErrForged):
		kept.State, kept.Err = revisions.Failed, err
		return kept, nil
	case errors.Is(err, revisions.ErrLost):
		kept.Err = err
		return kept, nil
	case err != nil:
		return kept, err
	}
	kept.Promise = started
	kept.State, kept.Result, kept.Err = r.carryOut(ctx, started)
	err = r.settle(context.WithoutCancel(ctx), kept)
	if errors.Is(err, revisions.ErrLost) {
		kept.Err, err = errors.Join(kept.Err, err), nil
	}
	return kept, err
}

// settle writes down how work on a promise ended.
func (r Resume) settle(ctx context.Context, kept Kept) error {
	code, message := SQLState(kept.Err), ""
	if kept.Err != nil {
		message = Recordable(kept.Err, kept.Err.Error())
	}
	switch {
	case kept.State != revisions.Pending:
		return r.Ledger.Finish(ctx, kept.Promise.ID, r.By, revisions.Outcome{State: kept.State, SQLState: code, Message: message})
	case errors.Is(kept.Err, errLeftToLogin):
		return r.Ledger.Postpone(ctx, kept.Promise.ID, r.By, code, message, loginDelay)
	}
	return r.Ledger.Postpone(ctx, kept.Promise.ID, r.By, code, message, retryDelay)
}

// waitsFor is the id of an unfinished promise that this one depends on, or 0.
func (r Resume) waitsFor(ctx context.Context, row revisions.PromiseRow) (int64, error) {
	open, err := r.Ledger.List(ctx, revisions.Pending, revisions.Running, revisions.Failed)
	if err != nil {
		return 0, err
	}
	for _, other := range open {
		depends, err := DependsOn(row, other)
		if err != nil {
			return 0, err
		}
		if depends {
			return other.ID, nil
		}
	}
	return 0, nil
}

// carryOut runs the steps of a promise on a new connection.
func (r Resume) carryOut(ctx context.Context, row revisions.PromiseRow) (revisions.State, Result, error) {
	var all Result
	conn, done, err := r.Open(ctx)
	if err != nil {
		return revisions.Pending, all, err
	}
	defer done()
	there, err := ask(ctx, conn, `SELECT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid)`,
		strconv.FormatUint(uint64(row.Table), 10))
	if err != nil {
		return revisions.Pending, all, err
	}
	if there != "t" {
		return revisions.Void, all, errors.New("the table is gone")
	}
	err = r.steps(ctx, conn, row, &all)
	switch {
	case err == nil:
		return revisions.Done, all, nil
	case errors.Is(err, ErrGivenUp):
		return revisions.Void, all, err
	case errors.Is(err, errLeftToLogin) || Retryable(err):
		return revisions.Pending, all, err
	}
	return revisions.Failed, all, err
}

func (r Resume) steps(ctx context.Context, conn Conn, row revisions.PromiseRow, all *Result) error {
	plan, err := Promised(row)
	if err != nil {
		return &Failure{Code: "XX001", Message: "pgsluice: " + err.Error(), Err: err} // data_corrupted
	}
	var environment map[string]string
	if err := json.Unmarshal(row.Environment, &environment); err != nil || environment == nil {
		return &Failure{Code: "XX001", Message: fmt.Sprintf("pgsluice: promise %d has no environment that can be read: %v", row.ID, err), Err: err}
	}
	backend, err := Identify(ctx, conn, r.By.Name)
	if err != nil {
		return err
	}
	login, err := Login(ctx, conn)
	if err != nil {
		return err
	}
	runner := Runner{Conn: conn, Watch: r.Watch, Artifacts: r.Ledger, Report: r.Report, Meter: r.Meter, Options: r.Options}
	runner.Promise, runner.BackendStart = row.ID, backend.BackendStart
	runner.Jobs, runner.Name, runner.Environment = r.Ledger, r.By.Name, environment
	if r.Throttle != nil {
		runner.Throttle = r.Throttle()
	}

	if login == row.Login.OID {
		under, err := As(ctx, conn, environment, row.Role)
		if err != nil {
			return err
		}
		return Under(ctx, conn, under, func() error {
			*all, err = runner.Run(ctx, plan)
			return err
		})
	}
	delete(environment, "role") // the role's OID is in the promise; its name may have changed
	runner.servants = &servants{}
	inItsPlace := stand{runner: runner, row: row, environment: environment}
	for _, step := range plan.Steps {
		result, err := inItsPlace.step(ctx, step)
		all.add(result)
		if err != nil {
			runner.servants.handOver()
			return err
		}
	}
	runner.servants.serve()
	return nil
}

// Abandon removes what a promise that was given up would have removed itself: the helpers that its client's transaction has made for it, and what
// its steps have left. What cannot be removed now is listed, and removed by a later Run.
func (r Resume) Abandon(ctx context.Context, row revisions.PromiseRow) error {
	steps, err := stepsOf(row)
	if err != nil {
		return err
	}
	var made []string
	for _, step := range steps {
		for _, h := range step.Helpers {
			if !h.Drop {
				made = append(made, h.Name)
				continue
			}
			if slices.Contains(made, h.Name) {
				continue // whoever makes it lists it
			}
			if _, err := r.Ledger.Announce(ctx, revisions.Artifact{
				Kind: "constraint", Schema: step.Table.Schema, Name: h.Name, Table: step.Table.OID,
				Promise: row.ID, PID: row.PID, BackendStart: row.BackendStart,
			}); err != nil {
				return err
			}
		}
	}
	return r.sweep(ctx)
}

// sweep removes what plans whose connection was lost have left, where nobody works on the table now.
func (r Resume) sweep(ctx context.Context) error {
	left, err := r.Ledger.Leftovers(ctx)
	if err != nil || len(left) == 0 {
		return err
	}
	open, err := r.Ledger.List(ctx, revisions.Pending, revisions.Running, revisions.Failed)
	if err != nil {
		return err
	}
	needed := func(artifact revisions.Artifact) bool {
		return slices.ContainsFunc(open, func(row revisions.PromiseRow) bool { return row.ID == artifact.Promise })
	}
	left = slices.DeleteFunc(left, func(artifact revisions.Artifact) bool {
		return !slices.Contains([]string{"index", rebuildKind, servantKind}, artifact.Kind) && (needed(artifact) || !isHelper(artifact))
	})
	began := r.Setbacks.now()
	for _, artifact := range r.Setbacks.due(left, needed) {
		budget := r.Setbacks.budget(artifact.ID, began, r.lockBudget())
		if budget <= 0 {
			return nil // the next Run begins with those that this one did not get to
		}
		if err := r.sweepOne(ctx, artifact, left, needed(artifact), budget); err != nil {
			return err
		}
	}
	return nil
}

// sweepOne removes one of them as the table's owner, unless somebody works on the table, or it takes longer than the budget: then a later Resume does.
func (r Resume) sweepOne(ctx context.Context, artifact revisions.Artifact, left []revisions.Artifact, needed bool, budget time.Duration) error {
	conn, done, err := r.Open(ctx)
	if err != nil {
		return err
	}
	defer done()
	r.LockBudget = budget
	gone, err := r.drop(ctx, conn, artifact, left, needed)
	r.Setbacks.note(artifact.ID, gone, needed)
	if err != nil {
		r.notice(fmt.Sprintf("pgsluice: what a broken plan may have left, %s %s, is looked at later: %v", artifact.Kind, quote(artifact.Schema, artifact.Name), err))
	}
	if !gone {
		return nil
	}
	return r.Ledger.Forget(ctx, artifact.ID)
}

// drop reports whether nothing is left to be dropped. What an open promise needs stays.
func (r Resume) drop(ctx context.Context, conn Conn, artifact revisions.Artifact, left []revisions.Artifact, needed bool) (gone bool, err error) {
	table := strconv.FormatUint(uint64(artifact.Table), 10)
	owners, err := conn.Query(ctx, `SELECT pg_catalog.pg_get_userbyid(c.relowner) FROM pg_catalog.pg_class AS c
		WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid`, table)
	if err != nil || len(owners) == 0 {
		return err == nil, err
	}
	code, err := conn.Query(ctx, foreignCodeSQL, "true")
	if err != nil {
		return false, err
	}
	if len(code) > 0 {
		return false, errors.New(code[0])
	}
	ctx, cancel := context.WithTimeout(ctx, r.lockBudget())
	defer cancel()
	gone = true
	err = Under(ctx, conn, map[string]string{"role": owners[0]}, func() error {
		runner := Runner{Conn: conn, Watch: r.Watch, Report: r.Report, Meter: r.Meter, Options: r.Options}
		runner.TurnBudget = slice // now or later
		if artifact.Kind == "constraint" {
			return runner.removeConstraint(ctx, artifact)
		}
		on := rewrite.Target{OID: artifact.Table, Schema: artifact.Schema, Name: "with OID " + table}
		switch artifact.Kind {
		case rebuildKind:
			return runner.removeRebuilt(ctx, on)
		case servantKind:
			gone, err = runner.removeServant(ctx, artifact, left, needed)
			return err
		}
		return runner.removeInvalid(ctx, rewrite.Step{
			Table: on,
			Index: rewrite.Index{Schema: artifact.Schema, Name: artifact.Name},
		})
	})
	return gone && err == nil, err
}

func (r Resume) notice(line string) {
	if r.Report != nil {
		r.Report.Notice(line)
	}
}
