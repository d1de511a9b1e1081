package compat

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// TestSeries tells the same story twice with each tool, straight to Postgres and through the proxy. After each of its chapters the
// two databases must be the same, and while the proxy migrates the application must not wait.
func TestSeries(t *testing.T) {
	for _, tool := range tools() {
		t.Run(tool.name, func(t *testing.T) {
			owner := pgtest.Role(t, "LOGIN")
			direct := tell(t, tool, newDatabase(t, owner))
			db := newDatabase(t, owner).throughProxy(t)
			proxied := tell(t, tool, db)
			for i := range direct {
				compare(t, direct[i], proxied[i])
			}
			compareStalls(t, direct, proxied)
			db.checkDeferred(t)
		})
	}
}

// chapter is a part of the story and what it left.
type chapter struct {
	name string
	outcome
	versions []string      // the rows of the tool's own table
	schema   string        // as pg_dump writes it
	stall    time.Duration // the longest wait of a statement of the application's
}

// tell has a tool go through the series in a database, and returns how it went, chapter by chapter.
func tell(t *testing.T, tool tool, db *database) []chapter {
	t.Helper()
	var chapters []chapter
	migrate := func(name, dir string, to direction, revision string) outcome {
		t.Helper()
		c := chapter{name: name}
		work := func() { c.outcome = execute(t, tool.migrate(dir, db.tools, to, revision)) }
		if len(chapters) == 0 {
			work() // There is no table to be busy with yet.
		} else {
			c.stall = underLoad(t, db.direct, work)
		}
		left := db.look(t, tool)
		c.versions, c.schema = left.versions, left.schema
		db.checkFinished(t)
		chapters = append(chapters, c)
		return c.outcome
	}

	series := tool.project(t)
	migrate("make the tables", series, up, "0001").succeeded(t, "make the tables")
	db.fill(t, 300_000)
	migrate("upgrade", series, up, "0006").succeeded(t, "upgrade")
	for _, f := range failures {
		migrate(f.folder, tool.project(t, f.folder), up, "0007").failedWith(t, f.folder, f.message)
		tool.repaired(t, series, db, "0006")
	}
	for _, revision := range []string{"0005", "0004", "0003", "0002", "0001"} {
		name := "downgrade to " + revision
		migrate(name, series, down, revision).succeeded(t, name)
	}
	migrate("upgrade again", series, up, "0006").succeeded(t, "upgrade again")
	return chapters
}

// failures are migrations 0007 that cannot succeed, with what the server says of them.
var failures = []struct{ folder, message string }{
	{"duplicates", `could not create unique index "orders_batch_key"`},
	{"unknown-column", `column "shipped_at" does not exist`},
}

// compare reports what a chapter left differently in the two databases.
func compare(t *testing.T, direct, proxied chapter) {
	t.Helper()
	if (direct.exit == 0) != (proxied.exit == 0) {
		t.Errorf("%s: exit status %d directly, %d through the proxy:\n%s", direct.name, direct.exit, proxied.exit, proxied.output)
	}
	if !slices.Equal(direct.versions, proxied.versions) {
		t.Errorf("%s: the tool recorded %q directly, %q through the proxy", direct.name, direct.versions, proxied.versions)
	}
	if direct.schema != proxied.schema {
		t.Errorf("%s: the schema directly:\n%s\nthrough the proxy:\n%s", direct.name, direct.schema, proxied.schema)
	}
}

// unnoticed is a wait that a busy test machine causes by itself.
const unnoticed = 500 * time.Millisecond

// compareStalls reports how long the application had to wait, which through the proxy must be much less.
func compareStalls(t *testing.T, direct, proxied []chapter) {
	t.Helper()
	var longestDirect, longestProxied time.Duration
	var table strings.Builder
	for i := range direct {
		longestDirect = max(longestDirect, direct[i].stall)
		longestProxied = max(longestProxied, proxied[i].stall)
		fmt.Fprintf(&table, "\n%-20s %8d ms %8d ms", direct[i].name, direct[i].stall.Milliseconds(), proxied[i].stall.Milliseconds())
	}
	t.Logf("longest wait           directly   proxied%s", &table)
	if limit := max(longestDirect/2, unnoticed); longestProxied >= limit {
		t.Errorf("a statement of the application waited for %s while the proxy migrated, want less than %s", longestProxied, limit)
	}
}
