package main

import (
	"context"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/run"
	"github.com/pgsluice/pgsluice/revisions"
)

// resumption does the promised work of one database that nobody else will do.
type resumption struct {
	database string
	// control has the connections that keep the ledger and watch; steps those that run the work. They may be the same.
	control, steps *control.Pool
	user           string // who steps log in as
	name           string // of this process, in the ledger
	report         run.Report
	meter          run.Meter // nil: nobody counts
	options        run.Options
	throttle       run.ThrottleOptions // of bulk writes
	setbacks       *run.Setbacks       // nil: whoever asks waits for each leftover
}

// run keeps what the claims take. conn is a connection of control's, and ledger the ledger that was opened on it.
func (r resumption) run(ctx context.Context, conn run.Conn, ledger *revisions.Ledger, claims revisions.ClaimOptions) ([]run.Kept, error) {
	if claims.ID == 0 { // of one that is named it is said who may do it
		keeper, err := r.login(ctx, conn)
		if err != nil {
			return nil, err
		}
		claims.Personal, claims.Keeper = []string{run.BulkWrite}, keeper
	}
	work, err := r.work(ctx, conn, ledger, claims)
	if err != nil {
		return nil, err
	}
	return work.Run(ctx)
}

// login is the OID of the login that runs the work. conn is a connection of control's.
func (r resumption) login(ctx context.Context, conn run.Conn) (uint32, error) {
	if r.steps == r.control { // a keeper asks often, and holds a connection already
		return run.Login(ctx, conn)
	}
	own, err := r.steps.Conn(ctx, r.database)
	if err != nil {
		return 0, err
	}
	defer r.steps.Release(own)
	return run.Login(ctx, own)
}

// work is how that is done.
func (r resumption) work(ctx context.Context, conn run.Conn, ledger *revisions.Ledger, claims revisions.ClaimOptions) (run.Resume, error) {
	by, err := run.Identify(ctx, conn, r.name)
	if err != nil {
		return run.Resume{}, err
	}
	return run.Resume{
		Ledger: ledger,
		By:     by,
		Open: func(ctx context.Context) (run.Conn, func(), error) {
			conn, err := r.steps.Conn(ctx, r.database)
			if err != nil {
				return nil, nil, err
			}
			ended := r.attended(ctx, ledger, conn)
			return conn, func() { ended(); r.steps.Discard(conn) }, nil
		},
		Claims:   claims,
		Setbacks: r.setbacks,
		Watch: run.NewWatch(func(ctx context.Context) (run.Conn, func(), error) {
			conn, err := r.control.Conn(ctx, r.database)
			if err != nil {
				return nil, nil, err
			}
			return conn, func() { r.control.Release(conn) }, nil
		}),
		Throttle: func() run.Throttle { return r.throttled() },
		Report:   r.report,
		Meter:    r.meter,
		Options:  r.options,
	}, nil
}

// throttled tells one bulk write when it must wait.
func (r resumption) throttled() run.Throttle {
	return run.NewThrottle(func(ctx context.Context) (run.Conn, func(), error) {
		conn, err := r.control.Conn(ctx, r.database)
		if err != nil {
			return nil, nil, err
		}
		return conn, func() { r.control.Release(conn) }, nil
	}, r.throttle)
}

// attended has the ledger know that a connection is at work for pgsluice, so that what it changes is not taken for somebody's who went round the proxy.
func (r resumption) attended(ctx context.Context, ledger *revisions.Ledger, conn *control.Conn) (ended func()) {
	var done func(context.Context) error
	login, err := conn.Query(ctx, "SELECT SESSION_USER")
	if err == nil {
		done, err = ledger.Attend(ctx, revisions.Who{Session: r.name, PID: int32(conn.PID()), Login: login[0], Application: "pgsluice"})
	}
	if err != nil {
		r.report.Notice("what this changes may be listed as out-of-band: " + err.Error())
		return func() {}
	}
	return func() {
		if err := done(context.WithoutCancel(ctx)); err != nil {
			r.report.Notice("what its connection changes may not be listed as out-of-band: " + err.Error())
		}
	}
}
