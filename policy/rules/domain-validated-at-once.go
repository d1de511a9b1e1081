package rules

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed domain-validated-at-once.sql
var domainValidatedAtOnceCases string

// domainValidatedAtOnce: one constraint, every table that uses the domain.
func domainValidatedAtOnce() policy.Rule {
	return policy.Rule{
		Name:  "domain-validated-at-once",
		Title: "Domain constraint checked against every table that uses it",
		Doc: `ALTER DOMAIN … ADD CONSTRAINT and SET NOT NULL read every table with a column of the domain, one after the other, and hold a SHARE lock on
each until the last one is done, inside a transaction until its COMMIT. Reads go on; INSERT, UPDATE and DELETE on all those tables wait.

With NOT VALID the constraint is added in a moment, without any lock, and new values are checked from then on. VALIDATE CONSTRAINT
still takes the SHARE locks and reads the tables: there is no way round that, so choose a quiet hour. pgsluice looks for violating values
first, without a lock, adds the constraint NOT VALID, and validates it under a lock budget; inside a transaction behind the COMMIT. SET NOT NULL has
no NOT VALID form: use CHECK (VALUE IS NOT NULL). A domain that no table with rows uses is left alone.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Cases:   domainValidatedAtOnceCases,
		Run:     runDomainValidatedAtOnce,
	}
}

func runDomainValidatedAtOnce(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "DOMAIN" {
		return
	}
	domain, known := typeOf(c, alter.Table)
	if known && (domain == nil || !domain.MayAlter || domain.Kind != "d") {
		return // the server says what is wrong
	}
	tables := heavyUsers(c, domain)
	if known && domain.Users != nil && len(tables) == 0 {
		return
	}
	readers := enumerated(tables)
	if len(tables) == 0 {
		readers = "every table that uses it"
	}
	command := alter.Commands[0]
	finding := policy.Finding{}
	if !known {
		finding.Unknown = fmt.Sprintf("which tables have columns of domain %s", shown(alter.Table))
	}
	switch {
	case command.Op == "SetNotNull":
		finding.Action = policy.Block
		finding.Message = fmt.Sprintf("SET NOT NULL on domain %s blocks writes to %s while every row is checked; add CHECK (VALUE IS NOT NULL) NOT VALID, then VALIDATE CONSTRAINT",
			shown(alter.Table), readers)
		name := quoted(alter.Table.Name + "_not_null")
		finding.Hint = fmt.Sprintf("ALTER DOMAIN %[1]s ADD CONSTRAINT %[2]s CHECK (VALUE IS NOT NULL) NOT VALID;\nALTER DOMAIN %[1]s VALIDATE CONSTRAINT %[2]s;",
			tableText(c.Stmt, alter), name)
	case command.Op == "AddConstraint" && command.Constraint != nil && !command.Constraint.NotValid:
		finding.Message = fmt.Sprintf("adding this constraint to domain %s blocks writes to %s while every row is checked; add it NOT VALID, then VALIDATE CONSTRAINT",
			shown(alter.Table), readers)
		name := command.Constraint.Name
		if name == "" {
			name = alter.Table.Name + "_check"
			finding.Action = policy.Block
			finding.Message = fmt.Sprintf("adding this constraint to domain %s blocks writes to %s while every row is checked; name it, add it NOT VALID, then VALIDATE CONSTRAINT",
				shown(alter.Table), readers)
		}
		notValid, _ := ddl.NotValid(c.Stmt, 0, name) // a text that cannot be spliced is not shown
		finding = instead(c, finding, notValid, fmt.Sprintf("ALTER DOMAIN %s VALIDATE CONSTRAINT %s", tableText(c.Stmt, alter), quoted(name)))
	case command.Op == "ValidateConstraint":
		finding.Action = policy.Warn
		finding.Message = fmt.Sprintf("VALIDATE CONSTRAINT of domain %s blocks writes to %s while every row is checked; run it when few write", shown(alter.Table), readers)
	default:
		return
	}
	c.Report(finding)
}

// heavyUsers are the tables with columns of a type that are neither new nor small.
func heavyUsers(c *policy.Check, t *facts.Type) []string {
	var tables []string
	if t == nil {
		return nil
	}
	for _, user := range t.Users {
		name := qualified(user.Table.Schema, user.Table.Name)
		if !c.Light(&user.Table) && !slices.Contains(tables, name) {
			tables = append(tables, name)
		}
	}
	return tables
}
