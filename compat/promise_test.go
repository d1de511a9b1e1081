package compat

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// duplicate is an order that the unique index of migration 0007 cannot take.
const (
	duplicate = `INSERT INTO orders (user_id, number, batch, status, amount)
		SELECT user_id, number || ' again', batch, status, amount FROM orders WHERE id = 1`
	mend = "DELETE FROM orders WHERE number LIKE '% again'"
)

// TestPromiseFails: the transaction of a migration is committed, and what it deferred cannot be done. Nothing in the tool's own table
// tells, so the tool must be told now and next time, until the work is finished.
func TestPromiseFails(t *testing.T) {
	for _, tool := range tools() {
		t.Run(tool.name, func(t *testing.T) {
			owner := pgtest.Role(t, "LOGIN")
			expected := newDatabase(t, owner)
			db := newDatabase(t, owner).throughProxy(t)
			dir := tool.project(t, "promise")
			migrate := func(db *database, revision string) outcome {
				t.Helper()
				return execute(t, tool.migrate(dir, db.tools, up, revision))
			}
			for _, db := range []*database{expected, db} {
				migrate(db, "0001").succeeded(t, "make the tables")
				db.fill(t, 20_000)
				migrate(db, "0006").succeeded(t, "upgrade")
			}
			migrate(expected, "0008").succeeded(t, "upgrade directly")

			first := db.breakBuild(t, tool.migrate(dir, db.tools, up, "0007"))
			first.failedWith(t, "the run that committed", "pgsluice: the transaction is COMMITTED", "orders_user_id_batch_key")
			if tool.codes {
				first.failedWith(t, "the run that committed", "(SQLSTATE PS001)")
			}
			resume := resumeCommand(t, first)
			db.pgsluice(t, "jobs", "list", "--json").failedWith(t, "pgsluice jobs list", `"state": "failed"`, `"sqlstate": "23505"`)
			tool.repaired(t, dir, db, "0007")

			second := migrate(db, "0008")
			second.failedWith(t, "the next run", "pgsluice")
			if command := resumeCommand(t, second); !slices.Equal(command, resume) {
				t.Errorf("the next run asks for %q, the first one for %q", command, resume)
			}
			tool.repaired(t, dir, db, "0007")

			db.pgsluice(t, resume...).failedWith(t, "resume with the duplicate", "orders_user_id_batch_key")
			db.exec(t, mend)
			db.pgsluice(t, resume...).succeeded(t, "resume without the duplicate")
			migrate(db, "0008").succeeded(t, "upgrade after the resume")
			db.checkFinished(t)
			db.checkSame(t, expected, tool)
		})
	}
}

// TestBuildFailsOutsideTransaction: a statement alone in its file is in no transaction. It fails like any other, and nothing is promised.
func TestBuildFailsOutsideTransaction(t *testing.T) {
	tool := golangMigrate("golang-migrate", "pgx5")
	db := newDatabase(t, pgtest.Role(t, "LOGIN")).throughProxy(t)
	dir := tool.project(t, "alone")
	execute(t, tool.migrate(dir, db.tools, up, "0001")).succeeded(t, "make the tables")
	db.fill(t, 20_000)
	execute(t, tool.migrate(dir, db.tools, up, "0006")).succeeded(t, "upgrade")
	before := db.look(t, tool)

	failed := db.breakBuild(t, tool.migrate(dir, db.tools, up, "0007"))
	failed.failedWith(t, "the migration", `could not create unique index "orders_user_id_batch_key"`, "(SQLSTATE 23505)")
	if strings.Contains(failed.output, "COMMITTED") {
		t.Errorf("nothing is committed:\n%s", failed.output)
	}
	db.checkFinished(t)
	tool.repaired(t, dir, db, "0006")
	compare(t, before, db.look(t, tool))

	db.exec(t, mend)
	execute(t, tool.migrate(dir, db.tools, up, "0007")).succeeded(t, "the migration, once more")
	db.checkFinished(t)
}

// breakBuild runs a migration whose unique index meets a duplicate that nobody could see when the build began: a concurrent build waits
// for whoever wrote to the table before, and finds what he wrote.
func (db *database) breakBuild(t *testing.T, migration *exec.Cmd) outcome {
	t.Helper()
	writer, err := pgtest.Connect(t, db.direct).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Exec(t.Context(), duplicate); err != nil {
		t.Fatal(err)
	}
	running := start(t, migration)
	pgtest.WaitFor(t, db.admin, `SELECT EXISTS (SELECT FROM pg_stat_progress_create_index
		WHERE datname = current_database() AND phase LIKE 'waiting for writers%')`)
	if err := writer.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return running.wait()
}

// TestDuplicatesBeforeCommit: what breaks a promise while its transaction is still open is an ordinary error, which rolls it back.
func TestDuplicatesBeforeCommit(t *testing.T) {
	tool := alembic("alembic")
	db := newDatabase(t, pgtest.Role(t, "LOGIN")).throughProxy(t)
	dir := tool.project(t, "late")
	execute(t, tool.migrate(dir, db.tools, up, "0001")).succeeded(t, "make the tables")
	db.fill(t, 20_000)
	execute(t, tool.migrate(dir, db.tools, up, "0006")).succeeded(t, "upgrade")
	before := db.look(t, tool)

	session := pgtest.Connect(t, db.direct)
	if _, err := session.Exec(t.Context(), "SELECT pg_advisory_lock(2)"); err != nil {
		t.Fatal(err)
	}
	running := start(t, tool.migrate(dir, db.tools, up, "0007"))
	pgtest.WaitFor(t, db.admin, `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 1
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`)
	db.exec(t, duplicate)
	if _, err := session.Exec(t.Context(), "SELECT pg_advisory_unlock(2)"); err != nil {
		t.Fatal(err)
	}

	running.wait().failedWith(t, "the migration", `could not create unique index "orders_user_id_batch_key"`)
	compare(t, before, db.look(t, tool))
	db.checkFinished(t)
	db.exec(t, mend)
	execute(t, tool.migrate(dir, db.tools, up, "0007")).succeeded(t, "the migration, once more")
	db.checkFinished(t)
}

var resumeIn = regexp.MustCompile(`pgsluice (jobs resume \d+)`)

// resumeCommand is the command that finishes the work, from the first line that says pgsluice.
func resumeCommand(t *testing.T, o outcome) []string {
	t.Helper()
	_, said, _ := strings.Cut(o.output, "pgsluice:")
	line, _, _ := strings.Cut(said, "\n")
	found := resumeIn.FindStringSubmatch(line)
	if found == nil {
		t.Fatalf("the first line does not say how to finish the work:\n%s", o.output)
	}
	return strings.Fields(found[1])
}
