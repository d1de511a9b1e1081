package compat

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/pgsluice/pgsluice/internal/pgbox/pgtest"
)

// TestLossIsMeant: the way back drops a column, and at its end the tables. Through the proxy that is refused, whoever asks, with what to do
// instead in the first line; a login that may override it says so for this one run, with a reason, and all ends as it does without a proxy.
func TestLossIsMeant(t *testing.T) {
	for _, tool := range tools() {
		t.Run(tool.name, func(t *testing.T) {
			owner := pgtest.Role(t, "LOGIN")
			direct := newDatabase(t, owner)
			db := newDatabase(t, owner).throughProxy(t, "PGSLUICE_OVERRIDES_ROLES="+owner)
			dir := tool.project(t, "column")
			for _, each := range []*database{direct, db} {
				execute(t, tool.migrate(dir, each.tools, up, "0001")).succeeded(t, "make the tables")
				each.fill(t, 20_000)
				execute(t, tool.migrate(dir, each.tools, up, "0007")).succeeded(t, "upgrade")
			}
			db.checkSame(t, direct, tool)

			execute(t, tool.migrate(dir, db.tools, down, "0006")).failedWith(t, "a downgrade without an override",
				`pgsluice: dropping column "note" of "orders" destroys its values and breaks what still names it; release code without it first, then allow the drop`)
			tool.repaired(t, dir, db, "0007")
			db.checkSame(t, direct, tool)

			const meant = `column-dropped,table-dropped reason="nobody uses them yet"`
			// One by one: in one transaction for all, each would find the index of the one before still to be dropped behind the COMMIT.
			for _, revision := range []string{"0006", "0005", "0004", "0003", "0002", "0001", "base"} {
				execute(t, allowing(meant, tool.migrate(dir, db.tools, down, revision))).succeeded(t, "downgrade to "+revision)
				db.checkFinished(t)
				if revision == "0006" || revision == "base" {
					execute(t, tool.migrate(dir, direct.tools, down, revision)).succeeded(t, "downgrade directly to "+revision)
					db.checkSame(t, direct, tool)
				}
			}
		})
	}
}

// allowing gives the connection of a tool an override, as libpq and the drivers that follow it read it from the environment.
func allowing(override string, cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(cmd.Environ(), "PGOPTIONS=-c pgsluice.allow="+strings.ReplaceAll(override, " ", `\ `))
	return cmd
}
