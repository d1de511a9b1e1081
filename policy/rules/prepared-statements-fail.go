package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed prepared-statements-fail.sql
var preparedStatementsFailCases string

// preparedStatementsFail: a result that changes its shape under the client's hands.
func preparedStatementsFail() policy.Rule {
	return policy.Rule{
		Name:  "prepared-statements-fail",
		Title: "Change of what prepared statements return",
		Doc: `A prepared SELECT * of a table fails once with "cached plan must not change result type" when the table gets or loses a column, or a column gets
another type: even varchar(20) to varchar(40). So does one that names the column whose type changes. Clients that prepare and cache statements see
an error each, in a transaction one that aborts it.

Nobody waits. Let the application name its columns, or prepare again after such an error, as most drivers do. The rule is off unless the configuration sets
it, because nobody sees from here how the clients read. New, temporary and empty tables are left alone.`,
		Since:   "0.2",
		Default: policy.Off,
		Cases:   preparedStatementsFailCases,
		Run:     runPreparedStatementsFail,
	}
}

func runPreparedStatementsFail(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" {
		return
	}
	table, known := c.Relation(alter.Table)
	if known && (table == nil || disposable(table)) {
		return
	}
	for _, command := range alter.Commands {
		there := table != nil && table.Column(command.Name) != nil
		what := ""
		switch {
		case command.Op == "AddColumn" && !there:
			what = fmt.Sprintf("it has %q", command.Name)
		case command.Op == "DropColumn" && (there || !known):
			what = fmt.Sprintf("it has lost %q", command.Name)
		case command.Op == "AlterColumnType":
			what = fmt.Sprintf("%q has another type", command.Name)
		default:
			continue
		}
		finding := policy.Finding{
			Action: policy.Warn,
			Message: fmt.Sprintf("prepared SELECT * of %q fails once %s; let the application name its columns, or prepare again after the error",
				alter.Table.Name, what),
		}
		if !known {
			finding.Unknown = fmt.Sprintf("whether table %q has rows", alter.Table.Name)
		}
		c.Report(finding)
		return
	}
}
