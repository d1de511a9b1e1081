package compat

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// installations are what the round trip's tools need, each made once, by the first test that asks for it.
var installations = struct {
	sync.Mutex
	made map[string]func() error
}{made: map[string]func() error{}}

// once makes an installation unless that has been done.
func once(t *testing.T, name string, make func() error) {
	t.Helper()
	installations.Lock()
	made := installations.made[name]
	if made == nil {
		made = sync.OnceValue(make)
		installations.made[name] = made
	}
	installations.Unlock()
	if err := made(); err != nil {
		t.Fatalf("cannot install %s: %v", name, err)
	}
}

// goProgram is a command that go install makes, of a module's version; tags leave out drivers of other databases.
func goProgram(pkg, version, tags string) func(*testing.T) {
	return func(t *testing.T) {
		once(t, pkg, func() error {
			return output(".", append(os.Environ(), "GOBIN="+programs, "CGO_ENABLED=0"), "go", "install", "-tags", tags, pkg+"@"+version)
		})
	}
}

// goModule is a program with a module of its own under testdata.
func goModule(name string) func(*testing.T) {
	return func(t *testing.T) {
		once(t, name, func() error {
			return output(filepath.Join("testdata", name), append(os.Environ(), "CGO_ENABLED=0"), "go", "build", "-o", program(name), ".")
		})
	}
}

// nodePackages are those of testdata/node, as its lock file has them; what only -all needs are devDependencies. Node itself is among them: several of
// the tools need a newer one than Debian has, which is enough for npm.
func nodePackages(t *testing.T) {
	once(t, "the packages of testdata/node", func() error {
		if err := os.CopyFS(program("node"), os.DirFS(filepath.Join("testdata", "node"))); err != nil {
			return err
		}
		args := []string{"ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"}
		if !*all {
			args = append(args, "--omit=dev")
		}
		return output(program("node"), os.Environ(), "npm", args...)
	})
}

// debianPackage is there, or what it runs says that it is not.
func debianPackage(*testing.T) {}

// output runs a command whose output matters only if it fails.
func output(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		return &installError{cmd.Args, out, err}
	}
	return nil
}

// installError shows what the command said.
type installError struct {
	args []string
	out  []byte
	err  error
}

func (e *installError) Error() string { return e.err.Error() + "\n" + string(e.out) }
func (e *installError) Unwrap() error { return e.err }

// nodeProgram is a command of the Node packages.
func nodeProgram(name string) string { return program("node/node_modules/.bin/" + name) }
