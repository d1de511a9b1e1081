package pgbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// oldestMajor is the oldest Postgres that pgbox starts.
const oldestMajor = 12

// Binaries is a folder of Postgres programs that run on this machine.
type Binaries struct {
	Dir     string // holds at least postgres and initdb
	Version string // as the server says it, for example "15.14" or "18.4"
	Major   int
}

// Find returns binaries of the wanted major: those named by PGSLUICE_PG_BIN, else the newest installed on this
// machine, else the newest in the cache, else it fetches them. ctx bounds the fetch too.
func Find(ctx context.Context, opts Options) (Binaries, error) {
	opts = opts.withDefaults()
	account, err := serverAccount()
	if err != nil {
		return Binaries{}, err
	}
	if opts.Major != 0 && opts.Major < oldestMajor {
		return Binaries{}, fmt.Errorf("cannot run Postgres %d: the oldest that pgsluice runs is %d", opts.Major, oldestMajor)
	}

	if dir := os.Getenv("PGSLUICE_PG_BIN"); dir != "" {
		named, err := account.probe(ctx, dir)
		if err != nil {
			return Binaries{}, fmt.Errorf("cannot use PGSLUICE_PG_BIN: %w", err)
		}
		if opts.Major == 0 || opts.Major == named.Major {
			return named, nil
		}
	}
	if local, ok := account.newest(ctx, localDirs(ctx), opts.Major); ok {
		return local, nil
	}
	if err := ctx.Err(); err != nil {
		return Binaries{}, fmt.Errorf("cannot look for Postgres: %w", err)
	}
	cache, err := openCache(opts, account)
	if err != nil {
		return Binaries{}, err
	}
	if cached, ok := cache.find(ctx, opts.Major); ok {
		return cached, nil
	}
	if npm, err := exec.LookPath("npm"); err == nil {
		return cache.fetch(ctx, npmRegistry{npm}, opts.Major)
	}
	return install(ctx, cache, opts.Major)
}

// newest returns the newest usable binaries of the wanted major (0: any) in the folders.
func (a *account) newest(ctx context.Context, dirs []string, major int) (Binaries, bool) {
	var best Binaries
	for _, dir := range dirs {
		found, err := a.probe(ctx, dir)
		if err != nil || major != 0 && found.Major != major {
			continue
		}
		if slices.Compare(parseVersion(found.Version), parseVersion(best.Version)) > 0 {
			best = found
		}
	}
	return best, best.Dir != ""
}

// localDirs lists the folders where packagers put the server programs.
func localDirs(ctx context.Context) []string {
	var dirs []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                          // Debian
		"/usr/pgsql-*/bin",                                   // PGDG on Red Hat
		"/usr/libexec/postgresql*",                           // Alpine
		"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew, Apple silicon
		"/usr/local/opt/postgresql@*/bin",                    // Homebrew, Intel
		"/opt/local/lib/postgresql*/bin",                     // MacPorts
		"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
		"/usr/local/pgsql/bin",                               // built from source
	} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			continue
		}
		dirs = append(dirs, matches...)
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	if postgres, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(postgres))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// probe asks the programs in dir for their version, as the account that will run the server: that they are there is
// not enough, the account must reach them and their libraries must load.
func (a *account) probe(ctx context.Context, dir string) (Binaries, error) {
	for _, program := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, program)); err != nil {
			return Binaries{}, fmt.Errorf("cannot find %s: %w", program, err)
		}
	}
	postgres := filepath.Join(dir, "postgres")
	cmd := a.command(ctx, "/", postgres, "-V")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("cannot run %s: %w %s", postgres, err, bytes.TrimSpace(stderr.Bytes()))
	}
	version := programVersion(string(out))
	major := parseVersion(version).major()
	if major < oldestMajor {
		return Binaries{}, fmt.Errorf("cannot use %s, which says that it is %q: the oldest that pgsluice runs is %d",
			postgres, bytes.TrimSpace(out), oldestMajor)
	}
	return Binaries{Dir: dir, Version: version, Major: major}, nil
}

// programVersion takes "15.14" from "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)".
func programVersion(out string) string {
	_, rest, _ := strings.Cut(out, "PostgreSQL) ")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return ""
	}
	return fields[0]
}

// Tool returns the path of a client program such as psql, pg_dump or pgbench that works with a server of this
// version: the one beside the server, else any on this machine whose major is not older. False means there is none.
func (b Binaries) Tool(name string) (string, bool) {
	beside := filepath.Join(b.Dir, name)
	if _, err := exec.LookPath(beside); err == nil {
		return beside, true
	}
	var candidates []string
	for _, dir := range localDirs(context.Background()) {
		candidates = append(candidates, filepath.Join(dir, name))
	}
	if onPath, err := exec.LookPath(name); err == nil {
		candidates = append(candidates, onPath)
	}
	for _, path := range candidates {
		out, err := exec.Command(path, "--version").Output()
		if err == nil && parseVersion(programVersion(string(out))).major() >= b.Major {
			return path, true
		}
	}
	return "", false
}
