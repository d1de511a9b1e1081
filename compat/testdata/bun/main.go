// A program that migrates as bun has it: "up" runs what is pending in the folder migrations, "down" takes back the last.
package main

import (
	"context"
	"database/sql"
	"errors"
	"log"
	"os"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/driver/pgdriver"
	"github.com/uptrace/bun/migrate"
)

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, action string) (err error) {
	db := bun.NewDB(sql.OpenDB(pgdriver.NewConnector(pgdriver.WithDSN(os.Getenv("DATABASE_URL")))), pgdialect.New())
	defer db.Close()
	all := migrate.NewMigrations()
	if err := all.Discover(os.DirFS("migrations")); err != nil {
		return err
	}
	migrator := migrate.NewMigrator(db, all, migrate.WithMarkAppliedOnSuccess(true))
	if err := migrator.Init(ctx); err != nil {
		return err
	}
	if err := migrator.Lock(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, migrator.Unlock(ctx)) }()
	if action == "down" {
		_, err := migrator.Rollback(ctx)
		return err
	}
	return oneByOne(ctx, db, all)
}

// oneByOne runs each pending migration as a group of its own, which is what Rollback takes back.
func oneByOne(ctx context.Context, db *bun.DB, all *migrate.Migrations) error {
	some := migrate.NewMigrations()
	for _, m := range all.Sorted() {
		some.Add(m)
		if _, err := migrate.NewMigrator(db, some, migrate.WithMarkAppliedOnSuccess(true)).Migrate(ctx); err != nil {
			return err
		}
	}
	return nil
}
