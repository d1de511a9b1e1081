package rules

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
	"github.com/pgsluice/pgsluice/policy"
)

//go:embed index-not-concurrent.sql
var indexNotConcurrentCases string

// indexNotConcurrent: a plain CREATE INDEX keeps every writer waiting until it is done.
func indexNotConcurrent() policy.Rule {
	return policy.Rule{
		Name:  "index-not-concurrent",
		Title: "Index built without CONCURRENTLY",
		Doc: `CREATE INDEX holds a SHARE lock on the table for the whole build, which reads the table and sorts it. On a partitioned table it holds that
lock on the parent and on every partition until the last one is done.

Reads go on. Every INSERT, UPDATE and DELETE, and VACUUM, waits from the moment the build asks for its lock until it ends: minutes on a table
of some gigabytes. Inside a transaction they wait until its COMMIT. With IF NOT EXISTS the lock is taken even if there is nothing to do, and an
INVALID index that a failed build left behind counts as existing, so that the index is never made.

pgsluice builds the index with CREATE INDEX CONCURRENTLY, watches it, and removes what a failed build leaves; inside a transaction it does so
behind the COMMIT. Tables that are empty, small, temporary or made in the same transaction are indexed as written. A partitioned table
cannot be indexed concurrently: its partitions are indexed one by one and attached. A CONCURRENTLY of your own passes; inside a
transaction the server refuses it, with pgsluice or without, since a migration that works only behind a proxy would fail everywhere else.`,
		Since:   "0.1",
		Default: policy.Rewrite,
		Cases:   indexNotConcurrentCases,
		Run:     runIndexNotConcurrent,
	}
}

func runIndexNotConcurrent(c *policy.Check) {
	create, ok := c.Stmt.Action.(ddl.CreateIndex)
	if !ok {
		return
	}
	table, known := c.Relation(create.Table)
	if !known {
		indexOnUnknown(c, create)
		return
	}
	if table == nil || !strings.Contains("rmp", table.Kind) {
		return // the server says what is wrong
	}
	if table.Sibling != nil {
		indexNameTaken(c, create, table)
		return
	}
	if create.Concurrently || c.Light(table) || table.Kind == "p" && create.Only {
		return
	}
	switch {
	case table.Kind == "p":
		c.Report(indexOnPartitioned(create, table))
	case len(c.Facts.Extensions) > 0 && table.Foreign:
		c.Report(indexOnExtension(create, table, c.Facts.Extensions))
	case c.Facts.Version >= 140000 && c.Facts.Version < 140004:
		c.Report(policy.Finding{
			Action: policy.Block,
			Message: building(create) + "; build it concurrently after an upgrade to PostgreSQL 14.4 or later: " +
				"14.0 to 14.3 can corrupt an index that is built concurrently",
			Detail: size(table),
		})
	default:
		c.Report(concurrentIndex(c, create, size(table)))
	}
}

// indexOnUnknown judges without a server: a table that is neither new nor small has to be assumed.
func indexOnUnknown(c *policy.Check, create ddl.CreateIndex) {
	if create.Concurrently {
		return
	}
	finding := concurrentIndex(c, create, "")
	finding.Unknown = fmt.Sprintf("the size of table %q", create.Table.Name)
	c.Report(finding)
}

// concurrentIndex asks for the concurrent build, or refuses where there is no way to one.
func concurrentIndex(c *policy.Check, create ddl.CreateIndex, detail string) policy.Finding {
	finding := policy.Finding{Message: building(create), Detail: detail}
	if !c.Context.InTransaction {
		finding.Message += "; use CREATE INDEX CONCURRENTLY"
		return finding
	}
	finding.Message += "; use CREATE INDEX CONCURRENTLY outside of the transaction"
	if !c.Context.Ledger {
		finding.Action, finding.Hint = policy.Block, exits
	}
	return finding
}

func building(create ddl.CreateIndex) string {
	if create.Name == "" {
		return fmt.Sprintf("building this index blocks writes to %q until it is done", create.Table.Name)
	}
	return fmt.Sprintf("building index %q blocks writes to %q until it is done", create.Name, create.Table.Name)
}

// indexNameTaken judges a CREATE INDEX whose name is taken.
func indexNameTaken(c *policy.Check, create ddl.CreateIndex, table *facts.Relation) {
	index := siblingIndex(table)
	switch {
	case index == nil || table.Kind == "p" || index.Valid:
		if create.IfNotExists && (index == nil || differs(create, *index)) {
			c.Report(policy.Finding{
				Action:  policy.Warn,
				Message: fmt.Sprintf("IF NOT EXISTS skips this index: the name %q belongs to something else; use another name, or drop it first", create.Name),
				Detail:  taken(table, index),
			})
		} else if create.IfNotExists && !index.Valid {
			c.Report(policy.Finding{
				Action:  policy.Warn,
				Message: fmt.Sprintf("IF NOT EXISTS skips this index: %q exists, but partitions lack it; index and attach those first", create.Name),
				Detail:  taken(table, index),
			})
		}
		// Without IF NOT EXISTS the server says that the name is taken.
	case !index.Building && differs(create, *index):
		c.Report(policy.Finding{
			Action:  policy.Block,
			Message: fmt.Sprintf("an INVALID index %q with another definition is in the way; drop it first: DROP INDEX CONCURRENTLY %s", create.Name, facts.Key(table.Schema, create.Name)),
			Detail:  taken(table, index),
		})
	default:
		finding := concurrentIndex(c, create, taken(table, index))
		finding.Message = fmt.Sprintf("index %q is INVALID, left by a build that failed; build it anew with CREATE INDEX CONCURRENTLY", create.Name)
		if index.Building {
			finding.Message = fmt.Sprintf("index %q is being built by another session; wait for that build", create.Name)
		}
		if c.Context.InTransaction {
			finding.Message += " outside of the transaction"
		}
		c.Report(finding)
	}
}

// siblingIndex is the index of the table whose name is wanted, nil if the name belongs to something else.
func siblingIndex(table *facts.Relation) *facts.Index {
	for i := range table.Indexes {
		if table.Indexes[i].OID == table.Sibling.OID {
			return &table.Indexes[i]
		}
	}
	return nil
}

// differs reports whether an existing index is certainly not the one that is asked for. Expressions and predicates are not compared: the
// server writes them in its own way.
func differs(create ddl.CreateIndex, index facts.Index) bool {
	statements, err := ddl.Parse(index.Definition)
	if err != nil || len(statements) != 1 {
		return false
	}
	existing, ok := statements[0].Action.(ddl.CreateIndex)
	if !ok || existing.Unique != create.Unique || existing.Method != create.Method || existing.Partial != create.Partial ||
		existing.NullsNotDistinct != create.NullsNotDistinct || len(existing.Columns) != len(create.Columns) {
		return true
	}
	for i := range create.Columns {
		if existing.Columns[i] != create.Columns[i] {
			return true
		}
	}
	return false
}

func taken(table *facts.Relation, index *facts.Index) string {
	if index != nil {
		if index.Definition != "" {
			return "It is: " + index.Definition + "."
		}
		return ""
	}
	if other := table.Sibling.Table; other != nil {
		return fmt.Sprintf("It is an index of table %s.%s.", other.Schema, other.Name)
	}
	return fmt.Sprintf("It is %s %s.%s.", kindName(table.Sibling.Kind), table.Sibling.Schema, table.Sibling.Name)
}

// kindName is what pg_class.relkind stands for.
func kindName(kind string) string {
	switch kind {
	case "i", "I":
		return "index"
	case "S":
		return "sequence"
	case "v":
		return "view"
	case "m":
		return "materialized view"
	case "f":
		return "foreign table"
	}
	return "table"
}

// indexOnPartitioned is the recipe for a partitioned table, with its own partitions.
func indexOnPartitioned(create ddl.CreateIndex, table *facts.Relation) policy.Finding {
	name := create.Name
	if name == "" {
		name = table.Name + "_idx"
	}
	var steps []string
	for _, p := range table.Partitions {
		if p.Parent != table.OID {
			continue
		}
		if len(steps) == 3 {
			steps = append(steps, "and so on for every partition")
			break
		}
		child := name + "_" + p.Name
		steps = append(steps, fmt.Sprintf("CREATE INDEX CONCURRENTLY %s ON %s (...); ALTER INDEX %s ATTACH PARTITION %s;",
			quoted(child), qualified(p.Schema, p.Name), qualified(table.Schema, name), qualified(p.Schema, child)))
	}
	return policy.Finding{
		Action: policy.Block,
		Message: building(create) + fmt.Sprintf(" on all %d partitions; use CREATE INDEX ... ON ONLY %s, then index and attach the partitions one by one",
			table.Descendants, quoted(table.Name)),
		Detail: size(table),
		Hint: fmt.Sprintf("CREATE INDEX %s ON ONLY %s (...); then outside of a transaction: %s",
			quoted(name), qualified(table.Schema, table.Name), strings.Join(steps, " ")),
	}
}

func indexOnExtension(create ddl.CreateIndex, table *facts.Relation, extensions []string) policy.Finding {
	finding := policy.Finding{Action: policy.Block, Detail: size(table)}
	if strings.Contains(strings.Join(extensions, " "), "timescaledb") {
		finding.Message = building(create) + "; add WITH (timescaledb.transaction_per_chunk) and run it outside of a transaction"
		return finding
	}
	finding.Message = building(create) + "; use CREATE INDEX CONCURRENTLY outside of a transaction"
	return finding
}

// quoted writes a name in SQL, with quotes only where it needs them to the eye of a reader.
func quoted(name string) string {
	for i, c := range []byte(name) {
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return facts.QuoteIdent(name)
		}
	}
	return name
}

func qualified(schema, name string) string { return quoted(schema) + "." + quoted(name) }
