package ddl

import "slices"

// Name is a possibly qualified name as the client wrote it, unquoted and case-folded as the server folds it.
type Name struct {
	Schema string // "" when the name is not qualified
	Name   string
}

// Statement is one SQL statement of a client's text.
type Statement struct {
	// Text is the statement's own bytes, from its first token to its last, without the semicolon. Comments inside are kept.
	Text string
	// Offset is where Text starts in the text that was given to Parse, in bytes.
	Offset int
	// Lead is what stands between the semicolon of the statement before (or the start) and Text: white space, comments, and the
	// semicolons of empty statements.
	Lead string
	// Tail is what stands between Text and its own semicolon, or the end of the text: white space and comments.
	Tail string
	// Tag is the command tag that the server answers, without a row count: "CREATE INDEX", "INSERT 0", "SELECT".
	Tag string
	// Action says what the statement does. Never nil.
	Action Action
	// Refs are the relations that the statement names anywhere, sub-queries included, each with the strongest lock that the statement is known to take on it.
	// CTE names are not relations.
	Refs []Ref
	// Calls are the functions that the statement calls by name, anywhere, operators not included.
	Calls []Name
	// Casts are the string constants that are cast to a type, anywhere: 'x'::mood.
	Casts []Cast
	// Inner are the statements within this one: those of the body of a DO block or a function, of a rule, of CREATE SCHEMA, what EXPLAIN ANALYZE
	// runs and PREPARE prepares, and the queries of WITH that write. The Refs of a DO block are those of what it runs.
	Inner []Inner
	// known is Text as the grammar took it, where it has newer words (modern); "" where it has none.
	known string
	// NoSplice is true when Text is not what the client wrote (ParseNonconforming): its offsets are good for judging, and
	// nothing may be spliced into it.
	NoSplice bool
}

// Cast is a string constant that is cast to a type.
type Cast struct {
	Type  TypeName
	Value string
}

// Ref is one relation that a statement names.
type Ref struct {
	Name Name
	// Lock is the strongest lock that the statement takes on the relation when it runs (Postgres documentation, 13.3),
	// on any supported version. For an index that is dropped or altered it is the lock on its table.
	Lock LockMode
	// Kind says what sort of object the name stands for, as far as the grammar tells.
	Kind ObjectKind
	// Written is true when the statement changes the relation's rows.
	Written bool
	// Created is true when the statement makes the relation; then Lock is NoLock, because nobody else can wait for it.
	Created bool
}

// LockMode is a table-level lock mode, in Postgres's order of strength (src/include/storage/lockdefs.h).
type LockMode int

// The lock modes. NoLock also stands for "none that is known".
const (
	NoLock LockMode = iota
	AccessShare
	RowShare
	RowExclusive
	ShareUpdateExclusive
	Share
	ShareRowExclusive
	Exclusive
	AccessExclusive
)

// BlocksWriters reports whether other sessions' INSERT, UPDATE and DELETE wait behind the lock.
func (m LockMode) BlocksWriters() bool { return m >= Share }

// BlocksReaders reports whether other sessions' SELECT waits behind the lock.
func (m LockMode) BlocksReaders() bool { return m == AccessExclusive }

// String is the name that pg_locks shows: "AccessExclusiveLock".
func (m LockMode) String() string {
	switch m {
	case AccessShare:
		return "AccessShareLock"
	case RowShare:
		return "RowShareLock"
	case RowExclusive:
		return "RowExclusiveLock"
	case ShareUpdateExclusive:
		return "ShareUpdateExclusiveLock"
	case Share:
		return "ShareLock"
	case ShareRowExclusive:
		return "ShareRowExclusiveLock"
	case Exclusive:
		return "ExclusiveLock"
	case AccessExclusive:
		return "AccessExclusiveLock"
	}
	return "NoLock"
}

// ObjectKind is the kind of object that a DDL statement names, in the words of the grammar: "TABLE", "INDEX", "VIEW",
// "MATERIALIZED VIEW", "SEQUENCE", "FUNCTION", "SCHEMA", "TYPE", …
type ObjectKind string

// Span is a range of bytes within Statement.Text.
type Span struct{ Start, End int }

// Action is what a statement does. The set is closed; a switch over it has a default.
type Action interface{ action() }

// Transaction is BEGIN and its kin.
type Transaction struct {
	Op    TransactionOp
	Name  string // savepoint, or the id of a prepared transaction
	Chain bool   // COMMIT or ROLLBACK … AND CHAIN
	// Isolation is the level that BEGIN names, lower case: "serializable"; "" when it names none.
	Isolation string
	// Modes is the text of the modes of BEGIN ("ISOLATION LEVEL SERIALIZABLE, READ ONLY"), "" if there are none.
	Modes string
}

// TransactionOp is the kind of a transaction statement.
type TransactionOp int

// The transaction statements. START TRANSACTION is Begin, END is Commit, ABORT is Rollback.
const (
	Begin TransactionOp = iota
	Commit
	Rollback
	Savepoint
	Release
	RollbackTo
	Prepare
	CommitPrepared
	RollbackPrepared
)

// Setting is SET, RESET, SHOW or DISCARD.
type Setting struct {
	Op    SettingOp
	Name  string // lower case; "" for RESET ALL and DISCARD
	Local bool
	// Value is what SET sets, constants as text and lists joined by ", "; "" for DEFAULT.
	Value string
	// Isolation is the level that SET TRANSACTION or SET SESSION CHARACTERISTICS names, lower case; "" when it names none.
	Isolation string
}

// SettingOp is the kind of a Setting.
type SettingOp int

// The kinds of setting statements. SetTransaction is SET TRANSACTION, SET SESSION CHARACTERISTICS and SET CONSTRAINTS.
const (
	Set SettingOp = iota
	SetTransaction
	Reset
	ResetAll
	Show
	Discard
	DiscardAll
)

// LockTable is LOCK TABLE; its relations are the statement's Refs.
type LockTable struct{ NoWait bool }

// Query is SELECT, VALUES, TABLE, SHOW-like utility reads, FETCH, DECLARE CURSOR, EXPLAIN without a write, and other statements that
// change nothing.
type Query struct {
	// Into is the table that SELECT … INTO makes; zero otherwise. Temp is true when that is a temporary one.
	Into Name
	Temp bool
	// Writes is true when a CTE or EXPLAIN ANALYZE changes rows.
	Writes bool
	// Program is true for COPY … TO PROGRAM.
	Program bool
}

// Write is INSERT, UPDATE, DELETE, MERGE, or COPY … FROM.
type Write struct {
	Op     WriteOp
	Target Name
	// OnConflict is true for INSERT … ON CONFLICT, Queried for an INSERT whose rows a query gives: no VALUES.
	OnConflict, Queried bool
	// Reach is how much of the target an UPDATE, DELETE or MERGE may change, as far as its condition tells.
	Reach Reach
	// Program is true for COPY … FROM PROGRAM.
	Program bool
}

// Reach is how much of a table a write may change.
type Reach int

// The reaches. SomeRows is an equality in the condition, ManyRows any other condition, EveryRow none, or one that is true whatever the data: WHERE true, WHERE 1 = 1.
const (
	UnknownReach Reach = iota
	SomeRows
	ManyRows
	EveryRow
)

// WriteOp is the kind of a Write.
type WriteOp int

// The kinds of writes.
const (
	Insert WriteOp = iota
	Update
	Delete
	Merge
	CopyFrom
)

// AdvisoryLock is a SELECT that consists of one call of a blocking pg_advisory_lock function and nothing else
// (a "FROM set_timeout"-like single-row CTE that sets lock_timeout, as Kysely sends it, included).
type AdvisoryLock struct {
	Func string // pg_advisory_lock, pg_advisory_lock_shared, pg_advisory_xact_lock or pg_advisory_xact_lock_shared
	Args []Span // the arguments' text
	// Try is the statement's text with the function's name replaced by its pg_try_ twin, in pg_catalog.
	Try string
}

// CreateIndex is CREATE INDEX.
type CreateIndex struct {
	Name         string // "" when the server is to choose
	Table        Name
	Method       string // access method; "btree" when none is written
	Unique       bool
	Concurrently bool
	IfNotExists  bool
	Only         bool
	// Columns are the plain columns of the index; an expression is "".
	Columns []string
	// Expression is true when a key is an expression; Partial when there is a WHERE clause.
	Expression, Partial, NullsNotDistinct bool
	// Keys is the text between the outermost parentheses of the keys; Where the text of the predicate, zero if there is none.
	Keys, Where Span
	// AfterIndex is the offset just behind the word INDEX, where CONCURRENTLY is spliced in.
	AfterIndex int
	// BeforeOn is the offset of the word ON, where a name is spliced in when Name is "".
	BeforeOn int
	// TableSpan is the text of the table's name (without ONLY).
	TableSpan Span
	// NameSpan is the text of the index's name; zero if Name is "".
	NameSpan Span
	// IfNotExistsSpan is the text IF NOT EXISTS; zero if it is not there.
	IfNotExistsSpan Span
}

// Drop is DROP of anything that has a name.
type Drop struct {
	Object       ObjectKind
	Names        []Name
	NameSpans    []Span // the text of each name
	Concurrently bool
	IfExists     bool
	Cascade      bool
	// AfterObject is the offset just behind the object's word (INDEX), where CONCURRENTLY is spliced in.
	AfterObject int
}

// AlterTable is ALTER TABLE (also of an index, view, sequence, composite type, …) with its commands; also RENAME and SET SCHEMA of
// anything that has a name, ALTER DOMAIN, and ALTER TYPE … ADD VALUE and RENAME VALUE. A rule looks at Object first.
type AlterTable struct {
	// Object is what the statement alters: "TABLE" or anything else. Of a trigger, rule or policy Table is the relation that it belongs to.
	Object   ObjectKind
	Table    Name
	IfExists bool
	Only     bool
	// TableSpan is the text of the table's name (without ONLY and *).
	TableSpan Span
	Commands  []AlterCommand
}

// AlterCommand is one command of an ALTER TABLE.
type AlterCommand struct {
	// Op is the grammar's name of the command without the AT_ prefix: "AddColumn", "DropColumn", "AddConstraint",
	// "ValidateConstraint", "AlterColumnType", "SetNotNull", "ColumnDefault" (also DROP DEFAULT), …. "Rename", "RenameColumn",
	// "RenameConstraint", "RenameValue", "AddValue" and "SetSchema" are ours. Those of ALTER DOMAIN are named like a table's.
	Op string
	// Name is the column or constraint it is about, "" if none.
	Name string
	// NewName is the new name or schema of a rename or move.
	NewName string
	// Constraint is set for AddConstraint.
	Constraint *Constraint
	Cascade    bool
	IfExists   bool
	// Span is the command's text, without the comma.
	Span Span
	// Column is set for AddColumn and AlterColumnType.
	Column *Column
	// Relation is the other relation of AttachPartition, DetachPartition, DetachPartitionFinalize, AddInherit and DropInherit; zero otherwise.
	Relation Name
	// Concurrently is true for DETACH PARTITION … CONCURRENTLY.
	Concurrently bool
	// Options are the names of the storage parameters that the command sets or resets; of AddIdentity those of the sequence that are written; of
	// ReplicaIdentity the kind, as pg_class.relreplident has it: d, n, f or i.
	Options []string
	// Enforced is what ALTER CONSTRAINT makes of its constraint (18): "ENFORCED", "NOT ENFORCED", or "" for nothing.
	Enforced string
	// Default is the text of the expression of ALTER COLUMN … SET DEFAULT and SET EXPRESSION; zero otherwise (ColumnDefault without it is DROP DEFAULT).
	Default Span
}

// Column is a column as ADD COLUMN defines it, or the type that ALTER COLUMN … TYPE gives it.
type Column struct {
	// Type is the type's name as the grammar resolves it: int is pg_catalog.int4, serial stays serial.
	Type Name
	// TypeSpan is the type's text, with its modifiers and array bounds, without COLLATE.
	TypeSpan Span
	// Modifiers are the type's, as the grammar has them (varchar(20): 20; interval(3): a mask and 3); nil if there are none. Array is true for an array.
	Modifiers []string
	Array     bool
	// Collate is the collation that is written; zero if none.
	Collate Name
	// Using is the text of the USING expression of AlterColumnType; zero if there is none.
	Using Span
	// UsingCasts are the types that USING casts the column to, innermost first, when it is the column itself under nothing but casts. UsingOther
	// is true when it is anything else.
	UsingCasts []TypeName
	UsingOther bool
	// Default is the text of the DEFAULT expression; zero if there is none. DefaultCalls are the functions that it calls.
	Default      Span
	DefaultCalls []Name
	NotNull      bool
	// Identity is GENERATED … AS IDENTITY; Generated is GENERATED ALWAYS AS (…), Virtual that of 18 which stores nothing.
	Identity, Generated, Virtual bool
	// Expr is the text of a generated column's expression, within its parentheses; zero for other columns.
	Expr Span
	// IdentitySpan is the text GENERATED … AS IDENTITY with its options, IdentityOptions that of the options within their brackets; zero if there are none.
	IdentitySpan, IdentityOptions Span
	// Constraints are the constraints written with the column (CHECK, UNIQUE, PRIMARY KEY, REFERENCES), the column being theirs.
	Constraints []Constraint
}

// TypeName is the column's type.
func (c Column) TypeName() TypeName { return TypeName{c.Type, c.Modifiers, c.Array} }

// ImpliesNotNull reports whether the column's definition makes it NOT NULL.
func (c Column) ImpliesNotNull() bool {
	return c.NotNull || c.Identity || c.Serial() || slices.ContainsFunc(c.Constraints, func(k Constraint) bool { return k.Type == PrimaryKey })
}

// Serial reports whether the type is one of the notations that the server replaces by an integer and a sequence.
func (c Column) Serial() bool {
	switch c.Type.Name {
	case "serial", "serial4", "bigserial", "serial8", "smallserial", "serial2":
		return c.Type.Schema == ""
	}
	return false
}

// TypeName is a type as a statement names it.
type TypeName struct {
	Name      Name
	Modifiers []string
	Array     bool
}

// Keyword reports whether it is a type that the grammar has a word of its own for, such as integer or timestamp with time zone, or an array of it
// (SystemTypeName in gram.y): no other type can be meant, and it is no domain.
func (t TypeName) Keyword() bool {
	if t.Name.Schema != "pg_catalog" {
		return false
	}
	switch t.Name.Name {
	case "int2", "int4", "int8", "float4", "float8", "numeric", "bool", "bit", "varbit", "bpchar", "varchar", "timestamp", "timestamptz", "time", "timetz", "interval":
		return true
	}
	return false
}

// Constraint is a table constraint as ADD CONSTRAINT writes it.
type Constraint struct {
	Type       ConstraintType
	Name       string // "" when the server is to choose
	Columns    []string
	Parent     Name // the referenced table of a foreign key
	ParentCols []string
	NotValid   bool
	NoInherit  bool
	// NotEnforced is NOT ENFORCED (18): no row is ever checked. Temporal is WITHOUT OVERLAPS or PERIOD (18).
	NotEnforced, Temporal bool
	// UsingIndex is the index of ADD CONSTRAINT … USING INDEX.
	UsingIndex string
	// Deferrable and Deferred are DEFERRABLE and INITIALLY DEFERRED.
	Deferrable, Deferred bool
	// OnDelete is what a foreign key does when the referenced row goes, as pg_constraint.confdeltype has it: a, r, c, n or d; "" of any other.
	OnDelete string
	// Actions is what else a foreign key says, as pg_constraint has it: the letters of confupdtype, confdeltype and confmatchtype, "aas" where nothing is
	// written; "" of any other.
	Actions string
	// Include are the INCLUDE columns of a UNIQUE or PRIMARY KEY, NullsNotDistinct says that two NULLs are the same to it, With is the text of its
	// storage parameters, with their brackets, Tablespace the name behind USING INDEX TABLESPACE.
	Include          []string
	NullsNotDistinct bool
	With             Span
	Tablespace       string
	// Expr is the text of a CHECK's expression, within its parentheses.
	Expr Span
	// ParentSpan is the text of the referenced table's name.
	ParentSpan Span
	// End is the offset just behind the constraint, where NOT VALID is spliced in.
	End int
	// Start is the offset of the first token behind ADD, where "CONSTRAINT name" is spliced in when Name is "".
	Start int
}

// ConstraintType is a kind of constraint, as pg_constraint.contype has it.
type ConstraintType byte

// The kinds of constraints.
const (
	Check      ConstraintType = 'c'
	ForeignKey ConstraintType = 'f'
	PrimaryKey ConstraintType = 'p'
	Unique     ConstraintType = 'u'
	Exclusion  ConstraintType = 'x'
	NotNull    ConstraintType = 'n'
)

// CreateTable is CREATE TABLE, CREATE TABLE AS and CREATE FOREIGN TABLE.
type CreateTable struct {
	Table Name
	Temp  bool
	// Parents are the tables that its foreign keys reference.
	Parents []Name
	// PartitionOf is the table it is a partition of; zero if none.
	PartitionOf Name
	IfNotExists bool
	// As is true when the table is made by a query (CREATE TABLE AS), NoData when it is not filled by it.
	As, NoData bool
	// Foreign is true for CREATE FOREIGN TABLE.
	Foreign bool
	// Copies is true when it takes its columns from elsewhere: LIKE, OF or INHERITS.
	Copies bool
	// Columns are the columns that are written, ColumnNames their names. Constraints are those written beside the columns.
	Columns     []Column
	ColumnNames []string
	Constraints []Constraint
}

// Opaque runs code that the statement does not show: DO and CALL.
type Opaque struct {
	Language string // of a DO block
	Body     string // of a DO block
	// Unread is why the body is not read; "" when it is: then the statement's Inner are its statements.
	Unread string
	// Commits is true when the body has a COMMIT or ROLLBACK, so that it can neither run within a transaction nor be tried again.
	Commits bool
	// SwallowsTimeout is true when a handler of the body catches the error of a lock_timeout.
	SwallowsTimeout bool
}

// Utility is every other statement: TRUNCATE, REINDEX, CREATE TRIGGER, GRANT, … Its Refs say what it locks.
type Utility struct {
	// Object is what it is about, "" if nothing with a name.
	Object ObjectKind
	// NotInTransaction is true for a statement that the server refuses inside a transaction block (PreventInTransactionBlock):
	// VACUUM, CREATE DATABASE, ALTER SYSTEM, REINDEX DATABASE, … or anything CONCURRENTLY.
	NotInTransaction bool
	// Names are the objects it is about that are not relations (those are in Refs): the schema, function, trigger, type, role, ….
	// Of COMMENT they are the column only.
	Names []Name
	// Concurrently is true for REINDEX and REFRESH … CONCURRENTLY.
	Concurrently bool
	// Cascade is true for TRUNCATE … CASCADE and DROP OWNED … CASCADE.
	Cascade bool
	// Full is true for VACUUM FULL; NoData for REFRESH and CREATE MATERIALIZED VIEW … WITH NO DATA.
	Full, NoData bool
	// Replace is true for CREATE OR REPLACE.
	Replace bool
	// IfNotExists is true for CREATE SCHEMA IF NOT EXISTS.
	IfNotExists bool
	// Language and Body are those of CREATE FUNCTION and CREATE PROCEDURE, "" when the body is not a string.
	Language, Body string
	// Options are the options of a function, role, sequence, policy, domain, or of the settings of a role, a database or the system, by the
	// grammar's names, with constants as text ("superuser": "true"). What may be a secret (a password, a setting's value) is "",
	// a password that is a verifier already "verifier".
	Options map[string]string
	// Grantees are the roles that GRANT and REVOKE name, and ALTER DEFAULT PRIVILEGES where it grants, "public" for everybody; Privileges what they get or lose: words like "select" or,
	// of a GRANT of roles, the roles. No privilege is ALL of them.
	Grantees, Privileges []string
	// Setting is true for ALTER ROLE, DATABASE and SYSTEM … SET and RESET, whose Options are the settings.
	Setting bool
	// Labels are those of CREATE TYPE … AS ENUM.
	Labels []string
}

// Unparsed is text that could not be judged as a whole: the proxy makes such a Statement, Parse only as an Inner. It has no Refs and no Tag.
type Unparsed struct {
	// Reason says why in a few words: "PostgreSQL 16 grammar: syntax error at or near …", "too complex", "client_encoding MULE_INTERNAL".
	Reason string
	// Begun is true for the text of an EXECUTE whose beginning is known: then Text has all literals of its expression, else those of the whole body.
	Begun bool
	// Size is how long a text is of which Text is only the beginning, in bytes; 0 if Text is all of it.
	Size int
}

func (Unparsed) action()     {}
func (Transaction) action()  {}
func (Setting) action()      {}
func (LockTable) action()    {}
func (Query) action()        {}
func (Write) action()        {}
func (AdvisoryLock) action() {}
func (CreateIndex) action()  {}
func (Drop) action()         {}
func (AlterTable) action()   {}
func (CreateTable) action()  {}
func (Opaque) action()       {}
func (Utility) action()      {}
