package compat

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

var (
	all   = flag.Bool("all", false, "make the round trip with all the tools, not only with those of .ci/run")
	write = flag.Bool("write", false, "write what the ledger holds after the round trip, and docs/tools.md, instead of comparing them")
)

// TestRound has each tool go up, down and up again, straight to Postgres and through the proxy with its rules in force, which must leave the same:
// schema, rows, the tool's own table, exit status. After each step the ledger lists the revisions that the tool's own table lists, and at the
// end, in testdata/TOOL/ledger.txt, what was run for each.
func TestRound(t *testing.T) {
	page := &page{rows: map[string]string{}}
	passed, failed := 0, 0
	var counting sync.Mutex
	t.Run("tools", func(t *testing.T) {
		for _, m := range migrators() {
			if !m.always && !*all {
				continue
			}
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				t.Cleanup(func() {
					counting.Lock()
					defer counting.Unlock()
					if t.Failed() {
						failed++
						return
					}
					passed++
				})
				m.install(t)
				trip := roundTrip(t, m)
				counting.Lock()
				page.rows[m.name] = trip
				counting.Unlock()
			})
		}
	})
	if failed == 0 {
		page.check(t)
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
}

// The rows that the tables get once they are there; every table that is not tiny counts as large.
const (
	roundUsers  = 300
	roundOrders = 3000
)

// roundSettings make the proxy take tables of that size for large ones. Of a column that is new the server guesses that it is NULL in one row of two
// hundred: so many must be many.
func roundSettings(owner string) []string {
	return []string{
		"PGSLUICE_SMALL_TABLE_ROWS=100", "PGSLUICE_BATCH_MIN_ROWS=10", "PGSLUICE_BATCH_MAX_ROWS=1000",
		"PGSLUICE_OVERRIDES_ROLES=" + owner,
	}
}

// roundTrip compares the story told twice, then has two instances at once, and returns the tool's line of the page.
func roundTrip(t *testing.T, m migrator) string {
	t.Helper()
	owner := pgtest.Role(t, "LOGIN")
	direct := newDatabase(t, owner)
	expected := m.travel(t, direct)
	db := newDatabase(t, owner).throughProxy(t, roundSettings(owner)...)
	found := m.travel(t, db)
	for i := range expected {
		compareStops(t, expected[i], found[i])
	}
	db.checkFinished(t)
	kept := db.record(t)
	kept.checkCommand(t, db)
	m.checkStatements(t, kept)
	twoAtOnce(t, m, owner, expected)
	return m.row(t, db)
}

// stop is a point of the round trip, and what is there.
type stop struct {
	name string
	outcome
	applied []string // as the tool's own table has it
	schema  string   // as pg_dump writes it
	rows    string   // a digest of those of orders
}

// travel takes the tool through the story in a database, and checks at every stop what the ledger says.
func (m migrator) travel(t *testing.T, db *database) []stop {
	t.Helper()
	var stops []stop
	var kept record
	if db.ledger {
		kept = db.record(t)
	}
	arrive := func(name string, o outcome) {
		t.Helper()
		s := m.look(t, db, name)
		s.outcome = o
		stops = append(stops, s)
		db.checkLeftovers(t)
		if db.ledger {
			m.checkApplied(t, kept, name, s.applied)
		}
	}
	projectTo := func(n int) project { return project{dir: m.project(t, n), dsn: db.tools} }

	arrive("tables", execute(t, m.up(projectTo(1), 1)).succeeded(t, "tables"))
	db.fillRound(t)
	arrive("constraints", execute(t, m.up(projectTo(3), 3)).succeeded(t, "constraints"))

	columns := projectTo(5)
	if db.ledger {
		refused := execute(t, m.up(columns, 5))
		if refused.exit == 0 {
			t.Errorf("a column is dropped without an override:\n%s", refused.output)
		}
		refused.failedWith(t, "columns without an override", `pgsluice: dropping column "fax" of "orders"`)
		m.repaired(t, columns, 3)
	}
	changed := execute(t, m.up(m.meant(columns), 5)).succeeded(t, "columns")
	if !strings.Contains(changed.output, m.counts) {
		t.Errorf("the backfill does not say %q of the %d rows that it changed:\n%s", m.counts, roundOrders, changed.output)
	}
	arrive("columns", changed)

	failed := execute(t, m.up(projectTo(6), 6))
	if failed.exit == 0 {
		t.Errorf("the migration that cannot succeed did:\n%s", failed.output)
	}
	arrive("failing", failed)
	m.repaired(t, columns, 5)

	if m.down == nil {
		return stops
	}
	for to := 4; to >= 0; to-- {
		name := fmt.Sprintf("down to %d", to)
		arrive(name, execute(t, m.down(m.meant(columns), to)).succeeded(t, name))
	}
	arrive("up again", execute(t, m.up(m.meant(columns), 5)).succeeded(t, "up again"))
	return stops
}

// repaired has the tool go on behind a failed migration.
func (m migrator) repaired(t *testing.T, p project, at int) {
	t.Helper()
	if m.repair != nil {
		execute(t, m.repair(p, at)).succeeded(t, "repair")
	}
}

// fillRound gives the tables of the first migration their rows: each order has a number of its own, and many have the same amount.
func (db *database) fillRound(t *testing.T) {
	t.Helper()
	db.exec(t, fmt.Sprintf("INSERT INTO users (email) SELECT 'user' || i || '@example.org' FROM generate_series(1, %d) AS i", roundUsers))
	db.exec(t, fmt.Sprintf(`INSERT INTO orders (user_id, number, status, amount, fax)
		SELECT 1 + i %% %d, md5(i::text), 'new', i %% 1000, 'none' FROM generate_series(1, %d) AS i`, roundUsers, roundOrders))
	db.exec(t, "VACUUM ANALYZE users, orders")
}

// look is what is there at a stop.
func (m migrator) look(t *testing.T, db *database, name string) stop {
	t.Helper()
	s := stop{name: name, applied: db.query(t, m.applied), schema: pgtest.Dump(t, db.direct)}
	if there := db.query(t, "SELECT 'yes' WHERE to_regclass('orders') IS NOT NULL"); len(there) > 0 {
		s.rows = db.query(t, "SELECT count(*) || ' ' || COALESCE(md5(string_agg(o::text, ',' ORDER BY id)), '') FROM orders AS o")[0]
	}
	return s
}

// compareStops reports what a stop has differently in the two databases.
func compareStops(t *testing.T, direct, proxied stop) {
	t.Helper()
	if direct.exit != proxied.exit {
		t.Errorf("%s: exit status %d directly, %d through the proxy:\n%s", direct.name, direct.exit, proxied.exit, proxied.output)
	}
	checkStop(t, direct, proxied)
}

// checkStop compares what is in the databases, not how the command ended.
func checkStop(t *testing.T, direct, proxied stop) {
	t.Helper()
	if !slices.Equal(direct.applied, proxied.applied) {
		t.Errorf("%s: the tool recorded %q directly, %q through the proxy", direct.name, direct.applied, proxied.applied)
	}
	if direct.schema != proxied.schema {
		t.Errorf("%s: the schema directly:\n%s\nthrough the proxy:\n%s", direct.name, direct.schema, proxied.schema)
	}
	if direct.rows != proxied.rows {
		t.Errorf("%s: orders has the rows %s directly, %s through the proxy", direct.name, direct.rows, proxied.rows)
	}
}

// twoAtOnce starts two instances, as where each replica of an application migrates, both of which find the same migrations pending: the tool's own
// table is held until each of them waits or has given up. One migration at a time is the proxy's part for tools that have no lock of their own; those
// that wait for theirs must both succeed, though the proxy has them take turns, too. Whoever is turned away says so and finds nothing to do when it is run again.
func twoAtOnce(t *testing.T, m migrator, owner string, direct []stop) {
	t.Helper()
	least := 1
	if m.lock == waitsForLock {
		least = 2
	}
	db := newDatabase(t, owner).throughProxy(t, append(roundSettings(owner), "PGSLUICE_REVISIONS_EXCLUSIVE=wait")...)
	execute(t, m.up(project{dir: m.project(t, 1), dsn: db.tools}, 1)).succeeded(t, "tables")
	db.fillRound(t)
	constraints := project{dir: m.project(t, 3), dsn: db.tools}

	holder, err := pgtest.Connect(t, db.admin.Config().ConnString()).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(t.Context(), "LOCK TABLE "+m.table+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	instances := [2]*running{start(t, m.up(constraints, 3)), start(t, m.up(constraints, 3))}
	db.awaitHalt(t, owner, instances)
	if err := holder.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	succeeded := 0
	for _, instance := range instances {
		if o := instance.wait(); o.exit == 0 {
			succeeded++
		} else {
			t.Logf("one of two instances at once ended with exit status %d:\n%s", o.exit, o.output)
		}
	}
	if succeeded < least {
		t.Errorf("%d of two instances at once succeeded, want %d", succeeded, least)
	}
	execute(t, m.up(constraints, 3)).succeeded(t, "once more")
	db.checkFinished(t)
	found := m.look(t, db, "two at once")
	checkStop(t, direct[1], found)
	kept := db.record(t)
	m.checkApplied(t, kept, "two at once", found.applied)
	m.checkOnce(t, kept)
}

// awaitHalt returns when each of the instances has ended or waits in the server: for a lock, or from one try to get it to the next.
func (db *database) awaitHalt(t *testing.T, owner string, instances [2]*running) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); <-ticker.C {
		halted := len(db.query(t, `SELECT pid::text FROM pg_stat_activity WHERE datname = current_database()
			AND usename = '`+owner+`' AND (wait_event_type = 'Lock' OR wait_event = 'PgSleep')`))
		for _, instance := range instances {
			if instance.hasEnded() {
				halted++
			}
		}
		if halted >= len(instances) {
			return
		}
	}
	t.Fatal("two instances at once neither wait nor end")
}
