package rules

import (
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

// exits are the migration tools' own ways to run a statement outside of their transaction.
const exits = `Outside of the transaction: Alembic "with op.get_context().autocommit_block():"; Django "atomic = False"; ` +
	`Rails "disable_ddl_transaction!"; goose "-- +goose NO TRANSACTION"; dbmate "transaction:false"; sql-migrate "notransaction"; ` +
	`Flyway "executeInTransaction=false"; knex "config = {transaction: false}"; Liquibase "runInTransaction=false"; ` +
	`Laravel "$withinTransaction = false"; golang-migrate, Prisma and psql: alone in a file of its own.`

// install is the other way, for what can be deferred.
const install = `Or run "pgsluice install" once and set control.dsn: then pgsluice does it right behind the COMMIT.`

// instead completes the finding of a statement that has a safer form outside of a transaction: what to type is in the hint, and in a
// transaction, unless the work can be deferred, the tools' ways out of it. Within a DO block or a function there is none but to leave it.
func instead(c *policy.Check, finding policy.Finding, statements ...string) policy.Finding {
	hint := typed(statements)
	if what := c.Context.Inside.What; what != "" {
		finding.Message += " as a statement of its own, not within " + what
		finding.Action = policy.Block
	} else if c.Context.InTransaction {
		finding.Message += outOfTransaction
		if !c.Context.Ledger {
			finding.Action = policy.Block
			hint = append(hint, exit(c.Context))
			if c.Context.Exit == "" {
				hint = append(hint, install)
			}
		}
	}
	finding.Hint = strings.Join(hint, "\n")
	return finding
}

// eachByItself is instead for a recipe that is shown up to a point.
func eachByItself(c *policy.Check, finding policy.Finding, steps []string) policy.Finding {
	if !c.Context.InTransaction {
		finding.Message = strings.TrimSuffix(finding.Message, ",")
	}
	finding = instead(c, finding)
	finding.Hint = strings.TrimSpace("Each by itself, outside of a transaction:\n" + strings.Join(steps, "\n") + "\n" + finding.Hint)
	return finding
}

// besides is the steps that stand for the commands of an ALTER TABLE at the indexes, behind what it does besides them. Nothing is shown of a text that
// cannot be taken apart: who typed the steps alone would lose the rest.
func besides(stmt ddl.Statement, steps []string, commands ...int) []string {
	taken := map[int][]ddl.Command{}
	for _, i := range commands {
		taken[i] = nil
	}
	rest, err := ddl.Commands(stmt, taken)
	if err != nil {
		return nil
	}
	if rest == "" {
		return steps
	}
	return append([]string{rest}, steps...)
}

// first is what to type when something has to come before the statement.
func first(c *policy.Check, statements ...string) string {
	return strings.Join(typed(append(statements, c.Stmt.Text)), "\n")
}

// outside is instead for what cannot be deferred, because the rest of the transaction may rely on it.
func outside(c *policy.Check, finding policy.Finding, statements ...string) policy.Finding {
	hint := typed(statements)
	if c.Context.InTransaction {
		finding.Message += outOfTransaction
		finding.Action = policy.Block
		hint = append(hint, exit(c.Context))
	}
	finding.Hint = strings.Join(hint, "\n")
	return finding
}

const outOfTransaction = " outside of the transaction"

// typed is statements as one types them; one that could not be written is left out.
func typed(statements []string) []string {
	var lines []string
	for _, statement := range statements {
		switch {
		case strings.HasPrefix(statement, "--"):
			lines = append(lines, statement)
		case statement != "":
			lines = append(lines, statement+";")
		}
	}
	return lines
}

// exit is the way out of the transaction: that of the tool at hand, or all that are known.
func exit(where policy.Context) string {
	if where.Exit == "" {
		return exits
	}
	return "Outside of the transaction, " + where.Exit + "."
}
