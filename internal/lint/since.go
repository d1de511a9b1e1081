package lint

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// Since leaves of some files those that changed in the working directory's git repository since a revision, or are new and not ignored.
// What the revision's own branch changed meanwhile does not count. Of a file outside of the repository nobody knows, which is an error.
func Since(ctx context.Context, revision string, paths []string) ([]string, error) {
	top, err := git(ctx, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(revision, "-") {
		return nil, fmt.Errorf("%q is no revision", revision)
	}
	base, err := git(ctx, "merge-base", revision, "HEAD")
	if err != nil {
		return nil, fmt.Errorf("cannot find what %s and HEAD have in common (a shallow clone lacks it: fetch the whole history): %w", revision, err)
	}
	root := strings.TrimSuffix(top, "\n")
	inside := strings.TrimSuffix(root, "/") + "/"
	changed := map[string]bool{}
	for _, arguments := range [][]string{
		{"-C", root, "diff", "--name-only", "-z", "--no-renames", "--diff-filter=d", strings.TrimSpace(base), "--"},
		{"-C", root, "ls-files", "--others", "--exclude-standard", "-z"},
	} {
		names, err := git(ctx, arguments...)
		if err != nil {
			return nil, err
		}
		for name := range strings.SplitSeq(names, "\x00") {
			if name != "" {
				changed[filepath.Join(root, filepath.FromSlash(name))] = true
			}
		}
	}
	var kept []string
	for _, path := range paths {
		real, err := realPath(path)
		if err != nil {
			return nil, fmt.Errorf("cannot find %s: %w", path, cause(err))
		}
		if !strings.HasPrefix(filepath.ToSlash(real), inside) {
			return nil, fmt.Errorf("cannot tell whether %s changed since %s: it is not in the git repository %s", path, revision, root)
		}
		if changed[real] {
			kept = append(kept, path)
		}
	}
	return kept, nil
}

// realPath is a file's path as git has it: absolute, its directory without links.
func realPath(path string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(absolute))
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, filepath.Base(absolute)), nil
}

func git(ctx context.Context, arguments ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", arguments...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		line, _, _ := strings.Cut(strings.TrimSpace(string(failed.Stderr)), "\n")
		return "", fmt.Errorf("git: %s", strings.TrimPrefix(line, "fatal: "))
	}
	if err != nil {
		return "", fmt.Errorf("cannot run git: %w", err)
	}
	return string(out), nil
}
