// Package facts holds what is known about the world when a statement is judged: the server, the session, and every
// relation that the statement names, as the server resolves the names at that moment. Each fact is known or unknown.
package facts

import (
	"context"
	"slices"

	"github.com/pgsluice/pgsluice/internal/ddl"
)

// Querier asks the server one question. The answer is the first column of each row as text; NULL is "".
type Querier interface {
	Query(ctx context.Context, sql string, args ...string) ([]string, error)
}

// Facts is what is known. The zero value knows nothing (offline lint, a server that could not be asked).
type Facts struct {
	// Known is false when the server was not asked or did not answer: then everything below is unknown.
	Known bool `json:"-"`
	// Version is server_version_num; 0 is unknown.
	Version int `json:"version"`
	// PID is the backend that was asked; 0 is unknown.
	PID int `json:"-"`
	// Standby is pg_is_in_recovery.
	Standby bool `json:"standby"`
	// Database is the session's database and DatabaseOID its OID.
	Database    string `json:"database"`
	DatabaseOID uint32 `json:"database_oid"`
	// Tablespace is the database's default tablespace, "pg_default" nearly always.
	Tablespace string `json:"tablespace"`
	// SessionUser is the login; CurrentUser what SET ROLE made of it.
	SessionUser string `json:"session_user"`
	CurrentUser string `json:"current_user"`
	// SearchPath is the resolved search path, pg_catalog and temporary schema left out.
	SearchPath []string `json:"search_path"`
	// Settings are the session's values of the settings that a plan saves, restores or carries, by name: the timeouts,
	// role, search_path, and those of Environment; and application_name. pgsluice.allow, pgsluice.revision and pgsluice.actor are among
	// them when they are set. One that the server lacks is missing.
	Settings map[string]string `json:"settings"`
	// Isolation is the transaction's isolation level, "read committed" for instance.
	Isolation string `json:"isolation"`
	// HoldsStrong is true when this transaction already holds a lock stronger than ROW EXCLUSIVE on a relation that it
	// did not make itself, temporary relations and tools' version tables left out; retrying a lock inside it would keep others waiting.
	HoldsStrong bool `json:"-"`
	// Held are the relations behind HoldsStrong; an index stands for its table.
	Held []Held `json:"-"`
	// Standbys counts the connections that stream the WAL to physical standbys; -1 is unknown.
	Standbys int `json:"standbys"`
	// MayProbe is true when the current user may try a statement out on a temporary table, in a DO block.
	MayProbe bool `json:"may_probe"`
	// Extensions are the installed extensions that change what a table is: citus, timescaledb.
	Extensions []string `json:"extensions"`
	// Installed are all installed extensions, by name.
	Installed []string `json:"installed"`
	// Relations are the relations asked about, by Key of the name. A missing entry was not asked; a nil one is known not to exist.
	Relations map[string]*Relation `json:"-"`
	// Types are the types asked about (Wanted.Types), by TypeKey of the name as it is written, and by TypeKey of their own schema and name. A
	// missing entry was not asked or is not known; a nil one is known not to exist.
	Types map[string]*Type `json:"-"`
	// Functions are the functions asked about (Wanted.Functions), by Key of the name as it is written.
	Functions map[string]Function `json:"-"`
	// Casts are those of pg_cast between the types asked about, those of the columns whose type changes, and the base types of both. They are known where the
	// type of a column changes (Wanted.Changed).
	Casts []Cast `json:"-"`
	// Collations are the OIDs of the collations asked about (Wanted.Collations), by Key of the name as it is written; a missing one was not found.
	Collations map[string]uint32 `json:"-"`
	// UTC is true when the session's TimeZone has always been, and will always be, UTC: timestamp and timestamptz are the same bytes then. It is known
	// where the type of a column changes (Wanted.Changed), and both are among the types.
	UTC bool `json:"-"`
	// Schemas are the schemas asked about (Wanted.Schemas), by name; a nil one is known not to exist.
	Schemas map[string]*Schema `json:"-"`
	// Writing is what is known of a statement that changes rows (Wanted.Write); nil is unknown.
	Writing *Writing `json:"-"`
}

// Held is a relation on which the transaction holds a strong lock.
type Held struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Mode   string `json:"mode"` // the strongest, as pg_locks names it
}

// Key is how a name is looked up in Relations: as it is written in SQL, quoted.
func Key(schema, name string) string {
	if schema == "" {
		return QuoteIdent(name)
	}
	return QuoteIdent(schema) + "." + QuoteIdent(name)
}

// QuoteIdent quotes an identifier, always.
func QuoteIdent(name string) string {
	quoted := make([]byte, 0, len(name)+2)
	quoted = append(quoted, '"')
	for i := 0; i < len(name); i++ {
		if name[i] == '"' {
			quoted = append(quoted, '"')
		}
		quoted = append(quoted, name[i])
	}
	return string(append(quoted, '"'))
}

// Relation is one relation as the session sees it now, its own uncommitted work included.
type Relation struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Kind is pg_class.relkind, Persistence relpersistence.
	Kind        string `json:"kind"`
	Persistence string `json:"persistence"`
	Owner       string `json:"owner"`
	// MayAlter is true when the current user may ALTER it: owner, member of the owner, or superuser.
	MayAlter bool `json:"may_alter"`
	// Readable is true when the current user may read every row of it: by its right and by row level security.
	Readable bool `json:"readable"`
	// CreatedHere is true when this very transaction made it (by the xmin of its pg_attribute row for tableoid); of an index, its table.
	CreatedHere bool `json:"created_here"`
	// Adopted is true when this very transaction made it and put below it, as partition or inheritance child, what was there before.
	Adopted bool `json:"adopted,omitempty"`
	// Rows is the planner's estimate over the relation and all its descendants; negative is unknown.
	Rows float64 `json:"rows"`
	// Bytes is pg_table_size over the same; negative is unknown.
	Bytes int64 `json:"bytes"`
	// Empty is true when it is known that there is not a single row (no block), descendants included.
	Empty bool `json:"empty"`
	// Descendants counts partitions and inheritance children, at all depths.
	Descendants int `json:"descendants"`
	// Foreign is true when it or a descendant is a foreign table, a hypertable or a distributed table: counts as large.
	Foreign bool `json:"foreign"`
	// PartitionOf is the OID of its parent when it is a partition.
	PartitionOf uint32 `json:"partition_of"`
	// Partitions are the partitions of a partitioned table at all depths, by name; nil for every other kind.
	Partitions []Partition `json:"partitions"`
	// Bound is the partition's bound (FOR VALUES … or DEFAULT), where Wanted.Definitions asks for it; "" is unknown.
	Bound string `json:"bound"`
	// Key is the partition key of a partitioned table; nil for every other kind.
	Key *PartitionKey `json:"key"`
	// DefaultPartition is the OID of the default partition of a partitioned table, 0 if it has none.
	DefaultPartition uint32   `json:"default_partition"`
	Columns          []Column `json:"columns"`
	// Coming are the key columns of the indexes that this transaction has promised to build, in full.
	Coming [][]string `json:"-"`
	// Indexes and Constraints are those of the relation itself, by name.
	Indexes     []Index      `json:"indexes"`
	Constraints []Constraint `json:"constraints"`
	// Table is, for an index, the relation it belongs to; of an index itself only the identity, the tablespace, the owner and the
	// rights are known.
	Table *Relation `json:"-"`
	// Sibling is the relation of the wanted name (of an index about to be created) in the same schema; nil if the name is free.
	// It has no more than its identity, kind, owner, and (of an index) the identity of its Table.
	Sibling *Relation `json:"-"`
	// Taken are those of the names that the server would choose for what the statement leaves unnamed which it cannot have.
	Taken []string `json:"-"`
	// AccessMethod is the table's or index's, "" for a kind that has none; Tablespace is "" for the database's default.
	AccessMethod string `json:"access_method"`
	Tablespace   string `json:"tablespace"`
	// Options are the storage parameters as pg_class.reloptions has them: "fillfactor=70".
	Options []string `json:"options"`
	// Populated is false for a materialized view that cannot be read yet.
	Populated bool `json:"populated"`
	// RowSecurity and ForceRowSecurity are those of the table, whoever asks.
	RowSecurity      bool `json:"row_security"`
	ForceRowSecurity bool `json:"force_row_security"`
	// ReplicaIdentity is pg_class.relreplident: d, n, f or i.
	ReplicaIdentity string `json:"replica_identity"`
	// OfType is the OID of the composite type of a typed table.
	OfType uint32 `json:"of_type"`
	// Children are its descendants at all depths, described, where Wanted.Children asks for them; else nil.
	Children []*Relation `json:"-"`
	// Depends is nil unless Wanted.Dependents asks for it.
	Depends *Depends `json:"-"`
	// Proven is true when the server's planner finds, from its constraints, that all its rows are within the partition bound that the
	// statement gives it, or, of the default partition, that none is. It is false where it could not be asked.
	Proven bool `json:"-"`
	// Busy is for how many seconds the oldest transaction of others has been open of those that hold a lock on it which a foreign key to it has to wait
	// for: they write to it, or work on it. It is asked where Wanted.Writers asks for it; 0 is none, negative is unknown.
	Busy float64 `json:"-"`
	// VersionTable is true when it looks like a migration tool's version table: by its columns, and small.
	VersionTable bool `json:"-"`
}

// Column is the column of that name, nil if there is none.
func (r *Relation) Column(name string) *Column {
	for i := range r.Columns {
		if r.Columns[i].Name == name {
			return &r.Columns[i]
		}
	}
	return nil
}

// Partition is a partition of a partitioned table, at any depth.
type Partition struct {
	OID    uint32 `json:"oid"`
	Parent uint32 `json:"parent"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	// Rows and Bytes are its own; negative is unknown.
	Rows  float64 `json:"rows"`
	Bytes int64   `json:"bytes"`
	// Default is true for the default partition of its parent; Bound is its bound, where Wanted.Definitions asks for it.
	Default bool   `json:"default"`
	Bound   string `json:"bound"`
	// ForeignKeys are its own, by name: Name, Type, Validated, Parent, Columns, ParentColumns, Actions, Deferrable and Deferred are known of each.
	ForeignKeys []Constraint `json:"foreign_keys"`
}

// ForeignKey is the partition's valid foreign key that the server takes over for the one that is added to its parent; nil if there is none.
func (p Partition) ForeignKey(parent *Relation, add ddl.Constraint) *Constraint {
	for i, k := range p.ForeignKeys {
		if k.Validated && k.Says(parent, add) {
			return &p.ForeignKeys[i]
		}
	}
	return nil
}

// Says reports whether a partition's foreign key is the same as one that is added, valid or not: of the same columns, to the same table, with the same
// actions (tryAttachPartitionForeignKey of tablecmds.c). No columns of the referenced table are its primary key's.
func (k Constraint) Says(parent *Relation, add ddl.Constraint) bool {
	if parent == nil {
		return false
	}
	parentColumns := add.ParentCols
	if len(parentColumns) == 0 {
		for _, i := range parent.Indexes {
			if i.Primary {
				parentColumns = i.Columns
			}
		}
	}
	return k.Parent == parent.OID && slices.Equal(k.Columns, add.Columns) && slices.Equal(k.ParentColumns, parentColumns) &&
		k.Actions == add.Actions && k.Deferrable == add.Deferrable && k.Deferred == add.Deferred
}

// PartitionKey is what a partitioned table is partitioned by.
type PartitionKey struct {
	Strategy string `json:"strategy"` // pg_partitioned_table.partstrat: r, l or h
	// Columns are the key's columns in order, an expression is ""; Mentions are all columns that the key uses, those within expressions, too.
	Columns  []string `json:"columns"`
	Mentions []string `json:"mentions"`
	// Plain is true when every key is a column with its type's default operator class and the column's own collation, and no domain.
	Plain bool `json:"plain"`
}

// Column is a live column.
type Column struct {
	Num     int    `json:"num"`
	Name    string `json:"name"`
	Type    string `json:"type"` // format_type
	NotNull bool   `json:"not_null"`
	// TypeOID, TypeSchema and TypeName are the column's type, a domain as such; TypeMod is its modifier, -1 for none.
	TypeOID    uint32 `json:"type_oid"`
	TypeSchema string `json:"type_schema"`
	TypeName   string `json:"type_name"`
	TypeMod    int    `json:"type_mod"`
	// Collation is the OID of the column's collation, 0 for a type that has none.
	Collation uint32 `json:"collation"`
	// Identity is pg_attribute.attidentity (a, d or ""), Generated attgenerated (s, v or "").
	Identity  string `json:"identity"`
	Generated string `json:"generated"`
	Storage   string `json:"storage"` // pg_attribute.attstorage
	// HasDefault is true for a default and for a generated column's expression.
	HasDefault bool `json:"has_default"`
	// Inherited is true when a parent has the column, too.
	Inherited bool `json:"inherited"`
	// Default is the default's text and DefaultVolatile whether it calls anything volatile, where Wanted.Defaults asks for them. "" for a
	// generated column.
	Default         string `json:"default"`
	DefaultVolatile bool   `json:"default_volatile"`
}

// Index is an index of a relation.
type Index struct {
	OID     uint32 `json:"oid"`
	Name    string `json:"name"`
	Kind    string `json:"kind"` // pg_class.relkind: i, or I on a partitioned table
	Method  string `json:"method"`
	Valid   bool   `json:"valid"`
	Ready   bool   `json:"ready"`
	Unique  bool   `json:"unique"`
	Primary bool   `json:"primary"`
	Partial bool   `json:"partial"`
	// NullsNotDistinct is of a unique index: two NULLs are the same.
	NullsNotDistinct bool `json:"nulls_not_distinct"`
	// Columns are the keys in order, an expression is ""; INCLUDE columns are not among them.
	Columns []string `json:"columns"`
	// Definition is pg_get_indexdef, of an index with the name that is wanted, and where Wanted.Definitions asks for it; "" is unknown.
	Definition string `json:"definition"`
	// Constraint is the name of the constraint it stands behind, "" if none.
	Constraint string `json:"constraint"`
	// Parent is the OID of the partitioned index it is attached to.
	Parent uint32 `json:"parent"`
	// Building is true for an invalid index while some backend may be building it.
	Building bool `json:"building"`
	// Included are the INCLUDE columns; Mentions are all columns that the index uses anywhere: keys, INCLUDE, expressions, predicate.
	Included []string `json:"included"`
	Mentions []string `json:"mentions"`
	// Expression is true when a key is an expression.
	Expression bool `json:"expression"`
	// Plain is true when ADD CONSTRAINT … USING INDEX could take its order: btree, no expression, not partial, every key with the default
	// operator class, order and collation.
	Plain bool `json:"plain"`
	// Classes are the keys' operator classes, in order, and Collations the OIDs of their collations (0 for none).
	Classes    []Class  `json:"classes"`
	Collations []uint32 `json:"collations"`
	// Deferrable is true for the index of a deferrable unique constraint; Clustered and ReplicaIdentity are marks on the table's index.
	Deferrable      bool `json:"deferrable"`
	Clustered       bool `json:"clustered"`
	ReplicaIdentity bool `json:"replica_identity"`
	// Bytes is its own size by the last VACUUM or ANALYZE (relpages); 0 when there was none.
	Bytes int64 `json:"bytes"`
	// exclusion is true for the index of an exclusion constraint.
	exclusion bool
}

// Class is an operator class.
type Class struct {
	OID     uint32 `json:"oid"`
	Default bool   `json:"default"`
	// Polymorphic is true when it is for anyarray, anyenum, anyrange: then a type that is not the one that the index stores rebuilds it.
	Polymorphic bool `json:"polymorphic"`
	// Stored is the OID of the type that the index stores, which need not be the column's (of a hash index it is int4); 0, unknown, of an expression under an
	// operator class that is not polymorphic.
	Stored uint32 `json:"stored"`
}

// Constraint is a constraint of a relation.
type Constraint struct {
	OID       uint32 `json:"oid"`
	Name      string `json:"name"`
	Type      string `json:"type"` // pg_constraint.contype
	Validated bool   `json:"validated"`
	// Definition is pg_get_constraintdef, where Wanted.Definitions asks for it; "" is unknown.
	Definition string `json:"definition"`
	// Parent is the OID of the referenced table of a foreign key.
	Parent uint32 `json:"parent"`
	// ParentSchema, ParentName and ParentColumns are those of a foreign key's referenced table.
	ParentSchema  string   `json:"parent_schema"`
	ParentName    string   `json:"parent_name"`
	ParentColumns []string `json:"parent_columns"`
	// Actions is confupdtype, confdeltype and confmatchtype of a partition's foreign key: "aas" is one that says nothing of them. It is not known of others.
	Actions string `json:"actions"`
	// Columns are the constrained columns in the constraint's order; of a CHECK those that it mentions, none for a whole-row one.
	Columns []string `json:"columns"`
	// Deferrable and Deferred are what it was declared.
	Deferrable bool `json:"deferrable"`
	Deferred   bool `json:"deferred"`
	NoInherit  bool `json:"no_inherit"`
	// Local is true when it was defined here, Inherited when a parent has it, too (of a foreign key: its parent's).
	Local     bool `json:"local"`
	Inherited bool `json:"inherited"`
	// Enforced is false for NOT ENFORCED, which 18 knows.
	Enforced bool `json:"enforced"`
	// Index is the OID of the index it stands on; of a foreign key, of the referenced table's.
	Index uint32 `json:"index"`
}

// Depends is what depends on a relation.
type Depends struct {
	// References are the foreign keys of any table that reference it, its own included; those that a partition has of its parent are left out.
	References []Reference `json:"references"`
	// Objects are all other objects that pg_depend knows to depend on it or on a column, by kind and name.
	Objects []Dependent `json:"objects"`
	// Triggers are the users' triggers, Policies the row security policies, by name.
	Triggers []Trigger `json:"triggers"`
	Policies []Policy  `json:"policies"`
	// Publications are those that publish it, FOR ALL TABLES and TABLES IN SCHEMA included.
	Publications []string `json:"publications"`
	// Grants are what others than the owner may do with it, the relation's before the columns'.
	Grants []Grant `json:"grants"`
}

// Grant is one privilege.
type Grant struct {
	Role      string `json:"role"` // "" is PUBLIC
	Privilege string `json:"privilege"`
	Column    string `json:"column"` // "" for the whole relation
	Grantable bool   `json:"grantable"`
}

// Reference is a foreign key, seen from the table that it references.
type Reference struct {
	OID  uint32 `json:"oid"`
	Name string `json:"name"`
	// Table is the referencing table: its identity, kind, persistence, owner, rights, own size, and whether this transaction made it. Nothing else is known of it.
	Table     Relation `json:"table"`
	Validated bool     `json:"validated"`
	// Columns are the referencing columns, ParentColumns those that they reference, in order.
	Columns       []string `json:"columns"`
	ParentColumns []string `json:"parent_columns"`
	// OnDelete and OnUpdate are confdeltype and confupdtype: a, r, c, n or d.
	OnDelete string `json:"on_delete"`
	OnUpdate string `json:"on_update"`
	// Definition is pg_get_constraintdef.
	Definition string `json:"definition"`
	// Index is the OID of the index of the referenced table.
	Index uint32 `json:"index"`
	// Covered is true when a valid, non-partial btree index of the referencing table begins with its columns, in any order.
	Covered bool `json:"covered"`
}

// Dependent is an object that depends on a relation or on one of its columns.
type Dependent struct {
	// Kind is "view", "materialized view", "rule", "trigger", "policy", "default", "generated column", "constraint", "index", "function",
	// "sequence", "publication", "statistics", "table" (a partition, child or typed table), or "other".
	Kind   string `json:"kind"`
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Column is the relation's column that it depends on; "" when it depends on the relation as a whole.
	Column string `json:"column"`
	// Table is the relation that a rule, trigger, policy, default or constraint belongs to, by its qualified and quoted name; "" for others.
	Table string `json:"table"`
	// Auto is true when it goes with what it depends on, without CASCADE (pg_depend.deptype a or i).
	Auto bool `json:"auto"`
	// Indirect is true for what depends on a view that depends on it.
	Indirect bool `json:"indirect"`
}

// Trigger is a user's trigger.
type Trigger struct {
	OID      uint32 `json:"oid"`
	Name     string `json:"name"`
	Function string `json:"function"` // schema-qualified and quoted
	Enabled  string `json:"enabled"`  // pg_trigger.tgenabled: O, D, R or A
	// Row is true for FOR EACH ROW; Events are the letters of INSERT, DELETE, UPDATE and TRUNCATE: "idut".
	Row    bool   `json:"row"`
	Events string `json:"events"`
	// Constraint is true for a constraint trigger.
	Constraint bool `json:"constraint"`
}

// Policy is a row security policy.
type Policy struct {
	OID        uint32 `json:"oid"`
	Name       string `json:"name"`
	Command    string `json:"command"` // pg_policy.polcmd: r, a, w, d or *
	Permissive bool   `json:"permissive"`
}

// Type is a data type.
type Type struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Kind is pg_type.typtype: b, c, d (domain), e (enum), r, m or p.
	Kind string `json:"kind"`
	// Category is pg_type.typcategory; "S" are the string types.
	Category string `json:"category"`
	// Element is the OID of the element type of an array, Array that of the array type over it; 0 for none.
	Element uint32 `json:"element"`
	Array   uint32 `json:"array"`
	// Base is the OID of the type at the bottom of a chain of domains, BaseText how it is written with its modifier (format_type), BaseMod
	// the modifier that the chain gives it (-1 for none); the type itself if it is no domain.
	Base     uint32 `json:"base"`
	BaseText string `json:"base_text"`
	BaseMod  int    `json:"base_mod"`
	// Constrained is true for a domain with a CHECK or NOT NULL of its own or of a domain below it.
	Constrained bool `json:"constrained"`
	// Constraints are the domain's own, not those of the domains below.
	Constraints []DomainConstraint `json:"constraints"`
	// HasDefault is true when the type gives columns a default; DefaultVolatile when that calls anything volatile.
	HasDefault      bool `json:"has_default"`
	DefaultVolatile bool `json:"default_volatile"`
	// Collation is the OID of the type's collation, 0 for a type that has none.
	Collation uint32 `json:"collation"`
	// Classes are the OIDs of the default operator classes for the type, by access method, where the type of a column changes. A missing one has none.
	Classes map[string]uint32 `json:"classes"`
	// Labels are the labels of an enum, in order; NewLabels those that this very transaction added, which it may not use before 12, nor later
	// unless it made the type, too.
	Labels    []string `json:"labels"`
	NewLabels []string `json:"new_labels"`
	// CreatedHere is true when this very transaction made it.
	CreatedHere bool   `json:"created_here"`
	Owner       string `json:"owner"`
	MayAlter    bool   `json:"may_alter"`
	// Users are the stored columns of the type, of an array of it, or of a domain over it, where Wanted.Users asks for them; else nil.
	Users []TypeUser `json:"users"`
}

// DomainConstraint is a constraint of a domain.
type DomainConstraint struct {
	Name      string `json:"name"`
	Type      string `json:"type"` // pg_constraint.contype
	Validated bool   `json:"validated"`
}

// TypeUser is a column of a type.
type TypeUser struct {
	Column string `json:"column"`
	Type   string `json:"type"` // format_type
	// Table has the column: its identity, kind, persistence, owner, rights, own size, and whether this transaction made it. Nothing else is known of it.
	Table Relation `json:"table"`
}

// Function is what a function's name can mean.
type Function struct {
	// Volatile is the worst pg_proc.provolatile of all functions of the name that the session can see: v, s or i; "" when there is none.
	Volatile string `json:"volatile"`
	// System is true when all of them are in pg_catalog.
	System bool `json:"system"`
	// Routines are the functions themselves, where Wanted.Users asks for them; else nil.
	Routines []Routine `json:"routines"`
}

// Routine is a function, procedure or aggregate.
type Routine struct {
	OID    uint32 `json:"oid"`
	Schema string `json:"schema"`
	Name   string `json:"name"`
	// Arguments are those that identify it (pg_get_function_identity_arguments).
	Arguments       string `json:"arguments"`
	Kind            string `json:"kind"`     // pg_proc.prokind: f, p, a or w
	Language        string `json:"language"` // its name
	Volatile        string `json:"volatile"`
	SecurityDefiner bool   `json:"security_definer"`
	// SearchPath is true when it sets its own search_path.
	SearchPath  bool `json:"search_path"`
	MayAlter    bool `json:"may_alter"`
	CreatedHere bool `json:"created_here"`
	// Objects are what depends on it, views over them left out.
	Objects []Dependent `json:"objects"`
}

// Schema is a schema and what is in it.
type Schema struct {
	OID      uint32 `json:"oid"`
	Name     string `json:"name"`
	MayAlter bool   `json:"may_alter"`
	// CreatedHere is true when this very transaction made it or changed it, outside of a savepoint, and so every relation in it.
	CreatedHere bool `json:"created_here"`
	// The counts are of tables (partitioned, foreign), views (materialized), sequences, functions, and types of their own.
	Tables    int `json:"tables"`
	Views     int `json:"views"`
	Sequences int `json:"sequences"`
	Functions int `json:"functions"`
	Types     int `json:"types"`
	// Largest are the names of its largest tables, ten at most; Bytes is the size of all tables by the last VACUUM or ANALYZE, indexes left out.
	Largest []string `json:"largest"`
	Bytes   int64    `json:"bytes"`
	// References are the foreign keys of tables outside that reference tables in it.
	References []Reference `json:"references"`
}

// Cast is an entry of pg_cast.
type Cast struct {
	Source uint32 `json:"source"`
	Target uint32 `json:"target"`
	// Method is pg_cast.castmethod: b (binary coercible: the bytes are the same), f (a function) or i (through text).
	Method string `json:"method"`
	// Context is pg_cast.castcontext: e, a or i.
	Context string `json:"context"`
}

// TypeOf is the type of that OID among those that are known, nil if it is not.
func (f Facts) TypeOf(oid uint32) *Type {
	for _, t := range f.Types {
		if t != nil && t.OID == oid {
			return t
		}
	}
	return nil
}

// TypeKey is how a type is looked up in Types: Key of its name, with [] behind it for an array.
func TypeKey(schema, name string, array bool) string {
	if array {
		return Key(schema, name) + "[]"
	}
	return Key(schema, name)
}

// Environment names the settings that give a statement's text its meaning: a plan that runs later runs under the values that
// they had when the statement was given.
func Environment() []string {
	return []string{
		"standard_conforming_strings", "DateStyle", "IntervalStyle", "TimeZone", "default_tablespace", "default_table_access_method",
	}
}
