package rewrite

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/pgsluice/pgsluice/internal/ddl"
	"github.com/pgsluice/pgsluice/internal/facts"
)

// attachPartition proves that the new partition has only rows of its bound, and the default partition none of them, by validated CHECKs that
// are dropped in the end. The ATTACH then scans neither while it holds them locked.
func attachPartition(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	alter, ok := stmt.Action.(ddl.AlterTable)
	if !ok || len(alter.Commands) != 1 || alter.Commands[0].Op != "AttachPartition" {
		return Plan{}, fmt.Errorf("%s attaches no partition", stmt.Tag)
	}
	parent, err := lookup(known, alter.Table)
	if err != nil {
		return Plan{}, err
	}
	child, err := lookup(known, alter.Commands[0].Relation)
	if err != nil {
		return Plan{}, err
	}
	if parent == nil || child == nil {
		return budget(stmt, known)
	}
	bound, err := ddl.PartitionBound(stmt)
	if err != nil {
		return Plan{}, err
	}
	attach := Step{
		SQL:   fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s %s", quote(parent.Schema, parent.Name), quote(child.Schema, child.Name), bound.Text),
		Where: AfterCommit, Budget: true, Table: target(parent, parent.Key.Columns...), Others: []Target{target(child, parent.Key.Columns...)},
		Done: "SELECT " + isPartition(child.OID, parent.OID),
	}
	return proven(known, parent, child, bound, attach, fmt.Sprintf("proving that %q fits its bound before it is attached to %q", child.Name, parent.Name))
}

// createPartition makes the table like its parent and attaches it while nobody else knows it. That locks out nobody from the parent, whom
// PARTITION OF keeps waiting.
func createPartition(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	create, ok := stmt.Action.(ddl.CreateTable)
	if !ok || create.PartitionOf.Name == "" {
		return Plan{}, fmt.Errorf("%s makes no partition", stmt.Tag)
	}
	parent, err := lookup(known, create.PartitionOf)
	if err != nil {
		return Plan{}, err
	}
	if parent == nil {
		return budget(stmt, known)
	}
	text, err := ddl.Unattached(stmt)
	if err != nil {
		return Plan{}, err
	}
	bound, err := ddl.PartitionBound(stmt)
	if err != nil {
		return Plan{}, err
	}
	schema := create.Table.Schema
	if schema == "" {
		if len(known.SearchPath) == 0 {
			return budget(stmt, known) // the server says that there is no schema to make it in
		}
		schema = known.SearchPath[0]
	}
	attach := Step{
		SQL:   text,
		Then:  []string{fmt.Sprintf("ALTER TABLE %s ATTACH PARTITION %s %s", quote(parent.Schema, parent.Name), quote(schema, create.Table.Name), bound.Text)},
		Where: InPlace, Budget: true, Table: target(parent),
		Done: fmt.Sprintf("SELECT EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhparent OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
			" AND h.inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s)::pg_catalog.oid)", parent.OID, literal(quote(schema, create.Table.Name))),
	}
	return proven(known, parent, nil, bound, attach, fmt.Sprintf("making %q first, then attaching it to %q", create.Table.Name, parent.Name))
}

// proven is the plan of an ATTACH behind the proofs that it needs. A nil child is a new table.
func proven(known facts.Facts, parent, child *facts.Relation, bound ddl.Bound, attach Step, notice string) (Plan, error) {
	plan := Plan{Notice: notice}
	var drops []Step
	prove := func(table *facts.Relation, condition func(string) string, message string) error {
		if table == nil || table.Empty || table.Proven || table.Kind == "f" {
			return nil
		}
		written, err := facts.BoundCondition(bound, parent, false)
		if err != nil {
			return fmt.Errorf("cannot prove beforehand that %q fits: %w", table.Name, err)
		}
		add, validate, drop := proof(table, condition(written), parent.Key.Columns, attach.Done)
		plan.Steps, drops = append(plan.Steps, add, validate), append(drops, drop)
		if table.Readable {
			plan.DataChecks = append(plan.DataChecks, DataCheck{
				SQL:  anyRow("Rows that exist violate it.", quote(table.Schema, table.Name), "NOT ("+condition(written)+")"),
				Code: "23514", Message: fmt.Sprintf(message, table.Name),
			})
		}
		return nil
	}
	if err := prove(child, func(c string) string { return c }, "partition constraint of relation %q is violated by some row"); err != nil {
		return Plan{}, err
	}
	rest := known.DefaultOf(parent)
	if err := prove(rest, func(c string) string { return "NOT (" + c + ")" },
		"updated partition constraint for default partition %q would be violated by some row"); err != nil {
		return Plan{}, err
	}
	if rest != nil {
		attach.Others = append(attach.Others, target(rest, parent.Key.Columns...))
	}
	if len(plan.Steps) > 0 {
		attach.Where = AfterCommit
	}
	plan.Steps = append(append(plan.Steps, attach), drops...)
	return plan, nil
}

// proof are the steps of a CHECK that proves a condition for as long as it is needed: until the table is attached.
func proof(table *facts.Relation, condition string, columns []string, attached string) (add, validate, drop Step) {
	name := fmt.Sprintf("%sbound_%x", HelperPrefix, sha256.Sum256([]byte(condition)))[:len(HelperPrefix)+16]
	alter := "ALTER TABLE " + quote(table.Schema, table.Name)
	there := fmt.Sprintf("EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
		" AND k.conname OPERATOR(pg_catalog.=) %s)", table.OID, literal(name))
	or := ""
	if attached != "" {
		or = " OR (" + attached + ")"
	}
	add = Step{
		SQL: fmt.Sprintf("%s ADD CONSTRAINT %s CHECK (%s) NOT VALID", alter, quote(name), condition), Where: AfterCommit, Budget: true,
		Table: target(table, columns...), Helpers: []Helper{{Name: name}}, Done: "SELECT " + there + or,
	}
	validate = validation(table, name, columns)
	validate.Done = "SELECT (" + validate.Done + ")" + or
	drop = Step{
		SQL: fmt.Sprintf("%s DROP CONSTRAINT %s", alter, quote(name)), Where: AfterCommit, Budget: true,
		Table: target(table), Helpers: []Helper{{Name: name, Drop: true}}, Done: "SELECT NOT " + there,
	}
	return add, validate, drop
}

// detachPartition detaches concurrently, and finishes what an interruption left half done.
func detachPartition(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	alter, ok := stmt.Action.(ddl.AlterTable)
	if !ok || len(alter.Commands) != 1 || alter.Commands[0].Op != "DetachPartition" {
		return Plan{}, fmt.Errorf("%s detaches no partition", stmt.Tag)
	}
	parent, err := lookup(known, alter.Table)
	if err != nil {
		return Plan{}, err
	}
	child, err := lookup(known, alter.Commands[0].Relation)
	if err != nil {
		return Plan{}, err
	}
	if parent == nil || child == nil || child.PartitionOf != parent.OID {
		return budget(stmt, known)
	}
	return Plan{
		Notice: fmt.Sprintf("detaching %q from %q concurrently, which leaves it a CHECK of its bound", child.Name, parent.Name),
		Steps:  detached(parent, child),
	}, nil
}

// dropPartition detaches concurrently and drops what nobody can be reading any more.
func dropPartition(stmt ddl.Statement, known facts.Facts) (Plan, error) {
	drop, ok := stmt.Action.(ddl.Drop)
	if !ok || drop.Object != "TABLE" || len(drop.Names) != 1 {
		return Plan{}, fmt.Errorf("%s drops no partition", stmt.Tag)
	}
	child, err := lookup(known, drop.Names[0])
	if err != nil {
		return Plan{}, err
	}
	if child == nil {
		return budget(stmt, known)
	}
	parent := known.ParentOf(child)
	if parent == nil {
		return budget(stmt, known)
	}
	text, err := ddl.Qualified(stmt, child.Schema, child.Name)
	if err != nil {
		return Plan{}, err
	}
	gone := Step{
		SQL: text, Where: AfterCommit, Budget: true, Table: target(child),
		Done: fmt.Sprintf("SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) %d::pg_catalog.oid)", child.OID),
	}
	plan := Plan{
		Notice: fmt.Sprintf("detaching %q from %q concurrently, then dropping it", child.Name, parent.Name),
		Steps:  detached(parent, child),
	}
	for _, k := range child.Constraints { // detached, it has those of the parent as its own
		if k.Type == string(rune(ddl.ForeignKey)) && k.Parent != child.OID {
			step := keyDrop(target(child), k.Name, Target{OID: k.Parent, Schema: k.ParentSchema, Name: k.ParentName})
			step.Where = AfterCommit
			plan.Steps = append(plan.Steps, step)
		}
	}
	plan.Steps = append(plan.Steps, gone)
	if !drop.Cascade {
		plan.DataChecks = []DataCheck{dependents(child)}
	}
	return plan, nil
}

// dependents finds what would keep a table from being dropped, before anything has been done: whatever depends on it or its row type and does
// not go along with it.
func dependents(table *facts.Relation) DataCheck {
	on := fmt.Sprintf("%%[1]s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND %%[1]s.refobjid OPERATOR(pg_catalog.=) %[1]d::pg_catalog.oid"+
		" OR %%[1]s.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid AND %%[1]s.refobjid OPERATOR(pg_catalog.=)"+
		" (SELECT c.reltype FROM pg_catalog.pg_class c WHERE c.oid OPERATOR(pg_catalog.=) %[1]d::pg_catalog.oid)", table.OID)
	return DataCheck{
		SQL: fmt.Sprintf("SELECT pg_catalog.concat(pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid), ' depends on it.') FROM pg_catalog.pg_depend d"+
			" WHERE (%s) AND d.deptype OPERATOR(pg_catalog.=) 'n'::pg_catalog.\"char\" AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o"+
			" WHERE o.classid OPERATOR(pg_catalog.=) d.classid AND o.objid OPERATOR(pg_catalog.=) d.objid AND (%s)"+
			" AND o.deptype OPERATOR(pg_catalog.<>) 'n'::pg_catalog.\"char\") LIMIT 1", fmt.Sprintf(on, "d"), fmt.Sprintf(on, "o")),
		Code:    "2BP01", // dependent_objects_still_exist
		Message: fmt.Sprintf("cannot drop table %s because other objects depend on it", table.Name),
	}
}

// detached are the steps of a concurrent DETACH. When it is interrupted after it has begun, the partition is pending: the same statement is
// refused then, and only FINALIZE goes on.
func detached(parent, child *facts.Relation) []Step {
	alter := fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s ", quote(parent.Schema, parent.Name), quote(child.Schema, child.Name))
	still := isPartition(child.OID, parent.OID)
	pending := strings.TrimSuffix(still, ")") + " AND pg_catalog.json_extract_path_text(pg_catalog.row_to_json(h), 'inhdetachpending') OPERATOR(pg_catalog.=) 'true')"
	return []Step{
		{
			SQL: alter + "CONCURRENTLY", Where: Alone, Table: target(parent), Others: []Target{target(child)},
			Done: "SELECT NOT " + still + " OR " + pending,
		},
		{
			SQL: alter + "FINALIZE", Where: AfterCommit, Budget: true, Table: target(parent), Others: []Target{target(child)},
			Done: "SELECT NOT " + still,
		},
	}
}

// isPartition is the condition that one relation is a partition of another.
func isPartition(child, parent uint32) string {
	return fmt.Sprintf("EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid OPERATOR(pg_catalog.=) %d::pg_catalog.oid"+
		" AND h.inhparent OPERATOR(pg_catalog.=) %d::pg_catalog.oid)", child, parent)
}
