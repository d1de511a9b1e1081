// A program with its migrations in it, as gormigrate has them: "up N" brings the database to the Nth, "down" takes back the last.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/go-gormigrate/gormigrate/v2"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	db, err := gorm.Open(postgres.Open(os.Getenv("DATABASE_URL")), &gorm.Config{SkipDefaultTransaction: true})
	if err != nil {
		return err
	}
	migrator := gormigrate.New(db, gormigrate.DefaultOptions, migrations)
	if args[0] == "down" {
		return migrator.RollbackLast()
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	return migrator.MigrateTo(migrations[n-1].ID)
}

var migrations = []*gormigrate.Migration{
	{
		ID: "0001_tables",
		Migrate: func(db *gorm.DB) error {
			type User struct {
				ID    int64
				Email string `gorm:"not null"`
			}
			type Order struct {
				ID     int64
				UserID *int64
				Number string `gorm:"not null"`
				Status string `gorm:"not null"`
				Amount int32  `gorm:"not null"`
				Fax    *string
			}
			return db.AutoMigrate(&User{}, &Order{})
		},
		Rollback: func(db *gorm.DB) error { return db.Migrator().DropTable("orders", "users") },
	},
	{
		ID: "0002_indexes",
		Migrate: func(db *gorm.DB) error {
			type Order struct {
				UserID *int64 `gorm:"index:orders_user_id_idx"`
				Number string `gorm:"uniqueIndex:orders_number_key"`
			}
			if err := db.Migrator().CreateIndex(&Order{}, "orders_user_id_idx"); err != nil {
				return err
			}
			return db.Migrator().CreateIndex(&Order{}, "orders_number_key")
		},
		Rollback: func(db *gorm.DB) error {
			if err := db.Migrator().DropIndex("orders", "orders_number_key"); err != nil {
				return err
			}
			return db.Migrator().DropIndex("orders", "orders_user_id_idx")
		},
	},
	{
		ID: "0003_constraints",
		Migrate: inOrder(
			"ALTER TABLE orders ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)",
			"ALTER TABLE orders ADD CONSTRAINT orders_amount_check CHECK (amount >= 0)",
			"ALTER TABLE orders ALTER COLUMN user_id SET NOT NULL",
		),
		Rollback: inOrder(
			"ALTER TABLE orders ALTER COLUMN user_id DROP NOT NULL",
			"ALTER TABLE orders DROP CONSTRAINT orders_amount_check",
			"ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey",
		),
	},
	{
		ID: "0004_columns",
		Migrate: func(db *gorm.DB) error {
			type Order struct{ Note *string }
			migrator := db.Migrator()
			if err := migrator.DropColumn("orders", "fax"); err != nil {
				return err
			}
			if err := migrator.RenameColumn("orders", "status", "state"); err != nil {
				return err
			}
			return migrator.AddColumn(&Order{}, "Note")
		},
		Rollback: func(db *gorm.DB) error {
			type Order struct{ Fax *string }
			migrator := db.Migrator()
			if err := migrator.DropColumn("orders", "note"); err != nil {
				return err
			}
			if err := migrator.RenameColumn("orders", "state", "status"); err != nil {
				return err
			}
			return migrator.AddColumn(&Order{}, "Fax")
		},
	},
	{
		ID: "0005_backfill",
		Migrate: func(db *gorm.DB) error {
			changed := db.Table("orders").Where("note IS NULL").Update("note", gorm.Expr("? || number", "order "))
			fmt.Println(changed.RowsAffected, "rows")
			return changed.Error
		},
		Rollback: func(db *gorm.DB) error {
			return db.Table("orders").Where("note IS NOT NULL").Update("note", nil).Error
		},
	},
	{
		ID: "0006_shipments",
		Migrate: inOrder(
			"CREATE TABLE shipments (order_id bigint PRIMARY KEY)",
			"CREATE UNIQUE INDEX orders_amount_key ON orders (amount)", // fails: several orders have the same amount
		),
		Rollback: inOrder("DROP INDEX orders_amount_key", "DROP TABLE shipments"),
	},
}

// inOrder runs statements one after the other.
func inOrder(statements ...string) func(*gorm.DB) error {
	return func(db *gorm.DB) error {
		for _, sql := range statements {
			if err := db.Exec(sql).Error; err != nil {
				return err
			}
		}
		return nil
	}
}
