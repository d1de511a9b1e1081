package rules

import (
	_ "embed"
	"fmt"
	"slices"
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
cannot be indexed concurrently: it gets the index ONLY, its partitions get theirs one by one, concurrently, and each is attached; the last
makes the index valid. What fails on the way leaves the rest in place: the same statement goes on where it stopped. A CONCURRENTLY of
your own passes; inside a transaction the server refuses it, with pgsluice or without, since a migration that works only behind a proxy
would fail everywhere else.`,
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
	if table == nil || !table.MayAlter || !strings.Contains("rmp", table.Kind) {
		return // the server says what is wrong
	}
	if table.Sibling != nil {
		indexNameTaken(c, create, table)
		return
	}
	if create.Concurrently && corrupting(c) && !c.Context.InTransaction {
		c.Report(policy.Finding{
			Action: policy.Warn,
			Message: fmt.Sprintf("an index on %q that is built concurrently by PostgreSQL 14.0 to 14.3 can be corrupt; upgrade to 14.4 or later first, or check it with pg_amcheck --heapallindexed",
				table.Name),
		})
	}
	if create.Concurrently || c.Light(table) || table.Kind == "p" && create.Only {
		return
	}
	switch {
	case len(c.Facts.Extensions) > 0 && table.Foreign:
		c.Report(indexOnExtension(create, table, c.Facts.Extensions))
	case corrupting(c):
		c.Report(policy.Finding{
			Action:  policy.Block,
			Message: building(create) + "; " + afterUpgrade,
			Detail:  size(table),
		})
	case table.Kind == "p":
		indexOnPartitioned(c, create, table)
	default:
		c.Report(concurrentIndex(c, building(create)+useConcurrently, size(table)))
	}
}

// corrupting reports whether the server is of those releases of 14 whose concurrent builds miss rows.
func corrupting(c *policy.Check) bool { return c.Facts.Version >= 140000 && c.Facts.Version < 140004 }

// afterUpgrade is what stands in the place of the way to build something concurrently on such a server.
const afterUpgrade = "build it concurrently after an upgrade to PostgreSQL 14.4 or later: 14.0 to 14.3 can corrupt an index that is built concurrently"

// indexOnUnknown judges without a server: a table that is neither new nor small has to be assumed.
func indexOnUnknown(c *policy.Check, create ddl.CreateIndex) {
	if create.Concurrently {
		return
	}
	finding := concurrentIndex(c, building(create)+useConcurrently, "")
	finding.Unknown = fmt.Sprintf("the size of table %q", create.Table.Name)
	c.Report(finding)
}

// concurrentIndex asks for the concurrent build, or refuses where there is no way to one.
func concurrentIndex(c *policy.Check, message, detail string) policy.Finding {
	text, _ := ddl.Concurrently(c.Stmt) // a text that cannot be spliced is not shown
	return instead(c, policy.Finding{Message: message, Detail: detail}, text)
}

const useConcurrently = "; use CREATE INDEX CONCURRENTLY"

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
	case index != nil && table.Kind == "p" && !create.Only && !create.Concurrently && index.Unfinished(create):
		c.Report(stepByStep(c, create, table, fmt.Sprintf("index %q is not valid yet, because partitions lack it; index and attach those", create.Name)))
	case index == nil || table.Kind == "p" || index.Valid:
		if create.IfNotExists && (index == nil || index.Differs(create)) {
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
	case !index.Building && index.Differs(create):
		c.Report(policy.Finding{
			Action:  policy.Block,
			Message: fmt.Sprintf("an INVALID index %q with another definition is in the way; drop it first: DROP INDEX CONCURRENTLY %s", create.Name, facts.Key(table.Schema, create.Name)),
			Detail:  taken(table, index),
		})
	case index.Building:
		c.Report(concurrentIndex(c, fmt.Sprintf("index %q is being built by another session; wait for that build", create.Name), taken(table, index)))
	default:
		c.Report(concurrentIndex(c, fmt.Sprintf("index %q is INVALID, left by a build that failed; drop it and build it anew", create.Name), taken(table, index)))
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

// shownPartitions is how many partitions a recipe goes through before it says "and so on".
const shownPartitions = 3

// indexOnPartitioned judges an index on a partitioned table.
func indexOnPartitioned(c *policy.Check, create ddl.CreateIndex, table *facts.Relation) {
	message := building(create) + fmt.Sprintf(" on all %s", partitions(table.Descendants))
	foreign := slices.ContainsFunc(table.Partitions, func(p facts.Partition) bool { return p.Kind == "f" })
	switch {
	case foreign && (create.Unique || eachIndexed(c, create, table)):
		return // the server refuses it, or builds nothing
	case foreign:
		// ON ONLY such a table an index never turns valid: the server counts foreign tables among those that lack it.
		c.Report(policy.Finding{
			Action: policy.Block, Detail: size(table),
			Message: message + "; index the partitions with CREATE INDEX CONCURRENTLY first, then this only attaches them",
			Hint:    "Each by itself, outside of a transaction:\n" + strings.Join(indexEach(c, create, table, false), "\n"),
		})
	default:
		c.Report(stepByStep(c, create, table, message+"; index them one by one, concurrently, and attach each"))
	}
}

// eachIndexed reports whether every partition has an index that this one would attach.
func eachIndexed(c *policy.Check, create ddl.CreateIndex, table *facts.Relation) bool {
	return !slices.ContainsFunc(table.Partitions, func(p facts.Partition) bool {
		partition, _ := c.Relation(ddl.Name{Schema: p.Schema, Name: p.Name})
		return p.Kind == "r" && (partition == nil || !slices.ContainsFunc(partition.Indexes, func(i facts.Index) bool {
			return i.Valid && !i.Differs(create)
		}))
	})
}

// stepByStep asks for the recipe, or refuses with it where there is no way to it.
func stepByStep(c *policy.Check, create ddl.CreateIndex, table *facts.Relation, message string) policy.Finding {
	return eachByItself(c, policy.Finding{Message: message, Detail: size(table)}, indexEach(c, create, table, true))
}

// indexEach is what to type, with the table's own partitions and the names that the server would have chosen: the index of each, attached to
// that of its parent, which is made ONLY before; or those of the leaves, which the statement itself attaches.
func indexEach(c *policy.Check, create ddl.CreateIndex, table *facts.Relation, attach bool) []string {
	name := create.Name
	if name == "" {
		var err error
		if name, err = facts.PartitionIndexName(c.Stmt, create, table, nil); err != nil {
			return []string{"-- give the index a name"}
		}
	}
	word, keys := "INDEX", c.Stmt.Text[create.TableSpan.End:]
	if create.Unique {
		word = "UNIQUE INDEX"
	}
	var steps []string
	if attach && table.Index(name) == nil {
		steps = append(steps, fmt.Sprintf("CREATE %s %s ON ONLY %s%s;", word, quoted(name), qualified(table.Schema, table.Name), keys))
	}
	shown, all := 0, 0
	for _, p := range table.Partitions {
		if p.Kind != "f" { // a foreign table has no indexes here
			all++
		}
	}
	var below func(parent uint32, parentIndex string)
	below = func(parent uint32, parentIndex string) {
		for _, p := range table.Partitions {
			if p.Parent != parent || p.Kind == "f" || shown == shownPartitions {
				continue
			}
			shown++
			index, err := facts.IndexName(c.Stmt, &facts.Relation{Name: p.Name})
			if err != nil {
				continue
			}
			switch {
			case p.Kind != "p":
				steps = append(steps, fmt.Sprintf("CREATE %s CONCURRENTLY %s ON %s%s;", word, quoted(index), qualified(p.Schema, p.Name), keys))
			case attach:
				steps = append(steps, fmt.Sprintf("CREATE %s %s ON ONLY %s%s;", word, quoted(index), qualified(p.Schema, p.Name), keys))
			}
			if attach {
				steps = append(steps, fmt.Sprintf("ALTER INDEX %s ATTACH PARTITION %s;", parentIndex, qualified(p.Schema, index)))
			}
			below(p.OID, qualified(p.Schema, index))
		}
	}
	below(table.OID, qualified(table.Schema, name))
	if shown < all {
		steps = append(steps, fmt.Sprintf("-- and so on for all %s", partitions(all)))
	}
	if !attach {
		steps = append(steps, c.Stmt.Text+";")
	}
	return steps
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

// quotedList is quoted for several.
func quotedList(names []string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = quoted(name)
	}
	return strings.Join(list, ", ")
}

func qualified(schema, name string) string { return quoted(schema) + "." + quoted(name) }
