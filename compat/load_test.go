package compat

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// traffic is what the application does meanwhile, each statement on a connection of its own. $1 is a number from 1 to users.
var traffic = []string{
	"UPDATE orders SET amount = amount + 0.01 WHERE id = $1",
	"INSERT INTO orders (user_id, number, batch, status, amount) VALUES ($1, gen_random_uuid(), 0, 'new', 1)",
	"UPDATE users SET seen = now() WHERE id = $1",
	"SELECT status FROM orders WHERE id = $1",
}

// pace is the time from one statement of a connection to its next, when they are quick.
const pace = 2 * time.Millisecond

// underLoad does the work while the application is busy, and returns how long its unluckiest statement took. None of them may fail.
func underLoad(t *testing.T, dsn string, work func()) (longest time.Duration) {
	t.Helper()
	stop := make(chan struct{})
	busy := make(chan struct{}, len(traffic))
	took := make([]time.Duration, len(traffic))
	var group errgroup.Group
	defer func() {
		close(stop)
		if err := group.Wait(); err != nil {
			t.Errorf("the application's own statement failed: %v", err)
		}
		for _, d := range took {
			longest = max(longest, d)
		}
	}()
	for i, sql := range traffic {
		group.Go(func() error {
			var err error
			took[i], err = repeat(t.Context(), dsn, sql, busy, stop)
			return err
		})
	}
	for range traffic {
		<-busy
	}
	work()
	return longest
}

// repeat runs the statement until stop is closed, and returns how long it took at most. After the first time it says that it is busy.
func repeat(ctx context.Context, dsn, sql string, busy chan<- struct{}, stop <-chan struct{}) (longest time.Duration, err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		busy <- struct{}{}
		return 0, err
	}
	defer conn.Close(ctx)
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for n := 1; ; n++ {
		began := time.Now()
		_, err := conn.Exec(ctx, sql, 1+n*7919%users)
		longest = max(longest, time.Since(began))
		if n == 1 {
			busy <- struct{}{}
		}
		if err != nil {
			return longest, err
		}
		select {
		case <-stop:
			return longest, nil
		case <-ticker.C:
		}
	}
}
