package revisions

import (
	"slices"
	"strings"
)

// Tool is what is known of a migration tool: the table in which it keeps its revisions, and how it writes to it.
type Tool struct {
	Name string
	// Table is the table's own name unless somebody has given it another, Schema its schema if the tool makes one; "" is any.
	Table, Schema string
	// Shared is true when the schema was there before the tool: other things are in it.
	Shared bool
	// Columns are the table's columns, "name type" each, by which tools with tables of the same name are told apart. The column's type begins with
	// the type, in the server's words; "=" in front of it means that it is the whole type. Of up to four columns there are no others.
	Columns []string
	// ID are the columns that name a revision, the first that has a value counts, or with Join all of them.
	ID   []string
	Join string
	// Key is the column by which later writes find the row, when it is not the ID.
	Key string
	// None is the id of a row that stands for no revision at all.
	None string
	// Kin are other tables that the tool makes for itself; of a schema of its own all.
	Kin []string
	// ByKin is true when another tool has a table of the same name with the same columns, and only the kin beside it tells whose it is.
	ByKin bool
	// Beside is true when the tool writes to its table on one connection and runs its migrations on another.
	Beside bool
	// Stamps is true when the tool can be told to write or delete its rows and run nothing, and runs all that it runs on one connection.
	Stamps bool
	// style is how its writes are read.
	style style
}

// style is how the writes to a version table are read.
type style int

const (
	rows     style = iota // a row is a revision that is applied: INSERT is up, DELETE is down
	heads                 // a row is a branch, which UPDATE moves
	oneDirty              // one row, written anew before and behind each revision
	oneRow                // one row, moved by UPDATE
	flagged               // like rows, and a column says whether it is applied
	stages                // INSERT begins a revision, UPDATE ends it
	outcomes              // a row tells what was done, and whether it worked
	filed                 // like rows, and a column says how it came to be there
	steps                 // a row counts the statements that are done
	events                // a log: a column says what happened
)

// Tools are the migration tools that are known. Those that share a table's name stand with those first whose columns say more.
func Tools() []Tool {
	return []Tool{
		{Name: "alembic", Table: "alembic_version", Columns: []string{"version_num character"}, ID: []string{"version_num"}, Stamps: true, style: heads},
		{Name: "django", Table: "django_migrations", Columns: []string{"id", "app character", "name character", "applied timestamp"},
			ID: []string{"app", "name"}, Join: ".", Key: "id", Stamps: true}, // migrate --fake
		{Name: "rails", Table: "schema_migrations", Columns: []string{"version =character varying"}, ID: []string{"version"},
			Kin: []string{"ar_internal_metadata"}, ByKin: true},
		{Name: "dbmate", Table: "schema_migrations", Columns: []string{"version character"}, ID: []string{"version"}},
		{Name: "golang-migrate", Table: "schema_migrations", Columns: []string{"version bigint", "dirty boolean"},
			ID: []string{"version"}, None: "-1", style: oneDirty},
		{Name: "ecto", Table: "schema_migrations", Columns: []string{"version bigint", "inserted_at timestamp"}, ID: []string{"version"}, Beside: true},
		{Name: "sequel", Table: "schema_migrations", Columns: []string{"filename text"}, ID: []string{"filename"}},
		{Name: "goose", Table: "goose_db_version", Columns: []string{"id", "version_id bigint", "is_applied boolean", "tstamp timestamp"},
			ID: []string{"version_id"}, None: "0", style: flagged},
		{Name: "tern", Table: "schema_version", Columns: []string{"version integer"}, ID: []string{"version"}, None: "0", style: oneRow},
		{Name: "sql-migrate", Table: "gorp_migrations", Columns: []string{"id text", "applied_at timestamp"}, ID: []string{"id"}},
		{Name: "sequelize", Table: "SequelizeMeta", Columns: []string{"name character"}, ID: []string{"name"}},
		{Name: "knex", Table: "knex_migrations", Columns: []string{"id", "name character", "batch integer", "migration_time timestamp"},
			ID: []string{"name"}, Key: "id", Kin: []string{"knex_migrations_lock"}},
		{Name: "typeorm", Table: "migrations", Columns: []string{"id", "timestamp bigint", "name character"}, ID: []string{"name"},
			Kin: []string{"typeorm_metadata"}, Stamps: true}, // migration:run --fake
		{Name: "db-migrate", Table: "migrations", Columns: []string{"id", "name character", "run_on timestamp"}, ID: []string{"name"}},
		{Name: "laravel", Table: "migrations", Columns: []string{"id", "migration character", "batch integer"}, ID: []string{"migration"}},
		{Name: "gormigrate", Table: "migrations", Columns: []string{"id character"}, ID: []string{"id"}},
		{Name: "bun", Table: "bun_migrations", Columns: []string{"id", "name character", "group_id bigint", "migrated_at timestamp"}, ID: []string{"name"},
			Key: "id", Kin: []string{"bun_migration_locks"}},
		{Name: "drizzle", Table: "__drizzle_migrations", Schema: "drizzle", Columns: []string{"id", "hash text", "created_at bigint"},
			ID: []string{"created_at", "hash"}},
		{Name: "node-pg-migrate", Table: "pgmigrations", Columns: []string{"id", "name character", "run_on timestamp"}, ID: []string{"name"},
			Stamps: true}, // up --fake
		{Name: "mikro-orm", Table: "mikro_orm_migrations", Columns: []string{"id", "name character", "executed_at timestamp"}, ID: []string{"name"}},
		{Name: "kysely", Table: "kysely_migration", Columns: []string{"name character", "timestamp character"}, ID: []string{"name"},
			Kin: []string{"kysely_migration_lock"}},
		{Name: "postgrator", Table: "schemaversion", Columns: []string{"version bigint", "name text", "md5 text", "run_at timestamp"},
			ID: []string{"version"}, None: "0"},
		{Name: "graphile-migrate", Table: "migrations", Schema: "graphile_migrate",
			Columns: []string{"hash text", "previous_hash text", "filename text", "date timestamp"}, ID: []string{"filename"}, Key: "hash",
			Kin: []string{"current"}},
		{Name: "sqitch", Table: "events", Schema: "sqitch",
			Columns: []string{"event text", "change_id text", "change text", "project text", "planner_name text"},
			ID:      []string{"project", "change"}, Join: ":", Beside: true, style: events},
		{Name: "prisma", Table: "_prisma_migrations",
			Columns: []string{"id character", "finished_at timestamp", "migration_name character", "logs text", "applied_steps_count integer"},
			ID:      []string{"migration_name"}, Key: "id", style: stages},
		{Name: "flyway", Table: "flyway_schema_history",
			Columns: []string{"installed_rank integer", "version character", "description character", "type character", "success boolean"},
			ID:      []string{"version", "description"}, Key: "installed_rank", Beside: true, style: outcomes},
		{Name: "liquibase", Table: "databasechangelog",
			Columns: []string{"id character", "author character", "filename character", "exectype character", "md5sum character"},
			ID:      []string{"filename", "id", "author"}, Join: "::", Kin: []string{"databasechangeloglock"}, style: filed},
		{Name: "ef-core", Table: "__EFMigrationsHistory", Columns: []string{"MigrationId character", "ProductVersion character"},
			ID: []string{"MigrationId"}},
		{Name: "ef-core", Table: "__EFMigrationsHistory", Columns: []string{"migration_id character", "product_version character"},
			ID: []string{"migration_id"}}, // as EFCore.NamingConventions spells them
		{Name: "diesel", Table: "__diesel_schema_migrations", Columns: []string{"version character", "run_on timestamp"}, ID: []string{"version"}},
		{Name: "sqlx", Table: "_sqlx_migrations",
			Columns: []string{"version bigint", "description text", "installed_on timestamp", "success boolean", "checksum bytea"},
			ID:      []string{"version"}},
		{Name: "doctrine", Table: "doctrine_migration_versions",
			Columns: []string{"version character", "executed_at timestamp", "execution_time integer"}, ID: []string{"version"}, Stamps: true}, // version --add
		{Name: "atlas", Table: "atlas_schema_revisions",
			Columns: []string{"version character", "type", "applied", "total", "hash character"}, ID: []string{"version"}, style: steps},
	}
}

// Custom is a tool that the configuration describes: a row of the table is a revision, named by the columns.
func Custom(name, schema, table string, id []string) Tool {
	return Tool{Name: name, Schema: schema, Shared: true, Table: table, ID: id, Join: ".", style: rows}
}

// Described reports whether the configuration describes the tool: then nobody knows when it writes its rows.
func (t Tool) Described() bool { return t.Columns == nil }

// Renamed is the tool with another version table.
func (t Tool) Renamed(schema, table string) Tool {
	kin := make([]string, len(t.Kin))
	for i, name := range t.Kin {
		kin[i] = strings.Replace(name, t.Table, table, 1) // as knex calls its lock
	}
	t.Schema, t.Shared, t.Table, t.Kin = schema, true, table, kin
	return t
}

// VersionTable is a table as the catalog has it.
type VersionTable struct {
	OID     uint32          `json:"oid"`
	Schema  string          `json:"schema"`
	Name    string          `json:"name"`
	Columns []VersionColumn `json:"columns"`
	// Beside are the tables in the same schema that some tool makes beside its version table.
	Beside []string `json:"beside"`
}

// VersionColumn is one of its columns.
type VersionColumn struct {
	Name string `json:"name"`
	Type string `json:"type"` // as format_type spells it
	// Readable is true when the session's current user may read it.
	Readable bool `json:"readable"`
}

// Readable reports whether the current user of the session that was asked may read a column.
func (t VersionTable) Readable(column string) bool {
	return slices.ContainsFunc(t.Columns, func(c VersionColumn) bool { return c.Name == column && c.Readable })
}

// String is the table's qualified name, as people write it.
func (t VersionTable) String() string { return t.Schema + "." + t.Name }

// columnNames are the names of the table's columns, in order.
func (t VersionTable) columnNames() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// Recognise tells which of the tools keeps its revisions in the table. One whose table has another name is told by its columns alone if they
// are three or more, which no other tool has.
func Recognise(tools []Tool, table VersionTable) (Tool, bool) {
	var alike []Tool
	for _, tool := range tools {
		if !tool.fits(table) || tool.ByKin && !slices.ContainsFunc(tool.Kin, func(kin string) bool { return slices.Contains(table.Beside, kin) }) {
			continue
		}
		if strings.EqualFold(tool.Table, table.Name) && (tool.Schema == "" || tool.Schema == table.Schema || tool.style == events) {
			return tool, true
		}
		if len(tool.Columns) >= 3 {
			alike = append(alike, tool)
		}
	}
	if len(alike) == 1 && alike[0].style != events {
		return alike[0], true
	}
	return Tool{}, false
}

// kin are the tables that the tools make beside their version tables.
func kin(tools []Tool) []string {
	var all []string
	for _, tool := range tools {
		all = append(all, tool.Kin...)
	}
	return all
}

// fits reports whether the table has the tool's columns.
func (t Tool) fits(table VersionTable) bool {
	if few := len(t.Columns) > 0 && len(t.Columns) <= 4; few && len(table.Columns) != len(t.Columns) {
		return false
	}
	for _, column := range t.ID {
		if !slices.Contains(table.columnNames(), column) {
			return false
		}
	}
	for _, pattern := range t.Columns {
		name, kind, _ := strings.Cut(pattern, " ")
		whole := strings.HasPrefix(kind, "=")
		is := func(c VersionColumn) bool {
			return c.Name == name && (whole && c.Type == kind[1:] || !whole && strings.HasPrefix(c.Type, kind))
		}
		if !slices.ContainsFunc(table.Columns, is) {
			return false
		}
	}
	return true
}

// KeepsAs is Keeps for a table that is about to be made: it must have the tool's columns, too.
func KeepsAs(tools []Tool, schema, table string, columns []string) bool {
	return Keeps(slices.DeleteFunc(slices.Clone(tools), func(t Tool) bool {
		return strings.EqualFold(t.Table, table) && slices.ContainsFunc(t.ID, func(id string) bool { return !slices.Contains(columns, id) })
	}), schema, table)
}

// NeedsSchema reports whether a schema is one in which the configuration says that a tool keeps its revisions: it has to be there before the first of them.
func NeedsSchema(tools []Tool, schema string) bool {
	return slices.ContainsFunc(tools, func(t Tool) bool { return t.Shared && t.Schema == schema })
}

// Keeps reports whether a table, by its name alone, is one that some tool makes for itself: what is done to it belongs to no revision.
func Keeps(tools []Tool, schema, table string) bool {
	return slices.ContainsFunc(tools, func(t Tool) bool {
		if t.Schema != "" && !t.Shared && t.Schema == schema {
			return true
		}
		there := t.Schema == "" || t.Shared && (schema == "" || schema == t.Schema)
		named := strings.EqualFold(t.Table, table) && (there || schema == "")
		return named && t.style != events || there && slices.Contains(t.Kin, table)
	})
}
