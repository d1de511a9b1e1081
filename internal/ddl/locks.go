package ddl

import (
	"strings"

	pgquery "github.com/pganalyze/pg_query_go/v5"
)

// statement collects what one statement names. What takes a lock of its own is taken first, with that lock; the walk then finds
// everything that is merely read.
//
// The modes are those of 13.3 of the Postgres documentation and, for ALTER TABLE, of AlterTableGetLockLevel in tablecmds.c; where
// versions differ, the strongest of 13 to 18. testdata/locks.sql holds them against pg_locks of a running server.
func (r *refs) statement(node *pgquery.Node) {
	switch n := node.GetNode().(type) {
	case *pgquery.Node_CreateStmt:
		r.createTable(n.CreateStmt)
	case *pgquery.Node_CreateForeignTableStmt:
		r.createTable(n.CreateForeignTableStmt.BaseStmt)
	case *pgquery.Node_CreateSchemaStmt:
		for _, element := range n.CreateSchemaStmt.SchemaElts {
			r.statement(element)
		}
	case *pgquery.Node_CreateTableAsStmt:
		s := n.CreateTableAsStmt
		r.take(s.GetInto().GetRel(), Ref{Kind: objectKind(s.Objtype), Created: true})
	case *pgquery.Node_ViewStmt:
		r.take(n.ViewStmt.View, replaced(n.ViewStmt.Replace, "VIEW"))
	case *pgquery.Node_CreateSeqStmt:
		r.take(n.CreateSeqStmt.Sequence, Ref{Kind: "SEQUENCE", Created: true})
		r.ownedBy(n.CreateSeqStmt.Options)
	case *pgquery.Node_AlterSeqStmt:
		r.take(n.AlterSeqStmt.Sequence, Ref{Kind: "SEQUENCE", Lock: ShareRowExclusive})
		r.ownedBy(n.AlterSeqStmt.Options)
	case *pgquery.Node_IndexStmt:
		r.createIndex(n.IndexStmt)
	case *pgquery.Node_CreateTrigStmt:
		r.take(n.CreateTrigStmt.Relation, Ref{Lock: ShareRowExclusive})
	case *pgquery.Node_RuleStmt:
		r.take(n.RuleStmt.Relation, Ref{Lock: AccessExclusive})
		r.dormant = true
	case *pgquery.Node_CreatePolicyStmt:
		r.take(n.CreatePolicyStmt.Table, Ref{Kind: "TABLE", Lock: AccessExclusive})
	case *pgquery.Node_AlterPolicyStmt:
		r.take(n.AlterPolicyStmt.Table, Ref{Kind: "TABLE", Lock: AccessExclusive})
	case *pgquery.Node_CreateStatsStmt:
		for _, relation := range n.CreateStatsStmt.Relations {
			r.take(relation.GetRangeVar(), Ref{Lock: ShareUpdateExclusive})
		}
	case *pgquery.Node_CreatePublicationStmt:
		r.published(n.CreatePublicationStmt.Pubobjects)
	case *pgquery.Node_AlterPublicationStmt:
		r.published(n.AlterPublicationStmt.Pubobjects)
	case *pgquery.Node_CompositeTypeStmt:
		r.take(n.CompositeTypeStmt.Typevar, Ref{Kind: "TYPE", Created: true})
	case *pgquery.Node_ConstraintsSetStmt:
		// The names are those of constraints.
		for _, constraint := range n.ConstraintsSetStmt.Constraints {
			r.taken[constraint.GetRangeVar()] = true
		}
	case *pgquery.Node_ImportForeignSchemaStmt:
		// The tables are those of the other server.
		for _, table := range n.ImportForeignSchemaStmt.TableList {
			r.taken[table.GetRangeVar()] = true
		}
	case *pgquery.Node_AlterTableStmt:
		r.alterTable(n.AlterTableStmt)
	case *pgquery.Node_RenameStmt:
		r.rename(n.RenameStmt)
	case *pgquery.Node_AlterObjectSchemaStmt:
		s := n.AlterObjectSchemaStmt
		r.take(s.Relation, Ref{Kind: objectKind(s.ObjectType), Lock: AccessExclusive})
	case *pgquery.Node_AlterObjectDependsStmt:
		s := n.AlterObjectDependsStmt
		r.take(s.Relation, Ref{Lock: AccessExclusive})
	case *pgquery.Node_DropStmt:
		r.drop(n.DropStmt)
	case *pgquery.Node_TruncateStmt:
		for _, relation := range n.TruncateStmt.Relations {
			r.take(relation.GetRangeVar(), Ref{Kind: "TABLE", Lock: AccessExclusive, Written: true})
		}
	case *pgquery.Node_LockStmt:
		for _, relation := range n.LockStmt.Relations {
			// LOCKMODE of lockdefs.h counts as LockMode does.
			r.take(relation.GetRangeVar(), Ref{Lock: LockMode(n.LockStmt.Mode)})
		}
	case *pgquery.Node_RefreshMatViewStmt:
		s := n.RefreshMatViewStmt
		lock := AccessExclusive
		if s.Concurrent {
			lock = Exclusive
		}
		r.take(s.Relation, Ref{Kind: "MATERIALIZED VIEW", Lock: lock, Written: true})
	case *pgquery.Node_ReindexStmt:
		r.reindex(n.ReindexStmt)
	case *pgquery.Node_ClusterStmt:
		r.take(n.ClusterStmt.Relation, Ref{Lock: AccessExclusive})
		r.index(n.ClusterStmt.Relation, n.ClusterStmt.Indexname, AccessExclusive)
	case *pgquery.Node_VacuumStmt:
		lock := ShareUpdateExclusive
		if optionOn(n.VacuumStmt.Options, "full") {
			lock = AccessExclusive
		}
		for _, relation := range n.VacuumStmt.Rels {
			r.take(relation.GetVacuumRelation().GetRelation(), Ref{Lock: lock})
		}
	case *pgquery.Node_CommentStmt:
		r.labelled(n.CommentStmt.Objtype, n.CommentStmt.Object)
	case *pgquery.Node_SecLabelStmt:
		r.labelled(n.SecLabelStmt.Objtype, n.SecLabelStmt.Object)
	case *pgquery.Node_CopyStmt:
		if n.CopyStmt.IsFrom {
			r.take(n.CopyStmt.Relation, Ref{Lock: RowExclusive, Written: true})
		}
	case *pgquery.Node_ExplainStmt:
		if n.ExplainStmt.Query.GetRefreshMatViewStmt() != nil {
			return // "Utility statements have no plan structure": the server does nothing, ANALYZE or not
		}
		if optionOn(n.ExplainStmt.Options, "analyze") {
			r.statement(n.ExplainStmt.Query)
			return
		}
		r.dormant = true
	case *pgquery.Node_PrepareStmt, *pgquery.Node_CreateFunctionStmt:
		r.dormant = true
	}
	r.walk(node.ProtoReflect())
}

func (r *refs) createTable(s *pgquery.CreateStmt) {
	r.take(s.Relation, Ref{Kind: "TABLE", Created: true})
	parentLock := ShareUpdateExclusive
	if s.Partbound != nil {
		parentLock = AccessExclusive
	}
	for _, parent := range s.InhRelations {
		r.take(parent.GetRangeVar(), Ref{Kind: "TABLE", Lock: parentLock})
	}
	for _, element := range s.TableElts {
		r.constraint(element.GetConstraint())
		r.columnConstraints(element.GetColumnDef())
	}
}

func (r *refs) columnConstraints(column *pgquery.ColumnDef) {
	for _, c := range column.GetConstraints() {
		r.constraint(c.GetConstraint())
	}
}

// constraint takes what a constraint locks beside its own table: the table that a foreign key references.
func (r *refs) constraint(c *pgquery.Constraint) {
	r.take(c.GetPktable(), Ref{Kind: "TABLE", Lock: ShareRowExclusive})
}

func (r *refs) createIndex(s *pgquery.IndexStmt) {
	lock := Share
	if s.Concurrent {
		lock = ShareUpdateExclusive
	}
	r.take(s.Relation, Ref{Lock: lock})
	r.index(s.Relation, s.Idxname, NoLock)
}

// index records an index that is named without its schema, which is its table's. Without a lock it is one that is made.
func (r *refs) index(table *pgquery.RangeVar, name string, lock LockMode) {
	if name != "" {
		r.name(Name{table.GetSchemaname(), name}, Ref{Kind: "INDEX", Lock: lock, Created: lock == NoLock})
	}
}

func (r *refs) alterTable(s *pgquery.AlterTableStmt) {
	lock := NoLock
	for _, c := range s.Cmds {
		lock = max(lock, r.alterCommand(s, c.GetAlterTableCmd()))
	}
	r.take(s.Relation, Ref{Kind: objectKind(s.Objtype), Lock: lock})
}

// alterCommand takes the other relations of a command and returns its lock on the altered one.
func (r *refs) alterCommand(s *pgquery.AlterTableStmt, c *pgquery.AlterTableCmd) LockMode {
	r.constraint(c.GetDef().GetConstraint())
	r.columnConstraints(c.GetDef().GetColumnDef())
	r.index(s.Relation, c.GetDef().GetConstraint().GetIndexname(), AccessExclusive)
	other, partition := c.GetDef().GetRangeVar(), c.GetDef().GetPartitionCmd()
	switch c.Subtype {
	case pgquery.AlterTableType_AT_ClusterOn:
		r.index(s.Relation, c.Name, ShareUpdateExclusive)
	case pgquery.AlterTableType_AT_ReplicaIdentity:
		r.index(s.Relation, c.GetDef().GetReplicaIdentityStmt().GetName(), Share)
	case pgquery.AlterTableType_AT_AddInherit, pgquery.AlterTableType_AT_DropInherit:
		r.take(other, Ref{Kind: "TABLE", Lock: ShareUpdateExclusive})
	case pgquery.AlterTableType_AT_AttachPartition, pgquery.AlterTableType_AT_DetachPartition,
		pgquery.AlterTableType_AT_DetachPartitionFinalize:
		r.take(partition.GetName(), Ref{Kind: objectKind(s.Objtype), Lock: AccessExclusive})
	}
	return commandLock(c)
}

// commandLock is AlterTableGetLockLevel.
func commandLock(c *pgquery.AlterTableCmd) LockMode {
	switch c.Subtype {
	case pgquery.AlterTableType_AT_SetStatistics, pgquery.AlterTableType_AT_ClusterOn, pgquery.AlterTableType_AT_DropCluster,
		pgquery.AlterTableType_AT_SetOptions, pgquery.AlterTableType_AT_ResetOptions,
		pgquery.AlterTableType_AT_ValidateConstraint, pgquery.AlterTableType_AT_AttachPartition,
		pgquery.AlterTableType_AT_DetachPartitionFinalize:
		return ShareUpdateExclusive
	case pgquery.AlterTableType_AT_DetachPartition:
		if c.GetDef().GetPartitionCmd().GetConcurrent() {
			return ShareUpdateExclusive
		}
	case pgquery.AlterTableType_AT_EnableTrig, pgquery.AlterTableType_AT_EnableAlwaysTrig, pgquery.AlterTableType_AT_EnableReplicaTrig,
		pgquery.AlterTableType_AT_EnableTrigAll, pgquery.AlterTableType_AT_EnableTrigUser, pgquery.AlterTableType_AT_DisableTrig,
		pgquery.AlterTableType_AT_DisableTrigAll, pgquery.AlterTableType_AT_DisableTrigUser:
		return ShareRowExclusive
	case pgquery.AlterTableType_AT_AddConstraint:
		if c.GetDef().GetConstraint().GetContype() == pgquery.ConstrType_CONSTR_FOREIGN {
			return ShareRowExclusive
		}
	case pgquery.AlterTableType_AT_SetRelOptions, pgquery.AlterTableType_AT_ResetRelOptions, pgquery.AlterTableType_AT_ReplaceRelOptions:
		lock := ShareUpdateExclusive
		for _, option := range c.GetDef().GetList().GetItems() {
			lock = max(lock, optionLock(option.GetDefElem()))
		}
		return lock
	}
	return AccessExclusive
}

// optionLock is the lock that reloptions.c asks for a storage parameter; an unknown one may ask for any.
func optionLock(option *pgquery.DefElem) LockMode {
	name := option.GetDefname()
	if option.GetDefnamespace() == "toast" {
		return ShareUpdateExclusive
	}
	switch name {
	case "fillfactor", "parallel_workers", "toast_tuple_target", "vacuum_index_cleanup", "vacuum_truncate", "deduplicate_items",
		"vacuum_max_eager_freeze_failure_rate", "log_autovacuum_min_duration":
		return ShareUpdateExclusive
	}
	if strings.HasPrefix(name, "autovacuum_") {
		return ShareUpdateExclusive
	}
	return AccessExclusive
}

func (r *refs) rename(s *pgquery.RenameStmt) {
	switch {
	case s.RenameType == pgquery.ObjectType_OBJECT_ATTRIBUTE:
		r.take(s.Relation, Ref{Kind: "TYPE", Lock: AccessExclusive})
	case s.RenameType == pgquery.ObjectType_OBJECT_INDEX:
		r.take(s.Relation, Ref{Kind: "INDEX", Lock: ShareUpdateExclusive})
	case s.RenameType == pgquery.ObjectType_OBJECT_COLUMN:
		r.take(s.Relation, Ref{Kind: objectKind(s.RelationType), Lock: AccessExclusive})
	case s.RenameType == pgquery.ObjectType_OBJECT_TABCONSTRAINT:
		r.take(s.Relation, Ref{Kind: "TABLE", Lock: AccessExclusive})
	case ownedByRelation(s.RenameType):
		r.take(s.Relation, Ref{Lock: AccessExclusive})
	default:
		r.take(s.Relation, Ref{Kind: objectKind(s.RenameType), Lock: AccessExclusive})
	}
}

func (r *refs) drop(s *pgquery.DropStmt) {
	lock := AccessExclusive
	if s.Concurrent {
		lock = ShareUpdateExclusive
	}
	for _, object := range s.Objects {
		switch {
		case isRelation(s.RemoveType):
			r.name(objectName(object), Ref{Kind: objectKind(s.RemoveType), Lock: lock})
		case ownedByRelation(s.RemoveType):
			owner, _ := ownerName(object)
			r.name(owner, Ref{Lock: lock})
		}
	}
}

func (r *refs) reindex(s *pgquery.ReindexStmt) {
	kind, lock := ObjectKind("TABLE"), Share
	if s.Kind == pgquery.ReindexObjectType_REINDEX_OBJECT_INDEX {
		// The table gets ShareLock, the index AccessExclusiveLock, and every query of the table plans with its indexes.
		kind, lock = "INDEX", AccessExclusive
	}
	if optionOn(s.Params, "concurrently") {
		lock = ShareUpdateExclusive
	}
	r.take(s.Relation, Ref{Kind: kind, Lock: lock})
}

// labelled takes the relation of COMMENT ON and SECURITY LABEL.
func (r *refs) labelled(object pgquery.ObjectType, name *pgquery.Node) {
	switch {
	case isRelation(object):
		r.name(objectName(name), Ref{Kind: objectKind(object), Lock: ShareUpdateExclusive})
	case object == pgquery.ObjectType_OBJECT_COLUMN:
		owner, _ := ownerName(name)
		r.name(owner, Ref{Lock: ShareUpdateExclusive})
	case ownedByRelation(object):
		owner, _ := ownerName(name)
		r.name(owner, Ref{Lock: AccessShare})
	}
}

func (r *refs) published(objects []*pgquery.Node) {
	for _, object := range objects {
		r.take(object.GetPublicationObjSpec().GetPubtable().GetRelation(), Ref{Kind: "TABLE", Lock: ShareUpdateExclusive})
	}
}

// ownedBy takes the table of a sequence's OWNED BY table.column.
func (r *refs) ownedBy(options []*pgquery.Node) {
	for _, option := range options {
		if d := option.GetDefElem(); d.GetDefname() == "owned_by" && len(d.GetArg().GetList().GetItems()) > 1 {
			owner, _ := ownerName(d.Arg)
			r.name(owner, Ref{Kind: "TABLE", Lock: AccessShare})
		}
	}
}

// replaced is the Ref of something that CREATE makes, or replaces in place.
func replaced(replace bool, kind ObjectKind) Ref {
	if replace {
		return Ref{Kind: kind, Lock: AccessExclusive}
	}
	return Ref{Kind: kind, Created: true}
}

// optionOn reports whether a boolean option is in the list and not switched off.
func optionOn(options []*pgquery.Node, name string) bool { return optionOr(options, name, false) }

// optionOr is the value of a boolean option, or what it is without being written.
func optionOr(options []*pgquery.Node, name string, otherwise bool) bool {
	for _, option := range options {
		if d := option.GetDefElem(); d.GetDefname() == name {
			otherwise = isTrue(d.Arg)
		}
	}
	return otherwise
}

// isTrue is defGetBoolean: an option without a value is on. A value that the server will refuse counts as on.
func isTrue(arg *pgquery.Node) bool {
	switch {
	case arg.GetInteger() != nil:
		return arg.GetInteger().Ival != 0
	case arg.GetBoolean() != nil:
		return arg.GetBoolean().Boolval
	case arg.GetString_() != nil:
		switch strings.ToLower(arg.GetString_().Sval) {
		case "false", "off", "0":
			return false
		}
	}
	return true
}
