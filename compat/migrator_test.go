package compat

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// migrator is a migration tool as the round trip drives it: the pending migrations of a project go up, the last one that is applied goes down.
type migrator struct {
	// name is that of its folder under testdata; version is the one that is pinned, or Debian's.
	name, version string
	// driver, transaction and lock are how it works, for the page in docs.
	driver, transaction, lock string
	// tool is its name in the ledger, unless that is name; table is its own table, and applied asks that for the ids of what is applied, in order, as
	// the ledger spells them.
	tool, table, applied string
	// install makes what up and down run.
	install func(t *testing.T)
	// up brings a database from the project's folder to its newest migration, which is the number to; down takes one back, to that number.
	up, down func(p project, to int) *exec.Cmd
	// repair tells the tool that a database is at a migration after the next one failed; nil if it needs none.
	repair func(p project, at int) *exec.Cmd
	// overrides are the rules that it must be allowed to break, beside those that the story is meant to break: it has no way out of its transaction.
	overrides []string
	// deaf is true when its driver does not read PGOPTIONS: then the override is in the connection string.
	deaf bool
	// sets is true when its driver takes settings, and no options, as parameters of the connection string.
	sets bool
	// counts is what it prints of how many rows its backfill changed; "" for nothing.
	counts string
	// always is true for what .ci/run runs; the others are run with -all.
	always bool
}

// allRows is what those print that say how many rows a statement changed.
const allRows = "3000 rows"

// The locks of the tools' own.
const (
	noLock        = "none"
	waitsForLock  = "waits for it, advisory"
	waitsForRow   = "waits for it, a row"
	lockOrFail    = "refused at once, advisory"
	rowLockOrFail = "refused, a row"
)

// project is a folder of a tool's, with the database that it migrates and the options that its sessions have.
type project struct{ dir, dsn, options string }

// command is a program that runs in the project's folder, with the database in DATABASE_URL. What is written for Node finds the one that testdata/node
// pins, whichever the machine has.
func (p project) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "DATABASE_URL="+p.dsn, "PGOPTIONS="+p.options, "NO_COLOR=1",
		"PATH="+filepath.Dir(nodeProgram("node"))+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return cmd
}

// meant is the project with the override of whoever drops columns and tables and knows it.
func (m migrator) meant(p project) project {
	rules := append([]string{"column-dropped", "column-renamed", "table-dropped", "constraint-dropped"}, m.overrides...)
	allow := strings.Join(rules, ",") + ` reason="release 12 is out"`
	if m.sets {
		p.dsn += "&pgsluice.allow=" + url.QueryEscape(allow)
		return p
	}
	options := "-c pgsluice.allow=" + strings.ReplaceAll(allow, " ", `\ `)
	if m.deaf {
		p.dsn += "&options=" + url.PathEscape(options)
		return p
	}
	p.options = options
	return p
}

// layers are the parts of a project, each a folder under testdata/TOOL/round, with the number of the newest migration in it.
var layers = []struct {
	folder string
	newest int
}{{"tables", 1}, {"constraints", 3}, {"columns", 5}, {"failing", 6}}

// project is a folder with the tool's migrations up to a number.
func (m migrator) project(t *testing.T, newest int) string {
	t.Helper()
	dir := t.TempDir()
	for _, layer := range layers {
		folder := filepath.Join("testdata", m.name, "round", layer.folder)
		if _, err := os.Stat(folder); err != nil || layer.newest > newest {
			continue // a tool may be one program that has its migrations in it
		}
		// A layer has its own version of a file that lists the migrations.
		if err := overlay(dir, folder); err != nil {
			t.Fatalf("cannot set up a project of %s: %v", m.name, err)
		}
	}
	if err := os.Symlink(program("node/node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// overlay copies a folder over another one.
func overlay(dir, folder string) error {
	return filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		target := filepath.Join(dir, rest)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o777)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o666)
	})
}

// ledgerName is the name that the ledger has for the tool.
func (m migrator) ledgerName() string {
	if m.tool != "" {
		return m.tool
	}
	return m.name
}

// migrators are all that make the round trip.
func migrators() []migrator {
	var all []migrator
	for _, some := range [][]migrator{pythonMigrators(), goMigrators(), nodeMigrators(), otherMigrators()} {
		all = append(all, some...)
	}
	return all
}

// newest is a command that does not depend on the number to go to.
func newest(name string, args ...string) func(project, int) *exec.Cmd {
	return func(p project, _ int) *exec.Cmd { return p.command(name, args...) }
}
