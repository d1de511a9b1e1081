package pgbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// cache is a folder of fetched Postgres versions, one folder each, named by the version of the package. Processes may
// use it at the same time: a version appears whole or not at all, and who fetches holds the lock.
type cache struct {
	dir     string
	account *account
	log     *slog.Logger
}

// openCache makes the folder if there is none.
func openCache(opts Options, account *account) (*cache, error) {
	dir, err := cacheDir(opts, account)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the cache of Postgres binaries: %w", err)
	}
	return &cache{dir: dir, account: account, log: opts.Logger}, nil
}

func cacheDir(opts Options, account *account) (string, error) {
	if opts.Cache != "" {
		return filepath.Abs(opts.Cache)
	}
	if account != nil {
		return "/var/cache/pgsluice-postgres", nil // root's own cache is closed to the account that runs the server
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cannot find a folder for Postgres binaries: %w", err)
	}
	return filepath.Join(dir, "pgsluice", "postgres"), nil
}

// find returns the newest cached version of the wanted major (0: any).
func (c *cache) find(ctx context.Context, major int) (Binaries, bool) {
	dirs, err := filepath.Glob(filepath.Join(c.dir, "[0-9]*", "bin"))
	if err != nil {
		return Binaries{}, false
	}
	return c.account.newest(ctx, dirs, major)
}

// fetch adds the newest published version of the wanted major (0: any) to the cache.
func (c *cache) fetch(ctx context.Context, npm npmRegistry, major int) (Binaries, error) {
	unlock, err := c.lock(ctx)
	if err != nil {
		return Binaries{}, err
	}
	defer unlock()
	if fetched, ok := c.find(ctx, major); ok { // by another process, while we waited for the lock
		return fetched, nil
	}

	workspace, err := c.workspace()
	if err != nil {
		return Binaries{}, err
	}
	defer os.RemoveAll(workspace)
	version, err := npm.newest(ctx, major)
	if err != nil {
		return Binaries{}, err
	}
	c.log.Info("fetching Postgres", "version", version, "into", c.dir)
	tree, err := npm.download(ctx, version, workspace)
	if err != nil {
		return Binaries{}, err
	}
	if _, err := c.account.probe(ctx, filepath.Join(tree, "bin")); err != nil {
		return Binaries{}, fmt.Errorf("cannot use the fetched Postgres: %w", err)
	}
	return c.add(ctx, tree, version)
}

// add moves a tree into its place. What is there already did not work, or we would not have fetched.
func (c *cache) add(ctx context.Context, tree, version string) (Binaries, error) {
	place := filepath.Join(c.dir, version)
	if err := os.RemoveAll(place); err != nil {
		return Binaries{}, fmt.Errorf("cannot replace a broken Postgres in the cache: %w", err)
	}
	if err := os.Rename(tree, place); err != nil {
		return Binaries{}, fmt.Errorf("cannot add Postgres to the cache: %w", err)
	}
	return c.account.probe(ctx, filepath.Join(place, "bin"))
}

// workspace makes a folder for one fetch, in the cache so that a rename can end it. The caller holds the lock, so any
// other such folder belongs to a process that died.
func (c *cache) workspace() (string, error) {
	left, err := filepath.Glob(filepath.Join(c.dir, ".fetch-*"))
	if err != nil {
		return "", err
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			return "", fmt.Errorf("cannot remove what an interrupted fetch left: %w", err)
		}
	}
	dir, err := os.MkdirTemp(c.dir, ".fetch-")
	if err != nil {
		return "", fmt.Errorf("cannot make a folder to fetch Postgres into: %w", err)
	}
	// The account that runs the server has to reach what is unpacked in it.
	return dir, os.Chmod(dir, 0o755)
}

// lock waits until no other process fetches into this cache. The kernel gives the lock back when its holder dies.
func (c *cache) lock(ctx context.Context) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(c.dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot lock the cache of Postgres binaries: %w", err)
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			file.Close()
			return nil, fmt.Errorf("cannot lock the cache of Postgres binaries: %w", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("cannot fetch Postgres, another process is fetching into %s: %w", c.dir, ctx.Err())
		}
	}
}
