package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// buyers is how many rows customers has.
const buyers = 100_000

// shop is the application: a small table of customers, and a large one of orders, which is to be changed.
type shop struct {
	direct *route
	rows   int
	admin  *pgx.Conn
}

// openShop makes and fills the tables.
func openShop(ctx context.Context, direct *route, rows int, log progress) (*shop, error) {
	admin, err := pgx.Connect(ctx, direct.dsn("disable"))
	if err != nil {
		return nil, err
	}
	s := &shop{direct: direct, rows: rows, admin: admin}
	log.say("filling a table of %d rows", rows)
	for _, sql := range []string{
		"CREATE TABLE customers (id bigint PRIMARY KEY, seen timestamptz)",
		`CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint NOT NULL,
			amount numeric NOT NULL, status text NOT NULL)`,
		"CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
		"INSERT INTO alembic_version VALUES ('0001')",
		fmt.Sprintf("INSERT INTO customers SELECT i, now() FROM generate_series(1, %d) AS i", buyers),
		fmt.Sprintf(`INSERT INTO orders (customer_id, amount, status) SELECT 1 + i %% %d, i %% 1000, repeat('x', 40)
			FROM generate_series(1, %d) AS i`, buyers, rows),
		"VACUUM (ANALYZE) customers, orders",
		"CHECKPOINT",
	} {
		if _, err := admin.Exec(ctx, sql); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", sql, err), admin.Close(ctx))
		}
	}
	return s, nil
}

func (s *shop) close() { _ = s.admin.Close(context.Background()) }

// customer is a connection of the application that sends one statement again and again; $1 is a random row of the orders, $2 of
// the customers.
type customer struct {
	sql    string
	writes bool
	pid    uint32 // of its backend
	served []served
}

// served is one statement.
type served struct{ due, answered time.Time }

// during are the waits of the statements that were under way at some time between began and ended.
func (c *customer) during(began, ended time.Time) waits {
	var found waits
	for _, s := range c.served {
		if s.answered.After(began) && s.due.Before(ended) {
			found = append(found, s.answered.Sub(s.due))
		}
	}
	return found
}

func customers() []*customer {
	return []*customer{
		{sql: "UPDATE orders SET amount = amount + 1 WHERE id = $1 AND $2::bigint > 0", writes: true},
		{sql: "UPDATE orders SET status = 'paid' WHERE id = $1 AND $2::bigint > 0", writes: true},
		{sql: "INSERT INTO orders (customer_id, amount, status) VALUES ($2, $1::bigint % 1000, 'new')", writes: true},
		{sql: "UPDATE customers SET seen = now() WHERE id = $2 AND $1::bigint > 0", writes: true},
		{sql: "SELECT amount FROM orders WHERE id = $1 AND $2::bigint > 0"},
		{sql: "SELECT sum(amount) FROM orders WHERE id BETWEEN $1 AND $1 + 20 AND $2::bigint > 0"},
		{sql: "SELECT o.status, c.seen FROM orders AS o JOIN customers AS c ON c.id = o.customer_id WHERE o.id = $1 AND $2::bigint > 0"},
		{sql: "SELECT seen FROM customers WHERE id = $2 AND $1::bigint > 0"},
	}
}

// pace is the time from one statement of a customer to its next. A statement that is held up does not hold up the clock: the next
// ones are due all the same, and wait as requests would that keep coming in.
const pace = 5 * time.Millisecond

// serve does the work while all customers are busy, and returns them.
func (s *shop) serve(ctx context.Context, all []*customer, work func() error) ([]*customer, error) {
	stop := make(chan struct{})
	group, ctx := errgroup.WithContext(ctx)
	busy := make(chan struct{}, len(all))
	for _, c := range all {
		group.Go(func() error { return c.buy(ctx, s, busy, stop) })
	}
	for range all {
		select {
		case <-busy:
		case <-ctx.Done(): // one of them has failed
		}
	}
	workErr := work()
	close(stop)
	return all, errors.Join(workErr, group.Wait())
}

// buy sends statements until stop is closed. After some, when its connection and its plans are warm, it says that it is busy.
func (c *customer) buy(ctx context.Context, s *shop, busy chan<- struct{}, stop <-chan struct{}) error {
	const warm = 50
	conn, err := pgx.Connect(ctx, s.direct.dsn("disable"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	c.pid = conn.PgConn().PID()
	due := time.NewTimer(0)
	defer due.Stop()
	began := time.Now()
	for n := 0; ; n++ {
		at := began.Add(time.Duration(n) * pace)
		due.Reset(time.Until(at))
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-due.C:
		}
		if _, err := conn.Exec(ctx, c.sql, 1+rand.IntN(s.rows), 1+rand.IntN(buyers)); err != nil {
			return fmt.Errorf("%s: %w", c.sql, err)
		}
		c.served = append(c.served, served{due: at, answered: time.Now()})
		if n == warm {
			busy <- struct{}{}
		}
	}
}
