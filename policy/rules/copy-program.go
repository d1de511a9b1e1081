package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed copy-program.sql
var copyProgramCases string

// copyProgram: a shell command on the database server.
func copyProgram() policy.Rule {
	return policy.Rule{
		Name:  "copy-program",
		Title: "Shell command on the database server",
		Doc: `COPY … PROGRAM runs a shell command on the machine of the database, as the operating system's user that owns all its files.

No transaction undoes what the command does, nothing in the text of the statement says what that is, and whoever may send it may read and
write every file of the server. Other sessions do not wait for it; they can lose everything by it.

Run the program where the migration runs, and send the data: \copy … PROGRAM in psql does that with the same words.`,
		Since:   "0.1",
		Default: policy.Block,
		Cases:   copyProgramCases,
		Run:     runCopyProgram,
	}
}

func runCopyProgram(c *policy.Check) {
	write, _ := c.Stmt.Action.(ddl.Write)
	query, _ := c.Stmt.Action.(ddl.Query)
	if !write.Program && !query.Program {
		return
	}
	what := "COPY"
	if len(c.Stmt.Refs) == 1 {
		what = fmt.Sprintf("COPY of %q", c.Stmt.Refs[0].Name.Name)
	}
	c.Report(policy.Finding{
		Message: what + ` ... PROGRAM runs a shell command on the database server, which no ROLLBACK undoes; run the program on your side: \copy in psql`,
		Detail:  "The command runs as the operating system's user that owns the files of the database.",
	})
}
