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

//go:embed partition-scanned-on-attach.sql
var partitionScannedOnAttachCases string

// partitionScannedOnAttach: ATTACH PARTITION reads the new partition, and the default one, while nobody else can.
func partitionScannedOnAttach() policy.Rule {
	return policy.Rule{
		Name:  "partition-scanned-on-attach",
		Title: "Partition scanned while it is attached",
		Doc: `ATTACH PARTITION takes a SHARE UPDATE EXCLUSIVE lock on the parent, which keeps nobody out, and ACCESS EXCLUSIVE locks on the new
partition and on the default partition. Under those it reads every row of both, unless their constraints prove the bound. What the parent
has and the new partition lacks is made under the same locks: indexes are built, and foreign keys are checked, for which the tables that they
reference are locked against writes.

Until it is done nobody can read or write the new partition, nor any row that is, or would go, into the default partition. A query of the parent
that cannot leave the default partition out waits, too.

pgsluice adds a CHECK of the bound to the new partition, and its opposite to the default partition, NOT VALID, validates both without keeping
anybody out, attaches, and drops the CHECKs again. Whether constraints that are there prove the bound the server's own planner is asked.
Inside a transaction it is refused, because what follows may rely on the partition. Bounds that are no constants, and keys that are
expressions, text hashes or domains, only the server can turn into a condition: there the CHECK has to be written by hand.`,
		Since:   "0.2",
		Default: policy.Rewrite,
		Cases:   partitionScannedOnAttachCases,
		Run:     runPartitionScannedOnAttach,
	}
}

func runPartitionScannedOnAttach(c *policy.Check) {
	alter, ok := c.Stmt.Action.(ddl.AlterTable)
	if !ok || alter.Object != "TABLE" || len(alter.Commands) != 1 || alter.Commands[0].Op != "AttachPartition" {
		return
	}
	name := alter.Commands[0].Relation
	parent, known := c.Relation(alter.Table)
	child, childKnown := c.Relation(name)
	if !known || !childKnown {
		finding := outside(c, policy.Finding{
			Message: fmt.Sprintf("attaching %q reads it, and the default partition, while nobody else can; prove the bound with CHECKs first", name.Name),
		})
		finding.Unknown = fmt.Sprintf("the sizes of %q and of the default partition of %q, and their constraints", name.Name, alter.Table.Name)
		c.Report(finding)
		return
	}
	if parent == nil || child == nil || parent.Kind != "p" || !parent.MayAlter || !child.MayAlter || child.PartitionOf != 0 {
		return // the server says what is wrong
	}
	rest := c.Facts.DefaultOf(parent)
	attachMakes(c, parent, child, rest)
	var read []string
	for _, r := range []*facts.Relation{child, rest} {
		if scanned(c, r) {
			read = append(read, fmt.Sprintf("%q", r.Name))
		}
	}
	if len(read) > 0 {
		c.Report(unproven(c, parent, child, rest, fmt.Sprintf("attaching %q keeps everybody out of %s while every row is checked", child.Name, strings.Join(read, " and "))))
	}
}

// scanned reports whether the server reads a table to see whether its rows fit, for long enough to be felt.
func scanned(c *policy.Check, r *facts.Relation) bool {
	return r != nil && r.Kind != "f" && !r.Proven && !c.Light(r)
}

// unproven asks for the proofs, or for those that only the reader can write.
func unproven(c *policy.Check, parent, child, rest *facts.Relation, message string) policy.Finding {
	finding := policy.Finding{Message: message + "; prove the bound with a CHECK first", Detail: sizes(child, rest)}
	condition, err := boundCondition(c.Stmt, parent)
	within, without := condition, "NOT ("+condition+")"
	if err != nil {
		finding.Detail += fmt.Sprintf("\nThe condition has to be written by hand, because %v. What the server asks for, it shows of a partition that is there: "+
			"SELECT pg_get_partition_constraintdef('...'::regclass).", err)
		within, without = "...", "NOT (...)"
	}
	var before, after []string
	prove := func(r *facts.Relation, condition string) {
		table, name := qualified(r.Schema, r.Name), quoted(r.Name+"_bound")
		before = append(before, fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s) NOT VALID", table, name, condition),
			fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s", table, name))
		after = append(after, fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", table, name))
	}
	if scanned(c, child) {
		prove(child, within)
	}
	if scanned(c, rest) {
		prove(rest, without)
	}
	finding = outside(c, finding, slices.Concat(before, []string{c.Stmt.Text}, after)...)
	if err != nil {
		finding.Action = policy.Block
	}
	return finding
}

func boundCondition(stmt ddl.Statement, parent *facts.Relation) (string, error) {
	bound, err := ddl.PartitionBound(stmt)
	if err != nil {
		return "", err
	}
	return facts.BoundCondition(bound, parent, true)
}

func sizes(tables ...*facts.Relation) string {
	var lines []string
	for _, r := range tables {
		if r != nil {
			lines = append(lines, size(r))
		}
	}
	return strings.Join(lines, "\n")
}

// attachMakes judges what the server makes on a new partition because its parent has it.
func attachMakes(c *policy.Check, parent, child, rest *facts.Relation) {
	if c.Light(child) || child.Kind == "f" {
		return
	}
	var keys, indexes []string
	for _, k := range parent.Constraints {
		if k.Type == "f" && !slices.ContainsFunc(child.Constraints, func(own facts.Constraint) bool { return sameKey(k, own) }) {
			keys = append(keys, giveForeignKey(c, k, child)...)
		}
	}
	for _, i := range parent.Indexes {
		if !slices.ContainsFunc(child.Indexes, func(own facts.Index) bool { return sameIndex(i, own) }) {
			indexes = append(indexes, giveIndex(parent, i, child)...)
		}
	}
	if len(keys) > 0 {
		c.Report(policy.Finding{
			Action: policy.Block,
			Message: fmt.Sprintf("attaching %q checks its foreign keys to tables that nobody can write to meanwhile; give it the foreign keys of %q first",
				child.Name, parent.Name),
			Detail: size(child),
			Hint:   strings.Join(keys, "\n"),
		})
	}
	if len(indexes) == 0 {
		return
	}
	finding := policy.Finding{
		Action:  policy.Warn,
		Message: fmt.Sprintf("attaching %q builds indexes on it while nobody else can use it; give it the indexes of %q first", child.Name, parent.Name),
		Detail:  size(child),
		Hint:    strings.Join(indexes, "\n"),
	}
	if rest != nil && !c.Light(rest) {
		finding.Action = policy.Block
		finding.Message = fmt.Sprintf("attaching %q builds indexes on it while nobody else can use it nor %q; give it the indexes of %q first", child.Name, rest.Name, parent.Name)
	}
	c.Report(finding)
}

// sameKey reports whether a foreign key is what the parent's would be on the new partition, valid so that nothing is left to check. One that says something
// else, like ON DELETE, is not taken over.
func sameKey(parent, own facts.Constraint) bool {
	return own.Type == "f" && own.Validated && own.Parent == parent.Parent &&
		slices.Equal(own.Columns, parent.Columns) && slices.Equal(own.ParentColumns, parent.ParentColumns) &&
		(own.Definition == "" || parent.Definition == "" || own.Definition == valid(parent.Definition))
}

// valid is the definition of a constraint without NOT VALID.
func valid(definition string) string { return strings.TrimSuffix(definition, " NOT VALID") }

// giveForeignKey is what to type for a foreign key like the parent's, by its name if that is free.
func giveForeignKey(c *policy.Check, k facts.Constraint, child *facts.Relation) []string {
	table, name := qualified(child.Schema, child.Name), k.Name
	if constraintNamed(child, name) != nil {
		var taken []string
		for _, own := range child.Constraints {
			taken = append(taken, own.Name)
		}
		name = facts.KeyName(child.Name, "fkey", k.Columns, taken)
	}
	definition, note := valid(k.Definition), ""
	if definition == "" {
		definition = fmt.Sprintf("FOREIGN KEY (%s) REFERENCES %s (%s)", quotedList(k.Columns), qualified(k.ParentSchema, k.ParentName), quotedList(k.ParentColumns))
		note = " -- with the ON DELETE, ON UPDATE and MATCH of the parent's"
	}
	add := fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s %s", table, quoted(name), definition)
	if child.Kind == "p" && c.Facts.Version < 180000 {
		return []string{add + ";" + note} // which has a recipe of its own
	}
	return []string{add + " NOT VALID;" + note, fmt.Sprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", table, quoted(name))}
}

// sameIndex reports whether an index may be the one that the parent's takes over. Expressions and predicates are not compared.
func sameIndex(parent, own facts.Index) bool {
	return own.Valid && own.Unique == parent.Unique && own.Method == parent.Method && own.Partial == parent.Partial &&
		(own.Constraint != "") == (parent.Constraint != "") && slices.Equal(own.Columns, parent.Columns) && slices.Equal(own.Included, parent.Included)
}

// giveIndex is what to type for an index like the parent's, and for the constraint on it.
func giveIndex(parent *facts.Relation, i facts.Index, child *facts.Relation) []string {
	table := qualified(child.Schema, child.Name)
	defined, err := ddl.Reparse(i.Definition)
	create, ok := defined.Action.(ddl.CreateIndex)
	key := constraintNamed(parent, i.Constraint)
	if err != nil || !ok || child.Kind == "p" || key != nil && key.Type == string(rune(ddl.Exclusion)) {
		return []string{fmt.Sprintf("-- an index on %s like %s", table, quoted(i.Name))}
	}
	word, keys := "INDEX", defined.Text[create.TableSpan.End:]
	if i.Unique {
		word = "UNIQUE INDEX"
	}
	if key == nil {
		return []string{fmt.Sprintf("CREATE %s CONCURRENTLY ON %s%s;", word, table, keys)}
	}
	add, label := ddl.Constraint{Type: ddl.Unique, Deferrable: key.Deferrable, Deferred: key.Deferred}, "key"
	if i.Primary {
		add.Type, label = ddl.PrimaryKey, "pkey"
	}
	name := facts.KeyName(child.Name, label, slices.Concat(i.Columns, i.Included), nil)
	return []string{fmt.Sprintf("CREATE %s CONCURRENTLY %s ON %s%s;", word, quoted(name), table, keys), fmt.Sprintf("ALTER TABLE %s %s;", table, ddl.KeyUsing(add, name))}
}
