// Package pgbox finds or fetches Postgres server binaries and runs a throwaway server with them.
//
// Find looks on this machine, then in the cache, then asks npm (or, as root, apt-get). Start makes a cluster in a
// fresh temporary folder, runs a postmaster on a free loopback port and a Unix socket, and waits until it answers.
// As root, which Postgres refuses, everything runs as an unprivileged account of the machine.
//
// Nothing outlives the process that called Start, however it ends: a watchdog (watchdog.sh) holds the other end of a
// pipe of ours, and when that closes it stops the server and removes the folder.
//
// It runs on Linux and macOS.
package pgbox

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// Options say which Postgres to run and how. The zero value is a server of any version that trusts every login on
// loopback.
type Options struct {
	// Major is the Postgres major version, for example 17; 0 means any, and then the newest on this machine.
	Major int

	// Cache is the folder of fetched binaries; "" means pgsluice/postgres in the user's cache folder.
	Cache string

	// Dir is an existing folder in which the server's own folder is made; "" means os.TempDir(). As root it must be
	// reachable for the account that the server runs as.
	Dir string

	// Superuser is the name of the bootstrap superuser; "" means "postgres".
	Superuser string

	// Auth is the pg_hba.conf method of every login: "trust", "scram-sha-256", "md5" or "password"; "" means "trust".
	Auth string

	// Password is the superuser's password; required unless Auth is "trust".
	Password string

	// Settings are written to postgresql.conf and override the throwaway defaults. Values are plain text, not quoted.
	Settings map[string]string

	// HBA holds lines of pg_hba.conf that come before the default ones, and so win over them.
	HBA []string

	// TLSCert and TLSKey name PEM files, which are copied; TLS is on when both are given.
	TLSCert, TLSKey string

	// Logger is told what takes long (a fetch, an installation); nil means silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Superuser == "" {
		o.Superuser = "postgres"
	}
	if o.Auth == "" {
		o.Auth = "trust"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// check refuses what initdb or the server would refuse in obscure words, or accept and mean something else.
func (o Options) check() error {
	switch {
	case !slices.Contains([]string{"trust", "scram-sha-256", "md5", "password"}, o.Auth):
		return fmt.Errorf("cannot start Postgres: unknown auth method %q (trust, scram-sha-256, md5, password)", o.Auth)
	case o.Auth != "trust" && o.Password == "":
		return fmt.Errorf("cannot start Postgres: auth method %s needs a password for the superuser", o.Auth)
	case (o.TLSCert == "") != (o.TLSKey == ""):
		return errors.New("cannot start Postgres: TLS needs both a certificate and a key")
	}
	for _, name := range []string{"port", "unix_socket_directories"} {
		if _, set := o.Settings[name]; set {
			return fmt.Errorf("cannot start Postgres: %s is chosen by pgsluice, leave it out of the settings", name)
		}
	}
	return nil
}

func (o Options) tls() bool { return o.TLSCert != "" && o.TLSKey != "" }
