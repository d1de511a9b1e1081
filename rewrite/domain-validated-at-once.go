package rewrite

import (
	"errors"
	"fmt"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// domainConstraint adds a constraint to a domain NOT VALID, which locks no table, and validates it afterwards under a lock budget: the server
// reads every table that uses the domain, under SHARE locks, in any case.
func domainConstraint(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	alter, ok := stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "DOMAIN" || alter.Commands[0].Constraint == nil {
		return Plan{}, fmt.Errorf("%s adds no constraint to a domain", stmt.Tag)
	}
	domain, asked := known.Types[facts.TypeKey(alter.Table.Schema, alter.Table.Name, false)]
	if !known.Known || !asked {
		return Plan{}, ErrUnknown
	}
	name := alter.Commands[0].Constraint.Name
	if domain == nil || name == "" {
		return Plan{}, errors.New("cannot plan without the domain and a name for its constraint")
	}
	first, err := ddl.NotValid(stmt, 0, name)
	if err != nil {
		return Plan{}, err
	}
	validated := Step{
		SQL:   fmt.Sprintf("ALTER DOMAIN %s VALIDATE CONSTRAINT %s", quote(domain.Schema, domain.Name), quote(name)),
		Where: AfterCommit, Budget: true,
		Done: fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
			" AND k.conname OPERATOR(pg_catalog.=) %s AND k.convalidated)", domain.OID, literal(name)),
	}
	var checks []DataCheck
	for _, user := range domain.Users {
		if !user.Is(domain) {
			return budget(stmt, known) // the server refuses it for an array and a composite type, and does it for a domain
		}
		if user.Table.Readable {
			checks = append(checks, violating(stmt, alter, user))
		}
		switch user := target(&user.Table); {
		case validated.Table.OID == 0:
			validated.Table = user
		case user.OID != validated.Table.OID:
			validated.Others = append(validated.Others, user)
		}
	}
	return Plan{
		Object:     name,
		DataChecks: checks,
		Undo:       []string{fmt.Sprintf("ALTER DOMAIN %s DROP CONSTRAINT IF EXISTS %s", quote(domain.Schema, domain.Name), quote(name))},
		Notice:     fmt.Sprintf("adding %q to domain %q NOT VALID, validating afterwards", name, domain.Name),
		Steps:      []Step{{SQL: first, Where: InPlace, Budget: true}, validated},
	}, nil
}

// violating finds out whether a value of one column breaks the constraint. VALUE is a name like any other in a query: it is that of the column here.
func violating(stmt ddl.Statement, alter ddl.AlterTable, user facts.TypeUser) DataCheck {
	expression := alter.Commands[0].Constraint.Expr
	return DataCheck{
		SQL: anyRow("Values that exist violate it.", fmt.Sprintf("(SELECT c.%s AS value FROM %s c) v", quote(user.Column), quote(user.Table.Schema, user.Table.Name)),
			"NOT ("+stmt.Text[expression.Start:expression.End]+"\n)"),
		Code:    "23514",
		Message: fmt.Sprintf("column %q of table %q contains values that violate the new constraint", user.Column, user.Table.Name),
	}
}
