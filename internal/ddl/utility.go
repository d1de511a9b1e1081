package ddl

import (
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

func utility(s *Statement, node *pgquery.Node) Action {
	action := Utility{Object: taggedObject(s.Tag), Names: subject(node), NotInTransaction: notInTransaction(node), Options: options(node)}
	switch n := node.GetNode().(type) {
	case *pgquery.Node_CreateTableAsStmt:
		action.Object = objectKind(n.CreateTableAsStmt.Objtype)
		action.NoData = n.CreateTableAsStmt.GetInto().GetSkipData()
	case *pgquery.Node_RefreshMatViewStmt:
		action.Object = "MATERIALIZED VIEW"
		action.Concurrently, action.NoData = n.RefreshMatViewStmt.Concurrent, n.RefreshMatViewStmt.SkipData
	case *pgquery.Node_ReindexStmt:
		action.Object = ObjectKind(strings.TrimPrefix(n.ReindexStmt.Kind.String(), "REINDEX_OBJECT_"))
		action.Concurrently = optionOn(n.ReindexStmt.Params, "concurrently")
	case *pgquery.Node_TruncateStmt:
		action.Cascade = n.TruncateStmt.Behavior == pgquery.DropBehavior_DROP_CASCADE
	case *pgquery.Node_DropOwnedStmt:
		action.Object, action.Cascade = "ROLE", n.DropOwnedStmt.Behavior == pgquery.DropBehavior_DROP_CASCADE
	case *pgquery.Node_ReassignOwnedStmt:
		action.Object = "ROLE"
	case *pgquery.Node_VacuumStmt:
		action.Object, action.Full = "TABLE", optionOn(n.VacuumStmt.Options, "full")
	case *pgquery.Node_ClusterStmt:
		action.Object = "TABLE"
	case *pgquery.Node_GrantStmt:
		action.Object = objectKind(n.GrantStmt.Objtype)
		action.Grantees, action.Privileges = roleSpecs(n.GrantStmt.Grantees), privileges(n.GrantStmt.Privileges)
	case *pgquery.Node_AlterDefaultPrivilegesStmt:
		if grant := n.AlterDefaultPrivilegesStmt.Action; grant.IsGrant {
			action.Object = objectKind(grant.Objtype)
			action.Grantees, action.Privileges = roleSpecs(grant.Grantees), privileges(grant.Privileges)
		}
	case *pgquery.Node_GrantRoleStmt:
		action.Object = "ROLE"
		action.Grantees, action.Privileges = roleSpecs(n.GrantRoleStmt.GranteeRoles), privileges(n.GrantRoleStmt.GrantedRoles)
	case *pgquery.Node_AlterRoleSetStmt, *pgquery.Node_AlterDatabaseSetStmt, *pgquery.Node_AlterSystemStmt:
		action.Setting = true
	case *pgquery.Node_CreateSchemaStmt:
		action.IfNotExists = n.CreateSchemaStmt.IfNotExists
	case *pgquery.Node_CreateEnumStmt:
		action.Labels = wordsOf(n.CreateEnumStmt.Vals)
	case *pgquery.Node_CommentStmt:
		action.Object = objectKind(n.CommentStmt.Objtype)
	case *pgquery.Node_SecLabelStmt:
		action.Object = objectKind(n.SecLabelStmt.Objtype)
	case *pgquery.Node_ViewStmt:
		action.Replace = n.ViewStmt.Replace
	case *pgquery.Node_CreateTrigStmt:
		action.Replace = n.CreateTrigStmt.Replace
	case *pgquery.Node_RuleStmt:
		action.Replace = n.RuleStmt.Replace
	case *pgquery.Node_CreateFunctionStmt:
		action.Replace = n.CreateFunctionStmt.Replace
		action.Language, action.Body = functionBody(n.CreateFunctionStmt)
	}
	return action
}

// taggedObject is what the tag says behind its verb.
func taggedObject(tag string) ObjectKind {
	_, object, _ := strings.Cut(tag, " ")
	return ObjectKind(object)
}

// subject is the objects that the statement is about, relations left out.
func subject(node *pgquery.Node) []Name {
	one := func(name string) []Name { return []Name{{Name: name}} }
	switch n := node.GetNode().(type) {
	case *pgquery.Node_CreateSchemaStmt:
		return one(n.CreateSchemaStmt.Schemaname)
	case *pgquery.Node_CreateTrigStmt:
		return one(n.CreateTrigStmt.Trigname)
	case *pgquery.Node_RuleStmt:
		return one(n.RuleStmt.Rulename)
	case *pgquery.Node_CreatePolicyStmt:
		return one(n.CreatePolicyStmt.PolicyName)
	case *pgquery.Node_AlterPolicyStmt:
		return one(n.AlterPolicyStmt.PolicyName)
	case *pgquery.Node_CreateFunctionStmt:
		return []Name{listName(n.CreateFunctionStmt.Funcname)}
	case *pgquery.Node_AlterFunctionStmt:
		return []Name{listName(n.AlterFunctionStmt.GetFunc().GetObjname())}
	case *pgquery.Node_CompositeTypeStmt:
		return []Name{rangeName(n.CompositeTypeStmt.Typevar)}
	case *pgquery.Node_CreateEnumStmt:
		return []Name{listName(n.CreateEnumStmt.TypeName)}
	case *pgquery.Node_CreateRangeStmt:
		return []Name{listName(n.CreateRangeStmt.TypeName)}
	case *pgquery.Node_CreateDomainStmt:
		return []Name{listName(n.CreateDomainStmt.Domainname)}
	case *pgquery.Node_DefineStmt:
		return []Name{listName(n.DefineStmt.Defnames)}
	case *pgquery.Node_CreateExtensionStmt:
		return one(n.CreateExtensionStmt.Extname)
	case *pgquery.Node_AlterExtensionStmt:
		return one(n.AlterExtensionStmt.Extname)
	case *pgquery.Node_CreatedbStmt:
		return one(n.CreatedbStmt.Dbname)
	case *pgquery.Node_AlterDatabaseStmt:
		return one(n.AlterDatabaseStmt.Dbname)
	case *pgquery.Node_AlterDatabaseSetStmt:
		return one(n.AlterDatabaseSetStmt.Dbname)
	case *pgquery.Node_CreateRoleStmt:
		return one(n.CreateRoleStmt.Role)
	case *pgquery.Node_AlterRoleStmt:
		return one(roleSpec(n.AlterRoleStmt.GetRole()))
	case *pgquery.Node_AlterRoleSetStmt:
		if n.AlterRoleSetStmt.Role == nil { // ALL
			return one("")
		}
		return one(roleSpec(n.AlterRoleSetStmt.Role))
	case *pgquery.Node_CreatePublicationStmt:
		return one(n.CreatePublicationStmt.Pubname)
	case *pgquery.Node_AlterPublicationStmt:
		return one(n.AlterPublicationStmt.Pubname)
	case *pgquery.Node_CreateSubscriptionStmt:
		return one(n.CreateSubscriptionStmt.Subname)
	case *pgquery.Node_AlterSubscriptionStmt:
		return one(n.AlterSubscriptionStmt.Subname)
	case *pgquery.Node_CreateEventTrigStmt:
		return one(n.CreateEventTrigStmt.Trigname)
	case *pgquery.Node_AlterEventTrigStmt:
		return one(n.AlterEventTrigStmt.Trigname)
	case *pgquery.Node_AlterOwnerStmt:
		return []Name{objectName(n.AlterOwnerStmt.Object)}
	case *pgquery.Node_DropOwnedStmt:
		return namesOf(roleSpecs(n.DropOwnedStmt.Roles))
	case *pgquery.Node_ReassignOwnedStmt:
		return namesOf(roleSpecs(n.ReassignOwnedStmt.Roles))
	case *pgquery.Node_ReindexStmt:
		if n.ReindexStmt.Relation == nil {
			return one(n.ReindexStmt.Name)
		}
	case *pgquery.Node_CommentStmt:
		switch n.CommentStmt.Objtype {
		case pgquery.ObjectType_OBJECT_COLUMN:
			_, column := ownerName(n.CommentStmt.Object)
			return one(column)
		case pgquery.ObjectType_OBJECT_SCHEMA:
			return []Name{objectName(n.CommentStmt.Object)}
		}
	}
	return nil
}

// notInTransaction reports whether the server refuses the statement in a transaction block (PreventInTransactionBlock), on any
// version. Where the catalog decides (CLUSTER and REINDEX of a partitioned table) it is false.
func notInTransaction(node *pgquery.Node) bool {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_VacuumStmt:
		return n.VacuumStmt.IsVacuumcmd
	case *pgquery.Node_ClusterStmt:
		return n.ClusterStmt.Relation == nil
	case *pgquery.Node_ReindexStmt:
		return n.ReindexStmt.Relation == nil || optionOn(n.ReindexStmt.Params, "concurrently")
	case *pgquery.Node_AlterDatabaseStmt:
		for _, option := range n.AlterDatabaseStmt.Options {
			if option.GetDefElem().GetDefname() == "tablespace" {
				return true
			}
		}
	case *pgquery.Node_CreateSubscriptionStmt:
		// Making the replication slot is what cannot be undone.
		options := n.CreateSubscriptionStmt.Options
		return optionOr(options, "create_slot", optionOr(options, "connect", true))
	case *pgquery.Node_AlterSubscriptionStmt:
		return n.AlterSubscriptionStmt.Kind == pgquery.AlterSubscriptionType_ALTER_SUBSCRIPTION_REFRESH
	case *pgquery.Node_CreatedbStmt, *pgquery.Node_CreateTableSpaceStmt, *pgquery.Node_AlterSystemStmt:
		return true
	}
	return false
}

// functionBody is the language and the body of CREATE FUNCTION; an AS of two strings names a C symbol and is no body.
func functionBody(f *pgquery.CreateFunctionStmt) (language, body string) {
	for _, option := range f.Options {
		switch d := option.GetDefElem(); d.GetDefname() {
		case "language":
			language = d.GetArg().GetString_().GetSval()
		case "as":
			if parts := wordsOf(d.GetArg().GetList().GetItems()); len(parts) == 1 {
				body = parts[0]
			}
		}
	}
	return language, body
}
