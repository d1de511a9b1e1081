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
	Known bool
	// Version is server_version_num; 0 is unknown.
	Version int
	// Standby is pg_is_in_recovery.
	Standby bool
	// Database is the session's database and DatabaseOID its OID.
	Database    string
	DatabaseOID uint32
	// SessionUser is the login; CurrentUser what SET ROLE made of it.
	SessionUser, CurrentUser string
	// SearchPath is the resolved search path, pg_catalog and temporary schema left out.
	SearchPath []string
	// Settings are the session's values of the settings that a plan saves, restores or carries, by name: lock_timeout, statement_timeout,
	// role, search_path, and those of Environment. pgsluice.allow is among them when it is set.
	Settings map[string]string
	// Isolation is the transaction's isolation level, "read committed" for instance.
	Isolation string
	// HoldsStrong is true when this transaction already holds a lock stronger than ROW EXCLUSIVE on a relation that it
	// did not make itself; retrying a lock inside it would keep others waiting.
	HoldsStrong bool
	// Extensions are the installed extensions that change what a table is: citus, timescaledb.
	Extensions []string
	// Relations are the relations asked about, by Key of the name. A missing entry was not asked; a nil one is known not to exist.
	Relations map[string]*Relation
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
	OID    uint32
	Schema string
	Name   string
	// Kind is pg_class.relkind, Persistence relpersistence.
	Kind, Persistence string
	Owner             string
	// MayAlter is true when the current user may ALTER it: owner, member of the owner, or superuser.
	MayAlter bool
	// CreatedHere is true when this very transaction made it (by the xmin of its pg_attribute row for tableoid).
	CreatedHere bool
	// Rows is the planner's estimate over the relation and all its descendants; negative is unknown.
	Rows float64
	// Bytes is pg_table_size over the same; negative is unknown.
	Bytes int64
	// Empty is true when it is known that there is not a single row (no block), descendants included.
	Empty bool
	// Descendants counts partitions and inheritance children, at all depths.
	Descendants int
	// Foreign is true when it or a descendant is a foreign table, a hypertable or a distributed table: counts as large.
	Foreign bool
	// PartitionOf is the OID of its parent when it is a partition.
	PartitionOf uint32
	Columns     []Column
	Indexes     []Index
	Constraints []Constraint
	// Table is, for an index, the relation it belongs to.
	Table *Relation
	// Sibling is the relation of the wanted name (of an index about to be created) in the same schema; nil if the name is free.
	Sibling *Relation
	// VersionTable is true when it looks like a migration tool's version table: by its columns, and small.
	VersionTable bool
}

// Column is a live column.
type Column struct {
	Num     int
	Name    string
	Type    string // format_type
	NotNull bool
}

// Index is an index of a relation.
type Index struct {
	OID        uint32
	Name       string
	Valid      bool
	Ready      bool
	Unique     bool
	Primary    bool
	Definition string // pg_get_indexdef
	// Constraint is the name of the constraint it stands behind, "" if none.
	Constraint string
	// Parent is the OID of the partitioned index it is attached to.
	Parent uint32
	// Building is true while some backend builds it.
	Building bool
}

// Constraint is a constraint of a relation.
type Constraint struct {
	OID        uint32
	Name       string
	Type       string // pg_constraint.contype
	Validated  bool
	Definition string // pg_get_constraintdef
	// Parent is the OID of the referenced table of a foreign key.
	Parent uint32
}
