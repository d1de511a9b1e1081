package facts

import "strings"

// versionTableBytes is what a version table does not outgrow: some thousand revisions with their logs.
const versionTableBytes = 8 << 20

// versionTable tells whether a migration tool keeps its revisions in the relation: by its columns and its size, since any
// application may have a table of that name.
func versionTable(r *Relation) bool {
	if r.Kind != "r" || r.Bytes < 0 || r.Bytes > versionTableBytes {
		return false
	}
	switch shape(r.Columns) {
	case "version_num character", // Alembic
		"id integer,app character,name character,applied timestamp", // Django
		"id bigint,app character,name character,applied timestamp",
		"version character",                               // Rails, dbmate
		"version bigint,dirty boolean",                    // golang-migrate
		"version bigint,inserted_at timestamp",            // Ecto
		"version integer",                                 // tern
		"filename text",                                   // Sequel
		"id text,applied_at timestamp",                    // sql-migrate
		"name character",                                  // Sequelize
		"id integer,timestamp bigint,name character",      // TypeORM
		"id integer,hash text,created_at bigint",          // drizzle
		"id integer,name character,run_on timestamp",      // node-pg-migrate, db-migrate
		"id integer,name character,executed_at timestamp", // MikroORM
		"name character,timestamp character",              // Kysely and its lock
		"id character,is_locked integer",
		"id integer,migration character,batch integer",                     // Laravel
		"version character,executed_at timestamp,execution_time integer",   // Doctrine
		"version character,run_on timestamp",                               // Diesel
		"MigrationId character,ProductVersion character",                   // EF Core
		"hash text,previous_hash text,filename text,date timestamp",        // graphile-migrate
		"version bigint,name text,md5 text,run_at timestamp",               // postgrator
		"id integer,version_id bigint,is_applied boolean,tstamp timestamp", // goose
		"id integer,name character,batch integer,migration_time timestamp", // knex and its lock
		"index integer,is_locked integer",
		"version bigint,description text,installed_on timestamp,success boolean,checksum bytea,execution_time bigint", // sqlx
		"id character,checksum character,finished_at timestamp,migration_name character,logs text,rolled_back_at timestamp," +
			"started_at timestamp,applied_steps_count integer", // Prisma
		"installed_rank integer,version character,description character,type character,script character,checksum integer," +
			"installed_by character,installed_on timestamp,execution_time integer,success boolean", // Flyway
		"id character,author character,filename character,dateexecuted timestamp,orderexecuted integer,exectype character," +
			"md5sum character,description character,comments character,tag character,liquibase character,contexts character," +
			"labels character,deployment_id character", // Liquibase and its lock
		"id integer,locked boolean,lockgranted timestamp,lockedby character",
		"change_id text,script_hash text,change text,project text,note text,committed_at timestamp,committer_name text," +
			"committer_email text,planned_at timestamp,planner_name text,planner_email text": // Sqitch
		return true
	}
	return false
}

// shape is a relation's columns in order, each with the first word of its type.
func shape(columns []Column) string {
	words := make([]string, len(columns))
	for i, c := range columns {
		word := c.Type
		if end := strings.IndexAny(word, " ("); end >= 0 {
			word = word[:end]
		}
		words[i] = c.Name + " " + word
	}
	return strings.Join(words, ",")
}
