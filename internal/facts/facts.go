// Package facts holds what is known about the world when a statement is judged: the server, the session, and every
// relation that the statement names, as the server resolves the names at that moment. Each fact is known or unknown.
package facts

import "context"

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
	// Standby is pg_is_in_recovery.
	Standby bool `json:"standby"`
	// Database is the session's database and DatabaseOID its OID.
	Database    string `json:"database"`
	DatabaseOID uint32 `json:"database_oid"`
	// SessionUser is the login; CurrentUser what SET ROLE made of it.
	SessionUser string `json:"session_user"`
	CurrentUser string `json:"current_user"`
	// SearchPath is the resolved search path, pg_catalog and temporary schema left out.
	SearchPath []string `json:"search_path"`
	// Settings are the session's values of the settings that a plan saves, restores or carries, by name: the timeouts,
	// role, search_path, and those of Environment. pgsluice.allow is among them when it is set. One that the server lacks is missing.
	Settings map[string]string `json:"settings"`
	// Isolation is the transaction's isolation level, "read committed" for instance.
	Isolation string `json:"isolation"`
	// HoldsStrong is true when this transaction already holds a lock stronger than ROW EXCLUSIVE on a relation that it
	// did not make itself, temporary relations and tools' version tables left out; retrying a lock inside it would keep others waiting.
	HoldsStrong bool `json:"-"`
	// MayProbe is true when the current user may try a statement out on a temporary table, in a DO block.
	MayProbe bool `json:"may_probe"`
	// Extensions are the installed extensions that change what a table is: citus, timescaledb.
	Extensions []string `json:"extensions"`
	// Relations are the relations asked about, by Key of the name. A missing entry was not asked; a nil one is known not to exist.
	Relations map[string]*Relation `json:"-"`
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
	Columns    []Column    `json:"columns"`
	// Indexes and Constraints are those of the relation itself, by name.
	Indexes     []Index      `json:"indexes"`
	Constraints []Constraint `json:"constraints"`
	// Table is, for an index, the relation it belongs to; of an index itself only the identity, the owner and the rights are known.
	Table *Relation `json:"-"`
	// Sibling is the relation of the wanted name (of an index about to be created) in the same schema; nil if the name is free.
	// It has no more than its identity, kind, owner, and (of an index) the identity of its Table.
	Sibling *Relation `json:"-"`
	// Taken are those of the names that the server would choose for what the statement leaves unnamed which it cannot have.
	Taken []string `json:"-"`
	// VersionTable is true when it looks like a migration tool's version table: by its columns, and small.
	VersionTable bool `json:"-"`
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
}

// Column is a live column.
type Column struct {
	Num     int    `json:"num"`
	Name    string `json:"name"`
	Type    string `json:"type"` // format_type
	NotNull bool   `json:"not_null"`
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
	// Definition is pg_get_indexdef, of an index with the name that is wanted; "" is unknown.
	Definition string `json:"definition"`
	// Constraint is the name of the constraint it stands behind, "" if none.
	Constraint string `json:"constraint"`
	// Parent is the OID of the partitioned index it is attached to.
	Parent uint32 `json:"parent"`
	// Building is true for an invalid index while some backend may be building it.
	Building bool `json:"building"`
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
}

// Environment names the settings that give a statement's text its meaning: a plan that runs later runs under the values that
// they had when the statement was given.
func Environment() []string {
	return []string{
		"standard_conforming_strings", "DateStyle", "IntervalStyle", "TimeZone", "default_tablespace", "default_table_access_method",
	}
}
