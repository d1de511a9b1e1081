package compat

import (
	"slices"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// TestRefusedWithoutLedger: with no ledger nothing can be deferred. What must not run inside a transaction is refused there with the
// tool's own way out, which works.
func TestRefusedWithoutLedger(t *testing.T) {
	for _, tool := range []tool{alembic("alembic"), alembic("alembic transaction_per_migration", "-x", "transaction_per_migration=yes")} {
		t.Run(tool.name, func(t *testing.T) {
			db := newDatabase(t, pgtest.Role(t, "LOGIN")).throughProxyOnly(t)
			dir := tool.project(t, "recipe")
			execute(t, tool.migrate(dir, db.tools, up, "0001")).succeeded(t, "make the tables")
			db.fill(t, 20_000)
			before := db.look(t, tool)

			execute(t, tool.migrate(dir, db.tools, up, "0002")).failedWith(t, "an index inside the transaction",
				"pgsluice: ", "index-not-concurrent", "autocommit_block")
			compare(t, before, db.look(t, tool))

			execute(t, tool.migrate(dir, db.tools, up, "recipe")).succeeded(t, "an index as the refusal says")
			db.checkFinished(t)
			if versions := db.rows(t, tool.versions); !slices.Equal(versions, []string{"(recipe)"}) {
				t.Errorf("the tool recorded %q", versions)
			}
		})
	}
}

// TestFileWithoutLedger: golang-migrate needs no ledger for a file with one statement, which is in no transaction. Several
// statements in a file are in one, and are refused.
func TestFileWithoutLedger(t *testing.T) {
	tool := golangMigrate("golang-migrate", "postgres")
	db := newDatabase(t, pgtest.Role(t, "LOGIN")).throughProxyOnly(t)
	dir := tool.project(t)
	execute(t, tool.migrate(dir, db.tools, up, "0001")).succeeded(t, "make the tables")
	db.fill(t, 20_000)
	execute(t, tool.migrate(dir, db.tools, up, "0005")).succeeded(t, "files of one statement")
	db.checkFinished(t)
	before := db.look(t, tool)

	execute(t, tool.migrate(dir, db.tools, up, "0006")).failedWith(t, "a file of two statements", "pgsluice: ", "outside of the transaction")
	if versions := db.rows(t, tool.versions); !slices.Equal(versions, []string{"(6,t)"}) {
		t.Errorf("the tool recorded %q, want version 6, dirty", versions)
	}
	tool.repaired(t, dir, db, "0005")
	compare(t, before, db.look(t, tool))
}
