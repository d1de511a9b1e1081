package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// atOnce is the migration as Alembic sends it: everything and its version row in one transaction.
var atOnce = []string{
	"BEGIN",
	"CREATE INDEX orders_customer ON orders (customer_id)",
	"ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES customers (id)",
	"ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0)",
	"UPDATE alembic_version SET version_num = '0002' WHERE alembic_version.version_num = '0001'",
	"COMMIT",
}

// byHand is what somebody who knows Postgres well writes instead. What is short and needs a strong lock does not wait for it for
// long and is tried again.
var byHand = []struct {
	sql   string
	retry bool
}{
	{"CREATE INDEX CONCURRENTLY orders_customer ON orders (customer_id)", false},
	{"SET lock_timeout = '50ms'", false},
	{"ALTER TABLE orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) NOT VALID", true},
	{"ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0) NOT VALID", true},
	{"ALTER TABLE orders VALIDATE CONSTRAINT orders_customer_fkey", true},
	{"ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_check", true},
	{"UPDATE alembic_version SET version_num = '0002' WHERE alembic_version.version_num = '0001'", false},
}

// migrateAtOnce sends the statements one by one in the simple protocol, as psycopg2 does.
func migrateAtOnce(ctx context.Context, r *route) error {
	conn, err := pgconn.Connect(ctx, r.dsn("disable"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range atOnce {
		if err := conn.Exec(ctx, sql).Close(); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func migrateByHand(ctx context.Context, r *route) error {
	conn, err := pgconn.Connect(ctx, r.dsn("disable"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, step := range byHand {
		for {
			err := conn.Exec(ctx, step.sql).Close()
			if err == nil {
				break
			}
			if !step.retry || !lockTimedOut(err) {
				return fmt.Errorf("%s: %w", step.sql, err)
			}
			if err := idleFor(100 * time.Millisecond)(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func lockTimedOut(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == "55P03"
}

// undo checks that a migration is complete, and takes it back.
func (s *shop) undo(ctx context.Context) error {
	var index, constraints int
	var version string
	err := s.admin.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('orders_customer') AND indisvalid),
		(SELECT count(*) FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype IN ('f', 'c') AND convalidated),
		(SELECT version_num FROM alembic_version)`).Scan(&index, &constraints, &version)
	if err != nil {
		return fmt.Errorf("cannot see what the migration did: %w", err)
	}
	if index != 1 || constraints != 2 || version != "0002" {
		return fmt.Errorf("the migration is not complete: %d of 1 valid index, %d of 2 valid constraints, version %s", index, constraints, version)
	}
	for _, sql := range []string{
		"ALTER TABLE orders DROP CONSTRAINT orders_customer_fkey, DROP CONSTRAINT orders_amount_check",
		"DROP INDEX orders_customer",
		"UPDATE alembic_version SET version_num = '0001'",
		"VACUUM orders, customers",
		"CHECKPOINT",
	} {
		if _, err := s.admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}
