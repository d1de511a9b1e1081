package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// idle are connections that do nothing more.
type idle []*pgconn.PgConn

// openIdle opens so many connections and runs one query on each, as an application's pool does.
func openIdle(ctx context.Context, r *route, n int, tls bool) (_ idle, err error) {
	sslmode := "disable"
	if tls {
		sslmode = "require"
	}
	opened := make(idle, n)
	defer func() {
		if err != nil {
			opened.close()
		}
	}()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range opened {
		group.Go(func() error {
			conn, err := pgconn.Connect(ctx, r.dsn(sslmode))
			if err != nil {
				return err
			}
			opened[i] = conn
			return conn.Exec(ctx, "SELECT 1").Close()
		})
	}
	return opened, group.Wait()
}

func (i idle) close() {
	for _, conn := range i {
		if conn != nil {
			_ = conn.Close(context.Background())
		}
	}
}
