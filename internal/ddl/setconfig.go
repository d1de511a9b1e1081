package ddl

import (
	"slices"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// SetConfigs are the settings that a SELECT of nothing but constants sets by set_config, as SET would; none for any other statement. A value that is
// no constant is left out.
func SetConfigs(s Statement) []Setting {
	if _, ok := s.Action.(Query); !ok || !CallsSetConfig(s) {
		return nil
	}
	root, err := parseOne(s.Text)
	if err != nil {
		return nil
	}
	query := root.GetSelectStmt()
	if query == nil || len(query.FromClause) > 0 || query.WhereClause != nil {
		return nil // it may be called for no row at all
	}
	var settings []Setting
	for _, target := range query.TargetList {
		call := target.GetResTarget().GetVal().GetFuncCall()
		if call == nil || len(call.Args) != 3 || !isSetConfig(listName(call.Funcname)) {
			continue
		}
		name, value := constantText(call.Args[0]), call.Args[1]
		if name == "" || constantText(value) == "" && value.GetAConst().GetSval() == nil {
			continue
		}
		settings = append(settings, Setting{Op: Set, Name: strings.ToLower(name), Value: constantText(value), Local: isTrueConstant(call.Args[2])})
	}
	return settings
}

// CallsSetConfig reports whether a statement calls set_config itself, with whatever arguments.
func CallsSetConfig(s Statement) bool { return slices.ContainsFunc(s.Calls, isSetConfig) }

func isSetConfig(name Name) bool {
	return name.Name == "set_config" && (name.Schema == "" || name.Schema == "pg_catalog")
}

// isTrueConstant reads true, 'true'::bool and their like.
func isTrueConstant(n *pgquery.Node) bool {
	if cast := n.GetTypeCast(); cast != nil {
		n = cast.Arg
	}
	if constant := n.GetAConst(); constant.GetBoolval() != nil {
		return constant.GetBoolval().Boolval
	}
	switch strings.ToLower(constantText(n)) {
	case "t", "true", "y", "yes", "on", "1":
		return true
	}
	return false
}
