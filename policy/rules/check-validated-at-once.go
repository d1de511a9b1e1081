package rules

import (
	_ "embed"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed check-validated-at-once.sql
var checkValidatedAtOnceCases string

// checkValidatedAtOnce: a check that reads the whole table while nobody can use it.
func checkValidatedAtOnce() policy.Rule {
	return policy.Rule{
		Name:  "check-validated-at-once",
		Title: "Check constraint validated under its lock",
		Doc: `ALTER TABLE … ADD CHECK holds an ACCESS EXCLUSIVE lock while it reads every row of the table and of its partitions and children.

Nobody can read or write the table until the check is done, inside a transaction until its COMMIT. NOT VALID and VALIDATE CONSTRAINT in one
statement, or in one transaction, gain nothing: the lock of the first is held through the second.

pgsluice adds the constraint NOT VALID, which needs its lock for a moment only and checks new rows from then on, and validates it afterwards
under a lock that lets everybody work; inside a transaction behind the COMMIT. New, empty and small tables are left alone.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Recipe:  alterTable,
		Cases:   checkValidatedAtOnceCases,
		Run:     constraintAtOnce{kind: ddl.Check, harm: checkHarm, free: checkFree}.run,
	}
}

func checkHarm(table ddl.Name, _ ddl.Constraint) string {
	return fmt.Sprintf("blocks reads and writes of %q", table.Name)
}

func checkFree(c *policy.Check, table *facts.Relation, _ ddl.Constraint) (free, known bool) {
	return c.Light(table), true
}
