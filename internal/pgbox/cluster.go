package pgbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const settingsFile = "pgsluice.conf"

// initdb makes the cluster of s: data folder, configuration, and the keys for TLS.
func (s *Server) initdb(ctx context.Context) error {
	args := []string{
		"-D", s.DataDir(), "-U", s.opts.Superuser, "-A", s.opts.Auth,
		"-E", "UTF8", "--locale=C", "--no-sync",
	}
	if s.opts.Password != "" {
		pwfile := filepath.Join(s.dir, "pwfile")
		if err := s.write(pwfile, []byte(s.opts.Password+"\n")); err != nil {
			return err
		}
		defer os.Remove(pwfile)
		args = append(args, "--pwfile="+pwfile)
	}
	cmd := s.account.command(ctx, s.dir, filepath.Join(s.binaries.Dir, "initdb"), args...)
	s.watchdog.join(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot make a Postgres cluster: initdb: %w\n%s", err, bytes.TrimSpace(out))
	}

	if s.opts.tls() {
		if err := s.copyKeys(); err != nil {
			return err
		}
	}
	if err := s.write(filepath.Join(s.DataDir(), "pg_hba.conf"), s.hba()); err != nil {
		return err
	}
	return s.includeSettings()
}

// includeSettings makes postgresql.conf read the file that configure writes. ALTER SYSTEM still wins over it.
func (s *Server) includeSettings() error {
	conf, err := os.OpenFile(filepath.Join(s.DataDir(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("cannot configure Postgres: %w", err)
	}
	_, writeErr := conf.WriteString("include '" + settingsFile + "'\n")
	if err := errors.Join(writeErr, conf.Close()); err != nil {
		return fmt.Errorf("cannot configure Postgres: %w", err)
	}
	return nil
}

// copyKeys copies the PEM files to where the server may read them and with the rights that it insists on.
func (s *Server) copyKeys() error {
	for name, source := range map[string]string{"server.crt": s.opts.TLSCert, "server.key": s.opts.TLSKey} {
		pem, err := os.ReadFile(source)
		if err != nil {
			return fmt.Errorf("cannot read the server's TLS file: %w", err)
		}
		if err := s.write(filepath.Join(s.DataDir(), name), pem); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) hba() []byte {
	var b strings.Builder
	for _, line := range s.opts.HBA {
		fmt.Fprintln(&b, line)
	}
	for _, database := range []string{"all", "replication"} {
		fmt.Fprintf(&b, "local %s all %s\n", database, s.opts.Auth)
		fmt.Fprintf(&b, "host %s all 127.0.0.1/32 %s\n", database, s.opts.Auth)
	}
	return []byte(b.String())
}

// configure writes our settings, in a file of their own as the port may change between two attempts to start.
func (s *Server) configure() error {
	settings := map[string]string{
		"listen_addresses":        s.Host(),
		"port":                    strconv.Itoa(s.port),
		"unix_socket_directories": `"` + s.socketDir + `"`,
		"timezone":                "UTC",
		"log_timezone":            "UTC",
		"max_connections":         "100",
		"shared_buffers":          "32MB",
		// Nobody needs the data after a power cut. synchronous_commit and full_page_writes stay on: what was committed
		// must survive Kill.
		"fsync": "off",
		// In the data folder instead of /dev/shm, so that a killed server leaves nothing in the kernel's hands.
		"dynamic_shared_memory_type": "mmap",
	}
	if s.opts.tls() {
		settings["ssl"] = "on"
		settings["ssl_cert_file"] = "server.crt"
		settings["ssl_key_file"] = "server.key"
	}
	maps.Copy(settings, s.opts.Settings)

	var b strings.Builder
	quote := strings.NewReplacer(`\`, `\\`, `'`, `''`)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, quote.Replace(settings[name]))
	}
	return s.write(filepath.Join(s.DataDir(), settingsFile), []byte(b.String()))
}

// write makes a file that belongs to the server's account alone.
func (s *Server) write(path string, content []byte) error {
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("cannot configure Postgres: %w", err)
	}
	if err := s.account.own(path); err != nil {
		return fmt.Errorf("cannot configure Postgres: %w", err)
	}
	return nil
}
