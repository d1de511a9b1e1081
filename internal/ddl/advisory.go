package ddl

import (
	"slices"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// blockingLocks are the functions that wait for an advisory lock; the name of each with "try_" in it is its twin that does not.
var blockingLocks = []string{"pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_xact_lock", "pg_advisory_xact_lock_shared"}

// advisoryLock recognises a SELECT that does nothing but wait for an advisory lock. Its name must stand in the text in plain
// letters, because Prefilter looks for it there: one in a U&"…" spelling stays a Query.
func advisoryLock(s *Statement, n *pgquery.SelectStmt) (AdvisoryLock, bool) {
	call := lockCall(n)
	if call == nil || !onlyTarget(n) || !harmlessFrom(n) {
		return AdvisoryLock{}, false
	}
	text := newSource(s)
	first := text.at(call.Location)
	open := text.name(first)
	name := text.span(first, open)
	if !strings.Contains(strings.ToLower(s.Text[name.Start:name.End]), "pg_advisory_") {
		return AdvisoryLock{}, false
	}
	lock := AdvisoryLock{Func: listName(call.Funcname).Name}
	for _, part := range text.list(open+1, text.over(open)-1) {
		lock.Args = append(lock.Args, text.span(part[0], part[1]))
	}
	try := strings.Replace(lock.Func, "pg_", "pg_try_", 1)
	tried, err := verified(*s, func(root *pgquery.Node) {
		lockCall(root.GetSelectStmt()).Funcname = nameNodes("pg_catalog", try)
	}, replace(name, "pg_catalog."+try))
	if err != nil {
		return AdvisoryLock{}, false
	}
	lock.Try = tried
	return lock, true
}

// lockCall is the call of a blocking function that is the query's only column, nil if there is none.
func lockCall(n *pgquery.SelectStmt) *pgquery.FuncCall {
	if len(n.TargetList) != 1 {
		return nil
	}
	call := n.TargetList[0].GetResTarget().GetVal().GetFuncCall()
	name := listName(call.GetFuncname())
	if !slices.Contains(blockingLocks, name.Name) || name.Schema != "" && name.Schema != "pg_catalog" {
		return nil
	}
	if call.AggFilter != nil || call.Over != nil || len(call.AggOrder) > 0 || call.AggDistinct || call.FuncVariadic {
		return nil
	}
	return call
}

// onlyTarget reports whether the query has no clause beside its columns, FROM and WITH.
func onlyTarget(n *pgquery.SelectStmt) bool {
	return len(n.DistinctClause)+len(n.GroupClause)+len(n.WindowClause)+len(n.ValuesLists)+len(n.SortClause)+len(n.LockingClause) == 0 &&
		n.IntoClause == nil && n.WhereClause == nil && n.HavingClause == nil && n.LimitOffset == nil && n.LimitCount == nil &&
		n.Larg == nil
}

// harmlessFrom reports whether the query reads nothing, or the one row of a CTE that only calls set_config, as Kysely sends it.
func harmlessFrom(n *pgquery.SelectStmt) bool {
	ctes := n.GetWithClause().GetCtes()
	if len(n.FromClause) == 0 && len(ctes) == 0 {
		return true
	}
	if len(n.FromClause) != 1 || len(ctes) != 1 {
		return false
	}
	cte, from := ctes[0].GetCommonTableExpr(), n.FromClause[0].GetRangeVar()
	query := cte.GetCtequery().GetSelectStmt()
	if from == nil || from.Schemaname != "" || from.Relname != cte.Ctename || query == nil {
		return false
	}
	if len(query.TargetList) != 1 || len(query.FromClause) > 0 || query.WithClause != nil || !onlyTarget(query) {
		return false
	}
	set := listName(query.TargetList[0].GetResTarget().GetVal().GetFuncCall().GetFuncname())
	return set.Name == "set_config" && (set.Schema == "" || set.Schema == "pg_catalog")
}
