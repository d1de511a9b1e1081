package compat

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// programs is the folder of the binaries that TestMain builds.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// run builds what is tested, tests, and removes it.
func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "compat-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = dir
	if err := build("..", "pgsluice", "./cmd/pgsluice"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := build(".", "migrate", "-tags", "postgres,pgx5", "github.com/golang-migrate/migrate/v4/cmd/migrate"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return pgtest.Run(m)
}

// build makes a program as go build does in the module at dir.
func build(dir, name string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-o", program(name)}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", name, err, out)
	}
	return nil
}

func program(name string) string { return filepath.Join(programs, name) }
