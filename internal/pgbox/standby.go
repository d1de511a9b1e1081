package pgbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
)

// StartStandby makes a streaming standby of a running server of ours that trusts its logins, with pg_basebackup, and returns when it answers
// queries. It has the other's settings but for those that are given. The caller ends it with Stop, before the other.
func StartStandby(ctx context.Context, of *Server, settings map[string]string) (_ *Server, err error) {
	opts := of.opts
	opts.Settings = map[string]string{}
	for _, all := range []map[string]string{of.opts.Settings, settings} {
		for name, value := range all {
			opts.Settings[name] = value
		}
	}
	if err := opts.check(); err != nil {
		return nil, err
	}
	if opts.Auth != "trust" {
		return nil, errors.New("cannot make a standby: the server does not trust its logins")
	}
	program, ok := of.binaries.Tool("pg_basebackup")
	if !ok {
		return nil, fmt.Errorf("cannot make a standby: there is no pg_basebackup for Postgres %d", of.binaries.Major)
	}
	s := &Server{opts: opts, account: of.account, binaries: of.binaries}
	if err := s.makeFolders(); err != nil {
		return nil, err
	}
	if s.watchdog, err = startWatchdog(s.dir, s.socketDir); err != nil {
		return nil, errors.Join(err, s.removeFolders())
	}
	cmd := s.account.command(ctx, s.dir, program, "-D", s.DataDir(), "-h", of.Host(), "-p", strconv.Itoa(of.Port()), "-U", opts.Superuser,
		"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync")
	s.watchdog.join(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		err = fmt.Errorf("cannot make a standby: %s: %w\n%s", filepath.Base(program), err, bytes.TrimSpace(out))
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	if err := s.firstBoot(ctx, freePort); err != nil {
		return nil, errors.Join(err, s.Stop(context.WithoutCancel(ctx)))
	}
	return s, nil
}
