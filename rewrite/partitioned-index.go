package rewrite

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// partitionedIndex makes the index on the partitioned table ONLY, which takes a moment, then one concurrently on every partition that has
// none like it yet, and attaches each; with the last the index turns valid by itself. What is there already, of an earlier try too, is
// used. Partitions that are made meanwhile get their index by the server.
func partitionedIndex(stmt ddl.Statement, known facts.Facts, create ddl.CreateIndex, table *facts.Relation) (Plan, error) {
	columns, err := ddl.IndexColumns(stmt)
	if err != nil {
		return Plan{}, err
	}
	if wholeRow(table, columns) {
		return budget(stmt, known) // the server says that it cannot be
	}
	if qualified, err := ddl.QualifiesColumns(stmt); err != nil || qualified {
		return Plan{}, errors.Join(err, fmt.Errorf("cannot index the partitions of %q one by one: name the columns without their table", table.Name))
	}
	name := create.Name
	if name == "" {
		if name, err = facts.PartitionIndexName(stmt, create, table, nil); err != nil {
			return Plan{}, err
		}
	}
	text, err := rewritten(stmt, ddl.Only, qualifiedBy(table), namedBy(create, name))
	if err != nil {
		return Plan{}, err
	}
	t := tree{stmt: stmt, create: create, known: known, root: table, name: name, columns: columns, names: map[string][]string{table.Schema: {name}}}
	t.steps = []Step{{
		SQL: text, Where: AfterCommit, Budget: true, Table: target(table, columns...), Index: Index{Schema: table.Schema, Name: name, Servant: true},
		Done: indexDone(create, table, name, false),
	}}
	if err := t.below(node{relation: table, index: name}); err != nil {
		return Plan{}, err
	}
	t.steps[len(t.steps)-1].Left = left(table, name, "send the statement again, after pgsluice jobs cancel if it was deferred")
	plan := Plan{
		Object: name,
		Notice: fmt.Sprintf("building index %q on %q one partition after the other, concurrently", name, table.Name),
		Steps:  t.steps, DataChecks: append(t.checks, unplanned(table, name)),
	}
	if plan.Probe, plan.Unprobed, err = probe(stmt, known, table, columns, t.relations...); err != nil {
		return Plan{}, err
	}
	return plan, nil
}

// tree is a partitioned table on which an index is made.
type tree struct {
	stmt    ddl.Statement
	create  ddl.CreateIndex
	known   facts.Facts
	root    *facts.Relation
	name    string // of the root's index
	columns []string
	// names are those of the indexes that are made, by schema; relations the partitions that get one.
	names     map[string][]string
	relations []*facts.Relation
	steps     []Step
	checks    []DataCheck
}

// node is a partitioned table of the tree and its index, whose OID is 0 while it is not there.
type node struct {
	relation *facts.Relation
	index    string
	oid      uint32
	depth    int
}

// below indexes the partitions of a partitioned table, at all depths.
func (t *tree) below(parent node) error {
	if i := parent.relation.Index(parent.index); i != nil {
		parent.oid = i.OID
	}
	for _, p := range t.root.Partitions {
		if p.Parent != parent.relation.OID {
			continue
		}
		partition, err := lookup(t.known, ddl.Name{Schema: p.Schema, Name: p.Name})
		switch {
		case err != nil:
			return err
		case partition == nil || partition.OID != p.OID:
			return fmt.Errorf("cannot index partition %q: it is not there any more; send the statement again", p.Name)
		case !partition.MayAlter:
			return fmt.Errorf("cannot index partition %q: only its owner %q can; send the statement as that role", p.Name, partition.Owner)
		}
		if err := t.partition(parent, partition); err != nil {
			return err
		}
	}
	return nil
}

// partition indexes one partition and attaches its index to its parent's. Whatever of that turns out to be done is not done again.
func (t *tree) partition(parent node, partition *facts.Relation) error {
	here := node{relation: partition, depth: parent.depth + 1}
	for _, i := range partition.Indexes {
		if parent.oid != 0 && i.Parent == parent.oid {
			here.index = i.Name
		}
	}
	if here.index == "" {
		if err := t.make(parent, &here); err != nil {
			return err
		}
	}
	if partition.Kind != "p" {
		return nil
	}
	return t.below(here)
}

// make are the steps for a partition whose index is not attached yet.
func (t *tree) make(parent node, here *node) (err error) {
	partition := here.relation
	t.relations = append(t.relations, partition)
	attached := t.attached(*here)
	for _, i := range partition.Indexes {
		if i.Valid && i.Parent == 0 && !i.Differs(t.create) {
			step := t.attach(parent, *here, i.Name)
			step.Done = fmt.Sprintf("SELECT (%s) OR NOT (%s)", attached, t.matches(i.OID))
			t.steps = append(t.steps, step)
		}
	}
	if here.index, err = facts.PartitionIndexName(t.stmt, t.create, partition, t.names[partition.Schema]); err != nil {
		return err
	}
	t.names[partition.Schema] = append(t.names[partition.Schema], here.index)
	step := Step{
		Where: Alone, Table: target(partition, t.columns...), Done: attached,
		Index: Index{Schema: partition.Schema, Name: here.index, Plain: !t.create.Expression && !t.create.Partial, Servant: true},
	}
	form := ddl.Concurrently
	if partition.Kind == "p" {
		step.Where, step.Budget, form = AfterCommit, true, ddl.Only
		step.Done = fmt.Sprintf("SELECT (%s) OR (%s)", attached, indexDone(t.create, partition, here.index, false))
	} else {
		if check := duplicates(t.stmt, t.create, partition, here.index); check.SQL != "" {
			t.checks = append(t.checks, check)
		}
		step.Done = fmt.Sprintf("SELECT (%s) OR (%s)", attached, indexDone(t.create, partition, here.index, true))
	}
	if step.SQL, err = rewritten(t.stmt, form, qualifiedBy(partition), namedBy(t.create, here.index)); err != nil {
		return err
	}
	then := t.attach(parent, *here, here.index)
	then.Done = attached
	t.steps = append(t.steps, step, then)
	return nil
}

// attach attaches an index of a partition to its parent's. For a moment nobody can plan a query of the partition.
func (t *tree) attach(parent, here node, index string) Step {
	return Step{
		SQL:   fmt.Sprintf("ALTER INDEX %s ATTACH PARTITION %s", quote(parent.relation.Schema, parent.index), quote(here.relation.Schema, index)),
		Where: AfterCommit, Budget: true, Table: target(here.relation), Others: []Target{target(parent.relation)},
	}
}

// attached asks whether a partition has an index that hangs, over those of the tables between, on the root's.
func (t *tree) attached(here node) string {
	var chain strings.Builder
	fmt.Fprint(&chain, "i.indexrelid")
	above := ""
	for depth := range here.depth {
		above += fmt.Sprintf(" JOIN pg_catalog.pg_inherits h%d ON h%d.inhrelid OPERATOR(pg_catalog.=) %s", depth, depth, chain.String())
		chain.Reset()
		fmt.Fprintf(&chain, "h%d.inhparent", depth)
	}
	return fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_index i%s"+
		" JOIN pg_catalog.pg_index r ON r.indexrelid OPERATOR(pg_catalog.=) %s JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.indexrelid"+
		" WHERE i.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid AND r.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
		" AND c.relname OPERATOR(pg_catalog.=) %s)", above, chain.String(), here.relation.OID, t.root.OID, literal(t.name))
}

// matches asks whether an index is valid, free, and like the root's, as the server compares them (CompareIndexInfo of index.c).
func (t *tree) matches(index uint32) string {
	shape := func(i string) string {
		return fmt.Sprintf(`pg_catalog.concat_ws(' ', c.relam, %[1]s.indisunique, %[1]s.indnkeyatts, %[1]s.indcollation, (%[1]s.indexprs IS NULL), (%[1]s.indpred IS NULL),`+
			` pg_catalog.json_extract_path_text(pg_catalog.row_to_json(%[1]s), 'indnullsnotdistinct'),`+
			` pg_catalog.quote_nullable(pg_catalog.pg_get_expr(%[1]s.indexprs, %[1]s.indrelid)), pg_catalog.quote_nullable(pg_catalog.pg_get_expr(%[1]s.indpred, %[1]s.indrelid)),`+
			` (SELECT pg_catalog.string_agg(pg_catalog.concat(COALESCE(pg_catalog.quote_ident(a.attname), '0'), ':', o.opcfamily), ',' ORDER BY k.place)`+
			` FROM ROWS FROM (pg_catalog.unnest(%[1]s.indkey::pg_catalog.int2[]), pg_catalog.unnest(%[1]s.indclass::pg_catalog.oid[])) WITH ORDINALITY AS k(num, class, place)`+
			` LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) %[1]s.indrelid AND a.attnum OPERATOR(pg_catalog.=) k.num`+
			` LEFT JOIN pg_catalog.pg_opclass o ON o.oid OPERATOR(pg_catalog.=) k.class))`, i)
	}
	return fmt.Sprintf(`SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid`+
		` WHERE i.indexrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid AND i.indisvalid AND NOT i.indisexclusion`+
		` AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid OPERATOR(pg_catalog.=) i.indexrelid)`+
		` AND %s OPERATOR(pg_catalog.=) (SELECT %s FROM pg_catalog.pg_index r JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.indexrelid`+
		` WHERE r.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) %s))`,
		index, shape("i"), shape("r"), t.root.OID, literal(t.name))
}

// unplanned finds a partition of a table that the plan for an index of that name does not know, just before it is begun: from then on the server
// indexes new ones.
func unplanned(table *facts.Relation, index string) DataCheck {
	known := []string{strconv.FormatUint(uint64(table.OID), 10)}
	for _, p := range table.Partitions {
		known = append(known, strconv.FormatUint(uint64(p.OID), 10))
	}
	return DataCheck{
		SQL: fmt.Sprintf("WITH RECURSIVE tree(oid) AS (SELECT %d::pg_catalog.oid UNION ALL SELECT h.inhrelid FROM tree t"+
			" JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) t.oid)"+
			" SELECT pg_catalog.format('Partition %%s is new.', t.oid::pg_catalog.regclass) FROM tree t WHERE t.oid OPERATOR(pg_catalog.<>) ALL ('{%s}'::pg_catalog.oid[]) LIMIT 1",
			table.OID, strings.Join(known, ",")),
		Code:    "55000", // object_not_in_prerequisite_state
		Message: fmt.Sprintf("pgsluice: the partitions of %q are not those that index %q was planned for; run the migration again", table.Name, index),
	}
}

// left says what is missing when all is done and the index of a partitioned table is not valid: a partition was attached meanwhile, or has an
// INVALID index. The advice is a format of its own: %1$I is the index, %2$I the partition.
func left(table *facts.Relation, index, advice string) string {
	return fmt.Sprintf("SELECT pg_catalog.format(%s"+
		", c.relname, p.relname) FROM pg_catalog.pg_index r JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) r.indexrelid"+
		" JOIN pg_catalog.pg_inherits h ON h.inhparent OPERATOR(pg_catalog.=) r.indrelid JOIN pg_catalog.pg_class p ON p.oid OPERATOR(pg_catalog.=) h.inhrelid"+
		" WHERE r.indrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid AND c.relname OPERATOR(pg_catalog.=) %s AND NOT r.indisvalid"+
		" AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_inherits a ON a.inhrelid OPERATOR(pg_catalog.=) i.indexrelid"+
		" WHERE i.indrelid OPERATOR(pg_catalog.=) p.oid AND a.inhparent OPERATOR(pg_catalog.=) r.indexrelid AND i.indisvalid)"+
		" ORDER BY p.relname LIMIT 1", literal("index %1$I is not valid yet, because partition %2$I was added meanwhile; "+advice), table.OID, literal(index))
}
