package ddl

import (
	"strconv"
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// describeWithin fills in what the tree says of a statement that stands within depth others.
func describeWithin(s *Statement, node *pgquery.Node, depth int) {
	found := newRefs()
	found.statement(node)
	s.Refs, s.Calls, s.Casts = found.list(), found.callList(), found.casts
	s.Tag = commandTag(node)
	s.Action = actionOf(s, node)
	s.Inner = inners(s, node, depth)
}

func actionOf(s *Statement, node *pgquery.Node) Action {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_TransactionStmt:
		return transaction(s, n.TransactionStmt)
	case *pgquery.Node_VariableSetStmt:
		return setting(n.VariableSetStmt)
	case *pgquery.Node_VariableShowStmt:
		return Setting{Op: Show, Name: strings.ToLower(n.VariableShowStmt.Name)}
	case *pgquery.Node_ConstraintsSetStmt:
		return Setting{Op: SetTransaction, Name: "constraints"}
	case *pgquery.Node_DiscardStmt:
		if n.DiscardStmt.Target == pgquery.DiscardMode_DISCARD_ALL {
			return Setting{Op: DiscardAll}
		}
		return Setting{Op: Discard}
	case *pgquery.Node_LockStmt:
		return LockTable{NoWait: n.LockStmt.Nowait}
	case *pgquery.Node_SelectStmt:
		if lock, ok := advisoryLock(s, n.SelectStmt); ok {
			return lock
		}
		return madeBy(intoTable(n.SelectStmt), s)
	case *pgquery.Node_InsertStmt:
		i := n.InsertStmt
		return Write{Op: Insert, Target: rangeName(i.Relation), OnConflict: i.OnConflictClause != nil, Queried: queried(i)}
	case *pgquery.Node_UpdateStmt:
		return Write{Op: Update, Target: rangeName(n.UpdateStmt.Relation), Reach: reachOf(n.UpdateStmt.WhereClause)}
	case *pgquery.Node_DeleteStmt:
		return Write{Op: Delete, Target: rangeName(n.DeleteStmt.Relation), Reach: reachOf(n.DeleteStmt.WhereClause)}
	case *pgquery.Node_MergeStmt:
		return Write{Op: Merge, Target: rangeName(n.MergeStmt.Relation), Reach: mergeReach(n.MergeStmt)}
	case *pgquery.Node_CopyStmt:
		if n.CopyStmt.IsFrom {
			return Write{Op: CopyFrom, Target: rangeName(n.CopyStmt.Relation), Program: n.CopyStmt.IsProgram}
		}
		return Query{Writes: writesAny(s.Refs), Program: n.CopyStmt.IsProgram}
	case *pgquery.Node_ExplainStmt:
		return explained(s, n.ExplainStmt)
	case *pgquery.Node_ExecuteStmt:
		// What was prepared is not in the text; it can be any query or write.
		return Query{Writes: true}
	case *pgquery.Node_DeclareCursorStmt, *pgquery.Node_FetchStmt, *pgquery.Node_ClosePortalStmt, *pgquery.Node_PrepareStmt,
		*pgquery.Node_DeallocateStmt, *pgquery.Node_ListenStmt, *pgquery.Node_NotifyStmt, *pgquery.Node_UnlistenStmt,
		*pgquery.Node_CheckPointStmt, *pgquery.Node_LoadStmt:
		return Query{}
	case *pgquery.Node_IndexStmt:
		return createIndex(s, n.IndexStmt)
	case *pgquery.Node_CreateStmt:
		return createTable(s, n.CreateStmt)
	case *pgquery.Node_CreateForeignTableStmt:
		action := createTable(s, n.CreateForeignTableStmt.BaseStmt)
		action.Foreign = true
		return action
	case *pgquery.Node_CreateTableAsStmt:
		if n.CreateTableAsStmt.Objtype == pgquery.ObjectType_OBJECT_TABLE {
			return createTableAs(n.CreateTableAsStmt)
		}
	case *pgquery.Node_AlterTableStmt:
		return alterTable(s, n.AlterTableStmt)
	case *pgquery.Node_RenameStmt:
		return rename(s, n.RenameStmt)
	case *pgquery.Node_AlterObjectSchemaStmt:
		return setSchema(s, n.AlterObjectSchemaStmt)
	case *pgquery.Node_AlterDomainStmt:
		return alterDomain(s, n.AlterDomainStmt)
	case *pgquery.Node_AlterEnumStmt:
		return alterEnum(s, n.AlterEnumStmt)
	case *pgquery.Node_DropStmt:
		return drop(s, n.DropStmt)
	case *pgquery.Node_DropdbStmt:
		return dropNamed(s, "DATABASE", n.DropdbStmt.MissingOk, n.DropdbStmt.Dbname)
	case *pgquery.Node_DropTableSpaceStmt:
		return dropNamed(s, "TABLESPACE", n.DropTableSpaceStmt.MissingOk, n.DropTableSpaceStmt.Tablespacename)
	case *pgquery.Node_DropSubscriptionStmt:
		return dropNamed(s, "SUBSCRIPTION", n.DropSubscriptionStmt.MissingOk, n.DropSubscriptionStmt.Subname)
	case *pgquery.Node_DropUserMappingStmt:
		return Drop{Object: "USER MAPPING", IfExists: n.DropUserMappingStmt.MissingOk,
			Names: []Name{{Name: n.DropUserMappingStmt.Servername}}}
	case *pgquery.Node_DropRoleStmt:
		return dropNamed(s, "ROLE", n.DropRoleStmt.MissingOk, roleNames(n.DropRoleStmt.Roles)...)
	case *pgquery.Node_DoStmt:
		return doBlock(n.DoStmt)
	case *pgquery.Node_CallStmt:
		return Opaque{}
	}
	return utility(s, node)
}

func transaction(s *Statement, t *pgquery.TransactionStmt) Action {
	action := Transaction{Name: t.SavepointName, Chain: t.Chain, Isolation: isolationOf(t.Options)}
	switch t.Kind {
	case pgquery.TransactionStmtKind_TRANS_STMT_BEGIN, pgquery.TransactionStmtKind_TRANS_STMT_START:
		action.Modes = modesOf(s)
	case pgquery.TransactionStmtKind_TRANS_STMT_COMMIT:
		action.Op = Commit
	case pgquery.TransactionStmtKind_TRANS_STMT_ROLLBACK:
		action.Op = Rollback
	case pgquery.TransactionStmtKind_TRANS_STMT_SAVEPOINT:
		action.Op = Savepoint
	case pgquery.TransactionStmtKind_TRANS_STMT_RELEASE:
		action.Op = Release
	case pgquery.TransactionStmtKind_TRANS_STMT_ROLLBACK_TO:
		action.Op = RollbackTo
	case pgquery.TransactionStmtKind_TRANS_STMT_PREPARE:
		action.Op, action.Name = Prepare, t.Gid
	case pgquery.TransactionStmtKind_TRANS_STMT_COMMIT_PREPARED:
		action.Op, action.Name = CommitPrepared, t.Gid
	case pgquery.TransactionStmtKind_TRANS_STMT_ROLLBACK_PREPARED:
		action.Op, action.Name = RollbackPrepared, t.Gid
	}
	return action
}

// modesOf is the text behind BEGIN [WORK|TRANSACTION] or START TRANSACTION, comments left out.
func modesOf(s *Statement) string {
	text := newSource(s)
	var modes []string
	for _, t := range text.tokens[text.skip(text.skip(1, "WORK"), "TRANSACTION"):text.end()] {
		modes = append(modes, s.Text[t.start:t.end])
	}
	return strings.ReplaceAll(strings.Join(modes, " "), " ,", ",")
}

// isolationOf finds the isolation level among the options of BEGIN and SET TRANSACTION.
func isolationOf(options []*pgquery.Node) string {
	for _, option := range options {
		if d := option.GetDefElem(); d.GetDefname() == "transaction_isolation" {
			return strings.ToLower(constantText(d.Arg))
		}
	}
	return ""
}

func setting(v *pgquery.VariableSetStmt) Action {
	action := Setting{Op: Set, Name: strings.ToLower(v.Name), Local: v.IsLocal}
	switch v.Kind {
	case pgquery.VariableSetKind_VAR_SET_MULTI:
		action.Op, action.Isolation = SetTransaction, isolationOf(v.Args)
	case pgquery.VariableSetKind_VAR_RESET:
		action.Op = Reset
	case pgquery.VariableSetKind_VAR_RESET_ALL:
		action.Op = ResetAll
	}
	if action.Op == Set {
		var values []string
		for _, arg := range v.Args {
			values = append(values, constantText(arg))
		}
		action.Value = strings.Join(values, ", ")
	}
	return action
}

// constantText is the text of a constant, "" for anything else.
func constantText(n *pgquery.Node) string {
	constant := n.GetAConst()
	switch {
	case n.GetTypeCast() != nil:
		return constantText(n.GetTypeCast().Arg)
	case constant.GetSval() != nil:
		return constant.GetSval().Sval
	case constant.GetFval() != nil:
		return constant.GetFval().Fval
	case constant.GetIval() != nil:
		return strconv.Itoa(int(constant.GetIval().Ival))
	}
	return ""
}

// intoTable is the table of SELECT … INTO; in a set operation the INTO is the leftmost query's.
func intoTable(s *pgquery.SelectStmt) *pgquery.RangeVar {
	for s.Larg != nil {
		s = s.Larg
	}
	return s.GetIntoClause().GetRel()
}

// madeBy is a query that makes a table; nil is none.
func madeBy(into *pgquery.RangeVar, s *Statement) Query {
	return Query{Into: rangeName(into), Temp: into.GetRelpersistence() == "t", Writes: writesAny(s.Refs)}
}

func writesAny(found []Ref) bool {
	for _, ref := range found {
		if ref.Written {
			return true
		}
	}
	return false
}

// explained is what EXPLAIN does: with ANALYZE, it runs the explained statement, which is its Inner.
func explained(s *Statement, e *pgquery.ExplainStmt) Action {
	if !optionOn(e.Options, "analyze") {
		return Query{}
	}
	switch n := e.Query.GetNode().(type) {
	case *pgquery.Node_CreateTableAsStmt:
		return madeBy(n.CreateTableAsStmt.GetInto().GetRel(), s)
	case *pgquery.Node_SelectStmt:
		return madeBy(intoTable(n.SelectStmt), s)
	case *pgquery.Node_ExecuteStmt:
		return Query{Writes: true}
	}
	return Query{Writes: writesAny(s.Refs)}
}

func createTable(s *Statement, c *pgquery.CreateStmt) CreateTable {
	action := CreateTable{Table: rangeName(c.Relation), Temp: c.Relation.GetRelpersistence() == "t", IfNotExists: c.IfNotExists,
		Copies: c.OfTypename != nil || len(c.InhRelations) > 0}
	if c.Partbound != nil && len(c.InhRelations) == 1 {
		action.PartitionOf = rangeName(c.InhRelations[0].GetRangeVar())
	}
	parent := func(constraint *pgquery.Constraint) {
		if constraint.GetPktable() != nil {
			action.Parents = append(action.Parents, rangeName(constraint.Pktable))
		}
	}
	text := newSource(s)
	for i, part := range text.elements(c) {
		switch n := c.TableElts[i].GetNode().(type) {
		case *pgquery.Node_Constraint:
			parent(n.Constraint)
			action.Constraints = append(action.Constraints, *text.constraint(n.Constraint, part, ""))
		case *pgquery.Node_ColumnDef:
			for _, constraint := range n.ColumnDef.Constraints {
				parent(constraint.GetConstraint())
			}
			action.Columns = append(action.Columns, *text.column(n.ColumnDef, part))
			action.ColumnNames = append(action.ColumnNames, n.ColumnDef.Colname)
		case *pgquery.Node_TableLikeClause:
			action.Copies = true
		}
	}
	return action
}

// elements are the places of what stands between the brackets behind the table's name, one for each of the tree's elements.
func (s *source) elements(c *pgquery.CreateStmt) [][2]int {
	if len(c.TableElts) == 0 {
		return nil
	}
	open := s.find(s.name(s.at(c.Relation.GetLocation())), s.end(), "(")
	return s.list(open+1, s.over(open)-1)
}

func createTableAs(c *pgquery.CreateTableAsStmt) Action {
	table := c.GetInto().GetRel()
	return CreateTable{Table: rangeName(table), Temp: table.GetRelpersistence() == "t", IfNotExists: c.IfNotExists, As: true,
		NoData: c.GetInto().GetSkipData()}
}

func doBlock(d *pgquery.DoStmt) Action {
	action := Opaque{Language: "plpgsql"}
	for _, arg := range d.Args {
		switch option := arg.GetDefElem(); option.GetDefname() {
		case "language":
			action.Language = option.GetArg().GetString_().GetSval()
		case "as":
			action.Body = option.GetArg().GetString_().GetSval()
		}
	}
	return action
}

func roleNames(roles []*pgquery.Node) []string {
	var names []string
	for _, role := range roles {
		names = append(names, role.GetRoleSpec().GetRolename())
	}
	return names
}
