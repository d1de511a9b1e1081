package ddl

import pgquery "github.com/pganalyze/pg_query_go/v5"

// AssignedTwice is the first column that a statement gives a value more than once: an UPDATE in its SET, an INSERT in its list of columns, also
// those of ON CONFLICT and MERGE; "" if there is none. An element or field of a column (a[1], a.b) is none.
func AssignedTwice(s Statement) (string, error) {
	root, err := parseOne(s.Text)
	if err != nil {
		return "", err
	}
	lists := [][]*pgquery.Node{root.GetUpdateStmt().GetTargetList(), root.GetInsertStmt().GetCols(),
		root.GetInsertStmt().GetOnConflictClause().GetTargetList()}
	for _, clause := range root.GetMergeStmt().GetMergeWhenClauses() {
		lists = append(lists, clause.GetMergeWhenClause().GetTargetList())
	}
	for _, list := range lists {
		seen := map[string]bool{}
		for _, node := range list {
			target := node.GetResTarget()
			if len(target.GetIndirection()) > 0 {
				continue
			}
			if seen[target.GetName()] {
				return target.GetName(), nil
			}
			seen[target.GetName()] = true
		}
	}
	return "", nil
}
