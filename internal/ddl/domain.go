package ddl

import pgquery "github.com/pganalyze/pg_query_go/v5"

// Domain is what CREATE DOMAIN makes.
type Domain struct {
	Name Name
	// Base is the type that it is over, Text how that is written.
	Base TypeName
	Text string
	// NotNull is NOT NULL, Checks are the names of its CHECKs, "" for one that the server is to name.
	NotNull bool
	Checks  []string
	// DefaultCalls are the functions that its default calls.
	DefaultCalls []Name
}

// MadeDomain is the domain that a statement makes; false for any other statement.
func MadeDomain(s Statement) (Domain, bool) {
	if s.Tag != "CREATE DOMAIN" {
		return Domain{}, false
	}
	root, err := parseOne(s.Text)
	if err != nil {
		return Domain{}, false
	}
	create := root.GetCreateDomainStmt()
	domain := Domain{Name: listName(create.GetDomainname()), Base: typeName(create.GetTypeName())}
	src := newSource(&s)
	at := src.at(create.GetTypeName().GetLocation())
	end := src.end()
	if create.CollClause != nil {
		end = src.at(create.CollClause.Location)
	}
	for _, node := range create.Constraints {
		constraint := node.GetConstraint()
		if i := src.at(constraint.Location); i > at {
			end = min(end, i)
		}
		switch constraint.Contype {
		case pgquery.ConstrType_CONSTR_NOTNULL:
			domain.NotNull = true
		case pgquery.ConstrType_CONSTR_CHECK:
			domain.Checks = append(domain.Checks, constraint.Conname)
		case pgquery.ConstrType_CONSTR_DEFAULT:
			domain.DefaultCalls = append(domain.DefaultCalls, callsIn(constraint.RawExpr)...)
		}
	}
	span := src.span(at, end)
	domain.Text = s.Text[span.Start:span.End]
	return domain, true
}
