package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pgsluice/pgsluice/internal/pgbox"
	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// The proxy is killed at every step of a migration, its own bookkeeping included: when it has sent a statement that changes something,
// and when it has the answer and is about to send the next one. Afterwards the work is finished by whoever resumes it, or the
// migration never happened.
func TestKilledProxy(t *testing.T) {
	for _, kind := range crashKinds() {
		killAtEveryStep(t, kind, "transaction", inTransaction)
		killAtEveryStep(t, kind, "autocommit", inAutocommit)
	}
}

func crashKinds() []string {
	return []string{"index", "foreign-key", "check", "unique"}
}

func inTransaction(statement string) []string {
	return []string{"BEGIN", statement, "INSERT INTO version VALUES ('1')", "COMMIT"}
}

func inAutocommit(statement string) []string { return []string{statement} }

// lasting is in every statement that changes something for others, at once or with a later COMMIT: data, catalogs, advisory locks.
// Between two of them a crash leaves the same.
var lasting = regexp.MustCompile(`(^|; )(CREATE|ALTER|DROP|DO|REINDEX|COMMIT)\b|REFRESH|INSERT INTO|UPDATE (ONLY|pgsluice)|DELETE FROM|advisory_(un)?lock|pgsluice\.promise\(`)

func killAtEveryStep(t *testing.T, kind, form string, statements func(string) []string) {
	for when, answer := range map[string]bool{"sent": false, "answered": true} {
		t.Run(fmt.Sprintf("%s/%s/%s", kind, form, when), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, pgtest.Database(t), pgtest.Role(t, "LOGIN"), kind, statements)
			proxy := s.serve(t)
			for n, more := 1, true; more; n++ {
				proxy, more = s.killAtStep(t, proxy, n, answer)
			}
		})
	}
}

// killAtStep runs the migration until the proxy has sent its n-th lasting statement, or has the answer to it too, and looks at what
// becomes of it. It returns the proxy that has come in its place, and false when there is no such step.
func (s *site) killAtStep(t *testing.T, proxy serving, n int, answer bool) (serving, bool) {
	steps, step := 0, ""
	s.tap.arm(func(at moment) bool {
		if !at.before && lasting.MatchString(at.statement) {
			steps, step = steps+1, at.statement
		}
		if steps != n || at.before != answer {
			return false
		}
		proxy.kill()
		return true
	})
	known := s.migrate(t, proxy)
	_, struck := s.tap.disarm()
	proxy.kill()
	s.awaitEnd(t)
	next := s.serve(t)
	if state := s.settled(t); !slices.Contains(s.possible(known), state) {
		t.Errorf("killed at step %d (answered: %t), %s\nWhat the client knows: %s. There is:\n%s", n, answer, step, known, state)
	}
	if !struck && (known != answered || n < 5) {
		t.Errorf("the proxy was not killed, though there were %d steps; what the client knows: %s", steps, known)
	}
	s.reset(t)
	return next, struck
}

// decisive is in the statement that does the deferred work, also when it is done in the place of its login.
var decisive = regexp.MustCompile(`CREATE (UNIQUE )?INDEX CONCURRENTLY|VALIDATE CONSTRAINT|SELECT pg_temp.pgsluice_step`)

// Whoever resumes the work of a killed proxy is killed in its turn: the next one does it.
func TestKilledResume(t *testing.T) {
	for _, kind := range crashKinds() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, pgtest.Database(t), pgtest.Role(t, "LOGIN"), kind, inTransaction)
			proxy := s.serve(t)
			s.killAtWork(true) <- proxy.process
			if known := s.migrate(t, proxy); known != inDoubt {
				t.Fatal(known)
			}
			s.awaitEnd(t)
			victim := s.killAtWork(false)
			resuming := s.launch(t)
			victim <- resuming
			await(t, resuming.done)
			s.awaitEnd(t)
			s.serve(t)
			if state := s.settled(t); state != s.finished {
				t.Errorf("there is:\n%s", state)
			}
			if attempts := s.attempts(t); attempts != 3 {
				t.Errorf("%d attempts, want that of the client's proxy, the one that was killed, and the last", attempts)
			}
		})
	}
}

// killAtWork kills the process that it is given when the deferred work is about to be sent, or has been.
func (s *site) killAtWork(before bool) chan<- *process {
	victim := make(chan *process, 1)
	s.tap.arm(func(at moment) bool {
		if at.before != before || !decisive.MatchString(at.statement) {
			return false
		}
		(<-victim).kill()
		return true
	})
	return victim
}

// The server is killed when the COMMIT has been sent, and when the work has; a build also half way. The work is finished by hand, and
// the proxy goes on.
func TestKilledServer(t *testing.T) {
	box, err := pgbox.Start(t.Context(), pgbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	postgres := pgtest.Connect(t, box.DSN(box.Superuser(), "postgres"))
	databases := []string{"CREATE ROLE migrator LOGIN"}
	for _, kind := range crashKinds() {
		databases = append(databases, fmt.Sprintf("CREATE DATABASE %q", kind))
	}
	for _, sql := range databases {
		if _, err := postgres.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range crashKinds() {
		t.Run(kind, func(t *testing.T) {
			s := newSite(t, box.DSN(box.Superuser(), kind), "migrator", kind, inTransaction)
			proxy := s.serve(t)
			for _, last := range []*regexp.Regexp{regexp.MustCompile("^COMMIT$"), decisive} {
				s.tap.arm(func(at moment) bool {
					if at.before || !last.MatchString(at.statement) {
						return false
					}
					if err := box.Kill(); err != nil {
						t.Error(err)
					}
					return true
				})
				known := s.migrate(t, proxy)
				if _, struck := s.tap.disarm(); !struck {
					t.Fatalf("%s was never sent", last)
				}
				s.recover(t, box, known)
			}
			if kind == "index" {
				s.write(t)
				known := make(chan knowledge, 1)
				go func() { known <- s.migrate(t, proxy) }()
				s.awaitBuild(t)
				if err := box.Kill(); err != nil {
					t.Fatal(err)
				}
				s.recover(t, box, await(t, known))
			}
			if known := s.migrate(t, proxy); known != answered {
				t.Errorf("what the client of the next migration knows: %s", known)
			}
			if state := s.settled(t); state != s.finished {
				t.Errorf("after the next migration there is:\n%s", state)
			}
		})
	}
}

// recover starts the killed server and finishes by hand what was left.
func (s *site) recover(t *testing.T, box *pgbox.Server, known knowledge) {
	t.Helper()
	if err := box.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.side = pgtest.Connect(t, s.dsn)
	resume := exec.CommandContext(t.Context(), "pgsluice", "jobs", "resume", "--dsn", s.dsn)
	if out, err := resume.CombinedOutput(); err != nil {
		t.Errorf("pgsluice jobs resume: %v\n%s", err, out)
	}
	if state := s.settled(t); !slices.Contains(s.possible(known), state) {
		t.Errorf("what the client knows: %s. There is:\n%s", known, state)
	}
	s.reset(t)
}

// A build that is killed half way leaves an INVALID index. The next proxy drops it, and builds it anew if that was promised.
func TestKilledBuild(t *testing.T) {
	for form, statements := range map[string]func(string) []string{"transaction": inTransaction, "autocommit": inAutocommit} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, pgtest.Database(t), pgtest.Role(t, "LOGIN"), "index", statements)
			proxy := s.serve(t)
			writer := s.write(t)
			known := make(chan knowledge, 1)
			go func() { known <- s.migrate(t, proxy) }()
			s.awaitBuild(t)
			proxy.kill()
			if got := await(t, known); got != inDoubt {
				t.Errorf("what the client knows: %s", got)
			}
			s.awaitNoBuild(t)
			if left := s.state(t); !strings.Contains(left, "INVALID") || !strings.Contains(left, "artifact index t_a_idx") {
				t.Errorf("the crash left:\n%s", left)
			}
			if err := writer.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			s.awaitEnd(t)
			s.serve(t)
			want := map[string]string{"transaction": s.finished, "autocommit": s.never}[form]
			if state := s.settled(t); state != want {
				t.Errorf("there is:\n%s", state)
			}
		})
	}
}

// Of two proxies on one server one is killed while it builds. The other one takes the work over, but not before the server has
// given the first build up, however late the server learns of the death.
func TestTakeover(t *testing.T) {
	for name, vanishes := range map[string]bool{"connection closed": false, "host vanished": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			takeOver(t, vanishes)
		})
	}
}

func takeOver(t *testing.T, vanishes bool) {
	s := newSite(t, pgtest.Database(t), pgtest.Role(t, "LOGIN"), "index", inTransaction)
	s.tap.vanish.Store(vanishes)
	writer, watcher := s.write(t), pgtest.Connect(t, s.dsn)
	first := s.serve(t)
	known := make(chan knowledge, 1)
	go func() { known <- s.migrate(t, first) }()
	s.awaitBuild(t)
	second := s.serve(t) // it finds the work open and will look again soon

	claims := make(chan struct{}, 100)
	s.tap.arm(func(at moment) bool {
		if at.before && strings.Contains(at.statement, "Takes promises whose backend has ended") {
			claims <- struct{}{}
		}
		if at.before && strings.Contains(at.statement, "INDEX CONCURRENTLY") {
			var others int
			if err := watcher.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()").Scan(&others); err != nil || others > 0 {
				t.Errorf("%d build already when this is sent: %s %v", others, at.statement, err)
			}
		}
		return false
	})
	first.kill()
	if got := await(t, known); got != inDoubt {
		t.Errorf("what the client knows: %s", got)
	}
	if vanishes {
		await(t, claims)
		await(t, claims)
		if attempts := s.attempts(t); attempts != 1 {
			t.Errorf("%d attempts while the first backend lives", attempts)
		}
	} else {
		s.awaitNoBuild(t)
	}
	if _, err := writer.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if vanishes {
		pgtest.WaitFor(t, s.side, "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('t_a_idx') AND indisvalid)")
		s.tap.notice()
	}
	second.awaitLine(t, "promised work was resumed")
	if state := s.settled(t); state != s.finished {
		t.Errorf("there is:\n%s", state)
	}
	builds := 0
	heard, _ := s.tap.disarm()
	for _, statement := range heard {
		if strings.HasPrefix(statement, "CREATE INDEX CONCURRENTLY") {
			builds++
		}
	}
	if want := map[bool]int{true: 0, false: 1}[vanishes]; builds != want {
		t.Errorf("the second proxy built %d times, want %d", builds, want)
	}
	if attempts := s.attempts(t); attempts != 2 {
		t.Errorf("%d attempts, want one of each proxy", attempts)
	}
	var deadlocks int
	if err := s.side.QueryRow(t.Context(), "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").Scan(&deadlocks); err != nil || deadlocks > 0 {
		t.Errorf("%d deadlocks, %v", deadlocks, err)
	}
}

// knowledge is what a client knows of its migration when its connection ends.
type knowledge string

const (
	unsent   knowledge = "it has not sent the COMMIT"
	inDoubt  knowledge = "it has sent the COMMIT and got no answer"
	answered knowledge = "it is done"
)

// await waits for a value, or for the end.
func await[T any](t *testing.T, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(patience):
		t.Fatalf("waited %s in vain", patience)
	}
	return value
}

// migration is a file of testdata/crash.
type migration struct {
	setup, statement, undo string
	check                  string // a question, of one text, about the rows; "" for none
}

func readMigration(t *testing.T, kind string) migration {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata/crash", kind+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]string{}
	for _, file := range archive.Files {
		parts[file.Name] = strings.TrimSpace(string(file.Data))
	}
	return migration{parts["setup.sql"], parts["statement.sql"], parts["undo.sql"], parts["check.sql"]}
}

// site is a database in which a migration is run again and again, by proxies that reach it through a wiretap.
type site struct {
	tap        *wiretap
	side       *pgx.Conn // a superuser's, not through the tap
	dsn        string    // of side
	role       string    // who migrates
	env        []string  // of all processes
	statements []string  // of the migration
	undo       string
	check      string
	promised   int64 // the last promise of earlier runs
	// never and finished are the states in which nothing of the migration has happened and all of it has.
	never, finished string
}

// newSite learns in the database, which is empty, what the migration does without a proxy, and takes it back.
func newSite(t *testing.T, dsn, role, kind string, statements func(string) []string) *site {
	t.Helper()
	migration := readMigration(t, kind)
	s := &site{side: pgtest.Connect(t, dsn), dsn: dsn, role: role, statements: statements(migration.statement), undo: migration.undo, check: migration.check}
	config := s.side.Config()
	s.tap = tap(t, fmt.Sprintf("%s:%d", config.Host, config.Port))
	s.env = append(os.Environ(),
		"PGSLUICE_CONTROL_DSN="+s.through(s.tap.address(), config.User),
		"PGSLUICE_CONTROL_DATABASES="+config.Database,
		"PGSLUICE_UPSTREAM_SSLMODE=disable", "PGSLUICE_SMALL_TABLE_ROWS=0", "PGSLUICE_SMALL_TABLE_BYTES=0",
		"PGSLUICE_LOCK_OLD_TRANSACTION=1h", // a build is to begin beside the open transaction of write
	)
	install := exec.CommandContext(t.Context(), "pgsluice", "install", "--dsn", dsn)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	s.exec(t, "GRANT ALL ON SCHEMA public TO "+role)
	s.exec(t, "SET ROLE "+role)
	s.exec(t, migration.setup)
	for _, sql := range s.statements {
		s.exec(t, sql)
	}
	s.exec(t, "RESET ROLE")
	s.finished = s.state(t)
	// Outside of a transaction a build is one step, and nothing of it needs a promise.
	if len(s.statements) > 1 || kind != "index" {
		lines := strings.Split(s.finished+"\npromise done", "\n")
		slices.Sort(lines)
		s.finished = strings.Join(lines, "\n")
	}
	s.exec(t, s.undo)
	s.exec(t, "TRUNCATE version")
	s.never = s.state(t)
	return s
}

// through is the connection string of a login in this database by way of the address.
func (s *site) through(address, login string) string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", login, address, s.side.Config().Database)
}

func (s *site) exec(t *testing.T, sql string) {
	t.Helper()
	if _, err := s.side.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// crashState tells all that a crash could leave in a database.
//
//go:embed testdata/crash/state.sql
var crashState string

func (s *site) state(t *testing.T) (state string) {
	t.Helper()
	if err := s.side.QueryRow(t.Context(), crashState, s.promised).Scan(&state); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(state, "\n")
	if s.check != "" {
		var rows string
		if err := s.side.QueryRow(t.Context(), s.check).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, rows)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// attempts is how often the promise of this run was begun.
func (s *site) attempts(t *testing.T) (attempts int) {
	t.Helper()
	if err := s.side.QueryRow(t.Context(), "SELECT attempts FROM pgsluice.promises WHERE id > $1", s.promised).Scan(&attempts); err != nil {
		t.Fatal(err)
	}
	return attempts
}

// reset takes the migration back, for the next run.
func (s *site) reset(t *testing.T) {
	t.Helper()
	s.exec(t, s.undo)
	s.exec(t, "TRUNCATE version")
	if err := s.side.QueryRow(t.Context(), "SELECT coalesce(max(id), 0) FROM pgsluice.promises").Scan(&s.promised); err != nil {
		t.Fatal(err)
	}
	if state := s.state(t); state != s.never {
		t.Fatalf("after what was left is undone there is:\n%s", state)
	}
}

// serving is a running proxy.
type serving struct {
	*process
	address string
}

// serve starts a proxy behind the tap, and returns when it has looked after the ledger once.
func (s *site) serve(t *testing.T) serving {
	t.Helper()
	p := s.launch(t)
	_, address, _ := strings.Cut(p.awaitLine(t, "pgsluice listens on "), "listens on ")
	p.awaitLine(t, "the ledger is ready")
	return serving{p, address}
}

// launch starts a proxy behind the tap.
func (s *site) launch(t *testing.T) *process {
	t.Helper()
	cmd := exec.Command("pgsluice", "serve", "--listen", "127.0.0.1:0", "--upstream", s.tap.address())
	cmd.Env = s.env
	p, err := launch(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// migrate runs the migration by the simple protocol, and returns when the client has its answer or has lost its connection.
func (s *site) migrate(t *testing.T, proxy serving) knowledge {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client, err := pgconn.Connect(ctx, s.through(proxy.address, s.role))
	if err != nil {
		return unsent
	}
	defer client.Close(ctx)
	for i, sql := range s.statements {
		if _, err := client.Exec(ctx, sql).ReadAll(); err != nil {
			if i == len(s.statements)-1 {
				return inDoubt
			}
			return unsent
		}
	}
	return answered
}

// write begins a transaction that a build waits for, and leaves it open.
func (s *site) write(t *testing.T) *pgx.Conn {
	t.Helper()
	writer := pgtest.Connect(t, s.dsn)
	for _, sql := range []string{"BEGIN", "INSERT INTO t VALUES (0, 0)"} {
		if _, err := writer.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return writer
}

// awaitBuild waits until a build waits, half done.
func (s *site) awaitBuild(t *testing.T) {
	t.Helper()
	pgtest.WaitFor(t, s.side, `SELECT EXISTS (SELECT FROM pg_stat_progress_create_index
		WHERE phase LIKE 'waiting for%' AND datname = current_database())`)
}

// awaitNoBuild waits until the server has noticed that nobody waits for the build any more.
func (s *site) awaitNoBuild(t *testing.T) {
	t.Helper()
	pgtest.WaitFor(t, s.side, "SELECT NOT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE datname = current_database())")
}

// possible are the states that may be after what the client knows.
func (s *site) possible(known knowledge) []string {
	switch known {
	case unsent:
		return []string{s.never}
	case inDoubt:
		return []string{s.never, s.finished}
	}
	return []string{s.finished}
}

// awaitEnd waits until the server has ended all sessions of a dead proxy: what it was at when that died, it may finish.
func (s *site) awaitEnd(t *testing.T) {
	t.Helper()
	pgtest.WaitFor(t, s.side, `SELECT NOT EXISTS (SELECT FROM pg_stat_activity
		WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid())`)
}

// settled is the state when nobody has anything to do any more.
func (s *site) settled(t *testing.T) string {
	t.Helper()
	pgtest.WaitFor(t, s.side, "SELECT NOT EXISTS (SELECT FROM pgsluice.promises WHERE state IN ('pending', 'running'))")
	// What nobody needs any more is struck behind it, by whoever looks after the ledger next.
	pgtest.WaitFor(t, s.side, "SELECT NOT EXISTS (SELECT FROM pgsluice.artifacts)")
	return s.state(t)
}
