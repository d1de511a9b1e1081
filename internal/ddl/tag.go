package ddl

import (
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// commandTag is the tag that the server answers when the statement is done (GetCommandTagName in tcop/utility.c, and what the
// executor puts in its place), without a row count.
func commandTag(node *pgquery.Node) string {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_InsertStmt:
		return "INSERT 0"
	case *pgquery.Node_TransactionStmt:
		return transactionTag(n.TransactionStmt.Kind)
	case *pgquery.Node_ClosePortalStmt:
		return withAll("CLOSE CURSOR", n.ClosePortalStmt.Portalname == "")
	case *pgquery.Node_DeallocateStmt:
		return withAll("DEALLOCATE", n.DeallocateStmt.Name == "")
	case *pgquery.Node_FetchStmt:
		if n.FetchStmt.Ismove {
			return "MOVE"
		}
	case *pgquery.Node_DropStmt:
		return "DROP " + string(objectKind(n.DropStmt.RemoveType))
	case *pgquery.Node_RenameStmt:
		if n.RenameStmt.RenameType == pgquery.ObjectType_OBJECT_COLUMN {
			return alteredTag(n.RenameStmt.RelationType)
		}
		return alteredTag(n.RenameStmt.RenameType)
	case *pgquery.Node_AlterTableStmt:
		return alteredTag(n.AlterTableStmt.Objtype)
	case *pgquery.Node_AlterObjectSchemaStmt:
		return alteredTag(n.AlterObjectSchemaStmt.ObjectType)
	case *pgquery.Node_AlterObjectDependsStmt:
		return alteredTag(n.AlterObjectDependsStmt.ObjectType)
	case *pgquery.Node_AlterOwnerStmt:
		return alteredTag(n.AlterOwnerStmt.ObjectType)
	case *pgquery.Node_AlterTableMoveAllStmt:
		return alteredTag(n.AlterTableMoveAllStmt.Objtype)
	case *pgquery.Node_AlterFunctionStmt:
		return alteredTag(n.AlterFunctionStmt.Objtype)
	case *pgquery.Node_CreateTableAsStmt:
		return filledTag(n.CreateTableAsStmt)
	case *pgquery.Node_DefineStmt:
		return "CREATE " + string(objectKind(n.DefineStmt.Kind))
	case *pgquery.Node_CreateFunctionStmt:
		if n.CreateFunctionStmt.IsProcedure {
			return "CREATE PROCEDURE"
		}
	case *pgquery.Node_GrantStmt:
		if !n.GrantStmt.IsGrant {
			return "REVOKE"
		}
	case *pgquery.Node_GrantRoleStmt:
		if !n.GrantRoleStmt.IsGrant {
			return "REVOKE ROLE"
		}
	case *pgquery.Node_VacuumStmt:
		if !n.VacuumStmt.IsVacuumcmd {
			return "ANALYZE"
		}
	case *pgquery.Node_VariableSetStmt:
		switch n.VariableSetStmt.Kind {
		case pgquery.VariableSetKind_VAR_RESET, pgquery.VariableSetKind_VAR_RESET_ALL:
			return "RESET"
		}
	case *pgquery.Node_DiscardStmt:
		return strings.Replace(n.DiscardStmt.Target.String(), "_", " ", 1)
	}
	return nodeTag(node)
}

func transactionTag(kind pgquery.TransactionStmtKind) string {
	switch kind {
	case pgquery.TransactionStmtKind_TRANS_STMT_BEGIN:
		return "BEGIN"
	case pgquery.TransactionStmtKind_TRANS_STMT_START:
		return "START TRANSACTION"
	case pgquery.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:
		return "ROLLBACK"
	case pgquery.TransactionStmtKind_TRANS_STMT_PREPARE:
		return "PREPARE TRANSACTION"
	}
	return strings.ReplaceAll(strings.TrimPrefix(kind.String(), "TRANS_STMT_"), "_", " ")
}

// filledTag is the tag of CREATE TABLE AS, SELECT INTO and CREATE MATERIALIZED VIEW: with data it is the query's.
func filledTag(s *pgquery.CreateTableAsStmt) string {
	if !s.GetInto().GetSkipData() {
		return "SELECT"
	}
	if s.Objtype == pgquery.ObjectType_OBJECT_MATVIEW {
		return "CREATE MATERIALIZED VIEW"
	}
	return "CREATE TABLE AS"
}

func withAll(tag string, all bool) string {
	if all {
		return tag + " ALL"
	}
	return tag
}

// nodeTag is the tag of a statement whose kind alone decides it.
func nodeTag(node *pgquery.Node) string {
	message := node.ProtoReflect()
	field := message.WhichOneof(message.Descriptor().Oneofs().ByName("node"))
	if field == nil {
		return ""
	}
	name := strings.TrimSuffix(string(field.Name()), "_stmt")
	if tag, ok := oddTags[name]; ok {
		return tag
	}
	return strings.ToUpper(strings.ReplaceAll(name, "_", " "))
}

// oddTags are the tags that are not simply the name of the statement's node.
var oddTags = map[string]string{
	"alter_database_refresh_coll": "ALTER DATABASE",
	"alter_database_set":          "ALTER DATABASE",
	"alter_enum":                  "ALTER TYPE",
	"alter_event_trig":            "ALTER EVENT TRIGGER",
	"alter_extension_contents":    "ALTER EXTENSION",
	"alter_fdw":                   "ALTER FOREIGN DATA WRAPPER",
	"alter_foreign_server":        "ALTER SERVER",
	"alter_op_family":             "ALTER OPERATOR FAMILY",
	"alter_role_set":              "ALTER ROLE",
	"alter_seq":                   "ALTER SEQUENCE",
	"alter_stats":                 "ALTER STATISTICS",
	"alter_table_space_options":   "ALTER TABLESPACE",
	"alter_tsconfiguration":       "ALTER TEXT SEARCH CONFIGURATION",
	"alter_tsdictionary":          "ALTER TEXT SEARCH DICTIONARY",
	"check_point":                 "CHECKPOINT",
	"composite_type":              "CREATE TYPE",
	"constraints_set":             "SET CONSTRAINTS",
	"create_am":                   "CREATE ACCESS METHOD",
	"create_enum":                 "CREATE TYPE",
	"create_event_trig":           "CREATE EVENT TRIGGER",
	"create":                      "CREATE TABLE",
	"create_fdw":                  "CREATE FOREIGN DATA WRAPPER",
	"create_foreign_server":       "CREATE SERVER",
	"create_op_class":             "CREATE OPERATOR CLASS",
	"create_op_family":            "CREATE OPERATOR FAMILY",
	"create_plang":                "CREATE LANGUAGE",
	"create_range":                "CREATE TYPE",
	"create_seq":                  "CREATE SEQUENCE",
	"create_stats":                "CREATE STATISTICS",
	"create_table_space":          "CREATE TABLESPACE",
	"create_trig":                 "CREATE TRIGGER",
	"createdb":                    "CREATE DATABASE",
	"drop_table_space":            "DROP TABLESPACE",
	"dropdb":                      "DROP DATABASE",
	"grant_role":                  "GRANT ROLE",
	"index":                       "CREATE INDEX",
	"lock":                        "LOCK TABLE",
	"refresh_mat_view":            "REFRESH MATERIALIZED VIEW",
	"rule":                        "CREATE RULE",
	"sec_label":                   "SECURITY LABEL",
	"truncate":                    "TRUNCATE TABLE",
	"variable_set":                "SET",
	"variable_show":               "SHOW",
	"view":                        "CREATE VIEW",
}
