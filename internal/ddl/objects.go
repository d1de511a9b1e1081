package ddl

import (
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// objectKind is the grammar's word for an object type.
func objectKind(t pgquery.ObjectType) ObjectKind {
	switch t {
	case pgquery.ObjectType_OBJECT_TYPE_UNDEFINED:
		return ""
	case pgquery.ObjectType_OBJECT_MATVIEW:
		return "MATERIALIZED VIEW"
	case pgquery.ObjectType_OBJECT_FDW:
		return "FOREIGN DATA WRAPPER"
	case pgquery.ObjectType_OBJECT_FOREIGN_SERVER:
		return "SERVER"
	case pgquery.ObjectType_OBJECT_LARGEOBJECT:
		return "LARGE OBJECT"
	case pgquery.ObjectType_OBJECT_OPCLASS:
		return "OPERATOR CLASS"
	case pgquery.ObjectType_OBJECT_OPFAMILY:
		return "OPERATOR FAMILY"
	case pgquery.ObjectType_OBJECT_STATISTIC_EXT:
		return "STATISTICS"
	case pgquery.ObjectType_OBJECT_TABCONSTRAINT, pgquery.ObjectType_OBJECT_DOMCONSTRAINT:
		return "CONSTRAINT"
	case pgquery.ObjectType_OBJECT_TSCONFIGURATION:
		return "TEXT SEARCH CONFIGURATION"
	case pgquery.ObjectType_OBJECT_TSDICTIONARY:
		return "TEXT SEARCH DICTIONARY"
	case pgquery.ObjectType_OBJECT_TSPARSER:
		return "TEXT SEARCH PARSER"
	case pgquery.ObjectType_OBJECT_TSTEMPLATE:
		return "TEXT SEARCH TEMPLATE"
	}
	return ObjectKind(strings.ReplaceAll(strings.TrimPrefix(t.String(), "OBJECT_"), "_", " "))
}

// isRelation reports whether objects of the type are in pg_class.
func isRelation(t pgquery.ObjectType) bool {
	switch t {
	case pgquery.ObjectType_OBJECT_TABLE, pgquery.ObjectType_OBJECT_INDEX, pgquery.ObjectType_OBJECT_VIEW,
		pgquery.ObjectType_OBJECT_MATVIEW, pgquery.ObjectType_OBJECT_SEQUENCE, pgquery.ObjectType_OBJECT_FOREIGN_TABLE:
		return true
	}
	return false
}

// ownedByRelation reports whether objects of the type belong to a relation, so that their names are given ON it.
func ownedByRelation(t pgquery.ObjectType) bool {
	switch t {
	case pgquery.ObjectType_OBJECT_TRIGGER, pgquery.ObjectType_OBJECT_RULE, pgquery.ObjectType_OBJECT_POLICY,
		pgquery.ObjectType_OBJECT_TABCONSTRAINT:
		return true
	}
	return false
}

// alteredTag is the command tag of ALTER on an object type.
func alteredTag(t pgquery.ObjectType) string {
	switch t {
	case pgquery.ObjectType_OBJECT_COLUMN, pgquery.ObjectType_OBJECT_TABCONSTRAINT:
		return "ALTER TABLE"
	case pgquery.ObjectType_OBJECT_ATTRIBUTE:
		return "ALTER TYPE"
	case pgquery.ObjectType_OBJECT_DOMCONSTRAINT:
		return "ALTER DOMAIN"
	}
	return "ALTER " + string(objectKind(t))
}
