package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pgsluice/pgsluice/internal/control"
	"github.com/pgsluice/pgsluice/internal/run"
)

// loginPatience bounds the wait for a control connection while all are in use, as when many migrate at once: a session must not hang on a login that is not
// its own. A server that does not answer is waited for less long.
const loginPatience = 2 * time.Minute

// logins lends the proxy's own connections to sessions. It implements proxy.Control.
type logins struct{ pool *control.Pool }

// control opens the proxy's own login, nil if there is none, and says what will not work without it.
func (p *plant) control(ctx context.Context, config controlConfig, log *slog.Logger) (*logins, error) {
	if config.DSN == "" {
		log.Warn("control.dsn is not set: nothing can be deferred behind a COMMIT, and nobody who blocks a schema change can be named",
			"hint", "give pgsluice a login of its own and run pgsluice install")
		return nil, nil
	}
	pool, err := control.New(control.Options{
		DSN: string(config.DSN), MaxConnections: config.MaxConnections, Idle: config.Idle, Log: log,
	})
	if err != nil {
		return nil, err
	}
	p.close = append(p.close, func() error { pool.Close(); return nil })
	l := &logins{pool}
	_, release, err := l.Conn(ctx, "")
	switch {
	case err == nil:
		release()
	case config.Required:
		return nil, &failure{err: err, hint: "mend control.dsn, or set control.required to false to start without it"}
	default:
		log.Error("the control login does not work: until it does, nothing can be deferred behind a COMMIT, and nobody who blocks a schema change can be named",
			"error", err)
	}
	return l, nil
}

// Conn lends a connection to a database; "" is that of the DSN.
func (l *logins) Conn(ctx context.Context, database string) (run.Conn, func(), error) {
	conn, err := l.lend(ctx, database)
	if err != nil {
		return nil, nil, err
	}
	return conn, func() { l.pool.Release(conn) }, nil
}

// lend is Conn for those who give the connection back to the pool themselves.
func (l *logins) lend(ctx context.Context, database string) (*control.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, loginPatience, fmt.Errorf("no answer within %s", loginPatience))
	defer cancel()
	return l.pool.Conn(ctx, database)
}

// CloseDatabase closes the connections to a database that is about to be dropped or renamed.
func (l *logins) CloseDatabase(ctx context.Context, database string) error {
	return l.pool.CloseDatabase(ctx, database)
}
