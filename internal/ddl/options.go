package ddl

import (
	"strconv"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// options are the options of a utility statement that rules look at, nil for a statement that has none of them.
func options(node *pgquery.Node) map[string]string {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_CreateFunctionStmt:
		return definitions(n.CreateFunctionStmt.Options)
	case *pgquery.Node_AlterFunctionStmt:
		return definitions(n.AlterFunctionStmt.Actions)
	case *pgquery.Node_CreateRoleStmt:
		return definitions(n.CreateRoleStmt.Options)
	case *pgquery.Node_AlterRoleStmt:
		return definitions(n.AlterRoleStmt.Options)
	case *pgquery.Node_AlterSeqStmt:
		return definitions(n.AlterSeqStmt.Options)
	case *pgquery.Node_TruncateStmt:
		if n.TruncateStmt.RestartSeqs {
			return map[string]string{"restart": ""}
		}
	case *pgquery.Node_CreatePolicyStmt:
		return map[string]string{"permissive": strconv.FormatBool(n.CreatePolicyStmt.Permissive)}
	case *pgquery.Node_CreateDomainStmt:
		constraints := map[string]string{}
		for _, c := range n.CreateDomainStmt.Constraints {
			switch c.GetConstraint().GetContype() {
			case pgquery.ConstrType_CONSTR_CHECK:
				constraints["check"] = ""
			case pgquery.ConstrType_CONSTR_NOTNULL:
				constraints["not null"] = ""
			}
		}
		return constraints
	case *pgquery.Node_AlterRoleSetStmt:
		return settingOption(n.AlterRoleSetStmt.Setstmt)
	case *pgquery.Node_AlterDatabaseSetStmt:
		return settingOption(n.AlterDatabaseSetStmt.Setstmt)
	case *pgquery.Node_AlterEventTrigStmt:
		return map[string]string{"enabled": n.AlterEventTrigStmt.Tgenabled}
	case *pgquery.Node_AlterSystemStmt:
		return settingOption(n.AlterSystemStmt.Setstmt)
	}
	return nil
}

// settingOption names the setting of ALTER … SET; "all" for RESET ALL.
func settingOption(set *pgquery.VariableSetStmt) map[string]string {
	if set.GetKind() == pgquery.VariableSetKind_VAR_RESET_ALL {
		return map[string]string{"all": ""}
	}
	name := strings.ToLower(set.GetName())
	return map[string]string{name: replicationRole(name, set)}
}

// replicationRole is the value of session_replication_role, in lower case; "" of any other setting, whose value may be a secret.
func replicationRole(name string, set *pgquery.VariableSetStmt) string {
	if name != "session_replication_role" || len(set.GetArgs()) != 1 {
		return ""
	}
	return strings.ToLower(constantText(set.Args[0]))
}

// definitions are the options of a list of definitions. Those that set a setting appear as "set NAME".
func definitions(list []*pgquery.Node) map[string]string {
	options := map[string]string{}
	for _, node := range list {
		d := node.GetDefElem()
		switch {
		case d.GetDefname() == "set":
			set := d.GetArg().GetVariableSetStmt()
			name := strings.ToLower(set.GetName())
			options["set "+name] = replicationRole(name, set)
		case d.GetDefname() == "password":
			options["password"] = passwordKind(d.GetArg())
		case d.GetDefname() == "as":
			options["as"] = ""
		default:
			options[d.GetDefname()] = optionText(d.GetArg())
		}
	}
	return options
}

// passwordKind is "verifier" for a password that is hashed already, or none; "" for one that is not.
func passwordKind(arg *pgquery.Node) string {
	password := arg.GetString_().GetSval()
	if arg == nil || strings.HasPrefix(password, "SCRAM-SHA-256$") || strings.HasPrefix(password, "md5") && len(password) == len("md5")+32 {
		return "verifier"
	}
	return ""
}

// optionText is the constant that an option has for its value, "" for any other.
func optionText(arg *pgquery.Node) string {
	switch {
	case arg.GetBoolean() != nil:
		return strconv.FormatBool(arg.GetBoolean().Boolval)
	case arg.GetInteger() != nil:
		return strconv.Itoa(int(arg.GetInteger().Ival))
	case arg.GetFloat() != nil:
		return arg.GetFloat().Fval
	case arg.GetString_() != nil:
		return arg.GetString_().Sval
	}
	return ""
}

// roleSpecs are the roles of a list, "public" for everybody. CURRENT_USER and its kin are written in upper case.
func roleSpecs(list []*pgquery.Node) []string {
	var names []string
	for _, node := range list {
		names = append(names, roleSpec(node.GetRoleSpec()))
	}
	return names
}

func roleSpec(role *pgquery.RoleSpec) string {
	switch role.GetRoletype() {
	case pgquery.RoleSpecType_ROLESPEC_PUBLIC:
		return "public"
	case pgquery.RoleSpecType_ROLESPEC_CSTRING:
		return role.GetRolename()
	}
	return strings.TrimPrefix(role.GetRoletype().String(), "ROLESPEC_")
}

// privileges are those that GRANT or REVOKE names; none is ALL.
func privileges(list []*pgquery.Node) []string {
	var names []string
	for _, node := range list {
		names = append(names, node.GetAccessPriv().GetPrivName())
	}
	return names
}

func namesOf(list []string) []Name {
	names := make([]Name, len(list))
	for i, name := range list {
		names[i] = Name{Name: name}
	}
	return names
}
