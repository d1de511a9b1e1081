package compat

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tool is a migration tool, set up in one way.
type tool struct {
	name string
	// testdata is the folder under testdata with its migrations: the series, and what a test adds to it.
	testdata string
	// versions is the tool's own table.
	versions string
	// migrate is the command that brings the database at dsn up or down to a revision of the project in dir; "base" is before the first.
	migrate func(dir, dsn string, to direction, revision string) *exec.Cmd
	// repair is the command that tells the tool which revision a database is at after a migration failed; nil if it needs none.
	repair func(dir, dsn, revision string) *exec.Cmd
	// codes is true when the tool prints the SQLSTATE of an error.
	codes bool
}

type direction string

const (
	up   direction = "upgrade"
	down direction = "downgrade"
)

// tools are all that is tested. A tool that is missing fails its tests, it is not skipped.
func tools() []tool {
	return []tool{
		alembic("alembic"),
		alembic("alembic transaction_per_migration", "-x", "transaction_per_migration=yes"),
		golangMigrate("golang-migrate postgres", "postgres"),
		golangMigrate("golang-migrate pgx5", "pgx5"),
	}
}

// alembic runs all pending revisions in one transaction, unless it is told to take one for each.
func alembic(name string, options ...string) tool {
	return tool{
		name:     name,
		testdata: "alembic",
		versions: "alembic_version",
		migrate: func(dir, dsn string, to direction, revision string) *exec.Cmd {
			args := append([]string{"-c", filepath.Join(dir, "alembic.ini")}, options...)
			cmd := exec.Command("alembic", append(args, string(to), revision)...)
			cmd.Env = append(os.Environ(), "DATABASE_URL="+withScheme(dsn, "postgresql"), "PYTHONDONTWRITEBYTECODE=1")
			return cmd
		},
	}
}

// golangMigrate sends each file as one Query outside of any transaction block, between two transactions of its own that mark the
// version as dirty and as clean.
func golangMigrate(name, driver string) tool {
	command := func(dir, dsn string, args ...string) *exec.Cmd {
		return exec.Command(program("migrate"), append([]string{"-path", dir, "-database", withScheme(dsn, driver)}, args...)...)
	}
	return tool{
		name:     name,
		testdata: "golang-migrate",
		versions: "schema_migrations",
		migrate: func(dir, dsn string, _ direction, revision string) *exec.Cmd {
			if revision == "base" {
				return command(dir, dsn, "down", "-all")
			}
			return command(dir, dsn, "goto", revision)
		},
		repair: func(dir, dsn, revision string) *exec.Cmd { return command(dir, dsn, "force", revision) },
		codes:  driver == "pgx5",
	}
}

// withScheme is the DSN as a tool spells it.
func withScheme(dsn, scheme string) string {
	_, rest, _ := strings.Cut(dsn, "://")
	return scheme + "://" + rest
}

// project is a folder with the tool's series of migrations and with what a test adds to it.
func (tool tool) project(t *testing.T, additions ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, part := range append([]string{"series"}, additions...) {
		if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", tool.testdata, part))); err != nil {
			t.Fatalf("cannot set up a project of %s: %v", tool.name, err)
		}
	}
	return dir
}

// repaired has the tool go on behind a failed migration; revision is the one that the database is at.
func (tool tool) repaired(t *testing.T, dir string, db *database, revision string) {
	t.Helper()
	if tool.repair != nil {
		execute(t, tool.repair(dir, db.tools, revision)).succeeded(t, "repair")
	}
}

// outcome is what a command left.
type outcome struct {
	exit   int
	output string // of both streams
}

// execute runs a command to its end, whatever that is.
func execute(t *testing.T, cmd *exec.Cmd) outcome {
	t.Helper()
	return start(t, cmd).wait()
}

// running is a command that runs while the test does something else.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	output bytes.Buffer
	ended  chan struct{}
	err    error // how it ended
}

// start runs a command, at the latest to the end of the test.
func start(t *testing.T, cmd *exec.Cmd) *running {
	t.Helper()
	r := &running{t: t, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &r.output, &r.output
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test runs %s: %v (README.md says what to install)", cmd.Args[0], err)
	}
	go func() {
		defer close(r.ended)
		r.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		if !r.hasEnded() {
			cmd.Process.Kill() // it may just have ended
			<-r.ended
		}
	})
	return r
}

func (r *running) hasEnded() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// wait waits for the end.
func (r *running) wait() outcome {
	r.t.Helper()
	<-r.ended
	var failed *exec.ExitError
	if r.err != nil && !errors.As(r.err, &failed) {
		r.t.Fatalf("cannot run %s: %v", r.cmd.Args[0], r.err)
	}
	return outcome{exit: r.cmd.ProcessState.ExitCode(), output: r.output.String()}
}

// succeeded stops the test unless the command did what it was asked for.
func (o outcome) succeeded(t *testing.T, what string) outcome {
	t.Helper()
	if o.exit != 0 {
		t.Fatalf("%s: exit status %d\n%s", what, o.exit, o.output)
	}
	return o
}

// failedWith reports when the command did not fail, or did not say all of the texts.
func (o outcome) failedWith(t *testing.T, what string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if o.exit == 0 || !strings.Contains(o.output, text) {
			t.Errorf("%s: exit status %d, want a failure that says %q:\n%s", what, o.exit, text, o.output)
		}
	}
}
