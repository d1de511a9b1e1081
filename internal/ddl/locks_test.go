package ddl

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// The cases of testdata/locks.txt are run by a real server. What is listed is what the statement declares; the test fails if pg_locks shows a
// stronger lock on a relation that is named, a written relation that is not declared, or another command tag.
//
// "locks" runs the statement in a transaction that is rolled back. "waits" is for a statement that must not be in one: it is run while
// another session holds the table of its argument, and what it then asks for is what counts.
func TestLocks(t *testing.T) {
	dsn := pgtest.Database(t)
	watcher, holder, conn := pgtest.Connect(t, dsn), pgtest.Connect(t, dsn), pgtest.Connect(t, dsn)
	datadriven.RunTest(t, "testdata/locks.txt", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "setup" {
			mustExec(t, conn, d.Input)
			return ""
		}
		s, err := Reparse(d.Input)
		if err != nil {
			t.Fatalf("%s: %v", d.Pos, err)
		}
		if runsOn(t, conn, d) {
			checkDeclared(t, d, s, locksOf(t, watcher, holder, conn, s, d))
		}
		var out strings.Builder
		for _, ref := range s.Refs {
			fmt.Fprintf(&out, "%s %s\n", dotted(ref.Name), ref.Lock)
		}
		return out.String()
	})
}

func mustExec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
}

// runsOn reports whether the server knows the statement: the argument since names the first major that does.
func runsOn(t *testing.T, conn *pgx.Conn, d *datadriven.TestData) bool {
	t.Helper()
	if !d.HasArg("since") {
		return true
	}
	var since, version int
	d.ScanArgs(t, "since", &since)
	if err := conn.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int / 10000").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version >= since
}

func locksOf(t *testing.T, watcher, holder, conn *pgx.Conn, s Statement, d *datadriven.TestData) []string {
	t.Helper()
	if d.Cmd == "waits" {
		return locksAskedFor(t, watcher, holder, conn, d)
	}
	locks, tag := locksTaken(t, watcher, conn, d)
	if tag != s.Tag {
		t.Errorf("%s: server answers %q, declared is %q", d.Pos, tag, s.Tag)
	}
	return locks
}

var rowCounts = regexp.MustCompile(`( \d+)$`)

// locksTaken runs the statement in a transaction and returns its locks and its tag without a row count.
func locksTaken(t *testing.T, watcher, conn *pgx.Conn, d *datadriven.TestData) (locks []string, tag string) {
	t.Helper()
	mustExec(t, conn, "BEGIN")
	result, err := conn.Exec(t.Context(), d.Input)
	if err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	locks = pgtest.Locks(t, watcher, conn.PgConn().PID())
	mustExec(t, conn, "ROLLBACK")
	return locks, rowCounts.ReplaceAllString(result.String(), "")
}

// locksAskedFor runs the statement while its table is held, and returns what it waits for.
func locksAskedFor(t *testing.T, watcher, holder, conn *pgx.Conn, d *datadriven.TestData) []string {
	t.Helper()
	mustExec(t, holder, "BEGIN; LOCK TABLE "+d.CmdArgs[0].Key)
	done := make(chan error)
	go func() {
		_, err := conn.Exec(t.Context(), d.Input)
		done <- err
	}()
	pid := conn.PgConn().PID()
	pgtest.WaitFor(t, watcher, "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $1", pid)
	locks := pgtest.Locks(t, watcher, pid)
	mustExec(t, holder, "ROLLBACK")
	if err := <-done; err != nil {
		t.Fatalf("%s: %v", d.Pos, err)
	}
	return locks
}

// checkDeclared compares the locks on the relations that the statement names with what it declares.
func checkDeclared(t *testing.T, d *datadriven.TestData, s Statement, locks []string) {
	t.Helper()
	words := map[string]bool{}
	for _, token := range tokens(s.Text) {
		words[s.Text[token.start:token.end]] = true
	}
	declared := map[string]Ref{}
	for _, ref := range s.Refs {
		declared[strings.TrimPrefix(dotted(ref.Name), "public.")] = ref
	}
	for _, lock := range locks {
		fields := strings.Fields(lock)
		ref, named := declared[fields[0]]
		mode := modeOf(t, fields[1])
		switch {
		case !named && words[fields[0]] && mode > AccessShare:
			t.Errorf("%s: %s is locked and named, but not declared", d.Pos, lock)
		case named && !ref.Created && ref.Lock < mode:
			t.Errorf("%s: server takes %s, declared is %s", d.Pos, lock, ref.Lock)
		}
	}
	for name, ref := range declared {
		if ref.Lock > AccessShare && len(locks) == 0 { // GRANT takes none before 18
			t.Errorf("%s: server takes no lock at all, %s on %s is declared", d.Pos, ref.Lock, name)
		}
	}
}

func modeOf(t *testing.T, name string) LockMode {
	t.Helper()
	for mode := AccessShare; mode <= AccessExclusive; mode++ {
		if mode.String() == name {
			return mode
		}
	}
	t.Fatalf("unknown lock mode %s", name)
	return NoLock
}
