package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed storage-copied.sql
var storageCopiedCases string

// storageCopied: where and how a table is stored changes by copying it.
func storageCopied() policy.Rule {
	return policy.Rule{
		Name:  "storage-copied",
		Title: "Table copied to be stored in another way",
		Doc: `SET TABLESPACE, SET LOGGED, SET UNLOGGED and SET ACCESS METHOD copy the table, or the index, under an ACCESS EXCLUSIVE lock.

Nobody can read or write it until that is done: minutes on a table of some gigabytes. An unlogged table besides loses its rows in a crash,
and standbys have nothing of it.

There is no concurrent form. Move a table with pg_repack, build an index anew in the other tablespace with REINDEX (TABLESPACE ...)
CONCURRENTLY (14 and later), or fill a new table in batches. What changes nothing passes, and so do small, empty, temporary and new tables and
partitioned ones, which only hand the setting down. Storage parameters, statistics targets, SET STORAGE and SET COMPRESSION
copy nothing and pass, too.`,
		Since:   "0.2",
		Default: policy.Block,
		Cases:   storageCopiedCases,
		Run:     runStorageCopied,
	}
}

func runStorageCopied(c *policy.Check) {
	if movesAll(c.Stmt) {
		c.Report(policy.Finding{
			Message: "moving everything out of a tablespace copies one relation after the other while nobody can read or write it; move them one by one, with pg_repack --tablespace",
		})
		return
	}
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok {
		return
	}
	for _, command := range alter.Commands {
		partitionsCopied(c, alter, command)
	}
	relation, known := c.Relation(alter.Table)
	if known && (relation == nil || !relation.MayAlter || !strings.Contains("rmi", relation.Kind)) {
		return // the server says what is wrong, or there is nothing to copy
	}
	for _, command := range alter.Commands {
		what, instead := copies(c, alter.Table.Name, command, relation)
		if what == "" {
			continue
		}
		finding := policy.Finding{Message: fmt.Sprintf("%s copies it while nobody can read or write it; %s", what, instead)}
		switch {
		case !known:
			finding.Unknown = fmt.Sprintf("the size of %q, and whether this changes anything", alter.Table.Name)
		case !c.Light(tableOf(relation)):
			finding.Detail = size(tableOf(relation))
		case command.Op == "SetUnLogged" && !relation.Empty && !relation.CreatedHere:
			finding.Action = policy.Warn
			finding.Message = fmt.Sprintf("%q loses its rows in a crash from here on, and standbys have nothing of it; SET LOGGED brings that back", alter.Table.Name)
		default:
			continue
		}
		c.Report(finding)
		return
	}
}

// partitionsCopied judges SPLIT PARTITION and MERGE PARTITIONS, which write the rows of partitions anew.
func partitionsCopied(c *policy.Check, alter ddl.AlterTable, command ddl.AlterCommand) {
	does := map[string]string{"SplitPartition": "splitting", "MergePartitions": "merging"}[command.Op]
	if does == "" {
		return
	}
	finding := policy.Finding{
		Message: fmt.Sprintf("%s partitions of %q copies their rows while nobody can read or write any of it; make the new ones as tables of their own, fill them in batches, and swap them in by DETACH PARTITION ... CONCURRENTLY and ATTACH PARTITION",
			does, alter.Table.Name),
	}
	part, known := c.Relation(command.Relation)
	switch {
	case known && part != nil && c.Light(part) && command.Op == "SplitPartition":
		return
	case known && part != nil && command.Op == "SplitPartition":
		finding.Detail = size(part)
	case !known:
		finding.Unknown = fmt.Sprintf("the size of %q", command.Relation.Name)
	}
	c.Report(finding)
}

// movesAll reports whether a statement is ALTER ... ALL IN TABLESPACE, the only one of its kind that names no relation.
func movesAll(stmt ddl.Statement) bool {
	_, utility := stmt.Action.(ddl.Utility)
	return utility && len(stmt.Refs) == 0 && (stmt.Tag == "ALTER TABLE" || stmt.Tag == "ALTER INDEX" || stmt.Tag == "ALTER MATERIALIZED VIEW")
}

// copies says what a command does by copying the relation, and what to do instead; "" for one that copies nothing. A nil relation is unknown.
func copies(c *policy.Check, name string, command ddl.AlterCommand, r *facts.Relation) (what, instead string) {
	const batches = "make a new table and fill it in batches"
	switch command.Op {
	case "SetTableSpace":
		if r != nil && command.Name == tablespace(c, r) {
			return "", ""
		}
		what = fmt.Sprintf("moving %q to tablespace %q", name, command.Name)
		if r != nil && r.Kind == "i" {
			return what, fmt.Sprintf("use REINDEX (TABLESPACE %s) INDEX CONCURRENTLY %s", quoted(command.Name), quoted(r.Name))
		}
		return what, "use pg_repack --tablespace " + quoted(command.Name)
	case "SetLogged":
		if r == nil || r.Persistence == "u" {
			return fmt.Sprintf("SET LOGGED of %q", name), batches
		}
	case "SetUnLogged":
		if r == nil || r.Persistence == "p" {
			return fmt.Sprintf("SET UNLOGGED of %q", name), batches
		}
	case "SetAccessMethod":
		if r == nil || r.AccessMethod != command.Name {
			return fmt.Sprintf("giving %q access method %q", name, command.Name), batches
		}
	}
	return "", ""
}

// tablespace is where a relation is.
func tablespace(c *policy.Check, r *facts.Relation) string {
	if r.Tablespace == "" {
		return c.Facts.Tablespace
	}
	return r.Tablespace
}

func tableOf(r *facts.Relation) *facts.Relation {
	if r.Table != nil {
		return r.Table
	}
	return r
}
